"""Call the model in a second Lambda function, by the message and the answer of an endpoint."""

import json
from typing import Any

from chalicelib.endpoint_errors import ModelRefusal
from vocab import messages


def invoke(client: Any, function: str, body: bytes, request_id: str) -> bytes:
    """Send a message to a function ("name:alias") by a boto3 lambda client; return its answer.

    Raises ModelRefusal with the status of the hooks, or without one when the function failed.
    """
    types = {"content_type": messages.JSON, "accept": messages.JSON}
    event = {"body": body.decode(), **types, "request_id": request_id}
    answer = client.invoke(FunctionName=function, Payload=messages.to_json(event))
    payload = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise ModelRefusal(None, payload[:500].decode(errors="replace"))
    try:
        response = json.loads(payload)
        status, text = response["status"], str(response["body"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRefusal(None, "no answer of ours") from error
    if status != 200:
        raise ModelRefusal(status)
    return text.encode()
