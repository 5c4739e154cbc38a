"""What is measured of a judged review: lengths, counts and codes, never what it says."""

from collections.abc import Callable
from typing import Any, NamedTuple

from vocab.vocabulary import EncodedReview

# Gives this process's counts as Prometheus reads them. The launcher sets it, where one process answers all.
export: Callable[[], str] | None = None


class Judged(NamedTuple):
    """One review: its tokens, those that are read and words, those of them that are unknown, its verdict."""

    tokens: int
    words: int
    unknown: int
    sentiment: str
    warnings: tuple[str, ...]


def of(encoded: EncodedReview, verdict: dict[str, Any]) -> Judged:
    """Measure a review and its verdict."""
    codes = tuple(warning["code"] for warning in verdict["warnings"])
    unknown = encoded.words - encoded.known
    return Judged(encoded.total, encoded.words, unknown, verdict["sentiment"], codes)
