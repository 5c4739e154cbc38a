"""Read body and query from Chalice's request, before Chalice interprets the body."""

import binascii
from collections.abc import Mapping
from typing import NamedTuple

from chalice.app import Request

from chalicelib.problems import Problem


class Body(NamedTuple):
    """A request's raw body and its content type."""

    data: bytes
    content_type: str | None


def read_explain(request: Request) -> str:
    """Return ``explain`` from the query, for bodies without such a field; "none" by default.

    Raises Problem 400 for ``aspects``, which stand in a JSON body alone.
    """
    query: Mapping[str, str] = request.query_params or {}
    if "aspects" in query:
        raise Problem(400, "bad_value", "aspects are read from a JSON body, not from the address")
    return query.get("explain", "none")


def read_body(request: Request) -> Body:
    """Return the body as bytes. Raises Problem 400, 411 or 415 when it can't be read as bytes."""
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
