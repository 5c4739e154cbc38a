"""What the modules of other protocols share: strict JSON objects, sentences about types, refusals."""

from typing import Any, NamedTuple, Protocol

from vocab import messages
from vocab.messages import MessageError
from vocab.messages.body import check_object, check_size


class Headers(Protocol):
    """A request's headers, found by their names in lower case, whichever server read them."""

    def get(self, name: str, /) -> str | None: ...


class Refusal(NamedTuple):
    """An error in a protocol's own form: HTTP status, headers and JSON body."""

    status: int
    headers: dict[str, str]
    body: bytes


def parse_object(body: bytes, example: str) -> dict[str, Any]:
    """Parse a body that holds one JSON object. Raises MessageError 400 or 413, with the example."""
    check_size(body, messages.MAX_BODY_BYTES)
    try:
        message = messages.parse_json(body)
    except MessageError as error:
        detail = error.detail.split("; send ")[0]  # the rest shows our own protocol's message
        raise MessageError(error.status, error.code, f"{detail}; send {example}") from error
    return check_object(message, example)
