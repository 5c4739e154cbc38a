"""Evaluate an adapted model on reviews that its fit has not seen."""

from typing import Any, NamedTuple

import numpy as np

from training.evaluation import metrics, significance
from training.evaluation.significance import Figure

# The outcome where the base is right less often than a coin: such reviews can't show an improvement.
UNCLEAR = "unclear"
OUTCOMES = (significance.BETTER, significance.ALIKE, significance.MIXED, significance.WORSE, UNCLEAR)


class TunedModel(NamedTuple):
    """A fitted network and its answers to held-out reviews.

    ``unseen`` is P(positive), float64 (reviews,). ``outright``, bool (reviews,), is true outside the
    uncertain band. Both come from fits that have not seen the review or its group. ``temperature`` divides
    logits that the base's calibration has calibrated. ``method`` names what was fitted, ``settings`` its
    parameters.
    """

    network: bytes
    temperature: float
    band: tuple[float, float]
    unseen: np.ndarray
    outright: np.ndarray
    method: str
    settings: dict[str, Any]


class Evaluation(NamedTuple):
    """Metrics of base and adapted model on held-out reviews.

    ``commoner`` is the accuracy of always answering the commoner label.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    figures: dict[str, Figure]
    outcome: str
    commoner: float


def evaluate(
    before: np.ndarray,
    tuned: TunedModel,
    labels: np.ndarray,
    groups: np.ndarray,
    tokens: np.ndarray,
    base: dict[str, Any],
) -> Evaluation:
    """Compare a tuned model with its base, by the base's P(positive) and its card.

    ``before`` is float64 (reviews,); ``labels``, ``groups`` and ``tokens`` are int (reviews,).
    """
    figures = significance.compare(before, tuned.unseen, labels, groups)
    outcome = significance.outcome(figures)
    if outcome == significance.BETTER and figures["accuracy"].after <= commoner(labels):
        outcome = significance.ALIKE
    if significance.is_below_guessing(before, labels, groups):
        outcome = UNCLEAR
    return Evaluation(
        metrics.summary(before, labels, tuple(base["uncertain"])),
        summary_of(tuned.unseen, tuned.outright, labels, tuned.band)
        | {"by_length": metrics.by_length(tuned.unseen, labels, tokens, tuned.band)},
        figures,
        outcome,
        commoner(labels),
    )


def summary_of(
    probabilities: np.ndarray, outright: np.ndarray, labels: np.ndarray, band: tuple[float, float]
) -> dict[str, Any]:
    """Return the metrics of reviews, each held against a band that was fitted without it."""
    positive = probabilities >= 0.5
    right = positive == (labels == 1)
    return metrics.summary(probabilities, labels, band) | {
        "coverage": float(outright.mean()),
        "accuracy_outright": _share(right[outright]),
        "accuracy_positive": _share(right[outright & positive]),
        "accuracy_negative": _share(right[outright & ~positive]),
        "positive_outright": _share(positive[outright]),
    }


def _share(right: np.ndarray) -> float | None:
    return float(right.mean()) if len(right) else None


def commoner(labels: np.ndarray) -> float:
    """Return the share of the commoner label: the accuracy of always answering the same."""
    return float(max(labels.mean(), 1 - labels.mean()))


def sentence_of(evaluation: Evaluation) -> str:
    """Return one sentence on what adapting changed, and by which metrics that was decided."""
    accuracy, ece, log_loss = (evaluation.figures[name] for name in ("accuracy", "ece", "nll"))
    if evaluation.outcome == UNCLEAR:
        return (
            f"Unclear: the base is right for {100 * accuracy.before:.1f} % of these reviews, less than by"
            " guessing. Their labels are swapped, or they were chosen because the base is wrong on them."
            " Add labelled reviews that were not chosen by their verdicts."
        )
    gaps = {name: significance.difference(name, figure) for name, figure in evaluation.figures.items()}
    return (
        f"{_beginning(evaluation)}: right for {100 * accuracy.after:.1f} % of reviews it has not learned"
        f" from, where the base is right for {100 * accuracy.before:.1f} % ({gaps['accuracy']});"
        f" log loss {log_loss.after:.3f}, before {log_loss.before:.3f} ({gaps['nll']}); calibration error"
        f" {100 * ece.after:.1f} %, before {100 * ece.before:.1f} % ({gaps['ece']})."
    )


def _beginning(evaluation: Evaluation) -> str:
    """Return the outcome, with what decided it."""
    described = significance.describe(evaluation.figures).capitalize()
    if evaluation.figures["accuracy"].after > evaluation.commoner:
        return described
    same = f"always saying the same would be right for {100 * evaluation.commoner:.1f} %"
    if evaluation.outcome != significance.outcome(evaluation.figures):
        return f"No different in use, since {same}"
    return f"{described}, and {same}"
