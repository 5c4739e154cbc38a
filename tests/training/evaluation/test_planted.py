"""Whether a sentence's contribution has its own sign, asked of predictors whose answer is known by hand."""

import doctest
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from training.data import dataset
from training.endpoint import inference
from training.evaluation import behaviour, planted
from training.evaluation.planted import Prediction, Row
from vocab import vocabulary

WORDS = vocabulary.load()
HALVES_AND_LABELS = [(half, label) for half in behaviour.HALVES for label in planted.LABELS]
POOL = [
    {"text": f"An {half} and {label} sentence, number {number}.", "half": half, "label": label}
    for half, label in HALVES_AND_LABELS
    for number in range(30)
]
LABEL = {one["text"]: one["label"] for one in POOL}
HALF = {one["text"]: one["half"] for one in POOL}


def verdict(contributions: Sequence[float]) -> str:
    return "positive" if sum(contributions) >= 0 else "negative"


def perfect(texts: Sequence[str]) -> Prediction:
    """Return the sign of each sentence's label."""
    found = [1.0 if LABEL[text] == "positive" else -1.0 for text in texts]
    return Prediction(found, verdict(found))


def inverted(texts: Sequence[str]) -> Prediction:
    """Return the sign that is not the label's, for each sentence."""
    found = [-one for one in perfect(texts).contributions]
    return Prediction(found, verdict(found))


def follower(texts: Sequence[str]) -> Prediction:
    """Return the majority's sign for each sentence."""
    found = perfect(texts).contributions
    return Prediction([sum(found)] * len(found), verdict(found))


def shares(found: dict[str, Any]) -> dict[str, float]:
    parts = {"planted": found["planted"], "agreeing": found["agreeing"], **found["two_planted"]}
    return {name: part["share"] for name, part in parts.items()}


def test_the_example_of_the_docstring_holds() -> None:
    found = doctest.testmod(planted)
    assert found.attempted and not found.failed


# --- what is measured ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predict", "right", "winner"),
    [
        (perfect, (1.0, 1.0), "majority"),
        (inverted, (0.0, 0.0), "minority"),
        (follower, (0.0, 1.0), "majority"),
    ],
)
def test_the_shares_of_a_known_predictor_are_those_by_hand(
    predict: planted.Predict, right: tuple[float, float], winner: str
) -> None:
    found = planted.measure(planted.draw(POOL, 6), predict)
    verdicts = {"minority": 0.0, "majority": 0.0, "uncertain": 0.0, winner: 1.0}
    assert list(found) == list(behaviour.HALVES)
    for figures in found.values():
        assert shares(figures) == {"planted": right[0], "agreeing": right[1], **verdicts}
        assert figures["planted"] == {"count": 18, "share": right[0], "standard_error": 0.0}
        assert figures["agreeing"]["count"] == 72
        assert figures["two_planted"][winner]["count"] == 6


def test_a_verdict_that_is_uncertain_is_no_side_s() -> None:
    found = planted.measure(planted.draw(POOL, 2), lambda texts: Prediction([0.0] * 5, "uncertain"))
    assert shares(found["held"]) == {
        "planted": 0.0,
        "agreeing": 0.0,  # a contribution of nothing has nobody's sign
        "minority": 0.0,
        "majority": 0.0,
        "uncertain": 1.0,
    }


def row(labels: str, majority: str) -> Row:
    """Return a row with a label for each sign."""
    named = {"+": "positive", "-": "negative"}
    return Row("open", named[majority], tuple(labels), tuple(named[sign] for sign in labels))


def test_shares_and_standard_errors_are_counted_over_sentences_and_over_reviews() -> None:
    rows = [row("++--+", "+"), row("--+-+", "-"), row("-+++-", "+"), row("+----", "-"), row("+++++", "+")]
    # Every sentence pulls to positive: right are both planted ones of the second row, and that of the fourth.
    found = planted.measure(rows, lambda texts: Prediction([0.5] * 5, "positive"))["open"]
    assert found["planted"] == {
        "count": 7,
        "share": 3 / 7,
        "standard_error": pytest.approx(math.sqrt(3 / 7 * 4 / 7 / 7)),
    }
    assert found["agreeing"]["count"] == 18
    assert found["agreeing"]["share"] == 11 / 18
    assert found["two_planted"]["minority"] == {
        "count": 3,
        "share": 1 / 3,
        "standard_error": pytest.approx(math.sqrt(2 / 27)),
    }
    assert found["two_planted"]["majority"]["share"] == 2 / 3
    json.dumps(found, allow_nan=False)


def test_without_two_planted_sentences_there_is_no_figure() -> None:
    with pytest.raises(ValueError, match="^each half needs a review with two planted sentences$"):
        planted.measure([row("+----", "-")], lambda texts: Prediction([0.5] * 5, "positive"))


def test_the_table_has_a_column_a_half() -> None:
    lines = planted.table(planted.measure(planted.draw(POOL, 2), follower)).splitlines()
    assert lines[0].split() == ["open", "held"]
    ends = [line[34:].split() for line in lines[1:]]
    assert ends == [[share, "%", "±", "0.0"] * 2 for share in ("0.0", "100.0", "0.0", "100.0", "0.0")]
    assert len(set(map(len, lines))) == 1


# --- the draw -----------------------------------------------------------------------------------


def test_a_seed_draws_the_same_reviews_again() -> None:
    assert planted.draw(POOL, 7) == planted.draw(POOL, 7)
    assert planted.draw(POOL, 7, seed=2) != planted.draw(POOL, 7, seed=3)


def test_each_review_has_five_sentences_of_one_half_and_the_planted_ones_asked_for() -> None:
    rows = planted.draw(POOL, 40)
    assert Counter((one.half, one.planted, one.majority) for one in rows) == {
        (half, count, label): 20 for half, label in HALVES_AND_LABELS for count in planted.PLANTED
    }
    for one in rows:
        assert len(one.texts) == len(set(one.texts)) == 5
        assert {HALF[text] for text in one.texts} == {one.half}
        assert [LABEL[text] for text in one.texts] == list(one.labels)


def test_majorities_alternate() -> None:
    rows = planted.draw(POOL, 10)
    assert [one.majority for one in rows] == ["positive", "negative"] * 30


@pytest.mark.parametrize("agrees", [True, False])
def test_each_sentence_is_planted_as_often_as_others_of_its_half_and_label_and_agrees_as_often(
    agrees: bool,
) -> None:
    uses: Counter[str] = Counter()
    for one in planted.draw(POOL, 41):
        pairs = zip(one.texts, one.labels, strict=True)
        uses.update(text for text, label in pairs if (label == one.majority) is agrees)
    for half, label in HALVES_AND_LABELS:
        counts = [uses[text] for text in LABEL if (HALF[text], LABEL[text]) == (half, label)]
        assert min(counts) > 0
        assert max(counts) - min(counts) <= 1


def test_a_planted_sentence_stands_anywhere_alike() -> None:
    places = Counter(
        place
        for one in planted.draw(POOL, 300)
        for place, label in enumerate(one.labels)
        if label != one.majority
    )
    # 1,800 places: 360 each, with a standard deviation of 17.
    assert places.keys() == set(range(5))
    assert all(abs(count - 360) < 60 for count in places.values())


def test_a_sentence_that_would_join_the_next_one_is_left_out() -> None:
    joining = [{**POOL[0], "text": text} for text in ("It is so good", "It is so good...", "It is no.")]
    assert not [one for one in joining if planted.ends_clearly(one["text"])]
    assert planted.draw([*joining, *POOL], 20) == planted.draw(POOL, 20)


def test_too_few_sentences_are_one_sentence() -> None:
    few = [one for one in POOL if one["label"] == "positive"] + POOL[30:34]
    with pytest.raises(ValueError, match="^each half and label needs 5 sentences, got 4$"):
        planted.draw(few, 1)


# --- contributions of sentences -----------------------------------------------------------------


def summed(texts: Sequence[str], review: str) -> list[float]:
    """Sum contributions of 1, 2, 4, 8 ... over the texts, so that each sentence's place shows."""
    encoded = WORDS.encode(review)
    return planted.sum_by_text(texts, encoded, [2.0**index for index in range(len(encoded.sentences))])


def test_each_sentence_counts_for_its_own_text() -> None:
    texts = ["So good!", "Bad.", "A film"]
    assert summed(texts, "So good! Bad. A film") == [0b1, 0b10, 0b100]


def test_a_text_that_the_splitter_cuts_counts_whole() -> None:
    assert summed(["So good! Is it?", "Bad."], "So good! Is it? Bad.") == [0b11, 0b100]


@pytest.mark.parametrize(
    ("texts", "review"), [(["Good.", "Bad."], "Good. Bad"), (["a " * 500 + "b.", "c."], "a " * 500 + "b. c.")]
)
def test_a_review_of_other_words_or_not_read_whole_is_refused(texts: list[str], review: str) -> None:
    with pytest.raises(ValueError, match="^the encoded review is not the whole of its 2 sentences$"):
        summed(texts, review)


def test_sentences_that_are_read_as_one_are_refused() -> None:
    with pytest.raises(ValueError, match="^sentences 2 and 3 of 3 are read as one$"):
        summed(["Good.", "So bad", "so long."], "Good. So bad so long.")


def test_the_served_model_s_sentences_add_up_to_its_logit(model: inference.LoadedModel) -> None:
    texts = planted.draw(POOL, 1)[0].texts
    found = planted.predictor_of(model)(texts)
    score = model.predict(" ".join(texts))[1]
    assert len(found.contributions) == 5
    assert math.fsum([score.bias, *found.contributions]) == pytest.approx(score.logit)
    (answer,) = inference.predict_fn(
        inference.input_fn(json.dumps({"reviews": [{"review": " ".join(texts)}]}), "application/json"), model
    )["answers"]
    assert found.sentiment == answer["sentiment"]


# --- the script ---------------------------------------------------------------------------------


def run_main(monkeypatch: pytest.MonkeyPatch, model: Path, *flags: str) -> None:
    monkeypatch.setattr(dataset, "find_archive", lambda given: Path("archive"))
    monkeypatch.setattr(dataset, "load", lambda archive: dataset.Dataset([], [], [], [], {}))
    monkeypatch.setattr(behaviour, "load_sentences", lambda reviews: POOL)
    monkeypatch.setattr(sys, "argv", ["planted.py", "--model", str(model), *flags])
    planted.main()


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))["metrics"]


@pytest.mark.parametrize(
    ("flags", "command"),
    [
        ((), "python -m training.evaluation.planted"),
        (("--reviews", "2"), "python -m training.evaluation.planted --reviews 2"),
    ],
)
def test_figures_are_published_with_the_command_that_gives_them_again(
    flags: tuple[str, ...],
    command: str,
    own_package: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(planted, "predictor_of", lambda model: perfect)
    run_main(monkeypatch, own_package, *flags)
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics_of(own_package) == {}
    run_main(monkeypatch, own_package, *flags, "--publish")
    assert metrics_of(own_package) == {"planted": {**printed, "command": command}}


def test_no_reviews_can_t_be_asked_for(monkeypatch: pytest.MonkeyPatch, own_package: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        run_main(monkeypatch, own_package, "--reviews", "0")
    assert caught.value.code == 2


def test_a_missing_model_ends_the_script_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=r"^planted: .*none/model.json can't be read"):
        run_main(monkeypatch, tmp_path / "none")


def test_real_sentences_are_measured_on_a_few_reviews(
    archive: Path, package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--archive", str(archive), "--model", str(package), "--reviews", "10"]
    monkeypatch.setattr(sys, "argv", ["planted.py", *flags])
    planted.main()
    *lines, printed = capsys.readouterr().out.splitlines()
    found = json.loads(printed)
    assert lines == planted.table(found).splitlines()
    assert list(found) == list(behaviour.HALVES)
    for figures in found.values():
        assert figures["planted"]["count"] == 30
        assert figures["agreeing"]["count"] == 120
        verdicts = figures["two_planted"]
        assert {part["count"] for part in verdicts.values()} == {10}
        assert sum(part["share"] for part in verdicts.values()) == pytest.approx(1)
