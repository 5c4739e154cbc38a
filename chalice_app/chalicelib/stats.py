"""Statistics of an answered review: lengths, counts and codes, never its words."""

from collections.abc import Callable
from typing import Any, NamedTuple

from vocab.vocabulary import EncodedReview

# Returns this process's counts in Prometheus's text format. Only the servers in local/ set it.
prometheus_text: Callable[[], str] | None = None

LEAST_SURE = 0.5


class ReviewStats(NamedTuple):
    """One review: all its tokens, the words that are read, the unknown ones among those, and its verdict.

    ``sureness`` is the probability of the verdict's side; LEAST_SURE where the verdict is uncertain.
    """

    tokens: int
    words: int
    unknown: int
    sentiment: str
    warnings: tuple[str, ...]
    sureness: float = LEAST_SURE


def of_review(encoded: EncodedReview, verdict: dict[str, Any]) -> ReviewStats:
    """Return the statistics of a review and its verdict."""
    codes = tuple(warning["code"] for warning in verdict["warnings"])
    unknown = encoded.words - encoded.known
    sentiment, probability = verdict["sentiment"], verdict["probability"]
    sureness = LEAST_SURE if sentiment == "uncertain" else max(probability, 1 - probability)
    return ReviewStats(encoded.total, encoded.words, unknown, sentiment, codes, sureness)
