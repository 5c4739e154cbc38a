"""Errors as application/problem+json (RFC 9457): each has a code and a sentence."""

import functools
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from chalice.app import Response

from chalicelib import log
from vocab import messages
from vocab.messages import MessageError
from vocab.vocabulary import VocabularyError

PROBLEM_JSON = "application/problem+json"
RETRY_SOON = {"Retry-After": "1"}
RETRY_LATER = {"Retry-After": "5"}
# Every error code of this app and of API Gateway, with its title. The OpenAPI document lists them.
TITLES = {
    "bad_request": "The request can't be read",
    "incomplete_body": "The body was cut short",
    "malformed_json": "The body is no valid JSON",
    "malformed_csv": "The body is no valid CSV",
    "not_utf8": "The body is not UTF-8",
    "missing_field": "A field is missing",
    "unknown_field": "A field is not known",
    "unknown_parameter": "A query parameter is not known",
    "wrong_type": "A value has the wrong type",
    "bad_value": "A value is not allowed",
    "not_found": "Nothing is here",
    "method_not_allowed": "This method is not answered here",
    "request_timeout": "The request took too long to arrive",
    "length_required": "The body's length is missing",
    "too_long": "The review is too long",
    "too_large": "The body is too large",
    "too_many_reviews": "Too many reviews come in one request",
    "unsupported_media_type": "This content type is not read",
    "unsupported_encoding": "This content encoding is not read",
    "no_token": "The review holds no word",
    "feedback_off": "Feedback is not kept here",
    "feedback_full": "No more feedback is kept",
    "feedback_unknown": "No feedback is kept under this id",
    "feedback_unavailable": "Feedback can't be kept or deleted now",
    "unauthorized": "An API key is missing or not known",
    "forbidden": "This request is refused",
    "too_many_requests": "Too many requests come at once",
    "internal": "Something went wrong in the app",
    "app_busy": "The app is busy",
    "app_failed": "The app failed",
    "app_timeout": "The app took too long",
    "vocabulary_unreadable": "The app's vocabulary can't be read",
    "misconfigured": "The app is not set up to reach its endpoint",
    "endpoint_error": "The endpoint failed",
    "bad_endpoint_answer": "The endpoint's answer can't be used",
    "vocabulary_mismatch": "App and endpoint have different vocabularies",
    "version_mismatch": "App and endpoint are of different versions",
    "endpoint_unavailable": "The endpoint can't be reached",
    "endpoint_waking": "The endpoint is starting",
    "endpoint_busy": "The endpoint is busy",
    "endpoint_timeout": "The endpoint took too long",
}


class Problem(Exception):
    """An error with an HTTP ``status``, a ``code`` of TITLES, a ``detail`` in one sentence, and headers."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})


class ProblemResponse(Response):
    """The response of a problem, which another protocol may answer in its own form."""

    def __init__(self, problem: Problem, body: str, headers: dict[str, str | list[str]]) -> None:
        super().__init__(body=body, status_code=problem.status, headers=headers)
        self.problem = problem


def catch_errors(view: Callable[[], Response]) -> Callable[..., Response]:
    """Wrap a view so that its errors become problems; Chalice would log the error's text."""

    @functools.wraps(view)
    def wrapped(**parts: str) -> Response:  # parts of the path, which the view reads from its request
        try:
            return view()
        except Exception as error:
            return answer(problem_of(error))

    return wrapped


def problem_of(error: Exception) -> Problem:
    """Return the problem of any error. That of an unexpected error holds only its request id."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, MessageError):
        return Problem(error.status, error.code, error.detail)
    log.note_error(error)
    if isinstance(error, VocabularyError):
        return Problem(500, "vocabulary_unreadable", str(error))
    return Problem(
        500, "internal", "an error in the app itself; its log has a line with this request_id, report both"
    )


def answer(problem: Problem) -> ProblemResponse:
    """Return a problem as a response, and note its code in the log line."""
    log.note(code=problem.code)
    headers: dict[str, str | list[str]] = {"Content-Type": PROBLEM_JSON, **problem.headers}
    body = messages.to_json(message(problem, log.request_id())).decode()
    return ProblemResponse(problem, body, headers)


def message(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return a problem as the message that is sent.

    >>> message(not_found(), "r1")["type"]
    'urn:verdict:problem:not_found'
    """
    return {**_members(problem), "request_id": request_id}


def of_item(error: MessageError) -> dict[str, Any]:
    """Return a batch's item for a review that can't be used: a problem without a request id."""
    return {"error": _members(problem_of(error))}


def not_found() -> Problem:
    """Return the problem of an unknown path."""
    return Problem(404, "not_found", "this path is not known; GET /v1/openapi.json lists those that are")


def wrong_method(allowed: list[str]) -> Problem:
    """Return the problem of a known path with a method that it does not answer."""
    return Problem(
        405,
        "method_not_allowed",
        f"this path answers {', '.join(allowed)}; GET /v1/openapi.json says how",
        {"Allow": ", ".join(allowed)},
    )


def _members(problem: Problem) -> dict[str, Any]:
    return {
        "type": f"urn:verdict:problem:{problem.code}",
        "title": TITLES.get(problem.code, HTTPStatus(problem.status).phrase),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
