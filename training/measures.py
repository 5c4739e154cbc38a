"""Judge probabilities: accuracy, likelihood, Brier, calibration error, temperature, uncertain band.

``logits`` are float (reviews,), ``labels`` are 0 or 1 (reviews,), ``probabilities`` are P(positive).
"""

import numpy as np

BINS = 15
# What is said outright shall be right this often; the rest is "uncertain".
SAID_OUTRIGHT = 0.95
# Never call more than this share uncertain, nor leave no band at all.
MIN_COVERAGE, MIN_THRESHOLD = 0.5, 0.55


def probabilities_of(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Give P(positive) = sigmoid(logit / temperature)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    return np.exp(-np.logaddexp(0, -scaled))


def nll(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Give the mean negative log-likelihood, in nats."""
    signed = np.where(labels == 1, 1.0, -1.0) * np.asarray(logits, dtype=np.float64) / temperature
    return float(np.logaddexp(0, -signed).mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Give the temperature of least NLL, 0.2 to 5, by golden-section search on its logarithm.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    ratio = (np.sqrt(5) - 1) / 2
    low, high = np.log(0.2), np.log(5.0)
    while high - low > 1e-5:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if nll(logits, labels, float(np.exp(left))) < nll(logits, labels, float(np.exp(right))):
            high = right
        else:
            low = left
    return round(float(np.exp((low + high) / 2)), 4)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Give the mean gap between confidence and accuracy over ``bins`` bins of equal mass, 0..1."""
    return float(
        sum(
            row["share"] * abs(row["confidence"] - row["accuracy"])
            for row in reliability(probabilities, labels, bins)
        )
    )


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> list[dict[str, float]]:
    """Give confidence and accuracy of the predicted class in bins of equal mass."""
    positive = probabilities >= 0.5
    confidence = np.where(positive, probabilities, 1 - probabilities)
    right = positive == (labels == 1)
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
    positive = probabilities >= 0.5
    confidence = np.where(positive, probabilities, 1 - probabilities)
    right = positive == (labels == 1)
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(accuracy >= SAID_OUTRIGHT)
    covered = max(int(good[-1]) + 1 if len(good) else 0, int(MIN_COVERAGE * len(order)))
    threshold = round(max(float(confidence[order[covered - 1]]), MIN_THRESHOLD), 3)
    return round(1 - threshold, 3), threshold


def summary(
    probabilities: np.ndarray, labels: np.ndarray, band: tuple[float, float]
) -> dict[str, float | None]:
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
        "coverage": float(outright.mean()),
        "accuracy_outright": float(right[outright].mean()) if outright.any() else None,
    }


def by_length(
    probabilities: np.ndarray, labels: np.ndarray, lengths: np.ndarray, band: tuple[float, float]
) -> list[dict[str, float | None]]:
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
