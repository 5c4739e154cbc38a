"""What is asked of the service: its routes, and reviews put into requests of a size that it reads."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from verdict_sentiment._shared import MessageError, messages
from verdict_sentiment.errors import RefusedError, VerdictError
from verdict_sentiment.results import Answer, Judged, Message

MAX_REVIEWS = messages.MAX_BATCH_REVIEWS
# A little less than the service reads: the frame around the reviews takes some bytes too.
MAX_BYTES = messages.MAX_BODY_BYTES - 1_000

Review = str | tuple[str | int, str]


class Call(NamedTuple):
    """One request: GET, or POST of ``message``; ``statuses`` are those that bring an answer."""

    path: str
    message: Message | None = None
    statuses: tuple[int, ...] = (200,)
    again: bool = True


class Entry(NamedTuple):
    """A review on its way: its place in the batch, its id, and why it is not sent, or None."""

    place: int
    id: str | int | None
    refused: VerdictError | None


class Chunk(NamedTuple):
    """What one request carries: all its entries, the places of those that are sent, and the call, if any."""

    entries: list[Entry]
    sent: list[int]
    call: Call | None


CARD = Call("/v1/model")
HEALTH = Call("/v1/health", statuses=(200, 503), again=False)


def sentiment(review: str, explain: str) -> Call:
    """Give the call for one review. Raises RefusedError for what no service would take."""
    _check_explain(explain)
    refused = _refusal(review)
    if refused:
        raise refused
    return Call("/v1/sentiment", {"review": review, "explain": explain})


def batch(reviews: Iterable[Review], explain: str) -> Iterator[Chunk]:
    """Put reviews, or (id, review) pairs, into requests of at most 100 reviews and 1 MB, in their order.

    A review that no service would take is not sent; its entry says why. Raises RefusedError when ``explain``
    is no level of explanation, or ``reviews`` one text, which would be taken for a review a character.
    """
    _check_explain(explain)
    if isinstance(reviews, (str, bytes)):
        detail = f"reviews must be several, got one {type(reviews).__name__}; put it in a list"
        raise RefusedError(detail, code="wrong_type", status=400)
    entries: list[Entry] = []
    items: list[Message] = []
    size = 0
    for index, review in enumerate(reviews):
        entry, item = _entry(index, review)
        length = len(messages.to_json(item)) + 1 if item else 0
        if entries and (len(entries) == MAX_REVIEWS or size + length > MAX_BYTES):
            yield _chunk(entries, items, explain)
            entries, items, size = [], [], 0
        entries.append(entry)
        items += [item] if item else []
        size += length
    if entries:
        yield _chunk(entries, items, explain)


def judged(chunk: Chunk, answers: Iterable[Answer | VerdictError]) -> Iterator[Judged]:
    """Give each review of a request with its answer, or its error."""
    left = iter(answers)
    for entry in chunk.entries:
        found = entry.refused or next(left)
        if isinstance(found, VerdictError):
            yield Judged(entry.place, entry.id, None, found)
        else:
            yield Judged(entry.place, entry.id, found, None)


def _entry(index: int, review: Review) -> tuple[Entry, Message | None]:
    name, text = review if isinstance(review, tuple) and len(review) == 2 else (None, review)
    refused = _refusal(text)
    # Sent by its place: an id of the caller's may come twice, or be as long as it likes.
    return Entry(index, name, refused), None if refused else {"id": index, "review": text}


def _chunk(entries: list[Entry], items: list[Message], explain: str) -> Chunk:
    call = Call("/v1/sentiment/batch", {"reviews": items, "explain": explain}) if items else None
    return Chunk(entries, [item["id"] for item in items], call)


def _refusal(review: object) -> RefusedError | None:
    try:
        messages.check_review(review)
        return None
    except MessageError as error:
        return _refused(error)


def _refused(error: MessageError) -> RefusedError:
    return RefusedError(error.detail, code=error.code, status=error.status)


def _check_explain(explain: str) -> None:
    try:
        messages.check_explain(explain)
    except MessageError as error:
        raise _refused(error) from error
