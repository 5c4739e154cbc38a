"""Build responses, and add request id, CORS and security headers and the log line to each."""

import functools
import hashlib
import os
import re
import uuid
from collections.abc import Callable
from typing import Any

from chalice.app import CORSConfig, Request, Response

from chalicelib import compatible, log, problems
from vocab import messages

EXPOSED_HEADERS = ("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")
# Request headers that a page on another origin may send, beside those that always may.
ALLOWED_HEADERS = ("Content-Type", "If-None-Match", "X-Api-Key", "X-Request-Id")
PREFLIGHT_SECONDS = 600
# A caller may cache the answer for itself, and must revalidate it before each use.
CACHE_CONTROL = "private, no-cache"
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
    """CORS_ORIGIN is no list of origins."""


def allowed_origins() -> tuple[str, ...]:
    """Return the origins whose pages may read answers: CORS_ORIGIN's, or any. Raises OriginError."""
    return _origins(os.environ.get("CORS_ORIGIN") or "*")


def cors() -> CORSConfig | bool:
    """Return Chalice's CORS rules for one origin or any; False for several. Raises OriginError."""
    origins = allowed_origins()
    if len(origins) > 1:
        return False
    return CORSConfig(
        allow_origin=origins[0],
        allow_headers=list(ALLOWED_HEADERS),
        expose_headers=list(EXPOSED_HEADERS),
        max_age=PREFLIGHT_SECONDS,
    )


def preflight(methods: list[str]) -> Response:
    """Return the methods and headers that other origins may use; ``complete`` adds the allowed origin."""
    headers: dict[str, str | list[str]] = {
        "Access-Control-Allow-Methods": ",".join(methods or ["OPTIONS"]),
        "Access-Control-Allow-Headers": ",".join(ALLOWED_HEADERS),
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        "Content-Type": messages.JSON,
    }
    return Response(body="", headers=headers)


def json_answer(message: dict[str, Any] | list[Any], status: int = 200) -> Response:
    """Return a message as JSON. Raises ValueError for NaN and infinity."""
    body = messages.to_json(message).decode()
    return Response(body=body, status_code=status, headers={"Content-Type": messages.JSON})


def cacheable_answer(message: dict[str, Any], if_none_match: str | None) -> Response:
    """Return a message with its ETag, or 304 without a body when the caller has it already.

    ``if_none_match`` is the header of RFC 9110, 13.1.2: ETags with commas between, or ``*``.
    """
    response = json_answer(message)
    tag = f'"{hashlib.sha256(response.body.encode()).hexdigest()[:32]}"'
    response.headers |= {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    cached = {part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")}
    if cached & {tag, "*"}:
        response.status_code, response.body = 304, ""
    return response


def batch_answer(message: dict[str, Any], accept: str | None) -> Response:
    """Return a batch's answer as JSON, or its items as JSON lines when ``accept`` prefers those."""
    kind = _preferred_type(accept or "", (messages.JSON, *LINES))
    if kind == messages.JSON:
        return json_answer(message)
    body = "".join(messages.to_json(item).decode() + "\n" for item in message["answers"])
    return Response(body=body, headers={"Content-Type": kind})


def text_answer(text: str, kind: str = f"{messages.TEXT}; charset=utf-8") -> Response:
    """Return a text as it is."""
    return Response(body=text, headers={"Content-Type": kind})


def headers_of(request_id: str, origin: str | None = None) -> dict[str, str]:
    """Return the headers of every answer, errors included, to a page of ``origin``."""
    return {
        **SECURITY,
        **_cors_headers(origin),
        "Access-Control-Expose-Headers": ", ".join(EXPOSED_HEADERS),
        "X-Request-Id": request_id,
    }


def request_id_of(header: str | None) -> str:
    """Return the caller's request id when it has the right form, else a new one."""
    return header if header and _REQUEST_ID.fullmatch(header) else uuid.uuid4().hex


def complete(
    request: Request | None, get_response: Next, allowed_methods: Callable[[str], list[str]]
) -> Response:
    """Add headers and a log line to every response, as Chalice's outermost middleware.

    ``allowed_methods`` returns the methods of a route, for errors that Chalice answers by itself.
    """
    method, route = (request.method, request.path) if request else ("", "")
    log.begin(request_id_of(request.headers.get("x-request-id") if request else None), method, route)
    try:
        response = get_response(request)
        if not isinstance(response.body, str):
            response = problems.answer(_chalice_problem(response.status_code, allowed_methods(route)))
    except Exception as error:
        response = problems.answer(problems.problem_of(error))
    if request and isinstance(response, problems.ProblemResponse):
        response = _in_the_caller_s_form(response, compatible.speaker(route, request.headers))
    headers = headers_of(log.request_id(), request.headers.get("origin") if request else None)
    if "ETag" in response.headers:
        del headers["Cache-Control"]
    response.headers = {**response.headers, **headers}
    if method == "HEAD":
        response.body = ""
    log.write(response.status_code)
    return response


@functools.lru_cache(maxsize=8)
def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(part.strip(" ") for part in value.split(","))
    if not all(_ORIGIN.fullmatch(origin) for origin in origins) or ("*" in origins and len(origins) > 1):
        raise OriginError(
            "CORS_ORIGIN must be * or like https://page.example:8443, several with commas between,"
            f" got {value[:60]!r}"
        )
    return origins


def _cors_headers(origin: str | None) -> dict[str, str]:
    """Return the header that names the only allowed origin, or the caller's among several."""
    origins = allowed_origins()
    if len(origins) == 1:
        return {"Access-Control-Allow-Origin": origins[0]}
    allowed = {"Access-Control-Allow-Origin": origin} if origin in origins and origin else {}
    return {**allowed, "Vary": "Origin"}


def _in_the_caller_s_form(
    response: problems.ProblemResponse, protocol: compatible.Protocol | None
) -> Response:
    """Return a problem as its caller's protocol has it."""
    if protocol is None:
        return response
    status, headers, body = protocol.refuse(response.problem, log.request_id())
    return Response(body=body.decode(), status_code=status, headers=dict(headers))


def _preferred_type(accept: str, kinds: tuple[str, ...]) -> str:
    """Return the media type that an Accept header prefers (RFC 9110), the first of equals, or JSON.

    >>> _preferred_type("application/jsonlines; q=0, */*", ("application/json", "application/jsonlines"))
    'application/json'
    """
    weights = {}
    for part in accept.split(","):
        if (kind := messages.media_type(part)) in kinds:
            weight = _WEIGHT.search(part)
            weights[kind] = float(weight[1]) if weight else 1.0
    best = max(weights, key=lambda kind: weights[kind], default=messages.JSON)
    return best if weights.get(best) else messages.JSON


def _chalice_problem(status: int, allowed: list[str]) -> problems.Problem:
    """Return the problem of an error that Chalice answers by itself: {"Code": ..., "Message": ...}."""
    if status == 405:
        return problems.wrong_method(allowed) if allowed else problems.not_found()
    if status == 415:
        return problems.Problem(415, "unsupported_media_type", "this content type is not read; send JSON")
    return problems.Problem(500, "internal", "the request did not come as API Gateway sends them")
