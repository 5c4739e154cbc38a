"""Hugging Face's text-embeddings-inference (TEI) as a server of a classifier: /predict, /info and /health.

The messages are those of its router, and the form of the Inference API that huggingface_hub sends.
https://huggingface.github.io/text-embeddings-inference/
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.compatible.parts import Headers, Refusal, parse_object
from chalicelib.compatible.scores import class_scores
from chalicelib.problems import Problem
from vocab import messages
from vocab.messages import BatchRequest, Item, MessageError, ReviewRequest
from vocab.messages.body import check_content_type, check_object, describe_type
from vocab.text import MAX_TOKENS

PATHS = ("/predict", "/info", "/health")
EXAMPLE = '{"inputs": "..."}'
# The labels, as the usual classifiers of three sentiments name and number them.
LABELS = ("negative", "neutral", "positive")
_BEARER = "bearer "
# Status and error type by a problem's code. Other problems have them by their status.
_ERRORS = {
    "malformed_json": (400, "Validation"),
    "not_utf8": (400, "Validation"),
    "no_token": (422, "Tokenizer"),
    "too_many_requests": (429, "Overloaded"),
    "app_busy": (429, "Overloaded"),
    "endpoint_busy": (429, "Overloaded"),
}
_DETAILS = {
    "unauthorized": "this service wants one of its API keys; send it as `Authorization: Bearer ...`",
    "no_token": "`inputs` holds no word or sign that could be read; send a sentence",
}


class TeiError(Problem):
    """A problem whose sentence names this protocol's own fields."""


class PredictRequest(NamedTuple):
    """A request to /predict, as one of ours, and how to answer it.

    ``truncate`` is False where a text that can't be read whole is an error. ``nested`` puts the answer to one
    text into a list, as the Inference API does. ``top`` limits the classes.
    """

    request: ReviewRequest | BatchRequest
    truncate: bool = True
    raw_scores: bool = False
    nested: bool = False
    top: int | None = None


def speaks(path: str, headers: Headers) -> bool:
    """Return whether a path is one of TEI's."""
    return path in PATHS


def key_of(headers: Headers) -> str | None:
    """Return the API key of a request: its bearer token, as TEI wants it, or that of X-Api-Key."""
    value = headers.get("authorization") or ""
    if value.lower().startswith(_BEARER):
        return value[len(_BEARER) :].strip()
    return headers.get("x-api-key")


def parse_request(body: bytes, content_type: str | None) -> PredictRequest:
    """Parse a request to /predict. Unknown fields are ignored, as TEI does. Raises MessageError."""
    check_content_type(content_type, (messages.JSON,))
    message = parse_object(body, EXAMPLE)
    if "inputs" not in message:
        raise MessageError(422, "missing_field", f"`inputs` is missing; send {EXAMPLE}")
    request = _inputs(message["inputs"])
    asked = PredictRequest(request, _flag(message, "truncate", True), _flag(message, "raw_scores", False))
    if "parameters" not in message:
        return asked
    return _with_parameters(asked, check_object(message["parameters"] or {}, '"parameters": {}'))


def build_answer(asked: PredictRequest, answer: Mapping[str, Any]) -> list[Any]:
    """Build TEI's answer from ours: a list of labels with scores, or for a batch a list of such lists.

    As in TEI, one text that can't be used makes the whole request an error. Raises TeiError.
    """
    verdicts = answer.get("answers", [answer])
    for index, verdict in enumerate(verdicts):
        _check_verdict(asked, verdict, f"`inputs`[{index}]" if "answers" in answer else "`inputs`")
    low, high = answer["model"]["uncertain"]
    lists = [_predictions(asked, verdict, (low, high)) for verdict in verdicts]
    return lists if asked.nested or "answers" in answer else lists[0]


def build_info(card: Mapping[str, Any]) -> dict[str, Any]:
    """Build TEI's description of the served model from the model's card."""
    return {
        "model_id": card["id"],
        "model_sha": None,
        "model_dtype": "int8",
        "model_type": {
            "classifier": {
                "id2label": {str(number): label for number, label in enumerate(LABELS)},
                "label2id": {label: number for number, label in enumerate(LABELS)},
            }
        },
        "max_input_length": MAX_TOKENS,
        "max_client_batch_size": messages.MAX_BATCH_REVIEWS,
        "auto_truncate": True,
        "version": "verdict",
    }


def refuse(problem: Problem, request_id: str) -> Refusal:
    """Return a problem as TEI's error."""
    status, kind = _status_and_type(problem)
    ours = not isinstance(problem, TeiError)
    detail = _DETAILS.get(problem.code, problem.detail) if ours else problem.detail
    message = {"error": detail, "error_type": kind}
    own = {name: value for name, value in problem.headers.items() if name in ("Retry-After", "Allow")}
    return Refusal(status, {"Content-Type": messages.JSON} | own, messages.to_json(message))


def _status_and_type(problem: Problem) -> tuple[int, str]:
    if problem.code in _ERRORS:
        return _ERRORS[problem.code]
    if problem.status == 503:
        return 503, "Unhealthy"
    if problem.status >= 500:
        return 424, "Backend"
    return problem.status, "Unauthorized" if problem.status == 401 else "Validation"


def _inputs(inputs: object) -> ReviewRequest | BatchRequest:
    """Return one text, or a batch of texts that each stand in a list of their own, as a request of ours."""
    if isinstance(inputs, str):
        return ReviewRequest(_checked(inputs), "none")
    if not isinstance(inputs, list):
        raise _wrong_inputs(f"it came as {describe_type(inputs)}")
    if not inputs:
        raise _wrong_inputs("it came empty")
    if isinstance(inputs[0], str):
        return ReviewRequest(_alone(inputs), "none")
    if len(inputs) > messages.MAX_BATCH_REVIEWS:
        raise MessageError(
            413,
            "too_many_reviews",
            f"batch size {len(inputs):,} > maximum allowed batch size {messages.MAX_BATCH_REVIEWS}",
        )
    return BatchRequest([Item(review=_alone(texts)) for texts in inputs])


def _alone(texts: object) -> str:
    """Return the text of a list of one. TEI reads two as a pair of texts, which no review is."""
    if not isinstance(texts, list):
        raise _wrong_inputs(f"an item of it came as {describe_type(texts)}")
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise _wrong_inputs(f"a {describe_type(texts)} came where one text was due")
    return _checked(texts[0])


def _wrong_inputs(came: str) -> MessageError:
    return MessageError(
        422, "wrong_type", f'`inputs` must be a text, or several as [["..."], ["..."]], but {came}'
    )


def _checked(text: str) -> str:
    if len(text) > messages.MAX_REVIEW_CHARACTERS:
        raise MessageError(
            413,
            "too_long",
            f"`inputs` has {len(text):,} characters, at most {messages.MAX_REVIEW_CHARACTERS:,} are read",
        )
    return text


def _flag(message: Mapping[str, Any], name: str, default: bool) -> bool:
    value = message.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise MessageError(422, "wrong_type", f"`{name}` must be true or false, got {describe_type(value)}")
    return value


def _with_parameters(asked: PredictRequest, parameters: Mapping[str, Any]) -> PredictRequest:
    """Return the request with the parameters of the Inference API's text classification."""
    top, function = parameters.get("top_k"), parameters.get("function_to_apply") or "softmax"
    if top is not None and (type(top) is not int or top < 1):
        raise MessageError(422, "bad_value", f"`top_k` must be 1 or more, got {describe_type(top)}")
    if function not in ("softmax", "none"):
        raise MessageError(422, "bad_value", "`function_to_apply` must be softmax or none")
    return asked._replace(nested=True, top=top, raw_scores=asked.raw_scores or function == "none")


def _check_verdict(asked: PredictRequest, verdict: Mapping[str, Any], name: str) -> None:
    if error := verdict.get("error"):
        detail = _DETAILS.get(error["code"], error["detail"]).replace("`inputs`", name)
        raise TeiError(error["status"], error["code"], detail)
    if not asked.truncate and any(one["code"] == "truncated" for one in verdict["warnings"]):
        raise TeiError(
            413, "too_long", f'{name} must have at most {MAX_TOKENS} tokens; send "truncate": true'
        )


def _predictions(
    asked: PredictRequest, verdict: Mapping[str, Any], band: tuple[float, float]
) -> list[dict[str, Any]]:
    """Return the classes of a verdict, the largest score first. Raw scores are logarithms of the scores."""
    scores = class_scores(verdict, band)
    shares = (scores.negative, scores.neutral + scores.mixed, scores.positive)
    named = [
        {"label": label, "score": math.log(share) if asked.raw_scores else share}
        for label, share in zip(LABELS, shares, strict=True)
    ]
    # Of equal scores, that of a verdict comes before neutral.
    ranked = sorted(named, key=lambda one: (one["score"], one["label"] != "neutral"), reverse=True)
    return ranked[: asked.top]
