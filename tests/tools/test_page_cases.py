"""The cases of the model's page: chosen by a seed, of the published model, and without anybody's review."""

import doctest
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tools import page_cases
from tools.page_cases import Answer, Judged
from training.data.dataset import Dataset
from training.endpoint import inference
from training.evaluation import behaviour

CASES = {case["id"]: case for case in behaviour.load_cases()}
# Another processor may round a network's sums differently; two that we tried differed by 0.031 at most.
ABOUT = 0.05
SOME = 6


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    return json.loads(page_cases.PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model() -> inference.LoadedModel:
    return inference.model_fn(inference.MODEL_FOLDER)


def judged(number: int, right: bool, probability: float = 0.9, **shown: Any) -> Judged:
    return Judged({"id": str(number), **shown}, Answer("positive", probability), right)


def own_texts(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every case of ours in the file."""
    groups = [shown["texts"], *(level["texts"] for level in shown["levels"]), *shown["skills"].values()]
    return [case for group in groups for outcome in ("right", "wrong") for case in group[outcome]]


def reviews(shown: dict[str, Any]) -> list[tuple[dict[str, Any], bool]]:
    """Return every development review in the file, and whether the file counts it as right."""
    groups = [shown["reviews"], *(level["examples"] for level in shown["levels"])]
    return [(one, outcome == "right") for group in groups for outcome in group for one in group[outcome]]


def test_the_examples_of_the_docstrings_hold() -> None:
    found = doctest.testmod(page_cases)
    assert found.attempted and not found.failed


def test_a_band_beyond_a_level_leaves_that_level_out() -> None:
    assert page_cases.level_ends(0.85) == [(0.5, 0.85), (0.85, 0.95), (0.95, 1.0)]
    assert page_cases.level_ends(0.5)[0] == (0.5, 0.8)


def test_the_same_seed_chooses_the_same_cases_in_their_order() -> None:
    rows = list(range(100))
    first = page_cases.chosen(rows, 12, "reviews")
    assert first == page_cases.chosen(rows, 12, "reviews") == sorted(first)
    assert len(set(first)) == 12
    assert first != page_cases.chosen(rows, 12, "texts")
    assert page_cases.chosen(rows[:3], 12, "few") == [0, 1, 2]


def test_right_and_wrong_cases_never_mix() -> None:
    rows = [judged(number, number % 3 > 0) for number in range(60)]
    found = page_cases.by_outcome(rows, 12, "x")
    assert {int(one["id"]) % 3 > 0 for one in found["right"]} == {True}
    assert {int(one["id"]) % 3 > 0 for one in found["wrong"]} == {False}
    assert [len(found[outcome]) for outcome in ("right", "wrong")] == [12, 12]


def test_each_level_counts_its_own_reviews_and_the_last_one_the_surest() -> None:
    rows = [
        judged(number, True, probability) for number, probability in enumerate([0.5, 0.3, 0.8, 0.96, 1.0])
    ]
    counts = [page_cases._level(ends, rows, [])["reviews"] for ends in page_cases.level_ends(0.65)]
    assert counts == [1, 1, 1, 2]


def test_a_text_that_is_not_understood_is_never_a_case(model: inference.LoadedModel) -> None:
    assert page_cases.answer_of(model, "") is None
    assert page_cases.answer_of(model, "Ein wirklich wunderbarer Film, den man gesehen haben muss.") is None
    assert page_cases.answer_of(model, "A wonderful film.") is not None


def test_the_file_is_of_the_published_model(shown: dict[str, Any], model: inference.LoadedModel) -> None:
    assert shown["model"] == model.identity.id, f"run `{page_cases.COMMAND}`"
    assert shown["levels"][0]["to"] == model.identity.uncertain[1]


def test_every_text_is_of_the_open_half_and_word_for_word_ours(shown: dict[str, Any]) -> None:
    assert set(shown["skills"]) == {case["capability"] for case in CASES.values()}
    for case in own_texts(shown):
        own = CASES[case["id"]]
        assert own["half"] == "open"
        assert [one["text"] for one in case["texts"]] == [
            own[key] for key in ("review", "other") if key in own
        ]
        assert {key: case.get(key) for key in ("capability", "expect", "label")} == {
            key: own.get(key) for key in ("capability", "expect", "label")
        }


def test_the_model_answers_every_text_as_the_file_says(
    shown: dict[str, Any], model: inference.LoadedModel
) -> None:
    for case in own_texts(shown):
        for one in case["texts"]:
            answer = page_cases.answer_of(model, one["text"])
            assert answer is not None
            assert answer.probability == pytest.approx(one["probability"], abs=ABOUT), case["id"]


def test_a_text_stands_where_its_outcome_belongs(shown: dict[str, Any]) -> None:
    for name, group in shown["skills"].items():
        for outcome in ("right", "wrong"):
            for case in group[outcome]:
                first, last = case["texts"][0], case["texts"][-1]
                passed = behaviour.passes(CASES[case["id"]], first["probability"], last["probability"])
                assert passed == (outcome == "right"), f"{name}: {case['id']}"


def test_a_development_review_stands_by_its_number_alone(shown: dict[str, Any]) -> None:
    assert len(reviews(shown)) >= 2 * page_cases.REVIEWS
    for review, right in reviews(shown):
        assert set(review) == {"id", "label", "verdict", "probability"}
        assert (review["probability"] >= 0.5) == ((review["label"] == "positive") == right)


def test_texts_of_all_skills_are_short(shown: dict[str, Any]) -> None:
    for group in (shown["texts"], *(level["texts"] for level in shown["levels"])):
        for case in [*group["right"], *group["wrong"]]:
            assert len(case["texts"][0]["text"]) <= page_cases.MOST_CHARACTERS


@pytest.mark.slow
def test_the_model_answers_development_reviews_as_the_file_says(
    shown: dict[str, Any], model: inference.LoadedModel, imdb: Dataset
) -> None:
    development = imdb.development
    by_number = {Path(review.name).stem: review for review in development}
    assert len(by_number) == len(development)
    for review, _ in random.Random(0).sample(reviews(shown), SOME):
        found = by_number[review["id"]]
        assert review["label"] == ("positive" if found.label == 1 else "negative")
        answer = page_cases.answer_of(model, found.text)
        assert answer is not None
        assert answer.probability == pytest.approx(review["probability"], abs=ABOUT), review["id"]
    assert sum(level["reviews"] for level in shown["levels"]) <= len(development)
