"""Labels that look wrong: cleanlab's list and order, a file for the labelling page, and the way back."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.own_reviews import rows, save
from training.adapt import adapt, doubts
from training.adapt.exit_status import CommandError
from training.files import labelled

CASES = json.loads((Path(__file__).parents[2] / "golden" / "doubts.json").read_text(encoding="utf-8"))[
    "cases"
]
HEADER = ("text", "label", "shop")
# Rows, from 0, that the published model is sure of.
WRONG = [15, 103, 144]


@pytest.mark.parametrize("case", CASES)
def test_the_list_and_its_order_are_cleanlab_s(case: dict[str, list[float]]) -> None:
    assert case["disputed"]
    found = doubts.disputed(np.array(case["probabilities"]), np.array(case["labels"], dtype=int))
    assert found.tolist() == case["disputed"]


def flipped(count: int, wrong: list[int]) -> list[tuple[str, ...]]:
    """Return labelled rows with a third column; the labels of some are wrong."""
    other = {"positive": "negative", "negative": "positive"}
    return [
        (text, other[label] if number in wrong else label, f"shop {number}")
        for number, (text, label) in enumerate(rows(count))
    ]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with my.csv, with wrong labels in WRONG, and its doubts.csv."""
    folder = tmp_path_factory.mktemp("doubts")
    save(folder / "my.csv", flipped(160, WRONG), HEADER)
    flags = ["--workers", "1", "--dry-run"]
    assert adapt.main([str(folder / "my.csv"), "--doubts", str(folder / "doubts.csv"), *flags]) == 0
    return folder


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_flipped_labels_come_first_with_every_column(listed: Path) -> None:
    first = read(listed / "doubts.csv")[: len(WRONG)]
    assert sorted(int(row["row"]) for row in first) == [number + 1 for number in WRONG]
    assert {row["shop"] for row in first} == {f"shop {number}" for number in WRONG}
    own = read(listed / "my.csv")
    for row in first:
        assert own[int(row["row"]) - 1] == {name: row[name] for name in HEADER}
        assert row["suggested_label"] == {"positive": "negative", "negative": "positive"}[row["label"]]
        assert 0.5 < float(row["doubt"]) <= 1
    doubted = [float(row["doubt"]) for row in read(listed / "doubts.csv")]
    assert doubted == sorted(doubted, reverse=True)


def test_checked_labels_come_back_and_are_not_listed_again(
    listed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = [{**row, "label": row["suggested_label"]} for row in read(listed / "doubts.csv")]
    path = listed / "checked.csv"
    save(path, [tuple(row.values()) for row in checked], tuple(checked[0]))
    again = listed / "again.csv"
    flags = ["--corrected", str(path), "--doubts", str(again)]
    assert adapt.main([str(listed / "my.csv"), *flags, "--workers", "1", "--dry-run"]) == 0
    assert f"took {len(checked)} checked labels" in capsys.readouterr().out
    assert not {row["row"] for row in checked} & {row["row"] for row in read(again)}


def test_a_label_that_was_taken_away_leaves_its_row_out(listed: Path) -> None:
    file = labelled.read(listed / "my.csv")
    first = read(listed / "doubts.csv")[0]
    path = save(listed / "one.csv", [tuple({**first, "label": ""}.values())], tuple(first))
    corrected, numbers = doubts.correct(file, path)
    assert numbers == {int(first["row"]) - 1}
    assert len(corrected.labels) == len(file.labels) - 1
    assert "1 whose label was taken away" in labelled.describe_left_out(corrected.counts)


def test_a_text_guarded_for_spreadsheets_is_the_same_text(tmp_path: Path) -> None:
    own = save(tmp_path / "my.csv", [("=SUM(1)", "positive"), ("Fine.", "negative")])
    path = save(tmp_path / "d.csv", [("'=SUM(1)", "negative", "1")], ("text", "label", "row"))
    corrected, _ = doubts.correct(labelled.read(own), path)
    assert corrected.labels.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("row", "header", "says"),
    [
        (("Fine.", "positive"), ("text", "label"), "no columns 'row' and 'label'"),
        (("Other.", "positive", "1"), ("text", "label", "row"), "another text in row 1"),
        (("Good.", "positive", "x"), ("text", "label", "row"), "without the number of a row"),
        (("Good.", "great", "1"), ("text", "label", "row"), "a label in row 1"),
    ],
)
def test_a_file_of_checks_that_does_not_fit_is_refused(
    tmp_path: Path, row: tuple[str, ...], header: tuple[str, ...], says: str
) -> None:
    own = save(tmp_path / "my.csv", [("Good.", "positive"), ("Bad.", "negative")])
    with pytest.raises(CommandError, match=says):
        doubts.correct(labelled.read(own), save(tmp_path / "d.csv", [row], header))


@pytest.mark.parametrize("raw", [False, True])
def test_doubts_hold_no_formula_unless_asked_for_and_are_read_as_they_were(raw: bool, tmp_path: Path) -> None:
    lines = [(" =Good.", "positive"), ("-Bad.", "negative")]
    file = labelled.read(save(tmp_path / "my.csv", lines, ("text", "label")))
    found = [doubts.Doubt(0, 1, 0.9), doubts.Doubt(1, 0, 0.9)]
    doubts.write_doubts(tmp_path / "d.csv", file, found, raw)
    start = "" if raw else "'"
    assert [row["text"] for row in read(tmp_path / "d.csv")] == [f"{start} =Good.", f"{start}-Bad."]
    _, checked = doubts.correct(file, tmp_path / "d.csv")
    assert checked == {0, 1}


def test_a_column_that_the_file_has_keeps_its_name(tmp_path: Path) -> None:
    lines = [("Good.", "positive", "5"), ("Bad.", "negative", "6")]
    file = labelled.read(save(tmp_path / "my.csv", lines, ("text", "label", "row")))
    doubts.write_doubts(tmp_path / "d.csv", file, doubts.find_doubts(file, np.array([0.1, 0.1])))
    (row,) = read(tmp_path / "d.csv") or [{}]
    assert (row["row"], row["verdict_row"], row["suggested_label"]) == ("5", "1", "negative")
