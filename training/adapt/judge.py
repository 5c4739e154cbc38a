"""Judge what an adaptation brought, by reviews that the fit in question has not seen."""

from typing import Any, NamedTuple

import numpy as np

from training.evaluation import metrics, significance
from training.evaluation.significance import Figure

# Whether it is better can't be told from reviews on which the base does worse than a coin.
UNCLEAR = "unclear"


class Tuned(NamedTuple):
    """A network that has learned, and what fits without a review say about it.

    ``unseen`` is P(positive), float64 (reviews,), and ``outright`` whether it lies outside the band, both by
    fits that had not seen the review or its group. ``how`` says what was fitted, ``settings`` how.
    """

    network: bytes
    temperature: float
    band: tuple[float, float]
    unseen: np.ndarray
    outright: np.ndarray
    how: str
    settings: dict[str, Any]


class Judged(NamedTuple):
    """How base and adapted model do on reviews they have not learned from."""

    before: dict[str, Any]
    after: dict[str, Any]
    figures: dict[str, Figure]
    outcome: str
    commoner: float


def judge(
    before: np.ndarray,
    tuned: Tuned,
    labels: np.ndarray,
    groups: np.ndarray,
    tokens: np.ndarray,
    base: dict[str, Any],
) -> Judged:
    """Compare the base, whose card and P(positive) are given, with what was tuned."""
    figures = significance.compare(before, tuned.unseen, labels, groups)
    outcome = significance.outcome(figures)
    if outcome == "better" and figures["accuracy"].after <= commoner(labels):
        outcome = "no different"
    if significance.is_below_guessing(before, labels, groups):
        outcome = UNCLEAR
    return Judged(
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
    """Give a split's figures, where each review has a band of its own, fitted without it."""
    positive = probabilities >= 0.5
    right = positive == (labels == 1)
    return metrics.summary(probabilities, labels, band) | {
        "coverage": float(outright.mean()),
        "accuracy_outright": _share(right[outright]),
        "accuracy_positive": _share(right[outright & positive]),
        "accuracy_negative": _share(right[outright & ~positive]),
        "positive_outright": _share(positive[outright]),
    }


def _share(those: np.ndarray) -> float | None:
    return float(those.mean()) if len(those) else None


def commoner(labels: np.ndarray) -> float:
    """Give the share of the commoner label: what is right by always saying the same."""
    return float(max(labels.mean(), 1 - labels.mean()))


def sentence_of(judged: Judged) -> str:
    """Say in one sentence what adapting brought."""
    accuracy, ece = judged.figures["accuracy"], judged.figures["ece"]
    if judged.outcome == UNCLEAR:
        return (
            f"Unclear: the base is right for {100 * accuracy.before:.1f} % of these reviews, less than by"
            " guessing. Either their labels are swapped, or they were chosen because it is wrong on them, and"
            " what learns from such alone is wrong on others; add labelled reviews that no verdict chose."
        )
    low, high = (100 * one for one in accuracy.interval)
    said = judged.outcome.capitalize() + significance.by_what(judged.outcome, judged.figures)
    end = "."
    if accuracy.after <= judged.commoner:
        end = f"; always saying the same would be right for {100 * judged.commoner:.1f} %."
    return (
        f"{said}: right for {100 * accuracy.after:.1f} % of reviews it has not learned"
        f" from, where the base is right for {100 * accuracy.before:.1f} % (a difference of"
        f" {100 * accuracy.difference:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}); calibration"
        f" error {100 * ece.after:.1f} %, before {100 * ece.before:.1f} %{end}"
    )
