"""Judge probabilities: accuracy, confusion, likelihood, Brier, calibration, risk and coverage, the band.

``logits`` are float (reviews,), ``labels`` are 0 or 1 (reviews,), ``probabilities`` are P(positive).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

BINS = 15
# What is said outright shall be right this often; the rest is "uncertain".
SAID_OUTRIGHT = 0.95
# Never call more than this share uncertain, nor leave no band at all.
MIN_COVERAGE, MIN_THRESHOLD = 0.5, 0.55
# The surest 100 %, 95 %, ... 50 % of the reviews.
SHARES = tuple(percent / 100 for percent in range(100, 45, -5))
# No length may make a temperature smaller than this.
MIN_TEMPERATURE = 0.05
CHANCE_DRAWS = 100


def probabilities_of(logits: np.ndarray, temperature: float | np.ndarray = 1.0) -> np.ndarray:
    """Give P(positive) = sigmoid(logit / temperature); one temperature, or one a review."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    return np.exp(-np.logaddexp(0, -scaled))


def nll(logits: np.ndarray, labels: np.ndarray, temperature: float | np.ndarray = 1.0) -> float:
    """Give the mean negative log-likelihood, in nats."""
    return float(surprises(logits, labels, temperature).mean())


def surprises(logits: np.ndarray, labels: np.ndarray, temperature: float | np.ndarray = 1.0) -> np.ndarray:
    """Give -log P(label) of each review, float64 (reviews,), in nats."""
    signed = np.where(labels == 1, 1.0, -1.0) * np.asarray(logits, dtype=np.float64) / temperature
    return np.logaddexp(0, -signed)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Give the temperature of least NLL, 0.2 to 5, by golden-section search on its logarithm.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    found = _least(lambda log: nll(logits, labels, math.exp(log)), math.log(0.2), math.log(5.0))
    return round(math.exp(found), 4)


def fit_length_temperature(
    logits: np.ndarray, labels: np.ndarray, lengths: np.ndarray
) -> tuple[float, float]:
    """Give a and b of the temperature a + b * log(tokens) of least NLL; b lies from -0.5 to 0.5."""
    logs = np.log(lengths)
    middle = float(logs.mean())

    def of_slope(slope: float) -> tuple[float, float]:
        def loss(log: float) -> float:
            temperatures = np.maximum(math.exp(log) + slope * (logs - middle), MIN_TEMPERATURE)
            return nll(logits, labels, temperatures)

        best = _least(loss, math.log(0.2), math.log(5.0), 1e-4)
        return math.exp(best), loss(best)

    slope = _least(lambda slope: of_slope(slope)[1], -0.5, 0.5, 1e-3)
    return of_slope(slope)[0] - slope * middle, slope


def length_temperatures(lengths: np.ndarray, a: float, b: float) -> np.ndarray:
    """Give the temperature a + b * log(tokens) of each review, never below MIN_TEMPERATURE."""
    return np.maximum(a + b * np.log(lengths), MIN_TEMPERATURE)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Give the mean gap between confidence and accuracy over ``bins`` bins of equal mass, 0..1."""
    return float(
        sum(
            row["share"] * abs(row["confidence"] - row["accuracy"])
            for row in reliability(probabilities, labels, bins)
        )
    )


def positive_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Give the mean gap between P(positive) and the share that is positive, over bins of equal mass, 0..1.

    Stricter than the verdict's: a lean to one side, which the other side makes good there, shows here.
    """
    order = np.argsort(probabilities, kind="stable")
    gaps = [
        abs(float((probabilities[rows] - labels[rows]).sum()))
        for rows in np.array_split(order, min(bins, len(order)))
    ]
    return sum(gaps) / len(order)


def error_by_chance(probabilities: np.ndarray, bins: int = BINS) -> float:
    """Give the calibration error that so many perfectly calibrated probabilities would show, 0..1.

    The mean over CHANCE_DRAWS drawn sets of labels: few reviews in a bin rarely match their mean.
    """
    confidence = np.sort(np.maximum(probabilities, 1 - probabilities))
    draws = np.random.default_rng(0).random((CHANCE_DRAWS, len(confidence))) < confidence
    gaps = [
        np.abs((draws[:, rows] - confidence[rows]).sum(axis=1))
        for rows in np.array_split(np.arange(len(confidence)), min(bins, len(confidence)))
    ]
    return float(np.sum(gaps, axis=0).mean() / len(confidence))


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> list[dict[str, float]]:
    """Give confidence and accuracy of the predicted class in bins of equal mass."""
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
    """Give the narrowest band around 0.5 outside of which SAID_OUTRIGHT of the verdicts are right."""
    confidence, right = _verdicts(probabilities, labels)
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(accuracy >= SAID_OUTRIGHT)
    covered = max(int(good[-1]) + 1 if len(good) else 0, int(MIN_COVERAGE * len(order)))
    threshold = round(max(float(confidence[order[covered - 1]]), MIN_THRESHOLD), 3)
    return round(1 - threshold, 3), threshold


def accuracy_of_surest(probabilities: np.ndarray, labels: np.ndarray, share: float) -> float:
    """Give the accuracy on the surest ``share`` of the reviews, at least one of them.

    Reviews that are as sure as the last one taken count by their mean, so their order changes nothing.
    """
    confidence, right = _verdicts(probabilities, labels)
    count = _count_of(share, len(confidence))
    least = np.sort(confidence)[-count]
    surer, as_sure = confidence > least, confidence == least
    return float((right[surer].sum() + (count - surer.sum()) * right[as_sure].mean()) / count)


def risk_coverage(probabilities: np.ndarray, labels: np.ndarray) -> list[dict[str, float]]:
    """Give the accuracy of the surest 100 %, 95 %, ... 50 %, and how sure the least sure of them is.

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
    """Count the reviews by what was said and what is true."""
    said, true = probabilities >= 0.5, labels == 1
    return {
        "true_positive": int((said & true).sum()),
        "false_positive": int((said & ~true).sum()),
        "true_negative": int((~said & ~true).sum()),
        "false_negative": int((~said & true).sum()),
    }


def summary(probabilities: np.ndarray, labels: np.ndarray, band: tuple[float, float]) -> dict[str, Any]:
    """Give every figure of a split in one dict; shares lie in 0..1, None where nothing was said."""
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
    """Give the summary for each quarter of the reviews by their number of tokens."""
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
    """Give the summary for reviews without a negator, and for thirds of the others by how dense they are.

    ``negators`` counts them in a review's ``lengths`` tokens. Groups without a review are left out.
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
    """Give how sure each verdict is, 0.5..1, and whether it is right."""
    positive = probabilities >= 0.5
    return np.where(positive, probabilities, 1 - probabilities), positive == (labels == 1)


def _count_of(share: float, reviews: int) -> int:
    return max(math.ceil(share * reviews - 1e-9), 1)


def _least(loss: Callable[[float], float], low: float, high: float, width: float = 1e-5) -> float:
    """Give where a loss with one valley is least, by golden-section search."""
    ratio = (math.sqrt(5) - 1) / 2
    while high - low > width:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return (low + high) / 2
