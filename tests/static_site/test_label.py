"""The labelling page: one key a label, undo, progress, resuming, and a CSV that adapt reads."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations
from training.files import labelled

TEXTS = ["It broke.", 'Lovely, "really".', "Two\nlines.", "=SUM(A1)", "Last one."]


def choose(
    page: Page, texts: list[str] = TEXTS, labels: list[str] | None = None, name: str = "a.csv"
) -> None:
    out = io.StringIO()
    rows = zip(texts, labels or [""] * len(texts), strict=True)
    csv.writer(out).writerows([("text", "label"), *rows])
    payload = FilePayload(name=name, mimeType="text/csv", buffer=out.getvalue().encode())
    page.locator("#file").set_input_files(payload)
    expect(page.locator("#work")).to_be_visible()


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit("label.html")


def written(page: Page, folder: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("button", name="Download the CSV").click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_one_key_labels_a_text_and_the_next_one_comes(page: Page) -> None:
    choose(page)
    expect(page.locator("#text")).to_have_text(TEXTS[0])
    page.keyboard.press("n")
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.keyboard.press("P")
    expect(page.locator("#kicker")).to_have_text("2 of 5 labelled")


def test_what_is_written_is_what_was_labelled_and_adapt_reads_it(page: Page, tmp_path: Path) -> None:
    choose(page)
    for key in "npspn":
        page.keyboard.press(key)
    expect(page.locator("#text")).to_contain_text("All done")
    path = written(page, tmp_path)
    assert path.name == "a-labels.csv"
    rows = labelled.read(path)
    assert list(rows.texts()) == [TEXTS[0], TEXTS[1], TEXTS[3], TEXTS[4]]
    assert rows.labels.tolist() == [0, 1, 1, 0]


def test_labels_are_taken_back_one_by_one(page: Page) -> None:
    choose(page)
    page.keyboard.press("p")
    page.keyboard.press("n")
    page.keyboard.press("u")
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.keyboard.press("Control+z")
    expect(page.locator("#text")).to_have_text(TEXTS[0])
    expect(page.locator("#kicker")).to_have_text("0 of 5 labelled")
    page.keyboard.press("u")
    expect(page.locator("#text")).to_have_text(TEXTS[0])


def test_the_same_file_goes_on_where_it_was_left(page: Page) -> None:
    choose(page)
    page.keyboard.press("p")
    page.keyboard.press("s")
    page.reload()
    choose(page)
    expect(page.locator("#text")).to_have_text("Two\nlines.", use_inner_text=True)
    expect(page.locator("#kicker")).to_have_text("1 of 5 labelled, 1 skipped")


def test_no_text_is_kept_on_the_device_and_none_is_sent(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    choose(page)
    page.keyboard.press("p")
    stored = page.evaluate("JSON.stringify({...localStorage})")
    assert "broke" not in stored
    assert [url for url in sent if "/v1/" in url] == []


def test_a_file_that_has_labels_goes_on_behind_them(page: Page) -> None:
    choose(page, labels=["negative", "1", "", "", ""])
    expect(page.locator("#text")).to_contain_text("Two")
    expect(page.locator("#kicker")).to_have_text("2 of 5 labelled")


def test_buttons_do_what_the_keys_do_and_keys_can_be_switched_off(page: Page) -> None:
    choose(page)
    page.get_by_role("button", name="Positive (P)").click()
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.locator(".settings summary").click()
    page.locator("#setting-shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.get_by_role("button", name="Negative", exact=True).click()
    expect(page.locator("#kicker")).to_have_text("2 of 5 labelled")


def test_a_text_is_shown_as_text(page: Page) -> None:
    choose(page, ["<img src=x onerror=alert(1)> nice", "B", "C", "D", "E"])
    expect(page.locator("#text")).to_have_text("<img src=x onerror=alert(1)> nice")
    assert page.locator("#text img").count() == 0


def test_a_file_that_is_none_is_refused_in_words(page: Page) -> None:
    payload = FilePayload(name="a.csv", mimeType="text/csv", buffer=b"PK\x03\x04 not a table")
    page.locator("#file").set_input_files(payload)
    expect(page.locator("#refusal")).to_be_visible()
    expect(page.locator("#work")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["choose", "work", "done"])
def test_no_state_has_a_barrier_or_overflows(visit: Visit, scheme: str, state: str) -> None:
    page = visit("label.html", color_scheme=scheme, viewport={"width": 320, "height": 700})
    if state != "choose":
        choose(page)
    for _ in TEXTS if state == "done" else ():
        page.keyboard.press("p")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
