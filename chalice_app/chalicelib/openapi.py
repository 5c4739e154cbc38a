"""The API's OpenAPI 3.1 document, written by hand; tests compare it with the code.

https://spec.openapis.org/oas/v3.1.0
"""

from typing import Any

from chalicelib import problems
from vocab import messages
from vocab.messages import feedback

VERSION = "1.0.0"
PATH = "/v1/openapi.json"

Schema = dict[str, Any]


def document(path: str = PATH) -> dict[str, Any]:
    """Return the document for an app that serves it at ``path``, with the path's stage.

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
                "Reviews are never logged. Only POST /v1/feedback stores one. Every answer carries"
                " X-Request-Id; send your own (letters, digits, `.`, `_`, `-`, at most 64) to have it used."
                " GET routes answer HEAD too. A query parameter that a route does not name is refused."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": path.removesuffix(PATH) or "/"}],
        "tags": [{"name": "reviews"}, {"name": "feedback"}, {"name": "service"}],
        "paths": {
            "/v1/sentiment": {"post": _sentiment()},
            "/v1/sentiment/batch": {"post": _batch()},
            "/v1/feedback": {"get": _feedback_status(), "post": _save_feedback()},
            "/v1/feedback/{id}": {"delete": _delete_feedback()},
            "/": {"post": _legacy_sentiment()},
            "/v1/health": {"get": _health()},
            "/v1/model": {"get": _model()},
            PATH: {"get": _openapi()},
            "/v1/metrics": {"get": _metrics()},
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
                    "description": "The number of seconds to wait before another try.",
                    "schema": {"type": "integer", "minimum": 0},
                },
                "RateLimit-Policy": {
                    "description": "How many requests (q) in how many seconds (w) an address may make, in the"
                    " form of draft-ietf-httpapi-ratelimit-headers-11; only on one machine.",
                    "schema": {"type": "string"},
                    "example": '"client";q=10000;w=1',
                },
                "RateLimit": {
                    "description": "How many more requests (r) may come at once, and in how many seconds (t)"
                    " one more may; only on one machine.",
                    "schema": {"type": "string"},
                    "example": '"client";r=9999;t=1',
                },
                "ETag": {
                    "description": "The answer's fingerprint. Sent back in If-None-Match, it saves the body.",
                    "schema": {"type": "string"},
                },
                "WWW-Authenticate": {
                    "description": "Present when X-Api-Key is missing or not known.",
                    "schema": {"type": "string"},
                },
            },
            "securitySchemes": {
                "ApiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Api-Key",
                    "description": "Needed where the API's owner has set AUTH=key.",
                }
            },
        },
    }


# --- routes -------------------------------------------------------------------------------------


def _sentiment() -> dict[str, Any]:
    return {
        "operationId": "judgeReview",
        "tags": ["reviews"],
        "security": _KEY,
        "summary": "The verdict on one review",
        "description": (
            "The review as JSON, or alone as text/plain (UTF-8). Without a content type, JSON is assumed."
            f" A body may have {messages.MAX_BODY_BYTES:,} bytes."
        ),
        "parameters": [_explain(_DEFAULT_OF_ONE)],
        "requestBody": {
            "required": True,
            "content": {
                messages.JSON: {
                    "schema": _ref("ReviewRequest"),
                    "examples": {
                        "plain": {"value": {"review": "Not good at all. The music was lovely."}},
                        "words": {"value": {"review": "Wonderful, moving, funny!", "explain": "words"}},
                        "verdict_alone": {"value": {"review": "I want my evening back.", "explain": "none"}},
                        "aspects": {"value": _ASPECTS_REQUEST},
                    },
                },
                messages.TEXT: {
                    "schema": {"type": "string", "minLength": 1, "maxLength": messages.MAX_REVIEW_CHARACTERS},
                    "examples": {"plain": {"value": "Great<br />movie, 9/10!"}},
                },
            },
        },
        "responses": {
            "200": _ok(
                "The verdict",
                messages.JSON,
                _ref("Answer"),
                {"negative": {"value": _EXAMPLE}, "aspects": {"value": _ASPECTS_EXAMPLE}},
            ),
            **_review_problems(),
        },
    }


def _batch() -> dict[str, Any]:
    lines = {"schema": {"type": "string"}, "examples": {"two": {"value": _LINES}}}
    answer = _ok(
        "One item a review, in order", messages.JSON, _ref("BatchAnswer"), {"two": {"value": _BATCH}}
    )
    for kind in (messages.JSON_LINES, messages.NDJSON):
        answer["content"][kind] = {
            "schema": {
                "type": "string",
                "description": "With this type in Accept: one item a line.",
            }
        }
    return {
        "operationId": "judgeReviews",
        "tags": ["reviews"],
        "security": _KEY,
        "summary": "The verdicts on up to 100 reviews",
        "description": (
            "Each review gets the verdict that it would get alone, or its own problem. Send reviews"
            " as JSON, as JSON lines, or as CSV. The first line of CSV names the column `review` and,"
            f" if you like, `id`. A body may have {messages.MAX_BODY_BYTES:,} bytes."
        ),
        "parameters": [_explain(_DEFAULT_OF_BATCH)],
        "requestBody": {
            "required": True,
            "content": {
                messages.JSON: {"schema": _ref("BatchRequest"), "examples": _batch_examples()},
                messages.JSON_LINES: lines,
                messages.NDJSON: lines,
                messages.CSV: {
                    "schema": {"type": "string"},
                    "examples": {
                        "ids": {"value": 'id,review\r\n7,"Dull, and far too long."\r\n8,A joy.\r\n'}
                    },
                },
            },
        },
        "responses": {"200": answer, **_batch_problems()},
    }


def _explain(default: str) -> dict[str, Any]:
    """Return the query's parameter, with the default of its route."""
    return {
        "name": "explain",
        "in": "query",
        "description": "How far to explain. JSON can name it in the body instead; two that differ are"
        f" refused. One review is explained by {_DEFAULT_OF_ONE}, a batch by {_DEFAULT_OF_BATCH}, unless"
        " the request says otherwise.",
        "schema": {"enum": list(messages.EXPLAIN), "default": default},
    }


def _batch_examples() -> dict[str, Any]:
    with_ids = {"reviews": [{"id": 1, "review": "A joy to watch."}, {"id": "b", "review": "  "}]}
    explained = {"reviews": [{"review": "Not good at all. The music was lovely."}], "explain": "words"}
    return {"ids": {"value": with_ids}, "words": {"value": explained}}


def _legacy_sentiment() -> dict[str, Any]:
    return {
        "operationId": "judgeReviewAsBefore",
        "tags": ["reviews"],
        "security": _KEY,
        "summary": "The verdict as one number, as the app before this one answered",
        "description": "1.0 for a probability of at least 0.5, else 0.0, even where it is uncertain.",
        "requestBody": {
            "required": True,
            "content": {
                messages.TEXT: {
                    "schema": {"type": "string", "minLength": 1, "maxLength": messages.MAX_REVIEW_CHARACTERS},
                    "examples": {"plain": {"value": "A warm, funny film that I will see again."}},
                }
            },
        },
        "responses": {
            "200": _ok("1.0 or 0.0", messages.TEXT, {"type": "string", "enum": ["1.0", "0.0"]}),
            **_review_problems(),
        },
    }


def _feedback_status() -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["enabled"],
        "properties": {"enabled": {"type": "boolean"}},
    }
    return {
        "operationId": "isFeedbackKept",
        "tags": ["feedback"],
        "security": [],
        "summary": "Whether this API keeps feedback",
        "responses": {
            "200": _ok("Its owner's choice", messages.JSON, schema),
            **_problems("405", "500"),
        },
    }


def _save_feedback() -> dict[str, Any]:
    return {
        "operationId": "keepFeedback",
        "tags": ["feedback"],
        "security": _KEY,
        "summary": "Keep a review with its right label, to learn from",
        "description": (
            "The only route that stores a review, and only if the API's owner has switched it on."
            " Anyone with the id in the answer can delete it."
        ),
        "requestBody": {
            "required": True,
            "content": {
                messages.JSON: {
                    "schema": _ref("Feedback"),
                    "examples": {
                        "wrong": {
                            "value": {
                                "review": "I laughed until it hurt.",
                                "label": "positive",
                                "model": "bilstm-1",
                            }
                        }
                    },
                }
            },
        },
        "responses": {
            "201": _ok("It is kept", messages.JSON, _ref("FeedbackKept")),
            **_problems("400", "401", "404", "405", "413", "415", "422", "500", "503"),
        },
    }


def _delete_feedback() -> dict[str, Any]:
    return {
        "operationId": "deleteFeedback",
        "tags": ["feedback"],
        "security": _KEY,
        "summary": "Delete feedback",
        "description": "An id under which nothing is kept, or no longer, is a 404 `feedback_unknown`.",
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "description": "The id that was answered when it was kept.",
                "schema": _ref("FeedbackId"),
            }
        ],
        "responses": {
            "200": _ok("It is gone", messages.JSON, _ref("FeedbackDeleted")),
            **_problems("401", "404", "405", "500", "503"),
        },
    }


def _health() -> dict[str, Any]:
    return {
        "operationId": "getHealth",
        "tags": ["service"],
        "security": [],
        "summary": "Whether app and endpoint are fine",
        "responses": {
            **_problems("405"),
            "200": _ok("Both are fine", messages.JSON, _ref("Health")),
            "503": _not_fine(),
        },
    }


def _not_fine() -> dict[str, Any]:
    description = "App or endpoint is not fine; code and detail say which, and why"
    answer = _ok(description, messages.JSON, _ref("Health"))
    answer["content"][problems.PROBLEM_JSON] = {"schema": _ref("Problem")}
    return answer


def _model() -> dict[str, Any]:
    return {
        "operationId": "getModelCard",
        "tags": ["service"],
        "security": _KEY,
        "parameters": [_IF_NONE_MATCH],
        "summary": "The card of the model that serves: data, recipe, numbers",
        "description": "Answered by the endpoint, and kept for a minute.",
        "responses": {
            **_cacheable("The card", _ref("ModelCard")),
            **_problems("401", "405", "500", "502", "503", "504"),
        },
    }


def _openapi() -> dict[str, Any]:
    return {
        "operationId": "getOpenapi",
        "tags": ["service"],
        "security": [],
        "parameters": [_IF_NONE_MATCH],
        "summary": "This document",
        "responses": {
            **_cacheable("OpenAPI 3.1", {"type": "object", "required": ["openapi", "paths"]}),
            **_problems("405", "500"),
        },
    }


def _metrics() -> dict[str, Any]:
    return {
        "operationId": "getMetrics",
        "tags": ["service"],
        "security": _KEY,
        "summary": "Counts for Prometheus: requests, times, verdicts, warnings, lengths, unknown words",
        "description": "Only on one machine. On AWS this is a 404, and CloudWatch has such numbers.",
        "responses": {
            "200": _ok("Prometheus's text format", messages.TEXT, {"type": "string"}),
            **_problems("401", "404", "405", "500"),
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
                    "minLength": 1,
                    "maxLength": messages.MAX_REVIEW_CHARACTERS,
                    "description": "The review; HTML is taken out. Something must be left to read.",
                },
                "explain": {
                    "enum": list(messages.EXPLAIN),
                    "default": _DEFAULT_OF_ONE,
                    "description": "How far to explain which parts of the review pull the verdict which way.",
                },
                "aspects": _ref("Aspects"),
            },
        },
        "Answer": {
            "type": "object",
            "required": [*_VERDICT["required"], "model", "request_id"],
            "properties": {
                **_VERDICT["properties"],
                "model": _ref("Model"),
                "request_id": {"type": "string"},
            },
        },
        **_batch_schemas(),
        **_aspect_schemas(),
        **_feedback_schemas(),
        "Warning": {
            "type": "object",
            "required": ["code", "detail"],
            "properties": {
                "code": {
                    "type": "string",
                    "description": "truncated, too_short, no_known_words, not_english, mixed; others may"
                    " come.",
                },
                "detail": {"type": "string"},
            },
        },
        "Sentence": {
            "type": "object",
            "description": f"The sentence text[start:end]. {_OFFSETS}",
            "required": [*_PART, "alone", "without"],
            "properties": {
                **_PART,
                "alone": {**_PROBABILITY, "description": "P(positive) of this sentence alone."},
                "without": {
                    **_PROBABILITY,
                    "type": ["number", "null"],
                    "description": "P(positive) of the review without this sentence; null when it has no"
                    " other.",
                },
            },
        },
        "Word": {
            "type": "object",
            "description": f"The word or sign text[start:end]. {_OFFSETS}",
            "required": [*_PART],
            "properties": {
                **_PART,
                "effect": {
                    "type": "number",
                    "description": "How far the logit falls when the review is read without this word."
                    " Measured for the strongest words only.",
                },
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
            "required": [*_PROBLEM["required"], "request_id"],
            "properties": {**_PROBLEM["properties"], "request_id": {"type": "string"}},
        },
        "Code": {"type": "string", "enum": list(problems.TITLES)},
    }


def _feedback_schemas() -> dict[str, Schema]:
    request_id = {"type": "string"}
    return {
        "FeedbackId": {"type": "string", "pattern": f"^{feedback.ID.pattern}$"},
        "Feedback": {
            "type": "object",
            "required": ["review", "label"],
            "additionalProperties": False,
            "properties": {
                "review": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": messages.MAX_REVIEW_CHARACTERS,
                },
                "label": {"enum": list(messages.SIDES), "description": "What the verdict should have been."},
                "model": {
                    "type": "string",
                    "pattern": f"^{messages.MODEL_ID.pattern}$",
                    "description": "The id of the model whose verdict this is about.",
                },
            },
        },
        "FeedbackKept": {
            "type": "object",
            "required": ["id", "request_id"],
            "properties": {"id": _ref("FeedbackId"), "request_id": request_id},
        },
        "FeedbackDeleted": {
            "type": "object",
            "required": ["id", "deleted", "request_id"],
            "properties": {"id": _ref("FeedbackId"), "deleted": {"const": True}, "request_id": request_id},
        },
    }


def _aspect_schemas() -> dict[str, Schema]:
    terms = {
        "type": "array",
        "minItems": 1,
        "maxItems": messages.MAX_TERMS,
        "items": {"type": "string", "minLength": 1, "maxLength": messages.MAX_TERM_CHARACTERS},
    }
    return {
        "Aspects": {
            "description": "Judge what the review says about each aspect too. Name a shipped list, or send"
            " the terms of each aspect. A term has 1 to"
            f" {messages.MAX_TERM_WORDS} words, which are compared by stem: actor finds actors.",
            "oneOf": [
                {"type": "string", "enum": list(messages.SHIPPED)},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": messages.MAX_ASPECTS,
                    "propertyNames": {"minLength": 1, "maxLength": messages.MAX_NAME_CHARACTERS},
                    "additionalProperties": terms,
                },
            ],
        },
        "Aspect": {
            "type": "object",
            "description": "What the review says about an aspect: the verdict on its clauses.",
            "required": ["sentiment"],
            "properties": {
                "sentiment": {"enum": [*messages.SENTIMENTS, messages.NOT_MENTIONED]},
                "reason": {
                    "type": ["string", "null"],
                    "enum": [*messages.REASONS[:3], None],
                    "description": "Why the sentiment is uncertain; null when it is not.",
                },
                "probability": {**_PROBABILITY, "description": "P(positive) of the clauses."},
                "contribution": {
                    "type": "number",
                    "description": "What the aspect adds to the review's logit. A clause of several aspects"
                    " is divided among them evenly.",
                },
                "mentions": {"type": "array", "items": _ref("Mention")},
            },
        },
        "Mention": {
            "type": "object",
            "description": f"The clause text[start:end] that mentions an aspect. {_OFFSETS}",
            "required": [*_PART, "term", "negated"],
            "properties": {
                **_PART,
                "term": {
                    "type": "array",
                    "description": "The term's offsets, start and end.",
                    "items": {"type": "integer", "minimum": 0},
                    "minItems": 2,
                    "maxItems": 2,
                },
                "negated": {
                    "type": "boolean",
                    "description": 'Whether the clause says that there is no such thing, like "no music".',
                },
            },
        },
    }


def _batch_schemas() -> dict[str, Schema]:
    with_ids = {"id": {"type": ["string", "integer"], "description": "The id that was sent with the review."}}
    review = {"type": "string", "minLength": 1, "maxLength": messages.MAX_REVIEW_CHARACTERS}
    return {
        "BatchReview": {
            "type": "object",
            "required": ["review"],
            "additionalProperties": False,
            "properties": {"id": {"type": ["string", "integer"]}, "review": review},
        },
        "BatchRequest": {
            "type": "object",
            "required": ["reviews"],
            "additionalProperties": False,
            "properties": {
                "reviews": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": messages.MAX_BATCH_REVIEWS,
                    "description": "Reviews. An item of another form gets its own problem.",
                    "items": {"anyOf": [_ref("BatchReview"), {}]},
                },
                "explain": {"enum": list(messages.EXPLAIN), "default": _DEFAULT_OF_BATCH},
                "aspects": _ref("Aspects"),
            },
        },
        "BatchVerdict": {**_VERDICT, "properties": {**with_ids, **_VERDICT["properties"]}},
        "BatchRefusal": {
            "type": "object",
            "required": ["error"],
            "properties": {**with_ids, "error": _PROBLEM},
        },
        "BatchAnswer": {
            "type": "object",
            "required": ["answers", "model", "request_id"],
            "properties": {
                "answers": {
                    "type": "array",
                    "items": {"oneOf": [_ref("BatchVerdict"), _ref("BatchRefusal")]},
                },
                "model": {
                    "description": "Which model answered; null when no review could be read.",
                    "oneOf": [_ref("Model"), {"type": "null"}],
                },
                "request_id": {"type": "string"},
            },
        },
    }


_PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_OFFSETS = "Offsets are Unicode code points."
# What a sentence and a word have alike.
_PART: Schema = {
    "start": {"type": "integer", "minimum": 0},
    "end": {"type": "integer", "minimum": 1},
    "contribution": {"type": "number", "description": "What it adds to the logit."},
}
_BAND: Schema = {
    "type": "array",
    "description": "Between these two probabilities the verdict is uncertain.",
    "items": _PROBABILITY,
    "minItems": 2,
    "maxItems": 2,
}
# Without a key and with one, because the document does not know the owner's choice.
_KEY: list[dict[str, list[str]]] = [{}, {"ApiKey": []}]
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of a cached answer. While it is unchanged, the response is 304 without a body.",
    "schema": {"type": "string"},
}
_DEFAULT_OF_ONE = messages.ReviewRequest._field_defaults["explain"]
_DEFAULT_OF_BATCH = messages.BatchRequest._field_defaults["explain"]
_EXAMPLE = {
    "sentiment": "negative",
    "reason": None,
    "probability": 0.099596,
    "warnings": [],
    "text": "Not good at all. The music was lovely.",
    "sentences": [
        {"start": 0, "end": 16, "contribution": -3.011402, "alone": 0.031207, "without": 0.912453},
        {"start": 17, "end": 38, "contribution": 0.811403, "alone": 0.912453, "without": 0.031207},
    ],
    "bias": -0.001728,
    "model": {"id": "bilstm-1", "vocabulary": "834e209fb2bd9052", "uncertain": [0.4, 0.6]},
    "request_id": "5b7c1d3a9e8f4a61b0c2d4e6f8a91b3c",
}
_ASPECTS_REQUEST = {
    "review": "The music is lovely, but the plot is dull.",
    "explain": "none",
    "aspects": {"music": ["music", "score"], "plot": ["plot", "story"], "acting": ["acting", "actor"]},
}
_ASPECTS_EXAMPLE = {
    "sentiment": "uncertain",
    "reason": "mixed",
    "probability": 0.514345,
    "warnings": [],
    "text": "The music is lovely, but the plot is dull.",
    "aspects": {
        "music": {
            "sentiment": "positive",
            "reason": None,
            "probability": 0.920159,
            "contribution": 0.603387,
            "mentions": [{"start": 0, "end": 20, "term": [4, 9], "negated": False, "contribution": 0.603387}],
        },
        "plot": {
            "sentiment": "negative",
            "reason": None,
            "probability": 0.010194,
            "contribution": -0.545992,
            "mentions": [
                {"start": 21, "end": 42, "term": [29, 33], "negated": False, "contribution": -0.545992}
            ],
        },
        "acting": {"sentiment": "not_mentioned"},
    },
    "bias": 0.0,
    "model": {"id": "bilstm-1", "vocabulary": "834e209fb2bd9052", "uncertain": [0.4, 0.6]},
    "request_id": "5b7c1d3a9e8f4a61b0c2d4e6f8a91b3c",
}
_LINES = '{"id": 1, "review": "A joy to watch."}\n{"id": 2, "review": "  "}\n'
_BATCH = {
    "answers": [
        {
            "id": 1,
            "sentiment": "positive",
            "reason": None,
            "probability": 0.903217,
            "warnings": [
                {
                    "code": "too_short",
                    "detail": "With so few words, much about the writer's opinion stays open.",
                }
            ],
            "bias": 0.0,
        },
        {
            "id": 2,
            "error": {
                "type": "urn:verdict:problem:no_token",
                "title": problems.TITLES["no_token"],
                "status": 422,
                "detail": "review holds no word or sign that could be read, once markup and white space are"
                " gone; write a sentence",
                "code": "no_token",
            },
        },
    ],
    "model": {"id": "bilstm-1", "vocabulary": "834e209fb2bd9052", "uncertain": [0.4, 0.6]},
    "request_id": "5b7c1d3a9e8f4a61b0c2d4e6f8a91b3c",
}

# --- errors -------------------------------------------------------------------------------------

_PROBLEMS = {
    "400": "The request is not as described",
    "401": "The request needs a known API key in X-Api-Key",
    "404": "Nothing is here, or nothing is kept under the id",
    "405": "The path does not answer this method; Allow names those that it does",
    "408": "The body took too long to arrive",
    "411": "The body came without its length",
    "413": "The body, the review or the number of reviews is too large",
    "415": "The content type, its charset or its encoding is not read",
    "422": "The review holds nothing to read",
    "429": "Too many requests come; Retry-After says when to try again",
    "500": "The app failed, or is not set up to reach its endpoint",
    "502": "The endpoint failed",
    "503": "App or endpoint is busy, starting or not there; Retry-After says when to try again",
    "504": "The endpoint took too long",
}


def _problem_responses() -> dict[str, Any]:
    return {f"Problem{status}": _problem_response(status, text) for status, text in _PROBLEMS.items()}


def _problem_response(status: str, description: str) -> dict[str, Any]:
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    more = {"401": ["WWW-Authenticate"], "429": ["Retry-After", "RateLimit-Policy", "RateLimit"]}
    for name in more.get(status, ["Retry-After"] if status in ("502", "503", "504") else []):
        headers[name] = {"$ref": f"#/components/headers/{name}"}
    return {
        "description": description,
        "headers": headers,
        "content": {problems.PROBLEM_JSON: {"schema": _ref("Problem")}},
    }


def _review_problems() -> dict[str, Any]:
    return {**_batch_problems(), **_problems("422")}


def _batch_problems() -> dict[str, Any]:
    return _problems("400", "401", "405", "408", "411", "413", "415", "500", "502", "503", "504")


def _problems(*statuses: str) -> dict[str, Any]:
    """Return the problems of an operation. Every operation may also answer 400, 429 and 503."""
    every = sorted({*statuses, "400", "429", "503"})
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


def _cacheable(description: str, schema: Schema) -> dict[str, Any]:
    """Return the answers of an operation whose callers may cache the result."""
    answer = _ok(description, messages.JSON, schema)
    answer["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
    return {
        "200": answer,
        "304": {"description": "The cached answer is still valid", "headers": answer["headers"]},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_VERDICT: Schema = {
    "type": "object",
    "required": ["sentiment", "reason", "probability", "warnings", "bias"],
    "properties": {
        "sentiment": {"enum": list(messages.SENTIMENTS)},
        "reason": {
            "type": ["string", "null"],
            "enum": [*messages.REASONS, None],
            "description": "Why the sentiment is uncertain; null when it is not. mixed: the review praises"
            " and complains about equally. no_opinion: it gives no opinion of the film. unclear: it could go"
            " either way. With no_known_words and not_english the text was not understood: sentences and"
            " words are empty, and probability is sigmoid(bias).",
        },
        "probability": {**_PROBABILITY, "description": "P(positive), calibrated."},
        "warnings": {"type": "array", "items": _ref("Warning")},
        "text": {
            "type": "string",
            "description": "The cleaned review that start and end point into; only when explaining, or with"
            " aspects.",
        },
        "sentences": {
            "type": "array",
            "description": "Each sentence's part in the verdict; only when explaining.",
            "items": _ref("Sentence"),
        },
        "words": {
            "type": "array",
            "description": "Each word's part in its sentence; only when explaining by words.",
            "items": _ref("Word"),
        },
        "aspects": {
            "type": "object",
            "description": "Each aspect of the request, in its order; only when it names any. text comes with"
            " them.",
            "additionalProperties": _ref("Aspect"),
        },
        "bias": {
            "type": "number",
            "description": "bias + sum of the sentences' contributions = logit, and so for the words'."
            " probability = sigmoid(logit).",
        },
    },
}
_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What was wrong, and what to send instead."},
        "code": _ref("Code"),
    },
}
