"""The answers to rows as arrays: what a process sends back, a part keeps on disk, and the figures read.

Logits, contributions and pulls are held as integers of a millionth. They are answered with six decimals, so
nothing is lost, and sums are exact in any order.
"""

import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from training.report.stop_words import STOP_WORDS

MILLION = 1_000_000
SENTIMENTS = ("negative", "uncertain", "positive")
# What a verdict says of the opinion: nothing more, mixed, or no opinion.
PLAIN, MIXED, NO_OPINION = 0, 1, 2
NOT_UNDERSTOOD = ("no_known_words", "not_english")

ANSWER = np.dtype(
    [
        ("number", "<u4"),
        ("sign", "i1"),
        ("opinion", "u1"),
        ("understood", "?"),
        ("logit", "<i8"),
        ("probability", "<i4"),
        # The deciding sentence, in code points of the cleaned text; empty where it was not asked for.
        ("start", "<u4"),
        ("end", "<u4"),
    ]
)
MENTION = np.dtype([("number", "<u4"), ("aspect", "u1"), ("sign", "i1"), ("opinion", "u1"), ("pull", "<i8")])
# Rows whose sums are taken together. Their weights have 1.6 KB each.
CHUNK_ROWS = 8_192
# A sentence that says it well has so many words, and alone at most or at least this P(positive).
FEWEST_WORDS, MOST_WORDS = 4, 30
WORST, BEST = 0.2, 0.8
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


class Said(NamedTuple):
    """A sentence that may say it best or worst: its row, place, text and numbers; ``side`` is 1 or -1."""

    number: int
    place: int
    side: int
    text: str
    alone: int
    contribution: int


class Measured(NamedTuple):
    """A word of a row whose effect was measured, as it is written in lower case."""

    number: int
    surface: str
    effect: int


class Table(NamedTuple):
    """The answers to some rows.

    ``answers`` has a record for each row that was judged, ``mentions`` one for each aspect of a row.
    ``clauses``, int64 (aspects, aspects), counts the clauses that two aspects share, and on the diagonal
    those of one. ``failed`` counts the rows without an answer by the error's code.
    """

    answers: np.ndarray
    mentions: np.ndarray
    clauses: np.ndarray
    sentences: list[Said]
    words: list[Measured]
    failed: dict[str, int]


class Builder:
    """Collects answers."""

    def __init__(self, aspects: Sequence[str]) -> None:
        self._aspects = {name: place for place, name in enumerate(aspects)}
        self._answers: list[tuple[Any, ...]] = []
        self._mentions: list[tuple[Any, ...]] = []
        self._clauses = np.zeros((len(aspects), len(aspects)), dtype=np.int64)
        self._sentences: list[Said] = []
        self._words: list[Measured] = []
        self._failed: Counter[str] = Counter()

    def fail(self, code: str) -> None:
        """Add a row that has no answer."""
        self._failed[code] += 1

    def add(
        self, number: int, answer: dict[str, Any], sampled: bool = False, logit: float | None = None
    ) -> None:
        """Add the API's answer to a row; ``sampled`` rows may be quoted.

        ``logit`` is that of an answer without its sentences.
        """
        sentiment, reason = answer["sentiment"], answer["reason"]
        codes = {warning["code"] for warning in answer["warnings"]}
        sentences = answer.get("sentences") or []
        start, end = deciding_span(answer)
        opinion = MIXED if "mixed" in codes else opinion_of(reason)
        if logit is None:
            parts = [answer["bias"], *(sentence["contribution"] for sentence in sentences)]
            total = sum(map(micro, parts))
        else:
            total = micro(logit)
        understood = reason not in NOT_UNDERSTOOD
        probability = micro(answer["probability"])
        row = (number, sign_of(sentiment), opinion, understood, total, probability, start, end)
        self._answers.append(row)
        self._add_aspects(number, answer.get("aspects") or {})
        if sampled:
            self._add_sentences(number, answer.get("text") or "", sentences)
        if "words" in answer:
            self._add_words(number, answer["text"], answer["words"])

    def table(self) -> Table:
        """Return what was collected."""
        return Table(
            np.array(self._answers, dtype=ANSWER),
            np.array(self._mentions, dtype=MENTION),
            self._clauses,
            self._sentences,
            self._words,
            dict(self._failed),
        )

    def _add_aspects(self, number: int, aspects: dict[str, Any]) -> None:
        clauses: dict[tuple[int, int], set[int]] = {}
        for name, aspect in aspects.items():
            if "mentions" not in aspect:
                continue
            place = self._aspects[name]
            sign, opinion = sign_of(aspect["sentiment"]), opinion_of(aspect["reason"])
            self._mentions.append((number, place, sign, opinion, micro(aspect["contribution"])))
            for mention in aspect["mentions"]:
                clauses.setdefault((mention["start"], mention["end"]), set()).add(place)
        for places in clauses.values():
            for one in places:
                for other in places:
                    self._clauses[one, other] += 1

    def _add_sentences(self, number: int, text: str, sentences: Sequence[dict[str, Any]]) -> None:
        for place, sentence in enumerate(sentences):
            alone = sentence["alone"]
            side = 1 if alone >= BEST else -1 if alone <= WORST else 0
            shown = " ".join(text[sentence["start"] : sentence["end"]].split())
            found = words_of(shown) if side else []
            if FEWEST_WORDS <= len(found) <= MOST_WORDS and len(content_of(found)) > 1:
                numbers = micro(alone), micro(sentence["contribution"])
                self._sentences.append(Said(number, place, side, shown, *numbers))

    def _add_words(self, number: int, text: str, words: Sequence[dict[str, Any]]) -> None:
        for word in words:
            surface = straight(text[word["start"] : word["end"]].lower())
            if "effect" in word and is_content(surface):
                self._words.append(Measured(number, surface, micro(word["effect"])))


def micro(value: float) -> int:
    """Return a number in millionths, rounded half away from zero.

    >>> micro(-1.25)
    -1250000
    """
    size = math.floor(MILLION * abs(value) + 0.5)
    return -size if value < 0 else size


def sign_of(sentiment: str) -> int:
    """Return 1 for positive, -1 for negative and 0 for uncertain."""
    return SENTIMENTS.index(sentiment) - 1


def opinion_of(reason: str | None) -> int:
    """Return what an uncertain verdict's reason says of the opinion."""
    return {"mixed": MIXED, "no_opinion": NO_OPINION}.get(reason or "", PLAIN)


def words_of(text: str) -> list[str]:
    """Return a text's words in lower case.

    >>> words_of("It's GREAT, isn't it?")
    ["it's", 'great', "isn't", 'it']
    """
    return _WORD.findall(straight(text.lower()))


def straight(text: str) -> str:
    """Return a text with straight apostrophes."""
    return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def content_of(words: Iterable[str]) -> set[str]:
    """Return the different words that are no stop words, without a plural's s."""
    return {singular(word) for word in words if word not in STOP_WORDS}


def is_content(surface: str) -> bool:
    """Return whether a token is a word with a letter, and no stop word."""
    is_one = words_of(surface) == [surface]
    return is_one and surface not in STOP_WORDS and any(map(str.isalpha, surface))


def singular(word: str) -> str:
    """Return a word without a plural's s.

    >>> [singular(word) for word in ("films", "bus", "mess")]
    ['film', 'bus', 'mess']
    """
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word


def deciding_span(answer: dict[str, Any]) -> tuple[int, int]:
    """Return the span of the sentence that is strongest towards the verdict; empty without sentences."""
    sentences = answer.get("sentences") or []
    if not sentences:
        return 0, 0
    sign = sign_of(answer["sentiment"])
    parts = [micro(sentence["contribution"]) for sentence in sentences]
    strength = [sign * part if sign else abs(part) for part in parts]
    sentence = sentences[strength.index(max(strength))]
    return sentence["start"], sentence["end"]


# --- on disk and between processes --------------------------------------------------------------


def to_bytes(table: Table) -> bytes:
    """Return a table as the bytes of an .npz file, which holds plain arrays alone."""
    said = json.dumps([table.sentences, table.words, table.failed]).encode()
    out = io.BytesIO()
    np.savez(
        out,
        answers=table.answers,
        mentions=table.mentions,
        clauses=table.clauses,
        said=np.frombuffer(said, np.uint8),
    )
    return out.getvalue()


def from_bytes(data: bytes) -> Table:
    """Load a table. Raises ValueError or KeyError for bytes of another form."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        sentences, words, failed = json.loads(arrays["said"].tobytes())
        return Table(
            arrays["answers"],
            arrays["mentions"],
            arrays["clauses"],
            [Said(*sentence) for sentence in sentences],
            [Measured(*word) for word in words],
            failed,
        )


def join(tables: Sequence[Table]) -> Table:
    """Return several tables as one, in order."""
    failed: Counter[str] = Counter()
    for table in tables:
        failed.update(table.failed)
    return Table(
        np.concatenate([table.answers for table in tables]),
        np.concatenate([table.mentions for table in tables]),
        np.sum([table.clauses for table in tables], axis=0),
        [sentence for table in tables for sentence in table.sentences],
        [word for table in tables for word in table.words],
        dict(failed),
    )


# --- what the figures read ----------------------------------------------------------------------


class Chunk(NamedTuple):
    """Some judged rows, each column (rows,), each column of aspects (rows, aspects).

    ``dates`` are days since 1970 or NO_DATE, ``groups`` places in the list of groups or -1. ``signs`` are 1,
    -1 or 0. ``logits`` and ``pulls`` are in millionths; a pull is 0 where the aspect is not mentioned.
    """

    numbers: np.ndarray
    dates: np.ndarray
    groups: np.ndarray
    signs: np.ndarray
    opinions: np.ndarray
    logits: np.ndarray
    pulls: np.ndarray
    mentioned: np.ndarray
    aspect_signs: np.ndarray
    aspect_opinions: np.ndarray

    @property
    def rest(self) -> np.ndarray:
        """Return the part of each logit that no aspect has, int64 (rows,)."""
        rest: np.ndarray = self.logits - self.pulls.sum(axis=1)
        return rest


def chunk_of(table: Table, dates: np.ndarray, groups: np.ndarray, aspects: int) -> Chunk:
    """Return a table's judged rows, with the dates and groups of all rows of the file, (rows,) each."""
    answers, mentions = table.answers, table.mentions
    numbers = answers["number"]
    shape = (len(numbers), aspects)
    pulls, mentioned = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    signs, opinions = np.zeros(shape, dtype=np.int8), np.zeros(shape, dtype=np.uint8)
    at = np.searchsorted(numbers, mentions["number"]), mentions["aspect"]
    pulls[at], mentioned[at] = mentions["pull"], True
    signs[at], opinions[at] = mentions["sign"], mentions["opinion"]
    rows = numbers.astype(np.int64) - 1
    return Chunk(
        numbers,
        dates[rows],
        groups[rows],
        answers["sign"],
        answers["opinion"],
        answers["logit"],
        pulls,
        mentioned,
        signs,
        opinions,
    )


def chunks_of(
    tables: Iterable[Table], dates: np.ndarray, groups: np.ndarray, aspects: int
) -> Iterator[Chunk]:
    """Yield the judged rows of tables, about CHUNK_ROWS at a time."""
    waiting: list[Table] = []
    for table in tables:
        waiting.append(table)
        if sum(len(one.answers) for one in waiting) >= CHUNK_ROWS:
            yield chunk_of(join(waiting), dates, groups, aspects)
            waiting = []
    if waiting:
        yield chunk_of(join(waiting), dates, groups, aspects)
