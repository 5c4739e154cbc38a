"""The PyTorch image's program: what its toolkit asks of a module, and refusals with their own status."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from training.endpoint import inference
from training.endpoint.entry import pytorch_image
from vocab.messages import JSON


class Context:
    """The toolkit's context, reduced to the status that was set."""

    def __init__(self) -> None:
        self.statuses: list[tuple[int, str]] = []

    def set_response_status(self, code: int, phrase: str) -> None:
        self.statuses.append((code, phrase))


def test_the_toolkit_finds_the_functions_that_it_looks_for() -> None:
    """The toolkit counts parameters to find a context, and refuses transform_fn beside the other hooks."""
    assert len(inspect.signature(pytorch_image.model_fn).parameters) == 1
    assert len(inspect.signature(pytorch_image.transform_fn).parameters) == 5
    assert not {"input_fn", "predict_fn", "output_fn"} & set(dir(pytorch_image))


def test_an_answer_is_that_of_the_hooks_and_sets_no_status(package: Path) -> None:
    model, context = pytorch_image.model_fn(package), Context()
    body = b'{"reviews": [{"review": "A fine film."}]}'
    answer = pytorch_image.transform_fn(model, body, JSON, JSON, context)
    assert answer == inference.respond(body, JSON, JSON, model)[1:]
    assert json.loads(answer[0])["answers"]
    assert context.statuses == []


@pytest.mark.parametrize(
    ("message", "content_type", "status", "phrase", "code"),
    [
        (b"{", JSON, 400, "Bad Request", "malformed_json"),
        (b'{"reviews": [{"ids": [300], "sentences": [1]}]}', JSON, 409, "Conflict", "vocabulary_mismatch"),
        (b"a,b", "text/csv", 415, "Unsupported Media Type", "unsupported_media_type"),
    ],
)
def test_a_refusal_sets_its_status(
    message: bytes, content_type: str, status: int, phrase: str, code: str, model: Any
) -> None:
    context = Context()
    body, kind = pytorch_image.transform_fn(model, message, content_type, JSON, context)
    assert context.statuses == [(status, phrase)]
    assert (json.loads(body)["code"], kind) == (code, JSON)
