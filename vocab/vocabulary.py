"""Build, save and load the vocabulary: which token has which id, as a pickle of plain data.

The pickle is read only after its SHA-256 matched ``vocabulary.json`` and each of its opcodes is one of
plain data, by an unpickler that knows no class: a changed file is refused before a byte is interpreted.
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

from vocab.files import sha256, write_together
from vocab.text import (
    NEGATIONS,
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
# Unknown stems share these ids by hash, 1 to BUCKETS, so that two of them usually differ.
BUCKETS = 256
FIRST_KNOWN_ID = BUCKETS + 1
MAX_PICKLE_BYTES = 8_000_000
# Longer runs of letters are no words: they are not stemmed, and not kept in memory.
MAX_STEMMED_LETTERS = 100
# The opcodes of dicts, lists, strings, numbers and None, and how many bytes follow each. No other is run: a
# class is not the only danger, the 14 bytes of one that names a far place in pickle's memo take 64 GB.
PLAIN_OPCODES = dict.fromkeys(
    b"}](esua\x94N.", 0
) | {  # dict, mark, list and their items; memoize, None, stop
    **dict.fromkeys(b"\x80Kh", 1),  # protocol, a number of a byte, a thing from the memo
    **dict.fromkeys(b"Jj", 4),  # the same two, longer
    **dict.fromkeys(b"\x95G", 8),  # frame, float
    ord(b"M"): 2,
}
SHORT_STRING, STRING = ord(b"\x8c"), ord(b"X")  # after which stands the string's length
# The command that builds it anew, as errors name it.
REBUILD = "`python -m training.data.build_vocab`"
VOCABULARY = Path(__file__).resolve().with_name("vocabulary.pkl")


class VocabularyError(Exception):
    """The vocabulary's files are missing, changed, or not what this code reads."""


class EncodedReview(NamedTuple):
    """A review as the network reads it.

    ``ids`` and ``tokens`` belong together, one id a token that is read; ``sentences`` index them.
    ``total`` counts all tokens; ``cut`` is the span of ``text`` that is not read, or None.
    ``words`` and ``known`` count the read tokens with letters or digits, and those in the vocabulary.
    """

    text: str
    ids: list[int]
    tokens: Tokens
    sentences: list[Sentence]
    total: int
    cut: tuple[int, int] | None
    words: int
    known: int


class Vocabulary:
    """Token to id. ``stems`` maps stem to id, ``words`` maps each known word to its stem."""

    def __init__(self, stems: dict[str, int], words: dict[str, str], fingerprint: str) -> None:
        self.stems = stems
        self.fingerprint = fingerprint
        self.words = words
        self.size = FIRST_KNOWN_ID + len(stems)
        self._ids = {word: stems[stem] for word, stem in words.items()}
        self._signs = frozenset(word for word in words if not word.isalpha() and not is_word(word))
        self._unknown = lru_cache(maxsize=20_000)(self._id_of_unknown)

    def id_of(self, token: str) -> int:
        """Give the id of a token, 1 to ``size - 1``; unknown ones get a bucket's."""
        known = self._ids.get(token)
        if known is not None:
            return known
        return self._unknown(token) if len(token) <= MAX_STEMMED_LETTERS else self._id_of_unknown(token)

    def encode(self, review: str) -> EncodedReview:
        """Turn a review into ids: clean, tokenize, stem, look up, keep head and tail.

        A review without a token gives empty ``ids``. Never raises on any string.
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
        ids = list(map(self._ids.get, names, repeat(0)))
        signs, strange = sum(map(self._signs.__contains__, names)), 0
        for index in [index for index, known in enumerate(ids) if not known]:
            ids[index] = self.id_of(names[index])
            if not is_word(names[index]):
                signs += 1
            elif ids[index] < FIRST_KNOWN_ID:
                strange += 1
        words = len(names) - signs
        sentences = split_sentences(text, tokens, gap_at)
        return EncodedReview(text, ids, tokens, sentences, total, cut, words, words - strange)

    def encode_ids(self, review: str) -> list[int]:
        """Give the ids alone, the same ones as ``encode``."""
        return self.encode(review).ids

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
    """Choose the vocabulary: the ``max_stems`` most frequent stems seen ``min_count`` times or more.

    Gives stem to id, most frequent first, and word to stem for every word that was counted
    ``min_count`` times and whose stem was chosen.
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
    """Write ``path`` (pickle) and its ``.json`` beside it; give the fingerprint.

    ``source`` says in a sentence what the vocabulary was counted on.
    """
    shared = {stem: stem for stem in stems}  # one object a string: equal content, equal bytes
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
    # The disk may be full: neither file is replaced before both are written.
    write_together({path: data, path.with_suffix(".json"): (json.dumps(card, indent=2) + "\n").encode()})
    return _fingerprint(digest)


def load(path: Path = VOCABULARY) -> Vocabulary:
    """Read a saved vocabulary. Raises VocabularyError with what is wrong and what to do."""
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
    stems, words = _checked(_unpickle(data, path), path)
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
    odd = _odd_opcode(data)
    if odd is not None:
        name = _name_of(data[odd])
        raise VocabularyError(
            f"{path} is no pickle of plain data (it holds {name} at byte {odd:,}); run {REBUILD}"
        )
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except Exception as error:
        raise VocabularyError(f"{path} is no pickle of plain data ({error}); run {REBUILD}") from error


def _odd_opcode(data: bytes) -> int | None:
    """Give where the first opcode stands that is not of PLAIN_OPCODES; None when all are."""
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
    import pickletools  # 20 ms, which a sound vocabulary need not wait for

    names = (known.name for known in pickletools.opcodes if known.code == chr(opcode))
    return next(names, f"no opcode, 0x{opcode:02x},")


def _checked(plain: object, path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Refuse what this code can't use: another format or text version, wrong types, ids with gaps."""
    if not isinstance(plain, dict):
        raise VocabularyError(f"{path} holds {type(plain).__name__}, not a dict; run {REBUILD}")
    wanted = {"format": FORMAT, "text_version": TEXT_VERSION, "stemmer": STEMMER, "buckets": BUCKETS}
    for key, value in wanted.items():
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
