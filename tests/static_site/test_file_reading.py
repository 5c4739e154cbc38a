"""Files that the file page's worker reads: reading.test.mjs covers what they hold."""

import base64
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
