"""The endpoint's hooks as a WSGI application, for SageMaker's images that start Gunicorn (scikit-learn).

    SAGEMAKER_SERVING_MODULE=gunicorn_image:app serve        # the image's command, with code/ on the path

Importing this file loads the model and scores a golden review. When that fails, Gunicorn ends, and the
container with it. So a broken package never looks healthy.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

CODE = Path(__file__).resolve().parent
sys.path.insert(0, str(CODE / "lib" / "{}.{}".format(*sys.version_info)))

from training.endpoint import golden, inference  # noqa: E402

JSON = "application/json"


def app(request: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer GET /ping and POST /invocations, and log a request's status, size and time, never its text."""
    route = request["REQUEST_METHOD"], request["PATH_INFO"]
    if route == ("GET", "/ping"):
        return _send(start_response, 200, b"", JSON)
    if route != ("POST", "/invocations"):
        return _send(start_response, 404, b'{"code":"not_found"}', JSON)
    began = time.monotonic()
    body = request["wsgi.input"].read()
    response = inference.respond(body, request.get("CONTENT_TYPE"), request.get("HTTP_ACCEPT"), _model)
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    print(json.dumps({"status": response.status, "bytes": len(body), "ms": milliseconds}), flush=True)
    return _send(start_response, response.status, response.body, response.content_type)


def _send(start_response: Callable[..., Any], status: int, body: bytes, kind: str) -> list[bytes]:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]


_model = golden.load(CODE.parent)
