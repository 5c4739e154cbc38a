"""Entry file of SageMaker's PyTorch image (SAGEMAKER_PROGRAM): the hooks, with a status for each refusal.

The image's toolkit turns every error into a 500, with the traceback and the error's words in body and log.
It passes its context to a transform_fn that has that parameter, and the context sets the status.
"""

import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

CODE = Path(__file__).resolve().parent
sys.path.insert(0, str(CODE / "lib" / "{}.{}".format(*sys.version_info)))

from training.endpoint import inference  # noqa: E402


def model_fn(model_dir: str | Path) -> inference.LoadedModel:
    """Load the model. Raises what inference.model_fn raises."""
    return inference.model_fn(model_dir)


def transform_fn(
    model: inference.LoadedModel,
    body: bytes | bytearray | str,
    content_type: str | None,
    accept: str | None,
    context: Any,
) -> tuple[bytes, str]:
    """Return a response's body and content type, and set its status in the toolkit's context."""
    response = inference.respond(body, content_type, accept, model)
    if response.status != HTTPStatus.OK:
        context.set_response_status(code=response.status, phrase=HTTPStatus(response.status).phrase)
    return response.body, response.content_type
