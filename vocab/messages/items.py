"""A review inside a message: its text or ids, its caller's id, and the checks on both."""

from collections.abc import Callable
from typing import Any, NamedTuple

from vocab.aspects import Aspect
from vocab.messages.body import describe_type, parse_json
from vocab.messages.errors import MessageError
from vocab.vocabulary import EncodedReview

MAX_REVIEW_CHARACTERS = 50_000


class Item(NamedTuple):
    """One review of several: its ids, or its text, or the error that makes it unusable.

    ``lengths`` counts the ids of each sentence. With ids come the ``spans`` of aspects, the clauses of each
    as ``ids[first:last]``; with a text come the ``aspects`` themselves.
    """

    ids: list[int] | None = None
    lengths: list[int] | None = None
    review: str | None = None
    id: str | int | None = None
    error: MessageError | None = None
    spans: list[list[tuple[int, int]]] | None = None
    aspects: tuple[Aspect, ...] | None = None


def check_review(review: object) -> str:
    """Return the review when it is a string of allowed length. Raises MessageError 400 or 413."""
    if not isinstance(review, str):
        raise MessageError(
            400,
            "wrong_type",
            f'review must be a string, got {describe_type(review)}; send {{"review": "..."}}',
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
    """Return the encoded review when it holds a token. Raises MessageError 422."""
    if not encoded.ids:
        raise MessageError(
            422,
            "no_token",
            "review holds no word or sign that could be read, once markup and white space are gone;"
            " write a sentence",
        )
    return encoded


def review_field(message: dict[str, Any]) -> str:
    """Return the message's ``review``, checked. Raises MessageError 400 or 413."""
    if "review" not in message:
        raise MessageError(400, "missing_field", 'review is missing; send {"review": "..."}')
    return check_review(message["review"])


def id_field(message: object) -> str | int | None:
    """Return the message's ``id`` when it is a string or an integer, else None."""
    value = message.get("id") if isinstance(message, dict) else None
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def id_error(value: object) -> MessageError:
    """Return the error of an id with a wrong type."""
    return MessageError(400, "wrong_type", f"id must be a string or an integer, got {describe_type(value)}")


def parse_line(line: str, parse: Callable[[object], Item]) -> Item:
    """Parse a line of JSON lines; a line that is no JSON becomes an item with an error."""
    try:
        return parse(parse_json(line, "line"))
    except MessageError as error:
        return Item(error=error)
