"""The network's score of a review, and the model that computed it."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

# Contributions are sent with this many decimals. Logit and probability are computed from the rounded values.
DECIMALS = 6


class Model(NamedTuple):
    """The model that answered. Between the two probabilities of ``uncertain`` it gives no verdict."""

    id: str
    vocabulary: str
    uncertain: tuple[float, float]


class Score(NamedTuple):
    """The network's score: bias + sum of contributions = logit, with one contribution a token.

    ``contributions`` is empty when the request wants no explanation.
    """

    logit: float
    probability: float
    bias: float
    contributions: list[float]


def build_score(bias: float, contributions: Sequence[float]) -> Score:
    """Build the score from rounded parts, so that logit = bias + sum(contributions) holds exactly."""
    rounded = [round(float(value), DECIMALS) for value in contributions]
    bias = round(float(bias), DECIMALS)
    logit = round(math.fsum([bias, *rounded]), DECIMALS)
    return Score(logit, round(sigmoid(logit), DECIMALS), bias, rounded)


def sigmoid(logit: float) -> float:
    """Return 1 / (1 + exp(-logit)) without overflow."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))


def model_message(model: Model) -> dict[str, Any]:
    """Return the part of an answer that names its model and the model's uncertain band."""
    return {"id": model.id, "vocabulary": model.vocabulary, "uncertain": list(model.uncertain)}
