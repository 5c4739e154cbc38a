"""A reader's correction: offered where it is kept, sent when it is pressed, and taken back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.static_site.conftest import Visit
from tests.static_site.review_page import expect_answer
from tests.support.accessibility import violations
from tests.support.stack import Stack
from vocab.messages.feedback import from_bytes

REVIEW = "I laughed until it hurt."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("said")


@pytest.fixture(scope="module")
def keeping(folder: Path) -> Iterator[Stack]:
    """The app with feedback switched on."""
    running = Stack(FEEDBACK=str(folder))
    try:
        running.wait_for("Verdict is ready")
        yield running
    finally:
        running.stop()


def judged(page: Page) -> Page:
    page.get_by_label("Your review").fill(REVIEW)
    page.get_by_role("button", name="Get the verdict").click()
    expect_answer(page)
    return page


def test_without_a_place_for_it_nothing_is_offered(visit: Visit) -> None:
    page = judged(visit())
    page.wait_for_load_state("networkidle")
    expect(page.locator("#correct")).to_be_hidden()


def test_a_reader_s_word_is_kept_when_it_is_pressed_and_gone_when_taken_back(
    visit: Visit, keeping: Stack, folder: Path
) -> None:
    page = judged(visit(site=keeping.page))
    page.get_by_role("button", name="This is wrong").click()
    assert list(folder.iterdir()) == []
    page.get_by_role("button", name="It is negative").click()
    expect(page.locator("#correct-status")).to_have_text("Saved. Thank you.")
    (kept,) = folder.iterdir()
    record = from_bytes(kept.read_bytes())
    assert (record.feedback.review, record.feedback.label) == (REVIEW, "negative")
    assert record.feedback.model.startswith("verdict-")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#correct-status")).to_have_text("Undone. Your answer is deleted.")
    assert list(folder.iterdir()) == []
    page.get_by_role("button", name="This is wrong").click()
    page.get_by_role("button", name="It is positive").click()
    expect(page.locator("#correct-status")).to_have_text("Saved. Thank you.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#correct-status")).to_have_text("Undone. Your answer is deleted.")
    assert list(folder.iterdir()) == []


def test_what_can_t_be_kept_is_said(visit: Visit, keeping: Stack) -> None:
    page = judged(visit(site=keeping.page))
    page.get_by_role("button", name="This is wrong").click()
    page.route("**/v1/feedback", lambda route: route.abort())
    page.get_by_role("button", name="It is positive").click()
    expect(page.locator("#correct-status")).to_contain_text("nothing was saved")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_question_has_no_barrier(visit: Visit, keeping: Stack, scheme: str) -> None:
    page = judged(visit(site=keeping.page, color_scheme=scheme, viewport={"width": 320, "height": 700}))
    page.get_by_role("button", name="This is wrong").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
