"""answers.py and problems.py: the headers of every answer, and the form of errors."""

import json
import re

import pytest
from chalice.app import CORSConfig, Response
from hypothesis import given
from hypothesis import strategies as st

import app
from chalicelib import answers, problems
from tests.support.api import ApiResponse, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from vocab.messages import MessageError

GOOD = b'{"review": "A fine film."}'
CARRIED = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": ", ".join(answers.EXPOSED_HEADERS),
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def check_carried(answer: ApiResponse) -> None:
    caching = {"cache-control": answers.CACHE_CONTROL} if "etag" in answer.headers else {}
    assert {name: answer.headers.get(name) for name in CARRIED} == CARRIED | caching
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def check_problem(answer: ApiResponse) -> None:
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() == {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["status"] == answer.status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["title"] == problems.TITLES[problem["code"]]


@pytest.mark.parametrize("way", ["in process", "served"])
def test_every_status_carries_the_headers(
    way: str, request: pytest.FixtureRequest, fake: FakeRuntime
) -> None:
    api: InProcess | Served = request.getfixturevalue("api" if way == "in process" else "served")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    seen = [
        api.send("POST", "/v1/sentiment", GOOD),
        api.send("POST", "/", b"A fine film."),
        api.send("GET", "/v1/openapi.json"),
        api.send("GET", "/v1/health"),
    ]
    wrong = [
        api.send("POST", "/v1/sentiment", b"{"),
        api.send("GET", "/nothing"),
        api.send("GET", "/v1/sentiment"),
        api.send("TRACE", "/v1/sentiment"),
        api.send("POST", "/v1/sentiment", b'{"review": "%s"}' % (b"a" * 50_001)),
        api.send("POST", "/v1/sentiment", b"x", form),
        api.send("POST", "/v1/sentiment", b'{"review": " "}'),
    ]
    fake.refuse(424, "ModelError", OriginalStatusCode=500)
    wrong.append(api.send("POST", "/v1/sentiment", GOOD))
    fake.refuse(429, "ModelNotReadyException")
    wrong.append(api.send("POST", "/v1/sentiment", GOOD))
    fake.refuse(424, "ModelError", Message="timed out")
    wrong.append(api.send("POST", "/v1/sentiment", GOOD))
    fake.refuse(403, "ExpiredToken")
    wrong.append(api.send("POST", "/v1/sentiment", GOOD))
    statuses = [answer.status for answer in wrong]
    assert statuses == [400, 404, 405, 405, 413, 415, 422, 502, 503, 504, 500]
    for answer in [*seen, *wrong]:
        check_carried(answer)
    for answer in wrong:
        check_problem(answer)


def test_an_error_in_a_view_is_a_bare_500(api: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("secret words")

    monkeypatch.setattr(app, "app_vocabulary", broken)
    answer = api.send("POST", "/v1/sentiment", GOOD)
    assert answer.status == 500
    check_carried(answer)
    check_problem(answer)
    assert b"secret" not in answer.body


def test_an_error_in_a_middleware_is_a_bare_500(api: InProcess) -> None:
    def broken(request: object, get_response: object) -> None:
        raise ValueError("secret words")

    app.app.register_middleware(broken, "http")
    try:
        answer = api.send("GET", "/v1/openapi.json")
    finally:
        app.app.middleware_handlers.pop()
    assert answer.status == 500
    check_carried(answer)
    check_problem(answer)
    assert b"secret" not in answer.body


def test_an_event_that_is_no_request_gets_a_problem_too() -> None:
    answer = app.app({"requestContext": {}}, None)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal")
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_what_chalice_answers_by_itself_is_rebuilt() -> None:
    own = Response(body={"Code": "UnsupportedMediaType", "Message": "x"}, status_code=415)
    answer = answers.complete(None, lambda request: own, lambda path: [])
    assert (answer.status_code, json.loads(answer.body)["code"]) == (415, "unsupported_media_type")


def test_the_origin_that_may_read_answers_can_be_named(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ORIGIN", "https://page.example")
    answer = api.send("GET", "/nothing")
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    rules = answers.cors()
    assert isinstance(rules, CORSConfig) and rules.allow_origin == "https://page.example"


SEVERAL = "https://page.example, http://localhost:8080"


@pytest.mark.parametrize("origin", SEVERAL.split(", "))
def test_of_several_origins_the_one_that_asks_may_read_answers(
    api: InProcess, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.setenv("CORS_ORIGIN", SEVERAL)
    for path in ("/nothing", "/v1/openapi.json"):
        answer = api.send("GET", path, headers={"Origin": origin})
        assert answer.headers["vary"] == "Origin"
        assert answer.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("origin", ["https://other.example", "https://page.example.evil.example", "null", ""])
def test_of_several_origins_no_other_may_read_answers(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("CORS_ORIGIN", SEVERAL)
    headers = answers.headers_of("r1", origin)
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in answers.headers_of("r1")


def test_for_one_origin_the_answer_is_the_same_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGIN", "https://page.example")
    assert answers.headers_of("r1", "https://other.example") == answers.headers_of("r1")
    assert "Vary" not in answers.headers_of("r1")


@pytest.mark.parametrize("value", [None, "", "*"])
def test_without_a_named_origin_any_may_read_answers(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("CORS_ORIGIN", raising=False)
    else:
        monkeypatch.setenv("CORS_ORIGIN", value)
    assert answers.allowed_origins() == ("*",)


@pytest.mark.parametrize("value", ["http://localhost:8080", "https://a-b.example", "http://[::1]:8080"])
def test_an_origin_is_scheme_host_and_port(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGIN", value)
    assert answers.allowed_origins() == (value,)


NO_ORIGINS = [
    *["a.example", "https://", "https://a.example/", "https://a.example\n", "https://a.example\r\nX: y"],
    *["*, *", "*,https://a", "https://a,", "https://a,,https://b", "https://a https://b"],
    *["https://a.example:port", "ftp://a.example", "null", "https://\u0430.example"],
]


@pytest.mark.parametrize("value", NO_ORIGINS)
def test_what_is_no_origin_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGIN", value)
    with pytest.raises(answers.OriginError, match="^CORS_ORIGIN must be [^\r\n]*$"):
        answers.cors()


@pytest.mark.parametrize("named", ["a", "A.b_c-9", "x" * 64])
def test_a_caller_s_request_id_is_kept(named: str) -> None:
    assert answers.request_id_of(named) == named


@pytest.mark.parametrize("named", [None, "", " ", "a b", "x" * 65, "a\n", "a\r\nSet-Cookie: b", "é", "١"])
def test_anything_else_gets_a_new_one(named: str | None) -> None:
    assert re.fullmatch("[0-9a-f]{32}", answers.request_id_of(named))


@given(st.text())
def test_a_request_id_is_always_safe_to_send(named: str) -> None:
    assert re.fullmatch("[A-Za-z0-9._-]{1,64}", answers.request_id_of(named), re.ASCII)


# --- ETag ---------------------------------------------------------------------------------------

KEPT = ["/v1/openapi.json", "/v1/model"]


@pytest.mark.parametrize("path", KEPT)
@pytest.mark.parametrize("way", ["in process", "served"])
def test_what_is_known_by_its_etag_is_not_sent_again(
    way: str, path: str, request: pytest.FixtureRequest
) -> None:
    api: InProcess | Served = request.getfixturevalue("api" if way == "in process" else "served")
    first = api.send("GET", path)
    tag = first.headers["etag"]
    assert re.fullmatch('"[0-9a-f]{32}"', tag)
    assert (first.status, first.headers["cache-control"]) == (200, "private, no-cache")
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            again = api.send(method, path, headers={"If-None-Match": known})
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
            assert again.headers["cache-control"] == "private, no-cache"
            assert "x-request-id" in again.headers and "access-control-allow-origin" in again.headers
            assert "content-length" not in again.headers or way == "in process"


@pytest.mark.parametrize("known", ["", '"other"', "other", "W/", ","])
def test_what_is_not_known_is_sent(api: InProcess, known: str) -> None:
    assert api.send("GET", "/v1/openapi.json", headers={"If-None-Match": known}).status == 200


def test_another_card_has_another_etag(api: InProcess, fake: FakeRuntime) -> None:
    tag = api.send("GET", "/v1/model").headers["etag"]
    app.cached_card.cache_clear()
    fake.queue(200, json.dumps({"card": {**fake.model, "id": "fake-2"}}).encode())
    again = api.send("GET", "/v1/model", headers={"If-None-Match": tag})
    assert (again.status, again.json()["id"]) == (200, "fake-2")
    assert again.headers["etag"] != tag


def test_a_verdict_is_not_kept(api: InProcess) -> None:
    answer = api.send("POST", "/v1/sentiment", GOOD)
    assert answer.headers["cache-control"] == "no-store" and "etag" not in answer.headers


def test_infinity_never_leaves() -> None:
    with pytest.raises(ValueError):
        answers.json_answer({"probability": float("inf")})


def test_a_message_error_keeps_its_status_code_and_sentence() -> None:
    problem = problems.problem_of(MessageError(422, "no_token", "write a sentence"))
    assert (problem.status, problem.code, problem.detail) == (422, "no_token", "write a sentence")
