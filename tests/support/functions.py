"""AWS Lambda for the simulated AWS: a proxy of moto that answers calls of the model's function.

moto would run a function in Docker. Here the zip's own handler answers, of the version that an alias serves.
"""

import base64
import importlib.util
import json
import re
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.exceptions import ClientError

from training.aws import function_package

_CALL = re.compile(r"/2015-03-31/functions/([^/?]+)/invocations")
ANSWER_SECONDS = 120

Handler = Callable[[dict[str, Any]], Any]


class Functions:
    """A server on loopback, for AWS_ENDPOINT_URL_LAMBDA. ``calls`` lists the versions that answered.

    ``failures`` holds an error by version: status, AWS's error type, and message. ``start`` makes a handler
    of an unpacked zip's folder.
    """

    def __init__(self, aws_url: str, start: Callable[[Path], Handler] | None = None) -> None:
        self.aws_url, self._start = aws_url, start or in_process
        self.calls: list[str] = []
        self.failures: dict[str, tuple[int, str, dict[str, Any]]] = {}
        self._handlers: dict[str, Handler] = {}
        self._folder = tempfile.TemporaryDirectory()
        self._lock = threading.Lock()
        self._server = _server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()

    def answer(self, target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and payload of a call of "name:alias" or "name:version"."""
        name, _, qualifier = target.partition(":")
        client = boto3.client("lambda", endpoint_url=self.aws_url)
        try:
            version = qualifier
            if not qualifier.isdigit():
                version = client.get_alias(FunctionName=name, Name=qualifier)["FunctionVersion"]
            if version in self.failures:
                status, kind, message = self.failures[version]
                return status, {"x-amzn-ErrorType": kind}, json.dumps(message).encode()
            found = client.get_function(FunctionName=name, Qualifier=version)["Configuration"]
        except ClientError as error:
            message = {"Message": f"Function not found: {target}", "Type": "User"}
            return 404, {"x-amzn-ErrorType": error.response["Error"]["Code"]}, json.dumps(message).encode()
        self.calls.append(version)
        try:
            answer = self._handler_of(found["CodeSha256"])(json.loads(body))
        except Exception as error:
            failure = {"errorMessage": str(error), "errorType": type(error).__name__}
            return 200, {"X-Amz-Function-Error": "Unhandled"}, json.dumps(failure).encode()
        failed = {"X-Amz-Function-Error": "Unhandled"} if "errorType" in answer else {}
        return 200, failed, json.dumps(answer).encode()

    def _handler_of(self, code: str) -> Handler:
        """Return the handler of a zip, which the stage's bucket holds under its hash."""
        digest = base64.b64decode(code).hex()
        with self._lock:
            if digest not in self._handlers:
                folder = Path(self._folder.name, digest)
                s3 = boto3.client("s3", endpoint_url=self.aws_url)
                for bucket in s3.list_buckets()["Buckets"]:
                    found = s3.list_objects_v2(Bucket=bucket["Name"], Prefix=f"packages/{digest}/")
                    for entry in found.get("Contents", ()):
                        s3.download_file(bucket["Name"], entry["Key"], f"{folder}.zip")
                with zipfile.ZipFile(f"{folder}.zip") as file:
                    file.extractall(folder)
                self._handlers[digest] = self._start(folder)
            return self._handlers[digest]

    def forward(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Return moto's answer to any other request."""
        kept = {key: value for key, value in headers.items() if key.lower() not in ("host", "connection")}
        request = urllib.request.Request(self.aws_url + path, body or None, kept, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
                return response.status, _relevant(response.headers), response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _relevant(error.headers), error.read()


def in_process(folder: Path) -> Handler:
    """Return a zip's handler, imported here; its libraries are this interpreter's."""
    path = folder / function_package.ENTRY.name
    spec = importlib.util.spec_from_file_location(f"model_function_{folder.name}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda event: module.handler(event, None)


def _relevant(headers: Any) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key.lower().startswith(("content-type", "x-amz"))}


def _server(functions: Functions) -> ThreadingHTTPServer:
    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = _CALL.fullmatch(self.path)
            status, headers, data = (
                functions.answer(unquote(call[1]), body)
                if call
                else functions.forward(self.command, self.path, self.headers, body)
            )
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Print nothing when a caller has hung up."""

    return Server(("127.0.0.1", 0), Request)
