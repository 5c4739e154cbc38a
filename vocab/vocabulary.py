"""Build, save and load the vocabulary: the id of each token, as a pickle of plain data.

``load`` unpickles only when the SHA-256 matches ``vocabulary.json`` and every opcode is one of plain data.
The unpickler knows no class. So a changed file is refused before a byte of it is interpreted.
"""

import io
import json
import pickle
import zlib
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from vocab import spelling
from vocab.files import sha256, write_together
from vocab.text import (
    HAPPY,
    NEGATIONS,
    SAD,
    TEXT_VERSION,
    Sentence,
    Tokens,
    clean,
    is_word,
    split_sentences,
    tokenize,
    unread_span,
)

FORMAT = 1
STEMMER = "porter:nltk-extensions"
PAD_ID = 0
# An unknown stem gets an id from 1 to BUCKETS by its hash, so that two of them usually differ.
BUCKETS = 256
FIRST_KNOWN_ID = BUCKETS + 1
# After these signs a word has a capital without being a name.
BEFORE_CAPITALS = frozenset('. ... ! !! !!! ? ?? ??? ?! " ( * -'.split())
MAX_PICKLE_BYTES = 8_000_000
# Longer runs of letters are no words. They are not stemmed and not cached.
MAX_STEMMED_LETTERS = 100
# The opcodes of dicts, lists, strings, numbers and None, with the number of bytes after each. All others are
# refused. Classes are not the only danger: a 14-byte pickle with a huge memo index takes 64 GB of memory.
PLAIN_OPCODES = dict.fromkeys(
    b"}](esua\x94N.", 0
) | {  # dict, mark, list and their items, memoize, None, stop
    **dict.fromkeys(b"\x80Kh", 1),  # protocol, a one-byte number, a memo entry
    **dict.fromkeys(b"Jj", 4),  # a number and a memo entry of four bytes
    **dict.fromkeys(b"\x95G", 8),  # frame, float
    ord(b"M"): 2,
}
SHORT_STRING, STRING = ord(b"\x8c"), ord(b"X")  # the string's length follows
# The command that builds the vocabulary again, for errors.
REBUILD = "`python -m training.data.build_vocab`"
VOCABULARY = Path(__file__).resolve().with_name("vocabulary.pkl")


class VocabularyError(Exception):
    """The vocabulary's files are missing, changed, or of another version."""


class EncodedReview(NamedTuple):
    """A review as the network reads it.

    ``ids`` and ``tokens`` hold an entry for each token that is read; ``sentences`` index them.
    ``total`` counts all tokens. ``cut`` is the unread span of ``text``, or None.
    ``words`` counts the tokens in ``ids`` with letters or digits; ``known`` counts those in the vocabulary.
    In a text without such words, its known faces count as both.
    ``slips`` index the misspelled words that were read as known ones; these count as known.
    """

    text: str
    ids: list[int]
    tokens: Tokens
    sentences: list[Sentence]
    total: int
    cut: tuple[int, int] | None
    words: int
    known: int
    slips: list[int]

    @property
    def lengths(self) -> list[int]:
        """Return the number of ids of each sentence, in order; their sum is that of ``ids``."""
        return [sentence.last - sentence.first for sentence in self.sentences]


class Vocabulary:
    """Tokens to ids: ``stems`` maps each stem to its id, ``words`` each known word to its stem."""

    def __init__(self, stems: dict[str, int], words: dict[str, str], fingerprint: str) -> None:
        self.stems = stems
        self.fingerprint = fingerprint
        self.words = words
        self.size = FIRST_KNOWN_ID + len(stems)
        self._ids = {word: stems[stem] for word, stem in words.items()}
        self._signs = frozenset(word for word in words if not word.isalpha() and not is_word(word))
        self._unknown = lru_cache(maxsize=20_000)(self._id_of_unknown)
        self._nearest = lru_cache(maxsize=20_000)(lambda token: spelling.nearest(token, self._ids))

    def id_of(self, token: str) -> int:
        """Return the id of a token, 1 to ``size - 1``; an unknown token gets the id of a bucket."""
        number = self._ids.get(token)
        if number is not None:
            return number
        return self._unknown(token) if len(token) <= MAX_STEMMED_LETTERS else self._id_of_unknown(token)

    def encode(self, review: str) -> EncodedReview:
        """Encode a review as ids: clean, tokenize, keep head and tail, stem, look up.

        ``ids`` is empty for a review without a token. Never raises on any string.
        """
        text = clean(review)
        tokens = tokenize(text)
        total = len(tokens.names)
        skip_from, skip_to = unread_span(total)
        cut = gap_at = None
        if skip_from < skip_to:
            gap_at = skip_from
            cut = (tokens.starts[skip_from], tokens.ends[skip_to - 1])
            tokens = tokens.without(skip_from, skip_to)
        names = tokens.names
        ids, slips = self._read(text, tokens)
        signs, unknown = sum(map(self._signs.__contains__, names)), 0
        for index in [index for index, number in enumerate(ids) if number < FIRST_KNOWN_ID]:
            if is_word(names[index]):
                unknown += 1
            else:
                signs += 1
        words = len(names) - signs
        if not words:
            words = sum(name in (HAPPY, SAD) and name in self._ids for name in names)
        sentences = split_sentences(text, tokens, gap_at)
        return EncodedReview(text, ids, tokens, sentences, total, cut, words, words - unknown, slips)

    def encode_ids(self, review: str) -> list[int]:
        """Return only the ids of ``encode``."""
        return self.encode(review).ids

    def ids_of(self, text: str, tokens: Tokens) -> list[int]:
        """Return the ids of all tokens of a cleaned text, as ``encode`` gives them."""
        return self._read(text, tokens)[0]

    def _read(self, text: str, tokens: Tokens) -> tuple[list[int], list[int]]:
        """Return the ids of all tokens, and the indices of words that are read as the ones they stand for."""
        names, slips = tokens.names, []
        ids = list(map(self._ids.get, names, repeat(0)))
        for index in [index for index, number in enumerate(ids) if not number]:
            ids[index] = self.id_of(names[index])
            if ids[index] < FIRST_KNOWN_ID and (meant := self._meant(text, tokens, index)) is not None:
                ids[index] = meant
                slips.append(index)
        return ids, slips

    def _meant(self, text: str, tokens: Tokens, index: int) -> int | None:
        """Return the id of the known word that an unknown one stands for; None for a name or another word."""
        names, starts, ends = tokens
        surface = text[starts[index] : ends[index]]
        is_small = surface.islower() or (
            surface.istitle() and (index == 0 or names[index - 1] in BEFORE_CAPITALS)
        )
        return self._nearest(names[index]) if is_small and surface.isascii() and surface.isalpha() else None

    def _id_of_unknown(self, token: str) -> int:
        stem = stem_of(token)
        number = self.stems.get(stem)
        return 1 + zlib.crc32(stem.encode()) % BUCKETS if number is None else number


def stem_of(token: str) -> str:
    """Stem a token with NLTK's Porter stemmer; negations and anything but a-z stay as they are."""
    if token in NEGATIONS or not (token.isascii() and token.isalpha()) or len(token) > MAX_STEMMED_LETTERS:
        return token
    return str(_stemmer().stem(token))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from vocab import porter  # known words need none of it

    return porter.load()


# --- build, save, load --------------------------------------------------------------------------


def count_words(reviews: Iterable[str]) -> Counter[str]:
    """Count the tokens of whole reviews, the unread middle of long ones included."""
    counts: Counter[str] = Counter()
    for review in reviews:
        counts.update(tokenize(clean(review)).names)
    return counts


def build(counts: Counter[str], max_stems: int, min_count: int) -> tuple[dict[str, int], dict[str, str]]:
    """Build the vocabulary from the ``max_stems`` most frequent stems with at least ``min_count`` uses.

    Returns two dicts: stem to id, most frequent first; and word to stem, for every word with at least
    ``min_count`` uses and a chosen stem.
    """
    by_stem: Counter[str] = Counter()
    stem_by_word = {word: stem_of(word) for word in counts}
    for word, count in counts.items():
        by_stem[stem_by_word[word]] += count
    ranked = sorted(by_stem.items(), key=lambda item: (-item[1], item[0]))
    chosen = [stem for stem, count in ranked[:max_stems] if count >= min_count]
    stems = {stem: FIRST_KNOWN_ID + rank for rank, stem in enumerate(chosen)}
    words = {
        word: stem_by_word[word]
        for word in sorted(counts)
        if counts[word] >= min_count and stem_by_word[word] in stems
    }
    return stems, words


def save(path: Path, stems: dict[str, int], words: dict[str, str], source: str) -> str:
    """Write ``path`` (pickle) and its ``.json`` beside it; return the fingerprint.

    ``source`` describes in a sentence the texts in which the words were counted.
    """
    shared = {stem: stem for stem in stems}  # one object a string, so that equal content gives equal bytes
    plain = {
        "format": FORMAT,
        "text_version": TEXT_VERSION,
        "stemmer": STEMMER,
        "buckets": BUCKETS,
        "stems": stems,
        "words": {shared.get(word, word): shared[stem] for word, stem in words.items()},
    }
    data = pickle.dumps(plain, protocol=4)
    digest = sha256(data)
    card = {
        "sha256": digest,
        "bytes": len(data),
        "stems": len(stems),
        "words": len(words),
        "fingerprint": _fingerprint(digest),
        "text_version": TEXT_VERSION,
        "stemmer": STEMMER,
        "source": source,
    }
    # The disk may be full, so neither file is replaced before both are written.
    write_together({path: data, path.with_suffix(".json"): (json.dumps(card, indent=2) + "\n").encode()})
    return _fingerprint(digest)


def load(path: Path = VOCABULARY) -> Vocabulary:
    """Load a saved vocabulary. Raises VocabularyError, whose sentence says how to repair it."""
    expected = _expected_sha256(path)
    try:
        if path.stat().st_size > MAX_PICKLE_BYTES:
            raise VocabularyError(f"{path} is larger than {MAX_PICKLE_BYTES:,} bytes; restore it from git")
        data = path.read_bytes()
    except OSError as error:
        raise VocabularyError(f"{path} can't be read ({error.strerror}); restore it from git") from error
    digest = sha256(data)
    if digest != expected:
        raise VocabularyError(
            f"{path} is not the file that {path.stem}.json names (SHA-256 {digest[:12]}…, expected"
            f" {expected[:12]}…); restore both from git, or run {REBUILD}"
        )
    stems, words = _check_content(_unpickle(data, path), path)
    return Vocabulary(stems, words, _fingerprint(digest))


def _fingerprint(digest: str) -> str:
    return sha256(f"{digest}:{TEXT_VERSION}:{STEMMER}:{BUCKETS}".encode())[:16]


def _expected_sha256(path: Path) -> str:
    card = path.with_suffix(".json")
    try:
        expected = json.loads(card.read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VocabularyError(f"{card} can't be read or names no sha256; restore it from git") from error
    if not isinstance(expected, str):
        raise VocabularyError(f"{card} names no sha256; restore it from git")
    return expected


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _unpickle(data: bytes, path: Path) -> object:
    position = _odd_opcode(data)
    if position is not None:
        name = _name_of(data[position])
        raise VocabularyError(
            f"{path} is no pickle of plain data (it holds {name} at byte {position:,}); run {REBUILD}"
        )
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except Exception as error:
        raise VocabularyError(f"{path} is no pickle of plain data ({error}); run {REBUILD}") from error


def _odd_opcode(data: bytes) -> int | None:
    """Return the position of the first opcode outside PLAIN_OPCODES, or None."""
    at, end = 0, len(data)
    while at < end:
        opcode = data[at]
        if opcode == SHORT_STRING and at + 1 < end:
            at += 2 + data[at + 1]
        elif opcode == STRING:
            at += 5 + int.from_bytes(data[at + 1 : at + 5], "little")
        elif opcode in PLAIN_OPCODES:
            at += 1 + PLAIN_OPCODES[opcode]
        else:
            return at
    return None


def _name_of(opcode: int) -> str:
    import pickletools  # imported late, because it takes 20 ms and a sound vocabulary does not need it

    names = (known.name for known in pickletools.opcodes if known.code == chr(opcode))
    return next(names, f"no opcode, 0x{opcode:02x},")


def _check_content(plain: object, path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Raise VocabularyError for another format or text version, wrong types, and ids with gaps."""
    if not isinstance(plain, dict):
        raise VocabularyError(f"{path} holds {type(plain).__name__}, not a dict; run {REBUILD}")
    expected = {"format": FORMAT, "text_version": TEXT_VERSION, "stemmer": STEMMER, "buckets": BUCKETS}
    for key, value in expected.items():
        if plain.get(key) != value:
            raise VocabularyError(
                f"{path} was built with {key} {plain.get(key)!r}, this code has {value!r}; run {REBUILD}"
            )
    stems, words = plain.get("stems"), plain.get("words")
    if not isinstance(stems, dict) or not isinstance(words, dict) or not stems:
        raise VocabularyError(f"{path} lacks its stems or words; run {REBUILD}")
    if not all(isinstance(stem, str) and type(number) is int for stem, number in stems.items()):
        raise VocabularyError(f"{path} has a stem or id of a wrong type; run {REBUILD}")
    if list(stems.values()) != list(range(FIRST_KNOWN_ID, FIRST_KNOWN_ID + len(stems))):
        raise VocabularyError(f"{path} has ids out of order; run {REBUILD}")
    pairs = words.items()
    if not all(isinstance(word, str) and isinstance(stem, str) and stem in stems for word, stem in pairs):
        raise VocabularyError(f"{path} has a word without its stem; run {REBUILD}")
    return stems, words
