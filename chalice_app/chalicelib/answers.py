"""Build answers, and give every one its id, its CORS and security headers, and its log line."""

import functools
import hashlib
import os
import re
import uuid
from collections.abc import Callable
from typing import Any

from chalice.app import CORSConfig, Request, Response

from chalicelib import log, problems
from vocab import messages

EXPOSED = ("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")
# What a page on another origin may send, beside what any may.
TAKEN = ("Content-Type", "If-None-Match", "X-Api-Key", "X-Request-Id")
PREFLIGHT_SECONDS = 600
# Whoever keeps an answer asks each time whether it still holds, and keeps it from others.
KEPT = "private, no-cache"
PROMETHEUS = f"{messages.TEXT}; version=0.0.4; charset=utf-8"
LINES = (messages.JSON_LINES, messages.NDJSON)
SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
_ORIGIN = re.compile(r"\*|https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_WEIGHT = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", re.IGNORECASE)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Next = Callable[[Request | None], Response]


class OriginError(ValueError):
    """CORS_ORIGIN is no origin."""


def allowed_origins() -> tuple[str, ...]:
    """Give the origins whose pages may read answers: those of CORS_ORIGIN, or any. Raises OriginError."""
    return _origins(os.environ.get("CORS_ORIGIN") or "*")


@functools.lru_cache(maxsize=8)
def _origins(named: str) -> tuple[str, ...]:
    origins = tuple(part.strip(" ") for part in named.split(","))
    if not all(_ORIGIN.fullmatch(origin) for origin in origins) or ("*" in origins and len(origins) > 1):
        raise OriginError(
            "CORS_ORIGIN must be * or like https://page.example:8443, several with commas between,"
            f" got {named[:60]!r}"
        )
    return origins


def cors() -> CORSConfig | bool:
    """Give the rules for pages on one other origin or on any; False for several. Raises OriginError."""
    origins = allowed_origins()
    if len(origins) > 1:
        return False
    return CORSConfig(
        allow_origin=origins[0],
        allow_headers=list(TAKEN),
        expose_headers=list(EXPOSED),
        max_age=PREFLIGHT_SECONDS,
    )


def preflight(methods: list[str]) -> Response:
    """Say which requests a page on another origin may make; ``around`` says whether it may."""
    headers: dict[str, str | list[str]] = {
        "Access-Control-Allow-Methods": ",".join(methods or ["OPTIONS"]),
        "Access-Control-Allow-Headers": ",".join(TAKEN),
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        "Content-Type": messages.JSON,
    }
    return Response(body="", headers=headers)


def json_answer(message: dict[str, Any], status: int = 200) -> Response:
    """Give a message as JSON; NaN and infinity raise ValueError, they never leave."""
    body = messages.to_json(message).decode()
    return Response(body=body, status_code=status, headers={"Content-Type": messages.JSON})


def kept_answer(message: dict[str, Any], known: str | None) -> Response:
    """Give a message that callers may keep, with its ETag; 304 without it when it is ``known`` by that.

    ``known`` is If-None-Match (RFC 9110, 13.1.2): ETags with commas between, or ``*``.
    """
    response = json_answer(message)
    tag = f'"{hashlib.sha256(response.body.encode()).hexdigest()[:32]}"'
    response.headers |= {"ETag": tag, "Cache-Control": KEPT}
    named = {part.strip().removeprefix("W/") for part in (known or "").split(",")}
    if named & {tag, "*"}:
        response.status_code, response.body = 304, ""
    return response


def batch_answer(message: dict[str, Any], accept: str | None) -> Response:
    """Give a batch's answer as JSON, or its items as JSON lines to who accepts those."""
    wanted = _wanted(accept or "", (messages.JSON, *LINES))
    if wanted == messages.JSON:
        return json_answer(message)
    body = "".join(messages.to_json(item).decode() + "\n" for item in message["answers"])
    return Response(body=body, headers={"Content-Type": wanted})


def text_answer(text: str, kind: str = f"{messages.TEXT}; charset=utf-8") -> Response:
    """Give a text as it is."""
    return Response(body=text, headers={"Content-Type": kind})


def headers_of(request_id: str, origin: str | None = None) -> dict[str, str]:
    """Give the headers that every answer carries, errors included, to a page of ``origin``."""
    return {
        **SECURITY,
        **_cors_headers(origin),
        "Access-Control-Expose-Headers": ", ".join(EXPOSED),
        "X-Request-Id": request_id,
    }


def _cors_headers(origin: str | None) -> dict[str, str]:
    """Name the origin that may read this: the only one, or the asking one where there are several."""
    origins = allowed_origins()
    if len(origins) == 1:
        return {"Access-Control-Allow-Origin": origins[0]}
    named = {"Access-Control-Allow-Origin": origin} if origin in origins and origin else {}
    return {**named, "Vary": "Origin"}


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
    ours = headers_of(log.request_id(), request.headers.get("origin") if request else None)
    if "ETag" in response.headers:
        del ours["Cache-Control"]
    response.headers = {**response.headers, **ours}
    if method == "HEAD":
        response.body = ""
    log.write(response.status_code)
    return response


def _wanted(accept: str, kinds: tuple[str, ...]) -> str:
    """Give the kind that an Accept header likes best (RFC 9110), the first of equals, or JSON.

    >>> _wanted("application/jsonlines; q=0, */*", ("application/json", "application/jsonlines"))
    'application/json'
    """
    liked = {}
    for part in accept.split(","):
        if (kind := messages.media_type(part)) in kinds:
            weight = _WEIGHT.search(part)
            liked[kind] = float(weight[1]) if weight else 1.0
    best = max(liked, key=lambda kind: liked[kind], default=messages.JSON)
    return best if liked.get(best) else messages.JSON


def _chalices_own(status: int, allowed: list[str]) -> problems.Problem:
    """Turn an error that Chalice answers without asking us: {"Code": ..., "Message": ...}."""
    if status == 405:
        return problems.wrong_method(allowed) if allowed else problems.not_found()
    if status == 415:
        return problems.Problem(415, "unsupported_media_type", "this content type is not read; send JSON")
    return problems.Problem(500, "internal", "the request did not come as API Gateway sends them")
