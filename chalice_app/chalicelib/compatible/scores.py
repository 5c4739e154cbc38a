"""Turn a verdict into the scores of the classes positive, negative, neutral and mixed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

# No odds are infinite. Probabilities come with six decimals.
_LEAST, _MOST = 1e-6, 1 - 1e-6


class Scores(NamedTuple):
    """The scores of the four classes. They add up to 1."""

    positive: float
    negative: float
    neutral: float
    mixed: float


# The scores of a text that was not understood, so that its probability says nothing.
NOT_UNDERSTOOD = Scores(0.1, 0.1, 0.8, 0.0)


def class_of(verdict: Mapping[str, Any]) -> str:
    """Return the class of a verdict, a field of Scores: its sentiment, or why it is uncertain."""
    sentiment: str = verdict["sentiment"]
    if sentiment != "uncertain":
        return sentiment
    return "mixed" if verdict["reason"] == "mixed" else "neutral"


def class_scores(verdict: Mapping[str, Any], band: tuple[float, float]) -> Scores:
    """Return a verdict's scores by its model's uncertain band. That of ``class_of`` is the largest.

    With the probability p and the band from low to high, the classes have these weights, out of their sum:

        positive p, negative 1 - p, third max(p, 1 - p) * doubt

    ``doubt`` is min(odds(high) / odds(p), odds(p) / odds(low)), and outside the band its square. The third
    class is mixed where praise meets complaint, else neutral. Doubt is 1 at the band's edges, more inside and
    less outside. So scores do not jump where verdicts change.
    """
    if verdict["reason"] in ("no_known_words", "not_english"):
        return NOT_UNDERSTOOD
    p = _clamped(verdict["probability"])
    low, high = map(_clamped, band)
    doubt = min(_odds(high) / _odds(p), _odds(p) / _odds(low))
    # A square inside too would let positive fall while p rises.
    third = max(p, 1 - p) * (doubt if doubt > 1 else doubt**2)
    total = p + (1 - p) + third
    both_sides = verdict["reason"] == "mixed" or any(one["code"] == "mixed" for one in verdict["warnings"])
    neutral, mixed = (0.0, third) if both_sides else (third, 0.0)
    return Scores(p / total, (1 - p) / total, neutral / total, mixed / total)


def _clamped(probability: float) -> float:
    return min(max(probability, _LEAST), _MOST)


def _odds(probability: float) -> float:
    return probability / (1 - probability)
