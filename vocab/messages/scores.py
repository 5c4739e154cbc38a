"""The network's score of a review, and the model that computed it."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

# Contributions are sent with this many decimals. Logit and probability are computed from the rounded values.
DECIMALS = 6
# What a review's sentences say together: one side, clear praise and clear complaint, or nothing of the film.
OPINIONS = ("one_sided", "mixed", "none")


class Model(NamedTuple):
    """The model that answered. Between the two probabilities of ``uncertain`` it gives no verdict."""

    id: str
    vocabulary: str
    uncertain: tuple[float, float]


class SentenceScore(NamedTuple):
    """A sentence's part of the logit, and P(positive) of it alone and of the review without it.

    ``without`` is None in a review of one sentence.
    """

    contribution: float
    alone: float
    without: float | None


class WordScores(NamedTuple):
    """A number a token: its part of the logit, and the fall of the logit when it is left out.

    An effect is None where it was not measured.
    """

    contributions: list[float]
    effects: list[float | None]


class AspectScore(NamedTuple):
    """The score of the clauses that mention an aspect, which the rest of their review may weaken.

    ``bias`` and ``opinion`` are those of a review that holds nothing but these clauses. ``contributions``
    are the clauses' parts of the whole review's logit, in order.
    """

    logit: float
    probability: float
    bias: float
    opinion: str
    contributions: list[float]


class Score(NamedTuple):
    """The network's score: bias + sum of contributions = logit, over sentences and over tokens.

    ``sentences``, ``words`` and ``aspects`` are None when the request does not ask for them; ``aspects``
    holds those that the review mentions. ``opinion`` is one of OPINIONS.
    """

    logit: float
    probability: float
    bias: float
    sentences: list[SentenceScore] | None = None
    words: WordScores | None = None
    opinion: str = "one_sided"
    aspects: list[AspectScore] | None = None


def build_score(bias: float, contributions: Sequence[float]) -> Score:
    """Build a score from the sentences' contributions, rounded before they are added."""
    bias = rounded(bias)
    logit = rounded(math.fsum([bias, *map(rounded, contributions)]))
    return Score(logit, rounded(sigmoid(logit)), bias)


def rounded(value: float) -> float:
    """Return a number with the decimals of a message, never -0.0."""
    return round(float(value), DECIMALS) + 0.0


def split_exactly(total: float, parts: Sequence[float]) -> list[float]:
    """Round parts so that their sum, rounded, is ``total``; the largest part takes the difference.

    >>> split_exactly(1.0, [0.3333333, 0.3333333, 0.3333334])
    [0.333334, 0.333333, 0.333333]
    """
    values = [rounded(part) for part in parts]
    largest = max(range(len(values)), key=lambda index: abs(values[index]))
    values[largest] = rounded(values[largest] + total - math.fsum(values))
    return values


def sigmoid(logit: float) -> float:
    """Return 1 / (1 + exp(-logit)) without overflow."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1 + odds)


def rounded_probabilities(logits: Iterable[float]) -> list[float]:
    """Return P(positive) of each logit, which is rounded first, with the decimals of a message."""
    return [round(sigmoid(round(logit, DECIMALS)), DECIMALS) for logit in logits]


def model_message(model: Model) -> dict[str, Any]:
    """Return the part of an answer that names its model and the model's uncertain band."""
    return {"id": model.id, "vocabulary": model.vocabulary, "uncertain": list(model.uncertain)}


def score_message(score: Score) -> dict[str, Any]:
    """Return the score as the endpoint sends it."""
    message: dict[str, Any] = {
        "logit": score.logit,
        "probability": score.probability,
        "bias": score.bias,
        "opinion": score.opinion,
    }
    if score.sentences is not None:
        message["sentences"] = [sentence._asdict() for sentence in score.sentences]
    if score.words is not None:
        message["words"] = score.words._asdict()
    if score.aspects is not None:
        message["aspects"] = [aspect._asdict() for aspect in score.aspects]
    return message
