"""Call the model's Lambda function by an alias or a version, and wait while the function changes."""

import json
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from training.aws.cloud import Cloud, CloudError, code_of
from vocab import messages

POLL_SECONDS, WAIT_SECONDS = 2.0, 300
# The function is being set up or changed; too many calls come at once.
_PASSING = (
    "ResourceConflictException",
    "ResourceNotReadyException",
    "ServiceException",
    "TooManyRequestsException",
)
Answer = TypeVar("Answer")


def is_alias(endpoint: str) -> bool:
    """Return whether an endpoint's name is that of a function's alias or version.

    >>> is_alias("verdict-dev-model:live"), is_alias("verdict-dev")
    (True, False)
    """
    return ":" in endpoint


def invoke(cloud: Cloud, target: str, body: bytes) -> bytes:
    """Send a message to an alias or a version, and return the answer. Raises CloudError."""
    event = {"body": body.decode(), "content_type": messages.JSON, "accept": messages.JSON}
    client = cloud.client("lambda")
    answer = patiently(lambda: client.invoke(FunctionName=target, Payload=messages.to_json(event)))
    payload = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise CloudError(f"function {target} failed: {payload[:300].decode(errors='replace')}")
    response = json.loads(payload)
    if response["status"] != 200:
        raise CloudError(f"function {target} can't answer: {response['body'][:300]}")
    return str(response["body"]).encode()


def patiently(call: Callable[[], Answer]) -> Answer:
    """Return a call's result; repeat it while AWS says that the function is not ready."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return call()
        except ClientError as error:
            if code_of(error) not in _PASSING or time.monotonic() > deadline:
                raise
        time.sleep(POLL_SECONDS)
