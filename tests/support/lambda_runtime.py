"""Serve AWS Lambda's Runtime API on loopback to a real awslambdaric.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

API = "/2018-06-01/runtime"
TIMEOUT_SECONDS = 25
# A busy machine may start a function more slowly than Lambda allows.
WAIT_SECONDS = 90
ARN = "arn:aws:lambda:us-east-1:000000000000:function:verdict-dev"


class LambdaRuntime:
    """A function under awslambdaric: ``task`` is the unpacked zip, ``packages`` a folder with awslambdaric.

    The process sees no other installed package, and only the variables of Lambda and of ``env``.
    """

    def __init__(
        self,
        task: Path,
        packages: Path,
        handler: str,
        log: Path,
        *,
        python: str = sys.executable,
        **env: str,
    ) -> None:
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._answers: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        self._server = _server(self._events, self._answers)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        server = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}"}
        with log.open("wb") as file:
            # -S keeps the test interpreter's packages off the path.
            self._process = subprocess.Popen(
                [python, "-S", "-m", "awslambdaric", handler],
                cwd=task,
                env=variables(task, packages, handler) | server | env,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the function with an event and return its answer. Raises AssertionError with its error."""
        request_id = uuid.uuid4().hex
        self._events.put((request_id, event))
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                answered_id, kind, answer = self._answers.get(timeout=0.2)
            except queue.Empty:
                ended = self._process.poll()
                assert ended is None, f"the function's process ended with {ended} and without an answer"
                continue
            if answered_id not in (request_id, "init"):  # a late answer to an earlier event
                continue
            assert kind == "response", f"{kind}: {answer}"
            return dict(answer)
        raise AssertionError(f"no answer in {WAIT_SECONDS} s")

    def stop(self) -> None:
        """End the function and the Runtime API."""
        self._process.kill()
        self._process.wait()
        self._events.put(("", {}))  # releases a function that waits for an event
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def variables(task: Path, packages: Path, handler: str) -> dict[str, str]:
    """Return a function's environment as Lambda sets it; ``packages`` stands for the image's packages."""
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(packages),
        "AWS_LAMBDA_FUNCTION_NAME": "verdict-dev",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": handler,
    }


def proxy_event(
    method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return an event of API Gateway's Lambda proxy integration, for a stage named api."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers or {},
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": "/api" + path,
            "stage": "api",
            "identity": {"sourceIp": "192.0.2.1"},
        },
    }


def _server(
    events: "queue.Queue[tuple[str, dict[str, Any]]]", answers: "queue.Queue[tuple[str, str, Any]]"
) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            assert self.path == f"{API}/invocation/next"
            request_id, event = events.get()
            deadline = int((time.time() + TIMEOUT_SECONDS) * 1000)
            self._send(
                200,
                json.dumps(event).encode(),
                {
                    "Lambda-Runtime-Aws-Request-Id": request_id,
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": ARN,
                    "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
                    "Content-Type": "application/json",
                },
            )

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            # /init/error, /invocation/ID/error or /invocation/ID/response
            *_, request_id, kind = self.path.split("/")
            answers.put((request_id, kind, body))
            self._send(202, b"{}", {})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Print nothing when the function ends while it waits."""

    return Server(("127.0.0.1", 0), Handler)
