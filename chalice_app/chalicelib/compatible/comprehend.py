"""Amazon Comprehend's DetectSentiment and BatchDetectSentiment, in AWS's JSON 1.1 protocol.

Shapes, limits and errors are those of botocore's data/comprehend/2017-11-27/service-2.json.
https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.compatible.parts import Headers, Refusal, parse_object
from chalicelib.compatible.scores import class_of, class_scores
from chalicelib.problems import Problem
from vocab import messages
from vocab.messages import BatchRequest, Item, MessageError, ReviewRequest
from vocab.messages.body import check_content_type, describe_type

JSON_1_1 = "application/x-amz-json-1.1"
TARGET = "x-amz-target"
SERVICE = "Comprehend_20171127"
SINGLE, BATCH = "DetectSentiment", "BatchDetectSentiment"
# Comprehend's limits: bytes of a text in UTF-8, and texts of a batch.
MAX_TEXT_BYTES, MAX_TEXTS = 5_000, 25
LANGUAGE = "en"
_EXAMPLES = {
    SINGLE: '{"Text": "...", "LanguageCode": "en"}',
    BATCH: '{"TextList": ["..."], "LanguageCode": "en"}',
}
# AWS's error of a problem's code. Other problems are InternalServerException from status 500 on.
_ERRORS = {
    "malformed_json": "SerializationException",
    "not_utf8": "SerializationException",
    "wrong_type": "SerializationException",
    "unsupported_media_type": "SerializationException",
    "unsupported_encoding": "SerializationException",
    "too_long": "TextSizeLimitExceededException",
    "too_many_reviews": "BatchSizeLimitExceededException",
    "too_large": "RequestEntityTooLargeException",
    "no_token": "InvalidRequestException",
    "unauthorized": "UnrecognizedClientException",
    "too_many_requests": "ThrottlingException",
}
# AWS answers these with 400, whatever HTTP would say.
_ALWAYS_400 = frozenset(
    {
        "TextSizeLimitExceededException",
        "BatchSizeLimitExceededException",
        "InvalidRequestException",
        "SerializationException",
    }
)
# The codes of a batch's ErrorList.
_ITEM_ERRORS = {"too_long": "TEXT_SIZE_LIMIT_EXCEEDED"}
_OTHER_ITEM_ERROR = "INVALID_REQUEST"
# The first part of a signature's credential is the access key's id.
_CREDENTIAL = re.compile(r"AWS4-[A-Z0-9-]+ .*?Credential=([^/,\s]+)/")
_DETAILS = {
    "unauthorized": "this service wants one of its API keys as the access key id; the secret may be anything",
    "no_token": "the text holds no word or sign that could be read; send a sentence",
}


class AwsError(Problem):
    """An error of this protocol that no problem of ours stands for, with its name."""

    def __init__(self, name: str, code: str, detail: str) -> None:
        super().__init__(400, code, detail)
        self.name = name


def speaks(path: str, headers: Headers) -> bool:
    """Return whether a request names an operation of AWS."""
    return path in ("", "/") and headers.get(TARGET) is not None


def key_of(headers: Headers) -> str | None:
    """Return the access key's id of a signed request, which carries our API key, or that of X-Api-Key.

    The signature is not checked.
    """
    signed = _CREDENTIAL.match(headers.get("authorization") or "")
    return signed[1] if signed else headers.get("x-api-key")


def operation_of(target: str | None) -> str:
    """Return the operation that X-Amz-Target names. Raises AwsError for any but the two."""
    service, _, operation = (target or "").partition(".")
    if service != SERVICE or operation not in _EXAMPLES:
        raise AwsError(
            "UnknownOperationException",
            "not_found",
            f"only {SERVICE}.{SINGLE} and {SERVICE}.{BATCH} are answered here",
        )
    return operation


def parse_request(operation: str, body: bytes, content_type: str | None) -> ReviewRequest | BatchRequest:
    """Parse a request; a batch's text that is too long becomes an item with an error.

    Raises MessageError or AwsError.
    """
    check_content_type(content_type, (JSON_1_1, messages.JSON))
    message = parse_object(body, _EXAMPLES[operation])
    texts = _texts_field(message) if operation == BATCH else [_text_field(message)]
    _check_language(message, operation)
    if operation == BATCH:
        return BatchRequest([_item(text) for text in texts])
    return ReviewRequest(_check_size(texts[0]), "none")


def build_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Build Comprehend's answer from our answer to a review, or from that to a batch."""
    if "answers" not in answer:
        return _result(answer, answer["model"])
    items = list(enumerate(answer["answers"]))
    return {
        "ResultList": [
            {"Index": index, **_result(item, answer["model"])} for index, item in items if "error" not in item
        ],
        "ErrorList": [
            {
                "Index": index,
                "ErrorCode": _ITEM_ERRORS.get(item["error"]["code"], _OTHER_ITEM_ERROR),
                "ErrorMessage": _DETAILS.get(item["error"]["code"], item["error"]["detail"]),
            }
            for index, item in items
            if "error" in item
        ],
    }


def headers(request_id: str) -> dict[str, str]:
    """Return the headers of an answer, from which an SDK reads the request's id."""
    return {"Content-Type": JSON_1_1, "x-amzn-RequestId": request_id}


def refuse(problem: Problem, request_id: str) -> Refusal:
    """Return a problem as AWS's error, in the form that botocore parses."""
    name = _name_of(problem)
    message: dict[str, Any] = {"__type": name, "Message": _DETAILS.get(problem.code, problem.detail)}
    if name == "InvalidRequestException":
        message |= {"Reason": "INVALID_DOCUMENT", "Detail": {"Reason": "INVALID_DOCUMENT"}}
    status = 400 if name in _ALWAYS_400 else problem.status
    kept = {key: value for key, value in problem.headers.items() if key in ("Retry-After", "Allow")}
    return Refusal(status, headers(request_id) | kept, messages.to_json(message))


def _name_of(problem: Problem) -> str:
    if isinstance(problem, AwsError):
        return problem.name
    if problem.status >= 500:
        return "InternalServerException"
    return _ERRORS.get(problem.code, "ValidationException")


def _text_field(message: dict[str, Any]) -> str:
    return _text(_field(message, "Text", SINGLE), "Text", SINGLE)


def _texts_field(message: dict[str, Any]) -> list[str]:
    texts = _field(message, "TextList", BATCH)
    if not isinstance(texts, list):
        raise _wrong_type("TextList must be a list", texts, BATCH)
    if not texts:
        raise MessageError(400, "bad_value", f"TextList is empty; send {_EXAMPLES[BATCH]}")
    if len(texts) > MAX_TEXTS:
        raise MessageError(
            413,
            "too_many_reviews",
            f"TextList has {len(texts):,} texts, at most {MAX_TEXTS} are read at once",
        )
    return [_text(text, f"TextList[{index}]", BATCH) for index, text in enumerate(texts)]


def _field(message: dict[str, Any], name: str, operation: str) -> object:
    if message.get(name) is None:
        raise MessageError(400, "missing_field", f"{name} is missing; send {_EXAMPLES[operation]}")
    return message[name]


def _text(value: object, name: str, operation: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type(f"{name} must be a string", value, operation)
    if not value:
        raise MessageError(400, "bad_value", f"{name} is empty; send {_EXAMPLES[operation]}")
    return value


def _check_language(message: dict[str, Any], operation: str) -> None:
    language = _field(message, "LanguageCode", operation)
    if not isinstance(language, str):
        raise _wrong_type("LanguageCode must be a string", language, operation)
    if language != LANGUAGE:
        raise AwsError(
            "UnsupportedLanguageException",
            "bad_value",
            f"LanguageCode must be {LANGUAGE!r}, the only language that was learned, got {language[:10]!r}",
        )


def _wrong_type(must: str, value: object, operation: str) -> MessageError:
    return MessageError(400, "wrong_type", f"{must}, got {describe_type(value)}; send {_EXAMPLES[operation]}")


def _item(text: str) -> Item:
    try:
        return Item(review=_check_size(text))
    except MessageError as error:
        return Item(error=error)


def _check_size(text: str) -> str:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_TEXT_BYTES:
        raise MessageError(
            413,
            "too_long",
            f"the text has {size:,} bytes in UTF-8, at most {MAX_TEXT_BYTES:,} are read; send a shorter one",
        )
    return text


def _result(verdict: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    low, high = model["uncertain"]
    scores = class_scores(verdict, (low, high))
    return {
        "Sentiment": class_of(verdict).upper(),
        "SentimentScore": {name.capitalize(): value for name, value in scores._asdict().items()},
    }
