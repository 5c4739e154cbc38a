"""Parse the service's answers into frozen values.

An answer is checked as strictly as a request: types, ranges, and the sum of its contributions.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from verdict_sentiment._packages import load, messages
from verdict_sentiment.errors import BadAnswerError, RefusedError, VerdictError
from verdict_sentiment.literals import AspectSentiment, Explain, Reason, Sentiment, WarningCode

Message = dict[str, Any]
T = TypeVar("T")

# Allowed distance between the sum of contributions and the probability: the error of six decimals.
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Caveat:
    """A warning about a verdict: a stable ``code`` and a sentence. A newer service may send other codes."""

    code: WarningCode
    detail: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """The amount that ``text``, the answer's ``text[start:end]``, adds to the logit.

    Offsets count code points.
    """

    start: int
    end: int
    contribution: float
    text: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Sentence(Contribution):
    """A sentence's contribution, P(positive) of it ``alone`` and of the review ``without`` it.

    A review of one sentence has no ``without``.
    """

    alone: float
    without: float | None

    def to_message(self) -> Message:
        """Return the sentence as the API sends it."""
        return {**_part_message(self), "alone": self.alone, "without": self.without}


@dataclass(frozen=True, slots=True)
class Word(Contribution):
    """A word's or sign's contribution, and its ``effect``: how far the logit falls without it.

    The effect is None where it was not measured.
    """

    effect: float | None

    def to_message(self) -> Message:
        """Return the word as the API sends it."""
        return _part_message(self) | ({} if self.effect is None else {"effect": self.effect})


@dataclass(frozen=True, slots=True)
class Mention(Contribution):
    """A clause that mentions an aspect, and what it adds to the logit.

    ``term`` are the offsets of the aspect's term. ``negated`` is true where the clause says that there is no
    such thing, like "no music".
    """

    term: tuple[int, int]
    negated: bool

    def to_message(self) -> Message:
        """Return the mention as the API sends it."""
        return {
            "start": self.start,
            "end": self.end,
            "term": list(self.term),
            "negated": self.negated,
            "contribution": self.contribution,
        }


@dataclass(frozen=True, slots=True)
class Aspect:
    """What a review says about an aspect: the verdict on its clauses.

    ``sentiment`` is positive, negative, uncertain or not_mentioned. ``reason`` says why it is uncertain.
    ``probability`` is that of positive, None where the aspect is not mentioned. ``contribution`` is what the
    aspect adds to the review's logit: the sum of its clauses', each divided by the number of aspects that it
    mentions.
    """

    name: str
    sentiment: AspectSentiment
    reason: Reason | None = None
    probability: float | None = None
    contribution: float = 0.0
    mentions: tuple[Mention, ...] = ()

    def to_message(self) -> Message:
        """Return the aspect as the API sends it, without its name."""
        if not self.mentions:
            return {"sentiment": self.sentiment}
        return {
            "sentiment": self.sentiment,
            "reason": self.reason,
            "probability": self.probability,
            "contribution": self.contribution,
            "mentions": [mention.to_message() for mention in self.mentions],
        }


@dataclass(frozen=True, slots=True)
class Model:
    """A model's id, its vocabulary's fingerprint, and the band of probabilities that it calls uncertain."""

    id: str
    vocabulary: str
    uncertain: tuple[float, float]

    def to_message(self) -> Message:
        """Return the model as the API sends it."""
        return {"id": self.id, "vocabulary": self.vocabulary, "uncertain": list(self.uncertain)}


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict: positive, negative or uncertain, the probability of positive, and the explanation.

    ``reason`` says why it is uncertain: mixed, no_opinion, no_known_words, not_english or unclear. It is None
    for another verdict.

    ``bias`` plus the contributions of all sentences is the logit, and so with those of all words. Its sigmoid
    is ``probability``. ``text`` (the cleaned review), ``sentences`` and ``words`` are None without an
    explanation. ``aspects`` are those of the request, in its order, None without any; ``text`` comes with
    them.
    """

    sentiment: Sentiment
    reason: Reason | None
    probability: float
    warnings: tuple[Caveat, ...]
    bias: float
    model: Model
    request_id: str
    text: str | None = None
    sentences: tuple[Sentence, ...] | None = None
    words: tuple[Word, ...] | None = None
    aspects: tuple[Aspect, ...] | None = None

    @property
    def confidence(self) -> float | None:
        """Return the probability of the side that ``sentiment`` states; None where it is uncertain."""
        if self.sentiment == "uncertain":
            return None
        return self.probability if self.sentiment == "positive" else 1 - self.probability

    def __str__(self) -> str:
        """Return the verdict in a line, such as ``positive, P(positive) = 0.956, warnings: mixed``."""
        reason = f" ({self.reason})" if self.reason else ""
        codes = f", warnings: {', '.join(caveat.code for caveat in self.warnings)}" if self.warnings else ""
        return f"{self.sentiment}{reason}, P(positive) = {self.probability:.3f}{codes}"

    def __repr__(self) -> str:
        """Return the verdict without the review's text, which may be long and belongs in no log."""
        parts = {"sentences": self.sentences, "words": self.words, "aspects": self.aspects}
        counts = [f", {name}={len(found)}" for name, found in parts.items() if found is not None]
        return f"<Answer {self}{''.join(counts)}>"

    def _repr_html_(self) -> str:
        """Return the verdict for a notebook: the text with its marks, and what they mean."""
        from verdict_sentiment.notebook import answer_html

        return answer_html(self)

    def to_message(self) -> Message:
        """Return the answer as the API sends it, in the same order."""
        message: Message = {"sentiment": self.sentiment, "reason": self.reason}
        message["probability"] = self.probability
        message["warnings"] = [{"code": caveat.code, "detail": caveat.detail} for caveat in self.warnings]
        if self.text is not None:
            message["text"] = self.text
        for name, parts in (("sentences", self.sentences), ("words", self.words)):
            if parts is not None:
                message[name] = [part.to_message() for part in parts]
        if self.aspects is not None:
            message["aspects"] = {aspect.name: aspect.to_message() for aspect in self.aspects}
        return message | {"bias": self.bias, "model": self.model.to_message(), "request_id": self.request_id}


@dataclass(frozen=True, slots=True)
class Judged:
    """One review of a batch: its place from 0, its id if any, and its answer or its error."""

    index: int
    id: str | int | None
    answer: Answer | None
    error: VerdictError | None

    def verdict(self) -> Answer:
        """Return the answer. Raises the error of a review without one."""
        if self.answer is None:
            assert self.error is not None
            raise self.error
        return self.answer

    def _repr_html_(self) -> str:
        """Return the answer or the error for a notebook."""
        from verdict_sentiment.notebook import judged_html

        return judged_html(self)


@dataclass(frozen=True, slots=True)
class Health:
    """The state of app and endpoint, and the model's id; ``code`` and ``detail`` explain a failure."""

    ok: bool
    app: str
    endpoint: str
    model: str | None
    code: str | None = None
    detail: str | None = None


# --- parsing ------------------------------------------------------------------------------------


def read_answer(message: Message, explain: Explain, aspects: Sequence[str] | None = None) -> Answer:
    """Parse the answer to one review. Raises BadAnswerError.

    ``aspects`` are the names of the request's aspects, None without any.
    """

    def parse() -> Answer:
        return _answer(message, explain, aspects, _model(message["model"]), _text(message["request_id"]))

    return _checked(parse)


def read_batch(
    message: Message, sent: Sequence[int], explain: Explain, aspects: Sequence[str] | None = None
) -> list[Answer | VerdictError]:
    """Parse the answers to a batch whose reviews have the ids ``sent``. Raises BadAnswerError."""
    return _checked(lambda: _answers(message, sent, explain, aspects))


def read_card(message: Message) -> Message:
    """Return a model's card if it names the model. Raises BadAnswerError."""
    _checked(lambda: _model(message))
    return message


def read_health(message: Message) -> Health:
    """Parse a service's health. Raises BadAnswerError."""
    return _checked(lambda: _health(message))


def read_feedback_id(message: Message) -> str:
    """Return the id of feedback that was kept. Raises BadAnswerError."""

    def parse() -> str:
        id = _text(message["id"])
        if not load("vocab.messages.feedback").ID.fullmatch(id):
            raise ValueError("no id")
        return id

    return _checked(parse)


def _checked(parse: Callable[[], T]) -> T:
    try:
        return parse()
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadAnswerError(
            "the answer is not in the agreed form; is this URL Verdict's API, and of this version?",
            code="bad_answer",
        ) from error


def _answers(
    message: Message, sent: Sequence[int], explain: Explain, aspects: Sequence[str] | None
) -> list[Answer | VerdictError]:
    items, request_id = message["answers"], _text(message["request_id"])
    if len(items) != len(sent) or any(type(item["id"]) is not int for item in items):
        raise ValueError(f"{len(items)} answers to {len(sent)} reviews")
    if [item["id"] for item in items] != list(sent):
        raise ValueError("the answers are not in the order asked")
    return [_item(item, message, explain, aspects, request_id) for item in items]


def _item(
    item: Message, message: Message, explain: Explain, aspects: Sequence[str] | None, request_id: str
) -> Answer | VerdictError:
    if "error" not in item:
        return _answer(item, explain, aspects, _model(message["model"]), request_id)
    error = item["error"]
    status = error["status"]
    if type(status) is not int or not 400 <= status < 600:
        raise ValueError("no status of an error")
    return RefusedError(
        _text(error["detail"]), code=_text(error["code"]), status=status, request_id=request_id
    )


def _answer(
    message: Message, explain: Explain, names: Sequence[str] | None, model: Model, request_id: str
) -> Answer:
    text = sentences = words = aspects = None
    if explain != "none" or names is not None:
        text = _text(message["text"])
    if explain != "none":
        sentences = _sentences(message["sentences"], text or "")
    if explain == "words":
        words = tuple(_word(part, text or "") for part in message["words"])
    if names is not None:
        aspects = _aspects(message["aspects"], names, text or "")
    sentiment, reason = message["sentiment"], message["reason"]
    probability = _probability(message["probability"])
    bias = _number(message["bias"])
    caveats = tuple(_caveat(item) for item in message["warnings"])
    _check_verdict(sentiment, reason, probability)
    for parts in (sentences, words):
        _check_sum(probability, bias, parts)
    return Answer(
        sentiment, reason, probability, caveats, bias, model, request_id, text, sentences, words, aspects
    )


def _caveat(item: Message) -> Caveat:
    return Caveat(cast(WarningCode, _text(item["code"])), _text(item["detail"]))


def _check_verdict(sentiment: object, reason: object, probability: float) -> None:
    if sentiment not in messages.SENTIMENTS:
        raise ValueError("no sentiment")
    if reason not in (messages.REASONS if sentiment == "uncertain" else (None,)):
        raise ValueError("no reason, or one of another verdict")
    if sentiment != "uncertain" and (sentiment == "positive") != (probability >= 0.5):
        raise ValueError("sentiment and probability disagree")


def _check_sum(probability: float, bias: float, parts: Sequence[Contribution] | None) -> None:
    if parts is None:
        return
    logit = math.fsum([bias, *(part.contribution for part in parts)])
    if abs(messages.sigmoid(logit) - probability) > TOLERANCE:
        raise ValueError("the contributions do not add up")


def _sentences(parts: list[Message], text: str) -> tuple[Sentence, ...]:
    sentences = tuple(_sentence(part, text) for part in parts)
    if any((sentence.without is None) != (len(sentences) == 1) for sentence in sentences):
        raise ValueError("a review has a probability without a sentence when it has several")
    return sentences


def _sentence(part: Message, text: str) -> Sentence:
    without = part["without"]
    return Sentence(
        *_part(part, text),
        _probability(part["alone"]),
        None if without is None else _probability(without),
        text=_cut(part, text),
    )


def _word(part: Message, text: str) -> Word:
    effect = _number(part["effect"]) if "effect" in part else None
    return Word(*_part(part, text), effect, text=_cut(part, text))


def _aspects(message: Message, names: Sequence[str], text: str) -> tuple[Aspect, ...]:
    if list(message) != list(names):
        raise ValueError("the aspects are not those of the request")
    aspects = tuple(_aspect(name, message[name], text) for name in names)
    owners = Counter((mention.start, mention.end) for aspect in aspects for mention in aspect.mentions)
    for aspect in aspects:
        shares = [part.contribution / owners[part.start, part.end] for part in aspect.mentions]
        if abs(math.fsum(shares) - aspect.contribution) > TOLERANCE:
            raise ValueError("an aspect's clauses do not add up")
    return aspects


def _aspect(name: str, message: Message, text: str) -> Aspect:
    sentiment = message["sentiment"]
    if sentiment == messages.NOT_MENTIONED:
        return Aspect(name, sentiment)
    reason, probability = message["reason"], _probability(message["probability"])
    _check_verdict(sentiment, reason, probability)
    mentions = tuple(_mention(part, text) for part in message["mentions"])
    if not mentions:
        raise ValueError("a verdict on an aspect that nothing mentions")
    return Aspect(name, sentiment, reason, probability, _number(message["contribution"]), mentions)


def _mention(part: Message, text: str) -> Mention:
    start, end, contribution = _part(part, text)
    first, last = part["term"]
    if type(first) is not int or type(last) is not int or not start <= first < last <= end:
        raise ValueError("a term outside of its clause")
    if not isinstance(part["negated"], bool):
        raise TypeError("negated or not")
    return Mention(start, end, contribution, (first, last), part["negated"], text=_cut(part, text))


def _part(part: Message, text: str) -> tuple[int, int, float]:
    start, end = part["start"], part["end"]
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise ValueError("offsets outside of the text")
    return start, end, _number(part["contribution"])


def _cut(part: Message, text: str) -> str:
    return text[part["start"] : part["end"]]


def _part_message(part: Contribution) -> Message:
    return {"start": part.start, "end": part.end, "contribution": part.contribution}


def _health(message: Message) -> Health:
    status, model = _text(message["status"]), message["model"]
    if status == "ok":
        return Health(True, _text(message["app"]), _text(message["endpoint"]), _text(model["id"]))
    reason = _text(message["code"]), _text(message["detail"])
    return Health(False, _text(message["app"]), _text(message["endpoint"]), None, *reason)


def _model(message: Message) -> Model:
    low, high = map(_number, message["uncertain"])
    if not 0 <= low <= high <= 1:
        raise ValueError("the band lies outside of 0..1")
    return Model(_text(message["id"]), _text(message["vocabulary"]), (low, high))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _probability(value: object) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError("no probability")
    return number


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("no finite number")
    return float(value)
