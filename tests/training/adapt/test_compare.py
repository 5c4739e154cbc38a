"""Compare two models: which is right more often, where they differ, and texts only on request."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.adapt import compare
from training.adapt.onnx_head import Head, read_head, with_head
from training.endpoint import inference, model_folder
from training.files import labelled

TEXTS = [f"The {thing} is {how}, says Frobisher." for thing in "lamp sofa tent knife".split() for how in "ab"]


def run(*flags: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "training.adapt.compare", *map(str, flags)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def pair(own_package: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two models: the second answers the opposite of the first."""
    network = (own_package / "model.onnx").read_bytes()
    head = read_head(network)
    for name, times in (("one", 100), ("other", -100)):  # far stronger than the n-grams, which both share
        data = with_head(network, Head(times * head.weights, times * head.bias))
        card = json.loads((own_package / "model.json").read_text(encoding="utf-8"))
        card |= model_folder.identity_of(data)
        model_folder.write_package(tmp_path / name, data, card)
    return tmp_path / "one", tmp_path / "other"


@pytest.fixture
def file(pair: tuple[Path, Path], tmp_path: Path) -> Path:
    """Reviews of which the first model is right on all but one."""
    loaded = inference.model_fn(pair[0])
    sides = [loaded.predict(text)[1].probability >= 0.5 for text in TEXTS]
    labels = [side if number else not side for number, side in enumerate(sides)]
    path = tmp_path / "held.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("text", "label"), *zip(TEXTS, map(int, labels), strict=True)])
    return path


def test_each_model_is_judged_as_it_serves(pair: tuple[Path, Path], file: Path) -> None:
    compared = compare.compare(labelled.read(file), *pair, workers=1)
    for model, probabilities in zip(pair, (compared.before, compared.after), strict=True):
        loaded = inference.model_fn(model)
        assert probabilities.tolist() == [loaded.predict(text)[1].probability for text in TEXTS]
    assert compared.figures["accuracy"].before == pytest.approx(7 / 8)
    assert compared.figures["accuracy"].after == pytest.approx(1 / 8)


def test_rows_on_which_they_differ_are_told_by_number_and_not_by_text(
    pair: tuple[Path, Path], file: Path, tmp_path: Path
) -> None:
    done = run(*pair, file, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "differ on 8 reviews" in done.stdout
    assert "row 1: " in done.stdout and "row 8: " in done.stdout
    assert "only the first is right on 7 reviews, only the second on 1" in done.stdout
    assert "Frobisher" not in done.stdout + done.stderr


def test_texts_are_shown_when_asked_for(pair: tuple[Path, Path], file: Path, tmp_path: Path) -> None:
    assert TEXTS[3] in run(*pair, file, "--texts", cwd=tmp_path).stdout


def test_the_rows_and_texts_on_which_they_differ_are_written_where_asked(
    pair: tuple[Path, Path], file: Path, tmp_path: Path
) -> None:
    assert run(*pair, file, "--out", "differ.csv", cwd=tmp_path).returncode == 0
    with (tmp_path / "differ.csv").open(encoding="utf-8", newline="") as out:
        rows = list(csv.DictReader(out))
    assert [row["text"] for row in rows] == TEXTS
    assert [int(row["row"]) for row in rows] == list(range(1, 9))
    sides = np.array(
        [[float(row["probability_1"]) >= 0.5, float(row["probability_2"]) >= 0.5] for row in rows]
    )
    assert (sides[:, 0] != sides[:, 1]).all()


def test_the_texts_that_are_written_are_no_formulas_unless_asked_for(
    pair: tuple[Path, Path], file: Path
) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("The ", "=The "), encoding="utf-8")
    compared = compare.compare(labelled.read(file), *pair, workers=1)
    for raw, start in ((False, "'="), (True, "=")):
        rows = list(csv.DictReader(io.StringIO(compare._as_csv(compared, raw).decode(), newline="")))
        assert rows and all(row["text"].startswith(start) for row in rows)


def test_a_model_beside_itself_is_no_different(pair: tuple[Path, Path], file: Path, tmp_path: Path) -> None:
    done = run(pair[0], pair[0], file, cwd=tmp_path)
    assert "the second is no different" in done.stdout
    assert "differ on 0 reviews" in done.stdout


def test_a_text_without_a_word_is_left_out_and_counted(pair: tuple[Path, Path], file: Path) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write("<br>,1\n")
    compared = compare.compare(labelled.read(file), *pair, workers=1)
    assert len(compared.before) == 8
    assert compared.rows.counts["no_token"] == 1


def test_a_model_that_has_learned_from_the_file_is_named(
    pair: tuple[Path, Path], file: Path, tmp_path: Path
) -> None:
    card = json.loads((pair[1] / "model.json").read_text(encoding="utf-8"))
    card["adaptation"] = {"data": {"sha256": compare.sha256_of(file)}}
    model_folder.write_package(pair[1], (pair[1] / "model.onnx").read_bytes(), card)
    assert (
        f"{pair[1].name} ({card['id']}) has learned from this very file"
        in run(*pair, file, cwd=tmp_path).stdout
    )


@pytest.mark.parametrize("broken", ["model", "file", "out"])
def test_what_cannot_be_compared_gets_one_sentence(
    pair: tuple[Path, Path], file: Path, tmp_path: Path, broken: str
) -> None:
    second = tmp_path / "nowhere" if broken == "model" else pair[1]
    if broken == "file":
        file.write_text("text,label\nA,\n", encoding="utf-8")
    more = ["--out", file] if broken == "out" else []
    done = run(pair[0], second, file, *more, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("python -m training.adapt.compare: ") and done.stderr.count("\n") == 1
