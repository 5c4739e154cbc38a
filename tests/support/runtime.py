"""SageMaker's runtime for the simulated AWS: each endpoint answers by its package in S3.

moto answers a fixed text for every endpoint, even for one that does not exist.
"""

import json
import re
import tarfile
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.support import aws_side
from training.endpoint import inference
from vocab.files import sha256_of
from vocab.messages import MessageError

_PATH = re.compile(r"/endpoints/([^/]+)/invocations")


# Loaded models by their package's SHA-256, for all runtimes of this process.
_LOADED: dict[str, inference.LoadedModel] = {}


def _load(digest: str, packed: Path) -> inference.LoadedModel:
    """Load the model of a package, once for each content."""
    if digest not in _LOADED:
        folder = packed.parent / "unpacked"
        with tarfile.open(packed) as tar:
            tar.extractall(folder, filter="data")
        _LOADED[digest] = inference.model_fn(folder)
    return _LOADED[digest]


class Runtime:
    """A server on loopback. ``calls`` lists the endpoints' names; ``failures`` holds errors by endpoint.

    ``others`` answers in place of a package's model, by the package's s3:// URL: message to answer.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failures: dict[str, tuple[int, str, dict[str, Any]]] = {}
        self.others: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self._models: dict[str, inference.LoadedModel] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def package_of(self, endpoint: str) -> str:
        """Return the s3:// URL of the package that an endpoint serves. Raises ClientError."""
        return str(self.described(endpoint)["PrimaryContainer"]["ModelDataUrl"])

    def described(self, endpoint: str) -> dict[str, Any]:
        """Return SageMaker's description of the model that an endpoint serves. Raises ClientError."""
        sagemaker = boto3.client("sagemaker")
        description = sagemaker.describe_endpoint(EndpointName=endpoint)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=description["EndpointConfigName"])
        return dict(sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"]))

    def download(self, endpoint: str, folder: Path) -> Path:
        """Download an endpoint's package by its own role, as SageMaker does; return its path."""
        model = self.described(endpoint)
        role, log = aws_side.Role(model["ExecutionRoleArn"]), f"/aws/sagemaker/Endpoints/{endpoint}"
        container = model["PrimaryContainer"]
        aws_side.record_container(role, container["Image"], log, "AllTraffic/i-0", ["the model is loaded"])
        (path,) = aws_side.fetch(role.client("s3"), container["ModelDataUrl"], folder)
        return path

    def model_of(self, endpoint: str) -> inference.LoadedModel:
        """Load the model that an endpoint serves from S3. Raises ClientError when there is none."""
        url = self.package_of(endpoint)
        with self._lock:
            if url not in self._models:
                with tempfile.TemporaryDirectory() as folder:
                    path = self.download(endpoint, Path(folder))
                    self._models[url] = _load(sha256_of(path), path)
            return self._models[url]

    def answer(self, endpoint: str, body: bytes, content_type: str) -> tuple[int, str, bytes, str]:
        """Return status, AWS's error type (empty without an error), body and content type."""
        self.calls.append(endpoint)
        if endpoint in self.failures:
            status, kind, message = self.failures[endpoint]
            return status, kind, json.dumps(message).encode(), "application/json"
        try:
            if self.others and (other := self.others.get(self.package_of(endpoint))):
                return 200, "", json.dumps(other(json.loads(body))).encode(), content_type
            model = self.model_of(endpoint)
            data, kind = inference.output_fn(
                inference.predict_fn(inference.input_fn(body, content_type), model)
            )
            return 200, "", data, kind
        except ClientError:
            message = {"message": f"Endpoint {endpoint} of account 123456789012 not found."}
            return 400, "ValidationError", json.dumps(message).encode(), "application/json"
        except MessageError as error:
            original = json.dumps({"code": error.code, "detail": error.detail})
            message = {
                "Message": "Received error from primary",
                "OriginalStatusCode": error.status,
                "OriginalMessage": original,
            }
            return 424, "ModelError", json.dumps(message).encode(), "application/json"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                match = _PATH.fullmatch(self.path)
                assert match, self.path
                status, kind, data, content_type = runtime.answer(
                    match[1], body, self.headers["Content-Type"]
                )
                self.send_response_only(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(data)))
                if kind:
                    self.send_header("x-amzn-ErrorType", kind)
                self.end_headers()
                self.wfile.write(data)

        return Handler
