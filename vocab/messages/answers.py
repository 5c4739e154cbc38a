"""The public API's answers: verdict, warnings and explanation."""

from collections.abc import Sequence
from typing import Any

from vocab.messages.body import to_json
from vocab.messages.errors import MessageError
from vocab.messages.items import Item
from vocab.messages.scores import DECIMALS, Model, Score, model_message
from vocab.vocabulary import EncodedReview

# Lambda returns 6 MB at most. The answer is a JSON string in Lambda's own JSON, so quotes count twice.
MAX_ANSWER_BYTES = 6_000_000
# "I hated it" is a review, but calibration was measured on whole reviews. Answers to shorter ones carry a
# warning.
FEW_WORDS = 8
SENTIMENTS = ("positive", "negative", "uncertain")
SIDES = SENTIMENTS[:2]


def sentiment_of(probability: float, model: Model, encoded: EncodedReview | None = None) -> str:
    """Return the verdict: uncertain inside the model's band, and when no word of the review is known."""
    low, high = model.uncertain
    if low < probability < high or (encoded is not None and not encoded.known):
        return "uncertain"
    return "positive" if probability >= 0.5 else "negative"


def warnings_of(encoded: EncodedReview) -> list[dict[str, str]]:
    """Return the reasons to doubt the verdict, each with a code and a sentence."""
    from vocab.language import looks_english

    warnings = []
    if encoded.cut:
        start, end = encoded.cut
        warnings.append(
            _warning(
                "truncated",
                f"The review has {encoded.total:,} tokens; characters {start:,} to {end:,} in its"
                " middle were not read.",
            )
        )
    if encoded.words < FEW_WORDS:
        warnings.append(
            _warning(
                "too_short",
                "With so few words the probability is rougher than stated:"
                " it was calibrated on whole reviews.",
            )
        )
    if not encoded.known:
        warnings.append(_warning("no_known_words", "No word of this review is in the vocabulary."))
    elif not looks_english(encoded):
        warnings.append(
            _warning("not_english", "This does not look like English, the only language that was learned.")
        )
    return warnings


def build_answer(
    encoded: EncodedReview, score: Score, explain: str, model: Model, request_id: str
) -> dict[str, Any]:
    """Build the public answer to one review."""
    verdict = build_verdict(encoded, score, explain, model)
    return {**verdict, "model": model_message(model), "request_id": request_id}


def build_batch_answer(
    items: Sequence[Item], answers: Sequence[dict[str, Any]], model: Model | None, request_id: str
) -> dict[str, Any]:
    """Build the public answer to several reviews: each item's verdict or ``{"error": ...}``, in order.

    ``model`` is None when no item could be read. Raises MessageError 413 when the answer is too large.
    """
    with_ids = [
        answer if item.id is None else {"id": item.id, **answer}
        for item, answer in zip(items, answers, strict=True)
    ]
    answer = {
        "answers": with_ids,
        "model": None if model is None else model_message(model),
        "request_id": request_id,
    }
    _check_answer_size(to_json(answer))
    return answer


def build_verdict(encoded: EncodedReview, score: Score, explain: str, model: Model) -> dict[str, Any]:
    """Build the answer to one review without its model: verdict, warnings and explanation."""
    answer: dict[str, Any] = {
        "sentiment": sentiment_of(score.probability, model, encoded),
        "probability": score.probability,
        "warnings": warnings_of(encoded),
    }
    if explain != "none":
        answer["text"] = encoded.text
        answer["sentences"] = [
            _contribution(start, end, sum(score.contributions[first:last]))
            for start, end, first, last in encoded.sentences
        ]
    if explain == "words":
        answer["words"] = [
            {"start": start, "end": end, "contribution": value}  # build_score has rounded it
            for _, start, end, value in zip(*encoded.tokens, score.contributions, strict=True)
        ]
    answer["bias"] = score.bias
    return answer


def _check_answer_size(body: bytes) -> None:
    size = len(body) + body.count(b'"') + body.count(b"\\")
    if size > MAX_ANSWER_BYTES:
        raise MessageError(
            413,
            "too_large",
            f"the answer would have {size:,} bytes, at most {MAX_ANSWER_BYTES:,} are sent; send fewer reviews"
            " in a request, or have less explained",
        )


def _contribution(start: int, end: int, value: float) -> dict[str, Any]:
    return {"start": start, "end": end, "contribution": round(value, DECIMALS)}


def _warning(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "detail": detail}
