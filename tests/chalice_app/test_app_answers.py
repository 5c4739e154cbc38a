"""answers.py and problems.py: what every answer carries, errors included."""

import json
import re

import app
import pytest
from chalice.app import Response
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import answers, problems
from tests.support.api import Answer, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from vocab.contract import ContractError

GOOD = b'{"review": "A fine film."}'
CARRIED = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "X-Request-Id, Retry-After",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def check_carried(answer: Answer) -> None:
    assert {name: answer.headers.get(name) for name in CARRIED} == CARRIED
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def check_problem(answer: Answer) -> None:
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

    monkeypatch.setattr(app, "vocabulary_of_app", broken)
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
    answer = answers.around(None, lambda request: own, lambda path: [])
    assert (answer.status_code, json.loads(answer.body)["code"]) == (415, "unsupported_media_type")


def test_the_origin_that_may_read_answers_can_be_named(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ORIGIN", "https://page.example")
    answer = api.send("GET", "/nothing")
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    assert (
        answers.cors().get_access_control_headers()["Access-Control-Allow-Origin"] == "https://page.example"
    )


@pytest.mark.parametrize("value", [None, "", "*"])
def test_without_a_named_origin_any_may_read_answers(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("CORS_ORIGIN", raising=False)
    else:
        monkeypatch.setenv("CORS_ORIGIN", value)
    assert answers.allowed_origin() == "*"


@pytest.mark.parametrize("value", ["http://localhost:8080", "https://a-b.example", "http://[::1]:8080"])
def test_an_origin_is_scheme_host_and_port(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGIN", value)
    assert answers.allowed_origin() == value


@pytest.mark.parametrize(
    "value",
    ["a.example", "https://", "https://a.example/", "https://a.example\n", "https://a.example\r\nX: y", " *",
     "https://a, https://b", "https://a.example:port", "ftp://a.example", "null", "https://\u0430.example"],
)  # fmt: skip
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


def test_infinity_never_leaves() -> None:
    with pytest.raises(ValueError):
        answers.json_answer({"probability": float("inf")})


def test_a_contract_error_keeps_its_status_code_and_sentence() -> None:
    problem = problems.problem_of(ContractError(422, "no_token", "write a sentence"))
    assert (problem.status, problem.code, problem.detail) == (422, "no_token", "write a sentence")
