"""vocabulary.py: golden ids, any string, the stem table, and refused files.

The golden ids are rewritten on purpose by ``python tests/vocab/rewrite_golden.py``, which refuses
to while text version and fingerprint stay as they are.
"""

import copyreg
import errno
import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer

from tests.vocab.hostile import REVIEWS, listed
from tests.vocab.rewrite_golden import GOLDEN, changed_ids, dump
from vocab import vocabulary
from vocab.files import sha256
from vocab.text import HAPPY, MAX_TOKENS, NEGATIONS, SAD, TEXT_VERSION, clean, is_word, tokenize
from vocab.vocabulary import BUCKETS, FIRST_KNOWN_ID, Vocabulary, VocabularyError, stem_of

WORDS = vocabulary.load()
IDS: dict[str, Any] = json.loads((GOLDEN / "ids.json").read_text(encoding="utf-8"))
IDS_BY_NAME = {case["name"]: case for case in IDS["cases"]}
COUNTS = Counter({"good": 9, "film": 7, "films": 5, "not": 5, "!": 4, "rare": 1, "10/10": 3})

# --- golden ids ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IDS_BY_NAME)
def test_ids_and_lengths_stay_the_same_while_text_version_and_fingerprint_do(name: str) -> None:
    case = IDS_BY_NAME[name]
    encoded = WORDS.encode(case["review"])
    assert (encoded.ids, encoded.lengths) == (case["ids"], case["lengths"])


def test_golden_ids_belong_to_this_text_version_and_vocabulary() -> None:
    assert (IDS["text_version"], IDS["fingerprint"]) == (TEXT_VERSION, WORDS.fingerprint), (
        "the vocabulary is another one: run `python tests/vocab/rewrite_golden.py` and read git diff"
    )


def test_golden_ids_file_is_as_its_command_writes_it() -> None:
    head = {key: IDS[key] for key in ("text_version", "fingerprint")}
    assert (GOLDEN / "ids.json").read_bytes() == dump(head, IDS["cases"]).encode()


def test_golden_ids_cover_25_reviews_known_unknown_and_cut() -> None:
    lengths = {len(case["ids"]) for case in IDS["cases"]}
    numbers = [number for case in IDS["cases"] for number in case["ids"]]
    assert len(IDS_BY_NAME) == len(IDS["cases"]) >= 25
    assert {0, 1, MAX_TOKENS} <= lengths
    assert min(numbers) <= BUCKETS < max(numbers)


def test_rewriting_names_the_cases_whose_ids_changed_under_the_same_fingerprint() -> None:
    head = {"text_version": 1, "fingerprint": "f"}
    old = {**head, "cases": [{"name": "a", "ids": [1]}, {"name": "new"}]}
    new = {**head, "cases": [{"name": "a", "ids": [2]}, {"name": "new", "ids": []}]}
    assert changed_ids(old, new) == ["a"]
    longer = {"name": "a", "ids": [1], "lengths": [1]}
    assert changed_ids({**head, "cases": [longer]}, {**head, "cases": [longer | {"lengths": [2]}]}) == ["a"]
    assert changed_ids(old, {**new, "text_version": 2}) == []
    assert changed_ids(old, old) == []


# --- encode -------------------------------------------------------------------------------------


@given(REVIEWS)
@example("y" * 50_000)
@example("a\ud800b &#xDFFF; \udfff")
def test_ids_lie_in_range_one_a_token_and_at_most_400(review: str) -> None:
    encoded = WORDS.encode(review)
    assert {len(encoded.ids)} == {len(column) for column in encoded.tokens}
    assert len(encoded.ids) <= MAX_TOKENS
    assert all(type(number) is int and 1 <= number < WORDS.size for number in encoded.ids)


@given(REVIEWS)
@example("y" * 50_000)
@example("a. " * 900)
@example("\u00e9\u0301.\n\u2028.) !\u200b?")
def test_sentences_share_out_the_ids_without_one_left_over(review: str) -> None:
    encoded = WORDS.encode(review)
    assert sum(encoded.lengths) == len(encoded.ids)
    assert min(encoded.lengths, default=1) >= 1
    assert all(type(length) is int for length in encoded.lengths)


def test_lengths_of_every_listed_hostile_string_add_up_too() -> None:
    encoded = [WORDS.encode(review) for review in listed(300)]
    assert [sum(one.lengths) for one in encoded] == [len(one.ids) for one in encoded]
    assert min(length for one in encoded for length in one.lengths) == 1


def test_a_sentence_has_as_many_ids_as_tokens() -> None:
    assert WORDS.encode("Not good. The music, though, was lovely!").lengths == [3, 8]


@given(REVIEWS)
def test_encode_gives_the_same_again_and_from_another_copy(review: str) -> None:
    other = Vocabulary(WORDS.stems, WORDS.words, WORDS.fingerprint)
    assert WORDS.encode(review) == WORDS.encode(review) == other.encode(review)
    assert WORDS.encode_ids(review) == WORDS.encode(review).ids


@given(REVIEWS)
def test_encode_counts_tokens_words_and_known_words(review: str) -> None:
    encoded = WORDS.encode(review)
    numbered = list(zip(encoded.tokens.names, encoded.ids, strict=True))
    words = [number for name, number in numbered if is_word(name)]
    if not words:
        words = [number for name, number in numbered if name in (HAPPY, SAD) and number >= FIRST_KNOWN_ID]
    assert encoded.total == len(tokenize(encoded.text).names)
    assert encoded.words == len(words)
    assert encoded.known == sum(number >= FIRST_KNOWN_ID for number in words)


@given(st.integers(1, 900))
def test_a_long_review_keeps_head_and_tail_and_says_what_it_left_out(count: int) -> None:
    review = " ".join(f"word{'x' * (number % 7)}." for number in range(count))
    tokens = tokenize(clean(review))
    encoded = WORDS.encode(review)
    if len(tokens.names) <= 400:
        assert encoded.cut is None and encoded.tokens == tokens
        return
    assert encoded.tokens == tuple(column[:128] + column[-272:] for column in tokens)
    assert encoded.cut == (tokens.starts[128], tokens.ends[-273])
    assert encoded.total == len(tokens.names)
    assert not any(s.first < 128 < s.last for s in encoded.sentences)
    assert [i for s in encoded.sentences for i in range(s.first, s.last)] == list(range(400))


@pytest.mark.parametrize(("count", "is_cut"), [(399, False), (400, False), (401, True)])
def test_the_401st_token_is_the_first_too_many(count: int, is_cut: bool) -> None:
    encoded = WORDS.encode("fine " * count)
    assert (encoded.cut is not None) is is_cut
    assert encoded.total == count


@pytest.mark.parametrize("review", ["", " \n\t", "<br><br/>", "\u200b\ufeff", "<!-- a -->", "\ufffd\ufe0f"])
def test_a_review_without_a_token_has_no_ids_and_no_sentence(review: str) -> None:
    encoded = WORDS.encode(review)
    assert encoded.tokens == ([], [], [])
    assert (encoded.ids, encoded.sentences, encoded.total) == ([], [], 0)


def test_inflections_of_an_unknown_word_share_an_id_among_the_buckets() -> None:
    one, two, other = (WORDS.id_of(word) for word in ("blorptast", "blorptasts", "frumiousness"))
    assert one == two != other
    assert 1 <= one <= BUCKETS


def test_unknown_words_are_spread_over_the_buckets() -> None:
    assert len({WORDS.id_of(f"qzx{number}qzx") for number in range(5_000)}) == BUCKETS


def test_an_endless_word_is_neither_stemmed_nor_remembered() -> None:
    words = Vocabulary(WORDS.stems, WORDS.words, WORDS.fingerprint)
    endless = "na" * 25_000 + "ings"
    assert stem_of(endless) == endless
    assert 1 <= words.id_of(endless) <= BUCKETS
    assert words._unknown.cache_info().currsize == 0


# --- stems --------------------------------------------------------------------------------------


def test_every_stored_word_has_the_stem_and_the_id_that_nltk_gives_it() -> None:
    stemmer = PorterStemmer()
    assert len(WORDS.words) > 40_000
    for word, stem in WORDS.words.items():
        expected_stem = word
        if word.isascii() and word.isalpha() and word not in ("not", "no", "nor", "never"):
            expected_stem = stemmer.stem(word)
        assert (stem, WORDS.id_of(word)) == (expected_stem, WORDS.stems[expected_stem])


def test_a_word_outside_the_table_is_stemmed_when_it_is_met() -> None:
    words = Vocabulary({"film": FIRST_KNOWN_ID}, {"film": "film"}, "f")
    assert words.id_of("films") == words.id_of("filming") == FIRST_KNOWN_ID


@pytest.mark.parametrize("token", [*sorted(NEGATIONS), "10/10", "</3", "!!!", "caf\u00e9s", "n't", "..."])
def test_negations_signs_and_other_alphabets_are_never_stemmed(token: str) -> None:
    assert stem_of(token) == token


def test_the_published_vocabulary_knows_negations_and_signs() -> None:
    for token in [*NEGATIONS, "!", "?", "...", "*", "10/10", ":)"]:
        assert WORDS.id_of(token) >= FIRST_KNOWN_ID, token


# --- build --------------------------------------------------------------------------------------


def test_stems_are_ranked_by_count_and_then_by_name() -> None:
    stems, _ = vocabulary.build(COUNTS, max_stems=10, min_count=2)
    assert list(stems) == ["film", "good", "not", "!", "10/10"]
    assert list(stems.values()) == list(range(FIRST_KNOWN_ID, FIRST_KNOWN_ID + 5))


def test_rare_words_and_words_of_unchosen_stems_stay_out() -> None:
    stems, words = vocabulary.build(COUNTS, max_stems=2, min_count=6)
    assert stems == {"film": FIRST_KNOWN_ID, "good": FIRST_KNOWN_ID + 1}
    assert words == {"film": "film", "good": "good"}


def test_words_are_counted_in_whole_reviews() -> None:
    counts = vocabulary.count_words(["Good film<br>", "good " * 500])
    assert counts == {"good": 501, "film": 1}


# --- save and load ------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A small saved vocabulary."""
    path = tmp_path / "vocabulary.pkl"
    vocabulary.save(path, *vocabulary.build(COUNTS, 10, 2), "six words")
    return path


def test_a_saved_vocabulary_is_loaded_as_it_was(saved: Path) -> None:
    stems, words = vocabulary.build(COUNTS, 10, 2)
    loaded = vocabulary.load(saved)
    assert (loaded.stems, loaded.words, loaded.size) == (stems, words, FIRST_KNOWN_ID + len(stems))
    assert list(loaded.stems) == list(stems)
    assert loaded.id_of("films") == stems["film"]


def test_save_gives_the_fingerprint_that_load_finds(tmp_path: Path) -> None:
    fingerprint = vocabulary.save(tmp_path / "v.pkl", *vocabulary.build(COUNTS, 10, 2), "words")
    assert vocabulary.load(tmp_path / "v.pkl").fingerprint == fingerprint
    assert json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))["fingerprint"] == fingerprint


def test_equal_input_gives_equal_bytes_whatever_objects_it_is_made_of(tmp_path: Path) -> None:
    stems, words = vocabulary.build(COUNTS, 10, 2)
    copied = {_copy(stem): number for stem, number in stems.items()}
    vocabulary.save(tmp_path / "one.pkl", stems, words, "words")
    vocabulary.save(tmp_path / "two.pkl", copied, {_copy(w): _copy(s) for w, s in words.items()}, "words")
    assert (tmp_path / "one.pkl").read_bytes() == (tmp_path / "two.pkl").read_bytes()


def test_counts_in_another_order_give_the_same_vocabulary() -> None:
    turned = Counter(dict(reversed(COUNTS.items())))
    assert [list(part.items()) for part in vocabulary.build(COUNTS, 10, 2)] == [
        list(part.items()) for part in vocabulary.build(turned, 10, 2)
    ]


def test_the_fingerprint_covers_content_text_version_and_stemmer(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = sha256(saved.read_bytes())
    seen = {vocabulary._fingerprint(digest), vocabulary._fingerprint(sha256(b"other"))}
    for name, value in {"TEXT_VERSION": 99, "STEMMER": "none", "BUCKETS": 2}.items():
        with monkeypatch.context() as patch:
            patch.setattr(vocabulary, name, value)
            seen.add(vocabulary._fingerprint(digest))
    assert len(seen) == 5


def test_the_published_card_tells_the_truth_about_its_pickle() -> None:
    card = json.loads(vocabulary.VOCABULARY.with_suffix(".json").read_text(encoding="utf-8"))
    data = vocabulary.VOCABULARY.read_bytes()
    assert (card["sha256"], card["bytes"]) == (sha256(data), len(data))
    assert (card["stems"], card["words"]) == (len(WORDS.stems), len(WORDS.words))
    assert (card["fingerprint"], card["text_version"]) == (WORDS.fingerprint, TEXT_VERSION)


@pytest.mark.parametrize("failing_call", [1, 2])
def test_a_full_disk_leaves_the_old_vocabulary_usable_and_nothing_half_written(
    saved: Path, monkeypatch: pytest.MonkeyPatch, failing_call: int
) -> None:
    before = {path.name: path.read_bytes() for path in saved.parent.iterdir()}
    calls: list[int] = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == failing_call:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        vocabulary.save(saved, {"other": FIRST_KNOWN_ID}, {"other": "other"}, "one word")
    assert {path.name: path.read_bytes() for path in saved.parent.iterdir()} == before
    assert vocabulary.load(saved).size == FIRST_KNOWN_ID + 5


# --- files that are refused ---------------------------------------------------------------------


def test_a_changed_pickle_is_refused_before_it_is_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_unpickle", _must_not_be_called)
    saved.write_bytes(saved.read_bytes().replace(b"film", b"flim"))
    _refused(
        saved,
        "is not the file that vocabulary.json names (SHA-256",
        "run `python -m training.data.build_vocab`",
    )


def test_a_card_of_another_vocabulary_is_refused(saved: Path) -> None:
    card = json.loads(saved.with_suffix(".json").read_text(encoding="utf-8"))
    saved.with_suffix(".json").write_text(json.dumps({**card, "sha256": "0" * 64}), encoding="utf-8")
    _refused(saved, "expected 000000000000", "restore both from git")


def test_a_missing_pickle_is_named(saved: Path) -> None:
    saved.unlink()
    _refused(saved, "can't be read (No such file", "restore it from git")


def test_a_folder_in_the_pickles_place_is_named(saved: Path) -> None:
    saved.unlink()
    saved.mkdir()
    _refused(saved, "can't be read", "restore it from git")


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b"\xff\xfe", b"[]", b"3", b"{}", b'{"sha256": 7}', b'{"sha256": null}', b'"sha256"'],
)
def test_a_missing_or_broken_card_is_named(saved: Path, content: bytes | None) -> None:
    card = saved.with_suffix(".json")
    card.unlink()
    if content is not None:
        card.write_bytes(content)
    with pytest.raises(VocabularyError) as refusal:
        vocabulary.load(saved)
    assert str(card) in str(refusal.value)
    assert "restore it from git" in str(refusal.value)


def test_a_pickle_over_the_size_limit_is_refused_unread(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with saved.open("wb") as file:
        file.truncate(vocabulary.MAX_PICKLE_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", _must_not_be_called)
    _refused(saved, "is larger than 8,000,000 bytes", "restore it from git")


class _Bomb:
    """An object whose unpickling makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("hidden", [False, True])
def test_a_pickle_that_calls_something_is_refused_and_nothing_is_called(
    saved: Path, tmp_path: Path, protocol: int, hidden: bool
) -> None:
    mark = tmp_path / "the bomb went off"
    bomb = _Bomb(mark)
    data = pickle.dumps({**_plain(saved), "words": bomb} if hidden else bomb, protocol=protocol)
    pickle.loads(data)
    assert mark.is_dir(), "the bomb must be a live one"
    mark.rmdir()
    _replace(saved, data)
    _refused(
        saved, "no pickle of plain data (it holds ", " at byte ", "run `python -m training.data.build_vocab`"
    )
    assert not mark.exists()


def test_even_a_harmless_class_is_refused(saved: Path) -> None:
    _replace(saved, pickle.dumps(Counter(a=1)))
    _refused(saved, "no pickle of plain data (it holds STACK_GLOBAL at byte")


def test_a_persistent_id_is_refused(saved: Path) -> None:
    _replace(saved, b"\x80\x04\x8c\x01aQ.")
    _refused(
        saved,
        "no pickle of plain data (it holds BINPERSID at byte 5)",
        "run `python -m training.data.build_vocab`",
    )


def test_a_registered_extension_is_refused(saved: Path) -> None:
    copyreg.add_extension("os", "mkdir", 240)
    try:
        _replace(saved, b"\x80\x04\x82\xf0.")
        _refused(saved, "no pickle of plain data (it holds EXT1 at byte 2)")
    finally:
        copyreg.remove_extension("os", "mkdir", 240)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no pickle",
        b"\x80\x04}",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"(" * 100_000,
        b"\x80\x63.",
    ],
)
def test_bytes_that_are_no_whole_pickle_are_refused(saved: Path, data: bytes) -> None:
    _replace(saved, data)
    _refused(saved, "is no pickle of plain data", "run `python -m training.data.build_vocab`")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "format 2, this code has 1"),
        ({"format": None}, "format None"),
        (
            {"text_version": TEXT_VERSION + 1},
            f"this code has {TEXT_VERSION}",
        ),
        ({"stemmer": "snowball"}, "stemmer 'snowball'"),
        ({"buckets": 16}, "buckets 16"),
        ({"stems": {}}, "lacks its stems or words"),
        ({"stems": ["film"]}, "lacks its stems or words"),
        ({"words": None}, "lacks its stems or words"),
        ({"stems": {"a": 258, "b": 257}, "words": {}}, "ids out of order"),
        ({"stems": {"a": 257, "b": 259}, "words": {}}, "ids out of order"),
        ({"stems": {"a": 1}, "words": {}}, "ids out of order"),
        ({"stems": {"a": 257.0}, "words": {}}, "wrong type"),
        ({"stems": {"a": "257"}, "words": {}}, "wrong type"),
        ({"stems": {3: 257}, "words": {}}, "wrong type"),
        ({"stems": {"a": 257}, "words": {"as": "b"}}, "a word without its stem"),
        ({"stems": {"a": 257}, "words": {"as": ["a"]}}, "a word without its stem"),
        ({"stems": {"a": 257}, "words": {3: "a"}}, "a word without its stem"),
    ],
)
def test_a_pickle_that_this_code_can_not_use_is_refused(
    saved: Path, change: dict[str, Any], says: str
) -> None:
    _replace(saved, pickle.dumps({**_plain(saved), **change}))
    _refused(saved, says, "run `python -m training.data.build_vocab`")


@pytest.mark.parametrize("plain", [[], "stems", 3, None])
def test_a_pickle_of_anything_but_a_dict_is_refused(saved: Path, plain: object) -> None:
    _replace(saved, pickle.dumps(plain))
    _refused(saved, f"holds {type(plain).__name__}, not a dict", "run `python -m training.data.build_vocab`")


def test_the_published_vocabulary_is_small_and_plain() -> None:
    assert vocabulary.VOCABULARY.stat().st_size < 2_000_000
    assert b"\x93" not in _opcodes(vocabulary.VOCABULARY.read_bytes())


def test_known_words_without_markup_need_neither_nltk_nor_beautiful_soup() -> None:
    script = (
        "import sys; from vocab import vocabulary; vocabulary.load().encode('A good film, not bad.');"
        " sys.exit(bool({'nltk', 'bs4', 'numpy'} & set(sys.modules)))"
    )
    root = Path(vocabulary.__file__).parents[1]
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True, timeout=60)


def _refused(path: Path, *says: str) -> None:
    with pytest.raises(VocabularyError) as refusal:
        vocabulary.load(path)
    for part in (path.name.split(".")[0], *says):
        assert part in str(refusal.value)


def _replace(path: Path, data: bytes) -> None:
    """Replace the pickle by other bytes, with a card that matches them."""
    path.write_bytes(data)
    path.with_suffix(".json").write_text(json.dumps({"sha256": sha256(data)}), encoding="utf-8")


def _plain(path: Path) -> dict[str, Any]:
    return dict(pickle.loads(path.read_bytes()))


def _copy(text: str) -> str:
    return "".join(list(text)) if len(text) > 1 else text


def _opcodes(data: bytes) -> bytes:
    import pickletools

    return b"".join(opcode.code.encode("latin-1") for opcode, _, _ in pickletools.genops(data))


def _must_not_be_called(*_: object) -> None:
    raise AssertionError("this must not be reached")
