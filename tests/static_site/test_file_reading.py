"""Files that the file page's worker reads: reading.test.mjs covers what they hold."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.stack import Stack
from tests.support.workbooks import line, workbook

READ = """async ([name, data, choice]) => {
  const { read } = await import("/rows/reader.js");
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const source = { name, file: new File([bytes], name) };
  return read(source, choice, new AbortController().signal).catch((refusal) => ({ refused: refusal.code }));
}"""


@pytest.fixture(scope="module")
def site(browser: Browser, stack: Stack) -> Iterator[Page]:
    """One visit for all files: reading one leaves nothing behind."""
    page = browser.new_page()
    page.goto(f"{stack.page}file.html")
    yield page
    page.close()


def read(site: Page, data: bytes | str, name: str = "a.csv", **choice: Any) -> dict[str, Any]:
    encoded = data.encode() if isinstance(data, str) else data
    return site.evaluate(READ, [name, base64.b64encode(encoded).decode(), choice])


def test_a_refusal_of_the_worker_keeps_its_name(site: Page) -> None:
    assert read(site, b"no\njson\n", "a.jsonl") == {"refused": "no_json"}
    assert read(site, b"review\n" + b"good\n" * 100_001) == {"refused": "too_many_rows"}


def test_rows_of_many_parcels_arrive_in_their_order(site: Page) -> None:
    rows = [[str(number), f"film {number}"] for number in range(5_001)]
    sheet = read(site, "id,review\n" + "".join(f"{number},{text}\n" for number, text in rows))
    assert (sheet["columns"], sheet["rows"]) == (["id", "review"], rows)


def test_the_worker_follows_the_reader_s_choice(site: Page) -> None:
    sheet = read(site, "review\ngood film\n", header=False)
    assert (sheet["header"], sheet["rows"]) == (False, [["review"], ["good film"]])


def test_other_bytes_are_read_as_windows_1252_and_it_is_said(site: Page) -> None:
    sheet = read(site, "review\nCafé “noir” — lovely\n".encode("cp1252"))
    assert sheet["rows"] == [["Café “noir” — lovely"]]
    assert [note["code"] for note in sheet["notes"]] == ["windows_1252"]


ROWS = (
    line(1, "review", "stars", "seen")
    + line(3, "A good film", "4", "d46145.4243055556")
    + line(4, "Bad", "1", "d46146")
)


def test_a_workbook_s_first_sheet_with_rows_is_read_and_dates_are_dates(site: Page) -> None:
    data = workbook(Empty="", Reviews=ROWS, Other=line(1, "a", "b") + line(2, "1", "2"))
    sheet = read(site, data, "a.xlsx")
    assert (sheet["format"], sheet["columns"]) == ("xlsx", ["review", "stars", "seen"])
    assert sheet["rows"] == [["A good film", 4, "2026-05-03T10:11:00"], ["Bad", 1, "2026-05-04"]]
    assert sheet["pages"] == {"names": ["Reviews", "Other"], "name": "Reviews"}


def test_another_sheet_and_no_names_can_be_chosen(site: Page) -> None:
    data = workbook(Reviews=ROWS, Other=line(1, "a", "b") + line(2, "1", "2"))
    sheet = read(site, data, "a.xlsx", page="Other", header=False)
    assert (sheet["pages"]["name"], sheet["rows"]) == ("Other", [["a", "b"], [1, 2]])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (workbook(Empty=""), "empty_file"),
        (workbook(Names=line(1, "review", "label")), "only_header"),
        (workbook(Reviews=ROWS)[:300], "binary"),
        (workbook(Reviews=ROWS).replace(b"xl/workbook.xml", b"xl/otherbook.xm"), "binary"),
        (workbook(Broken="<row"), "binary"),
    ],
    ids=["empty", "names only", "cut off", "another archive", "broken XML"],
)
def test_a_workbook_that_holds_no_reviews_is_refused(site: Page, data: bytes, code: str) -> None:
    assert read(site, data, "a.xlsx") == {"refused": code}


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread(site: Page) -> None:
    data = bytearray(workbook(Reviews=ROWS))
    # The size that the archive's list names for the sheet, which stands last.
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (900_000_000).to_bytes(4, "little")
    assert read(site, bytes(data), "a.xlsx") == {"refused": "binary"}


def test_semicolons_and_utf_16_are_read(site: Page) -> None:
    text = "review;date\r\nGood, I loved it;3.5.2026\r\n"
    for encoding, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-8", b"")):
        sheet = read(site, mark + text.encode(encoding))
        assert (sheet["format"], sheet["rows"]) == ("semicolon", [["Good, I loved it", "3.5.2026"]])
