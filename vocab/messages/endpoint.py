"""The messages between the API and the endpoint."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from vocab.messages.body import (
    JSON,
    JSON_LINES,
    check_fields,
    check_object,
    check_size,
    decode,
    describe_type,
    media_type,
    parse_json,
    to_json,
)
from vocab.messages.errors import MessageError
from vocab.messages.items import Item, check_review, id_error, id_field, parse_line
from vocab.messages.scores import Model, Score, sigmoid
from vocab.vocabulary import EncodedReview, Vocabulary

MAX_ENDPOINT_BYTES = 4_000_000  # SageMaker's own limit for serverless inference
MAX_ENDPOINT_REVIEWS = 100


class EndpointRequest(NamedTuple):
    """A request to the endpoint: reviews, or with ``describe`` its model card.

    ``lines`` is true when the body was JSON lines.
    """

    items: list[Item]
    vocabulary: str | None = None
    explain: bool = False
    describe: bool = False
    lines: bool = False


def build_endpoint_request(encoded: Sequence[EncodedReview], vocabulary: Vocabulary, explain: bool) -> bytes:
    """Write a request to the endpoint: ids, and the fingerprint of their vocabulary."""
    return to_json(
        {
            "vocabulary": vocabulary.fingerprint,
            "reviews": [{"ids": review.ids} for review in encoded],
            "explain": explain,
        }
    )


def build_describe_request() -> bytes:
    """Write the request for the endpoint's model card."""
    return to_json({"describe": True})


def parse_endpoint_request(body: bytes, content_type: str | None) -> EndpointRequest:
    """Parse a request to the endpoint: JSON, or JSON lines with one review a line.

    An item that can't be used carries its error. Raises MessageError 400, 413 or 415 for the whole message.
    """
    kind = media_type(content_type)
    check_size(body, MAX_ENDPOINT_BYTES)
    if kind == JSON_LINES:
        lines = [line for line in decode(body).split("\n") if line.strip()]
        return EndpointRequest([parse_line(line, _item) for line in lines], lines=True)
    if kind != JSON:
        raise MessageError(
            415,
            "unsupported_media_type",
            f"content type {kind[:40]!r} is not read; send {JSON} or {JSON_LINES}",
        )
    message = check_object(parse_json(body), '{"vocabulary": "...", "reviews": [{"ids": [...]}]}')
    check_fields(message, ("vocabulary", "reviews", "explain", "describe"))
    describe = message.get("describe", False)
    if not isinstance(describe, bool):
        raise MessageError(
            400, "wrong_type", f"describe must be true or false, got {describe_type(describe)}"
        )
    if describe:
        return EndpointRequest([], describe=True)
    reviews = message.get("reviews")
    if not isinstance(reviews, list) or not 1 <= len(reviews) <= MAX_ENDPOINT_REVIEWS:
        raise MessageError(
            400,
            "bad_value",
            f"reviews must be a list of 1 to {MAX_ENDPOINT_REVIEWS}, got {describe_type(reviews)}",
        )
    vocabulary, explain = message.get("vocabulary"), message.get("explain", False)
    if not isinstance(explain, bool):
        raise MessageError(400, "wrong_type", f"explain must be true or false, got {describe_type(explain)}")
    if vocabulary is not None and not isinstance(vocabulary, str):
        raise MessageError(400, "wrong_type", f"vocabulary must be a string, got {describe_type(vocabulary)}")
    return EndpointRequest([_item(review) for review in reviews], vocabulary, explain)


def parse_endpoint_answer(
    body: bytes, encoded: Sequence[EncodedReview], explain: bool
) -> tuple[Model, list[Score]]:
    """Parse and check the endpoint's answer to ``build_endpoint_request(encoded, ..., explain)``.

    Raises MessageError 502 when a part is missing or wrong. The endpoint is trusted no more than a caller.
    """
    try:
        check_size(body, MAX_ENDPOINT_BYTES)
        message = parse_json(body)
        model = _model(message["model"])
        answers = message["answers"]
        if len(answers) != len(encoded):
            raise ValueError(f"{len(answers)} answers to {len(encoded)} reviews")
        return model, [
            _score(answer, len(review.ids) if explain else 0)
            for answer, review in zip(answers, encoded, strict=True)
        ]
    except (MessageError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MessageError(
            502, "bad_endpoint_answer", "the endpoint's answer is not in the agreed form; look at its log"
        ) from error


def parse_card(body: bytes) -> dict[str, Any]:
    """Parse the endpoint's model card. Raises MessageError 502."""
    try:
        check_size(body, MAX_ENDPOINT_BYTES)
        card = dict(parse_json(body)["card"])
        _model(card)
        to_json(card)  # json.loads reads 1e999 as infinity, which to_json refuses
        return card
    except (MessageError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise MessageError(
            502, "bad_endpoint_answer", "the endpoint's model card is not in the agreed form; look at its log"
        ) from error


def check_vocabulary(fingerprint: str | None, own: str) -> None:
    """Raise MessageError 409 when ids come from another vocabulary than the model's."""
    if fingerprint != own:
        source = "no vocabulary" if fingerprint is None else f"vocabulary {fingerprint[:16]!r}"
        raise MessageError(
            409,
            "vocabulary_mismatch",
            f"these ids come from {source}, the model was trained with {own!r}; deploy both from one version",
        )


def check_model_vocabulary(model: Model, own: str) -> None:
    """Raise MessageError 502 when the model that answered has another vocabulary than the app."""
    if model.vocabulary != own:
        raise MessageError(
            502,
            "vocabulary_mismatch",
            "app and endpoint were built with different vocabularies; deploy both from one version",
        )


def check_ids(ids: list[int], vocabulary_size: int, max_tokens: int) -> None:
    """Raise MessageError 400 or 422 for ids without a row in the network, for none, and for too many."""
    if not ids:
        raise MessageError(422, "no_token", "ids is empty; a review without a token has no verdict")
    if len(ids) > max_tokens:
        raise MessageError(400, "bad_value", f"ids holds {len(ids):,} numbers, at most {max_tokens} fit")
    if min(ids) < 1 or max(ids) >= vocabulary_size:
        raise MessageError(400, "bad_value", f"ids must lie from 1 to {vocabulary_size - 1}")


def _item(review: object) -> Item:
    try:
        message = check_object(review, '{"ids": [...]} or {"review": "..."}')
        check_fields(message, ("id", "ids", "review"))
        name = id_field(message)
        if name is None and message.get("id") is not None:
            raise id_error(message["id"])
        if ("ids" in message) == ("review" in message):
            raise MessageError(400, "missing_field", 'send either "ids" or "review"')
        if "review" in message:
            return Item(review=check_review(message["review"]), id=name)
        ids = message["ids"]
        if not isinstance(ids, list) or not all(type(number) is int for number in ids):
            raise MessageError(400, "wrong_type", f"ids must be a list of integers, got {describe_type(ids)}")
        return Item(ids=ids, id=name)
    except MessageError as error:
        return Item(error=error, id=id_field(review))


def _model(message: dict[str, Any]) -> Model:
    name, vocabulary, (low, high) = message["id"], message["vocabulary"], message["uncertain"]
    if not isinstance(name, str) or not isinstance(vocabulary, str):
        raise ValueError("model names must be strings")
    if not 0 <= _finite(low) <= _finite(high) <= 1:
        raise ValueError("the uncertain band must lie in 0..1")
    return Model(name, vocabulary, (float(low), float(high)))


def _score(answer: dict[str, Any], tokens: int) -> Score:
    logit, probability, bias = (_finite(answer[key]) for key in ("logit", "probability", "bias"))
    contributions = _all_finite(answer["contributions"]) if tokens else []
    if len(contributions) != tokens:
        raise ValueError(f"{len(contributions)} contributions to {tokens} tokens")
    if not 0 <= probability <= 1 or abs(sigmoid(logit) - probability) > 1e-5:
        raise ValueError("probability and logit disagree")
    if tokens and abs(math.fsum([bias, *contributions]) - logit) > 1e-5:
        raise ValueError("the contributions do not add up")
    return Score(logit, probability, bias, contributions)


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("not a number")
    number = float(value)  # OverflowError for a huge integer; the parsers catch it
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _all_finite(values: list[object]) -> list[float]:
    if not {*map(type, values)} <= {int, float}:
        raise ValueError("not all are numbers")
    numbers = [*map(float, values)]  # type: ignore[arg-type]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("not all are finite")
    return numbers
