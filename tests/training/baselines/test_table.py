"""The comparison: what a row holds, that calibration is fair, and the command on a tiny archive."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.baselines import table
from training.baselines.scorers import Baseline, BaselineMissing, TrainingSource
from training.data import dataset
from training.data.dataset import Review
from training.endpoint import inference
from training.evaluation import behaviour, metrics

ROOT = Path(__file__).resolve().parents[3]
KEYS = ["name", "how", "accuracy", "ece", "temperature", "contrast", "behaviour", "sentences"]
KEYS += ["ms_median", "mb"]


def review(text: str, label: int) -> Review:
    return Review("train/pos/0_9.txt", text, label, 0, "")


def case(capability: str, text: str, label: str = "positive") -> dict[str, Any]:
    return {
        "id": f"{capability}-1",
        "capability": capability,
        "half": "held",
        "expect": "label",
        "label": label,
        "review": text,
    }


def says_good(texts: Sequence[str]) -> list[float]:
    return [0.9 if "good" in text else 0.2 for text in texts]


GOOD_AND_BAD = [review("good", 1), review("bad", 0), review("a bad one", 1), review("so good", 1)]
TEXTS = table.EvaluationTexts(
    reviews=GOOD_AND_BAD,
    development=[review("good", 1), review("bad", 0)] * 15,
    cases=[
        case("contrast", "good"),
        case("expectation", "bad"),
        case("reported_opinion", "bad"),
        case("negation", "good"),
        case("sarcasm", "bad"),
    ],
    sentences=[
        {"text": "good", "half": "held", "label": "positive"},
        {"text": "bad", "half": "held", "label": "positive"},
    ],
)


@pytest.fixture
def baseline(tmp_path: Path) -> Baseline:
    (tmp_path / "weights").write_bytes(bytes(2_340_000))
    return Baseline("Words", says_good, (tmp_path / "weights",), "good is good")


# --- a row --------------------------------------------------------------------------------------


def test_a_row_holds_each_figure(baseline: Baseline) -> None:
    row = table.measure(baseline, TEXTS)
    assert list(row) == KEYS
    assert (row["name"], row["how"]) == ("Words", "good is good")
    assert row["accuracy"] == 0.75
    assert row["contrast"] == pytest.approx(1 / 3)
    assert row["behaviour"] == 0.5  # sarcasm stands apart
    assert row["sentences"] == 0.5
    assert row["mb"] == 2.3
    assert 0 <= row["ms_median"] < 50


def test_the_temperature_is_fitted_on_the_development_split_and_not_on_the_judged_one(
    baseline: Baseline,
) -> None:
    wrong = [review("good", 0), review("bad", 1)] * 15
    row, other = (table.measure(baseline, TEXTS._replace(reviews=judged)) for judged in (GOOD_AND_BAD, wrong))
    assert row["temperature"] == other["temperature"] < 1
    assert other["ece"] > 0.9


def test_the_calibration_error_is_after_the_temperature(baseline: Baseline) -> None:
    row = table.measure(baseline, TEXTS._replace(reviews=TEXTS.development))
    logits = np.log([9.0, 0.25] * 15)
    labels = np.array([1, 0] * 15)
    expected = metrics.probabilities_of(logits, row["temperature"])
    assert row["ece"] == pytest.approx(metrics.expected_calibration_error(expected, labels))
    assert row["ece"] < metrics.expected_calibration_error(metrics.probabilities_of(logits), labels)


def test_a_calibrated_baseline_is_taken_at_its_word(baseline: Baseline) -> None:
    row = table.measure(baseline._replace(calibrated=True), TEXTS)
    assert row["temperature"] is None
    probabilities = np.array(says_good([one.text for one in TEXTS.reviews]))
    labels = np.array([one.label for one in TEXTS.reviews])
    assert row["ece"] == pytest.approx(metrics.expected_calibration_error(probabilities, labels))


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_scores_of_any_scale_get_their_temperature(scale: float) -> None:
    chance = np.random.default_rng(1)
    logits = chance.normal(scale=2, size=5000)
    labels = (chance.random(5000) < metrics.probabilities_of(logits)).astype(int)
    assert table.temperature_of(scale * logits, labels) == pytest.approx(scale, rel=0.1)


def test_certainty_and_one_answer_for_all_have_figures_too(baseline: Baseline) -> None:
    sure = table.measure(baseline._replace(score=lambda texts: [1.0] * len(texts)), TEXTS)
    unsure = table.measure(baseline._replace(score=lambda texts: [0.5] * len(texts)), TEXTS)
    assert sure["accuracy"] == unsure["accuracy"] == 0.75
    assert np.isfinite([sure["ece"], sure["temperature"], unsure["ece"], unsure["temperature"]]).all()


def test_the_time_is_of_one_review_at_a_time(baseline: Baseline) -> None:
    asked: list[int] = []

    def score(texts: Sequence[str]) -> list[float]:
        asked.append(len(texts))
        return [0.5] * len(texts)

    table.milliseconds(baseline._replace(score=score), ["a"] * 1000)
    assert asked == [1] * (table.SPEED_WARM_UP + table.SPEED_REVIEWS)


# --- the rows together --------------------------------------------------------------------------


def test_a_baseline_that_can_t_be_had_is_a_row_and_stops_nobody(baseline: Baseline, tmp_path: Path) -> None:
    def missing(source: TrainingSource) -> Baseline:
        raise BaselineMissing("it is not installed: get it")

    rows = table.compare(
        {"Other": missing, "Words": lambda source: baseline}, TrainingSource(tmp_path), TEXTS
    )
    assert rows[0] == {"name": "Other", "missing": "it is not installed: get it"}
    assert rows[1]["name"] == "Words"
    head, other, words = table.table(rows).splitlines()
    assert other.split(maxsplit=1) == ["Other", "it is not installed: get it"]
    assert len(head) == len(words)


def test_a_baseline_is_closed_even_when_it_fails(baseline: Baseline, tmp_path: Path) -> None:
    closed = []

    class Failing(Baseline):
        def close(self) -> None:
            closed.append(self.name)

    failing = Failing("x", lambda texts: [], (), "")
    with pytest.raises(IndexError):
        table.compare({"x": lambda source: failing}, TrainingSource(tmp_path), TEXTS)
    assert closed == ["x"]


def test_the_table_marks_what_was_calibrated_here(baseline: Baseline) -> None:
    row = table.measure(baseline, TEXTS)
    own = {**row, "name": "Verdict", "temperature": None}
    _, marked, plain = table.table([row, own]).splitlines()
    assert f"{100 * row['ece']:.2f}%*" in marked
    assert "*" not in plain


def test_the_exam_takes_the_held_half_and_the_split(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"half": "open", "id": "a"}, {"half": "held", "id": "b"}]
    monkeypatch.setattr(behaviour, "load_cases", lambda: rows)
    monkeypatch.setattr(behaviour, "load_sentences", lambda reviews: rows if reviews == ["d"] else [])
    data = dataset.Dataset(["t"], ["d"], [], ["e1", "e2", "e3", "e4"], {})  # type: ignore[list-item]
    texts = table.load_texts(data, "test", limit=2)
    assert texts == (["e1", "e3"], ["d"], rows[1:], rows[1:])


def test_verdict_s_own_answers_are_the_served_ones(package: Path, model: inference.LoadedModel) -> None:
    own = table.model_of(package)(TrainingSource(package))
    assert own.score(["A lovely film."]) == [model.predict("A lovely film.")[1].probability]
    assert own.calibrated
    assert own.size() > model.card["onnx_bytes"]


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def tiny_texts(make_archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny archive with two development reviews, few cases, and one labelled sentence."""
    monkeypatch.setattr(dataset, "in_development", lambda film: film.endswith("/2"))
    row = {"text": "A good film.", "half": "held", "label": "positive"}
    monkeypatch.setattr(behaviour, "load_cases", lambda: TEXTS.cases)
    monkeypatch.setattr(behaviour, "load_sentences", lambda reviews: [row])
    return make_archive()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["table.py", *arguments])
    table.main()


def test_the_command_prints_a_table_and_the_json(
    tiny_texts: Path,
    own_package: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", "")  # no fasttext
    before = (own_package / "model.json").read_bytes()
    out = tmp_path / "out.json"
    given = ["--archive", str(tiny_texts), "--model", str(own_package), "--out", str(out), "--dry-run"]
    run(monkeypatch, *given)
    printed = capsys.readouterr().out
    figures = json.loads(printed[printed.index("\n{") :])
    assert figures == json.loads(out.read_text(encoding="utf-8"))
    quick = [name for key, name in table.NAMES.items() if key != table.SLOW]
    assert [row["name"] for row in figures["rows"]] == quick
    lacking = [row["name"] for row in figures["rows"] if "missing" in row]
    assert lacking == ["fastText"]
    assert all(list(row) == KEYS for row in figures["rows"] if "missing" not in row)
    assert figures["split"] == "test"
    assert printed.splitlines()[0].split() == "accuracy ECE contrast suite sentences ms MB".split()
    assert (own_package / "model.json").read_bytes() == before


@pytest.mark.parametrize(
    "given, slow",
    [([], False), (["--slow"], True), (["--only", "minilm"], True), (["--only", "vader", "--slow"], False)],
)
def test_the_slow_baseline_comes_when_it_is_asked_for(given: list[str], slow: bool) -> None:
    assert (table.SLOW in table.parse(given).only) == slow


def test_publishing_writes_the_rows_that_were_had(
    tiny_texts: Path, own_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    given = ["--archive", str(tiny_texts), "--model", str(own_package), "--only", "verdict", "fasttext"]
    run(monkeypatch, *given, "--split", "development", "--publish")
    card = json.loads((own_package / "model.json").read_text(encoding="utf-8"))
    found = card["metrics"]["peers"]
    assert [row["name"] for row in found["rows"]] == ["Verdict"]
    assert found["split"] == "development"
    assert found["machine"].startswith("1 core of ")
    assert found["command"] == "python -m training.baselines.table --split development"
    run(monkeypatch, *given[:-2], "vader", "--split", "development", "--publish")
    rows = json.loads((own_package / "model.json").read_text(encoding="utf-8"))["metrics"]["peers"]["rows"]
    assert [row["name"] for row in rows] == ["Verdict", "VADER"]
    assert rows[0] == {**found["rows"][0], "ms_median": None}


def test_only_the_times_are_measured_again(
    tiny_texts: Path, own_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--archive", str(tiny_texts), "--model", str(own_package)]
    path = own_package / "model.json"
    with pytest.raises(SystemExit, match="^baselines: no rows are published yet; "):
        run(monkeypatch, *given, "--speed")
    run(monkeypatch, *given, "--only", "verdict", "vader", "--split", "development", "--publish")
    first = json.loads(path.read_text(encoding="utf-8"))["metrics"]["peers"]
    monkeypatch.setattr(table, "milliseconds", lambda baseline, reviews: 7.0)
    run(monkeypatch, *given, "--speed", "--publish")
    second = json.loads(path.read_text(encoding="utf-8"))["metrics"]["peers"]
    assert second == {**first, "rows": [{**row, "ms_median": 7.0} for row in first["rows"]]}
    run(monkeypatch, *given, "--only", "vader", "--speed", "--publish")
    third = json.loads(path.read_text(encoding="utf-8"))["metrics"]["peers"]
    assert [(row["name"], row["ms_median"]) for row in third["rows"]] == [("Verdict", None), ("VADER", 7.0)]


def test_a_trial_run_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "--dry-run", "--publish")
    assert ended.value.code == 2


def test_a_missing_archive_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="^baselines: no IMDb archive at /nowhere.tar.gz; "):
        run(monkeypatch, "--archive", "/nowhere.tar.gz")


def test_a_missing_model_is_one_sentence(
    tiny_texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match=r"^baselines: .*model.json can't be read"):
        run(monkeypatch, "--archive", str(tiny_texts), "--model", str(tmp_path / "none"))


def test_an_unknown_baseline_is_told_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.baselines.table", "--only", "bert"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "bert" in done.stderr and all(name in done.stderr for name in table.NAMES)
