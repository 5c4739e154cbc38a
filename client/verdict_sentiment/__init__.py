"""Verdict's Python client: a film review goes in, positive, negative or uncertain comes out, and why."""

__version__ = "0.1.0"

from verdict_sentiment.client import AsyncVerdict, Verdict
from verdict_sentiment.errors import BadAnswerError, RefusedError, UnavailableError, VerdictError
from verdict_sentiment.results import Answer, Caveat, Contribution, Health, Judged, Model

__all__ = [
    "Answer",
    "AsyncVerdict",
    "BadAnswerError",
    "Caveat",
    "Contribution",
    "Health",
    "Judged",
    "Model",
    "RefusedError",
    "UnavailableError",
    "Verdict",
    "VerdictError",
]
