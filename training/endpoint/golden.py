"""See that a model answers a golden review, so that a broken package never looks healthy."""

from http import HTTPStatus
from pathlib import Path

from training.endpoint import inference
from vocab.messages import JSON

GOLDEN = b'{"reviews":[{"review":"A warm, funny and beautifully acted film."}],"explain":"words"}'


class UnhealthyError(Exception):
    """The model does not answer the golden review, or answers it otherwise than before."""


def load(folder: str | Path) -> inference.LoadedModel:
    """Load a model that answers the golden review. Raises UnhealthyError and what model_fn raises."""
    model = inference.model_fn(folder)
    answer(model)
    return model


def answer(model: inference.LoadedModel) -> bytes:
    """Return the model's answer to the golden review. Raises UnhealthyError."""
    response = inference.respond(GOLDEN, JSON, JSON, model)
    if response.status != HTTPStatus.OK:
        raise UnhealthyError(f"the golden review got status {response.status}")
    return bytes(response.body)
