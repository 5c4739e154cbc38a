"""Statistics of an answered review: lengths, counts and codes, never its words."""

from collections.abc import Callable
from typing import Any, NamedTuple

from vocab.vocabulary import EncodedReview

# Returns this process's counts in Prometheus's text format. Only the servers in local/ set it.
prometheus_text: Callable[[], str] | None = None


class ReviewStats(NamedTuple):
    """One review: all its tokens, the words that are read, the unknown ones among those, and its verdict."""

    tokens: int
    words: int
    unknown: int
    sentiment: str
    warnings: tuple[str, ...]


def of_review(encoded: EncodedReview, verdict: dict[str, Any]) -> ReviewStats:
    """Return the statistics of a review and its verdict."""
    codes = tuple(warning["code"] for warning in verdict["warnings"])
    unknown = encoded.words - encoded.known
    return ReviewStats(encoded.total, encoded.words, unknown, verdict["sentiment"], codes)
