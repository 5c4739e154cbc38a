"""What is kept of a person's word on a verdict, and where: shared by the app, which keeps, and by who reads.

Nothing is kept unless the API's owner has set FEEDBACK, and then only what a person sends for that purpose.
"""

import json
import re
from typing import Any, NamedTuple

from vocab.messages.answers import SIDES
from vocab.messages.errors import MessageError
from vocab.messages.parts import review_of
from vocab.messages.requests import MAX_BODY_BYTES
from vocab.messages.wire import (
    JSON,
    check_size,
    object_of,
    parse_json,
    readable_type,
    refuse_unknown,
    to_json,
    type_of,
)

# Raised when the form of a record changes.
VERSION = 1
SUFFIX = ".json"
ID = re.compile(r"[0-9a-f]{32}")
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.*'()/-]*))?")
MODEL_ID = re.compile(r"[A-Za-z0-9._-]{0,64}")


class PlaceError(ValueError):
    """FEEDBACK names no place."""


class RecordError(ValueError):
    """What was kept can't be read."""


class Feedback(NamedTuple):
    """What a person says of a verdict: the review, which side it is on (one of SIDES), and who was wrong.

    ``model`` is the id of the model that answered, or empty.
    """

    review: str
    label: str
    model: str = ""


class Place(NamedTuple):
    """Where feedback is kept: below a prefix of a bucket, or (without ``bucket``) in a folder."""

    path: str
    bucket: str = ""

    def name_of(self, id: str) -> str:
        """Give the name of a record: its file's, or its key's.

        >>> Place("said", "my-bucket").name_of("0" * 32)[:8]
        'said/000'
        """
        return "/".join(filter(None, (self.path if self.bucket else "", f"{id}{SUFFIX}")))


class Record(NamedTuple):
    """Feedback as it is kept: its id, the second (UTC, ISO 8601) at which it came, and what it says."""

    id: str
    created: str
    feedback: Feedback


def parse_feedback(body: bytes, content_type: str | None) -> Feedback:
    """Read ``POST /v1/feedback``: JSON with the review and its right label.

    Raises MessageError 400, 413 or 415.
    """
    check_size(body, MAX_BODY_BYTES)
    readable_type(content_type, (JSON,))
    message = object_of(parse_json(body), '{"review": "...", "label": "positive"}')
    refuse_unknown(message, ("review", "label", "model"))
    if "label" not in message:
        raise MessageError(400, "missing_field", f"label is missing; send {' or '.join(SIDES)}")
    label, model = message["label"], message.get("model", "")
    if not isinstance(label, str) or label not in SIDES:
        came = repr(label) if isinstance(label, str) and len(label) <= 20 else type_of(label)
        raise MessageError(400, "bad_value", f"label must be {' or '.join(SIDES)}, got {came}")
    if not isinstance(model, str) or not MODEL_ID.fullmatch(model):
        raise MessageError(
            400, "bad_value", f"model must be the id of an answer's model, got {type_of(model)}"
        )
    review = review_of(message)
    if not review.strip():
        raise MessageError(422, "no_token", "review is empty; send what was judged")
    return Feedback(review, label, model)


def read_place(named: str | None) -> Place | None:
    """Read FEEDBACK; None when nothing is to be kept. Raises PlaceError.

    >>> read_place("s3://my-bucket/said/")
    Place(path='said', bucket='my-bucket')
    >>> read_place("/var/verdict")
    Place(path='/var/verdict', bucket='')
    """
    if not named:
        return None
    match = _BUCKET.fullmatch(named)
    if match:
        return Place((match[2] or "").strip("/"), match[1])
    if "://" in named or "\0" in named:
        raise PlaceError(f"FEEDBACK must be a folder or like s3://bucket/prefix, got {named[:60]!r}")
    return Place(named)


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
    """Read a record. Raises RecordError, which quotes nothing."""
    try:
        found: dict[str, Any] = json.loads(data)
        if found["version"] != VERSION or found["label"] not in SIDES:
            raise ValueError("another version")
        feedback = Feedback(*(_text(found[name]) for name in Feedback._fields))
        return Record(_text(found["id"]), _text(found["created"]), feedback)
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError("this is no feedback that Verdict kept") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value
