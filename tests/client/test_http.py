"""Both HTTP clients, blocking and async: requests, and bad replies."""

import asyncio
import inspect
import os
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.client.conftest import make_answer
from tests.support.service import Service, problem, reply
from tests.support.stack import free_ports
from verdict_sentiment import (
    AsyncVerdict,
    BadAnswerError,
    Judged,
    RateLimitedError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    Verdict,
    exchange,
    http,
)

Ask = Callable[..., Any]


def blocking(url: str, api_key: str | None = None, **settings: Any) -> Any:
    with Verdict(url, api_key, **settings) as verdict:
        return verdict.sentiment("good film", "words")


def not_blocking(url: str, api_key: str | None = None, **settings: Any) -> Any:
    async def ask() -> Any:
        async with AsyncVerdict(url, api_key, **settings) as verdict:
            return await verdict.sentiment("good film", "words")

    return asyncio.run(ask())


@pytest.fixture(params=[blocking, not_blocking], ids=["blocking", "not blocking"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Judge one review by one of the two clients."""
    ask: Ask = request.param
    return ask


def test_a_review_goes_out_as_json_with_the_key(service: Service, ask: Ask) -> None:
    service.say(reply(200, make_answer()))
    assert ask(service.url + "/stage/", "key-1").probability == 0.75026
    (request,) = service.asked
    assert request.line == "POST /stage/v1/sentiment HTTP/1.1"
    assert request.json() == {"review": "good film", "explain": "words"}
    assert request.headers["x-api-key"] == "key-1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("verdict-sentiment/")


def test_without_a_key_none_is_sent(service: Service, ask: Ask) -> None:
    service.say(reply(200, make_answer()))
    ask(service.url)
    assert "x-api-key" not in service.asked[0].headers


def test_a_busy_service_gets_another_try(service: Service, ask: Ask) -> None:
    service.say(problem(503, "endpoint_busy", Retry_After="0"), problem(429, "too_many_requests"))
    service.say(reply(200, make_answer()))
    assert ask(service.url).sentiment == "positive"
    assert len(service.asked) == 3


def test_a_connection_that_breaks_is_made_again(service: Service, ask: Ask) -> None:
    service.say(b"", b"HTTP/1.1 200 X\r\nContent-Length: 50\r\n\r\n{", reply(200, make_answer()))
    assert ask(service.url).sentiment == "positive"
    assert len(service.asked) == 3


def test_a_refusal_has_the_problem_s_fields(service: Service, ask: Ask) -> None:
    service.say(problem(422, "no_token", "no word"))
    with pytest.raises(RefusedError) as caught:
        ask(service.url)
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (422, "no_token", "r9")


def test_a_service_that_is_absent_is_one_sentence_with_the_host(ask: Ask) -> None:
    (port,) = free_ports(1)
    with pytest.raises(UnavailableError, match=f"^nothing answers at http://127.0.0.1:{port}; ") as caught:
        ask(f"http://user:secret@127.0.0.1:{port}/stage", retries=0)
    assert "secret" not in str(caught.value)
    assert caught.value.status is None


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 X\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{",
        b"HTTP/1.1 200 X\r\n\r\n{",
    ],
)
def test_a_reply_that_does_not_end_is_given_up(service: Service, ask: Ask, start: bytes) -> None:
    service.hangs = True
    service.say(start)
    with pytest.raises(UnavailableError, match=r"^no answer within 0\.2 s; "):
        ask(service.url, timeout=0.2, retries=0)


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"", b"HTTP/1.1 103 X\r\n\r\n"),
        (b"HTTP/1.1 200 X\r\nA: ", b"a"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 9999\r\n\r\n", b" "),
    ],
)
def test_a_reply_that_trickles_is_given_up_when_the_time_is_up(
    service: Service, ask: Ask, start: bytes, more: bytes
) -> None:
    service.trickles = more
    service.say(start)
    with pytest.raises(UnavailableError, match=r"^no answer within 0\.3 s; "):
        ask(service.url, timeout=0.3, retries=0)


def test_a_stranger_s_endless_reason_is_cut(service: Service, ask: Ask) -> None:
    service.say(problem(422, "no_token", "a" * 100_000))
    with pytest.raises(RefusedError) as caught:
        ask(service.url)
    assert len(caught.value.detail) == exchange.MAX_PROBLEM_CHARACTERS


@pytest.mark.parametrize("start", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 X\r\nbroken header\r\n\r\n"])
def test_a_reply_that_is_not_http_is_one_sentence(service: Service, ask: Ask, start: bytes) -> None:
    service.say(start)
    with pytest.raises(UnavailableError, match=r"^the connection to http://127.0.0.1:\d+ broke \("):
        ask(service.url, retries=0)


def test_an_answer_of_another_compression_than_it_says_is_one_sentence(service: Service, ask: Ask) -> None:
    service.say(reply(200, b"no gzip", Content_Encoding="gzip"))
    with pytest.raises(UnavailableError, match=r" broke \(DecodingError\)"):
        ask(service.url, retries=0)


def test_an_endless_answer_is_not_read_to_its_end(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1000)
    service.say(reply(200, b" " * 5000))
    with pytest.raises(BadAnswerError, match="over 1,000 bytes"):
        ask(service.url)


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_that_lacks_the_route_is_not_verdict_s(service: Service, ask: Ask, status: int) -> None:
    service.say(reply(status, b"<html>"))
    with pytest.raises(BadAnswerError, match=f"HTTP {status} and no reason; is this URL Verdict's API"):
        ask(service.url)


def test_nothing_follows_a_redirect(service: Service, ask: Ask) -> None:
    service.say(reply(307, b"", Location="http://127.0.0.1:1/elsewhere"), reply(200, make_answer()))
    with pytest.raises(
        BadAnswerError, match=r"elsewhere \(HTTP 307 to http://127.0.0.1\); give the API's own"
    ):
        ask(service.url, "key-1")
    assert len(service.asked) == 1


def test_half_a_character_can_be_sent(service: Service) -> None:
    service.say(reply(200, make_answer()))
    with Verdict(service.url) as verdict:
        verdict.sentiment("good \ud83d film", "words")
    assert service.asked[0].json()["review"] == "good \ud83d film"


def test_a_proxy_does_not_lead_to_this_machine(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    service.say(reply(200, make_answer()))
    assert ask(service.url).sentiment == "positive"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://example.com",
        "http://",
        "http://a:99999",
        "http://a/?x=1",
        "http://[",
        5,
    ],
)
def test_a_url_that_is_none_is_refused_at_once(url: Any) -> None:
    for kind in (Verdict, AsyncVerdict):
        with pytest.raises(ValueError, match="^the service's URL must look like https://"):
            kind(url)


@pytest.mark.parametrize("key", ["", "a\r\nb", " a", "schlüssel"])
def test_a_key_that_can_t_be_a_header_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="^an API key is printable ASCII"):
        Verdict("http://127.0.0.1", key)


def test_url_and_key_come_from_the_environment(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERDICT_URL", service.url)
    monkeypatch.setenv("VERDICT_API_KEY", "key-1")
    service.say(reply(200, make_answer()), reply(200, make_answer()))
    ask(None)
    ask(service.url, "key-2")
    assert [request.headers["x-api-key"] for request in service.asked] == ["key-1", "key-2"]


def test_a_given_url_wins_over_the_environment_s(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERDICT_URL", "http://127.0.0.1:1")
    service.say(reply(200, make_answer()))
    assert ask(service.url, retries=0).sentiment == "positive"


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("kind", [Verdict, AsyncVerdict])
def test_without_any_url_a_sentence_says_what_to_do(
    kind: Any, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is not None:
        monkeypatch.setenv("VERDICT_URL", value)
    with pytest.raises(ValueError, match=r"^no service is named; give its URL, set VERDICT_URL, or judge in"):
        kind()


@pytest.mark.parametrize(("name", "value"), [("VERDICT_URL", "localhost:8000"), ("VERDICT_API_KEY", "a b\n")])
def test_a_malformed_variable_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"; look at {name}$"):
        Verdict()


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "2", True, None])
@pytest.mark.parametrize("name", ["timeout", "deadline"])
def test_a_limit_that_is_none_is_refused_by_name(name: str, seconds: Any) -> None:
    for kind in (Verdict, AsyncVerdict):
        with pytest.raises(ValueError, match=f"^{name} must be seconds, more than 0 and at most a day, got "):
            kind("http://127.0.0.1", **{name: seconds})


@pytest.mark.parametrize("retries", [-1, 1.5, "2", True])
def test_a_number_of_retries_that_is_none_is_refused(retries: Any) -> None:
    with pytest.raises(ValueError, match="^retries must be a whole number from 0 on, got "):
        Verdict("http://127.0.0.1", retries=retries)


def test_a_call_s_own_timeout_limits_all_of_it(service: Service) -> None:
    service.hangs = True
    with Verdict(service.url) as verdict:
        for call in (
            lambda: verdict.sentiment("good film", timeout=0.2),
            lambda: list(verdict.batch(["good film"], timeout=0.2)),
            lambda: verdict.send_feedback("good film", "positive", timeout=0.2),
            lambda: verdict.delete_feedback(FEEDBACK_ID, timeout=0.2),
            lambda: verdict.model(timeout=0.2),
            lambda: verdict.health(timeout=0.2),
        ):
            with pytest.raises(UnavailableError, match=r"^no answer within 0\.2 s; "):
                call()
        with pytest.raises(ValueError, match="^timeout must be seconds"):
            verdict.sentiment("good film", timeout=-1)
    assert len(service.asked) == 6


def test_an_async_call_s_own_timeout_limits_all_of_it(service: Service) -> None:
    async def main() -> None:
        async with AsyncVerdict(service.url) as verdict:
            for call in (
                verdict.sentiment("good film", timeout=0.2),
                anext(verdict.batch(["good film"], timeout=0.2)),
                verdict.send_feedback("good film", "positive", timeout=0.2),
                verdict.delete_feedback(FEEDBACK_ID, timeout=0.2),
                verdict.model(timeout=0.2),
                verdict.health(timeout=0.2),
            ):
                with pytest.raises(UnavailableError, match=r"^no answer within 0\.2 s; "):
                    await call

    service.hangs = True
    asyncio.run(main())
    assert len(service.asked) == 6


@pytest.mark.parametrize(
    ("status", "kind"), [(401, UnauthorizedError), (403, UnauthorizedError), (429, RateLimitedError)]
)
def test_a_refused_key_and_a_rate_limit_have_errors_of_their_own(
    service: Service, ask: Ask, status: int, kind: type[Exception]
) -> None:
    service.say(problem(status, "some_code", Retry_After="7"))
    with pytest.raises(kind) as caught:
        ask(service.url, retries=0)
    assert caught.value.retry_after == 7  # type: ignore[attr-defined]


FEEDBACK_ID = "0123456789abcdef" * 2


def test_feedback_is_sent_and_deleted(service: Service) -> None:
    service.say(reply(201, {"id": FEEDBACK_ID, "request_id": "r"}))
    service.say(reply(200, {"id": FEEDBACK_ID, "deleted": True, "request_id": "r"}))
    with Verdict(service.url, "key-1") as verdict:
        assert verdict.send_feedback("good film", "negative", "verdict-1") == FEEDBACK_ID
        verdict.delete_feedback(FEEDBACK_ID)
    sent, deleted = service.asked
    assert sent.line == "POST /v1/feedback HTTP/1.1"
    assert sent.json() == {"review": "good film", "label": "negative", "model": "verdict-1"}
    assert deleted.line == f"DELETE /v1/feedback/{FEEDBACK_ID} HTTP/1.1"
    assert (deleted.body, deleted.headers["x-api-key"]) == (b"", "key-1")


def test_feedback_that_may_have_been_kept_is_not_sent_twice(service: Service) -> None:
    service.say(b"", problem(502, "bad_gateway"))
    with Verdict(service.url) as verdict:
        for _ in range(2):
            with pytest.raises(UnavailableError):
                verdict.send_feedback("good film", "positive")
    assert len(service.asked) == 2


def test_feedback_that_a_busy_service_refused_is_sent_again(service: Service) -> None:
    service.say(problem(503, "app_busy", Retry_After="0"), problem(429, "too_many_requests"))
    service.say(reply(201, {"id": FEEDBACK_ID, "request_id": "r"}))
    with Verdict(service.url) as verdict:
        assert verdict.send_feedback("good film", "positive") == FEEDBACK_ID


@pytest.mark.parametrize(
    "feedback",
    [
        ("good", "fine"),
        ("good", None),
        ("good", b"x"),
        ("good", "positive", 5),
        ("good", "positive", "a/b"),
        ("good", "positive", b"x"),
        ("", "positive"),
        (None, "positive"),
        (b"x", "positive"),
    ],
)
def test_feedback_that_no_service_takes_is_not_sent(service: Service, feedback: Any) -> None:
    with Verdict(service.url) as verdict, pytest.raises(RefusedError):
        verdict.send_feedback(*feedback)
    assert service.asked == []


@pytest.mark.parametrize("id", ["", "x", "../../v1/model", FEEDBACK_ID + "/", FEEDBACK_ID * 200, 5, None])
def test_an_id_that_feedback_never_has_is_not_sent(service: Service, id: Any) -> None:
    with Verdict(service.url) as verdict, pytest.raises(RefusedError, match="32 hex digits"):
        verdict.delete_feedback(id)
    assert service.asked == []


def test_a_client_of_the_caller_s_own_is_used_and_left_open() -> None:
    own = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=make_answer())))
    with Verdict("https://api.example.com", client=own) as verdict:
        assert verdict.sentiment("good", "words").request_id == "r1"
    assert not own.is_closed


def test_both_clients_have_the_same_methods() -> None:
    def signatures(kind: type) -> dict[str, list[str]]:
        members = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(f).parameters) for name, f in members if name[0] != "_"}

    assert signatures(Verdict) == signatures(AsyncVerdict)


def batch_reply(first: int, count: int) -> bytes:
    answer = {name: value for name, value in make_answer().items() if name not in ("model", "request_id")}
    answers = [{"id": first + n} | answer for n in range(count)]
    return reply(200, {"answers": answers, "request_id": "r", "model": make_answer()["model"]})


def judge_many(url: str, **settings: Any) -> list[Judged]:
    with Verdict(url) as verdict:
        return list(verdict.batch(["good film"] * 150, **settings))


def judge_many_async(url: str, **settings: Any) -> list[Judged]:
    async def reviews() -> AsyncIterator[str]:
        for _ in range(150):
            yield "good film"

    async def main() -> list[Judged]:
        async with AsyncVerdict(url) as verdict:
            return [judged async for judged in verdict.batch(reviews(), **settings)]

    return asyncio.run(main())


@pytest.fixture(params=[judge_many, judge_many_async], ids=["blocking", "not blocking"])
def many(request: pytest.FixtureRequest) -> Callable[..., list[Judged]]:
    many: Callable[..., list[Judged]] = request.param
    return many


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"answers": []},
        {"answers": None, "request_id": "r"},
        {"answers": {}, "request_id": "r"},
        [],
        5,
        "",
    ],
)
@pytest.mark.parametrize("concurrency", [1, 2])
def test_garbage_in_place_of_a_batch_s_answer_is_one_sentence(
    service: Service, many: Callable[..., list[Judged]], answer: Any, concurrency: int
) -> None:
    service.say(reply(200, answer), reply(200, answer))
    with pytest.raises(BadAnswerError, match="is this URL Verdict's API"):
        many(service.url, concurrency=concurrency)


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_service_that_goes_amid_a_batch_is_one_sentence(
    service: Service, many: Callable[..., list[Judged]], concurrency: int
) -> None:
    service.say(batch_reply(0, 100), b"HTTP/1.1 200 X\r\nContent-Length: 50\r\n\r\n{")
    with pytest.raises((UnavailableError, BadAnswerError)):
        many(service.url, concurrency=concurrency, timeout=0.2)


def test_a_batch_that_is_left_early_does_not_wait_for_a_service_that_hangs(service: Service) -> None:
    service.say(batch_reply(0, 100))
    service.hangs, service.wanted = True, b"first film"
    with Verdict(service.url) as verdict:
        batch = verdict.batch(["first film", *["good film"] * 999], concurrency=4)
        first = next(batch)
        batch.close()
    assert first.index == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "verdict-request"]


def test_a_fork_has_connections_of_its_own(service: Service) -> None:
    with Verdict(service.url) as verdict:
        service.say(reply(200, make_answer()), reply(200, make_answer()), reply(200, make_answer()))
        verdict.sentiment("good film", "words")
        parent = verdict._service._client  # type: ignore[attr-defined]
        child = os.fork()
        if not child:
            works = verdict.sentiment("good film", "words").sentiment == "positive"
            os._exit(0 if works and verdict._service._client is not parent else 1)  # type: ignore[attr-defined]
        assert os.waitpid(child, 0)[1] == 0
        assert verdict.sentiment("good film", "words").sentiment == "positive"
        assert verdict._service._client is parent  # type: ignore[attr-defined]


def test_one_client_serves_many_threads(service: Service) -> None:
    service.say(*[reply(200, make_answer())] * 40)
    with Verdict(service.url) as verdict:
        answers: list[str] = []

        def ask() -> None:
            for _ in range(5):
                answers.append(verdict.sentiment("good film", "words").sentiment)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == ["positive"] * 40


def test_a_batch_stops_at_the_request_that_fails_and_keeps_earlier_results(service: Service) -> None:
    answer = {name: value for name, value in make_answer().items() if name not in ("model", "request_id")}
    message = {"answers": [{"id": n} | answer for n in range(100)], "request_id": "r"}
    service.say(reply(200, message | {"model": make_answer()["model"]}), problem(500, "internal"))
    places = []
    with Verdict(service.url) as verdict, pytest.raises(UnavailableError):
        for judged in verdict.batch(["good film"] * 150):
            places.append(judged.index)
    assert places == list(range(100))


def test_reviews_that_can_t_be_sent_make_no_request(service: Service) -> None:
    with Verdict(service.url) as verdict:
        (judged,) = verdict.batch([("a", None)])  # type: ignore[list-item]
    assert (judged.id, judged.answer, service.asked) == ("a", None, [])
    with pytest.raises(RefusedError):
        judged.verdict()
