"""A SageMaker endpoint on loopback with switchable faults; without a fault, the real hooks answer.

    python tests/support/faulty_endpoint.py --port 8090 --control 8091
    curl -X PUT http://127.0.0.1:8091/ -d 'slow drip'        # GET / lists the faults

What an error of it says holds INTERNAL, which may never reach a caller or a log.
"""

import argparse
import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from training.endpoint import inference, local_endpoint
from vocab import messages

ROOT = Path(__file__).resolve().parents[2]

HOST = "127.0.0.1"
FINE = "fine"
INTERNAL = "internalcanary at /opt/ml/model/code/inference.py"
# The pause between two bytes of a dripping answer: shorter than any timeout.
DRIP_SECONDS = 0.02
LARGE_BYTES = 10_000_000
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
ERRORS = {
    "400": (400, "ValidationError"),
    "429": (429, "ThrottlingException"),
    "429 not ready": (429, "ModelNotReadyException"),
    "500": (500, "InternalFailure"),
    "503": (503, "ServiceUnavailable"),
    "503 not ready": (503, "ModelNotReadyException"),
    "530": (530, "InternalDependencyException"),
}
# Errors of the model itself, which SageMaker passes on inside a 424.
ORIGINALS = (400, 404, 409, 413, 415, 429, 500, 502, 503, 504)

Fault = Callable[["Handler", bytes], int]


class FaultyEndpoint:
    """A running endpoint at ``url``; a PUT to ``control`` switches its fault."""

    def __init__(
        self, name: str = "verdict", port: int = 0, control: int = 0, model: Path = inference.MODEL_FOLDER
    ) -> None:
        self.fault, self.calls = FINE, 0
        self._left: int | None = None
        self._name, self._model = name, inference.model_fn(model)
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._listen(port)
        self._control = ThreadingHTTPServer((HOST, control), _control_of(self))
        self._run(self._control)
        self.url = f"http://{HOST}:{self.port}"
        self.control = f"http://{HOST}:{self._control.server_port}"

    def switch(self, fault: str, times: int | None = None) -> None:
        """Switch to a fault of FAULTS, or have it for a number of calls; held calls are released.

        Raises KeyError for a fault that there is none of.
        """
        if fault not in (FINE, REFUSED):
            FAULTS[fault]
        with self._lock:
            self.fault, self._left = fault, times
            self._changed.set()
            self._changed = threading.Event()
            if fault == REFUSED:
                self._hang_up()
            elif self._server is None:
                self._listen(self.port)

    def take(self) -> tuple[str, threading.Event]:
        """Return the fault of a new call, and the event that is set when the fault is switched."""
        with self._lock:
            self.calls += 1
            fault = self.fault
            if self._left is not None:
                self._left -= 1
                self.fault, self._left = (fault, self._left) if self._left else (FINE, None)
            return fault, self._changed

    def stop(self) -> None:
        """Release held calls and stop listening."""
        self.switch(REFUSED)
        self._control.shutdown()
        self._control.server_close()

    def _listen(self, port: int) -> None:
        self._server = Server((HOST, port), self._name, self._model)
        self._server.faulty = self
        self.port = self._server.server_port
        self._run(self._server)

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._server = None

    def _run(self, server: ThreadingHTTPServer) -> None:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


class Server(local_endpoint.Endpoint):
    """The local endpoint, with a set of its open connections."""

    faulty: FaultyEndpoint

    def __init__(self, address: tuple[str, int], name: str, model: inference.LoadedModel) -> None:
        super().__init__(address, name, model)
        self.RequestHandlerClass = Handler
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close kept-alive connections, as the end of a process does."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(local_endpoint.Handler):
    """One connection to the endpoint, which answers by the current fault."""

    server: Server
    changed: threading.Event

    def _invoke(self, body: bytes) -> int:
        fault, self.changed = self.server.faulty.take()
        return FAULTS[fault](self, body) if fault in FAULTS else super()._invoke(body)

    # --- parts of the faults --------------------------------------------------------------------

    def fail(self, status: int, error: str, **members: object) -> int:
        """Answer with an error in SageMaker's form."""
        return self._refuse(status, error, {"Message": INTERNAL, **members})

    def send(self, body: bytes, content_type: str = messages.JSON, length: int | None = None) -> int:
        """Answer 200 with the body's Content-Length, or with a wrong one."""
        self.close_connection = length is not None
        self._send_response(content_type, len(body) if length is None else length)
        self.wfile.write(body)
        return 200

    def true_answer(self, body: bytes) -> dict[str, Any]:
        """Return the hooks' answer to a request."""
        answer = inference.respond(body, messages.JSON, messages.JSON, self.server.model)
        return dict(json.loads(answer.body))

    def hang(self) -> int:
        """Wait silently until the fault is switched, then hang up."""
        self.changed.wait()
        self.close_connection = True
        return 0

    def drip(self, data: bytes) -> int:
        """Send a byte from time to time until the fault is switched, then hang up."""
        self.close_connection = True
        for number in range(len(data)):
            if self.changed.wait(DRIP_SECONDS):
                break
            self.wfile.write(data[number : number + 1])
        return 0

    def reset(self) -> int:
        """Reset the connection instead of closing it."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return 0

    def raw(self, data: bytes) -> int:
        """Send raw bytes, which may be no HTTP, then hang up."""
        self.close_connection = True
        self.wfile.write(data)
        return 0

    def _send_response(self, content_type: str, length: int) -> None:
        self.send_response_only(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.end_headers()


# --- the faults ---------------------------------------------------------------------------------


def _error(status: int, error: str) -> Fault:
    return lambda handler, body: handler.fail(status, error)


def _original(status: int) -> Fault:
    return lambda handler, body: handler.fail(
        424, "ModelError", OriginalStatusCode=status, OriginalMessage=INTERNAL, LogStreamArn=INTERNAL
    )


def _changed(change: Callable[[dict[str, Any]], object]) -> Fault:
    """Return a fault whose answer has one wrong part."""

    def answer(handler: Handler, body: bytes) -> int:
        message = handler.true_answer(body)
        change(message)
        return handler.send(json.dumps(message).encode())

    return answer


def _each(**values: object) -> Callable[[dict[str, Any]], None]:
    def change(message: dict[str, Any]) -> None:
        for answer in message.get("answers", [message.get("card", {})]):
            answer.update(values)

    return change


def _shorten(message: dict[str, Any]) -> None:
    (message.get("answers") or message["card"]["uncertain"]).pop()


def _explained(part: str, change: Callable[[Any], object]) -> Callable[[dict[str, Any]], None]:
    """Return a change to a part of each answer's explanation."""

    def change_all(message: dict[str, Any]) -> None:
        for answer in message.get("answers", []):
            if part in answer:
                change(answer[part])

    return change_all


def _older(handler: Handler, body: bytes) -> int:
    """Answer as an endpoint that does not know of sentences: it refuses a field that it does not know."""
    message = json.loads(body)
    if any("sentences" in review for review in message.get("reviews", [])):
        refusal = {"code": "unknown_field", "detail": f"'sentences' is not known; {INTERNAL}"}
        return handler._model_error(400, json.dumps(refusal))
    return _changed(lambda answer: answer["card"].update(vocabulary=_OTHER))(handler, body)


def _truncated(handler: Handler, body: bytes) -> int:
    whole = messages.to_json(handler.true_answer(body))
    return handler.send(whole[: len(whole) // 2])


def _cut(handler: Handler, body: bytes) -> int:
    whole = messages.to_json(handler.true_answer(body))
    return handler.send(whole[: len(whole) // 2], length=len(whole))


def _page(status: int) -> Fault:
    page = f"<html><h1>Bad Gateway</h1><p>{INTERNAL}</p></html>".encode()
    return lambda handler, body: handler._send(status, page, "text/html")


REFUSED = "refused"
_OTHER = "0" * 16
FAULTS: dict[str, Fault] = {
    **{name: _error(*error) for name, error in ERRORS.items()},
    **{f"424 after {status}": _original(status) for status in ORIGINALS},
    "424 and no more": lambda handler, body: handler.fail(424, "ModelError"),
    "424 timed out": lambda handler, body: handler.fail(424, "ModelError", Message="model timed out"),
    "no endpoint": lambda handler, body: handler.fail(
        400, "ValidationError", Message=f"Endpoint {INTERNAL} not found."
    ),
    "no rights": lambda handler, body: handler.fail(403, "AccessDeniedException"),
    "reset": lambda handler, body: handler.reset(),
    "hangs up": lambda handler, body: handler.raw(b""),
    "no HTTP": lambda handler, body: handler.raw(INTERNAL.encode() + b"\r\n\r\n"),
    "never answers": lambda handler, body: handler.hang(),
    "slow headers": lambda handler, body: handler.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60_000),
    "slow drip": lambda handler, body: handler.drip(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n" + b" " * 60_000
    ),
    "truncated": _truncated,
    "cut short": _cut,
    "empty": lambda handler, body: handler.send(b""),
    "no JSON": lambda handler, body: handler.send(INTERNAL.encode()),
    "other JSON": lambda handler, body: handler.send(json.dumps([INTERNAL]).encode()),
    "HTML": _page(200),
    "HTML 502": _page(502),
    "10 MB": lambda handler, body: handler.send(b'{"answers":"' + b"x" * LARGE_BYTES + b'"}'),
    "NaN": _changed(_each(probability=float("nan"), temperature=float("nan"))),
    "infinity": _changed(_each(logit=float("inf"), temperature=float("-inf"))),
    "an answer too few": _changed(_shorten),
    "a word too few": _changed(_explained("words", lambda words: words["contributions"].pop())),
    "a sentence too few": _changed(_explained("sentences", lambda sentences: sentences.pop())),
    "no sentences": _changed(_each(sentences=None)),
    "an effect that is none": _changed(_explained("words", lambda words: words.update(effects=["much"]))),
    "nothing without a sentence": _changed(
        _explained("sentences", lambda sentences: sentences[0].pop("without"))
    ),
    "probability and logit disagree": _changed(_each(probability=0.5, id=5)),
    "another vocabulary": _changed(
        lambda message: message.get("model", message.get("card")).update(vocabulary=_OTHER)
    ),
    "an older version": _older,
}


# --- the switch over HTTP -----------------------------------------------------------------------


def _control_of(faulty: FaultyEndpoint) -> type[BaseHTTPRequestHandler]:
    class Control(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {"fault": faulty.fault, "calls": faulty.calls, "faults": names()})

        def do_PUT(self) -> None:
            fault_name = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(
                "utf-8", "replace"
            )
            if fault_name not in names():
                self._answer(404, {"faults": names()})
                return
            faulty.switch(fault_name)
            self._answer(200, {"fault": fault_name})

        def _answer(self, status: int, message: dict[str, object]) -> None:
            body = json.dumps(message).encode()
            self.send_response_only(status)
            self.send_header("Content-Type", messages.JSON)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    return Control


def names() -> list[str]:
    """Return the name of each fault, and of none."""
    return [FINE, REFUSED, *FAULTS]


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the model with faults that are switched over HTTP.")
    parser.add_argument("--port", type=int, default=int(os.environ.get("ENDPOINT_PORT") or 8090))
    parser.add_argument("--control", type=int, default=8091)
    parser.add_argument("--name", default="verdict")
    options = parser.parse_args()
    running = FaultyEndpoint(options.name, options.port, options.control)
    print(f"faulty endpoint on {running.url}, switched at {running.control}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    running.stop()


if __name__ == "__main__":
    main()
