"""Build answers, and give every one its id, its CORS and security headers, and its log line."""

import os
import re
import uuid
from collections.abc import Callable
from typing import Any

from chalice.app import CORSConfig, Request, Response

from chalicelib import log, problems
from vocab import contract

EXPOSED = ("X-Request-Id", "Retry-After")
PREFLIGHT_SECONDS = 600
LINES = (contract.JSON_LINES, contract.NDJSON)
SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
_ORIGIN = re.compile(r"\*|https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Next = Callable[[Request | None], Response]


class OriginError(ValueError):
    """CORS_ORIGIN is no origin."""


def allowed_origin() -> str:
    """Give the origin whose pages may read answers: CORS_ORIGIN, or any. Raises OriginError."""
    origin = os.environ.get("CORS_ORIGIN") or "*"
    if not _ORIGIN.fullmatch(origin):
        raise OriginError(f"CORS_ORIGIN must be * or like https://page.example:8443, got {origin[:60]!r}")
    return origin


def cors() -> CORSConfig:
    """Give the rules for pages on other origins. Raises OriginError."""
    return CORSConfig(
        allow_origin=allowed_origin(),
        allow_headers=["X-Request-Id"],
        expose_headers=list(EXPOSED),
        max_age=PREFLIGHT_SECONDS,
    )


def json_answer(message: dict[str, Any], status: int = 200) -> Response:
    """Give a message as JSON; NaN and infinity raise ValueError, they never leave."""
    body = contract.to_json(message).decode()
    return Response(body=body, status_code=status, headers={"Content-Type": contract.JSON})


def batch_answer(message: dict[str, Any], accept: str | None) -> Response:
    """Give a batch's answer as JSON, or its items as JSON lines to who accepts those."""
    named = [contract.media_type(part) for part in (accept or "").split(",")]
    wanted = next((kind for kind in named if kind in (contract.JSON, *LINES)), contract.JSON)
    if wanted == contract.JSON:
        return json_answer(message)
    body = "".join(contract.to_json(item).decode() + "\n" for item in message["answers"])
    return Response(body=body, headers={"Content-Type": wanted})


def text_answer(text: str) -> Response:
    """Give a text as it is."""
    return Response(body=text, headers={"Content-Type": f"{contract.TEXT}; charset=utf-8"})


def headers_of(request_id: str) -> dict[str, str]:
    """Give the headers that every answer carries, errors included."""
    return {
        **SECURITY,
        "Access-Control-Allow-Origin": allowed_origin(),
        "Access-Control-Expose-Headers": ", ".join(EXPOSED),
        "X-Request-Id": request_id,
    }


def request_id_of(named: str | None) -> str:
    """Give the caller's own request id when it is one, else a new one."""
    return named if named and _REQUEST_ID.fullmatch(named) else uuid.uuid4().hex


def around(request: Request | None, get_response: Next, allowed: Callable[[str], list[str]]) -> Response:
    """Be Chalice's outermost middleware: nothing leaves without its headers, and nothing unlogged.

    ``allowed`` gives the methods of a route, for answers that Chalice made by itself.
    """
    method, route = (request.method, request.path) if request else ("", "")
    log.begin(request_id_of(request.headers.get("x-request-id") if request else None), method, route)
    try:
        response = get_response(request)
        if not isinstance(response.body, str):
            response = problems.answer(_chalices_own(response.status_code, allowed(route)))
    except Exception as error:
        response = problems.answer(problems.problem_of(error))
    response.headers = {**response.headers, **headers_of(log.request_id())}
    if method == "HEAD":
        response.body = ""
    log.write(response.status_code)
    return response


def _chalices_own(status: int, allowed: list[str]) -> problems.Problem:
    """Turn an error that Chalice answers without asking us: {"Code": ..., "Message": ...}."""
    if status == 405:
        return problems.wrong_method(allowed) if allowed else problems.not_found()
    if status == 415:
        return problems.Problem(415, "unsupported_media_type", "this content type is not read; send JSON")
    return problems.Problem(500, "internal", "the request did not come as API Gateway sends them")
