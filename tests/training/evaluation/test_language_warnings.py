"""The warnings' examination: rates counted right, the held half never shown, both demands met."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from training.data import dataset
from training.data.dataset import Dataset
from training.evaluation import language_warnings
from vocab import vocabulary

WORDS = vocabulary.load()
SENTENCES = language_warnings.load_sentences()
NOTHING: frozenset[str] = frozenset()
FOREIGN, UNKNOWN, LONG = (frozenset({code}) for code in ("not_english", "no_known_words", "truncated"))


def row(language: str, script: str = "latin", half: str = "open") -> dict[str, str]:
    return {"language": language, "script": script, "half": half, "text": "x"}


# --- the sentences ------------------------------------------------------------------------------


def test_there_are_ten_languages_in_latin_letters_and_seven_others() -> None:
    found = Counter((one["script"], one["language"]) for one in SENTENCES)
    assert sorted(found.values()) == [12] * 7 + [42] * 10
    assert {script for (script, _), count in found.items() if count == 42} == {"latin"}


def test_each_language_has_two_equal_halves_and_no_sentence_twice() -> None:
    halves = Counter((one["language"], one["half"]) for one in SENTENCES)
    for language in {one["language"] for one in SENTENCES}:
        assert halves[language, "open"] == halves[language, "held"] > 0
    assert len({one["text"] for one in SENTENCES}) == len(SENTENCES)


def test_the_sentences_are_none_of_those_that_the_check_s_own_tests_hold() -> None:
    written = (Path(__file__).parents[2] / "vocab" / "test_language.py").read_text(encoding="utf-8")
    assert not [one["text"] for one in SENTENCES if one["text"] in written]


# --- counting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("review", "code"),
    [
        ("Der Film war leider sehr langweilig und viel zu lang.", "not_english"),
        ("Фильм просто замечательный, всем советую посмотреть.", "no_known_words"),
        ("Good.", "too_short"),
        ("good " * 401, "truncated"),
    ],
)
def test_a_review_gets_the_codes_that_serving_gives_it(review: str, code: str) -> None:
    assert code in language_warnings.warning_codes(WORDS, review)


@pytest.mark.parametrize("review", ["A warm and funny film with a very good end.", "<br />"])
def test_english_and_nothing_get_no_code(review: str) -> None:
    assert language_warnings.warning_codes(WORDS, review) == NOTHING


def test_a_sentence_is_noticed_by_either_warning_and_named_by_one() -> None:
    rows = [row("German")] * 4 + [row("Greek", "other")]
    found = language_warnings.languages(rows, [FOREIGN, UNKNOWN, NOTHING, LONG, UNKNOWN])
    assert found == {
        "German": {"script": "latin", "sentences": 4, "not_english": 0.25, "noticed": 0.5},
        "Greek": {"script": "other", "sentences": 1, "not_english": 0.0, "noticed": 1.0},
    }


def test_scripts_are_summed_over_sentences_and_reviews_by_code() -> None:
    rows = [row("German")] * 3 + [row("Dutch")] + [row("Greek", "other")]
    by_language = language_warnings.languages(rows, [FOREIGN, FOREIGN, FOREIGN, NOTHING, UNKNOWN])
    found = language_warnings.summarize(by_language, [NOTHING, FOREIGN | LONG, LONG, NOTHING])
    assert found["by_script"]["latin"] == {
        "languages": 2,
        "sentences": 4,
        "not_english": 0.75,
        "noticed": 0.75,
    }
    assert found["by_script"]["other"]["noticed"] == 1.0
    assert found["reviews"] == 4
    assert found["flagged"] == {
        "not_english": 0.25,
        "no_known_words": 0.0,
        "too_short": 0.0,
        "truncated": 0.5,
    }


def found_with(missed: int, flagged: tuple[int, int], script: str = "latin") -> dict[str, Any]:
    """Return the figures of 100 German sentences, some missed, and of 1,000 reviews, some flagged."""
    codes = [NOTHING] * missed + [UNKNOWN] * (100 - missed)
    by_language = language_warnings.languages([row("German", script)] * 100, codes)
    foreign, unknown = flagged
    reviews = [FOREIGN] * foreign + [UNKNOWN] * unknown + [LONG] * (1000 - foreign - unknown)
    return language_warnings.summarize(by_language, reviews)


def test_nothing_falls_short_at_95_noticed_and_5_in_1000_flagged() -> None:
    assert language_warnings.shortcomings(found_with(5, (3, 2))) == []


def test_a_language_and_the_reviews_that_fall_short_are_named() -> None:
    assert language_warnings.shortcomings(found_with(6, (3, 3))) == [
        "of German only 94.0 % is noticed, 95 % is asked",
        "0.60 % of the English reviews are flagged, 0.5 % may be",
    ]


def test_other_scripts_are_stated_but_not_asked_of() -> None:
    found = found_with(50, (0, 0), "other")
    assert language_warnings.shortcomings(found) == []
    assert "50.0 %" in language_warnings.table(found)


def test_the_table_has_a_line_a_language_script_and_code() -> None:
    table = language_warnings.table(found_with(6, (3, 0)))
    assert "German                  100    94.0 %                     0.0 %" in table
    assert "all, latin script       100    94.0 %" in table
    assert "  not_english         0.30 %" in table
    assert "  truncated          99.70 %" in table


# --- what is asked ------------------------------------------------------------------------------


def test_of_each_language_in_latin_letters_95_in_100_sentences_are_noticed() -> None:
    codes = [language_warnings.warning_codes(WORDS, one["text"]) for one in SENTENCES]
    by_language = language_warnings.languages(SENTENCES, codes)
    assert language_warnings.shortcomings(language_warnings.summarize(by_language, [NOTHING])) == []


def test_at_most_5_in_1000_development_reviews_are_flagged(imdb: Dataset) -> None:
    reviews = imdb.development
    codes = [language_warnings.warning_codes(WORDS, review.text) for review in reviews]
    assert language_warnings.shortcomings(language_warnings.summarize({}, codes)) == []


# --- the script ---------------------------------------------------------------------------------


def run_main(monkeypatch: pytest.MonkeyPatch, *flags: str) -> None:
    """Run main() where no warning is ever given but to one review, named in German."""

    def codes_of(words: vocabulary.Vocabulary, review: str) -> frozenset[str]:
        return FOREIGN if review == "flagged" else NOTHING

    reviews = [dataset.Review("name-1", "flagged", 1, 9, "f"), dataset.Review("name-2", "left", 1, 9, "f")]
    monkeypatch.setattr(language_warnings, "warning_codes", codes_of)
    monkeypatch.setattr(dataset, "find_archive", lambda given: Path("archive"))
    monkeypatch.setattr(dataset, "load", lambda archive: dataset.Dataset([], reviews, [], [], {}))
    monkeypatch.setattr(sys, "argv", ["language_warnings.py", *flags])
    language_warnings.main()


def test_failures_show_the_open_half_and_never_the_held_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_main(monkeypatch, "--failures")
    lines = capsys.readouterr().out.splitlines()
    assert "name-1: not_english" in lines
    assert not [line for line in lines if line.startswith("name-2")]
    for one in SENTENCES:
        assert (f"{one['language']}: {one['text']}" in lines) == (one["half"] == "open")


def test_no_sentence_is_shown_unasked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_main(monkeypatch)
    printed = capsys.readouterr().out
    assert "falls short: of German only 0.0 % is noticed, 95 % is asked" in printed
    assert "falls short: 50.00 % of the English reviews are flagged" in printed
    assert not [one for one in SENTENCES if one["text"] in printed]
    assert "name-1" not in printed


def test_the_shares_are_published(own_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_main(monkeypatch, "--model", str(own_package), "--publish")
    card = json.loads((own_package / "model.json").read_text(encoding="utf-8"))
    assert set(card["metrics"]) == {"warnings"}
    assert card["metrics"]["warnings"]["command"] == "python -m training.evaluation.language_warnings"
    assert card["metrics"]["warnings"]["flagged"]["not_english"] == 0.5
    assert "open" not in json.dumps(card["metrics"])


def test_a_missing_archive_ends_the_script_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["language_warnings.py", "--archive", "/nowhere.tar.gz"])
    with pytest.raises(SystemExit, match=r"^warnings: no IMDb archive at /nowhere.tar.gz; "):
        language_warnings.main()
