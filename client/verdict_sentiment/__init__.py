"""Verdict's Python client: classify film reviews as positive, negative or uncertain, and explain why."""

__version__ = "0.1.0"

from verdict_sentiment.client import AsyncVerdict, Verdict
from verdict_sentiment.errors import (
    BadAnswerError,
    RateLimitedError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    VerdictError,
)
from verdict_sentiment.literals import (
    AspectSentiment,
    Explain,
    Label,
    Reason,
    Sentiment,
    WarningCode,
)
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
    "AspectSentiment",
    "AsyncVerdict",
    "BadAnswerError",
    "Caveat",
    "Contribution",
    "Explain",
    "Health",
    "Judged",
    "Label",
    "Mention",
    "Model",
    "RateLimitedError",
    "Reason",
    "RefusedError",
    "Sentence",
    "Sentiment",
    "UnauthorizedError",
    "UnavailableError",
    "Verdict",
    "VerdictError",
    "WarningCode",
    "Word",
]
