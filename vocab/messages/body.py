"""Bodies of messages: media type, charset, size and strict JSON."""

import json
from typing import Any, NoReturn

from vocab.messages.errors import MessageError

# No message nests deeper than this. Without the limit json.loads raises RecursionError.
MAX_DEPTH = 20
# No whole number has more. Python itself reads none of more than 4,300 digits.
MAX_DIGITS = 100
JSON = "application/json"
TEXT = "text/plain"
JSON_LINES = "application/jsonlines"
NDJSON = "application/x-ndjson"  # another name of JSON lines
CSV = "text/csv"
CHARSETS = ("utf-8", "utf8", "us-ascii")  # ASCII is a subset of UTF-8
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def media_type(content_type: str | None) -> str:
    """Return the media type in lower case, without parameters; application/json when there is none.

    >>> media_type("Text/Plain; charset=utf-8")
    'text/plain'
    """
    return (content_type or JSON).split(";")[0].strip().lower() or JSON


def charset_of(content_type: str | None) -> str:
    """Return the charset of a content type in lower case; utf-8 when it names none.

    >>> charset_of('text/plain; charset="ISO-8859-1"')
    'iso-8859-1'
    """
    for parameter in (content_type or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def check_content_type(content_type: str | None, accepted: tuple[str, ...]) -> str:
    """Return the media type when it is accepted and its charset is UTF-8. Raises MessageError 415."""
    kind, charset = media_type(content_type), charset_of(content_type)
    if kind not in accepted:
        first, last = ", ".join(accepted[:-1]), accepted[-1]
        raise MessageError(
            415,
            "unsupported_media_type",
            f"content type {kind[:40]!r} is not read; send {' or '.join(filter(None, (first, last)))}",
        )
    if charset not in CHARSETS:
        raise MessageError(
            415, "unsupported_media_type", f"charset {charset[:40]!r} is not read; send the body as UTF-8"
        )
    return kind


def check_size(body: bytes, limit: int) -> None:
    """Raise MessageError 413 when a body has more bytes than the limit."""
    if len(body) > limit:
        raise MessageError(413, "too_large", too_large(len(body), limit))


def too_large(size: int, limit: int) -> str:
    """Return the sentence for a body of more bytes than the limit.

    >>> too_large(1_000_001, 1_000_000)
    'the body has 1,000,001 bytes, at most 1,000,000 are read'
    """
    return f"the body has {size:,} bytes, at most {limit:,} are read"


def decode(body: bytes) -> str:
    """Decode a body as UTF-8, with or without a byte order mark. Raises MessageError 400."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MessageError(
            400, "not_utf8", f"the body is not UTF-8 (byte {error.start}); send UTF-8"
        ) from error


def parse_json(body: bytes | str, subject: str = "body") -> Any:
    """Parse strict JSON: UTF-8, no NaN, no repeated field, at most MAX_DEPTH levels and MAX_DIGITS digits.

    Raises MessageError 400.
    ``subject`` names the body in error sentences.
    """
    text = decode(body) if isinstance(body, bytes) else body
    if _depth(text) > MAX_DEPTH:
        raise MessageError(400, "malformed_json", f"the {subject} nests deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, parse_int=_integer, object_pairs_hook=_unique_fields
        )
    except MessageError:
        raise
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise MessageError(
            400, "malformed_json", f'the {subject} is no valid JSON{where}; send {{"review": "..."}}'
        ) from error


def to_json(message: object) -> bytes:
    """Write a message as UTF-8 JSON. Raises ValueError for NaN and infinity."""
    return _ENCODER.encode(message).encode()


def check_object(message: object, example: str) -> dict[str, Any]:
    """Return the message when it is an object. Raises MessageError 400 with an example to send instead."""
    if not isinstance(message, dict):
        raise MessageError(
            400, "wrong_type", f"the message must be an object, got {describe_type(message)}; send {example}"
        )
    return message


def check_fields(message: dict[str, Any], allowed: tuple[str, ...]) -> None:
    """Raise MessageError 400 when a message has a field that is not allowed."""
    for name in message:
        if name not in allowed:
            shown = name[:30].encode("ascii", "backslashreplace").decode()
            raise MessageError(
                400, "unknown_field", f"field {shown!r} is not known; send only {', '.join(allowed)}"
            )


def describe_type(value: object) -> str:
    """Return a value's JSON type and length, never its content.

    >>> describe_type([1, 2])
    'list of length 2'
    """
    name = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}.get(
        type(value), "number"
    )
    return f"{name} of length {len(value)}" if isinstance(value, (dict, list, str)) else name


def _refuse_constant(name: str) -> NoReturn:
    raise MessageError(400, "malformed_json", f"{name} is no JSON number")


def _integer(text: str) -> int:
    digits = len(text.removeprefix("-"))
    if digits > MAX_DIGITS:
        raise MessageError(
            400,
            "malformed_json",
            f"a number has {digits:,} digits, at most {MAX_DIGITS} are read; send a longer id as a string",
        )
    return int(text)


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    message = dict(pairs)
    if len(message) != len(pairs):
        raise MessageError(400, "malformed_json", "a field is named twice; send each once")
    return message


def _depth(text: str) -> int:
    """Return how many levels brackets nest outside strings; 0 at once for a text with few brackets."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest
