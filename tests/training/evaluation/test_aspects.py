"""The aspects' exam: how answers are counted, and that the labelled mentions are sound."""

import json
import re
import sys
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.data.dataset import Dataset, Review, fold
from training.endpoint import inference
from training.evaluation import aspects, behaviour, significance
from training.evaluation.aspects import Answer, Case
from training.recipe import augment
from vocab import vocabulary
from vocab.aspect_lists import SHIPPED
from vocab.messages import parse_aspects
from vocab.text import clean

MENTION_KEYS = ["review", "aspect", "start", "end", "label", "half"]
SENTENCE_KEYS = ["text", "half", "mentions"]


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (aspects.FOLDER / name).read_text(encoding="utf-8").splitlines()]


MENTIONS, SENTENCES = rows("mentions.jsonl"), rows("products.jsonl")


@pytest.fixture(scope="module")
def development(imdb: Dataset) -> list[Review]:
    return imdb.development


@pytest.fixture(scope="module")
def cases(development: list[Review]) -> list[Case]:
    return aspects.load_cases(development)


def case(label: str, *, half: str = "open", kind: str = "film", against: bool = False) -> Case:
    return Case(kind, half, f"{label} {against}", "the music", "music", 4, 9, label, against)


def answers(clause: float, whole: float, vader: float = 0.5) -> dict[str, Answer]:
    """Return answers with these P(positive); between .4 and .6 they are uncertain."""

    def answer(probability: float) -> Answer:
        if 0.4 < probability < 0.6:
            return Answer(probability, "uncertain")
        return Answer(probability, "positive" if probability >= 0.5 else "negative")

    return {
        "clause": answer(clause),
        "alone": answer(0.9),
        "whole": answer(whole),
        "vader": answer(vader),
    }


# --- what is counted ----------------------------------------------------------------------------


def test_the_figures_are_those_counted_by_hand() -> None:
    table = {
        case("positive"): answers(0.9, 0.9, 0.45),
        case("negative"): answers(0.1, 0.2, 0.7),
        case("positive", against=True): answers(0.55, 0.1, 0.9),
        case("negative", against=True): answers(0.7, 0.9, 0.1),
        case("none"): answers(0.5, 0.9, 0.5),
    }
    others = [case("positive", half=half, kind=kind) for half in aspects.HALVES for kind in aspects.KINDS]
    read = {one: answers(0.9, 0.9) for one in others} | table
    found = aspects.measure(list(read), read.__getitem__)["open"]["film"]
    assert (found["mentions"], found["opinions"], found["groups"]) == (5, 4, 5)
    shares = {name: found[name]["accuracy"]["share"] for name in aspects.READERS}
    assert shares == {"clause": 0.75, "alone": 0.5, "whole": 0.5, "vader": 0.5}
    # .55 is right as a side, and uncertain as an answer; the mention without an opinion counts.
    three_way = {name: found[name]["three_way"]["share"] for name in aspects.READERS}
    assert three_way == {"clause": 0.6, "alone": 0.4, "whole": 0.4, "vader": 0.6}
    assert found["against"] == {"mentions": 2, "clause": 0.5, "alone": 0.5, "whole": 0.0, "vader": 1.0}
    gains = {name: gain["share"] for name, gain in found["gain"].items()}
    assert gains == {"alone": 0.25, "whole": 0.25, "vader": 0.25}


def test_a_share_has_an_interval_that_widens_with_groups() -> None:
    hits = np.array([True] * 30 + [False] * 10)
    share, (low, high) = significance.share(hits)
    assert share == 0.75 and 0.55 < low < 0.7 and 0.8 < high < 0.95
    _, (together_low, together_high) = significance.share(hits, np.arange(40) // 5)
    assert together_high - together_low > high - low


def test_the_term_of_a_case_leads_to_its_own_clause() -> None:
    text = "The music is lovely. The plot is dull, but the music of the end is loud."
    encoded = vocabulary.load().encode(text)
    at = text.rindex("music")
    mention = aspects.mention_of(encoded, Case("film", "open", "", text, "music", at, at + 5, "none", False))
    starts, ends = encoded.tokens.starts, encoded.tokens.ends
    assert text[starts[mention.first] : ends[mention.last - 1]] == "but the music of the end is loud."


def test_a_mention_that_is_not_read_is_refused() -> None:
    text = f"It is lovely. {'Nobody reads this. ' * 60}The music is loud. {'Nobody reads this. ' * 100}"
    encoded = vocabulary.load().encode(text)
    at = text.index("music")
    with pytest.raises(ValueError, match=f"music is not found at {at:,}"):
        aspects.mention_of(encoded, Case("film", "open", "", text, "music", at, at + 5, "none", False))


def test_a_half_without_mentions_is_refused() -> None:
    with pytest.raises(ValueError, match="open, product needs a mention with an opinion"):
        aspects.measure([case("positive"), case("none", kind="product")], lambda one: answers(0.9, 0.9))


def test_the_clause_is_judged_as_the_api_judges_the_aspect() -> None:
    model = inference.model_fn(inference.MODEL_FOLDER)
    text = "The music is lovely, but the plot is dull. I left early, and so did everybody else in the room."
    row = Case("film", "open", "", text, "music", 4, 9, "positive", True)
    read = aspects.reader_of(model, lambda clause: {"The music is lovely,": 0.6}[clause])(row)
    answer = model.answer(text, aspects=parse_aspects({"music": ["music"]}))
    assert read["clause"].probability == answer["aspects"]["music"]["probability"]
    assert read["alone"].probability == model.answer("The music is lovely,")["probability"]
    assert read["whole"].probability == answer["probability"]
    assert read["vader"] == Answer(0.8, "positive")


@pytest.mark.parametrize(
    ("compound", "sentiment"),
    [(0.0, "uncertain"), (0.04, "uncertain"), (0.05, "positive"), (-0.3, "negative")],
)
def test_vader_is_neutral_where_its_authors_say(compound: float, sentiment: str) -> None:
    model = inference.model_fn(inference.MODEL_FOLDER)
    read = aspects.reader_of(model, lambda clause: compound)(case("none"))
    assert read["vader"].sentiment == sentiment


# --- the cases ----------------------------------------------------------------------------------


def test_a_row_has_its_keys_and_known_values() -> None:
    for row in MENTIONS:
        assert list(row) == MENTION_KEYS
    for row in SENTENCES:
        assert list(row) == SENTENCE_KEYS and row["mentions"]
        for mention in row["mentions"]:
            assert list(mention) == MENTION_KEYS[1:-1]
    for row in (*MENTIONS, *SENTENCES):
        assert row["half"] in aspects.HALVES
    for row in (*MENTIONS, *(mention for sentence in SENTENCES for mention in sentence["mentions"])):
        assert row["label"] in aspects.LABELS and 0 <= row["start"] < row["end"]


def test_there_are_enough_mentions_of_each_label_in_each_half() -> None:
    assert len(MENTIONS) >= 400 and len(SENTENCES) >= 100
    films = Counter((row["half"], row["label"]) for row in MENTIONS)
    products = Counter((row["half"], mention["label"]) for row in SENTENCES for mention in row["mentions"])
    for half in aspects.HALVES:
        assert min(films[half, "positive"], films[half, "negative"]) >= 100 and films[half, "none"] >= 50
        assert min(products[half, "positive"], products[half, "negative"]) >= 40


def test_each_shipped_aspect_is_examined() -> None:
    films = {row["aspect"] for row in MENTIONS}
    products = {mention["aspect"] for row in SENTENCES for mention in row["mentions"]}
    assert films == SHIPPED["film"].keys()
    assert products == SHIPPED["product"].keys()


def test_a_mention_stands_in_a_development_review_and_is_whole_words(cases: list[Case]) -> None:
    for one in cases:
        assert 0 <= one.start < one.end <= len(one.text)
        around = f" {one.text} "[one.start : one.end + 2]
        assert around[1:-1].strip() == around[1:-1]
        assert not (around[0].isalnum() and around[1].isalnum()), one[4:]
        assert not (around[-1].isalnum() and around[-2].isalnum()), one[4:]
        assert clean(one.text) == one.text or one.kind == "film"


def test_no_film_and_no_sentence_is_in_both_halves(cases: list[Case]) -> None:
    halves: dict[str, set[str]] = defaultdict(set)
    for one in cases:
        halves[one.group].add(one.half)
    assert [group for group, both in halves.items() if len(both) > 1] == []
    assert len({row["text"] for row in SENTENCES}) == len(SENTENCES)


def test_no_review_has_two_mentions() -> None:
    assert len({row["review"] for row in MENTIONS}) == len(MENTIONS)


def test_every_mention_is_found_by_its_term(cases: list[Case]) -> None:
    words = vocabulary.load()
    for one in cases:
        mention = aspects.mention_of(words.encode(one.text), one)
        assert mention.first <= mention.term_first < mention.last


def test_a_case_is_against_its_review_or_its_sentence(cases: list[Case], development: list[Review]) -> None:
    labels = {clean(review.text): review.label for review in development}
    for one in cases:
        if one.kind == "film" and one.label != "none":
            assert one.against == ((one.label == "positive") != (labels[one.text] == 1))
    mixed = [one for one in cases if one.kind == "product" and one.against]
    assert {one.label for one in mixed} == {"positive", "negative"}


def test_no_product_sentence_is_a_lesson_or_a_behaviour_case() -> None:
    folded = {fold(row["text"]) for row in SENTENCES}
    assert not folded & {fold(text) for text, _ in islice(augment.lessons(1), 20_000)}
    assert not folded & {fold(row["review"]) for row in behaviour.load_cases()}


def test_the_readme_counts_the_cases() -> None:
    text = (aspects.FOLDER / "README.md").read_text(encoding="utf-8")
    stated = {
        label: tuple(map(int, numbers))
        for label, *numbers in re.findall(
            r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE
        )
    }
    counts = Counter(("film", row["half"], row["label"]) for row in MENTIONS)
    counts += Counter(
        ("product", row["half"], mention["label"]) for row in SENTENCES for mention in row["mentions"]
    )
    kinds = [(kind, half) for kind in aspects.KINDS for half in aspects.HALVES]
    found = {label: [counts[*kind, label] for kind in kinds] for label in aspects.LABELS}
    found["all"] = [sum(column) for column in zip(*found.values(), strict=True)]
    assert stated == {label: (*numbers, sum(numbers)) for label, numbers in found.items()}
    plain = " ".join(text.split())
    mixed = sum({"positive", "negative"} <= {one["label"] for one in row["mentions"]} for row in SENTENCES)
    mentions = sum(len(row["mentions"]) for row in SENTENCES)
    assert f"{len(MENTIONS) + mentions} mentions of aspects" in plain
    assert f"{len(MENTIONS)} stand in development reviews" in plain
    assert f"{mentions} stand in {len(SENTENCES)} product sentences" in plain
    assert f"{mixed} of them praise one aspect and fault another" in plain


# --- the lists ----------------------------------------------------------------------------------


def test_the_shipped_lists_are_valid_and_no_term_is_there_twice() -> None:
    for name, listed in SHIPPED.items():
        parsed = parse_aspects(name)
        assert [aspect.name for aspect in parsed] == list(listed)
        for aspect in parsed:
            assert len(set(aspect.terms)) == len(aspect.terms), (name, aspect.name)


@pytest.mark.parametrize(
    "text",
    [
        "In the end he ended up alone.",
        "It has a high score here.",
        "It is set in 1950 and he is located by a bear.",
        "They sound like people who act on a suspicion.",
        "I write this with a heavy heart.",
    ],
)
def test_a_word_of_another_sense_mentions_no_aspect_of_films(text: str) -> None:
    encoded = vocabulary.load().encode(text)
    found = aspects.find_mentions(encoded, parse_aspects("film"))
    assert not any(found)


# --- the command --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_prints_its_figures_and_publishes_them(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("model.json", "model.onnx"):
        (tmp_path / name).write_bytes((inference.MODEL_FOLDER / name).read_bytes())
    few = [*MENTIONS[::10]]
    (tmp_path / "mentions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in few), encoding="utf-8")
    (tmp_path / "products.jsonl").write_bytes((aspects.FOLDER / "products.jsonl").read_bytes())
    monkeypatch.setattr(aspects, "FOLDER", tmp_path)
    arguments = ["aspects", "--archive", str(archive), "--model", str(tmp_path), "--publish"]
    monkeypatch.setattr(sys, "argv", arguments)
    aspects.main()
    printed = capsys.readouterr().out
    found = json.loads(printed.splitlines()[-1])
    published = inference.model_fn(tmp_path).card["metrics"]["aspects"]
    assert published == {**found, "command": "python -m training.evaluation.aspects"}
    assert sum(found[half]["film"]["mentions"] for half in aspects.HALVES) == len(few)
    assert "held, product: 96 mentions, 90 with an opinion" in printed


def test_without_vader_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    monkeypatch.setattr(sys, "argv", ["aspects"])
    with pytest.raises(SystemExit, match="VADER is not installed: pip install -r requirements/baselines.txt"):
        aspects.main()
