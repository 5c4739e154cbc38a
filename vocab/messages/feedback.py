"""Feedback: a review with its right label, the record that stores it, and the place that holds records.

The API writes records and `make feedback` reads them. Without the variable FEEDBACK, nothing is stored.
"""

import json
import re
from typing import Any, NamedTuple

from vocab.messages.answers import SIDES
from vocab.messages.body import (
    JSON,
    check_content_type,
    check_fields,
    check_object,
    check_size,
    describe_type,
    parse_json,
    to_json,
)
from vocab.messages.errors import MessageError
from vocab.messages.items import review_field
from vocab.messages.requests import MAX_BODY_BYTES

# Raised when the form of a record changes.
VERSION = 1
SUFFIX = ".json"
ID = re.compile(r"[0-9a-f]{32}")
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.*'()/-]*))?")
MODEL_ID = re.compile(r"[A-Za-z0-9._-]{0,64}")


class PlaceError(ValueError):
    """FEEDBACK is neither a folder nor a bucket."""


class RecordError(ValueError):
    """A record can't be parsed."""


class Feedback(NamedTuple):
    """A review, its right label (one of SIDES), and the id of the model that answered, or ""."""

    review: str
    label: str
    model: str = ""


class Place(NamedTuple):
    """The place of the records: a prefix in a bucket or, without ``bucket``, a folder."""

    path: str
    bucket: str = ""

    def name_of(self, id: str) -> str:
        """Return a record's file name, or its key in the bucket.

        >>> Place("feedback", "my-bucket").name_of("0" * 32)[:12]
        'feedback/000'
        """
        return "/".join(filter(None, (self.path if self.bucket else "", f"{id}{SUFFIX}")))


class Record(NamedTuple):
    """Stored feedback: its id, the time of its arrival (UTC, ISO 8601, in seconds), and its content."""

    id: str
    created: str
    feedback: Feedback


def parse_feedback(body: bytes, content_type: str | None) -> Feedback:
    """Parse ``POST /v1/feedback``: JSON with the review and its right label.

    Raises MessageError 400, 413, 415 or 422.
    """
    check_size(body, MAX_BODY_BYTES)
    check_content_type(content_type, (JSON,))
    message = check_object(parse_json(body), '{"review": "...", "label": "positive"}')
    check_fields(message, ("review", "label", "model"))
    if "label" not in message:
        raise MessageError(400, "missing_field", f"label is missing; send {' or '.join(SIDES)}")
    label, model = message["label"], message.get("model", "")
    if not isinstance(label, str) or label not in SIDES:
        shown = repr(label) if isinstance(label, str) and len(label) <= 20 else describe_type(label)
        raise MessageError(400, "bad_value", f"label must be {' or '.join(SIDES)}, got {shown}")
    if not isinstance(model, str) or not MODEL_ID.fullmatch(model):
        raise MessageError(
            400, "bad_value", f"model must be the id of an answer's model, got {describe_type(model)}"
        )
    review = review_field(message)
    if not review.strip():
        raise MessageError(422, "no_token", "review is empty; send what was judged")
    return Feedback(review, label, model)


def read_place(value: str | None) -> Place | None:
    """Parse FEEDBACK; None when it is not set. Raises PlaceError.

    >>> read_place("s3://my-bucket/feedback/")
    Place(path='feedback', bucket='my-bucket')
    >>> read_place("/var/verdict")
    Place(path='/var/verdict', bucket='')
    """
    if not value:
        return None
    match = _BUCKET.fullmatch(value)
    if match:
        return Place((match[2] or "").strip("/"), match[1])
    if "://" in value or "\0" in value:
        raise PlaceError(f"FEEDBACK must be a folder or like s3://bucket/prefix, got {value[:60]!r}")
    return Place(value)


def to_bytes(record: Record) -> bytes:
    """Write a record as JSON."""
    return to_json(
        {
            "version": VERSION,
            "id": record.id,
            "created": record.created,
            **record.feedback._asdict(),
        }
    )


def from_bytes(data: bytes) -> Record:
    """Parse a record. Raises RecordError, whose sentence quotes nothing of it."""
    try:
        fields: dict[str, Any] = json.loads(data)
        if fields["version"] != VERSION or fields["label"] not in SIDES:
            raise ValueError("another version")
        feedback = Feedback(*(_text(fields[name]) for name in Feedback._fields))
        return Record(_text(fields["id"]), _text(fields["created"]), feedback)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError("this is no feedback that Verdict kept") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value
