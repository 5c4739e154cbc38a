"""Every message once: page to Lambda, Lambda to endpoint, and back; limits, checks and errors.

A message that does not fit raises ContractError, which says what was wrong, what came (its type
and length, never a review's words) and what to send instead.
"""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from vocab.vocabulary import Encoded, Vocabulary

MAX_REVIEW_CHARACTERS = 50_000
# A body of the longest review still fits when every character is escaped as \uXXXX.
MAX_BODY_BYTES = 1_000_000
MAX_BATCH_REVIEWS = 100
# Lambda gives back 6 MB at most, the answer written as a JSON string within it.
MAX_ANSWER_BYTES = 6_000_000
MAX_ENDPOINT_BYTES = 4_000_000  # SageMaker's own limit for serverless inference
MAX_ENDPOINT_REVIEWS = 100
# Nothing here nests deeper than this; json.loads would end in a RecursionError.
MAX_DEPTH = 20
# "I hated it" is a review, but calibration was measured on whole ones: below so many words the answer
# carries a warning.
FEW_WORDS = 8
# Contributions are sent with this many decimals; logit and probability are computed from those.
DECIMALS = 6

EXPLAIN = ("none", "sentences", "words")
SENTIMENTS = ("positive", "negative", "uncertain")
SIDES = SENTIMENTS[:2]
MODEL_ID = re.compile(r"[A-Za-z0-9._-]{0,64}")
JSON = "application/json"
TEXT = "text/plain"
JSON_LINES = "application/jsonlines"
NDJSON = "application/x-ndjson"  # another name of the same
CSV = "text/csv"
CHARSETS = ("utf-8", "utf8", "us-ascii")  # the last is a part of the first
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


class ContractError(Exception):
    """A message that can't be used: HTTP ``status``, stable ``code``, ``detail`` in one sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


class ReviewRequest(NamedTuple):
    """What a caller asks: a review, and how far to explain it (one of EXPLAIN)."""

    review: str
    explain: str = "sentences"


class Item(NamedTuple):
    """One review of several: its ids, or its text, or why it can't be read."""

    ids: list[int] | None = None
    review: str | None = None
    id: str | int | None = None
    error: ContractError | None = None


class BatchRequest(NamedTuple):
    """What a caller asks of several reviews, and how far to explain each (one of EXPLAIN)."""

    items: list[Item]
    explain: str = "none"


class Feedback(NamedTuple):
    """What a person says of a verdict: the review, which side it is on (one of SIDES), and who was wrong.

    ``model`` is the id of the model that answered, or empty.
    """

    review: str
    label: str
    model: str = ""


class EndpointRequest(NamedTuple):
    """What the endpoint is asked: reviews, or (``describe``) its model card."""

    items: list[Item]
    vocabulary: str | None = None
    explain: bool = False
    describe: bool = False
    lines: bool = False


class Model(NamedTuple):
    """Which model answered, and between which probabilities it does not commit itself."""

    id: str
    vocabulary: str
    uncertain: tuple[float, float]


class Scored(NamedTuple):
    """The network's answer: bias + sum of contributions = logit, one contribution a token.

    ``contributions`` is empty when no explanation was asked for.
    """

    logit: float
    probability: float
    bias: float
    contributions: list[float]


# --- a caller's request -------------------------------------------------------------------------


def parse_review_request(body: bytes, content_type: str | None) -> ReviewRequest:
    """Read ``POST /v1/sentiment``: JSON, or the review itself as text/plain.

    A missing content type means JSON, a missing charset UTF-8. Raises ContractError 400, 413 or 415.
    """
    _check_size(body, MAX_BODY_BYTES)
    if _readable_type(content_type, (JSON, TEXT)) == TEXT:
        return ReviewRequest(check_review(_utf8(body)))
    message = _object(parse_json(body), '{"review": "..."}')
    _refuse_unknown(message, ("review", "explain"))
    explain = check_explain(message.get("explain", "sentences"))
    return ReviewRequest(_review_of(message), explain)


def parse_batch_request(body: bytes, content_type: str | None, explain: str = "none") -> BatchRequest:
    """Read ``POST /v1/sentiment/batch``: JSON, JSON lines or CSV, of 1 to MAX_BATCH_REVIEWS reviews.

    ``explain`` counts where the body, as lines and CSV, has no word of its own. Items that can't be used
    carry their error; the request as a whole raises ContractError 400, 413 or 415.
    """
    _check_size(body, MAX_BODY_BYTES)
    kind = _readable_type(content_type, (JSON, JSON_LINES, NDJSON, CSV))
    check_explain(explain)  # where the body has the last word, too
    if kind != JSON:
        items = _csv_items(_utf8(body)) if kind == CSV else _line_items(_utf8(body))
        return BatchRequest(_check_count(items), explain)
    wanted = '{"reviews": [{"review": "..."}]}'
    message = _object(parse_json(body), wanted)
    _refuse_unknown(message, ("reviews", "explain"))
    if "reviews" not in message:
        raise ContractError(400, "missing_field", f"reviews is missing; send {wanted}")
    reviews = message["reviews"]
    if not isinstance(reviews, list):
        raise ContractError(
            400, "wrong_type", f"reviews must be a list, got {_type_of(reviews)}; send {wanted}"
        )
    explain = check_explain(message.get("explain", explain))
    return BatchRequest([_review_item(review) for review in _check_count(reviews)], explain)


def parse_feedback(body: bytes, content_type: str | None) -> Feedback:
    """Read ``POST /v1/feedback``: JSON with the review and its right label.

    Raises ContractError 400, 413 or 415.
    """
    _check_size(body, MAX_BODY_BYTES)
    _readable_type(content_type, (JSON,))
    message = _object(parse_json(body), '{"review": "...", "label": "positive"}')
    _refuse_unknown(message, ("review", "label", "model"))
    if "label" not in message:
        raise ContractError(400, "missing_field", f"label is missing; send {' or '.join(SIDES)}")
    label, model = message["label"], message.get("model", "")
    if not isinstance(label, str) or label not in SIDES:
        came = repr(label) if isinstance(label, str) and len(label) <= 20 else _type_of(label)
        raise ContractError(400, "bad_value", f"label must be {' or '.join(SIDES)}, got {came}")
    if not isinstance(model, str) or not MODEL_ID.fullmatch(model):
        raise ContractError(
            400, "bad_value", f"model must be the id of an answer's model, got {_type_of(model)}"
        )
    review = _review_of(message)
    if not review.strip():
        raise ContractError(422, "no_token", "review is empty; send what was judged")
    return Feedback(review, label, model)


def check_explain(explain: object) -> str:
    """Give how far to explain when it is one of EXPLAIN. Raises ContractError 400."""
    if isinstance(explain, str) and explain in EXPLAIN:
        return explain
    came = repr(explain) if isinstance(explain, str) and len(explain) <= 20 else _type_of(explain)
    raise ContractError(400, "bad_value", f"explain must be one of {', '.join(EXPLAIN)}, got {came}")


def check_review(review: object) -> str:
    """Give the review when it is a string of allowed length. Raises ContractError 400 or 413."""
    if not isinstance(review, str):
        raise ContractError(
            400,
            "wrong_type",
            f'review must be a string, got {_type_of(review)}; send {{"review": "..."}}',
        )
    if len(review) > MAX_REVIEW_CHARACTERS:
        raise ContractError(
            413,
            "too_long",
            f"review has {len(review):,} characters, at most {MAX_REVIEW_CHARACTERS:,} are read;"
            " send a shorter one",
        )
    return review


def check_encoded(encoded: Encoded) -> Encoded:
    """Give the encoded review when it holds a token. Raises ContractError 422."""
    if not encoded.ids:
        raise ContractError(
            422,
            "no_token",
            "review holds no word or sign that could be read, once markup and white space are gone;"
            " write a sentence",
        )
    return encoded


def media_type(content_type: str | None) -> str:
    """Give the media type alone, lower case, or application/json when none is named.

    >>> media_type("Text/Plain; charset=utf-8")
    'text/plain'
    """
    return (content_type or JSON).split(";")[0].strip().lower() or JSON


def charset_of(content_type: str | None) -> str:
    """Give the charset that a content type names, lower case, or utf-8 when it names none.

    >>> charset_of('text/plain; charset="ISO-8859-1"')
    'iso-8859-1'
    """
    for parameter in (content_type or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def parse_json(body: bytes | str, called: str = "body") -> Any:
    """Read JSON strictly: UTF-8, no NaN, no name twice, no deep nesting. Raises ContractError 400.

    ``called`` is what an error calls that which is read.
    """
    text = _utf8(body) if isinstance(body, bytes) else body
    if _depth(text) > MAX_DEPTH:
        raise ContractError(400, "malformed_json", f"the {called} nests deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except ContractError:
        raise
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise ContractError(
            400, "malformed_json", f'the {called} is no valid JSON{where}; send {{"review": "..."}}'
        ) from error


# --- the answer ---------------------------------------------------------------------------------


def sentiment_of(probability: float, model: Model, encoded: Encoded | None = None) -> str:
    """Give the verdict: uncertain inside the model's band, or when no word of the review is known."""
    low, high = model.uncertain
    if low < probability < high or (encoded is not None and not encoded.known):
        return "uncertain"
    return "positive" if probability >= 0.5 else "negative"


def warnings_of(encoded: Encoded) -> list[dict[str, str]]:
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
    encoded: Encoded, scored: Scored, explain: str, model: Model, request_id: str
) -> dict[str, Any]:
    """Build the public answer to one review."""
    verdict = build_verdict(encoded, scored, explain, model)
    return {**verdict, "model": model_message(model), "request_id": request_id}


def build_batch_answer(
    items: Sequence[Item], answers: Sequence[dict[str, Any]], model: Model | None, request_id: str
) -> dict[str, Any]:
    """Build the public answer to several reviews: to each item its verdict or ``{"error": ...}``, in order.

    ``model`` is None when no item could be read. Raises ContractError 413 when it is all too much to send.
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


def build_verdict(encoded: Encoded, scored: Scored, explain: str, model: Model) -> dict[str, Any]:
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


def build_score(bias: float, contributions: Sequence[float]) -> Scored:
    """Give the score whose parts, as sent, add up exactly: logit = bias + sum(contributions)."""
    rounded = [round(float(value), DECIMALS) for value in contributions]
    bias = round(float(bias), DECIMALS)
    logit = round(math.fsum([bias, *rounded]), DECIMALS)
    return Scored(logit, round(sigmoid(logit), DECIMALS), bias, rounded)


def sigmoid(logit: float) -> float:
    """Give 1 / (1 + exp(-logit)) without overflow."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))


def to_json(message: object) -> bytes:
    """Write a message as UTF-8 JSON; NaN and infinity raise ValueError, they never leave."""
    return _ENCODER.encode(message).encode()


# --- Lambda to endpoint -------------------------------------------------------------------------


def build_endpoint_request(encoded: Sequence[Encoded], vocabulary: Vocabulary, explain: bool) -> bytes:
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

    Items that can't be used carry their error; the message as a whole raises ContractError.
    """
    kind = media_type(content_type)
    _check_size(body, MAX_ENDPOINT_BYTES)
    if kind == JSON_LINES:
        lines = [line for line in _utf8(body).split("\n") if line.strip()]
        return EndpointRequest([_line_item(line, _item) for line in lines], lines=True)
    if kind != JSON:
        raise ContractError(
            415,
            "unsupported_media_type",
            f"content type {kind[:40]!r} is not read; send {JSON} or {JSON_LINES}",
        )
    message = _object(parse_json(body), '{"vocabulary": "...", "reviews": [{"ids": [...]}]}')
    _refuse_unknown(message, ("vocabulary", "reviews", "explain", "describe"))
    describe = message.get("describe", False)
    if not isinstance(describe, bool):
        raise ContractError(400, "wrong_type", f"describe must be true or false, got {_type_of(describe)}")
    if describe:
        return EndpointRequest([], describe=True)
    reviews = message.get("reviews")
    if not isinstance(reviews, list) or not 1 <= len(reviews) <= MAX_ENDPOINT_REVIEWS:
        raise ContractError(
            400,
            "bad_value",
            f"reviews must be a list of 1 to {MAX_ENDPOINT_REVIEWS}, got {_type_of(reviews)}",
        )
    vocabulary, explain = message.get("vocabulary"), message.get("explain", False)
    if not isinstance(explain, bool):
        raise ContractError(400, "wrong_type", f"explain must be true or false, got {_type_of(explain)}")
    if vocabulary is not None and not isinstance(vocabulary, str):
        raise ContractError(400, "wrong_type", f"vocabulary must be a string, got {_type_of(vocabulary)}")
    return EndpointRequest([_item(review) for review in reviews], vocabulary, explain)


def parse_endpoint_answer(
    body: bytes, encoded: Sequence[Encoded], explain: bool
) -> tuple[Model, list[Scored]]:
    """Read and check the endpoint's answer to ``build_endpoint_request(encoded, ..., explain)``.

    Raises ContractError 502 when anything about it is not as agreed: what an endpoint sends is
    checked like what a stranger sends.
    """
    try:
        _check_size(body, MAX_ENDPOINT_BYTES)
        message = parse_json(body)
        model = _model(message["model"])
        answers = message["answers"]
        if len(answers) != len(encoded):
            raise ValueError(f"{len(answers)} answers to {len(encoded)} reviews")
        return model, [
            _scored(answer, len(one.ids) if explain else 0)
            for answer, one in zip(answers, encoded, strict=True)
        ]
    except (ContractError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ContractError(
            502, "bad_endpoint_answer", "the endpoint's answer is not in the agreed form; look at its log"
        ) from error


def parse_card(body: bytes) -> dict[str, Any]:
    """Read the endpoint's model card. Raises ContractError 502."""
    try:
        _check_size(body, MAX_ENDPOINT_BYTES)
        card = dict(parse_json(body)["card"])
        _model(card)
        to_json(card)  # 1e999 is read as infinity, which could not leave again
        return card
    except (ContractError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ContractError(
            502, "bad_endpoint_answer", "the endpoint's model card is not in the agreed form; look at its log"
        ) from error


def model_message(model: Model) -> dict[str, Any]:
    """Give the part of an answer that names its model, and the band in which that is uncertain."""
    return {"id": model.id, "vocabulary": model.vocabulary, "uncertain": list(model.uncertain)}


def check_vocabulary(named: str | None, own: str) -> None:
    """Refuse ids of another vocabulary. Raises ContractError 409."""
    if named != own:
        came = "no vocabulary" if named is None else f"vocabulary {named[:16]!r}"
        raise ContractError(
            409,
            "vocabulary_mismatch",
            f"these ids come from {came}, the model was trained with {own!r}; deploy both from one version",
        )


def check_answered(model: Model, own: str) -> None:
    """Refuse what a model of another vocabulary says of our ids. Raises ContractError 502."""
    if model.vocabulary != own:
        raise ContractError(
            502,
            "vocabulary_mismatch",
            "app and endpoint were built with different vocabularies; deploy both from one version",
        )


def check_ids(ids: list[int], vocabulary_size: int, max_tokens: int) -> None:
    """Refuse ids that the network has no row for, or too many. Raises ContractError 400 or 422."""
    if not ids:
        raise ContractError(422, "no_token", "ids is empty; a review without a token has no verdict")
    if len(ids) > max_tokens:
        raise ContractError(400, "bad_value", f"ids holds {len(ids):,} numbers, at most {max_tokens} fit")
    if min(ids) < 1 or max(ids) >= vocabulary_size:
        raise ContractError(400, "bad_value", f"ids must lie from 1 to {vocabulary_size - 1}")


# --- pieces -------------------------------------------------------------------------------------


def _readable_type(content_type: str | None, known: tuple[str, ...]) -> str:
    kind, charset = media_type(content_type), charset_of(content_type)
    if kind not in known:
        raise ContractError(
            415,
            "unsupported_media_type",
            f"content type {kind[:40]!r} is not read; send {', '.join(known[:-1])} or {known[-1]}",
        )
    if charset not in CHARSETS:
        raise ContractError(
            415, "unsupported_media_type", f"charset {charset[:40]!r} is not read; send the body as UTF-8"
        )
    return kind


def _review_of(message: dict[str, Any]) -> str:
    if "review" not in message:
        raise ContractError(400, "missing_field", 'review is missing; send {"review": "..."}')
    return check_review(message["review"])


def _check_count(reviews: list[Any]) -> list[Any]:
    if not reviews:
        raise ContractError(
            400, "bad_value", f"there is no review; send 1 to {MAX_BATCH_REVIEWS} of them in a request"
        )
    if len(reviews) > MAX_BATCH_REVIEWS:
        raise ContractError(
            413,
            "too_many_reviews",
            f"{len(reviews):,} reviews came, at most {MAX_BATCH_REVIEWS} are read in a request; send the"
            " others in another",
        )
    return reviews


def _review_item(review: object) -> Item:
    try:
        message = _object(review, '{"review": "..."}')
        _refuse_unknown(message, ("id", "review"))
        if "id" in message and _id_of(message) is None:
            raise _wrong_id(message["id"])
        return Item(review=_review_of(message), id=_id_of(message))
    except ContractError as error:
        return Item(error=error, id=_id_of(review))


def _line_items(text: str) -> list[Item]:
    return [_line_item(line, _review_item) for line in text.split("\n") if line.strip()]


def _csv_items(text: str) -> list[Item]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BODY_BYTES))  # the process's one limit
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row] or [[]]
    except csv.Error as error:
        raise ContractError(
            400,
            "malformed_csv",
            f"the body is no CSV ({error}); quote a field that holds a comma, a quote or a line break, and"
            " double the quotes in it",
        ) from error
    names = [name.strip() for name in header]
    _refuse_unknown(dict.fromkeys(names), ("id", "review"))
    if names.count("review") != 1 or len(set(names)) != len(names):
        raise ContractError(
            400, "missing_field", "the first line must name each column once, review and, if you like, id"
        )
    return [_row_item(row, names) for row in rows]


def _row_item(row: list[str], names: list[str]) -> Item:
    if len(row) == len(names):
        fields = dict(zip(names, row, strict=True))
        return _review_item({name: value for name, value in fields.items() if value or name == "review"})
    return Item(
        error=ContractError(
            400,
            "malformed_csv",
            f"the row has {len(row)} fields, the first line {len(names)}; quote a field that holds a comma",
        )
    )


def _check_answer_size(body: bytes) -> None:
    size = len(body) + body.count(b'"') + body.count(b"\\")
    if size > MAX_ANSWER_BYTES:
        raise ContractError(
            413,
            "too_large",
            f"the answer would have {size:,} bytes, at most {MAX_ANSWER_BYTES:,} are sent; send fewer reviews"
            " in a request, or have less explained",
        )


def _item(review: object) -> Item:
    try:
        message = _object(review, '{"ids": [...]} or {"review": "..."}')
        _refuse_unknown(message, ("id", "ids", "review"))
        name = _id_of(message)
        if name is None and message.get("id") is not None:
            raise _wrong_id(message["id"])
        if ("ids" in message) == ("review" in message):
            raise ContractError(400, "missing_field", 'send either "ids" or "review"')
        if "review" in message:
            return Item(review=check_review(message["review"]), id=name)
        ids = message["ids"]
        if not isinstance(ids, list) or not all(type(number) is int for number in ids):
            raise ContractError(400, "wrong_type", f"ids must be a list of integers, got {_type_of(ids)}")
        return Item(ids=ids, id=name)
    except ContractError as error:
        return Item(error=error, id=_id_of(review))


def _line_item(line: str, read: Callable[[object], Item]) -> Item:
    try:
        return read(parse_json(line, "line"))
    except ContractError as error:
        return Item(error=error)


def _wrong_id(name: object) -> ContractError:
    return ContractError(400, "wrong_type", f"id must be a string or an integer, got {_type_of(name)}")


def _id_of(review: object) -> str | int | None:
    name = review.get("id") if isinstance(review, dict) else None
    return name if isinstance(name, (str, int)) and not isinstance(name, bool) else None


def _model(message: dict[str, Any]) -> Model:
    name, vocabulary, (low, high) = message["id"], message["vocabulary"], message["uncertain"]
    if not isinstance(name, str) or not isinstance(vocabulary, str):
        raise ValueError("model names must be strings")
    if not 0 <= _finite(low) <= _finite(high) <= 1:
        raise ValueError("the uncertain band must lie in 0..1")
    return Model(name, vocabulary, (float(low), float(high)))


def _scored(answer: dict[str, Any], tokens: int) -> Scored:
    logit, probability, bias = (_finite(answer[key]) for key in ("logit", "probability", "bias"))
    contributions = _all_finite(answer["contributions"]) if tokens else []
    if len(contributions) != tokens:
        raise ValueError(f"{len(contributions)} contributions to {tokens} tokens")
    if not 0 <= probability <= 1 or abs(sigmoid(logit) - probability) > 1e-5:
        raise ValueError("probability and logit disagree")
    if tokens and abs(math.fsum([bias, *contributions]) - logit) > 1e-5:
        raise ValueError("the contributions do not add up")
    return Scored(logit, probability, bias, contributions)


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


def _contribution(start: int, end: int, value: float) -> dict[str, Any]:
    return {"start": start, "end": end, "contribution": round(value, DECIMALS)}


def _warning(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "detail": detail}


def _check_size(body: bytes, limit: int) -> None:
    if len(body) > limit:
        raise ContractError(413, "too_large", f"the body has {len(body):,} bytes, at most {limit:,} are read")


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractError(
            400, "not_utf8", f"the body is not UTF-8 (byte {error.start}); send UTF-8"
        ) from error


def _object(message: object, wanted: str) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise ContractError(
            400, "wrong_type", f"the message must be an object, got {_type_of(message)}; send {wanted}"
        )
    return message


def _refuse_unknown(message: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in message:
        if name not in known:
            shown = name[:30].encode("ascii", "backslashreplace").decode()
            raise ContractError(
                400, "unknown_field", f"field {shown!r} is not known; send only {', '.join(known)}"
            )


def _refuse_constant(name: str) -> NoReturn:
    raise ContractError(400, "malformed_json", f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    message = dict(pairs)
    if len(message) != len(pairs):
        raise ContractError(400, "malformed_json", "a field is named twice; send each once")
    return message


def _type_of(value: object) -> str:
    """Name what came by type and length, never by content."""
    name = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}.get(
        type(value), "number"
    )
    return f"{name} of length {len(value)}" if isinstance(value, (dict, list, str)) else name


def _depth(text: str) -> int:
    """Give how deep brackets nest outside strings; cheap for texts with few brackets."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest
