"""Files as spreadsheets save them: semicolons, UTF-16 and Excel's own workbooks."""

import io
import json
import zipfile
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest

from training.files import reading, rows
from training.files.rows import BatchError

TEXT = "review;date\nFilmé; très bien;3.5.2026\n".replace("Filmé; très bien", '"Filmé; très bien"')


def read(path: Path) -> list[list[str]]:
    source = rows.open_source(path, rows.format_of(path))
    return [source.columns, *(row.fields for row in source.rows())]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_semicolons_and_every_encoding_with_a_mark_are_read(encoding: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    (tmp_path / "a.csv").write_bytes((mark + TEXT).encode(encoding))
    assert read(tmp_path / "a.csv") == [["review", "date"], ["Filmé; très bien", "3.5.2026"]]


def test_json_lines_may_be_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"review": "filmé"}\n'.encode("utf-16"))
    source = rows.open_source(tmp_path / "a.jsonl", "jsonl")
    assert [row.review for row in source.rows()] == ["filmé"]


def test_half_a_utf_16_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT.encode("utf-16")[:-1])
    with pytest.raises(BatchError, match="is not UTF-16, as its first bytes say .*; save it as UTF-8"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("review,a;b", ","),
        ("review;a,b;c", ";"),
        ('"a;b;c",review', ","),
        ("review", ","),
        ("a;b,c", ","),
    ],
)
def test_the_sign_that_the_header_holds_more_of_parts_columns(
    header: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(header + "\nx;y;z\n", encoding="utf-8")
    assert reading.delimiter_of(tmp_path / "a.csv") == expected


def test_a_batch_still_writes_commas(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review;id\ngood;1\n", encoding="utf-8")
    source = rows.open_source(tmp_path / "a.csv", "csv")
    joined = ((row, rows.Prediction("positive", None, 0.9, "", "m")) for row in source.rows())
    with (tmp_path / "out.csv").open("w", encoding="utf-8", newline="") as out:
        rows.write(joined, source, out, "csv")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1].startswith("good,1,positive")


# --- Excel --------------------------------------------------------------------------------------


def workbook(path: Path, *cells: list[object]) -> Path:
    """Save rows as the first sheet of a workbook; a second sheet holds others."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in cells:
        sheet.append(row)
    book.create_sheet("notes").append(["review", "not this"])
    book.save(path)
    return path


def test_the_first_sheet_s_cells_are_read_as_a_csv_would_hold_them(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        ["review", "date", "stars", "seen"],
        ["Good, and\nlong", datetime(2026, 5, 3), 4, time(20, 15)],
        [None, None, None, None],
        ["Bad", date(2026, 5, 4), 1.5, True],
        ["Late", datetime(2026, 5, 4, 10, 30), 2.0],
    )
    assert read(path) == [
        ["review", "date", "stars", "seen"],
        ["Good, and\nlong", "2026-05-03", "4", "20:15:00"],
        ["Bad", "2026-05-04", "1.5", "True"],
        ["Late", "2026-05-04 10:30:00", "2", ""],
    ]


def test_a_failed_formula_is_no_review(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["review", "n"], ["#N/A", 1], ["Good", 2])
    assert [row.review for row in rows.open_source(path, "xlsx").rows()] == ["", "Good"]


def test_a_workbook_whose_first_sheet_is_a_cover_hears_that_only_that_one_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["Our year"], ["in films"])
    with pytest.raises(BatchError, match="of which only the first sheet is read, has no column of reviews"):
        rows.open_source(path, "xlsx")


def test_cells_beside_the_header_are_kept_in_the_detail_of_a_row_that_is_judged(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["review", None], [None, None], ["Good", None, "a note"])
    assert read(path) == [["review"], ["Good"]]
    source, out = rows.open_source(path, "xlsx"), io.StringIO()
    rows.write(rows.join(source.rows(), [{0: rows.Prediction("positive")}]), source, out, "jsonl")
    told = json.loads(out.getvalue())
    assert (told["sentiment"], told["detail"]) == (
        "positive",
        'row 3: cells beyond the header: ["", "a note"]',
    )
    assert "error" not in told


@pytest.mark.parametrize("content", [b"review,date\n", b"PK\x03\x04 and no more", b""])
def test_what_is_no_workbook_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(BatchError, match="is no Excel workbook that can be read .*; save it as .xlsx or CSV"):
        read(tmp_path / "a.xlsx")


def test_another_zip_is_one_sentence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as file:
        file.writestr("review.txt", "good")
    with pytest.raises(BatchError, match="is no Excel workbook"):
        read(tmp_path / "a.xlsx")


def test_a_workbook_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path / "a.xlsx", ["review"], ["good"])
    monkeypatch.setattr(reading, "MAX_WORKBOOK_BYTES", 100)
    with pytest.raises(BatchError, match="too much for a workbook; save it as CSV"):
        read(path)


def test_an_empty_sheet_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="is empty"):
        read(workbook(tmp_path / "a.xlsx"))


def test_without_the_library_a_workbook_names_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(BatchError, match=r"needs openpyxl.*; run: pip install 'verdict-sentiment\[excel\]'"):
        read(tmp_path / "a.xlsx")


def test_no_workbook_is_written(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="can't be written, only read"):
        rows.output_format(tmp_path / "out.xlsx")
