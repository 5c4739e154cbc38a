"""Build the service's requests: its routes, and batches no larger than it accepts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from verdict_sentiment._packages import MessageError, messages
from verdict_sentiment.errors import RefusedError, VerdictError
from verdict_sentiment.results import Answer, Judged, Message

MAX_REVIEWS = messages.MAX_BATCH_REVIEWS
# A little below the service's limit: the frame around the reviews takes some bytes too.
MAX_BYTES = messages.MAX_BODY_BYTES - 1_000

Review = str | tuple[str | int, str]
# The name of a shipped list, or terms by aspect: {"music": ["music", "score"]}.
Aspects = str | Mapping[str, Sequence[str]]


class Call(NamedTuple):
    """One request: a GET, or a POST of ``message``. ``statuses`` mark an answer; ``again`` allows retries."""

    path: str
    message: Message | None = None
    statuses: tuple[int, ...] = (200,)
    again: bool = True


class Entry(NamedTuple):
    """A review of a batch: its place, its id, and the reason for not sending it, or None."""

    place: int
    id: str | int | None
    refused: VerdictError | None


class Chunk(NamedTuple):
    """One request of a batch: all its entries, the places of those sent, and the call if any is sent."""

    entries: list[Entry]
    sent: list[int]
    call: Call | None


CARD = Call("/v1/model")
HEALTH = Call("/v1/health", statuses=(200, 503), again=False)


def sentiment(review: str, explain: str, aspects: Aspects | None = None) -> Call:
    """Return the call for one review. Raises RefusedError for a review that every service refuses."""
    _check_explain(explain)
    named = _named(aspects)
    refused = _refusal(review)
    if refused:
        raise refused
    return Call("/v1/sentiment", {"review": review, "explain": explain} | named)


def aspect_names(aspects: Aspects | None) -> list[str] | None:
    """Return the names of aspects, in order, None without any. Raises RefusedError."""
    if aspects is None:
        return None
    try:
        return [aspect.name for aspect in messages.parse_aspects(aspects)]
    except MessageError as error:
        raise _refused(error) from error


def batch(reviews: Iterable[Review], explain: str, aspects: Aspects | None = None) -> Iterator[Chunk]:
    """Yield requests of at most 100 reviews and 1 MB, from reviews or (id, review) pairs, in their order.

    A review that every service refuses is not sent; its entry holds the reason. Raises RefusedError when
    ``explain`` is no level of explanation, ``aspects`` are malformed, or ``reviews`` is a single text, whose
    characters are no reviews.
    """
    _check_explain(explain)
    named = _named(aspects)
    most = MAX_BYTES - len(messages.to_json(named))
    if isinstance(reviews, (str, bytes)):
        detail = f"reviews must be several, got one {type(reviews).__name__}; put it in a list"
        raise RefusedError(detail, code="wrong_type", status=400)
    entries: list[Entry] = []
    items: list[Message] = []
    size = 0
    for index, review in enumerate(reviews):
        entry, item = _entry(index, review)
        length = len(messages.to_json(item)) + 1 if item else 0
        if entries and (len(entries) == MAX_REVIEWS or size + length > most):
            yield _chunk(entries, items, explain, named)
            entries, items, size = [], [], 0
        entries.append(entry)
        items += [item] if item else []
        size += length
    if entries:
        yield _chunk(entries, items, explain, named)


def judged(chunk: Chunk, answers: Iterable[Answer | VerdictError]) -> Iterator[Judged]:
    """Yield each review of a request with its answer or its error."""
    remaining = iter(answers)
    for entry in chunk.entries:
        outcome = entry.refused or next(remaining)
        if isinstance(outcome, VerdictError):
            yield Judged(entry.place, entry.id, None, outcome)
        else:
            yield Judged(entry.place, entry.id, outcome, None)


def _entry(index: int, review: Review) -> tuple[Entry, Message | None]:
    name, text = review if isinstance(review, tuple) and len(review) == 2 else (None, review)
    refused = _refusal(text)
    # The place is sent as the id: a caller's ids may repeat and may have any length.
    return Entry(index, name, refused), None if refused else {"id": index, "review": text}


def _chunk(entries: list[Entry], items: list[Message], explain: str, named: Message) -> Chunk:
    call = Call("/v1/sentiment/batch", {"reviews": items, "explain": explain} | named) if items else None
    return Chunk(entries, [item["id"] for item in items], call)


def _refusal(review: object) -> RefusedError | None:
    try:
        messages.check_review(review)
        return None
    except MessageError as error:
        return _refused(error)


def _refused(error: MessageError) -> RefusedError:
    return RefusedError(error.detail, code=error.code, status=error.status)


def _named(aspects: Aspects | None) -> Message:
    """Return a request's field ``aspects``, or none. Raises RefusedError."""
    aspect_names(aspects)
    if aspects is None:
        return {}
    if isinstance(aspects, str):
        return {"aspects": aspects}
    return {"aspects": {name: list(terms) for name, terms in aspects.items()}}


def _check_explain(explain: str) -> None:
    try:
        messages.check_explain(explain)
    except MessageError as error:
        raise _refused(error) from error
