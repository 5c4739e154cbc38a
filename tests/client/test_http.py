"""Both HTTP clients, blocking and async: requests, and bad replies."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.client.conftest import make_answer
from tests.support.service import Service, problem, reply
from tests.support.stack import free_ports
from verdict_sentiment import (
    AsyncVerdict,
    BadAnswerError,
    RefusedError,
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


def test_nothing_follows_a_redirect(service: Service, ask: Ask) -> None:
    service.say(reply(307, b"", Location="http://127.0.0.1:1/elsewhere"), reply(200, make_answer()))
    with pytest.raises(BadAnswerError):
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
        None,
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
