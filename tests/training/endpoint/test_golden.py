"""The golden review: a model that answers it is loaded, another one is refused."""

import json

import pytest

from training.endpoint import golden, inference


def test_the_published_model_answers_it_with_words() -> None:
    model = golden.load(inference.MODEL_FOLDER)
    (verdict,) = json.loads(golden.answer(model))["answers"]
    assert verdict["probability"] > 0.9


def test_a_model_that_can_t_answer_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = inference.Response(400, b"{}", "application/json")
    monkeypatch.setattr(inference, "respond", lambda *_: refusal)
    with pytest.raises(golden.UnhealthyError, match="the golden review got status 400"):
        golden.load(inference.MODEL_FOLDER)
