"""The endpoint's hooks as a Lambda function (ENDPOINT_KIND=lambda): a message in, its answer out.

Lambda imports this file once for each copy of the function. A broken package fails then, before a request.
"""

import json
import time
from pathlib import Path
from typing import Any

from training.endpoint import golden, inference

FOLDER = Path(__file__).resolve().parent


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


_model = golden.load(FOLDER)
