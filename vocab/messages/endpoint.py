"""The messages between the API and the endpoint."""

import math
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from vocab.aspects import Mentions, spans_of
from vocab.messages.aspects import MAX_ASPECTS, aspects_field, check_mentions
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
from vocab.messages.requests import check_explain
from vocab.messages.scores import (
    OPINIONS,
    AspectScore,
    Model,
    Score,
    SentenceScore,
    WordScores,
    sigmoid,
)
from vocab.vocabulary import EncodedReview, Vocabulary

MAX_ENDPOINT_BYTES = 4_000_000  # SageMaker's own limit for serverless inference
MAX_ENDPOINT_REVIEWS = 100
# What an answer's sum may be off by, and its probability.
TOLERANCE = 1e-5


class EndpointRequest(NamedTuple):
    """A request to the endpoint: reviews, or with ``describe`` its model card.

    ``lines`` is true when the body was JSON lines.
    """

    items: list[Item]
    vocabulary: str | None = None
    explain: str = "none"
    describe: bool = False
    lines: bool = False


def build_endpoint_request(
    encoded: Sequence[EncodedReview],
    vocabulary: Vocabulary,
    explain: str,
    mentions: Sequence[Mentions] | None = None,
) -> bytes:
    """Write a request to the endpoint: ids, the sentences' lengths, and the vocabulary's fingerprint.

    ``explain`` is one of EXPLAIN. ``mentions`` are those of each review, None without aspects. Raises
    MessageError 413 for too many of them.
    """
    reviews: list[dict[str, Any]] = [{"ids": review.ids, "sentences": review.lengths} for review in encoded]
    if mentions is not None:
        check_mentions(mentions)
        for review, found in zip(reviews, mentions, strict=True):
            review["aspects"] = spans_of(found)
    return to_json({"vocabulary": vocabulary.fingerprint, "reviews": reviews, "explain": explain})


def build_describe_request() -> bytes:
    """Write the request for the endpoint's model card."""
    return to_json({"describe": True})


def parse_endpoint_request(body: bytes, content_type: str | None) -> EndpointRequest:
    """Parse a request to the endpoint: JSON, or JSON lines with one review a line.

    An item that can't be used carries its error. Raises MessageError 400, 409, 413 or 415
    for the whole message.
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
    form = '{"vocabulary": "...", "reviews": [{"ids": [...], "sentences": [...]}]}'
    message = check_object(parse_json(body), form)
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
    if isinstance(message.get("explain"), bool):  # the form before the lengths of sentences
        raise MessageError(
            409,
            "version_mismatch",
            "the app is of an earlier version than this endpoint; deploy both from one version",
        )
    vocabulary, explain = message.get("vocabulary"), check_explain(message.get("explain", "none"))
    if vocabulary is not None and not isinstance(vocabulary, str):
        raise MessageError(400, "wrong_type", f"vocabulary must be a string, got {describe_type(vocabulary)}")
    return EndpointRequest([_item(review) for review in reviews], vocabulary, explain)


def parse_endpoint_answer(
    body: bytes, encoded: Sequence[EncodedReview], explain: str, mentions: Sequence[Mentions] | None = None
) -> tuple[Model, list[Score]]:
    """Parse and check the endpoint's answer to ``build_endpoint_request(encoded, ..., explain, mentions)``.

    Raises MessageError 502 when a part is missing or wrong. The endpoint is trusted no more than a caller.
    """
    try:
        check_size(body, MAX_ENDPOINT_BYTES)
        message = parse_json(body)
        model = _model(message["model"])
        answers = message["answers"]
        if len(answers) != len(encoded):
            raise ValueError(f"{len(answers)} answers to {len(encoded)} reviews")
        scores = [_score(answer, review, explain) for answer, review in zip(answers, encoded, strict=True)]
        if mentions is None:
            return model, scores
        return model, [
            score._replace(aspects=_aspects(answer["aspects"], found))
            for score, answer, found in zip(scores, answers, mentions, strict=True)
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


def check_ids(ids: list[int], lengths: list[int], vocabulary_size: int, max_tokens: int) -> None:
    """Raise MessageError 400 or 422 for ids that the network can't read.

    These are ids without a row in it, none, too many, or others than its sentences hold.
    """
    if not ids:
        raise MessageError(422, "no_token", "ids is empty; a review without a token has no verdict")
    if len(ids) > max_tokens:
        raise MessageError(400, "bad_value", f"ids holds {len(ids):,} numbers, at most {max_tokens} fit")
    if min(ids) < 1 or max(ids) >= vocabulary_size:
        raise MessageError(400, "bad_value", f"ids must lie from 1 to {vocabulary_size - 1}")
    if min(lengths, default=0) < 1 or sum(lengths) != len(ids):
        raise MessageError(
            400,
            "bad_value",
            f"sentences must hold lengths of 1 or more that add up to the {len(ids):,} numbers of ids",
        )


def check_spans(spans: list[list[tuple[int, int]]], lengths: list[int]) -> None:
    """Raise MessageError 400 for clauses of aspects that do not lie in a review's sentences, in order."""
    bounds = [0, *accumulate(lengths)]
    for clauses in spans:
        end = 0
        for first, last in clauses:
            # The end of the sentence in which the clause starts.
            sentence = bounds[min(bisect(bounds, first), len(bounds) - 1)]
            if not end <= first < last <= sentence:
                raise MessageError(
                    400, "bad_value", "a clause of aspects must lie in one sentence, after the clause before"
                )
            end = last


def _item(review: object) -> Item:
    try:
        message = check_object(review, '{"ids": [...], "sentences": [...]} or {"review": "..."}')
        check_fields(message, ("id", "ids", "sentences", "review", "aspects"))
        name = id_field(message)
        if name is None and message.get("id") is not None:
            raise id_error(message["id"])
        if ("ids" in message) == ("review" in message):
            raise MessageError(400, "missing_field", 'send either "ids" or "review"')
        if "review" in message:
            check_fields(message, ("id", "review", "aspects"))
            return Item(review=check_review(message["review"]), id=name, aspects=aspects_field(message))
        ids, lengths = (_integers(message, field) for field in ("ids", "sentences"))
        return Item(ids=ids, lengths=lengths, id=name, spans=_spans(message))
    except MessageError as error:
        return Item(error=error, id=id_field(review))


def _spans(message: dict[str, Any]) -> list[list[tuple[int, int]]] | None:
    """Return the clauses of each aspect, checked in their form alone. Raises MessageError 400."""
    if "aspects" not in message:
        return None
    aspects = message["aspects"]
    if (
        isinstance(aspects, list)
        and len(aspects) <= MAX_ASPECTS
        and all(isinstance(clauses, list) and clauses for clauses in aspects)
        and all(_is_span(clause) for clauses in aspects for clause in clauses)
    ):
        return [[(first, last) for first, last in clauses] for clauses in aspects]
    raise MessageError(
        400,
        "wrong_type",
        f"aspects must be a list of up to {MAX_ASPECTS} aspects, each a list of its clauses"
        f" [[first, last], ...], got {describe_type(aspects)}",
    )


def _is_span(clause: object) -> bool:
    return isinstance(clause, list) and len(clause) == 2 and all(type(number) is int for number in clause)


def _integers(message: dict[str, Any], field: str) -> list[int]:
    if field not in message:
        raise MessageError(
            400, "missing_field", f'{field} is missing; send {{"ids": [...], "sentences": [...]}}'
        )
    numbers = message[field]
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        raise MessageError(
            400, "wrong_type", f"{field} must be a list of integers, got {describe_type(numbers)}"
        )
    return numbers


def _model(message: dict[str, Any]) -> Model:
    name, vocabulary, (low, high) = message["id"], message["vocabulary"], message["uncertain"]
    if not isinstance(name, str) or not isinstance(vocabulary, str):
        raise ValueError("model names must be strings")
    if not 0 <= _finite(low) <= _finite(high) <= 1:
        raise ValueError("the uncertain band must lie in 0..1")
    return Model(name, vocabulary, (float(low), float(high)))


def _score(answer: dict[str, Any], review: EncodedReview, explain: str) -> Score:
    """Return the score of a review in an answer."""
    score = _bare_score(answer)
    if explain == "none":
        return score
    sentences = [_sentence(part, len(review.sentences)) for part in answer["sentences"]]
    _check_sum(score, [sentence.contribution for sentence in sentences], len(review.sentences))
    score = score._replace(sentences=sentences)
    if explain == "words":
        words = _words(answer["words"])
        _check_sum(score, words.contributions, len(review.ids))
        score = score._replace(words=words)
    return score


def _bare_score(answer: dict[str, Any]) -> Score:
    logit, probability, bias = (_finite(answer[key]) for key in ("logit", "probability", "bias"))
    _check_probability(probability)
    if abs(sigmoid(logit) - probability) > TOLERANCE:
        raise ValueError("probability and logit disagree")
    if answer["opinion"] not in OPINIONS:
        raise ValueError("no opinion")
    return Score(logit, probability, bias, opinion=answer["opinion"])


def _aspects(parts: list[dict[str, Any]], mentions: Mentions) -> list[AspectScore]:
    """Return the scores of the aspects that a review mentions."""
    named = [found for found in mentions.values() if found]
    if len(parts) != len(named):
        raise ValueError(f"{len(parts)} aspects, not {len(named)}")
    scores = []
    for part, found in zip(parts, named, strict=True):
        whole = _bare_score(part)
        contributions = _all_finite(part["contributions"])
        if len(contributions) != len(found):
            raise ValueError(f"{len(contributions)} contributions to {len(found)} clauses")
        scores.append(AspectScore(whole.logit, whole.probability, whole.bias, whole.opinion, contributions))
    return scores


def _sentence(part: dict[str, Any], count: int) -> SentenceScore:
    """Return a sentence's score, in a review of ``count`` sentences."""
    without = part["without"]
    if (without is None) != (count == 1):
        raise ValueError("a review has a probability without a sentence when it has several")
    return SentenceScore(
        _finite(part["contribution"]),
        _check_probability(_finite(part["alone"])),
        None if without is None else _check_probability(_finite(without)),
    )


def _words(part: dict[str, Any]) -> WordScores:
    contributions = _all_finite(part["contributions"])
    effects = [None if effect is None else _finite(effect) for effect in part["effects"]]
    if len(effects) != len(contributions):
        raise ValueError(f"{len(effects)} effects to {len(contributions)} contributions")
    return WordScores(contributions, effects)


def _check_sum(score: Score, contributions: list[float], count: int) -> None:
    if len(contributions) != count:
        raise ValueError(f"{len(contributions)} contributions, not {count}")
    if abs(math.fsum([score.bias, *contributions]) - score.logit) > TOLERANCE:
        raise ValueError("the contributions do not add up")


def _check_probability(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError("a probability must lie in 0..1")
    return value


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
