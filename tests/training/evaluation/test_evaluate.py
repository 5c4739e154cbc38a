"""The judge of the published model: figures of a CSV or a split, bad files named, only metrics published."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.data import dataset
from training.endpoint import inference
from training.evaluation import evaluate

ROOT = Path(__file__).resolve().parents[3]

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "labels.json").read_text(encoding="utf-8"))


def write(path: Path, rows: list[tuple[str, str]], header: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([header, *rows])
    return path


def judged(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "training.evaluation.evaluate", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def refused(*flags: str) -> str:
    """Run the script where it should refuse; return its one sentence."""
    done = judged(*flags)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


# --- figures ------------------------------------------------------------------------------------


def test_a_csv_is_judged_row_by_row_in_its_order(
    tmp_path: Path, package: Path, model: inference.LoadedModel
) -> None:
    # More than two pieces, so that two processes share them; three labels are wrong.
    texts = [f"{'Good, lovely' if n % 3 else 'Bad, dull'} film, take {n}." for n in range(520)]
    truth = [model.predict(text)[1].probability >= 0.5 for text in texts]
    labels = [not right if n in (0, 255, 519) else right for n, right in enumerate(truth)]
    path = write(
        tmp_path / "reviews.csv",
        [(text, "positive" if label else "negative") for text, label in zip(texts, labels, strict=True)],
    )
    done = judged("--csv", str(path), "--model", str(package), "--workers", "2")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["reviews"] == 520
    assert figures["accuracy"] == pytest.approx(517 / 520)
    expected = np.array([model.predict(text)[1].probability for text in texts])
    assert figures["brier"] == pytest.approx(np.mean((expected - np.array(labels)) ** 2), abs=1e-5)
    assert [row["reviews"] for row in figures["by_length"]] == [130] * 4


def test_a_csv_of_one_row_is_judged(tmp_path: Path, package: Path) -> None:
    path = write(tmp_path / "one.csv", [("A lovely, warm, wonderful film.", "1")])
    done = judged("--csv", str(path), "--model", str(package), "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reviews"] == 1


def test_a_row_without_a_token_is_counted_as_unread(tmp_path: Path, package: Path) -> None:
    path = write(tmp_path / "two.csv", [("<br />", "0"), ("A lovely film.", "1")])
    done = judged("--csv", str(path), "--model", str(package), "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unread"] == 1


# --- CSV files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "label"),
    [("positive", 1), ("NEGATIVE", 0), ("pos", 1), ("neg", 0), ("1", 1), (" 0 ", 0)],
)
def test_a_label_may_be_written_in_several_ways(written: str, label: int, tmp_path: Path) -> None:
    assert evaluate.read_csv(write(tmp_path / "a.csv", [("Fine.", written)]))[1].tolist() == [label]


@pytest.mark.parametrize(
    "case",
    [case for case in GOLDEN["columns"] if "positive" in case["meaning"] or "negative" in case["meaning"]],
    ids=lambda case: case["why"],
)
def test_a_file_has_the_labels_that_the_page_and_the_command_read(
    case: dict[str, Any], tmp_path: Path
) -> None:
    rows = [(f"Text {at}", cell) for at, cell in enumerate(case["cells"])]
    sides = [(f"Text {at}", int(name == "positive")) for at, name in enumerate(case["meaning"]) if name]
    read = evaluate.read_csv(write(tmp_path / "a.csv", rows))
    assert list(zip(read.texts, read.labels.tolist(), strict=True)) == sides
    assert read.left_out == len(rows) - len(sides)


def test_rows_without_a_side_are_left_out_and_counted(tmp_path: Path, package: Path) -> None:
    rows = [("A lovely film.", "5"), ("A film.", "3"), ("A film.", "")]
    done = judged("--csv", str(write(tmp_path / "a.csv", rows)), "--model", str(package), "--workers", "1")
    assert json.loads(done.stdout)["reviews"] == 1
    assert "evaluate: left out 2 rows without a side\n" in done.stderr


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (["", " "], "no row has a label"),
        (["neutral", ""], "has no row that is positive or negative"),
    ],
)
def test_a_file_without_a_side_is_refused(labels: list[str], problem: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("Fine.", label) for label in labels])
    with pytest.raises(ValueError, match=problem):
        evaluate.read_csv(path)


def test_texts_keep_quotes_commas_lines_and_letters_and_other_columns_are_ignored(tmp_path: Path) -> None:
    text = 'He said: "naïve,\nbut good" — 喜'
    path = write(tmp_path / "a.csv", [("7", text, "1")], header=("stars", "text", "label"))
    assert evaluate.read_csv(path)[0] == [text]


def test_a_file_as_excel_writes_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbftext,label\r\nFine.,1\r\n")
    assert evaluate.read_csv(path)[0] == ["Fine."]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "needs one column text and one column label, is empty"),
        (b"text,label\n", "holds no row"),
        (b"review,label\nFine.,1\n", "needs one column text and one column label, has 'review', 'label'"),
        (b"text,label,text\nFine.,1,x\n", "needs one column text and one column label, has 'text', "),
        (
            b"text,label\nFine.,1\nFine.,maybe\n",
            "line 3: a label is positive, negative, pos, neg, 1 or 0, got 'maybe'",
        ),
        (
            b"text,label\nFine., they said so\n",
            "line 2: a label is positive, negative, pos, neg, 1 or 0, got 13",
        ),
        (b"text,label\nFine.\n", "line 2: the row has fewer cells than the header"),
        (b"label,text\n1\n", "line 2: the row has fewer cells than the header"),
        (b"text,label\nFine, really,1\n", "line 2: the row has more cells than the header"),
        (b"text,label\n\xff\xfe,1\n", "is no CSV in UTF-8"),
        (b"text,label\n" + b"x" * 10_000_001 + b",1\n", "can't be read as CSV: field larger than field"),
    ],
    ids=[
        "empty",
        "no row",
        "columns",
        "columns twice",
        "label",
        "a text for a label",
        "no label",
        "no text",
        "a comma in the text",
        "bytes",
        "huge",
    ],
)
def test_a_file_that_can_t_be_used_is_named_with_what_is_wrong(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        evaluate.read_csv(path)
    assert str(caught.value).startswith(f"{path} {problem}")


def test_a_csv_with_wrong_columns_ends_the_script_with_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("Fine.", "1")], header=("review", "sentiment"))
    assert refused("--csv", str(path)) == (
        f"evaluate: {path} needs one column text and one column label, has 'review', 'sentiment'\n"
    )


def test_a_missing_csv_ends_the_script_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    assert refused("--csv", str(path)) == f"evaluate: {path}: No such file or directory\n"


def test_a_missing_model_ends_the_script_with_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("Fine.", "1")])
    found = refused("--csv", str(path), "--model", str(tmp_path / "none"))
    assert found.startswith(f"evaluate: {tmp_path / 'none' / 'model.json'} can't be read")


def test_a_missing_archive_ends_the_script_with_one_sentence() -> None:
    assert refused("--archive", "/nowhere.tar.gz").startswith(
        "evaluate: no IMDb archive at /nowhere.tar.gz; "
    )


# --- publishing ---------------------------------------------------------------------------------


def card_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))


def test_publishing_writes_that_split_s_metrics_and_nothing_else(own_package: Path) -> None:
    before = card_of(own_package)
    network = (own_package / "model.onnx").read_bytes()
    evaluate.publish(own_package, "development", {"accuracy": 0.5}, "make one")
    evaluate.publish(own_package, "test", {"accuracy": 0.9}, "make other")
    after = card_of(own_package)
    assert after.pop("metrics") == {
        "development": {"accuracy": 0.5, "command": "make one"},
        "test": {"accuracy": 0.9, "command": "make other"},
    }
    assert before | {"metrics": None} == after | {"metrics": None}
    assert (own_package / "model.onnx").read_bytes() == network
    assert {path.name for path in own_package.iterdir()} == {"model.json", "model.onnx"}
    assert inference.model_fn(own_package)


def test_figures_that_are_no_numbers_are_not_published(own_package: Path) -> None:
    before = (own_package / "model.json").read_bytes()
    with pytest.raises(ValueError):
        evaluate.publish(own_package, "test", {"accuracy": float("nan")}, "make it")
    assert (own_package / "model.json").read_bytes() == before


def run_main(monkeypatch: pytest.MonkeyPatch, *flags: str) -> list[Any]:
    """Run main() on a split of two reviews with a stand-in for measure; return its arguments."""
    handed: list[Any] = []

    def measure(texts: list[str], labels: np.ndarray, model: Path, workers: int) -> dict[str, Any]:
        handed.append((list(texts), labels.tolist(), model))
        return {"accuracy": 0.75}

    def review(text: str, label: int) -> dataset.Review:
        return dataset.Review("x", text, label, 9, "film")

    data = dataset.Dataset([], [review("developed", 0)], [], [review("one", 1), review("two", 0)], {})
    monkeypatch.setattr(evaluate, "measure", measure)
    monkeypatch.setattr(dataset, "find_archive", lambda given: Path("archive"))
    monkeypatch.setattr(dataset, "load", lambda archive: data)
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *flags])
    evaluate.main()
    return handed


def test_the_split_that_is_asked_for_is_judged_and_published(
    own_package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--split", "test", "--model", str(own_package))
    assert run_main(monkeypatch, *flags, "--publish") == [(["one", "two"], [1, 0], own_package)]
    assert json.loads(capsys.readouterr().out) == {"accuracy": 0.75}
    assert card_of(own_package)["metrics"] == {
        "test": {"accuracy": 0.75, "command": "python -m training.evaluation.evaluate --split test"}
    }


def test_nothing_is_published_unasked_nor_from_a_csv(
    own_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (own_package / "model.json").read_bytes()
    run_main(monkeypatch, "--split", "development", "--model", str(own_package))
    path = write(tmp_path / "a.csv", [("Fine.", "1")])
    run_main(monkeypatch, "--csv", str(path), "--model", str(own_package), "--publish")
    assert (own_package / "model.json").read_bytes() == before


def test_a_card_too_large_to_be_sent_around_is_not_published(own_package: Path) -> None:
    before = (own_package / "model.json").read_bytes()
    with pytest.raises(
        ValueError, match=r"model.json would have \d\d,\d{3} bytes; a card has at most 64,000"
    ):
        evaluate.publish(own_package, "test", {"note": "x" * evaluate.MAX_CARD_BYTES}, "make it")
    assert (own_package / "model.json").read_bytes() == before


# --- what is asked beside accuracy --------------------------------------------------------------


def test_a_judgement_holds_every_figure_of_the_card(package: Path, model: inference.LoadedModel) -> None:
    texts = [
        "Not a good film, and nobody could save it.",
        "A lovely, warm, wonderful film.",
        "Dull, dull, dull.",
        "It wasnt bad, I never looked at the clock.",
        "<br />",
    ]
    found = evaluate.measure(texts, np.array([0, 1, 0, 1, 0]), package, 1)
    assert found["unread"] == 1
    assert [row["share"] for row in found["risk_coverage"]] == list(evaluate.metrics.SHARES)
    assert (found["reviews"], sum(found["confusion"].values())) == (4, 4)
    assert found["ece_worst_quarter"] == max(row["ece"] for row in found["by_length"])
    assert {row["negators"]: row["reviews"] for row in found["by_negation"]} == {
        "none": 2,
        "few": 1,
        "some": 1,
    }
    json.dumps(found, allow_nan=False)


def test_texts_that_can_t_be_read_are_neither_right_nor_wrong(package: Path) -> None:
    good, bad = "A lovely, warm, wonderful film.", "Dull, dull, dull, and a waste of time."
    read = evaluate.measure([good, bad], np.array([1, 0]), package, 1)
    for label in (0, 1):
        found = evaluate.measure([good, "", bad, "<br />"], np.array([1, label, 0, label]), package, 1)
        assert found == {**read, "unread": 2}
    with pytest.raises(ValueError, match="none of the 2 texts holds a word or sign"):
        evaluate.measure(["", " "], np.array([1, 1]), package, 1)


@pytest.mark.parametrize(
    ("review", "negators"),
    [
        ("Not bad, not good, never dull.", 3),
        ("It isn't much, and it wasnt long.", 2),
        ("Nobody laughed; hardly anybody stayed without pain.", 3),
        ("A knot, a note, nothingness and another notion.", 0),
    ],
)
def test_negators_are_counted_with_and_without_an_apostrophe(
    review: str, negators: int, package: Path
) -> None:
    assert evaluate.score_texts([review], package, 1).negators.tolist() == [negators]


def test_reviews_are_cut_after_so_many_tokens_and_shorter_ones_left_out() -> None:
    texts = ["one two three four five", "six seven", "I don't know it", "eight nine ten"]
    assert evaluate.reviews_of_length(texts, 3, 9) == ["one two three", "I don't", "eight nine ten"]
    assert evaluate.reviews_of_length(texts, 3, 1) == ["one two three"]


def test_the_speed_is_that_of_explained_answers_to_reviews_of_230_tokens(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = evaluate.messages.build_answer

    def build_answer(encoded: Any, scored: Any, *rest: Any) -> Any:
        asked.append((len(encoded.ids), len(scored.sentences)))
        return real(encoded, scored, *rest)

    monkeypatch.setattr(evaluate.messages, "build_answer", build_answer)
    monkeypatch.setattr(evaluate, "SPEED_REVIEWS", 4)
    found = evaluate.speed(["good " * 300, "bad", "dull " * 400], package)
    # Both are read twice: as warm-up, and on the clock.
    assert asked == [(evaluate.SPEED_TOKENS, 1)] * 4
    assert (found["tokens"], found["reviews"]) == (230, 2)
    assert found["ms_median_network"] > 0
    assert 0 < found["ms_median"] <= found["ms_p95"]
    assert found["onnx_bytes"] == (package / "model.onnx").stat().st_size
    assert found["machine"].startswith("1 core of ")


def test_no_speed_is_told_without_a_review_that_is_long_enough(package: Path) -> None:
    with pytest.raises(ValueError, match="^no review has 230 tokens$"):
        evaluate.speed(["short"], package)


def test_the_speed_is_asked_of_the_development_split_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate.py", "--speed", "--split", "test"])
    with pytest.raises(SystemExit) as caught:
        evaluate.main()
    assert caught.value.code == 2
    assert "--speed is measured on the development split" in capsys.readouterr().err


def test_the_speed_is_published_under_its_own_name(
    own_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "speed", lambda texts, model: {"reviews": len(texts)})
    handed = run_main(
        monkeypatch, "--split", "development", "--speed", "--model", str(own_package), "--publish"
    )
    assert handed == []
    assert card_of(own_package)["metrics"] == {
        "speed": {"reviews": 1, "command": "python -m training.evaluation.evaluate --speed"}
    }
