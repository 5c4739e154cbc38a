"""Decide each step of a call: when to send, how long to wait before a retry, and when to give up.

``exchange`` has no network and no clock. It yields the next step (send or wait), and a blocking or an async
driver executes it.
"""

import random
import time
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import NamedTuple

from verdict_sentiment._packages import MessageError, messages
from verdict_sentiment.calls import Call
from verdict_sentiment.errors import BadAnswerError, RefusedError, UnavailableError, VerdictError
from verdict_sentiment.results import Message

# Passing failures: too many requests, or a server behind the service starts or was lost.
PASSING = (429, 502, 503, 504)
# Full jitter: a wait is drawn from 0 to FIRST_SECONDS, then to twice that, and so on up to LONGEST_SECONDS.
FIRST_SECONDS, LONGEST_SECONDS = 0.5, 20.0
# Each try gets at least this long, however near the deadline is.
LEAST_SECONDS = 0.05
# Limit of a problem's code and detail. Ours are shorter; another server's may be endless.
MAX_PROBLEM_CHARACTERS = 1_000


class Policy(NamedTuple):
    """Limits of a call: seconds of one try, number of retries, and seconds in all."""

    timeout: float = 30.0
    retries: int = 4
    deadline: float = 120.0


class Send(NamedTuple):
    """Send the request, with a limit in seconds."""

    seconds: float


class Wait(NamedTuple):
    """Wait, in seconds."""

    seconds: float


class Reply(NamedTuple):
    """An HTTP reply; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lost(NamedTuple):
    """No reply, and the reason."""

    reason: str


Steps = Generator[Send | Wait, Reply | Lost | None, Message]


def exchange(
    call: Call,
    policy: Policy,
    now: Callable[[], float] = time.monotonic,
    draw: Callable[[float, float], float] = random.uniform,
) -> Steps:
    """Yield the steps of a call and return its answer. Raises VerdictError when there is none."""
    deadline = now() + policy.deadline
    for tries in count():
        outcome = yield Send(max(LEAST_SECONDS, min(policy.timeout, deadline - now())))
        assert outcome is not None
        if isinstance(outcome, Reply) and outcome.status in call.statuses:
            return _message(outcome)
        error = error_of(outcome)
        if not call.again or tries == policy.retries or not _passes(error):
            raise error
        pause = draw(0, min(LONGEST_SECONDS, FIRST_SECONDS * 2**tries)) + (error.retry_after or 0)
        if now() + pause >= deadline:
            raise error
        yield Wait(pause)
    raise AssertionError("count() does not end")


def error_of(outcome: Reply | Lost) -> VerdictError:
    """Return the error for a failed reply, or for none."""
    if isinstance(outcome, Lost):
        return UnavailableError(outcome.reason, code="unreachable")
    problem = _problem(outcome)
    return _kind(outcome.status)(
        problem["detail"],
        code=problem["code"],
        status=outcome.status,
        request_id=outcome.headers.get("x-request-id"),
        retry_after=seconds_of(outcome.headers.get("retry-after")),
    )


def seconds_of(retry_after: str | None) -> float | None:
    """Parse Retry-After (RFC 9110), seconds or a date; None when it is neither.

    >>> seconds_of("5"), seconds_of("soon")
    (5.0, None)
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, (date - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):  # no date, or one without a zone
        return None


def _kind(status: int) -> type[VerdictError]:
    if status == 429 or status >= 500:
        return UnavailableError
    return RefusedError if status >= 400 else BadAnswerError


def _passes(error: VerdictError) -> bool:
    return isinstance(error, UnavailableError) and error.status in (None, *PASSING)


def _message(reply: Reply) -> Message:
    try:
        message = messages.parse_json(reply.body)
    except MessageError:
        message = None
    if not isinstance(message, dict):
        raise BadAnswerError(
            "the answer is no JSON object; is this URL Verdict's API?",
            code="bad_answer",
            status=reply.status,
            request_id=reply.headers.get("x-request-id"),
        )
    return message


def _problem(reply: Reply) -> dict[str, str]:
    """Return code and detail of a problem (RFC 9457), or substitutes for another server's error."""
    try:
        problem = messages.parse_json(reply.body)
        return {name: str(problem[name])[:MAX_PROBLEM_CHARACTERS] for name in ("code", "detail")}
    except (MessageError, KeyError, TypeError):
        return {
            "code": f"http_{reply.status}",
            "detail": f"the service answered with HTTP {reply.status} and no reason",
        }
