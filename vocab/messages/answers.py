"""What the public API answers: verdict, warnings and explanation."""

from collections.abc import Sequence
from typing import Any

from vocab.messages.errors import MessageError
from vocab.messages.parts import DECIMALS, Item, Model, Score, model_message
from vocab.messages.wire import to_json
from vocab.vocabulary import EncodedReview

# Lambda gives back 6 MB at most, the answer written as a JSON string within it.
MAX_ANSWER_BYTES = 6_000_000
# "I hated it" is a review, but calibration was measured on whole ones: below so many words the answer
# carries a warning.
FEW_WORDS = 8
SENTIMENTS = ("positive", "negative", "uncertain")
SIDES = SENTIMENTS[:2]


def sentiment_of(probability: float, model: Model, encoded: EncodedReview | None = None) -> str:
    """Give the verdict: uncertain inside the model's band, or when no word of the review is known."""
    low, high = model.uncertain
    if low < probability < high or (encoded is not None and not encoded.known):
        return "uncertain"
    return "positive" if probability >= 0.5 else "negative"


def warnings_of(encoded: EncodedReview) -> list[dict[str, str]]:
    """Give what a reader should know before trusting the verdict, as code and detail."""
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
    encoded: EncodedReview, scored: Score, explain: str, model: Model, request_id: str
) -> dict[str, Any]:
    """Build the public answer to one review."""
    verdict = build_verdict(encoded, scored, explain, model)
    return {**verdict, "model": model_message(model), "request_id": request_id}


def build_batch_answer(
    items: Sequence[Item], answers: Sequence[dict[str, Any]], model: Model | None, request_id: str
) -> dict[str, Any]:
    """Build the public answer to several reviews: to each item its verdict or ``{"error": ...}``, in order.

    ``model`` is None when no item could be read. Raises MessageError 413 when it is all too much to send.
    """
    named = [
        answer if item.id is None else {"id": item.id, **answer}
        for item, answer in zip(items, answers, strict=True)
    ]
    answer = {
        "answers": named,
        "model": None if model is None else model_message(model),
        "request_id": request_id,
    }
    _check_answer_size(to_json(answer))
    return answer


def build_verdict(encoded: EncodedReview, scored: Score, explain: str, model: Model) -> dict[str, Any]:
    """Build what a review is told, alone or among others: verdict, warnings and explanation."""
    answer: dict[str, Any] = {
        "sentiment": sentiment_of(scored.probability, model, encoded),
        "probability": scored.probability,
        "warnings": warnings_of(encoded),
    }
    if explain != "none":
        answer["text"] = encoded.text
        answer["sentences"] = [
            _contribution(s.start, s.end, sum(scored.contributions[s.first : s.last]))
            for s in encoded.sentences
        ]
    if explain == "words":
        answer["words"] = [
            {"start": start, "end": end, "contribution": value}  # rounded already, by build_score
            for _, start, end, value in zip(*encoded.tokens, scored.contributions, strict=True)
        ]
    answer["bias"] = scored.bias
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
