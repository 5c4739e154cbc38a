"""opinion_fit.py: what the rule learns from, and the fit."""

import numpy as np
import pytest

from training.data.dataset import Review
from training.endpoint import inference
from training.endpoint.opinion import FEATURES, KINDS
from training.recipe import opinion_fit


def test_the_fit_tells_kinds_apart_that_a_feature_tells_apart() -> None:
    drawn = np.random.default_rng(0)
    kinds = np.arange(400) % (len(KINDS) + 1)
    features = drawn.normal(size=(400, FEATURES))
    features[:, -1] = 1
    for column in range(len(KINDS)):
        features[:, column] = 50 + 20 * (kinds == column + 1) + drawn.normal(size=400)
    numbers = opinion_fit.fit_rule(features, kinds, np.ones(400))
    scores = np.column_stack([np.zeros(400), features @ numbers.T])
    assert (scores.argmax(axis=1) == kinds).all()


def test_an_example_of_no_weight_teaches_nothing() -> None:
    drawn = np.random.default_rng(1)
    features, kinds = drawn.normal(size=(60, FEATURES)), np.arange(60) % 4
    features[:, -1] = 1
    weights = np.where(np.arange(60) < 40, 1.0, 0.0)
    changed = kinds.copy()
    changed[40:] = 0
    found = [opinion_fit.fit_rule(features, row, weights) for row in (kinds, changed)]
    assert np.allclose(*found, atol=0.02)


def test_held_cases_and_their_films_teach_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [
        {"text": "A fine film.", "label": "clear", "half": "open"},
        {"text": "Fine music, poor jokes.", "label": "mixed", "half": "open"},
        {"text": "Never learn this.", "label": "mixed", "half": "held", "review": "one"},
    ]
    reviews = [
        Review("one", "Of a film with a held case.", 1, 10, "held film"),
        Review("two", "Good from start to end.", 1, 10, "film"),
        Review("three", "It has its moments.", 1, 7, "film"),
        Review("four", "Neither here nor there.", 0, 3, "film"),
    ]
    read: list[str] = []
    monkeypatch.setattr(opinion_fit, "load_cases", lambda _: cases)
    monkeypatch.setattr(
        opinion_fit, "read", lambda _, text: (read.append(text), np.full(FEATURES, len(read)))[1]
    )
    features, kinds, weights = opinion_fit.examples(None, reviews)  # type: ignore[arg-type]
    assert read == ["A fine film.", "Fine music, poor jokes.", reviews[1].text, *[reviews[2].text] * 2]
    assert features.shape == (5, FEATURES)
    assert kinds.tolist() == [0, 1, 0, 1, 0]
    assert weights.tolist() == [1, 1, *(getattr(opinion_fit, name) for name in WEIGHTS)]


WEIGHTS = ("PLAIN_WEIGHT", "MIXED_WEIGHT", "MIXED_AS_PLAIN_WEIGHT")


def test_a_text_is_read_as_the_rule_reads_it_when_it_serves() -> None:
    model = inference.model_fn(inference.MODEL_FOLDER)
    seen: list[np.ndarray] = []

    class Spy(type(model.network.rule)):  # type: ignore[misc]
        def features_of(self, *arguments: object) -> np.ndarray:
            seen.append(super().features_of(*arguments))
            return seen[-1]

    text = "The music is lovely, but the jokes are stale. I left early."
    spying = model._replace(network=model.network._replace(rule=Spy(*model.network.rule)))
    spying.predict(text)
    assert np.array_equal(opinion_fit.read(model, text), seen[0])
