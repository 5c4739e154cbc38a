"""rsgi_server.py: the same answers as the development server, and its behaviour under load."""

import asyncio
import json
import multiprocessing
import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import httpx
import psutil
import pytest
from granian.rsgi import ProtocolClosed

from chalice_app.local import limit as local_limit
from chalice_app.local import rsgi_server
from chalicelib import log
from tests.support.api import FOLDER, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.stack import free_ports
from vocab import messages
from vocab.exit_status import Ended

pytestmark = pytest.mark.slow

JSON = {"Content-Type": "application/json", "X-Request-Id": "one"}
REVIEW = json.dumps({"review": "A lovely film, and I would see it again."}).encode()
HOST = {"host": "x"}
ROUTE = "/v1/sentiment"
SERVER = (sys.executable, "-m", "chalice_app.local.rsgi_server")
PATHS = {"PYTHONPATH": os.environ["PYTHONPATH"]}
# Requests: method, path, body, content type.
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


class Scope(NamedTuple):
    """A request in Granian's form."""

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    client: str = "127.0.0.1:50000"
    http_version: str = "1.1"


class Protocol:
    """Granian's side of a request: its body, whole or in chunks, and the response."""

    def __init__(self, body: bytes | Exception | None = b"", pieces: Sequence[bytes] = ()) -> None:
        self.answer: httpx.Response | None = None
        self._body, self._pieces = body, pieces

    async def __call__(self) -> bytes:
        if self._body is None:
            await asyncio.Event().wait()
        if isinstance(self._body, Exception):
            raise self._body
        assert self._body is not None
        return self._body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        assert self.answer is None and all(name == name.lower() for name, _ in headers)
        self.answer = httpx.Response(status, headers=headers, content=body)

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "Stream":
        return Stream(self, status, headers)


class Stream:
    """A response that is sent before the request's body is read."""

    def __init__(self, protocol: Protocol, status: int, headers: list[tuple[str, str]]) -> None:
        self._protocol, self._status, self._headers = protocol, status, headers

    async def send_bytes(self, data: bytes) -> None:
        self._protocol.response_bytes(self._status, self._headers, data)


def ask(application: rsgi_server.Application, scope: Scope, protocol: Protocol) -> httpx.Response:
    asyncio.run(application.__rsgi__(scope, protocol))
    log.flush()  # what is written late would come out in another test
    assert protocol.answer
    return protocol.answer


def call(application: rsgi_server.Application, protocol: Protocol, **headers: str) -> httpx.Response:
    """Request a verdict with the test's body."""
    lower_case = HOST | {name.lower(): value for name, value in (JSON | headers).items()}
    return ask(application, Scope("POST", ROUTE, "", lower_case), protocol)


def send(
    application: rsgi_server.Application, method: str, path: str, body: bytes = b"", **headers: str
) -> httpx.Response:
    lower_case = HOST | {name.lower(): value for name, value in headers.items()}
    lower_case |= {"content-length": str(len(body))} if body else {}
    path, _, query = path.partition("?")
    return ask(
        application,
        Scope(method, unquote(path), query, lower_case),
        Protocol(body, [body[:9], body[9:], b""]),
    )


@contextmanager
def running(fake: FakeRuntime, **env: str) -> Iterator[Served]:
    (port,) = free_ports(1)
    command = (*SERVER, "--port", str(port))
    served = Served(*command, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url, **env)
    try:
        yield served
    finally:
        served.stop()


@pytest.fixture(scope="module")
def started(fake_server: FakeRuntime) -> Iterator[Served]:
    with running(fake_server) as served:
        yield served


@pytest.fixture
def granian(started: Served, fake: FakeRuntime) -> Served:
    """A server that is started once, with the fake endpoint reset."""
    return started


@pytest.fixture
def own_granian(fake: FakeRuntime) -> Iterator[Served]:
    """A server that the test may end."""
    with running(fake) as served:
        yield served


def served(limit: str = local_limit.OFF) -> rsgi_server.Application:
    policy = local_limit.read_policy(limit)
    return rsgi_server.Application(local_limit.Limiter(policy) if policy else None)


@pytest.mark.parametrize("what", ASKED)
def test_it_answers_as_the_local_api_does(what: str, api: InProcess, launched: Served) -> None:
    method, path, body, kind = ASKED[what]
    headers = {"X-Request-Id": "one"} | ({"Content-Type": kind} if kind else {})
    ours, theirs = send(served(), method, path, body, **headers), launched.send(method, path, body, headers)
    assert (ours.status_code, ours.content) == (theirs.status, theirs.body)
    our_headers = {name: value for name, value in ours.headers.items() if name != "content-length"}
    changing = {"date", "content-length", "connection", "ratelimit", "ratelimit-policy"}
    assert our_headers == {name: value for name, value in theirs.headers.items() if name not in changing}


def test_without_a_place_a_caller_is_told_to_come_back(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rsgi_server, "MAX_REQUESTS", 0)
    answer = send(served(), "POST", ROUTE, REVIEW, **JSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "app_busy")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("length", "policy", "code"),
    [("9", None, "app_busy"), ("9", "1/60", "too_many_requests"), ("20000", None, "request_timeout")],
)
def test_who_is_refused_is_not_asked_for_a_short_body_first(
    length: str, policy: str | None, code: str, api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rsgi_server, "BODY_SECONDS", 0.01)
    if policy is None:
        monkeypatch.setattr(rsgi_server, "MAX_REQUESTS", 0)
    application = served(policy)
    if policy:
        assert send(application, "POST", ROUTE, REVIEW, **JSON).status_code == 200
    answer = call(application, Protocol(None), **{"Content-Length": length})
    assert answer.json()["code"] == code


def test_a_place_is_free_again_once_a_request_is_answered(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rsgi_server, "MAX_REQUESTS", 1)
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
    monkeypatch.setattr(rsgi_server, "BODY_SECONDS", 0.01)

    answer = call(served(), Protocol(None), **{"Content-Length": "9"})
    assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")


def test_the_line_of_a_refusal_outside_of_the_app_names_its_route(
    api: InProcess, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rsgi_server, "BODY_SECONDS", 0.01)
    call(served(), Protocol(None), **{"Content-Length": "9"})
    (line,) = capfd.readouterr().out.splitlines()
    assert (json.loads(line)["code"], json.loads(line)["route"]) == ("request_timeout", ROUTE)


@pytest.mark.parametrize(
    ("protocol", "headers"),
    [
        (Protocol(ProtocolClosed()), {"Content-Length": "9"}),
        (Protocol(pieces=[REVIEW[:9], b"", b""]), {"Transfer-Encoding": "chunked"}),
    ],
    ids=["of a known length", "chunked"],
)
def test_a_body_that_breaks_off_is_incomplete_and_nobody_is_asked(
    protocol: Protocol, headers: dict[str, str], api: InProcess, fake: FakeRuntime
) -> None:
    answer = call(served(), protocol, **headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "incomplete_body")
    assert fake.calls == []


def test_a_body_that_is_too_long_is_refused_as_the_app_does_without_being_kept(api: InProcess) -> None:
    headers = {"Content-Type": "text/plain", "X-Request-Id": "one"}
    body = b"a" * (messages.MAX_BODY_BYTES + 1)
    answer = send(served(), "POST", ROUTE, body, **headers)
    assert answer.status_code == 413
    assert answer.content == api.send("POST", ROUTE, body, headers).body


def test_a_refusal_is_logged_though_no_other_line_follows(
    api: InProcess, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rsgi_server, "MAX_REQUESTS", 0)
    monkeypatch.setattr(rsgi_server, "LOG_SECONDS", 0.01)
    application, protocol = served(), Protocol(REVIEW)
    headers = HOST | {"content-length": str(len(REVIEW)), "x-request-id": "late"}

    async def wait() -> None:
        await application.__rsgi__(Scope("POST", ROUTE, "", headers), protocol)
        assert capfd.readouterr().out == ""
        await asyncio.sleep(0.1)

    asyncio.run(wait())
    (line,) = capfd.readouterr().out.splitlines()
    assert (json.loads(line)["request_id"], json.loads(line)["status"]) == ("late", 503)


def test_what_goes_wrong_in_the_server_is_a_bare_500_and_logged_by_its_place(
    api: InProcess, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a review's words")

    application = served()
    monkeypatch.setattr(application, "_call_app", fail)
    answer = send(application, "POST", ROUTE, REVIEW, **JSON)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    (line,) = capfd.readouterr().out.splitlines()
    assert (json.loads(line)["error"], json.loads(line)["code"]) == ("KeyError", "internal")
    assert "words" not in answer.text + line


@pytest.mark.parametrize(
    "sent",
    [
        b"Transfer-Encoding: chunked\r\n\r\n9\r\nA lovely \r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n9\r\nA lovely \r\n",
        b"Content-Length: 20\r\n\r\nA lovely ",
    ],
    ids=["a chunk of no length", "no last chunk", "too few bytes"],
)
def test_behind_granian_half_a_body_is_incomplete(sent: bytes, granian: Served, fake: FakeRuntime) -> None:
    head = b"POST /v1/sentiment HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", granian.port), timeout=30) as connection:
        connection.sendall(head + sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(9000), b""))
    assert answer.startswith(b"HTTP/1.1 400 ") and b'"code":"incomplete_body"' in answer
    assert fake.calls == []


@pytest.mark.parametrize("path", ["/v1/sentiment%3Fexplain=words", "/v1/sentiment%23x", "/v1/senti%0Ament"])
def test_behind_granian_a_path_is_no_other_one(path: str, granian: Served) -> None:
    answer = httpx.post(granian.url + path, content=REVIEW, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_behind_granian_an_empty_chunked_body_is_an_empty_body(granian: Served) -> None:
    answer = httpx.post(granian.url + ROUTE, content=iter([]), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


def test_behind_granian_pieces_are_put_together_and_requests_counted(granian: Served) -> None:
    answer = httpx.post(granian.url + ROUTE, content=iter([REVIEW[:9], REVIEW[9:]]), headers=JSON)
    counted = httpx.get(granian.url + "/v1/metrics")
    assert (answer.status_code, answer.json()["sentiment"]) == (200, "positive")
    assert answer.headers["server"] == "verdict"
    assert 'verdict_requests_total{code="",method="POST",route="/v1/sentiment"' in counted.text


def test_several_processes_hold_one_limit(fake: FakeRuntime) -> None:
    with running(fake, API_PROCESSES="2", RATE_LIMIT="40/100000") as served:
        answers = [httpx.post(served.url + ROUTE, content=REVIEW, headers=JSON) for _ in range(60)]
        statuses = [answer.status_code for answer in answers]
        _, out, _ = served.stop()
    passed = statuses.count(200)
    assert passed == 40
    assert statuses == [200] * passed + [429] * (60 - passed)
    lines = [json.loads(line) for line in out.splitlines()]
    assert sum(line["status"] == 200 and line["route"] == ROUTE for line in lines) == passed
    assert sum(line["status"] == 429 for line in lines) == 60 - passed


def workers_of(served: Served) -> list[psutil.Process]:
    children = psutil.Process(served.process.pid).children(recursive=True)
    return [one for one in children if one.status() != "zombie"]


def test_another_app_s_folder_for_counts_is_left_alone(fake: FakeRuntime, tmp_path: Path) -> None:
    with running(fake, API_PROCESSES="1", PROMETHEUS_MULTIPROC_DIR=str(tmp_path)) as served:
        counted = httpx.get(served.url + "/v1/metrics")
    assert "process_resident_memory_bytes" in counted.text
    assert list(tmp_path.iterdir()) == []


def test_each_core_has_a_process_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert (rsgi_server.processes(None), rsgi_server.processes(""), rsgi_server.processes("7")) == (3, 3, 7)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert rsgi_server.processes(None) == 4


def test_a_killed_process_costs_no_count_and_another_takes_its_place(fake: FakeRuntime) -> None:
    with running(fake, API_PROCESSES="2") as served:
        workers = workers_of(served)
        assert len(workers) == 2
        for _ in range(20):
            assert httpx.post(served.url + ROUTE, content=REVIEW, headers=JSON).status_code == 200
        workers[0].kill()
        ends = time.monotonic() + 30
        while len({one.pid for one in workers_of(served)} - {workers[0].pid}) < 2:
            assert time.monotonic() < ends
            time.sleep(0.1)
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), trust_env=False) as client:
            counted = client.get(served.url + "/v1/metrics").text
    (count,) = re.findall(rf'verdict_requests_total{{.*route="{ROUTE}".*}} (.+)', counted)
    assert float(count) == 20


def test_behind_granian_it_ends_when_told_to_though_a_body_is_on_its_way(own_granian: Served) -> None:
    with socket.create_connection(("127.0.0.1", own_granian.port)) as connection:
        connection.sendall(b"POST /v1/sentiment HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nA lovely ")
        time.sleep(0.2)
        began = time.monotonic()
        own_granian.stop()
    assert time.monotonic() - began < rsgi_server.BODY_SECONDS / 2


def test_its_address_is_printed_once_it_answers(own_granian: Served) -> None:
    assert own_granian.send("GET", "/v1/openapi.json").status == 200
    assert rsgi_server._answers("127.0.0.1", own_granian.port)
    assert not rsgi_server._answers("127.0.0.1", free_ports(1)[0])


def test_behind_granian_it_ends_when_told_to(own_granian: Served) -> None:
    status, out, err = own_granian.stop()
    assert status in (0, -15) and "Traceback" not in err


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"RATE_LIMIT": "much"}, "RATE_LIMIT must be like"),
        ({"AUTH": "me"}, "AUTH must be none or key"),
        ({"AUTH": "key", "API_KEYS": ""}, "API_KEYS must hold the SHA-256 of each key"),
        ({"FEEDBACK": "/dev/null"}, "FEEDBACK is '/dev/null', which can't be used (it is no folder)"),
        ({"FEEDBACK": "gs://a/b"}, "FEEDBACK must be a folder or like s3://bucket/prefix, got 'gs://a/b'"),
        ({"API_PROCESSES": "0"}, "API_PROCESSES must be a number from 1 to 64, got '0'"),
        ({"API_PROCESSES": "two"}, "API_PROCESSES must be a number"),
        ({"ENDPOINT_SECONDS": "long"}, "ENDPOINT_SECONDS must be over 0 and at most 20, got 'long'"),
        ({"MODEL": "no/model"}, "no/model/model.json can't be read (No such file or directory)"),
    ],
)
def test_a_setting_that_can_not_be_used_is_one_sentence(env: dict[str, str], says: str) -> None:
    done = subprocess.run(
        SERVER, cwd=FOLDER.parent, env=PATHS | env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"api: {says}") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("reason", ["No usable temporary directory found", "No space left on device"])
def test_processes_without_a_folder_to_share_are_one_sentence(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(28, reason)

    monkeypatch.setattr(local_limit.Buckets, "create", fail)
    monkeypatch.setattr(multiprocessing, "set_start_method", lambda _: None)
    with pytest.raises(SystemExit, match=rf"^api: .*\({reason}\); .* TMPDIR, or set API_PROCESSES=1$"):
        rsgi_server.serve("127.0.0.1", 0, 2)


def test_a_taken_port_is_one_sentence(launched: Served) -> None:
    command = [*SERVER, "--port", str(launched.port)]
    done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "can't be used" in done.stderr and "API_PORT" in done.stderr


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "connections"),
    [
        (256, 100_000, (1_100, 100_000), 1_000),
        (256, 512, (512, 512), 412),
        (256, resource.RLIM_INFINITY, (1_100, resource.RLIM_INFINITY), 1_000),
        (20_000, 20_000, None, 1_000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 1_000),
    ],
)
def test_a_process_holds_as_many_connections_as_it_may_open_files(
    soft: int,
    hard: int,
    raised: tuple[int, int] | None,
    connections: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    limits = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    assert rsgi_server._connections(2) == connections
    assert limits == ([] if raised is None else [raised])
    assert ("412 connections at most" in capsys.readouterr().err) == (connections == 412)


def test_too_few_files_for_a_start_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    with pytest.raises(Ended, match="only 64 files here; allow 1100"):
        rsgi_server._connections(2)


def test_a_process_that_is_killed_again_soon_ends_no_other(fake: FakeRuntime) -> None:
    with running(fake, API_PROCESSES="2") as served:
        first, *_ = workers_of(served)
        killed: set[int] = set()
        for _ in range(2):
            (last,) = [one for one in workers_of(served) if one.pid != first.pid]
            last.kill()
            killed.add(last.pid)
            ends = time.monotonic() + 30
            while len({one.pid for one in workers_of(served)} - killed) < 2:
                assert time.monotonic() < ends
                time.sleep(0.02)
        assert first.is_running() and served.process.poll() is None
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), trust_env=False) as client:
            assert client.post(served.url + ROUTE, content=REVIEW, headers=JSON).status_code == 200


def test_a_process_that_can_not_stay_ends_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = rsgi_server.QuickEnds()
    seen = []
    for second in range(rsgi_server.QUICK_ENDS + 1):
        monkeypatch.setattr(time, "monotonic", lambda now=100.0 + second: now)
        seen.append(ends.get(0, 0))
        ends.clear()
        ends[0] = time.monotonic()
    assert [bool(value) for value in seen] == [False] * rsgi_server.QUICK_ENDS + [True]
    monkeypatch.setattr(time, "monotonic", lambda: 200.0)
    assert ends.get(0, 0) == 0
