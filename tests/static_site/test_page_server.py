"""serve.py: an answer to every odd request, and a quiet process."""

import re
import socket
import threading
from collections.abc import Iterator

import pytest

from static_site import serve


@pytest.fixture(scope="module")
def server() -> Iterator[serve.PageServer]:
    running = serve.PageServer("127.0.0.1", 0, "http://127.0.0.1:8000")
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def raw(server: serve.PageServer, request: bytes) -> bytes:
    """Send bytes as they are and read until the server closes."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


@pytest.mark.parametrize(
    "path", ["/" + "a" * 300 + ".js", "/a" * 5_000 + "/b.js", "/" + "a" * 60_000 + ".js", "http://["]
)
def test_a_path_that_no_file_can_have_is_a_404(
    path: str, server: serve.PageServer, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = raw(server, f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("line", [b"secret", b"secret words", b"GET / HTTP/9.9", b"GET / secret"])
def test_what_is_no_request_gets_a_status_line_and_is_not_quoted(
    line: bytes, server: serve.PageServer
) -> None:
    answer = raw(server, line + b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.1 (400|505) ", answer)
    assert b"secret" not in answer


def test_an_error_of_the_server_is_printed_by_its_type_alone(
    server: serve.PageServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(path: str) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(serve, "file_of", broken)
    assert raw(server, b"GET / HTTP/1.1\r\n\r\n") == b""
    assert capfd.readouterr().err == "page: a request ended in RuntimeError\n"
