"""JSON and content types, read strictly, for every message."""

import json
from typing import Any, NoReturn

from vocab.messages.errors import MessageError

# Nothing here nests deeper than this; json.loads would end in a RecursionError.
MAX_DEPTH = 20
JSON = "application/json"
TEXT = "text/plain"
JSON_LINES = "application/jsonlines"
NDJSON = "application/x-ndjson"  # another name of the same
CSV = "text/csv"
CHARSETS = ("utf-8", "utf8", "us-ascii")  # the last is a part of the first
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def media_type(content_type: str | None) -> str:
    """Give the media type alone, lower case, or application/json when none is named.

    >>> media_type("Text/Plain; charset=utf-8")
    'text/plain'
    """
    return (content_type or JSON).split(";")[0].strip().lower() or JSON


def charset_of(content_type: str | None) -> str:
    """Give the charset that a content type names, lower case, or utf-8 when it names none.

    >>> charset_of('text/plain; charset="ISO-8859-1"')
    'iso-8859-1'
    """
    for parameter in (content_type or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def parse_json(body: bytes | str, called: str = "body") -> Any:
    """Read JSON strictly: UTF-8, no NaN, no name twice, no deep nesting. Raises MessageError 400.

    ``called`` is what an error calls that which is read.
    """
    text = decode(body) if isinstance(body, bytes) else body
    if _depth(text) > MAX_DEPTH:
        raise MessageError(400, "malformed_json", f"the {called} nests deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except MessageError:
        raise
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise MessageError(
            400, "malformed_json", f'the {called} is no valid JSON{where}; send {{"review": "..."}}'
        ) from error


def to_json(message: object) -> bytes:
    """Write a message as UTF-8 JSON; NaN and infinity raise ValueError, they never leave."""
    return _ENCODER.encode(message).encode()


def readable_type(content_type: str | None, known: tuple[str, ...]) -> str:
    kind, charset = media_type(content_type), charset_of(content_type)
    if kind not in known:
        raise MessageError(
            415,
            "unsupported_media_type",
            f"content type {kind[:40]!r} is not read; send {', '.join(known[:-1])} or {known[-1]}",
        )
    if charset not in CHARSETS:
        raise MessageError(
            415, "unsupported_media_type", f"charset {charset[:40]!r} is not read; send the body as UTF-8"
        )
    return kind


def check_size(body: bytes, limit: int) -> None:
    if len(body) > limit:
        raise MessageError(413, "too_large", f"the body has {len(body):,} bytes, at most {limit:,} are read")


def decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MessageError(
            400, "not_utf8", f"the body is not UTF-8 (byte {error.start}); send UTF-8"
        ) from error


def object_of(message: object, wanted: str) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise MessageError(
            400, "wrong_type", f"the message must be an object, got {type_of(message)}; send {wanted}"
        )
    return message


def refuse_unknown(message: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in message:
        if name not in known:
            shown = name[:30].encode("ascii", "backslashreplace").decode()
            raise MessageError(
                400, "unknown_field", f"field {shown!r} is not known; send only {', '.join(known)}"
            )


def _refuse_constant(name: str) -> NoReturn:
    raise MessageError(400, "malformed_json", f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    message = dict(pairs)
    if len(message) != len(pairs):
        raise MessageError(400, "malformed_json", "a field is named twice; send each once")
    return message


def type_of(value: object) -> str:
    """Name what came by type and length, never by content."""
    name = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}.get(
        type(value), "number"
    )
    return f"{name} of length {len(value)}" if isinstance(value, (dict, list, str)) else name


def _depth(text: str) -> int:
    """Give how deep brackets nest outside strings; cheap for texts with few brackets."""
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
