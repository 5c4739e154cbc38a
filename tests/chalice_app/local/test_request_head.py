"""request_head.py: both servers read a request's line and headers by the same rules."""

import re
import socket
import sys
from collections.abc import Iterator

import pytest

from chalice_app.local import request_head
from tests.support.api import Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.stack import free_ports

pytestmark = pytest.mark.slow

GOOD = b'{"review": "A fine film."}'
JSON = b"Content-Type: application/json\r\n"
ROUTE = b"/v1/sentiment"


@pytest.fixture(scope="module")
def granian(fake_server: FakeRuntime) -> Iterator[Served]:
    (port,) = free_ports(1)
    command = (sys.executable, "-m", "chalice_app.local.rsgi_server", "--port", str(port))
    served = Served(*command, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake_server.url, API_PROCESSES="1")
    yield served
    served.stop()


@pytest.fixture
def both(launched: Served, granian: Served, fake: FakeRuntime) -> tuple[Served, Served]:
    """The servers of `make run` and of `make serve`."""
    return launched, granian


def request(
    target: bytes,
    headers: bytes = b"",
    body: bytes = b"",
    method: bytes = b"GET",
    version: bytes = b"1.1",
    host: bytes = b"Host: x\r\n",
    length: bytes | None = None,
) -> bytes:
    """Write a request that asks for the connection's end after the answer."""
    size = b"Content-Length: %b\r\n" % (length or str(len(body)).encode()) if body or length else b""
    lines = b"%b%b%bConnection: close\r\n" % (host, headers, size)
    return b"%b %b HTTP/%b\r\n%b\r\n%b" % (method, target, version, lines, body)


def post(headers: bytes = JSON, **parts: bytes) -> bytes:
    return request(parts.pop("target", ROUTE), headers, parts.pop("body", GOOD), b"POST", **parts)


def ask(served: Served, data: bytes) -> tuple[int, bytes]:
    """Send raw bytes, and return the status and the whole answer once the server has closed."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(data)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert len(re.findall(rb"HTTP/1\.[01] \d", answer)) == 1, answer
    return int(answer.split(b" ")[1]), answer


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/v1/health", 200),
        (b"/v1/health/", 200),
        (b"/v1%2Fhealth", 200),
        (b"/v1/%68ealth", 200),
        (b"/v1/health?", 200),
        (b"http://elsewhere.example/v1/health", 200),
        (b"//v1/health", 404),
        (b"/v1//health", 404),
        (b"///v1/health", 404),
        (b"//elsewhere.example/v1/health", 404),
        (b"//", 405),
        (b"/v1/health//", 404),
        (b"/v1/health;a", 404),
        (b"/v1/health%3Fa", 404),
        (b"/v1/./health", 404),
        (b"/v1/%2e%2e/v1/health", 404),
        (b"/v1/health%00", 404),
        (b"/v1/%ff", 404),
        (b"/v1/\xff", 400),
        (b"/v1/<b>", 400),
        (b"v1/health", 400),
        (b"\\v1\\health", 400),
        (b"/v1/he alth", 400),
        (b"", 400),
    ],
)
def test_a_path_means_the_same_to_both_servers(
    target: bytes, status: int, both: tuple[Served, Served]
) -> None:
    assert [ask(served, request(target))[0] for served in both] == [status] * 2


def test_an_id_with_escapes_is_the_same_id_to_both_servers(both: tuple[Served, Served]) -> None:
    for target in (b"/v1/feedback/%30" + b"0" * 31, b"/v1%2Ffeedback%2f" + b"0" * 32):
        for served in both:
            status, answer = ask(served, request(target, method=b"DELETE"))
            assert (status, b'"code":"feedback_off"' in answer) == (404, True)


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        (JSON + b"Content-Type: text/plain\r\n", b"two Content-Type headers came; send one"),
        (JSON + JSON, b"two Content-Type headers came; send one"),
        (JSON + b"Host: y\r\n", b"two Host headers came; send one"),
        (b"Content-Type: text/pl\xe4in\r\n", b"Content-Type is not ASCII; send it in ASCII"),
        (JSON + b"Content-Encoding: \xff\r\n", b"Content-Encoding is not ASCII"),
    ],
)
def test_headers_that_leave_open_what_was_meant_are_refused_by_both_servers(
    headers: bytes, says: bytes, both: tuple[Served, Served], fake: FakeRuntime
) -> None:
    for served in both:
        status, answer = ask(served, post(headers))
        assert (status, b'"code":"bad_request"' in answer, says in answer) == (400, True, True), answer
    assert fake.calls == []


@pytest.mark.parametrize(
    "headers",
    [
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\n",
        b"X: a\r\n folded\r\n",
        b"X: a\x00b\r\n",
        b"X y: z\r\n",
    ],
)
def test_what_could_smuggle_a_request_is_refused_by_both_servers(
    headers: bytes, both: tuple[Served, Served], fake: FakeRuntime
) -> None:
    assert [ask(served, post(JSON + headers))[0] for served in both] == [400, 400]
    assert fake.calls == []


def test_a_value_that_is_not_ascii_is_ignored_where_nothing_depends_on_it(
    both: tuple[Served, Served],
) -> None:
    for served in both:
        status, answer = ask(served, post(JSON + b"User-Agent: caf\xe9\r\nX-Request-Id: \xff\r\n"))
        assert (status, b'"sentiment":"positive"' in answer) == (200, True)


def test_several_values_of_a_list_count_together_for_both_servers(both: tuple[Served, Served]) -> None:
    headers = JSON + b"Accept: application/json; q=0.1\r\nAccept: application/jsonlines\r\n"
    body = b'{"reviews": [{"review": "A fine film."}]}'
    for served in both:
        _, answer = ask(served, post(headers, target=ROUTE + b"/batch", body=body))
        assert b"content-type: application/jsonlines" in answer.lower()


def test_only_http_1_0_may_leave_out_the_host(both: tuple[Served, Served]) -> None:
    for served in both:
        assert ask(served, post(host=b"", version=b"1.0"))[0] == 200
        status, answer = ask(served, post(host=b""))
        assert (status, b"the header Host is missing" in answer) == (400, True)


@pytest.mark.parametrize("length", [b"1000001", b"2000000000", b"9000000000000000000"])
def test_an_oversized_body_is_refused_by_both_servers_before_it_is_sent(
    length: bytes, both: tuple[Served, Served]
) -> None:
    for served in both:
        status, answer = ask(served, post(body=b"", length=length, headers=JSON + b"X-Request-Id: one\r\n"))
        assert (status, b'"code":"too_large"' in answer) == (413, True)
        assert b"at most 1,000,000 are read" in answer and b'"request_id":"one"' in answer


def test_a_sender_of_an_oversized_body_is_not_asked_to_go_on(both: tuple[Served, Served]) -> None:
    for served in both:
        headers = JSON + b"Expect: 100-continue\r\n"
        assert ask(served, post(body=b"", length=b"1000001", headers=headers))[0] == 413


def test_a_sender_who_waits_to_be_asked_is_asked_by_both_servers(both: tuple[Served, Served]) -> None:
    for served in both:
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
            head = post(body=b"", length=str(len(GOOD)).encode(), headers=JSON + b"Expect: 100-continue\r\n")
            connection.sendall(head)
            assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(GOOD)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_who_sends_an_oversized_body_all_the_same_gets_the_answer(both: tuple[Served, Served]) -> None:
    for served in both:
        answer = served.send("POST", "/v1/sentiment", b" " * 20_000_000)
        assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_headers_over_the_limit_are_refused_by_both_servers(both: tuple[Served, Served]) -> None:
    fine, far = b"X: " + b"a" * 60_000 + b"\r\n", b"X: " + b"a" * 70_000 + b"\r\n"
    assert [ask(served, post(JSON + fine))[0] for served in both] == [200, 200]
    assert [ask(served, post(JSON + far))[0] for served in both] == [431, 431]


@pytest.mark.parametrize(
    "line",
    [
        b"GET  /v1/health HTTP/1.1",
        b"GET\t/v1/health\tHTTP/1.1",
        b"GET /v1/health HTTP/1.1 ",
        b"GET /v1/health HTTP/1.2",
        b"GET /v1/health HTTP/2.0",
        b"GET /v1/health",
        b"G@T /v1/health HTTP/1.1",
        b"GET\x00 /v1/health HTTP/1.1",
    ],
)
def test_a_line_that_is_no_http_is_a_400_by_both_servers(line: bytes, both: tuple[Served, Served]) -> None:
    sent = line + b"\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert [ask(served, sent)[0] for served in both] == [400, 400]


def test_empty_lines_before_a_request_are_skipped_by_both_servers(both: tuple[Served, Served]) -> None:
    assert [ask(served, b"\r\n\r\n" + request(b"/v1/health"))[0] for served in both] == [200, 200]


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (b"/v1/sentiment?explian=words", b"unknown_parameter"),
        (b"/v1/sentiment/batch?review=x", b"unknown_parameter"),
        (b"/?explain=words", b"unknown_parameter"),
        (b"/v1/health?a", b"unknown_parameter"),
        (b"/v1/sentiment?explain=all", b"bad_value"),
        (b"/v1/sentiment?explain=", b"bad_value"),
        (b"/v1/sentiment?explain=words&explain=words", b"bad_value"),
        (b"/v1/sentiment?aspects=film", b"bad_value"),
    ],
)
def test_a_query_that_is_not_read_is_refused_by_both_servers(
    target: bytes, code: bytes, both: tuple[Served, Served], fake: FakeRuntime
) -> None:
    method = b"GET" if b"health" in target else b"POST"
    for served in both:
        body = GOOD if method == b"POST" else b""
        status, answer = ask(served, request(target, JSON, body, method))
        assert (status, b'"code":"%b"' % code in answer) == (400, True), answer
    assert fake.calls == []


def test_a_head_names_a_route_and_none_of_its_caller_s_words() -> None:
    assert request_head.route_of("/v1/sentiment") == "/v1/sentiment"
    assert request_head.route_of("/v1/feedback/secret") == "/v1/feedback/{id}"
    assert request_head.route_of("//secret/words") == "/{proxy+}"


@pytest.mark.parametrize(("target", "status"), [(b"/v1/sentiment?a=1", 405), (b"/nowhere?a=1", 404)])
def test_a_wrong_method_or_path_is_named_before_its_query(
    target: bytes, status: int, both: tuple[Served, Served]
) -> None:
    assert [ask(served, request(target, method=b"PUT"))[0] for served in both] == [status] * 2
