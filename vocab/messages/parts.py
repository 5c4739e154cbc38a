"""What several messages hold: a review of several, a model's name, a score."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from vocab.messages.errors import MessageError
from vocab.messages.wire import parse_json, type_of
from vocab.vocabulary import EncodedReview

MAX_REVIEW_CHARACTERS = 50_000
# Contributions are sent with this many decimals; logit and probability are computed from those.
DECIMALS = 6


class Item(NamedTuple):
    """One review of several: its ids, or its text, or why it can't be read."""

    ids: list[int] | None = None
    review: str | None = None
    id: str | int | None = None
    error: MessageError | None = None


class Model(NamedTuple):
    """Which model answered, and between which probabilities it does not commit itself."""

    id: str
    vocabulary: str
    uncertain: tuple[float, float]


class Score(NamedTuple):
    """The network's answer: bias + sum of contributions = logit, one contribution a token.

    ``contributions`` is empty when no explanation was asked for.
    """

    logit: float
    probability: float
    bias: float
    contributions: list[float]


def check_review(review: object) -> str:
    """Give the review when it is a string of allowed length. Raises MessageError 400 or 413."""
    if not isinstance(review, str):
        raise MessageError(
            400,
            "wrong_type",
            f'review must be a string, got {type_of(review)}; send {{"review": "..."}}',
        )
    if len(review) > MAX_REVIEW_CHARACTERS:
        raise MessageError(
            413,
            "too_long",
            f"review has {len(review):,} characters, at most {MAX_REVIEW_CHARACTERS:,} are read;"
            " send a shorter one",
        )
    return review


def check_encoded(encoded: EncodedReview) -> EncodedReview:
    """Give the encoded review when it holds a token. Raises MessageError 422."""
    if not encoded.ids:
        raise MessageError(
            422,
            "no_token",
            "review holds no word or sign that could be read, once markup and white space are gone;"
            " write a sentence",
        )
    return encoded


def build_score(bias: float, contributions: Sequence[float]) -> Score:
    """Give the score whose parts, as sent, add up exactly: logit = bias + sum(contributions)."""
    rounded = [round(float(value), DECIMALS) for value in contributions]
    bias = round(float(bias), DECIMALS)
    logit = round(math.fsum([bias, *rounded]), DECIMALS)
    return Score(logit, round(sigmoid(logit), DECIMALS), bias, rounded)


def sigmoid(logit: float) -> float:
    """Give 1 / (1 + exp(-logit)) without overflow."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))


def model_message(model: Model) -> dict[str, Any]:
    """Give the part of an answer that names its model, and the band in which that is uncertain."""
    return {"id": model.id, "vocabulary": model.vocabulary, "uncertain": list(model.uncertain)}


def review_of(message: dict[str, Any]) -> str:
    if "review" not in message:
        raise MessageError(400, "missing_field", 'review is missing; send {"review": "..."}')
    return check_review(message["review"])


def line_item(line: str, read: Callable[[object], Item]) -> Item:
    try:
        return read(parse_json(line, "line"))
    except MessageError as error:
        return Item(error=error)


def wrong_id(name: object) -> MessageError:
    return MessageError(400, "wrong_type", f"id must be a string or an integer, got {type_of(name)}")


def id_of(review: object) -> str | int | None:
    name = review.get("id") if isinstance(review, dict) else None
    return name if isinstance(name, (str, int)) and not isinstance(name, bool) else None
