"""The messages of the public API, of the endpoint and of feedback: limits, parsers and builders.

    requests   callers to the API              answers    the API to callers
    endpoint   the API to the endpoint and back
    feedback   corrections of verdicts, and their records
    items, scores, body, errors                parts that these share

A message that can't be used raises MessageError. Its sentence names the mistake, the type and length of the
value (never a review's words), and the form to send instead.
"""

from vocab.messages.answers import (
    FEW_WORDS,
    MAX_ANSWER_BYTES,
    SENTIMENTS,
    SIDES,
    build_answer,
    build_batch_answer,
    build_verdict,
    sentiment_of,
    warnings_of,
)
from vocab.messages.body import (
    CHARSETS,
    CSV,
    JSON,
    JSON_LINES,
    MAX_DEPTH,
    NDJSON,
    TEXT,
    charset_of,
    media_type,
    parse_json,
    to_json,
)
from vocab.messages.endpoint import (
    MAX_ENDPOINT_BYTES,
    MAX_ENDPOINT_REVIEWS,
    EndpointRequest,
    build_describe_request,
    build_endpoint_request,
    check_ids,
    check_model_vocabulary,
    check_vocabulary,
    parse_card,
    parse_endpoint_answer,
    parse_endpoint_request,
)
from vocab.messages.errors import MessageError
from vocab.messages.feedback import MODEL_ID, Feedback, parse_feedback
from vocab.messages.items import MAX_REVIEW_CHARACTERS, Item, check_encoded, check_review
from vocab.messages.requests import (
    EXPLAIN,
    MAX_BATCH_REVIEWS,
    MAX_BODY_BYTES,
    BatchRequest,
    ReviewRequest,
    check_explain,
    parse_batch_request,
    parse_review_request,
)
from vocab.messages.scores import DECIMALS, Model, Score, build_score, model_message, sigmoid

__all__ = [
    "BatchRequest",
    "CHARSETS",
    "CSV",
    "DECIMALS",
    "EXPLAIN",
    "EndpointRequest",
    "FEW_WORDS",
    "Feedback",
    "Item",
    "JSON",
    "JSON_LINES",
    "MAX_ANSWER_BYTES",
    "MAX_BATCH_REVIEWS",
    "MAX_BODY_BYTES",
    "MAX_DEPTH",
    "MAX_ENDPOINT_BYTES",
    "MAX_ENDPOINT_REVIEWS",
    "MAX_REVIEW_CHARACTERS",
    "MODEL_ID",
    "MessageError",
    "Model",
    "NDJSON",
    "ReviewRequest",
    "SENTIMENTS",
    "SIDES",
    "Score",
    "TEXT",
    "build_answer",
    "build_batch_answer",
    "build_describe_request",
    "build_endpoint_request",
    "build_score",
    "build_verdict",
    "charset_of",
    "check_encoded",
    "check_explain",
    "check_ids",
    "check_model_vocabulary",
    "check_review",
    "check_vocabulary",
    "media_type",
    "model_message",
    "parse_batch_request",
    "parse_card",
    "parse_endpoint_answer",
    "parse_endpoint_request",
    "parse_feedback",
    "parse_json",
    "parse_review_request",
    "sentiment_of",
    "sigmoid",
    "to_json",
    "warnings_of",
]
