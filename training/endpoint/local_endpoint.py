"""A SageMaker endpoint on loopback: Runtime's URL and errors, and the hooks of inference.py.

    python -m training.endpoint.local_endpoint --port 8090

boto3 calls it when AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME names it; nothing else changes. Errors have the form
of SageMaker's (botocore's sagemaker-runtime model): 400 ValidationError for an unknown endpoint, 424
ModelError for a request that the model refuses, 503 ServiceUnavailable for too many requests at once.
"""

import argparse
import json
import os
import re
import signal
import socket
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from training.endpoint import inference
from vocab import messages
from vocab.exit_status import USAGE, Ended

HOST = "127.0.0.1"
PORT = 8090
ACCOUNT = "000000000000"
# An idle connection is closed after this time.
IDLE_SECONDS = 60
# Most requests that run or wait at once; more get 503.
MAX_WAITING = 64
_PATH = re.compile(r"/endpoints/([A-Za-z0-9][A-Za-z0-9-]{0,62})/invocations")


class Endpoint(ThreadingHTTPServer):
    """The server: a thread for each connection, and as many requests in the network at once as cores.

    ``handler`` is the class that answers; by default it speaks as SageMaker Runtime does.
    """

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(
        self,
        address: tuple[str, int],
        name: str,
        model: inference.LoadedModel,
        handler: "type[Handler] | None" = None,
    ) -> None:
        self.name, self.model = name, model
        self.places = threading.BoundedSemaphore(MAX_WAITING)
        self.cores = threading.BoundedSemaphore(os.cpu_count() or 1)
        super().__init__(address, handler or Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a caller that hangs up; a traceback here would only show its address."""


class Handler(BaseHTTPRequestHandler):
    """One connection to the endpoint."""

    server: Endpoint
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server_version = "verdict-endpoint"
    sys_version = ""

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._send(200, b"", "text/plain")
        else:
            self._refuse(404, "UnknownOperationException", {"message": "GET /ping, or POST invocations"})

    def do_POST(self) -> None:
        began = time.monotonic()
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self.close_connection = True
            self._refuse(411, "ValidationError", {"message": "Content-Length is missing"})
            return
        if len(length) > 9 or int(length) > messages.MAX_ENDPOINT_BYTES:
            self.close_connection = True
            self._refuse(
                400,
                "ValidationError",
                {"message": f"body exceeds {messages.MAX_ENDPOINT_BYTES} bytes"},
            )
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            self._refuse(
                400,
                "ValidationError",
                {"message": f"body ended after {len(body)} of its {int(length)} bytes"},
            )
            return
        status = self._invoke(body)
        request_id = self.headers.get("X-Amzn-SageMaker-Custom-Attributes", "")[:64]
        line = {
            "endpoint": self.server.name,
            "request_id": re.sub(r"[^A-Za-z0-9._-]", "", request_id),
            "status": status,
            "bytes": len(body),
            "ms": round((time.monotonic() - began) * 1000, 1),
        }
        # One write with its newline, so that lines of simultaneous requests do not mix. The file is named,
        # since CPython's print holds no reference to sys.stdout: replaced meanwhile, it ends the process.
        print(json.dumps(line) + "\n", end="", flush=True, file=sys.stdout)

    def _invoke(self, body: bytes) -> int:
        if status := self._refuse_other_paths():
            return status
        if not self.server.places.acquire(blocking=False):
            return self._refuse(503, "ServiceUnavailable", {"Message": "too many requests at once"})
        content_type, accept = self.headers.get("Content-Type"), self.headers.get("Accept")
        try:
            with self.server.cores:
                response = inference.respond(body, content_type, accept, self.server.model)
        finally:
            self.server.places.release()
        if response.status != 200:
            return self._model_error(response.status, response.body.decode())
        variant = {"x-Amzn-Invoked-Production-Variant": "AllTraffic"}
        return self._send(200, response.body, response.content_type, variant)

    def _refuse_other_paths(self) -> int | None:
        """Refuse another operation or endpoint and return the status; return None for this endpoint's own."""
        match = _PATH.fullmatch(self.path)
        if not match:
            return self._refuse(404, "UnknownOperationException", {"message": "no such operation"})
        if match[1] != self.server.name:
            message = f"Endpoint {match[1]} of account {ACCOUNT} not found."
            return self._refuse(400, "ValidationError", {"message": message})
        return None

    def _model_error(self, status: int, original: str) -> int:
        kind = "client" if status < 500 else "server"
        return self._refuse(
            424,
            "ModelError",
            {
                "Message": f"Received {kind} error ({status}) from primary. {original}",
                "OriginalStatusCode": status,
                "OriginalMessage": original,
                "LogStreamArn": "",
            },
        )

    def _refuse(self, status: int, error_type: str, message: dict[str, Any]) -> int:
        body = messages.to_json(message)
        return self._send(status, body, messages.JSON, {"x-amzn-ErrorType": error_type})

    def _send(
        self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> int:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        # Headers and body in one write, since two small writes wait for each other.
        self._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]
        self.flush_headers()
        return status

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing here; do_POST writes a line itself."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the model at SageMaker Runtime's URL on loopback.")
    parser.add_argument("--port", type=int, default=os.environ.get("ENDPOINT_PORT") or PORT)
    parser.add_argument("--name", default=os.environ.get("ENDPOINT_NAME") or "verdict", help="endpoint name")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path(os.environ.get("MODEL") or inference.MODEL_FOLDER),
        help="folder with model.onnx and model.json (default: MODEL, or training/endpoint/model)",
    )
    options = parser.parse_args()
    try:
        model = inference.model_fn(options.model)
        server = Endpoint((HOST, options.port), options.name, model)
    except (inference.ModelFilesError, inference.VocabularyError) as error:
        raise Ended(f"local endpoint: {error}", USAGE) from None
    except (OSError, OverflowError) as error:
        raise Ended(
            f"local endpoint: port {options.port} can't be used ({getattr(error, 'strerror', error)});"
            " choose another with ENDPOINT_PORT",
            USAGE,
        ) from None
    for number in (signal.SIGTERM, signal.SIGINT):  # started in the background, SIGINT would be ignored
        signal.signal(number, lambda *_: sys.exit(0))
    print(
        f"endpoint {options.name} on http://{HOST}:{server.server_port}, model {model.identity.id}",
        flush=True,
    )
    server.serve_forever()


if __name__ == "__main__":
    main()
