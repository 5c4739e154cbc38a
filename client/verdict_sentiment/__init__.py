"""Verdict's Python client: classify film reviews as positive, negative or uncertain, and explain why."""

__version__ = "0.1.0"

from verdict_sentiment.client import AsyncVerdict, Verdict
from verdict_sentiment.errors import BadAnswerError, RefusedError, UnavailableError, VerdictError
from verdict_sentiment.results import (
    Answer,
    Aspect,
    Caveat,
    Contribution,
    Health,
    Judged,
    Mention,
    Model,
    Sentence,
    Word,
)

__all__ = [
    "Answer",
    "Aspect",
    "AsyncVerdict",
    "BadAnswerError",
    "Caveat",
    "Contribution",
    "Health",
    "Judged",
    "Mention",
    "Model",
    "RefusedError",
    "Sentence",
    "UnavailableError",
    "Verdict",
    "VerdictError",
    "Word",
]
