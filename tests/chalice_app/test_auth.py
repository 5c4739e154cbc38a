"""auth.py and new_key.py: with AUTH=key callers need a key, and no file holds it in clear."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

import app
from chalicelib import auth
from tests.support.api import FOLDER, ApiResponse, InProcess, Served
from tests.support.fake_runtime import FakeRuntime

KEY, OTHER = "verdict_one", "verdict_two"
HASHES = ",".join(hashlib.sha256(key.encode()).hexdigest() for key in (KEY, OTHER))
REVIEW = b'{"review": "A fine film."}'
CLOSED = {
    "/v1/sentiment": ("POST", REVIEW),
    "/v1/sentiment/batch": ("POST", b'{"reviews": [{"review": "A fine film."}]}'),
    "/": ("POST", REVIEW),
    "/v1/model": ("GET", b""),
    "/v1/metrics": ("GET", b""),
}
OPEN = ["/v1/health", "/v1/openapi.json"]
# By path, the methods that want a key; test_feedback.py asks them.
FEEDBACK = {"/v1/feedback": ["post"], "/v1/feedback/{id}": ["delete"]}


@pytest.fixture
def locked(api: InProcess, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """The app with AUTH=key."""
    monkeypatch.setenv("AUTH", "key")
    monkeypatch.setenv("API_KEYS", HASHES)
    return api


def send(api: InProcess | Served, path: str, key: str | None = None) -> ApiResponse:
    method, body = CLOSED.get(path, ("GET", b""))
    headers = {"Content-Type": "application/json"} | ({} if key is None else {"X-Api-Key": key})
    return api.send(method, path, body, headers)


@pytest.mark.parametrize("path", CLOSED)
def test_without_a_known_key_a_closed_route_is_a_401_and_asks_nobody(
    locked: InProcess, fake: FakeRuntime, path: str
) -> None:
    for key in (None, "", "verdict_on", KEY + " x", hashlib.sha256(KEY.encode()).hexdigest(), "\u00e9"):
        answer = send(locked, path, key)
        assert (answer.status, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == 'ApiKey realm="verdict"'
        assert answer.headers["content-type"] == "application/problem+json"
        assert not key or key not in answer.body.decode()
    assert fake.calls == []


@pytest.mark.parametrize("key", [KEY, OTHER])
@pytest.mark.parametrize("path", CLOSED)
def test_each_known_key_opens_it(locked: InProcess, path: str, key: str) -> None:
    served = 404 if path == "/v1/metrics" else 200  # in this process nobody counts
    assert send(locked, path, key).status == served


@pytest.mark.parametrize("path", OPEN)
def test_health_and_the_document_stay_open(locked: InProcess, path: str) -> None:
    assert send(locked, path).status == 200


def test_every_route_is_closed_or_named_as_open() -> None:
    assert {path for path in app.app.routes if app.allowed_methods(path)} == {*CLOSED, *OPEN, *FEEDBACK}


def test_the_document_says_which_routes_want_a_key(api: InProcess) -> None:
    document = api.send("GET", "/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            closed = path in CLOSED or method in FEEDBACK.get(path, [])
            assert operation["security"] == ([{}, {"ApiKey": []}] if closed else [])
            assert ("401" in operation["responses"]) == closed


@pytest.mark.parametrize("mode", [None, "", "none"])
def test_by_default_nobody_needs_a_key(
    api: InProcess, monkeypatch: pytest.MonkeyPatch, mode: str | None
) -> None:
    monkeypatch.setenv("API_KEYS", HASHES)
    if mode is not None:
        monkeypatch.setenv("AUTH", mode)
    assert send(api, "/v1/sentiment").status == 200


WRONG = [
    {"AUTH": "keys"},
    {"AUTH": "key"},
    {"AUTH": "key", "API_KEYS": ","},
    {"AUTH": "key", "API_KEYS": KEY},
    {"AUTH": "key", "API_KEYS": HASHES + ",x"},
    {"AUTH": "KEY", "API_KEYS": HASHES},
]


@pytest.mark.parametrize("settings", WRONG)
def test_a_wrong_setting_lets_nobody_in(
    api: InProcess, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    answer = send(api, "/v1/sentiment", KEY)
    assert (answer.status, answer.json()["code"]) == (500, "misconfigured")
    with pytest.raises(auth.AuthError, match="^(AUTH|API_KEYS) must "):
        auth.read_hashes(settings)


def test_every_hash_is_compared_in_constant_time_to_its_end(
    locked: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Any] = []
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    assert send(locked, "/v1/sentiment", KEY).status == 200
    assert [b for _, b in compared] == HASHES.split(",")


def test_no_key_is_logged(locked: InProcess, capsys: pytest.CaptureFixture[str]) -> None:
    for key in (KEY, "verdict_stranger"):
        send(locked, "/v1/sentiment", key)
    captured = capsys.readouterr()
    assert "verdict_" not in captured.out + captured.err


def test_the_command_prints_a_key_and_the_hash_that_lets_it_in(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [
        subprocess.run(
            [sys.executable, "-m", "chalice_app.local.new_key"],
            cwd=FOLDER.parent,
            capture_output=True,
            text=True,
        ).stdout
        for _ in range(2)
    ]
    assert made[0] != made[1]
    printed = re.fullmatch(r"key   (verdict_[\w-]{43})\nhash  ([0-9a-f]{64})\n", made[0])
    assert printed
    monkeypatch.setenv("AUTH", "key")
    monkeypatch.setenv("API_KEYS", printed[2].upper())
    assert send(api, "/v1/sentiment", printed[1]).status == 200


def test_the_launcher_wants_a_key_and_starts_with_no_wrong_setting(fake: FakeRuntime) -> None:
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url, AUTH="key", API_KEYS=HASHES)
    try:
        statuses = [send(served, "/v1/sentiment", key).status for key in (None, "x", KEY)]
    finally:
        served.stop()
    assert statuses == [401, 401, 200]
    ended = subprocess.run(
        [sys.executable, "-m", "chalice_app.local.development_server", "--port", "0"],
        cwd=FOLDER.parent,
        env={"AUTH": "key", "API_KEYS": "secret", "PYTHONPATH": os.environ["PYTHONPATH"]},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("api: API_KEYS must hold") and "secret" not in ended.stderr


def test_a_batch_s_key_is_asked_for_before_its_body_is_read(locked: InProcess) -> None:
    answer = locked.send("POST", "/v1/sentiment/batch", b"{")
    assert json.loads(answer.body)["code"] == "unauthorized"
