"""Describe the API as an OpenAPI 3.1 document, by hand; the tests hold it against the code.

https://spec.openapis.org/oas/v3.1.0
"""

from typing import Any

from chalicelib import problems
from vocab import contract

VERSION = "1.0.0"
PATH = "/v1/openapi.json"

Schema = dict[str, Any]


def document(path: str = PATH) -> dict[str, Any]:
    """Give the document for an app that was asked for it at ``path``, its stage included.

    >>> document("/api/v1/openapi.json")["servers"]
    [{'url': '/api'}]
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Verdict",
            "version": VERSION,
            "summary": "A film review goes in, a verdict comes out: positive or negative, how sure, and why.",
            "description": (
                "Reviews are neither stored nor logged. Every answer carries X-Request-Id; send your own"
                " (letters, digits, `.`, `_`, `-`, at most 64) to have it used. GET routes answer HEAD too."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": path.removesuffix(PATH) or "/"}],
        "tags": [{"name": "reviews"}, {"name": "service"}],
        "paths": {
            "/v1/sentiment": {"post": _sentiment()},
            "/": {"post": _compatible()},
            "/v1/health": {"get": _health()},
            "/v1/model": {"get": _model()},
            PATH: {"get": _openapi()},
        },
        "components": {
            "schemas": _schemas(),
            "responses": _problem_responses(),
            "headers": {
                "X-Request-Id": {
                    "description": "The id of this request, which its log line carries too.",
                    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
                },
                "Retry-After": {
                    "description": "After how many seconds another try makes sense.",
                    "schema": {"type": "integer", "minimum": 0},
                },
            },
        },
    }


# --- routes -------------------------------------------------------------------------------------


def _sentiment() -> dict[str, Any]:
    return {
        "operationId": "judgeReview",
        "tags": ["reviews"],
        "summary": "The verdict on one review",
        "description": (
            "The review as JSON, or alone as text/plain (UTF-8), which is explained by sentences. Without a"
            f" content type, JSON is assumed. A body may have {contract.MAX_BODY_BYTES:,} bytes."
        ),
        "requestBody": {
            "required": True,
            "content": {
                contract.JSON: {
                    "schema": _ref("ReviewRequest"),
                    "examples": {
                        "plain": {"value": {"review": "Not good at all. The music was lovely."}},
                        "words": {"value": {"review": "Wonderful, moving, funny!", "explain": "words"}},
                        "verdict_alone": {"value": {"review": "I want my evening back.", "explain": "none"}},
                    },
                },
                contract.TEXT: {
                    "schema": {"type": "string", "maxLength": contract.MAX_REVIEW_CHARACTERS},
                    "examples": {"plain": {"value": "Great<br />movie, 9/10!"}},
                },
            },
        },
        "responses": {
            "200": _ok("The verdict", contract.JSON, _ref("Answer"), {"negative": {"value": _EXAMPLE}}),
            **_review_problems(),
        },
    }


def _compatible() -> dict[str, Any]:
    return {
        "operationId": "judgeReviewAsBefore",
        "tags": ["reviews"],
        "summary": "The verdict as one number, as the app before this one answered",
        "description": "1.0 for a probability of at least 0.5, else 0.0, even where it is uncertain.",
        "requestBody": {
            "required": True,
            "content": {
                contract.TEXT: {
                    "schema": {"type": "string", "maxLength": contract.MAX_REVIEW_CHARACTERS},
                    "examples": {"plain": {"value": "A warm, funny film that I will see again."}},
                }
            },
        },
        "responses": {
            "200": _ok("1.0 or 0.0", contract.TEXT, {"type": "string", "enum": ["1.0", "0.0"]}),
            **_review_problems(),
        },
    }


def _health() -> dict[str, Any]:
    return {
        "operationId": "getHealth",
        "tags": ["service"],
        "summary": "Whether app and endpoint are fine",
        "responses": {
            "200": _ok("Both are fine", contract.JSON, _ref("Health")),
            "503": _ok("One of them is not; code and detail say why", contract.JSON, _ref("Health")),
            **_problems("405"),
        },
    }


def _model() -> dict[str, Any]:
    return {
        "operationId": "getModelCard",
        "tags": ["service"],
        "summary": "The card of the model that serves: data, recipe, numbers",
        "description": "Answered by the endpoint, and kept for a minute.",
        "responses": {
            "200": _ok("The card", contract.JSON, _ref("ModelCard")),
            **_problems("405", "500", "502", "503", "504"),
        },
    }


def _openapi() -> dict[str, Any]:
    return {
        "operationId": "getOpenapi",
        "tags": ["service"],
        "summary": "This document",
        "responses": {
            "200": _ok("OpenAPI 3.1", contract.JSON, {"type": "object", "required": ["openapi", "paths"]}),
            **_problems("405", "500"),
        },
    }


# --- messages -----------------------------------------------------------------------------------


def _schemas() -> dict[str, Schema]:
    return {
        "ReviewRequest": {
            "type": "object",
            "required": ["review"],
            "additionalProperties": False,
            "properties": {
                "review": {
                    "type": "string",
                    "maxLength": contract.MAX_REVIEW_CHARACTERS,
                    "description": "The review; HTML is taken out. Something must be left to read.",
                },
                "explain": {
                    "enum": list(contract.EXPLAIN),
                    "default": contract.ReviewRequest._field_defaults["explain"],
                    "description": "How far to say which parts of the review pull the verdict which way.",
                },
            },
        },
        "Answer": {
            "type": "object",
            "required": ["sentiment", "probability", "warnings", "bias", "model", "request_id"],
            "properties": {
                "sentiment": {"enum": list(contract.SENTIMENTS)},
                "probability": {**_PROBABILITY, "description": "P(positive), calibrated."},
                "warnings": {"type": "array", "items": _ref("Warning")},
                "text": {
                    "type": "string",
                    "description": "The cleaned review that start and end point into; only when explaining.",
                },
                "sentences": {"type": "array", "items": _ref("Contribution")},
                "words": {"type": "array", "items": _ref("Contribution")},
                "bias": {
                    "type": "number",
                    "description": "bias + sum of contributions = logit, and probability = sigmoid(logit).",
                },
                "model": _ref("Model"),
                "request_id": {"type": "string"},
            },
        },
        "Warning": {
            "type": "object",
            "required": ["code", "detail"],
            "properties": {
                "code": {
                    "type": "string",
                    "description": "truncated, too_short, no_known_words, not_english; others may come.",
                },
                "detail": {"type": "string"},
            },
        },
        "Contribution": {
            "type": "object",
            "description": "What text[start:end] adds to the logit. Offsets are Unicode code points.",
            "required": ["start", "end", "contribution"],
            "properties": {
                "start": {"type": "integer", "minimum": 0},
                "end": {"type": "integer", "minimum": 1},
                "contribution": {"type": "number"},
            },
        },
        "Model": {
            "type": "object",
            "required": ["id", "vocabulary"],
            "properties": {
                "id": {"type": "string"},
                "vocabulary": {"type": "string"},
                "uncertain": _BAND,
            },
        },
        "ModelCard": {
            "type": "object",
            "required": ["id", "vocabulary", "uncertain"],
            "properties": {
                "id": {"type": "string"},
                "vocabulary": {"type": "string"},
                "uncertain": _BAND,
            },
        },
        "Health": {
            "type": "object",
            "required": ["status", "app", "endpoint", "model"],
            "properties": {
                "status": {"enum": ["ok", "degraded"]},
                "app": {"enum": ["ok", "unavailable"]},
                "endpoint": {"enum": ["ok", "unavailable", "unknown"]},
                "model": {"oneOf": [_ref("Model"), {"type": "null"}]},
                "code": _ref("Code"),
                "detail": {"type": "string"},
            },
        },
        "Problem": {
            "type": "object",
            "description": "RFC 9457.",
            "required": ["type", "title", "status", "detail", "code", "request_id"],
            "properties": {
                "type": {"type": "string", "format": "uri"},
                "title": {"type": "string"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string", "description": "What was wrong, and what to send instead."},
                "code": _ref("Code"),
                "request_id": {"type": "string"},
            },
        },
        "Code": {"type": "string", "enum": list(problems.TITLES)},
    }


_PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_BAND: Schema = {
    "type": "array",
    "description": "Between these two probabilities the verdict is uncertain.",
    "items": _PROBABILITY,
    "minItems": 2,
    "maxItems": 2,
}
_EXAMPLE = {
    "sentiment": "negative",
    "probability": 0.094351,
    "warnings": [],
    "text": "Not good at all. The music was lovely.",
    "sentences": [
        {"start": 0, "end": 16, "contribution": -3.011402},
        {"start": 17, "end": 38, "contribution": 0.811403},
    ],
    "bias": -0.061728,
    "model": {"id": "bilstm-1", "vocabulary": "b1041d6bee051825", "uncertain": [0.4, 0.6]},
    "request_id": "5b7c1d3a9e8f4a61b0c2d4e6f8a91b3c",
}

# --- errors -------------------------------------------------------------------------------------

_PROBLEMS = {
    "400": "The request is not as described",
    "405": "The path does not answer this method; Allow names those that it does",
    "411": "The body came without its length",
    "413": f"The review is longer than {contract.MAX_REVIEW_CHARACTERS:,} characters",
    "415": "The content type, its charset or its encoding is not read",
    "422": "The review holds nothing to read",
    "429": "Too many requests come at once; API Gateway says so, and Retry-After when to try again",
    "500": "The app failed, or is not set up to reach its endpoint",
    "502": "The endpoint failed",
    "503": "The endpoint can't be reached, is starting or busy; Retry-After says when to try again",
    "504": "The endpoint took too long",
}


def _problem_responses() -> dict[str, Any]:
    return {f"Problem{status}": _problem_response(status, text) for status, text in _PROBLEMS.items()}


def _problem_response(status: str, description: str) -> dict[str, Any]:
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if status in ("429", "502", "503", "504"):
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    return {
        "description": description,
        "headers": headers,
        "content": {problems.PROBLEM_JSON: {"schema": _ref("Problem")}},
    }


def _review_problems() -> dict[str, Any]:
    return _problems("400", "405", "411", "413", "415", "422", "500", "502", "503", "504")


def _problems(*statuses: str) -> dict[str, Any]:
    """Give the problems of an operation; API Gateway may throttle each."""
    every = sorted({*statuses, "429"})
    return {status: {"$ref": f"#/components/responses/Problem{status}"} for status in every}


def _ok(
    description: str, media: str, schema: Schema, examples: dict[str, Any] | None = None
) -> dict[str, Any]:
    content = {"schema": schema, **({"examples": examples} if examples else {})}
    return {
        "description": description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
        "content": {media: content},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
