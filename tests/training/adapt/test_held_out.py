"""The evaluation of an adapted model: its sentence says what decided, and agrees with every figure in it."""

import itertools

import numpy as np
import pytest

from training.adapt.held_out import OUTCOMES, Evaluation, TunedModel, evaluate, sentence_of

REVIEWS = 300
BASE = {"uncertain": [0.4, 0.6]}


def evaluated(before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> Evaluation:
    outright = np.abs(after - 0.5) > 0.1
    tuned = TunedModel(b"", 1.0, (0.4, 0.6), after, outright, "", {})
    return evaluate(before, tuned, labels, np.arange(len(labels)), np.full(len(labels), 20), BASE)


def answers(skill: float, sureness: float, lean: float, seed: int) -> np.ndarray:
    """Return P(positive), float64 (reviews,), of a model that knows a part of what decides the labels."""
    known, luck = np.random.default_rng(0).normal(size=REVIEWS), np.random.default_rng(seed)
    logits = sureness * (skill * known + (1 - skill) * luck.normal(size=REVIEWS)) + lean
    return 1 / (1 + np.exp(-logits))


def labels_of(positive: float) -> np.ndarray:
    known, luck = np.random.default_rng(0).normal(size=REVIEWS), np.random.default_rng(9)
    return (luck.random(REVIEWS) < 1 / (1 + np.exp(-3 * known - positive))).astype(int)


MODELS = list(itertools.product((0.5, 1.0), (1.0, 3.0, 12.0)))


@pytest.mark.parametrize("base", MODELS[1::4])
@pytest.mark.parametrize("positive", [0.0, 3.0])
def test_the_sentence_never_contradicts_a_figure_in_it(base: tuple[float, float], positive: float) -> None:
    labels = labels_of(positive)
    before = answers(*base, 0.0, seed=1)
    for model in MODELS:
        evaluation = evaluated(before, answers(*model, 0.5, seed=2), labels)
        sentence, figures = sentence_of(evaluation), evaluation.figures
        assert evaluation.outcome in OUTCOMES
        if evaluation.outcome == "unclear":
            continue
        worse = [
            figures["accuracy"].interval[1] < 0,
            figures["ece"].interval[0] > 0,
            figures["nll"].interval[0] > 0,
        ]
        calibrated = figures["ece"].interval[1] < 0
        useful = figures["accuracy"].after > evaluation.commoner
        assert sentence.startswith("Better in ") == (evaluation.outcome == "better") or any(worse)
        assert not (evaluation.outcome == "better" and any(worse))
        assert evaluation.outcome == "better" or not (calibrated and useful) or any(worse)
        assert evaluation.outcome != "worse" or not calibrated
        assert f"calibration error {100 * figures['ece'].after:.1f} %" in sentence
        assert f"log loss {figures['nll'].after:.3f}, before {figures['nll'].before:.3f}" in sentence
        assert sentence.count("95 % interval") == 3


def test_a_model_that_log_loss_alone_makes_better_says_so_with_the_interval() -> None:
    labels = labels_of(0.0)
    before, after = answers(1.0, 12.0, 0.0, 1), answers(1.0, 3.0, 0.0, 1)
    evaluation = evaluated(before, after, labels)
    low, high = evaluation.figures["nll"].interval
    sentence = sentence_of(evaluation)
    assert sentence.startswith(
        "Better in calibration error and log loss, while accuracy may differ by chance: "
    )
    assert f"95 % interval {low:+.3f} to {high:+.3f}" in sentence


def test_what_is_right_more_often_but_calibrated_worse_is_mixed() -> None:
    labels = labels_of(0.0)
    before, after = answers(0.5, 2.0, 0.0, 1), answers(1.0, 90.0, 0.0, 1)
    evaluation = evaluated(before, after, labels)
    assert evaluation.figures["accuracy"].interval[0] > 0 and evaluation.figures["ece"].interval[0] > 0
    assert evaluation.outcome == "mixed"
    assert sentence_of(evaluation).startswith("Better in accuracy and worse in calibration error")


def test_to_be_surer_of_the_commoner_label_is_no_use() -> None:
    labels = (np.arange(REVIEWS) % 4 > 0).astype(int)
    before, after = np.full(REVIEWS, 0.55), np.full(REVIEWS, 0.75)
    evaluation = evaluated(before, after, labels)
    assert evaluation.outcome == "no different"
    start = "No different in use, since always saying the same would be right for 75.0 %: "
    assert sentence_of(evaluation).startswith(start)
