"""The messages between Lambda and endpoint, and the endpoint's own items."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from vocab.messages.errors import MessageError
from vocab.messages.parts import Item, Model, Score, check_review, id_of, line_item, sigmoid, wrong_id
from vocab.messages.wire import (
    JSON,
    JSON_LINES,
    check_size,
    decode,
    media_type,
    object_of,
    parse_json,
    refuse_unknown,
    to_json,
    type_of,
)
from vocab.vocabulary import EncodedReview, Vocabulary

MAX_ENDPOINT_BYTES = 4_000_000  # SageMaker's own limit for serverless inference
MAX_ENDPOINT_REVIEWS = 100


class EndpointRequest(NamedTuple):
    """What the endpoint is asked: reviews, or (``describe``) its model card."""

    items: list[Item]
    vocabulary: str | None = None
    explain: bool = False
    describe: bool = False
    lines: bool = False


def build_endpoint_request(encoded: Sequence[EncodedReview], vocabulary: Vocabulary, explain: bool) -> bytes:
    """Write the endpoint's message: ids and the fingerprint of the vocabulary they come from."""
    return to_json(
        {
            "vocabulary": vocabulary.fingerprint,
            "reviews": [{"ids": one.ids} for one in encoded],
            "explain": explain,
        }
    )


def build_describe_request() -> bytes:
    """Write the message that asks the endpoint for its model card."""
    return to_json({"describe": True})


def parse_endpoint_request(body: bytes, content_type: str | None) -> EndpointRequest:
    """Read a message to the endpoint: JSON, or JSON lines with one review a line.

    Items that can't be used carry their error; the message as a whole raises MessageError.
    """
    kind = media_type(content_type)
    check_size(body, MAX_ENDPOINT_BYTES)
    if kind == JSON_LINES:
        lines = [line for line in decode(body).split("\n") if line.strip()]
        return EndpointRequest([line_item(line, _item) for line in lines], lines=True)
    if kind != JSON:
        raise MessageError(
            415,
            "unsupported_media_type",
            f"content type {kind[:40]!r} is not read; send {JSON} or {JSON_LINES}",
        )
    message = object_of(parse_json(body), '{"vocabulary": "...", "reviews": [{"ids": [...]}]}')
    refuse_unknown(message, ("vocabulary", "reviews", "explain", "describe"))
    describe = message.get("describe", False)
    if not isinstance(describe, bool):
        raise MessageError(400, "wrong_type", f"describe must be true or false, got {type_of(describe)}")
    if describe:
        return EndpointRequest([], describe=True)
    reviews = message.get("reviews")
    if not isinstance(reviews, list) or not 1 <= len(reviews) <= MAX_ENDPOINT_REVIEWS:
        raise MessageError(
            400,
            "bad_value",
            f"reviews must be a list of 1 to {MAX_ENDPOINT_REVIEWS}, got {type_of(reviews)}",
        )
    vocabulary, explain = message.get("vocabulary"), message.get("explain", False)
    if not isinstance(explain, bool):
        raise MessageError(400, "wrong_type", f"explain must be true or false, got {type_of(explain)}")
    if vocabulary is not None and not isinstance(vocabulary, str):
        raise MessageError(400, "wrong_type", f"vocabulary must be a string, got {type_of(vocabulary)}")
    return EndpointRequest([_item(review) for review in reviews], vocabulary, explain)


def parse_endpoint_answer(
    body: bytes, encoded: Sequence[EncodedReview], explain: bool
) -> tuple[Model, list[Score]]:
    """Read and check the endpoint's answer to ``build_endpoint_request(encoded, ..., explain)``.

    Raises MessageError 502 when anything about it is not as agreed: what an endpoint sends is
    checked like what a stranger sends.
    """
    try:
        check_size(body, MAX_ENDPOINT_BYTES)
        message = parse_json(body)
        model = _model(message["model"])
        answers = message["answers"]
        if len(answers) != len(encoded):
            raise ValueError(f"{len(answers)} answers to {len(encoded)} reviews")
        return model, [
            _scored(answer, len(one.ids) if explain else 0)
            for answer, one in zip(answers, encoded, strict=True)
        ]
    except (MessageError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MessageError(
            502, "bad_endpoint_answer", "the endpoint's answer is not in the agreed form; look at its log"
        ) from error


def parse_card(body: bytes) -> dict[str, Any]:
    """Read the endpoint's model card. Raises MessageError 502."""
    try:
        check_size(body, MAX_ENDPOINT_BYTES)
        card = dict(parse_json(body)["card"])
        _model(card)
        to_json(card)  # 1e999 is read as infinity, which could not leave again
        return card
    except (MessageError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise MessageError(
            502, "bad_endpoint_answer", "the endpoint's model card is not in the agreed form; look at its log"
        ) from error


def check_vocabulary(named: str | None, own: str) -> None:
    """Refuse ids of another vocabulary. Raises MessageError 409."""
    if named != own:
        came = "no vocabulary" if named is None else f"vocabulary {named[:16]!r}"
        raise MessageError(
            409,
            "vocabulary_mismatch",
            f"these ids come from {came}, the model was trained with {own!r}; deploy both from one version",
        )


def check_model_vocabulary(model: Model, own: str) -> None:
    """Refuse what a model of another vocabulary says of our ids. Raises MessageError 502."""
    if model.vocabulary != own:
        raise MessageError(
            502,
            "vocabulary_mismatch",
            "app and endpoint were built with different vocabularies; deploy both from one version",
        )


def check_ids(ids: list[int], vocabulary_size: int, max_tokens: int) -> None:
    """Refuse ids that the network has no row for, or too many. Raises MessageError 400 or 422."""
    if not ids:
        raise MessageError(422, "no_token", "ids is empty; a review without a token has no verdict")
    if len(ids) > max_tokens:
        raise MessageError(400, "bad_value", f"ids holds {len(ids):,} numbers, at most {max_tokens} fit")
    if min(ids) < 1 or max(ids) >= vocabulary_size:
        raise MessageError(400, "bad_value", f"ids must lie from 1 to {vocabulary_size - 1}")


def _item(review: object) -> Item:
    try:
        message = object_of(review, '{"ids": [...]} or {"review": "..."}')
        refuse_unknown(message, ("id", "ids", "review"))
        name = id_of(message)
        if name is None and message.get("id") is not None:
            raise wrong_id(message["id"])
        if ("ids" in message) == ("review" in message):
            raise MessageError(400, "missing_field", 'send either "ids" or "review"')
        if "review" in message:
            return Item(review=check_review(message["review"]), id=name)
        ids = message["ids"]
        if not isinstance(ids, list) or not all(type(number) is int for number in ids):
            raise MessageError(400, "wrong_type", f"ids must be a list of integers, got {type_of(ids)}")
        return Item(ids=ids, id=name)
    except MessageError as error:
        return Item(error=error, id=id_of(review))


def _model(message: dict[str, Any]) -> Model:
    name, vocabulary, (low, high) = message["id"], message["vocabulary"], message["uncertain"]
    if not isinstance(name, str) or not isinstance(vocabulary, str):
        raise ValueError("model names must be strings")
    if not 0 <= _finite(low) <= _finite(high) <= 1:
        raise ValueError("the uncertain band must lie in 0..1")
    return Model(name, vocabulary, (float(low), float(high)))


def _scored(answer: dict[str, Any], tokens: int) -> Score:
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
    number = float(value)  # OverflowError, for which see the callers, when an int is too large
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
