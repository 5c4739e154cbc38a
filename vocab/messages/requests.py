"""The public API's requests: a review, or several as JSON, JSON lines or CSV."""

import csv
import io
from typing import Any, NamedTuple

from vocab.aspects import Aspect
from vocab.messages.aspects import aspects_field
from vocab.messages.body import (
    CSV,
    JSON,
    JSON_LINES,
    NDJSON,
    TEXT,
    check_content_type,
    check_fields,
    check_object,
    check_size,
    decode,
    describe_type,
    parse_json,
)
from vocab.messages.errors import MessageError
from vocab.messages.items import Item, check_review, id_error, id_field, parse_line, review_field

# The longest review fits even when every character is escaped as \uXXXX.
MAX_BODY_BYTES = 1_000_000
MAX_BATCH_REVIEWS = 100
EXPLAIN = ("none", "sentences", "words")
# How far an answer explains by default: one review is read by a person, many are counted.
EXPLAIN_ONE, EXPLAIN_MANY = "sentences", "none"


class ReviewRequest(NamedTuple):
    """A review, how far to explain its verdict (one of EXPLAIN), and the aspects to judge, if any."""

    review: str
    explain: str = EXPLAIN_ONE
    aspects: tuple[Aspect, ...] | None = None


class BatchRequest(NamedTuple):
    """Several reviews, how far to explain each verdict (one of EXPLAIN), and the aspects to judge, if any."""

    items: list[Item]
    explain: str = EXPLAIN_MANY
    aspects: tuple[Aspect, ...] | None = None


def parse_review_request(
    body: bytes, content_type: str | None, query_explain: str | None = None
) -> ReviewRequest:
    """Parse ``POST /v1/sentiment``: JSON, or the review itself as text/plain.

    Without a content type the body is JSON; without a charset it is UTF-8. ``query_explain`` is the query's
    ``explain``. Raises MessageError 400, 413 or 415.
    """
    check_size(body, MAX_BODY_BYTES)
    if check_content_type(content_type, (JSON, TEXT)) == TEXT:
        explain = _explain({}, query_explain, EXPLAIN_ONE)
        return ReviewRequest(check_review(decode(body)), explain)
    message = check_object(parse_json(body), '{"review": "..."}')
    check_fields(message, ("review", "explain", "aspects"))
    explain = _explain(message, query_explain, EXPLAIN_ONE)
    return ReviewRequest(review_field(message), explain, aspects_field(message))


def parse_batch_request(
    body: bytes, content_type: str | None, query_explain: str | None = None
) -> BatchRequest:
    """Parse ``POST /v1/sentiment/batch``: JSON, JSON lines or CSV, of 1 to MAX_BATCH_REVIEWS reviews.

    ``query_explain`` is the query's ``explain``. Only a JSON body can name it too, and aspects. An item that
    can't be used carries its error. Raises MessageError 400, 413 or 415 for the whole request.
    """
    check_size(body, MAX_BODY_BYTES)
    kind = check_content_type(content_type, (JSON, JSON_LINES, NDJSON, CSV))
    if kind != JSON:
        explain = _explain({}, query_explain, EXPLAIN_MANY)
        items = _csv_items(decode(body)) if kind == CSV else _line_items(decode(body))
        return BatchRequest(_check_count(items), explain)
    example = '{"reviews": [{"review": "..."}]}'
    message = check_object(parse_json(body), example)
    check_fields(message, ("reviews", "explain", "aspects"))
    if "reviews" not in message:
        raise MessageError(400, "missing_field", f"reviews is missing; send {example}")
    reviews = message["reviews"]
    if not isinstance(reviews, list):
        raise MessageError(
            400, "wrong_type", f"reviews must be a list, got {describe_type(reviews)}; send {example}"
        )
    explain = _explain(message, query_explain, EXPLAIN_MANY)
    items = [_review_item(review) for review in _check_count(reviews)]
    return BatchRequest(items, explain, aspects_field(message))


def check_explain(explain: object) -> str:
    """Return ``explain`` when it is one of EXPLAIN. Raises MessageError 400."""
    if isinstance(explain, str) and explain in EXPLAIN:
        return explain
    shown = repr(explain) if isinstance(explain, str) and len(explain) <= 20 else describe_type(explain)
    raise MessageError(400, "bad_value", f"explain must be one of {', '.join(EXPLAIN)}, got {shown}")


def _explain(message: dict[str, Any], query: str | None, default: str) -> str:
    """Return ``explain`` of the body or of the query. Raises MessageError 400 when the two differ."""
    if query is None:
        return check_explain(message.get("explain", default))
    chosen = check_explain(query)
    if check_explain(message.get("explain", chosen)) != chosen:
        raise MessageError(
            400, "bad_value", f"explain is {chosen} in the query, and another in the body; send one"
        )
    return chosen


def _check_count(reviews: list[Any]) -> list[Any]:
    if not reviews:
        raise MessageError(
            400, "bad_value", f"there is no review; send 1 to {MAX_BATCH_REVIEWS} of them in a request"
        )
    if len(reviews) > MAX_BATCH_REVIEWS:
        raise MessageError(
            413,
            "too_many_reviews",
            f"{len(reviews):,} reviews came, at most {MAX_BATCH_REVIEWS} are read in a request; send the"
            " others in another",
        )
    return reviews


def _review_item(review: object) -> Item:
    try:
        message = check_object(review, '{"review": "..."}')
        check_fields(message, ("id", "review"))
        if "id" in message and id_field(message) is None:
            raise id_error(message["id"])
        return Item(review=review_field(message), id=id_field(message))
    except MessageError as error:
        return Item(error=error, id=id_field(review))


def _line_items(text: str) -> list[Item]:
    return [parse_line(line, _review_item) for line in text.split("\n") if line.strip()]


def _csv_items(text: str) -> list[Item]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BODY_BYTES))  # one limit for the whole process
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row] or [[]]
    except csv.Error as error:
        raise MessageError(
            400,
            "malformed_csv",
            f"the body is no CSV ({error}); quote a field that holds a comma, a quote or a line break, and"
            " double the quotes in it",
        ) from error
    names = [name.strip() for name in header]
    check_fields(dict.fromkeys(names), ("id", "review"))
    if names.count("review") != 1 or len(set(names)) != len(names):
        raise MessageError(
            400, "missing_field", "the first line must name each column once, review and, if you like, id"
        )
    return [_row_item(row, names) for row in rows]


def _row_item(row: list[str], names: list[str]) -> Item:
    if len(row) == len(names):
        fields = dict(zip(names, row, strict=True))
        return _review_item({name: value for name, value in fields.items() if value or name == "review"})
    return Item(
        error=MessageError(
            400,
            "malformed_csv",
            f"the row has {len(row)} fields, the first line {len(names)}; quote a field that holds a comma",
        )
    )
