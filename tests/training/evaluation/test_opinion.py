"""The opinion cases: how labels are scored, and that the cases are sound."""

import re
from collections import Counter, defaultdict
from itertools import islice
from typing import Any

import pytest

from training.data.dataset import Dataset, Review, fold
from training.evaluation import behaviour, opinion
from training.evaluation.opinion import Score
from training.recipe import augment
from vocab import vocabulary
from vocab.text import clean, split_sentences, tokenize

WRITTEN_KEYS = (["text", "label", "half"], ["text", "label", "sentiment", "half"])
SPAN_KEYS = (
    ["review", "start", "end", "label", "half", "text"],
    ["review", "start", "end", "label", "sentiment", "half", "text"],
)
LEAST = {"mixed": 110, "no_opinion": 110, "clear": 120, "unclear": 60}


@pytest.fixture(scope="module")
def development(imdb: Dataset) -> list[Review]:
    return imdb.development


@pytest.fixture(scope="module")
def cases(development: list[Review]) -> list[dict[str, Any]]:
    return opinion.load_cases(development)


def source(row: dict[str, Any]) -> str:
    return "review" if "review" in row else "written"


# --- scores -------------------------------------------------------------------------------------


def test_scores_are_those_counted_by_hand() -> None:
    labels = ["mixed", "mixed", "mixed", "clear", "clear", "unclear"]
    predicted = ["mixed", "mixed", "clear", "clear", "mixed", "no_opinion"]
    assert opinion.scores(labels, predicted) == {
        "mixed": Score(2 / 3, 2 / 3, 2 / 3),
        "clear": Score(1 / 2, 1 / 2, 1 / 2),
        "unclear": Score(0, 0, 0),  # never predicted
        "no_opinion": Score(0, 0, 0),  # never true
    }


def test_precision_and_recall_are_not_each_other() -> None:
    found = opinion.scores(["mixed", "clear", "clear", "clear"], ["mixed", "mixed", "mixed", "mixed"])
    assert found == {"mixed": Score(1 / 4, 1, 2 / 5), "clear": Score(0, 0, 0)}


def test_labels_without_a_prediction_each_are_refused() -> None:
    with pytest.raises(ValueError):
        opinion.scores(["mixed", "clear"], ["mixed"])


def test_no_labels_have_no_scores() -> None:
    assert opinion.scores([], []) == {}


# --- the cases ----------------------------------------------------------------------------------


def test_a_case_has_the_keys_of_its_kind(cases: list[dict[str, Any]]) -> None:
    for row in cases:
        assert list(row) in (SPAN_KEYS if "review" in row else WRITTEN_KEYS), row
        assert row["label"] in opinion.LABELS, row
        assert row["half"] in opinion.HALVES, row
        assert ("sentiment" in row) == (row["label"] == "clear"), row
        assert row.get("sentiment", "positive") in ("positive", "negative"), row


def test_there_are_enough_cases_of_each_label(cases: list[dict[str, Any]]) -> None:
    counts = Counter(row["label"] for row in cases)
    assert counts.keys() == LEAST.keys()
    assert all(counts[label] >= least for label, least in LEAST.items())


def test_each_label_of_each_source_is_half_open_and_half_held(cases: list[dict[str, Any]]) -> None:
    counts = Counter((row["label"], row.get("sentiment"), source(row), row["half"]) for row in cases)
    for label, sentiment, kind, _ in counts:
        sizes = [counts[label, sentiment, kind, half] for half in opinion.HALVES]
        assert max(sizes) - min(sizes) <= 1, (label, sentiment, kind)


def test_the_readme_counts_the_cases(cases: list[dict[str, Any]]) -> None:
    text = (opinion.FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    stated = {label: tuple(map(int, numbers)) for label, *numbers in rows}
    kinds = [(kind, half) for kind in ("review", "written") for half in opinion.HALVES]
    counts = Counter((row["label"], source(row), row["half"]) for row in cases)
    found = {label: [counts[label, *kind] for kind in kinds] for label in opinion.LABELS}
    found["all"] = [sum(column) for column in zip(*found.values(), strict=True)]
    assert stated == {label: (*numbers, sum(numbers)) for label, numbers in found.items()}
    sentiments = Counter(row.get("sentiment") for row in cases)
    plain = " ".join(text.split())
    assert f"{sentiments['positive']} are positive and {sentiments['negative']} are negative" in plain
    assert f"{len(cases)} texts about films" in plain
    kind = Counter(map(source, cases))
    assert f"{kind['review']} are whole sentences from development reviews" in plain
    assert f"{kind['written']} were written one by one" in plain


def test_every_text_can_be_read(cases: list[dict[str, Any]]) -> None:
    words = vocabulary.load()
    assert [row["text"] for row in cases if not words.encode_ids(row["text"])] == []


def test_no_text_is_there_twice_and_so_in_both_halves(cases: list[dict[str, Any]]) -> None:
    counts = Counter(fold(row["text"]) for row in cases)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_text_is_a_behaviour_case(cases: list[dict[str, Any]]) -> None:
    known = {fold(row[key]) for row in behaviour.load_cases() for key in ("review", "other") if key in row}
    assert [row["text"] for row in cases if fold(row["text"]) in known] == []


def test_no_text_is_a_lesson(cases: list[dict[str, Any]]) -> None:
    folded = {fold(row["text"]) for row in cases}
    drawn = (text for text, _ in islice(augment.lessons(1), 20_000))
    plain = (frame.frame for frame in augment.load_frames() if "{" not in frame.frame)
    assert [text for text in (*drawn, *plain) if fold(text) in folded] == []


# --- the spans of reviews -----------------------------------------------------------------------


def test_a_span_is_whole_sentences_of_a_development_review(
    cases: list[dict[str, Any]], development: list[Review]
) -> None:
    texts = {review.name: review.text for review in development}
    for row in cases:
        if "review" in row:
            text = clean(texts[row["review"]])
            tokens = tokenize(text)
            sentences = split_sentences(text, tokens)
            assert row["start"] in tokens.starts and row["end"] in tokens.ends, row["review"]
            first = [sentence.start for sentence in sentences].index(row["start"])
            last = [sentence.end for sentence in sentences].index(row["end"])
            assert 1 <= last - first + 1 <= 8, row["review"]
            assert row["text"] == text[row["start"] : row["end"]]


def test_spans_of_a_review_do_not_overlap(cases: list[dict[str, Any]]) -> None:
    spans = defaultdict(list)
    for row in cases:
        if "review" in row:
            spans[row["review"]].append((row["start"], row["end"]))
    for found in map(sorted, spans.values()):
        assert all(first[1] <= second[0] for first, second in zip(found, found[1:], strict=False))


def test_a_film_is_in_one_half_and_in_the_same_one_among_the_behaviour_sentences(
    cases: list[dict[str, Any]], development: list[Review]
) -> None:
    films = {review.name: review.film for review in development}
    halves = defaultdict(set)
    for row in [*cases, *behaviour.load_sentences(development)]:
        if "review" in row:
            halves[films[row["review"]]].add(row["half"])
    assert [film for film, found in halves.items() if len(found) > 1] == []


def test_no_word_of_a_review_is_stored() -> None:
    lines = (opinion.FOLDER / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if '"review"' in line and '"text"' in line] == []


def test_measure_scores_each_half_by_itself() -> None:
    cases = [
        {"text": "a", "label": "mixed", "half": "open"},
        {"text": "b", "label": "clear", "half": "open"},
        {"text": "c", "label": "clear", "half": "held"},
    ]
    found = opinion.measure(cases, lambda text: "mixed" if text in "ab" else "clear")
    assert found["open"]["mixed"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "cases": 1}
    assert found["open"]["clear"]["recall"] == 0.0
    assert found["held"] == {"clear": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "cases": 1}}
    assert "66.7" in opinion.table(found)
