"""Read body and query from Chalice's request, before Chalice interprets the body."""

import binascii
from collections.abc import Sequence
from typing import NamedTuple

from chalice.app import Request

from chalicelib.problems import Problem


class Body(NamedTuple):
    """A request's raw body and its content type."""

    data: bytes
    content_type: str | None


def read_explain(request: Request) -> str | None:
    """Return ``explain`` from the query, or None. Raises Problem 400 when it comes twice."""
    if not request.query_params:
        return None
    values = request.query_params.getlist("explain") if "explain" in request.query_params else []
    if len(values) > 1:
        raise Problem(400, "bad_value", "explain comes twice in the query; send it once")
    return values[0] if values else None


def check_query(request: Request, allowed: Sequence[str]) -> None:
    """Raise Problem 400 for a query parameter that a route does not read."""
    for name in request.query_params or ():
        if name in allowed:
            continue
        if name == "aspects" and allowed:
            raise Problem(400, "bad_value", "aspects are read from a JSON body, not from the query")
        shown = name[:30].encode("ascii", "backslashreplace").decode()
        instead = f"send only {', '.join(allowed)}" if allowed else "this route reads none"
        raise Problem(400, "unknown_parameter", f"query parameter {shown!r} is not known; {instead}")


def read_body(request: Request) -> Body:
    """Return the body as bytes. Raises Problem 400, 411 or 415 when it can't be read as bytes."""
    _check_once(request, "content-type")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Problem(415, "unsupported_encoding", "a compressed body is not read; send it as it is")
    try:
        body = request.raw_body
        data = body.encode() if isinstance(body, str) else body
    except (binascii.Error, UnicodeError) as error:
        raise Problem(400, "not_utf8", "the body is not UTF-8; send UTF-8") from error
    if not data and "transfer-encoding" in request.headers:
        # Chalice's local server reads only bodies with a Content-Length.
        raise Problem(411, "length_required", "a chunked body is not read; send it with its Content-Length")
    return Body(data, request.headers.get("content-type"))


def _check_once(request: Request, header: str) -> None:
    """Raise Problem 400 for a header that came twice. Only API Gateway passes on both values."""
    every = request.to_original_event().get("multiValueHeaders") or {}
    if sum(len(values) for name, values in every.items() if name.lower() == header) > 1:
        raise Problem(400, "bad_request", f"two {header.title()} headers came; send one")
