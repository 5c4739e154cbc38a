"""A call's steps: tries, retries, waits and its end."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from verdict_sentiment.calls import UNDONE, Call
from verdict_sentiment.errors import BadAnswerError, RefusedError, UnavailableError, VerdictError
from verdict_sentiment.exchange import Lost, Policy, Reply, Send, Wait, exchange, seconds_of

CALL = Call("/v1/sentiment", {"review": "good"})
BUSY = Reply(503, {"x-request-id": "r1"}, b'{"code": "endpoint_busy", "detail": "too much"}')
FINE = Reply(200, {}, b'{"sentiment": "positive"}')


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def run(
    *outcomes: Reply | Lost, call: Call = CALL, share: float = 1.0, **policy: Any
) -> tuple[list[float], list[float], Any]:
    """Drive an exchange; return the limits of its tries, its waits, and its message or error.

    Each try takes a second, and each wait is ``share`` of the longest that might be drawn.
    """
    clock, remaining = Clock(), list(outcomes)
    steps = exchange(call, Policy(**policy), clock, lambda low, high: low + share * (high - low))
    limits: list[float] = []
    waits: list[float] = []
    outcome = None
    try:
        while True:
            step = steps.send(outcome)
            if isinstance(step, Wait):
                waits.append(step.seconds)
                clock.seconds += step.seconds
                outcome = None
            else:
                assert isinstance(step, Send)
                limits.append(step.seconds)
                clock.seconds += 1
                outcome = remaining.pop(0)
    except StopIteration as end:
        return limits, waits, end.value
    except VerdictError as error:
        return limits, waits, error


def test_a_first_answer_needs_no_wait() -> None:
    assert run(FINE) == ([30.0], [], {"sentiment": "positive"})


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_failure_is_tried_again(status: int) -> None:
    _, waits, message = run(BUSY._replace(status=status), FINE)
    assert len(waits) == 1
    assert message == {"sentiment": "positive"}


def test_a_waking_endpoint_is_waited_for_by_its_own_pause() -> None:
    waking = Reply(503, {"retry-after": "5"}, b'{"code": "endpoint_waking", "detail": "it starts"}')
    _, waits, message = run(waking, waking, waking, FINE, share=0)
    assert waits == [5.0, 5.0, 5.0]
    assert message == {"sentiment": "positive"}


def test_a_lost_connection_is_tried_again() -> None:
    assert run(Lost("broke"), FINE)[2] == {"sentiment": "positive"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415, 422, 500, 501])
def test_a_lasting_failure_is_not_tried_again(status: int) -> None:
    limits, waits, error = run(BUSY._replace(status=status), FINE)
    assert (len(limits), waits, error.status) == (1, [], status)


def test_waits_are_drawn_from_a_range_that_doubles_up_to_a_limit() -> None:
    _, waits, _ = run(*[BUSY] * 9, retries=8, deadline=10_000)
    assert waits == [0.5, 1, 2, 4, 8, 16, 20, 20]
    assert run(*[BUSY] * 3, retries=2, share=0.0)[1] == [0, 0]


def test_no_wait_is_shorter_than_the_service_asks_for() -> None:
    busy = BUSY._replace(headers={"retry-after": "7"})
    assert run(busy, FINE, share=0.0)[1] == [7]
    assert run(busy, FINE, share=1.0)[1] == [7.5]


def test_after_the_last_retry_the_last_error_comes() -> None:
    limits, _, error = run(*[BUSY] * 3, retries=2)
    assert len(limits) == 3
    assert isinstance(error, UnavailableError)
    assert (error.status, error.code, error.detail) == (503, "endpoint_busy", "too much")
    assert error.request_id == "r1"


def test_a_wait_past_the_deadline_is_not_begun() -> None:
    limits, waits, error = run(BUSY._replace(headers={"retry-after": "120"}), FINE, deadline=100)
    assert (len(limits), waits) == (1, [])
    assert error.retry_after == 120


def test_a_try_gets_no_more_time_than_is_left() -> None:
    limits, _, _ = run(BUSY, FINE, share=1.0, timeout=30, deadline=10)
    assert limits == [10, 8.5]


def test_a_call_s_own_limit_replaces_both_and_may_be_longer() -> None:
    assert Policy(timeout=0.1, retries=3, deadline=0.2).for_call(60) == Policy(60, 3, 60)
    assert Policy(timeout=0.1).for_call(None) == Policy(timeout=0.1)


@pytest.mark.parametrize("outcome", [Lost("broke"), BUSY._replace(status=502), BUSY._replace(status=504)])
def test_a_call_that_must_not_be_done_twice_is_not_tried_again_in_doubt(outcome: Any) -> None:
    limits, _, error = run(outcome, FINE, call=CALL._replace(again=UNDONE))
    assert (len(limits), type(error)) == (1, UnavailableError)


def test_a_call_without_retries_is_not_tried_again() -> None:
    limits, _, error = run(BUSY, FINE, call=CALL._replace(again=()))
    assert (len(limits), error.status) == (1, 503)


def test_a_status_may_bring_an_answer_for_some_calls() -> None:
    degraded = Reply(503, {}, b'{"status": "degraded"}')
    assert run(degraded, call=CALL._replace(statuses=(200, 503)))[2] == {"status": "degraded"}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'{"a": NaN}', b"\xff", b'{"a": 1, "a": 2}']
)
def test_an_answer_that_is_no_json_object_is_none(body: bytes) -> None:
    assert isinstance(run(FINE._replace(body=body))[2], BadAnswerError)


@pytest.mark.parametrize("status", [204, 301, 302, 304])
def test_an_unknown_status_is_a_bad_answer(status: int) -> None:
    assert isinstance(run(FINE._replace(status=status))[2], BadAnswerError)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad Gateway</html>", b'{"message": "Forbidden"}', b"[1]", b"\xff"]
)
def test_an_error_of_another_form_is_named_by_its_status(body: bytes) -> None:
    error = run(Reply(403, {}, body))[2]
    assert isinstance(error, RefusedError)
    assert (error.code, str(error)) == (
        "http_403",
        "the service answered with HTTP 403 and no reason (http_403)",
    )


def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3000 < (seconds_of(later) or 0) <= 3600
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("text", [None, "", "soon", "-5", "1.5", "٣", "Wed, 99 Oct 2015 07:28:00 GMT"])
def test_a_retry_after_that_is_neither_is_none(text: str | None) -> None:
    assert seconds_of(text) is None


def test_the_problem_s_fields_are_the_error_s() -> None:
    body = json.dumps({"code": "too_many_requests", "detail": "wait", "status": 429}).encode()
    error = run(Reply(429, {"retry-after": "3", "x-request-id": "r2"}, body), retries=0)[2]
    assert (error.status, error.code, error.detail, error.request_id, error.retry_after) == (
        429,
        "too_many_requests",
        "wait",
        "r2",
        3.0,
    )
