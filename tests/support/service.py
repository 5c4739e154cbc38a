"""A service on loopback that sends the client the bytes that a test has queued."""

import contextlib
import json
import socket
import threading
from typing import Any, NamedTuple

TRICKLE_SECONDS = 0.02


class ReceivedRequest(NamedTuple):
    """A received request: its first line, its headers by lower-case name, and its body."""

    line: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def reply(status: int = 200, body: Any = b"", **headers: str) -> bytes:
    """Return a whole HTTP reply. Other bodies than bytes become JSON; ``_`` in header names becomes -."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


def problem(status: int, code: str, detail: str = "a sentence", **headers: str) -> bytes:
    """Return a reply with a problem and a request id."""
    body = {"type": f"urn:verdict:problem:{code}", "status": status, "code": code, "detail": detail}
    return reply(status, body, X_Request_Id="r9", **headers)


class Service:
    """A service that accepts one request a connection. ``say`` queues raw replies.

    With ``hangs`` the connection stays open after the reply. ``trickles`` is sent after a reply again and
    again, without a silence long enough for a timeout. ``asked`` holds the received requests. Without a
    queued reply the service hangs up. Replies go to requests whose body holds ``wanted``.
    """

    def __init__(self) -> None:
        self.asked: list[ReceivedRequest] = []
        self.hangs = False
        self.trickles = self.wanted = b""
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
            self.asked.append(ReceivedRequest(line, headers, body))
            if self._replies and self.wanted in body:
                connection.sendall(self._replies.pop(0))
            with contextlib.suppress(OSError):  # the client hung up
                while self.trickles and not self._ended.wait(TRICKLE_SECONDS):
                    connection.sendall(self.trickles)
            if self.hangs:
                self._ended.wait()
