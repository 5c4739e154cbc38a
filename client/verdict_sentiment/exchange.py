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
from urllib.parse import urlsplit

from verdict_sentiment._packages import MessageError, messages
from verdict_sentiment.calls import Call
from verdict_sentiment.errors import (
    BadAnswerError,
    RateLimitedError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    VerdictError,
)
from verdict_sentiment.results import Message

# Full jitter: a wait is drawn from 0 to FIRST_SECONDS, then to twice that, and so on up to LONGEST_SECONDS.
FIRST_SECONDS, LONGEST_SECONDS = 0.5, 20.0
# Each try gets at least this long, however near the deadline is.
LEAST_SECONDS = 0.05
# Limit of a problem's code and detail. Ours are shorter; another server's may be endless.
MAX_PROBLEM_CHARACTERS = 1_000
REDIRECTS = (301, 302, 303, 307, 308)
# A limit of more than a day is a mistake of units.
MAX_SECONDS = 86_400.0


class Policy(NamedTuple):
    """Limits of a call: seconds of one try, number of retries, and seconds in all."""

    timeout: float = 30.0
    retries: int = 4
    deadline: float = 120.0

    def for_call(self, timeout: float | None) -> "Policy":
        """Return the limits of one call, which may have its own seconds in all. Raises ValueError."""
        if timeout is None:
            return self
        return Policy(check_seconds("timeout", timeout), self.retries, timeout)


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


def check_policy(policy: Policy) -> Policy:
    """Return limits that can be kept. Raises ValueError."""
    check_seconds("timeout", policy.timeout)
    check_seconds("deadline", policy.deadline)
    if type(policy.retries) is not int or policy.retries < 0:
        raise ValueError(f"retries must be a whole number from 0 on, got {policy.retries!r}")
    return policy


def check_seconds(name: str, seconds: float) -> float:
    """Return a limit in seconds. Raises ValueError."""
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not is_number or not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"{name} must be seconds, more than 0 and at most a day, got {seconds!r}")
    return seconds


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
        if error.status not in call.again or tries >= policy.retries:
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
    problem = _redirect(outcome) if outcome.status in REDIRECTS else _problem(outcome)
    # Verdict has these routes, and says why it refuses one.
    foreign = outcome.status in (404, 405) and problem["code"] == f"http_{outcome.status}"
    return (BadAnswerError if foreign else _kind(outcome.status))(
        f"{problem['detail']}; is this URL Verdict's API?" if foreign else problem["detail"],
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


def too_slow(seconds: float) -> str:
    """Return the sentence of a call that took too long."""
    return f"no answer within {seconds:.3g} s; try again, or allow it more time"


def _kind(status: int) -> type[VerdictError]:
    if status in (401, 403):
        return UnauthorizedError
    if status == 429:
        return RateLimitedError
    if status >= 500:
        return UnavailableError
    return RefusedError if status >= 400 else BadAnswerError


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


def _redirect(reply: Reply) -> dict[str, str]:
    """Return code and detail of a redirect. None is followed: key and review are for the named host alone."""
    try:
        target = urlsplit(reply.headers.get("location", ""))
        host = f" to {target.scheme}://{target.hostname}" if target.scheme and target.hostname else ""
    except ValueError:
        host = ""
    detail = f"the URL leads elsewhere (HTTP {reply.status}{host[:100]}); give the API's own URL"
    return {"code": f"http_{reply.status}", "detail": detail}
