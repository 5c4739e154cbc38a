"""Misspelled words: which known word they stand for, and which words are left as they are."""

import numpy as np
import pytest

from training.data import dataset, sentences
from vocab import language, spelling, vocabulary
from vocab.text import clean, tokenize
from vocab.vocabulary import FIRST_KNOWN_ID

WORDS = vocabulary.load()


def meant(word: str) -> str | None:
    """Return the stem that the published vocabulary takes a word for."""
    encoded = WORDS.encode(f"It is {word}.")
    stems = {number: stem for stem, number in WORDS.stems.items()}
    return stems[encoded.ids[2]] if encoded.slips else None


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("flim", "film"),  # letters changed places
        ("borring", "boring"),  # doubled
        ("grippping", "gripping"),
        ("anoying", "annoying"),  # not doubled
        ("gorgous", "gorgeous"),  # left out
        ("dreadfull", "dreadful"),
        ("horrable", "horrible"),  # another letter
    ],
)
def test_each_kind_of_slip_is_mended(typed: str, word: str) -> None:
    assert WORDS.encode(f"It is {typed}.").ids[2] == WORDS.id_of(word)


def test_two_slips_in_a_word_are_too_many() -> None:
    assert WORDS.encode("It is horibel.").slips == []


def test_the_likeliest_kind_of_slip_counts_and_then_the_frequent_word() -> None:
    known = {"great": 300, "grate": 900, "goat": 500, "gart": 1000}
    assert spelling.nearest("grat", known) == 1000  # changed places before left out
    del known["gart"]
    assert spelling.nearest("grat", known) == 300
    assert spelling.nearest("graat", {"graft": 1, "grat": 2}) == 2


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("xilm", "film"),  # another first letter
        ("ilm", "film"),
        ("fil", "film"),  # too short
        ("f" * 26, "f" * 25),  # endless
    ],
)
def test_other_words_stand_for_nothing(word: str, known: str) -> None:
    assert spelling.nearest(word, {known: 7}) is None


def test_a_name_is_left_as_it_is_and_a_capital_at_a_sentence_s_start_is_none() -> None:
    named = WORDS.encode("I saw Horible there.")
    assert named.slips == [] and named.ids[2] < FIRST_KNOWN_ID
    for text in ("Horible film.", "I saw it. Horible film.", "(Horible film)", "* Horible film"):
        encoded = WORDS.encode(text)
        (index,) = encoded.slips
        assert encoded.ids[index] == WORDS.id_of("horrible"), text


@pytest.mark.parametrize("word", ["HORIBLE", "horíble", "фильм"])
def test_capitals_accents_and_other_alphabets_are_left(word: str) -> None:
    assert meant(word) is None


def test_a_mended_word_counts_as_known_and_is_marked() -> None:
    encoded = WORDS.encode("The moive was stunnning")
    assert encoded.slips == [1, 3]
    assert (encoded.words, encoded.known) == (4, 4)
    assert WORDS.encode("The movie was stunning").ids == encoded.ids


def test_offsets_and_text_stay_as_typed() -> None:
    encoded = WORDS.encode("A stunnning film")
    start, end = encoded.tokens.starts[1], encoded.tokens.ends[1]
    assert encoded.text[start:end] == encoded.tokens.names[1] == "stunnning"


def test_foreign_words_stay_foreign_though_some_look_like_slips() -> None:
    for text in (
        "filmen var vaeldig daarlig og skuespillet elendigt",
        "Der Film ist langweilig und die Handlung schrecklich.",
        "una pelicula horrenda, aburrida y sin sentido",
    ):
        assert not language.looks_english(WORDS.encode(text)), text


def test_sentences_of_the_training_have_the_ids_that_a_whole_review_has() -> None:
    text = "Teh actng was realy horible here. Borring from strat to finish, I thougt. Nobody shuold see it."
    cut = sentences.cut([dataset.Review("1_1", text, 0, 1, "tt1")], 9, WORDS, 1)
    encoded = WORDS.encode(text)
    whole = {
        encoded.text[one.start : one.end]: encoded.ids[one.first : one.last] for one in encoded.sentences
    }
    assert len(cut.texts) == 3
    assert {text: ids.tolist() for text, ids in zip(cut.texts, cut.ids, strict=True)} == whole
    assert all(ids.dtype == np.int32 for ids in cut.ids)
    tokens = tokenize(clean(text))
    assert WORDS.ids_of(clean(text), tokens) == encoded.ids
