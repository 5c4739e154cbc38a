"""A service on loopback that answers the client what a test tells it to, byte by byte if need be."""

import contextlib
import json
import socket
import threading
from typing import Any, NamedTuple

TRICKLE_SECONDS = 0.02


class Asked(NamedTuple):
    """A request that came: its first line, its headers by lower-case name, and its body."""

    line: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def reply(status: int = 200, body: Any = b"", **headers: str) -> bytes:
    """Give a whole HTTP reply; a body that is no bytes is sent as JSON, ``_`` in a header's name as -."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


def problem(status: int, code: str, detail: str = "a sentence", **headers: str) -> bytes:
    """Give a reply that is a problem, with a request id."""
    body = {"type": f"urn:verdict:problem:{code}", "status": status, "code": code, "detail": detail}
    return reply(status, body, X_Request_Id="r9", **headers)


class Service:
    """Takes one request a connection. ``say`` queues raw replies; ``hangs`` keeps the connection open after.

    ``trickles`` is sent after a reply again and again, with no silence between that would count.
    ``asked`` holds what came. With no reply left it hangs up.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.hangs = False
        self.trickles = b""
        self._replies: list[bytes] = []
        self._ended = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def say(self, *replies: bytes) -> None:
        self._replies += replies

    def close(self) -> None:
        self._ended.set()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            line = lines.readline().decode().strip()
            headers = {}
            while (header := lines.readline().decode().strip()) != "":
                name, value = header.split(":", 1)
                headers[name.lower()] = value.strip()
            body = lines.read(int(headers.get("content-length", "0")))
            self.asked.append(Asked(line, headers, body))
            if self._replies:
                connection.sendall(self._replies.pop(0))
            with contextlib.suppress(OSError):  # the client hung up
                while self.trickles and not self._ended.wait(TRICKLE_SECONDS):
                    connection.sendall(self.trickles)
            if self.hangs:
                self._ended.wait()
