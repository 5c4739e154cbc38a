"""The behaviour suite: what passes, how rates are told, and that the cases and sentences are sound."""

import json
import re
import sys
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from training.data.dataset import Dataset, Review, fold, in_development
from training.endpoint import inference
from training.evaluation import behaviour
from training.recipe import augment
from vocab import vocabulary
from vocab.text import clean, split_sentences, tokenize

ROOT = Path(__file__).resolve().parents[3]
CASES = behaviour.load_cases()
KEYS = ("id", "capability", "half", "expect", "label", "review", "other", "note")


@pytest.fixture(scope="module")
def development(imdb: Dataset) -> list[Review]:
    return imdb.development


@pytest.fixture(scope="module")
def sentences(development: list[Review]) -> list[dict[str, Any]]:
    return behaviour.load_sentences(development)


def case(expect: str, label: str = "positive", half: str = "open", capability: str = "x") -> dict[str, Any]:
    return {"id": "x-1", "capability": capability, "half": half, "expect": expect, "label": label}


# --- what passes --------------------------------------------------------------------------------

JUST_UNDER = 0.499999


@pytest.mark.parametrize(
    "expect, label, first, second, passed",
    [
        ("label", "positive", 0.5, 0.0, True),
        ("label", "positive", JUST_UNDER, 1.0, False),
        ("label", "negative", JUST_UNDER, 1.0, True),
        ("label", "negative", 0.5, 0.0, False),
        ("flip", "positive", 0.5, JUST_UNDER, True),
        ("flip", "positive", 0.5, 0.5, False),
        ("flip", "positive", JUST_UNDER, JUST_UNDER, False),
        ("flip", "positive", JUST_UNDER, 0.5, False),
        ("flip", "negative", JUST_UNDER, 0.5, True),
        ("flip", "negative", JUST_UNDER, JUST_UNDER, False),
        ("flip", "negative", 0.5, 0.5, False),
        ("flip", "negative", 0.5, JUST_UNDER, False),
        ("same", "positive", 0.5, 1.0, True),
        ("same", "positive", 0.0, JUST_UNDER, True),  # on one side, though on the wrong one
        ("same", "positive", 0.5, JUST_UNDER, False),
        ("same", "negative", JUST_UNDER, 0.5, False),
        ("order", "", 0.9, 0.8, True),
        ("order", "", 0.2, 0.1, True),
        ("order", "", 0.8, 0.8, False),
        ("order", "", 0.1, 0.9, False),
    ],
)
def test_a_case_passes_when_the_answers_are_what_it_expects(
    expect: str, label: str, first: float, second: float, passed: bool
) -> None:
    assert behaviour.passes(case(expect, label), first, second) is passed


def test_an_order_needs_no_label() -> None:
    assert behaviour.passes({"expect": "order"}, 0.6, 0.5)


@pytest.mark.parametrize("answer", [0.9, 0.1])
def test_a_constant_answer_is_worth_what_the_suite_s_readme_says(answer: float) -> None:
    outcomes = behaviour.evaluate(CASES, lambda texts: [answer] * len(texts))
    for expect, share in {"label": 0.5, "flip": 0, "same": 1, "order": 0}.items():
        passed = [outcome.passed for outcome in outcomes if outcome.case["expect"] == expect]
        assert sum(passed) / len(passed) == pytest.approx(share, abs=0.02)


def test_both_texts_of_a_case_are_asked_for() -> None:
    asked: list[str] = []

    def score(texts: Any) -> list[float]:
        asked.extend(texts)
        return [0.9 if "good" in text else 0.1 for text in texts]

    pair = {**case("flip"), "review": "good", "other": "bad"}
    alone = {**case("label", "negative"), "review": "poor"}
    outcomes = behaviour.evaluate([pair, alone], score)
    assert {"good", "bad", "poor"} == set(asked)
    assert [outcome.probabilities for outcome in outcomes] == [(0.9, 0.1), (0.1, 0.1)]
    assert [outcome.passed for outcome in outcomes] == [True, True]


# --- rates --------------------------------------------------------------------------------------


def outcome(capability: str, half: str, passed: bool) -> behaviour.Outcome:
    return behaviour.Outcome(case("label", half=half, capability=capability), (0.5, 0.5), passed)


def test_rates_are_told_by_capability_and_half_and_overall_leaves_sarcasm_out() -> None:
    found = behaviour.rates(
        [
            outcome("negation", "open", True),
            outcome("negation", "open", False),
            outcome("negation", "held", True),
            outcome("short", "open", True),
            outcome("sarcasm", "open", False),
            outcome("sarcasm", "held", False),
        ]
    )
    assert found == {
        "negation": {"open": 0.5, "held": 1.0},
        "short": {"open": 1.0},
        "sarcasm": {"open": 0.0, "held": 0.0},
        "overall": {"open": pytest.approx(2 / 3), "held": 1.0},
    }


def test_sentences_are_right_on_their_label_s_side_of_the_middle() -> None:
    rows = [
        {"text": "a", "half": "open", "label": "positive"},
        {"text": "b", "half": "open", "label": "negative"},
        {"text": "c", "half": "held", "label": "negative"},
    ]
    found = behaviour.sentence_rates(rows, lambda texts: [0.5, 0.5, 0.4])
    assert found == {"open": 0.5, "held": 1.0}


def test_the_table_ends_with_sentences_and_the_overall_rate() -> None:
    halves = {"open": 0.5, "held": 1.0}
    lines = behaviour.table(
        {"overall": halves, "typos": halves, "single sentences": halves, "contrast": halves}
    ).splitlines()
    assert [line[:22].strip() for line in lines] == [
        "capability",
        "contrast",
        "typos",
        "overall",
        "single sentences",
    ]
    assert lines[1].split() == ["contrast", "50.0%", "100.0%"]
    assert len(set(map(len, lines))) == 1


def test_baselines_stand_beside_the_model_with_their_held_half() -> None:
    halves = {"open": 0.5, "held": 1.0}
    found = {"contrast": halves, "overall": halves, "single sentences": halves}
    lines = behaviour.table(found, {"VADER": {name: 0.25 for name in found}}).splitlines()
    assert lines[0].split() == ["capability", "open", "held", "VADER"]
    assert lines[1].split() == ["contrast", "50.0%", "100.0%", "25.0%"]
    assert len(set(map(len, lines))) == 1


def test_the_served_model_s_answer_is_its_probability_and_half_where_nothing_can_be_read(
    model: inference.LoadedModel,
) -> None:
    good, empty = behaviour.scorer_of(model)(["A lovely film.", " <br> "])
    assert good == model.predict("A lovely film.")[1].probability
    assert empty == 0.5


# --- the cases ----------------------------------------------------------------------------------


def test_there_are_enough_cases_with_ids_of_their_own() -> None:
    assert len(CASES) >= 600
    assert len({row["id"] for row in CASES}) == len(CASES)


def test_a_case_has_the_keys_that_its_kind_needs() -> None:
    for row in CASES:
        assert list(row) == [key for key in KEYS if key in row], row
        assert re.fullmatch(row["capability"] + r"-\d{3}", row["id"]), row
        assert row["half"] in behaviour.HALVES, row
        assert row["expect"] in ("label", "flip", "same", "order"), row
        assert ("label" in row) == (row["expect"] != "order"), row
        assert row.get("label", "positive") in ("positive", "negative"), row
        assert ("other" in row) == (row["expect"] != "label"), row
        assert row["review"] != row.get("other"), row


def test_every_text_can_be_read() -> None:
    # What can't be read is answered with 0.5, which would pass as positive.
    words = vocabulary.load()
    texts = [row[key] for row in CASES for key in ("review", "other") if key in row]
    assert [text for text in texts if not words.encode_ids(text)] == []


def test_no_text_stands_in_both_halves() -> None:
    halves = defaultdict(set)
    for row in CASES:
        for key in ("review", "other"):
            if key in row:
                halves[row[key].lower()].add(row["half"])
    assert [text for text, found in halves.items() if len(found) > 1] == []


def test_capabilities_are_as_large_and_as_balanced_as_their_readme_says() -> None:
    text = (behaviour.FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \|.*\| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    told = {name: (int(count), int(held)) for name, count, held in rows}
    sizes = Counter((row["capability"], row["half"]) for row in CASES)
    found = {name: (sizes[name, "open"], sizes[name, "held"]) for name, _ in sizes}
    found["all"] = (sum(size for size, _ in found.values()), sum(size for _, size in found.values()))
    assert told == found
    for (capability, half), size in sizes.items():
        labels = Counter(
            row["label"]
            for row in CASES
            if (row["capability"], row["half"]) == (capability, half) and "label" in row
        )
        assert abs(labels["positive"] - labels["negative"]) == size % 2, (capability, half)


def test_the_readme_counts_the_expectations() -> None:
    text = " ".join((behaviour.FOLDER / "README.md").read_text(encoding="utf-8").split())
    told = {name: int(count) for count, name in re.findall(r"(\d+) `(label|same|flip|order)`", text)}
    assert told == Counter(row["expect"] for row in CASES)
    assert f"{len(CASES)} short reviews" in text


# --- the sentences ------------------------------------------------------------------------------


def test_sentences_are_enough_and_each_is_there_once(sentences: list[dict[str, Any]]) -> None:
    lines = (behaviour.FOLDER / "sentences.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(sentences) == len(lines) >= 400
    assert len({(row["review"], row["start"]) for row in sentences}) == len(sentences)
    counts = Counter((row["half"], row["label"]) for row in sentences)
    assert set(counts) == {(half, label) for half in behaviour.HALVES for label in ("positive", "negative")}
    assert min(counts.values()) >= 100
    assert counts["open", "positive"] == counts["held", "positive"]
    assert counts["open", "negative"] == counts["held", "negative"]


def test_sentences_that_the_reviews_lack_are_left_out() -> None:
    with (behaviour.FOLDER / "sentences.jsonl").open(encoding="utf-8") as lines:
        first = json.loads(next(lines))
    review = Review(first["review"], "a" * first["end"], 1, 9, "film")
    assert behaviour.load_sentences([review]) == [first | {"text": "a" * (first["end"] - first["start"])}]
    assert behaviour.load_sentences([]) == []


def test_each_span_is_exactly_one_sentence_of_a_development_review(
    sentences: list[dict[str, Any]], development: list[Review]
) -> None:
    texts = {review.name: review.text for review in development}
    for row in sentences:
        assert set(row) == {"review", "start", "end", "label", "half", "text"}
        text = clean(texts[row["review"]])
        spans = {(sentence.start, sentence.end) for sentence in split_sentences(text, tokenize(text))}
        assert (row["start"], row["end"]) in spans, row["review"]
        assert row["text"] == text[row["start"] : row["end"]]


def test_a_film_s_sentences_are_in_one_half(
    sentences: list[dict[str, Any]], development: list[Review]
) -> None:
    films = {review.name: review.film for review in development}
    halves = defaultdict(set)
    for row in sentences:
        assert in_development(films[row["review"]])
        halves[films[row["review"]]].add(row["half"])
    assert len(halves) > 100
    assert all(len(found) == 1 for found in halves.values())


def test_no_lesson_is_a_labelled_sentence(sentences: list[dict[str, Any]]) -> None:
    folded = {fold(row["text"]) for row in sentences}
    drawn = (text for text, _ in islice(augment.lessons(1), 20_000))
    plain = (frame.frame for frame in augment.load_frames() if "{" not in frame.frame)
    assert [text for text in (*drawn, *plain) if fold(text) in folded] == []


# --- the command --------------------------------------------------------------------------------


def test_the_command_prints_a_table_and_the_open_cases_that_fail(
    archive: Path, package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--failures", "--archive", str(archive), "--model", str(package)]
    monkeypatch.setattr(sys, "argv", ["behaviour.py", *flags])
    behaviour.main()
    lines = capsys.readouterr().out.splitlines()
    capabilities = {row["capability"] for row in CASES}
    assert len(lines) > 3 + len(capabilities)
    assert lines[0].split() == ["capability", "open", "held"]
    rows = {line[:22].strip(): line[22:].split() for line in lines[1 : 3 + len(capabilities)]}
    assert rows.keys() == capabilities | {"overall", "single sentences"}
    assert all(re.fullmatch(r"\d+\.\d%", rate) for rates in rows.values() for rate in rates)
    halves = {row["id"]: row["half"] for row in CASES}
    failed = [line.split()[0] for line in lines[3 + len(capabilities) :]]
    assert {halves[number] for number in failed} == {"open"}


def test_a_missing_model_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["behaviour.py", "--model", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match=r"^behaviour: .*model.json can't be read .*; name a folder"):
        behaviour.main()


def test_a_missing_archive_is_one_sentence(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour, "load_cases", list)
    monkeypatch.setattr(
        sys, "argv", ["behaviour.py", "--model", str(package), "--archive", "/nowhere.tar.gz"]
    )
    with pytest.raises(SystemExit, match="^behaviour: no IMDb archive at /nowhere.tar.gz; "):
        behaviour.main()
