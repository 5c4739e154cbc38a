"""The endpoint's hooks as a Lambda function (ENDPOINT_KIND=lambda): a message in, its answer out.

Lambda imports this file once for each copy of the function. A broken package fails then, before a request.
"""

import json
import time
from pathlib import Path
from typing import Any

from training.endpoint import inference

FOLDER = Path(__file__).resolve().parent
JSON = "application/json"
GOLDEN = '{"reviews":[{"review":"A warm, funny and beautifully acted film."}],"explain":"words"}'


class UnhealthyError(Exception):
    """The model can't answer the golden review."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return status, body and content type for a body; log status, size and time, never the text."""
    began = time.monotonic()
    body = event["body"]
    response = inference.respond(body, event.get("content_type"), event.get("accept"), _model)
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    line = {"status": response.status, "characters": len(body), "ms": milliseconds}
    print(json.dumps({**line, "request_id": event.get("request_id")}))
    return {
        "status": response.status,
        "body": response.body.decode(),
        "content_type": response.content_type,
    }


def _load() -> inference.LoadedModel:
    model = inference.model_fn(FOLDER)
    response = inference.respond(GOLDEN, JSON, JSON, model)
    if response.status != 200:
        raise UnhealthyError(f"the golden review got status {response.status}")
    return model


_model = _load()
