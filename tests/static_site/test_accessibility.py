"""The review page for everyone: axe in each state and theme, keyboard alone, a screen reader's tree."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.static_site.conftest import Visit
from tests.static_site.review_page import ask, expect_answer, expect_state, opening, send
from tests.support.accessibility import violations
from tests.support.stack import Stack

LONG = "The plot went on and on. The acting is superb. " * 60
MIXED = "The photography is gorgeous and I loved it. Sadly the story goes nowhere and the end is painful."


def opened(page: Page, stack: Stack) -> None:
    expect_answer(page)


def empty(page: Page, stack: Stack) -> None:
    expect_answer(page)
    page.locator("#own").click()
    expect_state(page, "empty")


def ready(page: Page, stack: Stack) -> None:
    loading(page, stack)
    page.locator("#stop").click()
    expect_state(page, "ready")


def loading(page: Page, stack: Stack) -> None:
    expect_answer(page)
    page.route(f"{stack.api}/v1/sentiment", lambda route: None)
    send(page, MIXED)
    expect_state(page, "loading")


def answer(page: Page, stack: Stack) -> None:
    ask(page, MIXED)
    for part in ("examples-part", "aspects", "arithmetic", "developers"):
        page.locator(f"#{part} summary").click()
    expect(page.locator("#aspects .more-body > *")).to_be_visible()
    expect(page.locator("#developers pre").first).to_be_visible()
    expect(page.locator("#waterfall li").first).to_be_visible()


def stale(page: Page, stack: Stack) -> None:
    page.locator("#live").uncheck()
    ask(page, MIXED)
    page.locator("#review").fill(MIXED + " And more.")
    expect(page.locator("#stale")).to_be_visible()


def long_answer(page: Page, stack: Stack) -> None:
    ask(page, LONG)


def short(page: Page, stack: Stack) -> None:
    ask(page, "I loved it")


def not_understood(page: Page, stack: Stack) -> None:
    ask(page, "Ce film est une merveille et je le recommande pour toute la famille.")


def read_beside(page: Page, stack: Stack) -> None:
    ask(page, f"{MIXED} &NotEqualTilde;")
    expect(page.locator("#read-note")).to_be_visible()


def changed_and_compared(page: Page, stack: Stack) -> None:
    ask(page, MIXED)
    page.locator("#pin").click()
    page.locator("#leave-out").click()
    page.locator("#words .word").first.click()
    expect(page.locator("#change")).to_be_visible()
    assert violations(page) == []
    page.locator("#use-text").click()
    expect(page.locator("#compare-columns article")).to_have_count(2)


def leaving_out(page: Page, stack: Stack) -> None:
    ask(page, MIXED)
    page.locator("#leave-out").click()
    page.locator("#sentences .row").first.click()
    expect(page.locator("#change")).to_be_visible()


def error(page: Page, stack: Stack) -> None:
    send(page, "")
    expect(page.locator("#error")).to_be_visible()


def settings_and_history(page: Page, stack: Stack) -> None:
    page.locator(".settings summary").click()
    page.locator("#setting-history").check()
    ask(page, MIXED)
    expect(page.locator("#history-list li")).to_have_count(1)
    page.locator(".settings summary").click()


STATES = [
    opened, empty, ready, loading, answer, stale, long_answer, short, not_understood, read_beside,
    changed_and_compared, leaving_out, error, settings_and_history,
]  # fmt: skip


def test_axe_finds_what_is_broken(page: Page) -> None:
    page.evaluate("document.querySelector('#review').style.color = '#ddd'; document.title = '';")
    found = violations(page)
    assert [rule.split(":")[0] for rule in found] == ["color-contrast", "document-title"]
    assert "#review" in found[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(visit: Visit, stack: Stack, state, theme: str) -> None:
    page = visit(color_scheme=theme, reduced_motion="reduce")
    state(page, stack)
    assert violations(page) == []


@pytest.mark.parametrize("state", [opened, leaving_out, short, error], ids=lambda state: state.__name__)
def test_axe_finds_nothing_on_a_narrow_phone_and_nothing_scrolls_sideways(
    visit: Visit, stack: Stack, state
) -> None:
    page = visit(reduced_motion="reduce", viewport={"width": 320, "height": 700}, has_touch=True)
    state(page, stack)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.className")


def press_until(page: Page, wanted: str, key: str = "Tab") -> None:
    """Go on by one key until the wanted element has the focus, which must be visible all the way."""
    for _ in range(60):
        page.keyboard.press(key)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if page.evaluate(f"document.activeElement.matches({wanted!r})"):
            return
    raise AssertionError(f"{wanted} was not reached; the focus is on {focused(page)}")


def test_the_whole_page_is_used_by_keyboard_alone(page: Page) -> None:
    expect_answer(page)
    press_until(page, "#review")
    page.keyboard.type(MIXED)
    expect(page.locator("#review")).to_have_value(MIXED)
    page.keyboard.press("Control+Enter")
    expect_answer(page)
    press_until(page, "#leave-out")
    page.keyboard.press("Enter")
    first = page.locator("#words .word").first
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#words .word").nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator('#words .word[aria-pressed="true"]')).to_have_text("Sadly")
    expect(page.locator("#why")).to_have_text("Without \u201cSadly\u201d.")
    press_until(page, "#put-back")
    page.keyboard.press("Enter")
    expect(page.locator('#words .word[aria-pressed="true"]')).to_have_count(0)
    assert page.evaluate("document.activeElement.matches('.word')")
    page.keyboard.press("Escape")
    expect(page.locator("#leave-out")).to_be_focused()
    expect(page.locator("#box")).to_be_visible()
    press_until(page, "button.row")
    page.keyboard.press("Enter")
    expect(page.locator("#change")).to_be_visible()
    press_until(page, "#arithmetic > summary")
    page.keyboard.press("Enter")
    expect(page.locator("#waterfall li").first).to_be_visible()
    press_until(page, ".settings > summary", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#setting-live")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#setting-live")).to_be_hidden()


def test_a_screen_reader_hears_verdict_sentences_and_each_word_with_what_the_text_becomes(page: Page) -> None:
    ask(page, MIXED)
    tree = page.locator("#answer").aria_snapshot()
    assert re.search('heading "(Can\u2019t tell|Positive|Negative)"', tree)
    row = page.locator("#sentences .row").first.aria_snapshot()
    assert "On its own" in row and "Without it" in row and "button" in row
    page.locator("#leave-out").click()
    word = page.locator("#words .word[data-tip]").first
    tip = (word.get_attribute("data-tip") or "").replace("\N{NO-BREAK SPACE}", " ")
    assert tip.startswith("without it")
    assert f'button "{word.text_content()}, {tip}"' in page.locator("#words").aria_snapshot()
    # What is drawn beneath the box is not read out a second time.
    expect(page.locator("#marks")).to_have_attribute("aria-hidden", "true")


def test_the_verdict_is_announced(page: Page) -> None:
    status = page.locator("#status")
    assert status.get_attribute("role") == "status"
    ask(page, MIXED)
    expect(status).to_contain_text("Verdict:")


def test_shortcuts_can_be_turned_off(page: Page) -> None:
    page.locator(".settings summary").click()
    page.locator("#setting-shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#review")).not_to_be_focused()
    page.locator("#live").uncheck()
    page.locator("#review").fill(MIXED)
    page.locator("#review").press("Control+Enter")
    expect_state(page, "ready")
    expect(page.locator("#shortcut")).to_be_empty()


def test_the_slash_goes_to_the_box_and_types_nothing(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#review")).to_be_focused()
    expect(page.locator("#review")).to_have_value(opening(page))


def inked(page: Page, selector: str) -> float:
    """Return the share of pixels above an element's underline that are nearly ink: its letters."""
    box = page.locator(selector).first.bounding_box()
    assert box
    shot = page.screenshot(clip={**box, "height": box["height"] * 0.7})  # type: ignore[arg-type]
    grey = list(Image.open(io.BytesIO(shot)).convert("L").get_flattened_data())
    paper = max(set(grey), key=grey.count)
    return sum(abs(pixel - paper) > 150 for pixel in grey) / len(grey)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_that_the_system_forces_leave_signs_and_patterns(visit: Visit, theme: str) -> None:
    page = visit(forced_colors="active", color_scheme=theme)
    ask(page, MIXED)
    assert 0.05 < inked(page, "#marks .glow") < 0.5
    page.locator("#leave-out").click()
    for layer in ("#marks", "#words"):
        marks = page.locator(f"{layer} mark.pull")
        style = "mark => getComputedStyle(mark).textDecorationStyle"
        styles = {mark.get_attribute("data-sign"): mark.evaluate(style) for mark in marks.all()}
        assert styles == {"plus": "solid", "minus": "dashed"}
    ink = page.locator("body").evaluate("node => getComputedStyle(node).color")
    paper = page.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
    sign = page.locator("#words .glow").first
    assert sign.evaluate("node => getComputedStyle(node, '::after').content") in ('"+"', '"\N{MINUS SIGN}"')
    assert sign.evaluate("node => getComputedStyle(node, '::after').color") == ink
    page.locator("#words .word").first.click()
    removed = page.locator('#words .word[aria-pressed="true"]')
    assert removed.evaluate("node => getComputedStyle(node).color") not in (paper, "rgba(0, 0, 0, 0)")


def test_text_from_right_to_left_runs_so_in_box_and_answer(page: Page) -> None:
    ask(page, "هذا فيلم رائع وممتع جدا من البداية إلى النهاية وأنصح الجميع بمشاهدته.")
    for selector in ("#review", "#marks", "#words"):
        assert page.locator(selector).evaluate("node => getComputedStyle(node).direction") == "rtl"


def test_motion_is_left_out_where_it_is_not_wanted(visit: Visit, stack: Stack) -> None:
    page = visit(reduced_motion="reduce")
    loading(page, stack)
    style = "node => getComputedStyle(node, '::before').animationName"
    assert page.locator(".progress").evaluate(style) == "none"
    page.unroute(f"{stack.api}/v1/sentiment")
    ask(page, MIXED)
    needle = page.locator("#meter .needle")
    assert needle.evaluate("node => getComputedStyle(node).transitionDuration") == "0s"
