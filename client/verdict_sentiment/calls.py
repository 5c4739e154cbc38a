"""Build the service's requests: its routes, and batches no larger than it accepts."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from verdict_sentiment._packages import MessageError, load, messages
from verdict_sentiment.errors import RefusedError, VerdictError
from verdict_sentiment.literals import Explain, Label
from verdict_sentiment.results import Answer, Judged, Message

MAX_REVIEWS = messages.MAX_BATCH_REVIEWS
# A little below the service's limit: the frame around the reviews takes some bytes too.
MAX_BYTES = messages.MAX_BODY_BYTES - 1_000
# Passing failures: too many requests, a server behind the service starts or was lost, or no reply (None).
PASSING = (429, 502, 503, 504, None)
# Those after which surely nothing was done.
UNDONE = (429, 503)

Review = str | tuple[str | int, str]
# The name of a shipped list, film or product, or terms by aspect: {"music": ["music", "score"]}.
Aspects = str | Mapping[str, Sequence[str]]


class Call(NamedTuple):
    """One request: a POST of ``message``, or a GET without one, unless ``method`` names another.

    ``statuses`` mark an answer. After a failure with a status in ``again``, the call is tried again.
    """

    path: str
    message: Message | None = None
    statuses: tuple[int, ...] = (200,)
    again: tuple[int | None, ...] = PASSING
    method: str = ""


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
HEALTH = Call("/v1/health", statuses=(200, 503), again=())


def sentiment(review: str, explain: Explain, aspects: Aspects | None = None) -> Call:
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


def send_feedback(review: str, label: Label, model: str) -> Call:
    """Return the call that keeps a review with its right label.

    It is not sent twice when the first sending may have been kept. Raises RefusedError for what every service
    refuses.
    """
    message = {"review": review, "label": label, "model": model}
    refused = _refusal(review)
    if refused:
        raise refused
    try:
        messages.parse_feedback(messages.to_json(message), messages.JSON)
    except MessageError as error:
        raise _refused(error) from error
    except TypeError as error:
        detail = "label and model must be strings; send what an answer's model.id holds, or no model"
        raise RefusedError(detail, code="wrong_type", status=400) from error
    return Call("/v1/feedback", message, statuses=(201,), again=UNDONE)


def delete_feedback(id: str) -> Call:
    """Return the call that deletes feedback. Raises RefusedError for what is no id of any."""
    if not isinstance(id, str) or not load("vocab.messages.feedback").ID.fullmatch(id):
        detail = "an id of feedback is 32 hex digits; send what send_feedback returned"
        raise RefusedError(detail, code="bad_value", status=400)
    return Call(f"/v1/feedback/{id}", method="DELETE")


def batch(reviews: Iterable[Review], explain: Explain, aspects: Aspects | None = None) -> Iterator[Chunk]:
    """Yield requests of at most 100 reviews and 1 MB, from reviews or (id, review) pairs, in their order.

    A review that every service refuses is not sent; its entry holds the reason. Raises RefusedError when
    ``explain`` is no level of explanation, ``aspects`` are malformed, or ``reviews`` are not several: the
    characters of a text are no reviews.
    """
    packer = _Packer(explain, aspects)
    _check_several(reviews)
    if not isinstance(reviews, Iterable):
        detail = "reviews come asynchronously, which AsyncVerdict.batch reads; send a list or an iterator"
        raise RefusedError(detail, code="wrong_type", status=400)
    for review in reviews:
        yield from packer.add(review)
    yield from packer.rest()


async def batch_async(
    reviews: Iterable[Review] | AsyncIterable[Review], explain: Explain, aspects: Aspects | None = None
) -> AsyncIterator[Chunk]:
    """Yield the requests of ``batch``, also from an async iterable. Raises RefusedError as ``batch`` does."""
    if not isinstance(reviews, AsyncIterable):
        for chunk in batch(reviews, explain, aspects):
            yield chunk
        return
    packer = _Packer(explain, aspects)
    async for review in reviews:
        for chunk in packer.add(review):
            yield chunk
    for chunk in packer.rest():
        yield chunk


def judged(chunk: Chunk, answers: Iterable[Answer | VerdictError]) -> Iterator[Judged]:
    """Yield each review of a request with its answer or its error."""
    remaining = iter(answers)
    for entry in chunk.entries:
        outcome = entry.refused or next(remaining)
        if isinstance(outcome, VerdictError):
            yield Judged(entry.place, entry.id, None, outcome)
        else:
            yield Judged(entry.place, entry.id, outcome, None)


class _Packer:
    """Collects reviews until a request is full."""

    def __init__(self, explain: Explain, aspects: Aspects | None) -> None:
        """Raise RefusedError when ``explain`` or ``aspects`` can't be used."""
        _check_explain(explain)
        self._explain, self._named = explain, _named(aspects)
        self._most = MAX_BYTES - len(messages.to_json(self._named))
        self._index = 0
        self._empty()

    def add(self, review: Review) -> Iterator[Chunk]:
        """Add a review, and yield the request before it if that is full."""
        entry, item = _entry(self._index, review)
        length = len(messages.to_json(item)) + 1 if item else 0
        if len(self._entries) == MAX_REVIEWS or self._size + length > self._most:
            yield from self.rest()
        self._index += 1
        self._entries.append(entry)
        self._items += [item] if item else []
        self._size += length

    def rest(self) -> Iterator[Chunk]:
        """Yield the last request, if it holds any review."""
        if self._entries:
            chunk = _chunk(self._entries, self._items, self._explain, self._named)
            self._empty()
            yield chunk

    def _empty(self) -> None:
        self._entries: list[Entry] = []
        self._items: list[Message] = []
        self._size = 0


def _check_several(reviews: object) -> None:
    """Raise RefusedError for what holds no reviews, or for a mapping, which would give its keys."""
    kind = type(reviews).__name__
    if isinstance(reviews, (str, bytes)):
        detail = f"reviews must be several, got one {kind}; put it in a list"
    elif isinstance(reviews, Mapping):
        detail = f"reviews must be texts or (id, text) pairs, got {kind}; send its items() or values()"
    elif not isinstance(reviews, (Iterable, AsyncIterable)):
        detail = f"reviews must be several, got {kind}; send a list of texts"
    else:
        return
    raise RefusedError(detail, code="wrong_type", status=400)


def _entry(index: int, review: Review) -> tuple[Entry, Message | None]:
    name, text = review if isinstance(review, tuple) and len(review) == 2 else (None, review)
    refused = _refusal(text)
    # The place is sent as the id: a caller's ids may repeat and may have any length.
    return Entry(index, name, refused), None if refused else {"id": index, "review": text}


def _chunk(entries: list[Entry], items: list[Message], explain: Explain, named: Message) -> Chunk:
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
