"""`verdict report` on files: the same bytes however they are judged, a stop that loses nothing, bad input."""

import csv
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import planted
from tests.support.varied import varied
from training.files.parts import folder_of
from training.files.rows import Part
from training.report import judging, report

pytestmark = pytest.mark.slow
ROWS = 520


def run(*arguments: object) -> int:
    return report.main([str(argument) for argument in arguments])


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of several parts in which the music gets worse."""
    path = tmp_path / "reviews.csv"
    path.write_bytes(planted.write(planted.cases()["an aspect's tone"], ROWS, seed=3))
    return path


def save(path: Path, header: list[str], *rows: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *rows])
    return path


def test_both_files_are_written_and_only_their_owner_reads_them(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html, data = tmp_path / "report.html", tmp_path / "report.json"
    assert run(file, "-o", html, "--json", data) == 0
    written = load(data)
    assert written["file"] == {
        "name": "reviews.csv",
        "rows": ROWS,
        "judged": ROWS,
        "failed": 0,
        "columns": {"review": "review", "date": "date", "group": "film"},
    }
    assert written["aspects_from"] == "film"
    assert written["moved"][0]["name"] == "music"
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (html, data)} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json", "reviews.csv"]
    out = capsys.readouterr().out
    assert out.startswith(f"report: {ROWS} rows, net score ")
    assert "report: music moved it most, by -" in out


def test_one_and_two_processes_write_the_same_bytes(file: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        assert run(file, "--json", tmp_path / f"{workers}.json", "--workers", workers) == 0
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_a_stopped_run_goes_on_and_nothing_half_written_is_left(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    judge, judged = judging._judge_here, []

    def noted(*arguments: Any) -> Iterator[tuple[Part, bytes]]:
        for part, data in judge(*arguments):
            judged.append(part.number)
            yield part, data

    def stopped(*arguments: Any) -> Iterator[tuple[Part, bytes]]:
        yield next(noted(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "_judge_here", stopped)
    assert run(file, "--json", out, "--workers", 1) == 130
    assert "run the same command again to go on" in capsys.readouterr().err
    assert not out.exists()
    assert len([path for path in folder_of(out).iterdir() if path.suffix == ".npz"]) == 1
    monkeypatch.setattr(judging, "_judge_here", noted)
    assert run(file, "--json", out, "--workers", 1) == 0
    assert judged == [0, 1, 2]
    assert not folder_of(out).exists()
    assert run(file, "--json", tmp_path / "anew.json", "--workers", 1) == 0
    assert (tmp_path / "anew.json").read_bytes() == out.read_bytes()


def test_a_damaged_part_is_judged_again(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.json"
    with monkeypatch.context() as patch:
        patch.setattr(report, "write_together", failing(OSError(28, "No space left on device")))
        assert run(file, "--json", out, "--workers", 1) == 4
    assert not out.exists()
    part = sorted(path for path in folder_of(out).iterdir() if path.suffix == ".npz")[1]
    part.write_bytes(part.read_bytes()[:-9])
    assert run(file, "--json", out, "--workers", 1) == 0
    assert run(file, "--json", tmp_path / "anew.json", "--workers", 1) == 0
    assert (tmp_path / "anew.json").read_bytes() == out.read_bytes()


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_another_column_of_groups_uses_the_same_answers(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    with monkeypatch.context() as patch:
        patch.setattr(report, "write_together", failing(OSError(28, "No space left on device")))
        assert run(file, "--json", out, "--workers", 1) == 4
    monkeypatch.setattr(judging, "_judge_here", lambda work, model, parts: unasked(parts))
    assert run(file, "--json", out, "--workers", 1, "--since", "2026-02-01") == 0
    assert load(out)["comparison"]["after"]["label"] == "from 2026-02-01 on"


def unasked(parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
    assert list(parts) == []
    return iter(())


# --- choices ------------------------------------------------------------------------------------


def test_two_groups_are_compared(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert run(file, "--json", out, "--between", planted.FILMS[0], planted.FILMS[1]) == 0
    written = load(out)
    assert written["comparison"]["kind"] == "groups"
    assert written["comparison"]["before"]["label"] == planted.FILMS[0]
    assert "mix of groups" not in {cause["name"] for cause in written["moved"]}


def test_aspects_of_one_s_own_are_read_from_a_file(file: Path, tmp_path: Path) -> None:
    own, out = tmp_path / "own.json", tmp_path / "out.json"
    own.write_text('{"sound": ["music", "soundtrack", "score", "song"], "cats": ["cat"]}', encoding="utf-8")
    assert run(file, "--json", out, "--aspects", own) == 0
    written = load(out)
    assert written["aspects_from"] == "own"
    assert [aspect["name"] for aspect in written["aspects"]] == ["sound", "cats"]
    assert written["aspects"][1]["net"] is None
    assert any("Nobody mentions “cats”" in notice["detail"] for notice in written["notices"])
    assert run(file, "--json", out, "--aspects", "none", "--force") == 0
    assert [cause["name"] for cause in load(out)["moved"]] == ["mix of groups", "everything else"]


def test_labels_that_look_wrong_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = {"positive": "runs warm for a whole night", "negative": "arrived with a dent in its lid"}
    rows = [
        [f"Kettle number {number} {phrase}; {varied(number + 100 * side)}.", label]
        for number in range(40)
        for side, (label, phrase) in enumerate(said.items())
    ]
    rows[6][1] = "negative"
    path = save(tmp_path / "a.csv", ["text", "label"], *rows)
    doubts = tmp_path / "doubts.csv"
    assert run(path, "--json", tmp_path / "out.json", "--doubts", doubts, "--workers", 1) == 0
    assert re.search(r"report: \d of 80 labels look wrong, most doubtful first", capsys.readouterr().out)
    with doubts.open(encoding="utf-8", newline="") as file:
        doubt = next(csv.DictReader(file))
    assert (doubt["row"], doubt["label"], doubt["suggested_label"]) == ("7", "negative", "positive")


def test_doubts_need_labels(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "--json", tmp_path / "out.json", "--doubts", tmp_path / "doubts.csv") == 2
    assert "has no column of labels" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["reviews.csv"]


def test_products_get_the_list_of_products(tmp_path: Path) -> None:
    texts = ["The delivery was late and the packaging was torn.", "Great battery and a bright screen."]
    path = save(tmp_path / "a.csv", ["text"], *([texts[number % 2]] for number in range(40)))
    assert run(path, "--json", tmp_path / "out.json") == 0
    assert load(tmp_path / "out.json")["aspects_from"] == "product"


def test_an_excel_sheet_gives_the_report_of_its_csv(file: Path, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    with file.open(encoding="utf-8", newline="") as source:
        for row in csv.reader(source):
            book.active.append(row)
    book.save(tmp_path / "reviews.xlsx")
    for path in (file, tmp_path / "reviews.xlsx"):
        assert run(path, "--json", tmp_path / f"{path.suffix}.json") == 0
    sheet, plain = (load(tmp_path / f"{suffix}.json") for suffix in (".xlsx", ".csv"))
    assert sheet["file"].pop("name") == "reviews.xlsx"
    assert plain["file"].pop("name") == "reviews.csv"
    assert sheet == plain


# --- bad input ----------------------------------------------------------------------------------

TEXTS = ("I loved it from start to end.", "A dull and noisy film.", "It runs for two hours.")


def rows_of(*dates: str) -> list[list[str]]:
    return [[TEXTS[number % 3], date] for number, date in enumerate(dates)]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "holds no row; give a file with reviews"),
        ([[" ", "2026-01-01"], ["<br>", "2026-01-02"]], "has no row with a text that could be judged"),
        (rows_of("3/4/2026", "5/6/2026"), "no row decides it; name one with --dates dmy or --dates mdy"),
        (rows_of("13/4/2026", "4/13/2026"), "row 1 has its day first, row 2 its month"),
    ],
)
def test_a_file_that_gives_no_report_is_one_sentence(
    rows: list[list[str]], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "a.csv", ["review", "date"], *rows)
    assert run(path, "--json", tmp_path / "out.json") == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("python -m training.report.report: ") and error.count("\n") == 1
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name a file for the report: -o report.html, --json report.json, or both"),
        (["-o", "same", "--json", "same"], "-o and --json name the same file"),
        (["--json", "a.csv"], "is the input"),
        (["--json", "none/out.json"], "there is no folder"),
        (["--json", "out.json", "--since", "soon"], "--since takes a date like 2026-05-03"),
        (["--json", "out.json", "--since", "2026-05-03"], "the file has no column of dates"),
        (["--json", "out.json", "--between", "A", "B"], "the file has no column of groups"),
        (["--json", "out.json", "--aspects", "music"], "--aspects takes film, product or a JSON file"),
        (["--json", "out.json", "--column", "texts"], "has no column 'texts'"),
        (["--json", "out.json", "--model", "nowhere"], "nowhere"),
    ],
)
def test_wrong_use_is_one_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a.csv", ["review"], *([text] for text in TEXTS))
    assert run("a.csv", *arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("python -m training.report.report: ") and error.count("\n") == 1
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_group_that_is_not_there_is_one_sentence(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, "--json", tmp_path / "out.json", "--between", planted.FILMS[0], "Solaris") == 2
    assert "'film' has no group 'Solaris'; it has 'Harbour Lights', " in capsys.readouterr().err
    assert not folder_of(tmp_path / "out.json").exists()


def test_mixed_languages_are_counted(tmp_path: Path) -> None:
    french = "Un film magnifique, les acteurs sont formidables et la musique est très belle."
    texts = [*TEXTS, french] * 8
    path = save(tmp_path / "a.csv", ["review"], *([text] for text in texts))
    assert run(path, "--json", tmp_path / "out.json") == 0
    written = load(tmp_path / "out.json")
    codes = {notice["code"]: notice["detail"] for notice in written["notices"]}
    assert codes["not_english"].startswith("8 rows (25.0 %) are not English")
    assert "no_date_column" in codes


def test_rows_that_can_t_be_judged_are_counted(tmp_path: Path) -> None:
    texts = [*TEXTS, "", "x" * 50_001]
    path = save(tmp_path / "a.csv", ["review"], *([text] for text in texts))
    assert run(path, "--json", tmp_path / "out.json") == 0
    written = load(tmp_path / "out.json")
    assert (written["file"]["rows"], written["file"]["judged"], written["file"]["failed"]) == (5, 3, 2)
    assert sum(written["overall"][name] for name in ("positive", "negative", "uncertain")) == 3
    assert written["rows"].keys() == {"1", "2", "3"}
