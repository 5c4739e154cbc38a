"""One call from its first try to its answer: when it is tried again, how long after, and when it ends.

No network and no clock of its own: ``exchange`` says what to do next (send, wait), and whoever drives it,
blocking or not, does it.
"""

import random
import time
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import NamedTuple

from verdict_sentiment._shared import MessageError, messages
from verdict_sentiment.calls import Call
from verdict_sentiment.errors import BadAnswerError, RefusedError, UnavailableError, VerdictError
from verdict_sentiment.results import Message

# These pass by themselves: too much at once, or something behind the service is starting or was lost.
PASSING = (429, 502, 503, 504)
# Full jitter: a wait is drawn from 0 to FIRST_SECONDS, then to twice that, and so on up to LONGEST_SECONDS.
FIRST_SECONDS, LONGEST_SECONDS = 0.5, 20.0
# Each try gets at least this long, however near the deadline is.
LEAST_SECONDS = 0.05
# What is kept of a problem's code and detail: ours are shorter, a stranger's may have no end.
MAX_TOLD_CHARACTERS = 1_000


class Policy(NamedTuple):
    """How long one try may take, how often a call is tried again, and how long it may take in all (s)."""

    timeout: float = 30.0
    retries: int = 4
    deadline: float = 120.0


class Send(NamedTuple):
    """Send the request, and give up after so many seconds."""

    seconds: float


class Wait(NamedTuple):
    """Wait for so many seconds."""

    seconds: float


class Reply(NamedTuple):
    """What came back; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lost(NamedTuple):
    """Nothing came back, and why."""

    reason: str


Steps = Generator[Send | Wait, Reply | Lost | None, Message]


def exchange(
    call: Call,
    policy: Policy,
    now: Callable[[], float] = time.monotonic,
    draw: Callable[[float, float], float] = random.uniform,
) -> Steps:
    """Take a call to its answer. Raises VerdictError when there is none."""
    ends = now() + policy.deadline
    for tries in count():
        outcome = yield Send(max(LEAST_SECONDS, min(policy.timeout, ends - now())))
        assert outcome is not None
        if isinstance(outcome, Reply) and outcome.status in call.statuses:
            return _message(outcome)
        error = error_of(outcome)
        if not call.again or tries == policy.retries or not _passes(error):
            raise error
        pause = draw(0, min(LONGEST_SECONDS, FIRST_SECONDS * 2**tries)) + (error.retry_after or 0)
        if now() + pause >= ends:
            raise error
        yield Wait(pause)
    raise AssertionError("count() does not end")


def error_of(outcome: Reply | Lost) -> VerdictError:
    """Say what a reply without an answer, or none at all, means."""
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
    """Read Retry-After (RFC 9110): seconds, or a date; None when it is neither.

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
    """Give code and detail of a problem (RFC 9457); others than ours name neither."""
    try:
        problem = messages.parse_json(reply.body)
        return {name: str(problem[name])[:MAX_TOLD_CHARACTERS] for name in ("code", "detail")}
    except (MessageError, KeyError, TypeError):
        return {
            "code": f"http_{reply.status}",
            "detail": f"the service answered with HTTP {reply.status} and no reason",
        }
