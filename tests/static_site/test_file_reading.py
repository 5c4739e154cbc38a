"""Files of every sort, hostile ones too, as the file page reads them: the right rows, or a named refusal."""

import base64
import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.stack import Stack

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


def read(page: Page, data: bytes | str, name: str = "a.csv", **choice: Any) -> dict[str, Any]:
    encoded = data.encode() if isinstance(data, str) else data
    return page.evaluate(READ, [name, base64.b64encode(encoded).decode(), choice])


def packed() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as workbook:
        workbook.writestr("sheet.xml", "<a/>")
    return archive.getvalue()


NOISE = random.Random(5).randbytes(20_000)


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.csv", "empty_file"),
        (b"\n \r\n\t\n", "a.csv", "empty_file"),
        (b"\xef\xbb\xbf", "a.txt", "empty_file"),
        (b"id,review\n", "a.csv", "only_header"),
        (b"\xef\xbb\xbfreview", "a.csv", "only_header"),
        (b",".join(b"c" for _ in range(10_000)) + b"\nx\n", "a.csv", "too_many_columns"),
        (b"," * 1_000_000, "a.csv", "too_many_columns"),
        (b"good\n" * 100_001, "a.txt", "too_many_rows"),
        (b"review\n" + b"good\n" * 100_001, "a.csv", "too_many_rows"),
        (b'"good"\n' * 100_001, "a.jsonl", "too_many_rows"),
        ((b"," * 60 + b"\n") * 90_000, "a.csv", "too_many_cells"),
        (NOISE, "a.csv", "binary"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + NOISE, "a.csv", "binary"),
        (packed(), "a.xlsx", "binary"),
        (gzip.compress(b"review\ngood film\n"), "a.csv.gz", "binary"),
        ("id,review\n1,good film\n".encode("utf-16-le"), "a.csv", "binary"),
        (b"no\njson\n", "a.jsonl", "no_json"),
        (b"[1, 2,\n 3]", "a.json", "no_json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_used_is_refused_by_name(site: Page, data: bytes, name: str, code: str) -> None:
    assert read(site, data, name) == {"refused": code}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("delimiter", "format"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")]
)
def test_values_are_cut_at_the_delimiter_that_the_file_has(
    site: Page, line_end: str, delimiter: str, format: str
) -> None:
    lines = [("id", "review"), ("1", '"Good, very; good | film"'), ("2", '"She said ""no"""')]
    sheet = read(site, line_end.join(delimiter.join(line) for line in lines) + line_end)
    assert (sheet["format"], sheet["columns"]) == (format, ["id", "review"])
    assert sheet["rows"] == [["1", "Good, very; good | film"], ["2", 'She said "no"']]
    assert sheet["notes"] == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_utf_8_and_utf_16_are_known_by_their_marks(site: Page, encoding: str) -> None:
    sheet = read(site, "id,review\n1,Café “noir”\n".encode(encoding))
    assert (sheet["columns"], sheet["rows"]) == (["id", "review"], [["1", "Café “noir”"]])
    assert sheet["notes"] == []


def test_utf_16_of_the_other_byte_order_is_known_too(site: Page) -> None:
    assert read(site, "\ufeffreview\nCafé\n".encode("utf-16-be"))["rows"] == [["Café"]]


def test_other_bytes_are_read_as_windows_1252_and_it_is_said(site: Page) -> None:
    sheet = read(site, "review\nCafé “noir” — lovely\n".encode("cp1252"))
    assert sheet["rows"] == [["Café “noir” — lovely"]]
    assert [note["code"] for note in sheet["notes"]] == ["windows_1252"]


@pytest.mark.parametrize(
    ("text", "name", "format", "columns", "rows"),
    [
        ("Great, loved.\n\nBad, bad.\n", "a.txt", "lines", ["review"], [["Great, loved."], ["Bad, bad."]]),
        ('A "good" film\nBad\n', "", "lines", ["review"], [['A "good" film'], ["Bad"]]),
        ("a\tgood\nb\tbad\n", "", "tab", ["Column 1", "Column 2"], [["a", "good"], ["b", "bad"]]),
        ("review,n\ngood,1\n", "", "comma", ["review", "n"], [["good", "1"]]),
        ('{"review": "good"}\n"bad"\n', "", "jsonl", ["review"], [["good"], ["bad"]]),
        ('[\n {"review": "good"},\n "bad"\n]', "a.json", "jsonl", ["review"], [["good"], ["bad"]]),
        ("review\nGreat, I loved it\n", "a.csv", "column", ["review"], [["Great, I loved it"]]),
        ("A good film, truly.,1\nBad.,0\n", "a.csv", "comma", ["Column 1", "Column 2", "Column 3"], None),
    ],
)  # fmt: skip
def test_the_format_is_guessed(
    site: Page, text: str, name: str, format: str, columns: list[str], rows: list[list[str]] | None
) -> None:
    sheet = read(site, text, name)
    assert (sheet["format"], sheet["columns"]) == (format, columns)
    assert rows is None or sheet["rows"] == rows


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("review\ngood film\n", True),
        ("film,comment text\nAlien,Good.\n", True),
        ("Alien,It was a good film.\nJaws,It was a bad one.\n", False),
        ("1,good\n2,bad\n", False),
        ("good,good\nbad,bad\n", False),
        ("Alien,good\nJaws,bad\n", False),
        ("one line alone\n", False),
    ],
)
def test_a_first_row_of_names_is_told_from_a_row(site: Page, text: str, header: bool) -> None:
    assert read(site, text)["header"] is header
    assert read(site, text, header=False)["header"] is False


def codes(sheet: dict[str, Any]) -> dict[str, Any]:
    return {note["code"]: (note.get("count"), note.get("row")) for note in sheet["notes"]}


def test_rows_of_other_lengths_keep_all_their_values(site: Page) -> None:
    sheet = read(site, "id,review\n1,good,film,here\n2\n3,bad\n")
    assert sheet["columns"] == ["id", "review", "Column 3", "Column 4"]
    assert sheet["rows"] == [["1", "good", "film", "here"], ["2"], ["3", "bad"]]
    assert codes(sheet) == {"ragged": (2, 1)}


def test_a_quotation_mark_that_never_closes_is_named_with_its_row(site: Page) -> None:
    sheet = read(site, 'id,review\n1,good\n\n2,"bad\n3,fine\n')
    assert codes(sheet)["unclosed_quote"] == (None, 2)
    assert sheet["rows"][0] == ["1", "good"]


def test_an_odd_quotation_mark_is_named_with_its_row(site: Page) -> None:
    sheet = read(site, 'id,review\n1,good\n2,"a "nice" film"\n')
    assert codes(sheet)["odd_quotes"][1] == 2


def test_an_empty_value_in_a_single_column_is_a_row(site: Page) -> None:
    assert read(site, 'review\n"good"\n""\n"bad"\n""\n')["rows"] == [["good"], [""], ["bad"], [""]]


def test_blank_lines_between_rows_of_values_are_no_rows(site: Page) -> None:
    assert read(site, "id,review\n\n1,good\n\n\n2,\n\n")["rows"] == [["1", "good"], ["2", ""]]


def test_a_nul_stays_in_its_cell_and_is_named(site: Page) -> None:
    sheet = read(site, "id,review\n1,A great\0film that I loved to the end\n2,bad film\n")
    assert sheet["rows"][0][1] == "A great\0film that I loved to the end"
    assert codes(sheet) == {"nulls": (1, 1)}


def test_a_cell_of_a_megabyte_harms_no_other(site: Page) -> None:
    sheet = read(site, "id,review\n1," + "good film " * 100_000 + "\n2,bad film\n")
    assert len(sheet["rows"][0][1]) == 1_000_000
    assert sheet["rows"][1] == ["2", "bad film"]


def test_names_that_are_missing_or_repeated_become_distinct(site: Page) -> None:
    sheet = read(site, "review,review,,Column 3\na,b,c,d\n")
    assert sheet["columns"] == ["review", "review (2)", "Column 3", "Column 3 (2)"]


def test_json_s_odd_names_and_lines_become_cells(site: Page) -> None:
    lines = [
        '{"__proto__": "x", "review": "good", "constructor": 1}',
        "not json",
        "[1]",
        '{"toString": null}',
    ]
    sheet = read(site, "\n".join(lines), "a.jsonl")
    assert sheet["columns"] == ["__proto__", "review", "constructor", "toString", "unread line"]
    assert sheet["rows"][0][:3] == ["x", "good", 1]
    assert (sheet["rows"][1][4], sheet["rows"][2][4], sheet["unread"]) == ("not json", "[1]", 4)
    assert codes(sheet) == {"bad_lines": (2, 2)}


def test_a_json_line_of_a_hundred_thousand_brackets_harms_no_other(site: Page) -> None:
    deep = '{"review": ' + "[" * 100_000 + "]" * 100_000 + "}"
    sheet = read(site, f'{{"review": "good"}}\n{deep}\n{{"review": "bad"}}\n', "a.jsonl")
    assert sheet["rows"][0] == ["good"] and sheet["rows"][2] == ["bad"]


def test_a_file_that_is_too_large_is_refused_unread(site: Page) -> None:
    code = site.evaluate(
        """async () => {
          const { read } = await import("/rows/reader.js");
          const file = { size: 100_000_001, arrayBuffer: () => { throw new Error("read"); } };
          const reading = read({ name: "a.csv", file }, {}, new AbortController().signal);
          return reading.catch((refusal) => refusal.code);
        }"""
    )
    assert code == "too_large"


# --- batches ------------------------------------------------------------------------------------


def batches(site: Page, count: int, review: str) -> list[list[int]]:
    """Give the number of reviews and of bytes in UTF-8 of each request; the review is told as JSON."""
    return site.evaluate(
        """async ([count, review]) => {
          const { takeBatch } = await import("/rows/sending.js");
          const [piece, times] = JSON.parse(review);
          const job = (_, row) => ({ review: piece.repeat(times), rows: [row] });
          const jobs = Array.from({ length: count }, job);
          const sizes = [];
          while (jobs.length > 0) {
            const reviews = takeBatch(jobs).map(({ review }) => ({ review }));
            const body = JSON.stringify({ reviews, explain: "none" });
            sizes.push([reviews.length, new TextEncoder().encode(body).length]);
          }
          return sizes;
        }""",
        [count, review],
    )


def test_a_request_holds_a_hundred_reviews_at_most(site: Page) -> None:
    assert [count for count, _ in batches(site, 250, '["good", 1]')] == [100, 100, 50]


@pytest.mark.parametrize("piece", ["x", "é", "\N{GRINNING FACE}", "\x01", '"', "\ud800"])
def test_a_request_stays_under_a_megabyte_whatever_its_characters_take(site: Page, piece: str) -> None:
    sizes = batches(site, 60, json.dumps([piece, 50_000]))
    assert sum(count for count, _ in sizes) == 60
    assert all(size <= 1_000_000 for _, size in sizes)


def test_waits_grow_and_end(site: Page) -> None:
    delays = site.evaluate(
        """async () => {
          const { delayOf } = await import("/rows/sending.js");
          const error = { status: 503, code: "x", retry_after: null };
          return [1, 2, 3, 4, 5, 6].map((tries) => delayOf(error, tries));
        }"""
    )
    assert delays[-1] is None
    assert all(earlier < later for earlier, later in zip(delays[:-2], delays[1:-1], strict=True))
