"""The public API's answers: verdict, warnings and explanation."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from vocab.aspects import Mention, Mentions
from vocab.messages.aspects import NOT_MENTIONED, contributions_of, named_scores
from vocab.messages.body import to_json
from vocab.messages.errors import MessageError
from vocab.messages.items import Item
from vocab.messages.scores import AspectScore, Model, Score, WordScores, model_message, rounded, sigmoid
from vocab.text import Tokens
from vocab.vocabulary import EncodedReview

# Lambda returns 6 MB at most. The answer is a JSON string in Lambda's own JSON, so quotes count twice.
MAX_ANSWER_BYTES = 6_000_000
# "I hated it" is a review, but so few words leave much open. Answers to shorter ones carry a warning.
FEW_WORDS = 8
SENTIMENTS = ("positive", "negative", "uncertain")
SIDES = SENTIMENTS[:2]
# The reason for an uncertain verdict, by the score's opinion.
_REASON_OF = {"mixed": "mixed", "none": "no_opinion", "one_sided": "unclear"}
# All reasons. With the last two the text was not understood, so its words count for nothing.
REASONS = (*_REASON_OF.values(), "no_known_words", "not_english")
_NOT_UNDERSTOOD = {
    "no_known_words": "No word of this review is in the vocabulary.",
    "not_english": "This does not look like English, the only language that was learned.",
}


class Judgement(NamedTuple):
    """What is said of a review: one of SENTIMENTS, the reason (one of REASONS) if uncertain, and warnings.

    ``score`` is the network's, or that of an empty text when the review was not understood.
    """

    sentiment: str
    reason: str | None
    score: Score
    warnings: list[dict[str, str]]


def judge(encoded: EncodedReview, score: Score, model: Model) -> Judgement:
    """Return what app and endpoint say of a review with this score."""
    failure = _failure_of(encoded)
    if failure:
        score, sentiment = _without_parts(score), "uncertain"
    else:
        sentiment = sentiment_of(score.probability, model)
    reason = (failure or _REASON_OF[score.opinion]) if sentiment == "uncertain" else None
    warnings = _warnings(encoded, failure)
    if score.opinion == "mixed" and sentiment != "uncertain":
        warnings.append(
            _warning(
                "mixed",
                "This review clearly praises and clearly complains. The verdict is the side that weighs"
                " more.",
            )
        )
    return Judgement(sentiment, reason, score, warnings)


def sentiment_of(probability: float, model: Model) -> str:
    """Return the verdict of a review that was understood: uncertain inside the model's band."""
    low, high = model.uncertain
    if low < probability < high:
        return "uncertain"
    return "positive" if probability >= 0.5 else "negative"


def warnings_of(encoded: EncodedReview) -> list[dict[str, str]]:
    """Return the doubts that a text raises before it is scored, each with a code and a sentence."""
    return _warnings(encoded, _failure_of(encoded))


def _failure_of(encoded: EncodedReview) -> str | None:
    """Return why a text is not understood, one of _NOT_UNDERSTOOD, or None."""
    from vocab.language import looks_english

    if not encoded.known:
        return "no_known_words"
    return None if looks_english(encoded) else "not_english"


def _without_parts(score: Score) -> Score:
    """Return the score with the bias alone; its explanations are empty."""
    return score._replace(
        logit=score.bias,
        probability=rounded(sigmoid(score.bias)),
        sentences=None if score.sentences is None else [],
        words=None if score.words is None else WordScores([], []),
        aspects=None,
    )


def _warnings(encoded: EncodedReview, failure: str | None) -> list[dict[str, str]]:
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
            _warning("too_short", "With so few words, much about the writer's opinion stays open.")
        )
    if failure:
        warnings.append(_warning(failure, _NOT_UNDERSTOOD[failure]))
    return warnings


def build_answer(
    encoded: EncodedReview, score: Score, model: Model, request_id: str, mentions: Mentions | None = None
) -> dict[str, Any]:
    """Build the public answer to one review."""
    verdict = build_verdict(encoded, score, model, mentions)
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


def build_verdict(
    encoded: EncodedReview, score: Score, model: Model, mentions: Mentions | None = None
) -> dict[str, Any]:
    """Build the answer to one review without its model: verdict, warnings, and what the score explains.

    ``mentions`` are those of the request's aspects, None without any. A text that was not understood has no
    sentences, no words and no mentions.
    """
    sentiment, reason, score, warnings = judge(encoded, score, model)
    answer: dict[str, Any] = {
        "sentiment": sentiment,
        "reason": reason,
        "probability": score.probability,
        "warnings": warnings,
    }
    if reason in _NOT_UNDERSTOOD:
        encoded = encoded._replace(sentences=[], tokens=Tokens([], [], []))
    if score.sentences is not None or mentions is not None:
        answer["text"] = encoded.text
    if score.sentences is not None:
        answer["sentences"] = [
            {"start": place.start, "end": place.end, **sentence._asdict()}
            for place, sentence in zip(encoded.sentences, score.sentences, strict=True)
        ]
    if score.words is not None:
        answer["words"] = [
            {"start": start, "end": end, "contribution": contribution}
            | ({} if effect is None else {"effect": effect})
            for _, start, end, contribution, effect in zip(*encoded.tokens, *score.words, strict=True)
        ]
    if mentions is not None:
        answer["aspects"] = build_aspects(encoded, mentions, score.aspects, model)
    answer["bias"] = score.bias
    return answer


def build_aspects(
    encoded: EncodedReview, mentions: Mentions, scores: Sequence[AspectScore] | None, model: Model
) -> dict[str, Any]:
    """Build what is answered of each aspect of a request, in its order.

    ``scores`` are those of the aspects with mentions, or None where the text was not understood.
    """
    named = {} if scores is None else named_scores(mentions, scores)
    contributions = contributions_of(named)
    return {
        name: _aspect(encoded, *named[name], contributions[name], model)
        if name in named
        else {"sentiment": NOT_MENTIONED}
        for name in mentions
    }


def _aspect(
    encoded: EncodedReview, score: AspectScore, mentions: list[Mention], contribution: float, model: Model
) -> dict[str, Any]:
    starts, ends = encoded.tokens.starts, encoded.tokens.ends
    sentiment = sentiment_of(score.probability, model)
    return {
        "sentiment": sentiment,
        "reason": _REASON_OF[score.opinion] if sentiment == "uncertain" else None,
        "probability": score.probability,
        "contribution": contribution,
        "mentions": [
            {
                "start": starts[mention.first],
                "end": ends[mention.last - 1],
                "term": [starts[mention.term_first], ends[mention.term_last - 1]],
                "negated": mention.negated,
                "contribution": part,
            }
            for mention, part in zip(mentions, score.contributions, strict=True)
        ],
    }


def _check_answer_size(body: bytes) -> None:
    size = len(body) + body.count(b'"') + body.count(b"\\")
    if size > MAX_ANSWER_BYTES:
        raise MessageError(
            413,
            "too_large",
            f"the answer would have {size:,} bytes, at most {MAX_ANSWER_BYTES:,} are sent; send fewer reviews"
            " in a request, or have less explained",
        )


def _warning(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "detail": detail}
