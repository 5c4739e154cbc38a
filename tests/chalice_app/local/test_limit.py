"""limit.py: the rate limit of each client on this machine, and its headers."""

import http.client
import json
import re
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalice_app.local import limit
from chalice_app.local.limit import Buckets, Limiter, Policy, RateError, Turn, read_policy
from tests.support.api import ApiResponse, Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.faulty_stack import FaultyStack

REVIEW = b'{"review": "A fine film."}'


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# --- the bucket ---------------------------------------------------------------------------------


def test_so_many_pass_at_once_and_then_none(clock: Clock) -> None:
    limiter = Limiter(Policy(3, 60), clock)
    assert [limiter.take("a").passes for _ in range(5)] == [True, True, True, False, False]
    assert [limiter.take("b").left for _ in range(4)] == [2, 1, 0, 0]


def test_time_fills_the_bucket_up_again_and_not_further(clock: Clock) -> None:
    limiter = Limiter(Policy(3, 60), clock)
    for _ in range(3):
        limiter.take("a")
    clock.now += 19.9
    refused = limiter.take("a")
    assert (refused.passes, refused.wait) == (False, 1)
    clock.now += 0.2
    assert limiter.take("a").passes
    clock.now += 10_000
    assert [limiter.take("a").passes for _ in range(4)] == [True, True, True, False]


def test_who_comes_back_when_told_to_passes(clock: Clock) -> None:
    limiter = Limiter(Policy(7, 60), clock)
    for _ in range(100):
        turn = limiter.take("a")
        if not turn.passes:
            clock.now += turn.wait
            assert limiter.take("a").passes


def test_over_a_long_time_no_more_than_the_quota_passes(clock: Clock) -> None:
    limiter = Limiter(Policy(10, 1), clock)
    passed = 0
    for _ in range(1_000):
        clock.now += 0.01
        passed += limiter.take("a").passes
    assert passed == pytest.approx(10 * 10 + 10, abs=1)


def test_clients_that_were_silent_for_longest_are_forgotten(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit, "BUCKETS", 2)
    monkeypatch.setattr(limit, "NEIGHBOURS", 2)
    limiter = Limiter(Policy(1, 60), clock)

    def passes(client: str) -> bool:
        clock.now += 0.01
        return limiter.take(client).passes

    assert passes("a") and passes("b")
    assert not passes("a")
    assert passes("c")
    assert not passes("a")
    assert passes("b")


def test_many_clients_are_remembered_apart(clock: Clock) -> None:
    limiter = Limiter(Policy(1, 60), clock)
    clients = [f"10.0.{number // 250}.{number % 250}" for number in range(500)]
    assert all(limiter.take(client).passes for client in clients)
    assert not any(limiter.take(client).passes for client in clients)


# --- several processes --------------------------------------------------------------------------


def test_by_a_file_several_hold_one_limit(clock: Clock, tmp_path: Path) -> None:
    Buckets.create(tmp_path / "limits")
    one, other = (Limiter(Policy(3, 60), clock, Buckets(tmp_path / "limits", b"s")) for _ in range(2))
    assert [limiter.take("a").left for limiter in (one, other, other)] == [2, 1, 0]
    assert not one.take("a").passes
    assert other.take("b").passes


def test_takers_of_one_file_wait_for_each_other(tmp_path: Path) -> None:
    def now() -> float:
        time.sleep(0.001)  # between reading a bucket and writing it
        return 100.0

    Buckets.create(tmp_path / "limits")
    limiters = [Limiter(Policy(100, 60_000), now, Buckets(tmp_path / "limits", b"s")) for _ in range(4)]

    def take(limiter: Limiter) -> int:
        return sum(limiter.take("a").passes for _ in range(40))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, limiters)) == 100


def test_no_address_stands_in_the_file(clock: Clock, tmp_path: Path) -> None:
    Buckets.create(tmp_path / "limits")
    secret = secrets.token_bytes()
    Limiter(Policy(3, 60), clock, Buckets(tmp_path / "limits", secret)).take("192.0.2.17")
    file_bytes = (tmp_path / "limits").read_bytes()
    assert b"192.0.2.17" not in file_bytes and secret[:8] not in file_bytes and any(file_bytes)


# --- headers and the variable -------------------------------------------------------------------


def test_the_headers_are_lists_of_structured_fields() -> None:
    assert Turn(Policy(600, 60), True, 599, 1).headers() == {
        "RateLimit-Policy": '"client";q=600;w=60',
        "RateLimit": '"client";r=599;t=1',
    }


def test_the_default_is_more_than_one_waiting_client_can_ask() -> None:
    policy = read_policy(None)
    assert policy and policy.quota / policy.seconds >= 10_000
    assert read_policy("") == policy


@pytest.mark.parametrize(
    "text", ["0/1", "1/0", "-1/1", "1", "1/1/1", "1.5/1", "x", "OFF", " 1/1", "1" * 20 + "/1"]
)
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RateError, match="^RATE_LIMIT must be like 600/60"):
        read_policy(text)


def test_it_can_be_off() -> None:
    assert read_policy("off") is None


# --- the launcher -------------------------------------------------------------------------------


@pytest.fixture
def limited(fake: FakeRuntime) -> Iterator[Served]:
    """The app behind its local server, with a limit of three requests an hour."""
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url, RATE_LIMIT="3/3600")
    yield served
    served.stop()


def check_told(answer: ApiResponse, left: int) -> None:
    assert answer.headers["ratelimit-policy"] == '"client";q=3;w=3600'
    assert re.fullmatch(rf'"client";r={left};t=[0-9]+', answer.headers["ratelimit"])
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= {*exposed}


def test_every_answer_says_how_many_more_may_come_and_a_flood_is_a_429(
    limited: Served, fake: FakeRuntime
) -> None:
    check_told(limited.send("POST", "/v1/sentiment", REVIEW), 2)
    check_told(limited.send("GET", "/nothing"), 1)
    check_told(limited.send("POST", "/v1/sentiment", b"{"), 0)
    calls_before = len(fake.calls)
    refused = limited.send("POST", "/v1/sentiment", REVIEW)
    check_told(refused, 0)
    assert (refused.status, refused.json()["code"]) == (429, "too_many_requests")
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 1200
    assert refused.headers["ratelimit"].endswith(f"t={refused.headers['retry-after']}")
    assert len(fake.calls) == calls_before


def test_who_is_held_back_keeps_the_connection_and_hears_each_answer(limited: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", limited.port, timeout=30)
    statuses = []
    for method in ("POST", "POST", "POST", "POST", "HEAD", "POST"):
        connection.request(method, "/v1/sentiment", REVIEW + b" " * 100_000 if method == "POST" else None)
        answer = connection.getresponse()
        body = answer.read()
        statuses.append(answer.status)
        assert method == "HEAD" or json.loads(body)
    connection.close()
    assert statuses == [200, 200, 200, 429, 429, 429]


def test_without_a_limit_nothing_is_said_of_one(fake: FakeRuntime) -> None:
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url, RATE_LIMIT="off")
    try:
        answer = served.send("GET", "/v1/openapi.json")
    finally:
        served.stop()
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


def test_a_client_that_waits_for_its_answers_is_never_held_back(faulty: FaultyStack) -> None:
    connection = http.client.HTTPConnection(faulty.api.removeprefix("http://"), timeout=30)
    for _ in range(1_500):
        connection.request("GET", "/nothing")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 404
    connection.close()


def test_a_wrong_rate_is_one_sentence() -> None:
    ended = Served.__new__(Served)
    with pytest.raises(ValueError):
        ended.__init__(RATE_LIMIT="often")
    _, out, err = ended.stop()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("api: RATE_LIMIT must be like 600/60")
