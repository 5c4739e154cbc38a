"""The app as ASGI: the same answers as locally, and what only a server for many callers must do."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import asgi_api
import httpx
import local_limit
import pytest

from tests.support.api import FOLDER, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.stack import free_ports
from vocab import contract

JSON = {"Content-Type": "application/json", "X-Request-Id": "one"}
REVIEW = json.dumps({"review": "A lovely film, and I would see it again."}).encode()
ROUTE = "/v1/sentiment"
# What is asked: method, path, body, content type.
ASKED = {
    "a review": ("POST", ROUTE, REVIEW, "application/json"),
    "a text": ("POST", ROUTE, b"A lovely film", "text/plain"),
    "a batch": ("POST", "/v1/sentiment/batch?explain=words", b"id,review\n7,A joy\n", "text/csv"),
    "the old way": ("POST", "/", b"A lovely film", "text/plain"),
    "no JSON": ("POST", ROUTE, b"{", "application/json"),
    "another type": ("POST", ROUTE, b"x", "image/png"),
    "no UTF-8": ("POST", ROUTE, b"\xff", "text/plain"),
    "no such route": ("GET", "/a/b%2fc/d?e=%20", b"", ""),
    "another method": ("DELETE", ROUTE, b"", ""),
    "a made-up method": ("BREW", ROUTE, b"", ""),
    "a preflight": ("OPTIONS", ROUTE, b"", ""),
    "the document": ("GET", "/v1/openapi.json", b"", ""),
    "headers alone": ("HEAD", "/v1/openapi.json", b"", ""),
}


def send(
    application: asgi_api.Application, method: str, path: str, body: Any = b"", **headers: str
) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, path, content=body, headers=headers)

    return asyncio.run(ask())


def served(limit: str = local_limit.OFF) -> asgi_api.Application:
    policy = local_limit.read_policy(limit)
    return asgi_api.Application(local_limit.Limiter(policy) if policy else None)


def call(application: asgi_api.Application, receive: Callable[[], Any]) -> list[MutableMapping[str, Any]]:
    """Call the application with a ``receive`` of the test's own; give what it sends."""
    sent: list[MutableMapping[str, Any]] = []

    async def send_it(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": ROUTE, "query_string": b"", "headers": []}
    asyncio.run(application(scope, receive, send_it))
    return sent


@pytest.mark.parametrize("what", ASKED)
def test_it_answers_as_the_local_api_does(what: str, api: InProcess, launched: Served) -> None:
    method, path, body, kind = ASKED[what]
    headers = {"X-Request-Id": "one"} | ({"Content-Type": kind} if kind else {})
    ours, theirs = send(served(), method, path, body, **headers), launched.send(method, path, body, headers)
    assert (ours.status_code, ours.content) == (theirs.status, theirs.body)
    kept = {name: value for name, value in ours.headers.items() if name != "content-length"}
    changing = {"date", "content-length", "connection", "ratelimit", "ratelimit-policy"}
    assert kept == {name: value for name, value in theirs.headers.items() if name not in changing}


def test_without_a_place_a_caller_is_told_to_come_back(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi_api, "MOST_AT_ONCE", 0)
    answer = send(served(), "POST", ROUTE, REVIEW, **JSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "app_busy")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_place_is_free_again_once_a_request_is_answered(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi_api, "MOST_AT_ONCE", 1)
    application = served()
    assert [send(application, "POST", ROUTE, REVIEW, **JSON).status_code for _ in range(3)] == [200] * 3


def test_who_asks_too_often_is_held_back(api: InProcess) -> None:
    application = served("1/60")
    first, second = (send(application, "POST", ROUTE, REVIEW, **JSON) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["code"] == "too_many_requests"
    assert int(second.headers["retry-after"]) > 1
    assert second.headers["ratelimit-policy"] == '"client";q=1;w=60'


def test_a_body_that_does_not_arrive_is_waited_for_no_longer(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi_api, "BODY_SECONDS", 0.01)

    async def never() -> Any:
        await asyncio.Event().wait()

    start, body = call(served(), never)
    assert (start["status"], json.loads(body["body"])["code"]) == (408, "request_timeout")


def test_a_body_that_breaks_off_is_incomplete_and_nobody_is_asked(api: InProcess, fake: FakeRuntime) -> None:
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    start, body = call(served(), receive)
    assert (start["status"], json.loads(body["body"])["code"]) == (400, "incomplete_body")
    assert fake.calls == []


def test_a_body_that_is_too_long_is_refused_as_the_app_does_without_being_kept(api: InProcess) -> None:
    headers = {"Content-Type": "text/plain", "X-Request-Id": "one"}
    body = b"a" * (contract.MAX_BODY_BYTES + 1)
    answer = send(served(), "POST", ROUTE, body, **headers)
    assert answer.status_code == 413
    assert answer.content == api.send("POST", ROUTE, body, headers).body


def test_what_goes_wrong_in_the_server_is_a_bare_500(api: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a review's words")

    application = served()
    monkeypatch.setattr(application, "_ask", fail)
    answer = send(application, "POST", ROUTE, REVIEW, **JSON)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "words" not in answer.text


def test_behind_granian_pieces_are_put_together_and_it_ends_when_told_to(fake: FakeRuntime) -> None:
    (port,) = free_ports(1)
    command = (sys.executable, "asgi_api.py", "--port", str(port))
    running = Served(*command, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url)
    transport = httpx.HTTPTransport(retries=20)  # it says where it is before its process listens
    with httpx.Client(transport=transport, trust_env=False, timeout=30) as client:
        answer = client.post(running.url + ROUTE, content=iter([REVIEW[:9], REVIEW[9:]]), headers=JSON)
        counted = client.get(running.url + "/v1/metrics")
    status, out, err = running.stop()
    assert (answer.status_code, answer.json()["sentiment"]) == (200, "positive")
    assert answer.headers["server"] == "verdict"
    assert 'verdict_requests_total{code="",method="POST",route="/v1/sentiment"' in counted.text
    assert status in (0, -15) and "Traceback" not in err


@pytest.mark.parametrize(
    ("env", "says"),
    [({"RATE_LIMIT": "much"}, "RATE_LIMIT must be like"), ({"AUTH": "me"}, "AUTH must be none or key")],
)
def test_a_setting_that_can_not_be_used_is_one_sentence(env: dict[str, str], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "asgi_api.py"], cwd=FOLDER, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"api: {says}") and done.stderr.count("\n") == 1


def test_a_taken_port_is_one_sentence(launched: Served) -> None:
    command = [sys.executable, "asgi_api.py", "--port", str(launched.port)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "can't be used" in done.stderr and "API_PORT" in done.stderr
