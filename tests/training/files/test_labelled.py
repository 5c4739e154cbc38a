"""Labelled rows: what labels mean, which rows teach, and a reason for every row that does not."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest

from training.files import labelled
from training.files.labelled import Labelled, scheme_of
from training.files.rows import BatchError


def save(folder: Path, rows: list[str], header: str = "text,label", name: str = "my.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def read(folder: Path, rows: list[str], header: str = "text,label", **more: Any) -> Labelled:
    return labelled.read(save(folder, rows, header), **more)


def refused(folder: Path, rows: list[str], header: str = "text,label", **more: Any) -> str:
    with pytest.raises(BatchError) as caught:
        read(folder, rows, header, **more)
    return str(caught.value)


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    labelled.add_flags(parser)
    return parser.parse_args(arguments)


# --- what labels mean ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "meaning"),
    [
        (("positive", "negative", "neutral"), {"positive": 1, "negative": 0, "neutral": None}),
        (("pos", "neg"), {"pos": 1, "neg": 0}),
        (("1", "0"), {"1": 1, "0": 0}),
        (("1", "2", "3", "4", "5"), {"1": 0, "2": 0, "3": None, "4": 1, "5": 1}),
        (("0.5", "3.5", "4.0", "5"), {"0.5": 0, "3.5": None, "4.0": 1, "5": 1}),
        (("1", "4", "5", "6", "7", "10"), {"1": 0, "4": 0, "5": None, "6": None, "7": 1, "10": 1}),
    ],
)
def test_known_labels_have_a_meaning(values: tuple[str, ...], meaning: dict[str, int | None]) -> None:
    assert scheme_of(values).meaning == meaning


def test_how_stars_are_read_is_said() -> None:
    assert (
        scheme_of(["1", "8"]).description
        == "1 to 10 stars: up to 4 negative, from 7 positive, between them left out"
    )


@pytest.mark.parametrize("odd", ["good", "-1", "11", "nan", "inf", "1e3", "\u0663", "0"])
def test_a_label_of_no_known_kind_is_refused_with_the_way_out(odd: str) -> None:
    with pytest.raises(BatchError, match="--positive"):
        scheme_of(["5", "2", odd])


def test_labels_of_ones_own_are_named() -> None:
    scheme = scheme_of(["happy", "angry", "so-so"], (["happy"], ["angry"]))
    assert scheme.meaning == {"happy": 1, "angry": 0, "so-so": None}


def test_a_label_named_on_both_sides_is_refused() -> None:
    with pytest.raises(BatchError, match="'a' is named as positive and as negative"):
        scheme_of(["a", "b"], (["a"], ["a", "b"]))


def test_a_named_label_that_does_not_come_up_is_refused_with_those_that_do() -> None:
    with pytest.raises(BatchError, match="'angry', 'happy'"):
        scheme_of(["happy", "angry"], (["glad"], ["angry"]))


def test_a_long_label_is_not_quoted() -> None:
    secret = "my doctor said that I should not"
    with pytest.raises(BatchError) as caught:
        scheme_of([secret, "5"])
    assert secret not in str(caught.value)
    assert "32 characters" in str(caught.value)


# --- the rule that the page's labels.js is held to, too -----------------------------------------


GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "labels.json").read_text(encoding="utf-8"))
MEANINGS = {"positive": 1, "negative": 0, "neither": None, None: None}


def whys(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=[case["why"] for case in cases])


@whys(GOLDEN["columns"])
def test_a_column_is_on_the_golden_scale_and_its_cells_have_the_golden_meaning(case: dict[str, Any]) -> None:
    values = [labelled.plain(cell) for cell in case["cells"]]
    assert labelled.guess_scale(filter(None, values)) == case["scale"]
    meaning = scheme_of(set(values)).meaning
    assert [meaning.get(value) for value in values] == [MEANINGS[name] for name in case["meaning"]]


@whys(GOLDEN["columns"])
def test_a_file_has_the_golden_labels(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    lines = [{"text": f"Text {at}", "label": cell} for at, cell in enumerate(case["cells"])]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    sides = [(at, MEANINGS[name]) for at, name in enumerate(case["meaning"]) if name]
    rows = labelled.read(path)
    assert list(zip(rows.numbers.tolist(), rows.labels.tolist(), strict=True)) == sides


@whys(GOLDEN["refused"])
def test_a_golden_bad_column_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BatchError):
        scheme_of({labelled.plain(cell) for cell in case["cells"]})


@pytest.mark.parametrize("scale", GOLDEN["scales"])
def test_a_single_cell_has_the_golden_meaning(scale: str) -> None:
    for name, cells in GOLDEN["scales"][scale].items():
        for cell in cells:
            assert labelled.label_of(labelled.plain(cell), scale) == MEANINGS[name], (scale, cell)


def test_the_scales_and_the_columns_names_are_the_golden_ones() -> None:
    assert list(labelled.SCALES) == list(GOLDEN["scales"])
    assert list(labelled.LABEL_COLUMNS) == GOLDEN["names"]


def test_an_own_side_is_named_in_any_case_and_with_either_minus(tmp_path: Path) -> None:
    path = save(tmp_path, ["A,Happy", "B,-3"])
    options = parse(str(path), "--positive", " HAPPY", "--negative", "\N{MINUS SIGN}3")
    assert labelled.read_options(options).labels.tolist() == [1, 0]


# --- rows ---------------------------------------------------------------------------------------


def test_rows_keep_their_numbers_labels_and_groups(tmp_path: Path) -> None:
    rows = read(tmp_path, ["Fine,5,a", "So,3,a", "Poor,1,b", "Good,4,a"], "review,stars,group")
    assert rows.columns == ("review", "stars", "group")
    assert rows.numbers.tolist() == [0, 2, 3]
    assert rows.labels.tolist() == [1, 0, 1]
    assert rows.groups[0] == rows.groups[2] != rows.groups[1]
    assert list(rows.texts()) == ["Fine", "Poor", "Good"]


def test_every_row_is_counted_once(tmp_path: Path) -> None:
    lines = ["Good,1", "good ,1", "Bad,0", "Odd,1", "odd,0", ",1", "No label,", "So,neutral", "a,b,c,1"]
    counts = read(tmp_path, lines).counts
    assert counts == {
        "rows": 9,
        "duplicates": 1,
        "conflicting": 2,
        "empty": 1,
        "unlabelled": 1,
        "between": 1,
        "unreadable": 1,
    }


def test_a_file_without_groups_has_a_group_for_each_row(tmp_path: Path) -> None:
    rows = read(tmp_path, ["A,1", "B,0", "C,1"])
    assert rows.columns.group is None
    assert len(set(rows.groups.tolist())) == 3


def test_rows_without_a_group_do_not_become_one_group(tmp_path: Path) -> None:
    rows = read(tmp_path, ["A,1,", "B,0,", "C,1,x"], "text,label,group")
    assert len(set(rows.groups.tolist())) == 3


def test_json_lines_may_have_numbers_as_labels(tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    lines = [{"review": "Fine", "stars": 5}, {"review": "Poor", "stars": 1}, {"review": "So", "stars": None}]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    rows = labelled.read(path)
    assert rows.labels.tolist() == [1, 0]
    assert rows.counts["unlabelled"] == 1


def test_a_tsv_is_read_like_a_csv(tmp_path: Path) -> None:
    rows = labelled.read(save(tmp_path, ["Fine, really\t1", "Poor\t0"], "text\tlabel", "my.tsv"))
    assert list(rows.texts()) == ["Fine, really", "Poor"]
    assert rows.labels.tolist() == [1, 0]


def test_columns_can_be_named(tmp_path: Path) -> None:
    rows = read(tmp_path, ["A,x,pos,1"], "said,text,feels,who", text="said", label="feels", group="who")
    assert rows.columns == ("said", "feels", "who")


def test_of_many_rows_the_same_ones_are_drawn_in_any_order(tmp_path: Path) -> None:
    lines = [f"Text {number},{number % 2}" for number in range(50)]
    one = labelled.read(save(tmp_path, lines), most=10)
    other = labelled.read(save(tmp_path, lines[::-1], name="other.csv"), most=10)
    assert one.counts["not_drawn"] == 40
    assert sorted(one.texts()) == sorted(other.texts())


def test_a_draw_has_its_rows_in_the_files_order(tmp_path: Path) -> None:
    rows = read(tmp_path, [f"Text {number},{number % 2}" for number in range(50)], most=10)
    assert rows.numbers.tolist() == sorted(rows.numbers.tolist())
    assert list(rows.texts()) == [f"Text {number}" for number in rows.numbers]


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "header", "more", "word"),
    [
        (["A,1"], "text,kind", {}, "no column of labels; it has 'text', 'kind'; name one with --label"),
        (["A,1"], "text,label", {"label": "stars"}, "no column 'stars'"),
        (["A,1"], "text,label", {"group": "film"}, "no column 'film'"),
        (["A,1"], "text,label", {"label": "text"}, "can't both be"),
        (["A,"], "text,label", {}, "no row has a label"),
        ([], "text,label", {}, "holds no row"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(
    tmp_path: Path, lines: list[str], header: str, more: dict[str, str], word: str
) -> None:
    said = refused(tmp_path, lines, header, **more)
    assert word in said
    assert "\n" not in said


def test_a_pipe_gets_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "my.csv")
    with pytest.raises(BatchError, match="must be a file"):
        labelled.read(tmp_path / "my.csv")


def test_a_column_of_texts_taken_for_labels_is_refused_without_quoting_them(tmp_path: Path) -> None:
    said = refused(tmp_path, [f"A{n},my secret number {n}" for n in range(300)])
    assert "--label" in said
    assert "secret" not in said
