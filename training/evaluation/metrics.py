"""Metrics of probabilities: accuracy, confusion, log loss, Brier, calibration, risk and coverage, the band.

``logits`` are float (reviews,), ``labels`` 0 or 1, (reviews,), and ``probabilities`` P(positive), (reviews,).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from training.endpoint.calibration import Calibration, length_share

BINS = 15
# Share right among verdicts that are not "uncertain".
OUTRIGHT_ACCURACY = 0.95
# At least this share gets a verdict, and the band is never narrower than this threshold.
MIN_COVERAGE, MIN_THRESHOLD = 0.5, 0.55
# The surest 100 %, 95 %, ... 50 % of the reviews.
SHARES = tuple(percent / 100 for percent in range(100, 45, -5))
CHANCE_DRAWS = 100
# How far from 0 a fitted shift is expected to be; fewer reviews leave it nearer to 0. Assumed, not measured.
SHIFT_SD = 0.05


def probabilities_of(logits: np.ndarray, temperature: float | np.ndarray = 1.0) -> np.ndarray:
    """Return P(positive) = sigmoid(logit / temperature), with one temperature or one for each review."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    return np.exp(-np.logaddexp(0, -scaled))


def nll(logits: np.ndarray, labels: np.ndarray, temperature: float | np.ndarray = 1.0) -> float:
    """Return the mean log loss (negative log-likelihood), in nats."""
    return float(log_losses(logits, labels, temperature).mean())


def log_losses(logits: np.ndarray, labels: np.ndarray, temperature: float | np.ndarray = 1.0) -> np.ndarray:
    """Return the log loss -log P(label) of each review, float64 (reviews,), in nats."""
    signed = np.where(labels == 1, 1.0, -1.0) * np.asarray(logits, dtype=np.float64) / temperature
    return np.logaddexp(0, -signed)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Fit the temperature of least log loss, 0.2 to 5, by golden-section search on its logarithm.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    best = _least(lambda log: nll(logits, labels, math.exp(log)), math.log(0.2), math.log(5.0))
    return round(math.exp(best), 4)


def fit_calibration(
    sums: np.ndarray,
    tokens: np.ndarray,
    sentences: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None = None,
) -> Calibration:
    """Fit temperatures and shift of least log loss to the network's sums, each float64 (texts,).

    The shift has a normal prior of mean 0 and standard deviation SHIFT_SD, since the network has learned
    from as many positive as negative reviews.

    :param tokens: the tokens of each text, int (texts,)
    :param sentences: the sentences of each text, int (texts,)
    :param targets: the label, 0 or 1, or 0.5 for a text without an opinion, (texts,)
    :param weights: how much each text counts, float64 (texts,); 1 each when absent
    """
    from scipy.optimize import minimize  # imported here, since only export needs it

    share = np.array([length_share(int(length)) for length in tokens])
    shifted = np.where(sentences > 1, share, 0.0)

    def calibrated(parameters: np.ndarray) -> np.ndarray:
        long, short = np.exp(parameters[:2])
        logits: np.ndarray = shifted * parameters[2] + sums / (short + share * (long - short))
        return logits

    def loss(parameters: np.ndarray) -> float:
        logits = calibrated(parameters)
        losses = np.logaddexp(0, logits) - targets * logits
        return float(np.average(losses, weights=weights) + (parameters[2] / SHIFT_SD) ** 2 / 2 / len(losses))

    bounds = [(math.log(0.2), math.log(5.0))] * 2 + [(-1.0, 1.0)]
    found = minimize(loss, np.zeros(3), method="L-BFGS-B", bounds=bounds).x
    long, short = np.exp(found[:2])
    return Calibration(round(float(long), 4), round(float(short), 4), round(float(found[2]), 4))


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Return the mean gap between confidence and accuracy over ``bins`` bins of equal mass, 0..1."""
    return float(
        sum(
            row["share"] * abs(row["confidence"] - row["accuracy"])
            for row in reliability(probabilities, labels, bins)
        )
    )


def positive_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Return the mean gap between P(positive) and the share that is positive, over bins of equal mass, 0..1.

    Stricter than ``expected_calibration_error``, where errors of the two sides can cancel out.
    """
    order = np.argsort(probabilities, kind="stable")
    gaps = [
        abs(float((probabilities[rows] - labels[rows]).sum()))
        for rows in np.array_split(order, min(bins, len(order)))
    ]
    return sum(gaps) / len(order)


def error_by_chance(probabilities: np.ndarray, bins: int = BINS) -> float:
    """Return the calibration error of these probabilities if they were perfectly calibrated, 0..1.

    The mean over CHANCE_DRAWS drawn sets of labels. Few reviews in a bin rarely match their mean.
    """
    confidence = np.sort(np.maximum(probabilities, 1 - probabilities))
    draws = np.random.default_rng(0).random((CHANCE_DRAWS, len(confidence))) < confidence
    gaps = [
        np.abs((draws[:, rows] - confidence[rows]).sum(axis=1))
        for rows in np.array_split(np.arange(len(confidence)), min(bins, len(confidence)))
    ]
    return float(np.sum(gaps, axis=0).mean() / len(confidence))


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> list[dict[str, float]]:
    """Return confidence and accuracy of the predicted class in bins of equal mass."""
    confidence, right = _verdicts(probabilities, labels)
    order = np.argsort(confidence, kind="stable")
    return [
        {
            "share": len(rows) / len(order),
            "confidence": float(confidence[rows].mean()),
            "accuracy": float(right[rows].mean()),
        }
        for rows in np.array_split(order, min(bins, len(order)))
    ]


def uncertain_band(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the narrowest band around 0.5 outside of which OUTRIGHT_ACCURACY of the verdicts are right."""
    confidence, right = _verdicts(probabilities, labels)
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(accuracy >= OUTRIGHT_ACCURACY)
    covered = max(int(good[-1]) + 1 if len(good) else 0, int(MIN_COVERAGE * len(order)))
    threshold = round(max(float(confidence[order[covered - 1]]), MIN_THRESHOLD), 3)
    return round(1 - threshold, 3), threshold


def accuracy_of_surest(probabilities: np.ndarray, labels: np.ndarray, share: float) -> float:
    """Return the accuracy on the surest ``share`` of the reviews, at least one of them.

    Reviews as sure as the last one count by their mean, so their order changes nothing.
    """
    confidence, right = _verdicts(probabilities, labels)
    count = _count_of(share, len(confidence))
    least = np.sort(confidence)[-count]
    surer, as_sure = confidence > least, confidence == least
    return float((right[surer].sum() + (count - surer.sum()) * right[as_sure].mean()) / count)


def risk_coverage(probabilities: np.ndarray, labels: np.ndarray) -> list[dict[str, float]]:
    """Return the accuracy of the surest 100 %, 95 %, ... 50 %, and the confidence of the least sure of them.

    Source: El-Yaniv & Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 2010.
    """
    confidence = np.sort(_verdicts(probabilities, labels)[0])
    return [
        {
            "share": share,
            "accuracy": accuracy_of_surest(probabilities, labels, share),
            "confidence_from": float(confidence[-_count_of(share, len(confidence))]),
        }
        for share in SHARES
    ]


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, int]:
    """Count the reviews by predicted and true label."""
    positive, true = probabilities >= 0.5, labels == 1
    return {
        "true_positive": int((positive & true).sum()),
        "false_positive": int((positive & ~true).sum()),
        "true_negative": int((~positive & ~true).sum()),
        "false_negative": int((~positive & true).sum()),
    }


def summary(probabilities: np.ndarray, labels: np.ndarray, band: tuple[float, float]) -> dict[str, Any]:
    """Return every metric of a split. Shares are 0..1, or None for the share of nothing."""
    right = (probabilities >= 0.5) == (labels == 1)
    outright = (probabilities <= band[0]) | (probabilities >= band[1])
    likelihood = np.where(labels == 1, probabilities, 1 - probabilities)
    return {
        "reviews": len(labels),
        "accuracy": float(right.mean()),
        "nll": float(-np.log(np.clip(likelihood, 1e-12, 1)).mean()),
        "brier": float(((probabilities - labels) ** 2).mean()),
        "ece": expected_calibration_error(probabilities, labels),
        "ece_by_chance": error_by_chance(probabilities),
        "ece_positive": positive_calibration_error(probabilities, labels),
        "coverage": float(outright.mean()),
        "accuracy_outright": _share(right[outright]),
        "accuracy_positive": _share(right[outright & (probabilities >= 0.5)]),
        "accuracy_negative": _share(right[outright & (probabilities < 0.5)]),
        "accuracy_of_surest_90": accuracy_of_surest(probabilities, labels, 0.9),
        "confusion": confusion(probabilities, labels),
    }


def _share(right: np.ndarray) -> float | None:
    return float(right.mean()) if len(right) else None


def by_length(
    probabilities: np.ndarray, labels: np.ndarray, lengths: np.ndarray, band: tuple[float, float]
) -> list[dict[str, Any]]:
    """Return the summary for each quarter of the reviews by their number of tokens."""
    order = np.argsort(lengths, kind="stable")
    return [
        {
            "tokens_from": int(lengths[rows].min()),
            "tokens_to": int(lengths[rows].max()),
            **summary(probabilities[rows], labels[rows], band),
        }
        for rows in np.array_split(order, min(4, len(order)))
    ]


def by_negation(
    probabilities: np.ndarray,
    labels: np.ndarray,
    negators: np.ndarray,
    lengths: np.ndarray,
    band: tuple[float, float],
) -> list[dict[str, Any]]:
    """Return the summary for reviews without a negator, and for thirds of the others by their density.

    ``negators`` are counts among a review's ``lengths`` tokens. Empty groups are left out.
    """
    density = 100 * negators / np.maximum(lengths, 1)
    without, others = np.flatnonzero(negators == 0), np.flatnonzero(negators > 0)
    thirds = np.array_split(others[np.argsort(density[others], kind="stable")], 3)
    return [
        {
            "negators": name,
            "per_100_tokens_from": float(density[rows].min()),
            "per_100_tokens_to": float(density[rows].max()),
            **summary(probabilities[rows], labels[rows], band),
        }
        for name, rows in zip(("none", "few", "some", "many"), (without, *thirds), strict=True)
        if len(rows)
    ]


def _verdicts(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each verdict's confidence, 0.5..1, and whether it is right, both (reviews,)."""
    positive = probabilities >= 0.5
    return np.where(positive, probabilities, 1 - probabilities), positive == (labels == 1)


def _count_of(share: float, reviews: int) -> int:
    return max(math.ceil(share * reviews - 1e-9), 1)


def _least(loss: Callable[[float], float], low: float, high: float, width: float = 1e-5) -> float:
    """Return the minimum of a loss with one valley, by golden-section search."""
    ratio = (math.sqrt(5) - 1) / 2
    while high - low > width:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return (low + high) / 2
