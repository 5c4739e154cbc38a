"""text.py: golden cases of tokens and sentences, then properties of any string.

The golden cases are rewritten on purpose by ``python tests/vocab/rewrite_golden.py``.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.vocab.hostile import ENDLESS, REVIEWS
from tests.vocab.rewrite_golden import GOLDEN, dump, text_case
from vocab import text as text_module
from vocab.text import clean, is_word, normalize, split_sentences, tokenize, unread_span

CASES: list[dict[str, Any]] = json.loads((GOLDEN / "text.json").read_text(encoding="utf-8"))["cases"]
BY_NAME = {case["name"]: case for case in CASES}


@pytest.mark.parametrize("name", BY_NAME)
def test_golden_case_keeps_its_text_tokens_and_sentences(name: str) -> None:
    assert text_case(BY_NAME[name]) == BY_NAME[name]


def test_golden_file_is_as_its_command_writes_it() -> None:
    assert (GOLDEN / "text.json").read_bytes() == dump({}, CASES).encode()


def test_golden_names_are_unique() -> None:
    assert len(BY_NAME) == len(CASES) > 90


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Am\u00e9lie na\u00efve", "Ame\u0301lie nai\u0308ve"),
        ("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("\u304c\u3071", "\u304b\u3099\u306f\u309a"),
        ("isn't it", "isn\u2019t it"),
        ('"so" -', "\u201cso\u201d \u2014"),
        ("a&amp;b", "a&b"),
        ("a<br>b", "a<br />b"),
        ("a<br/>b", "a\nb"),
        ("great", "g\u200bre\u00adat"),
        ("WOW", "wow"),
    ],
)
def test_two_ways_to_write_the_same_give_the_same_tokens(one: str, other: str) -> None:
    assert _tokens(one) == _tokens(other)


@pytest.mark.parametrize("word", ["not", "no", "nor", "never", "NOT", "No"])
def test_a_negation_is_a_token_of_its_own(word: str) -> None:
    assert _tokens(f"It was {word} good") == ["it", "was", word.lower(), "good"]


def test_words_on_both_sides_of_any_tag_stay_apart() -> None:
    for tag in ("<br>", "<br />", "<b>", "</p>", "<!-- x -->", "<script>x</script>", "<a title='>'>"):
        assert _tokens(f"great{tag}movie") == ["great", "movie"]


def test_a_letter_with_thousands_of_accents_is_read() -> None:
    assert tokenize(clean("a" + "\u0316\u0301" * 20_000)).names


def test_a_character_reference_of_thousands_of_digits_is_read() -> None:
    assert clean("a &#" + "9" * 50_000 + "; b") == "a \ufffd b"


# --- any string ---------------------------------------------------------------------------------


@given(REVIEWS)
@example("\ud800&#xDFFF;<b>\udfff")
def test_clean_leaves_nothing_that_can_not_be_sent(review: str) -> None:
    text = clean(review)
    text.encode("utf-8")
    assert not any(character < " " and character != "\n" for character in text)
    assert text == text.strip()
    assert "  " not in text


@given(REVIEWS)
def test_offsets_slice_the_text_to_what_normalizes_to_the_token(review: str) -> None:
    text = clean(review)
    before = 0
    for name, start, end in zip(*tokenize(text), strict=True):
        assert before <= start < end <= len(text)
        assert name and normalize(text[start:end]) == name
        before = end


@given(st.text(st.characters(max_codepoint=127)))
def test_every_visible_ascii_character_belongs_to_a_token(review: str) -> None:
    text = clean(review)
    tokens = tokenize(text)
    spans = map(range, tokens.starts, tokens.ends)
    covered = {index for span in spans for index in span}
    assert {index for index, character in enumerate(text) if not character.isspace()} <= covered


@given(REVIEWS, st.none() | st.integers(0, 30))
def test_every_token_belongs_to_exactly_one_sentence(review: str, gap_at: int | None) -> None:
    text = clean(review)
    tokens = tokenize(text)
    sentences = split_sentences(text, tokens, gap_at)
    assert [index for s in sentences for index in range(s.first, s.last)] == list(range(len(tokens.names)))
    for sentence in sentences:
        assert sentence.start == tokens.starts[sentence.first]
        assert sentence.end == tokens.ends[sentence.last - 1]
        assert gap_at is None or not sentence.first < gap_at < sentence.last


# Where "<" or "&" occurs it can't hold: "&lt;b&gt;" is the text "<b>", and cleaned again it is a tag.
@given(st.text(st.characters(exclude_categories=(), exclude_characters="<&")))
def test_cleaning_a_cleaned_text_without_markup_changes_nothing(review: str) -> None:
    assert clean(clean(review)) == clean(review)


def test_cleaning_twice_takes_out_markup_that_was_written_as_text() -> None:
    assert clean("&lt;b&gt;x") == "<b>x"
    assert clean("<b>x") == "x"


@given(REVIEWS)
def test_a_token_normalizes_to_itself_unless_its_case_is_special(review: str) -> None:
    for token in _tokens(review):
        assert normalize(token) == token


@given(st.integers(0, 2_000))
def test_read_span_keeps_the_first_128_and_the_last_272_tokens(count: int) -> None:
    skip_from, skip_to = unread_span(count)
    read_indices = [*range(count)][:skip_from] + [*range(count)][skip_to:]
    assert read_indices == ([*range(count)] if count <= 400 else [*range(128), *range(count - 272, count)])


@pytest.mark.parametrize(
    ("token", "expected"),
    [("film", True), ("10/10", True), ("\u4e2d", True), ("n't", True), ("!", False), (":)", False)],
)
def test_is_word_asks_for_a_letter_or_a_digit(token: str, expected: bool) -> None:
    assert is_word(token) is expected


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("part", ENDLESS)
def test_time_grows_with_length_and_not_with_its_square(part: str) -> None:
    assert _grows_linearly(lambda length: _read(_repeat(part, length)))


@pytest.mark.parametrize("part", ["\u0301", "b", " ", ">", '"', "<"])
def test_time_grows_with_length_after_an_open_tag_too(part: str) -> None:
    assert _grows_linearly(lambda length: _read("<a x='" + _repeat(part, length)))


@pytest.mark.slow
def test_the_growth_check_sees_quadratic_time() -> None:
    assert not _grows_linearly(lambda length: [("a" * length).count("b" * 9) for _ in range(length // 20)])


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(st.sampled_from(ENDLESS), min_size=2, max_size=5).map("".join))
def test_a_hundred_thousand_characters_of_any_mixture_are_read(part: str) -> None:
    _read(_repeat(part, 100_000))


def test_the_source_lists_no_character_class_that_follows_the_interpreters_unicode() -> None:
    source = Path(text_module.__file__).read_text(encoding="utf-8")
    code = source.split('"""', 2)[2]
    assert not [escape for escape in (r"\w", r"\W", r"\b", r"\d") if escape in code]


def _tokens(review: str) -> list[str]:
    return tokenize(clean(review)).names


def _repeat(part: str, length: int) -> str:
    return (part * (length // len(part) + 1))[:length]


def _read(review: str) -> None:
    text = clean(review)
    tokens = tokenize(text)
    first, last = unread_span(len(tokens.names))
    split_sentences(text, tokens.without(first, last), first)


def _grows_linearly(work: Any) -> bool:
    """Compare processor time at 25,000 and 100,000 characters: near four times, not sixteen."""
    work(100)
    return any(_seconds(work, 100_000) < 10 * _seconds(work, 25_000) + 0.05 for _ in range(8))


def _seconds(work: Any, length: int) -> float:
    start = time.process_time()
    work(length)
    return time.process_time() - start
