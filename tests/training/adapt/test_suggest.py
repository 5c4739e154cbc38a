"""Suggestions: uncertain and different rows first; labelled, repeated and unreadable rows never."""

import csv
from pathlib import Path

import numpy as np
import pytest

from training.adapt import suggest
from training.endpoint import inference

WORDS = "warm dull bright slow quiet loud long short".split()


def save(path: Path, lines: list[str], header: str = "text,label") -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def texts(count: int) -> list[str]:
    return [f"The {WORDS[n % 8]} lamp of room {n} is {WORDS[n // 8 % 8]} and I like it" for n in range(count)]


def test_the_unsurest_row_comes_first(made_package: Path, tmp_path: Path) -> None:
    lines = texts(40)
    rows = suggest.read_unlabelled(save(tmp_path / "a.csv", [f"{text}," for text in lines]))
    (first,) = suggest.suggest(rows, made_package, 1, workers=1)
    model = inference.model_fn(made_package)
    probabilities = [model.predict(text)[1].probability for text in lines]
    assert first.number == int(np.argmin(np.abs(np.array(probabilities) - 0.5)))
    assert first.probability == pytest.approx(probabilities[first.number], abs=1e-5)


def test_of_two_that_are_equally_unsure_the_one_unlike_the_first_is_picked() -> None:
    features = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0]])
    assert suggest.pick_diverse(features, np.array([1.0, 0.9, 0.9]), 2) == [0, 2]


def test_a_row_of_which_the_model_is_sure_is_picked_last() -> None:
    features = np.array([[0.0, 0.0], [9.0, 9.0], [1.0, 0.0]])
    assert suggest.pick_diverse(features, np.array([1.0, 0.0, 0.5]), 3) == [0, 2, 1]


def test_no_row_is_picked_twice_though_all_are_alike() -> None:
    assert sorted(suggest.pick_diverse(np.ones((5, 3)), np.ones(5), 9)) == [0, 1, 2, 3, 4]


def test_entropy_is_largest_in_the_middle_and_nothing_at_the_ends() -> None:
    assert suggest.entropy(np.array([0.0, 0.5, 1.0])).tolist() == [0.0, 1.0, 0.0]


def test_rows_with_a_label_or_said_before_or_empty_are_left_out(tmp_path: Path) -> None:
    rows = suggest.read_unlabelled(
        save(tmp_path / "a.csv", ["One lamp,", "Two lamps,1", "one  LAMP,", ",", "Three,"])
    )
    assert rows.numbers.tolist() == [0, 4]
    assert rows.rows == 5


def test_a_file_of_plain_lines_will_do(made_package: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n".join(texts(10)), encoding="utf-8")
    assert len(suggest.suggest(suggest.read_unlabelled(path), made_package, 3, workers=1)) == 3


def test_what_is_written_has_the_texts_and_an_empty_label(
    made_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = save(tmp_path / "a.csv", [f"{text}," for text in texts(30)]), tmp_path / "out.csv"
    assert suggest.main([str(path), "-n", "5", "-o", str(out), "--model", str(made_package)]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [""] * 5
    assert all(row["text"] == texts(30)[int(row["row"]) - 1] for row in rows)
    assert "lamp" not in capsys.readouterr().out


@pytest.mark.parametrize("flags", [[], ["--raw"]])
def test_what_is_written_is_no_formula_unless_asked_for(
    flags: list[str], made_package: Path, tmp_path: Path
) -> None:
    path, out = save(tmp_path / "a.csv", [f"={text}," for text in texts(10)]), tmp_path / "out.csv"
    assert suggest.main([str(path), "-o", str(out), "--model", str(made_package), *flags]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        assert {row["text"][:2] for row in csv.DictReader(file)} == ({"=T"} if flags else {"'="})
    again = suggest.read_unlabelled(out, "text")
    assert {row.review[:2] for row in again.rows_at(again.numbers.tolist())} == {"=T"}


def test_without_a_file_to_write_rows_are_named_and_no_text(
    made_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "a.csv", [f"{text}," for text in texts(30)])
    assert suggest.main([str(path), "-n", "4", "--model", str(made_package)]) == 0
    output = capsys.readouterr().out
    assert output.count("  row ") == 4
    assert "lamp" not in output


@pytest.mark.parametrize(
    ("lines", "more"),
    [(["A,1", "B,0"], []), (["Der Film ist nicht gut und auch sehr lang,"], []), (["A,"], ["--label", "x"])],
)
def test_a_file_with_nothing_to_suggest_gets_one_sentence(
    made_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], more: list[str]
) -> None:
    path = save(tmp_path / "a.csv", lines)
    assert suggest.main([str(path), "--model", str(made_package), *more]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_written_keeps_every_column_of_the_file(
    made_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{number},{text},{'' if number else 'good'}" for number, text in enumerate(texts(12))]
    path = save(tmp_path / "a.csv", lines, "row,words,verdict")
    out = tmp_path / "out.csv"
    flags = ["--column", "words", "--label", "verdict", "-n", "3", "--model", str(made_package)]
    assert suggest.main([str(path), "-o", str(out), *flags]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "words", "verdict", "verdict_row", "probability"]
    assert all(row["words"] == texts(12)[int(row["row"])] and row["verdict"] == "" for row in rows)
    assert [int(row["verdict_row"]) - 1 for row in rows] == [int(row["row"]) for row in rows]
    said = capsys.readouterr().out
    assert (
        "fill in its column verdict" in said and "run adapt on it with --column words --label verdict" in said
    )


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("a.txt", "\n".join(texts(9)), ["review", "label", "row", "probability"]),
        (
            "a.jsonl",
            "\n".join(f'{{"review": "{text}", "user": 7}}' for text in texts(9)),
            ["review", "user", "label", "row", "probability"],
        ),
    ],
)
def test_a_file_without_labels_gets_a_column_for_them(
    name: str, content: str, columns: list[str], made_package: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    out = tmp_path / "out.csv"
    assert suggest.main([str(tmp_path / name), "-o", str(out), "-n", "2", "--model", str(made_package)]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == columns and rows[0]["review"] in texts(9)
