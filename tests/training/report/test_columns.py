"""The columns of dates and groups: found by their names and by what they hold."""

import csv
from pathlib import Path

import pytest

from training.files import rows
from training.files.rows import BatchError, Source
from training.report import columns
from training.report.columns import Columns, Reader
from training.report.dates import NO_DATE, day_of


@pytest.fixture
def save(tmp_path: Path) -> "Save":
    return Save(tmp_path / "a.csv")


class Save:
    """Saves rows as CSV, and opens them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, header: list[str], *lines: list[str]) -> Source:
        with self._path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *lines])
        return rows.open_source(self._path, "csv")


def find(
    source: Source, date: str | None = None, group: str | None = None, order: str | None = None
) -> Columns:
    return columns.find(source, date, group, order)


def films(count: int) -> list[list[str]]:
    return [[f"text {number}", f"2026-01-{1 + number:02}", "AB"[number % 2]] for number in range(count)]


@pytest.mark.parametrize(
    ("date", "group"),
    [("date", "film"), ("Created At", "Product Name"), ("timestamp", "Store"), ("reviewTime", "asin")],
)
def test_columns_are_found_by_usual_names(date: str, group: str, save: Save) -> None:
    assert find(save(["review", date, group], *films(8))) == (8, date, group, "dmy", {"A", "B"})


def test_a_column_of_other_things_is_no_date(save: Save) -> None:
    source = save(
        ["review", "time", "posted"], *([f"t {n}", "10:30", f"2026-01-{n + 1:02}"] for n in range(9))
    )
    assert find(source).date == "posted"


def test_nine_of_ten_filled_cells_must_be_dates(save: Save) -> None:
    cells = ["2026-01-01"] * 9 + ["soon", ""]
    assert find(save(["review", "date"], *(["a", cell] for cell in cells))).date == "date"
    cells = ["2026-01-01"] * 8 + ["soon", "late"]
    source = save(["review", "date"], *(["a", cell] for cell in cells))
    assert find(source).date is None
    assert find(source, date="date").date == "date"


def test_titles_that_never_repeat_are_no_groups(save: Save) -> None:
    lines = [[f"text {number}", f"My title {number}", "AB"[number % 2]] for number in range(8)]
    source = save(["review", "title", "brand"], *lines)
    assert find(source).group == "brand"
    assert find(source, group="title").group == "title"


def test_one_group_is_still_named(save: Save) -> None:
    assert find(save(["review", "film"], ["a", "Solaris"], ["b", "Solaris"])).group == "film"


@pytest.mark.parametrize(("date", "group", "flag"), [("when", None, "--date"), (None, "who", "--group")])
def test_a_column_that_is_not_there_is_one_sentence(
    date: str | None, group: str | None, flag: str, save: Save
) -> None:
    with pytest.raises(BatchError, match=f"has no column .* it has 'review', 'date'; name one with {flag}"):
        find(save(["review", "date"], ["a", "2026-01-01"]), date, group)


def test_a_named_column_without_a_date_is_one_sentence(save: Save) -> None:
    with pytest.raises(BatchError, match="the column 'film' holds no date; dates look like 2026-05-03"):
        find(save(["review", "film"], ["a", "Solaris"]), date="film")


def test_an_empty_file_is_one_sentence(save: Save) -> None:
    with pytest.raises(BatchError, match="holds no row; give a file with reviews"):
        find(save(["review"]))


def test_more_groups_than_fit_are_none(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_GROUPS", 3)
    source = save(["review", "film"], *([f"t {n}", f"film {n % 4}"] for n in range(20)))
    assert find(source).group is None
    with pytest.raises(BatchError, match="holds over 3 groups; name another with --group"):
        find(source, group="film")


def test_each_row_s_date_and_group_are_noted_while_it_is_read(save: Save) -> None:
    source = save(
        ["review", "date", "film"], ["a", "4/13/2026", " A "], ["b", "3/4/2026", ""], ["c", "soon", "B"]
    )
    reader = Reader(source, Columns(3, "date", "film", "mdy"))
    assert [row.review for row in reader.rows()] == ["a", "b", "c"]
    assert [str(day_of(days)) for days in reader.dates()[:2]] == ["2026-04-13", "2026-03-04"]
    assert reader.dates()[2] == NO_DATE
    assert reader.groups().tolist() == [0, -1, 1]
    assert reader.names() == ["A", "B"]


def test_json_lines_may_hold_numbers_and_lack_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"review": "a", "time": 1777766400}\n{"review": "b", "film": "A"}\n', encoding="utf-8")
    source = rows.open_source(path, "jsonl")
    found = find(source, group="film")
    reader = Reader(source, found)
    assert len(list(reader.rows())) == 2
    assert str(day_of(reader.dates()[0])) == "2026-05-03"
    assert reader.groups().tolist() == [-1, 0]
