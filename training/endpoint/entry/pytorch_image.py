"""What SageMaker's PyTorch image runs (SAGEMAKER_PROGRAM): the hooks, with refusals as their own status.

The image's toolkit would make any error of inference.py a 500, and put the traceback with the error's
words into body and log. It gives its context to a transform_fn that asks for it; that sets the status.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from training.endpoint import inference


def model_fn(model_dir: str | Path) -> inference.LoadedModel:
    """Load the model, as inference.model_fn does."""
    return inference.model_fn(model_dir)


def transform_fn(
    model: inference.LoadedModel,
    body: bytes | bytearray | str,
    content_type: str | None,
    accept: str | None,
    context: Any,
) -> tuple[bytes, str]:
    """Answer a request. Gives body and content type; the status goes to the toolkit's context."""
    response = inference.respond(body, content_type, accept, model)
    if response.status != HTTPStatus.OK:
        context.set_response_status(code=response.status, phrase=HTTPStatus(response.status).phrase)
    return response.body, response.content_type
