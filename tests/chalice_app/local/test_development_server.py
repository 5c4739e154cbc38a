"""development_server.py: its additions to Chalice's development server; and `chalice local` alone."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.api import CHALICE, FOLDER, Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.stack import free_ports

GOOD = b'{"review": "A fine film."}'


def raw(served: Served, request: bytes, end: bool = False) -> bytes:
    """Send raw bytes, end the stream with ``end``, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def launch(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the server with settings that it should refuse."""
    command = [sys.executable, "-m", "chalice_app.local.development_server", *arguments]
    return subprocess.run(
        command, cwd=FOLDER.parent, env=os.environ | env, capture_output=True, text=True, timeout=30
    )


@pytest.mark.parametrize("path", ["/a/b/c/d", "/v1/sentiment/batch/x", "/v1/../../etc/passwd", "/%00/x?y=z"])
def test_deep_unknown_paths_are_our_404(served: Served, path: str) -> None:
    answer = served.send("GET", path)
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/", "/v1/sentiment", "/v1/health", "/nothing", "/a/b/c/d"])
def test_a_preflight_is_answered_on_every_path(served: Served, path: str) -> None:
    answer = served.send("OPTIONS", path, headers={"X-Request-Id": "mine"})
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-Request-Id" in answer.headers["access-control-allow-headers"]
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_preflight_names_the_methods_that_are_served(served: Served) -> None:
    methods = served.send("OPTIONS", "/v1/sentiment").headers["access-control-allow-methods"]
    assert set(methods.split(",")) == {"POST", "OPTIONS"}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
def test_odd_methods_are_answered_by_us(served: Served, method: str) -> None:
    answer = served.send(method, "/v1/health")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert served.send(method, "/a/b").status == 404


def test_a_chunked_body_is_refused_clearly_and_the_connection_closed(served: Served) -> None:
    answer = raw(
        served,
        b"POST /v1/sentiment HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1a\r\n" + GOOD + b"\r\n0\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"Connection: close" in answer and b"length_required" in answer
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("length", [b"x", b"-1", b"1e3", b"9" * 30, "٣".encode()])
def test_a_bad_content_length_is_a_400(served: Served, length: bytes) -> None:
    answer = raw(served, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_two_lengths_that_differ_are_a_400_and_the_same_one_twice_is_read(
    served: Served, fake: FakeRuntime
) -> None:
    head = b"POST /v1/sentiment HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 26\r\n"
    differing = raw(served, head + b"Content-Length: 3\r\n\r\n" + GOOD)
    assert differing.startswith(b"HTTP/1.1 400 ") and b"Connection: close" in differing
    assert differing.count(b"HTTP/1.1") == 1
    assert fake.calls == []
    assert raw(served, head + b"Content-Length: 26\r\n\r\n" + GOOD).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-Encoding : chunked\r\n",
        b"no header\r\nTransfer-Encoding: chunked\r\n",
        b"X: a\r\r\nTransfer-Encoding: chunked\r\n",
        b": nameless\r\n",
        b"Content-Type: multipart/form-data; boundary=b\r\nno header\r\n",
    ],
)
def test_headers_that_can_t_be_read_are_a_400_and_the_connection_closed(
    lines: bytes, served: Served, fake: FakeRuntime
) -> None:
    head = b"POST /v1/sentiment HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n" + lines + b"\r\n"
    answer = raw(served, head + GOOD)
    assert answer.startswith(b"HTTP/1.1 400 ") and b'"code":"bad_request"' in answer
    assert b"Connection: close" in answer and answer.count(b"HTTP/1.1") == 1
    assert fake.calls == []


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=b", "message/rfc822"])
def test_a_content_type_of_parts_is_refused_as_a_content_type(kind: str, served: Served) -> None:
    answer = served.send("POST", "/v1/sentiment", GOOD, {"Content-Type": kind})
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_cut_short_gets_no_verdict(served: Served, fake: FakeRuntime) -> None:
    head = (
        b"POST /v1/sentiment HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 500\r\n\r\n"
    )
    answer = raw(served, head + b"A fine film from its start to the very end", end=True)
    assert answer.startswith(b"HTTP/1.1 400 ") and b'"code":"incomplete_body"' in answer
    assert b"after 42 of its 500 bytes" in answer and b"Connection: close" in answer
    assert fake.calls == []


def test_a_huge_body_is_refused_and_its_sender_hears_it(served: Served) -> None:
    answer = served.send("POST", "/v1/sentiment", b" " * 20_000_000)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "line",
    [
        b"secret words",
        b"secret",
        b"GET",
        b"GET / HTTP/9.9",
        b"GET / secret",
        b"\x00\x01\x02",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1",
    ],
)
def test_what_is_no_request_gets_a_problem_that_quotes_nothing(served: Served, line: bytes) -> None:
    answer = raw(served, line + b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.1 (400|414|505) ", answer)
    assert b'"code":"bad_request"' in answer
    assert b"secret" not in answer and b"<html" not in answer.lower()


def test_head_leaves_the_connection_usable(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    with contextlib.closing(connection):
        for method in ("HEAD", "GET", "HEAD", "GET"):
            connection.request(method, "/v1/health")
            answer = connection.getresponse()
            body = answer.read()
            assert (answer.status, bool(body)) == (200, method == "GET")


def test_kept_alive_requests_do_not_wait_for_nagle(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    seconds = []
    with contextlib.closing(connection):
        for _ in range(21):
            began = time.perf_counter()
            connection.request("POST", "/v1/sentiment", GOOD, {"Content-Type": "application/json"})
            assert connection.getresponse().read()
            seconds.append(time.perf_counter() - began)
    # With Nagle's algorithm each takes 0.044 and more; on a busy machine some take that without it.
    assert min(seconds) < 0.035


def test_many_callers_at_once_get_their_own_answers(served: Served) -> None:
    def ask(number: int) -> tuple[int, str]:
        headers = {"X-Request-Id": f"r-{number}", "Content-Type": "text/plain"}
        answer = served.send("POST", "/v1/sentiment", b"fine " * (number + 1), headers)
        return len(answer.json()["text"].split()), answer.json()["request_id"]

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(ask, range(120)))
    assert answers == [(number + 1, f"r-{number}") for number in range(120)]


def test_each_thread_has_its_own_request(fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_LOCAL", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    import app
    from chalice_app.local import development_server

    now = app.current_request

    def later() -> object:
        time.sleep(0.1)  # the others arrive meanwhile
        return now()

    monkeypatch.setattr(app, "current_request", later)
    own_class = type(app.app)
    server = development_server.create_server("127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()

    def ask(number: int) -> str:
        address = f"http://127.0.0.1:{server.server_port}/v1/sentiment"
        return httpx.post(address, json={"review": f"film {number}"}, trust_env=False).json()["text"]

    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(8))) == [f"film {number}" for number in range(8)]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        app.app.__class__ = own_class


def test_with_no_endpoint_the_answer_says_how_to_start_one() -> None:
    (port,) = free_ports(1)
    served = Served(ENDPOINT_PORT=str(port))
    try:
        answer = served.send("POST", "/v1/sentiment", GOOD)
        health = served.send("GET", "/v1/health")
    finally:
        served.stop()
    assert (answer.status, answer.json()["code"]) == (503, "endpoint_unavailable")
    assert "make run" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "5"
    assert (health.status, health.json()["endpoint"]) == (503, "unavailable")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_quietly(how: signal.Signals, fake: FakeRuntime) -> None:
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url)
    with socket.create_connection(("127.0.0.1", served.port)) as hangs_up:
        hangs_up.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
    assert served.send("POST", "/v1/sentiment", GOOD).status == 200
    served.process.send_signal(how)
    assert served.process.wait(10) == 0
    _, out, err = served.stop()
    assert err == ""
    assert len(out.splitlines()) >= 1


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        ended = launch("--port", port)
        by_variable = launch(API_PORT=port)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == by_variable.stderr
    assert f"127.0.0.1:{port}" in ended.stderr and "API_PORT" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none_is_one_sentence(port: str) -> None:
    ended = launch("--port", port)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("origin", ["https://a.example\r\nX: y", "nonsense"])
def test_a_cors_origin_that_is_none_is_one_sentence(origin: str) -> None:
    ended = launch("--port", "0", CORS_ORIGIN=origin)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith(
        "api: CORS_ORIGIN must be * or like https://page.example:8443, several with "
    )


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"AUTH": "key", "API_KEYS": ""}, "API_KEYS must hold the SHA-256 of each key"),
        ({"FEEDBACK": "/dev/null"}, "FEEDBACK is '/dev/null', which can't be used (it is no folder)"),
        ({"FEEDBACK": "gs://a/b"}, "FEEDBACK must be a folder or like s3://bucket/prefix, got 'gs://a/b'"),
        ({"ENDPOINT_SECONDS": "nan"}, "ENDPOINT_SECONDS must be over 0 and at most 20, got 'nan'"),
    ],
)
def test_a_setting_that_can_not_be_used_is_one_sentence(env: dict[str, str], says: str) -> None:
    ended = launch("--port", "0", **env)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith(f"api: {says}")


def test_a_changed_vocabulary_is_named_before_anything_starts(tmp_path: Path) -> None:
    copy = tmp_path / "chalice_app"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("deployments", "__pycache__"))
    with (copy / "vendor/vocab/vocabulary.pkl").open("ab") as file:
        file.write(b"x")
    ended = subprocess.run(
        [sys.executable, "-m", "chalice_app.local.development_server", "--port", "0"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{copy}:{copy / 'vendor'}"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 2
    assert "vocabulary.pkl is not the file that vocabulary.json names" in ended.stderr
    assert "Traceback" not in ended.stderr


# --- chalice local alone ------------------------------------------------------------------------


def chalice_local(**env: str) -> Served:
    (port,) = free_ports(1)
    return Served(*CHALICE, "local", "--no-autoreload", "--port", str(port), PYTHONUNBUFFERED="1", **env)


def test_chalice_local_finds_the_endpoint_on_loopback(fake: FakeRuntime) -> None:
    served = chalice_local(
        ENDPOINT_PORT=fake.url.rsplit(":", 1)[-1],
        AWS_ACCESS_KEY_ID="AKIAREAL",
        AWS_SECRET_ACCESS_KEY="real",
        AWS_DEFAULT_REGION="eu-west-1",
    )
    try:
        answer = served.send("POST", "/v1/sentiment", GOOD, {"Content-Type": "application/json"})
    finally:
        served.stop()
    assert (answer.status, answer.json()["sentiment"]) == (200, "positive")
    assert fake.calls[0].endpoint == "verdict"
    assert "Authorization" not in fake.calls[0].headers


def test_chalice_local_without_an_endpoint_says_how_to_start_it() -> None:
    (port,) = free_ports(1)
    served = chalice_local(ENDPOINT_PORT=str(port))
    try:
        answer = served.send("POST", "/v1/sentiment", GOOD, {"Content-Type": "application/json"})
        chunked = raw(
            served,
            b"POST /v1/sentiment HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\n"
            + GOOD
            + b"\r\n0\r\n\r\n",
        )
        unknown = served.send("GET", "/v1/nothing")
    finally:
        served.stop()
    assert (answer.status, answer.json()["code"]) == (503, "endpoint_unavailable")
    assert "make run" in answer.json()["detail"]
    assert b"length_required" in chunked
    assert (unknown.status, unknown.json()["code"]) == (404, "not_found")


# --- several origins ----------------------------------------------------------------------------


def test_several_origins_each_get_a_preflight_and_an_answer_of_their_own(fake: FakeRuntime) -> None:
    first, second = "https://page.example", "http://localhost:8080"
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url, CORS_ORIGIN=f"{first},{second}")
    try:
        for origin in (first, second, "https://evil.example"):
            request_headers = {"Origin": origin, "Content-Type": "application/json"}
            preflight = served.send("OPTIONS", "/v1/sentiment", headers={"Origin": origin})
            responses = [preflight, served.send("POST", "/v1/sentiment", GOOD, request_headers)]
            responses += [
                served.send("GET", path, headers=request_headers)
                for path in ("/a/b/c", "/v1/health", "/v1/model")
            ]
            assert [answer.status for answer in responses] == [200, 200, 404, 200, 200]
            allowed = [answer.headers.get("access-control-allow-origin") for answer in responses]
            assert allowed == [origin if origin in (first, second) else None] * 5
            assert [answer.headers.get("vary") for answer in responses] == ["Origin"] * 5
            assert set(preflight.headers["access-control-allow-methods"].split(",")) == {"POST", "OPTIONS"}
            allowed_headers = preflight.headers["access-control-allow-headers"].split(",")
            assert {"Content-Type", "X-Api-Key", "X-Request-Id", "If-None-Match"} <= {*allowed_headers}
            assert preflight.body == b""
    finally:
        served.stop()
