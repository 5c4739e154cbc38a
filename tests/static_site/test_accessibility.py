"""The review page for everyone: axe in each state and theme, keyboard alone, a screen reader's tree."""

import pytest
from playwright.sync_api import Page, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations
from tests.support.stack import Stack

LONG = "The plot went on and on. The acting is superb. " * 60
MIXED = "The photography is gorgeous and I loved it. Sadly the story goes nowhere and the end is painful."


def ask(page: Page, review: str) -> None:
    page.locator("#review").fill(review)
    page.locator("#send").click()
    expect(page.locator("main#page")).to_have_attribute("data-state", "answer", timeout=10_000)
    expect(page.locator("#stale")).to_be_hidden(timeout=10_000)


def empty(page: Page, stack: Stack) -> None:
    pass


def loading(page: Page, stack: Stack) -> None:
    page.route(f"{stack.api}/v1/sentiment", lambda route: None)
    page.locator("#review").fill(MIXED)
    page.locator("#send").click()
    expect(page.locator("main#page")).to_have_attribute("data-state", "loading")


def answer(page: Page, stack: Stack) -> None:
    ask(page, MIXED)
    page.locator("#all-words summary").click()
    page.locator("#developers summary").click()
    expect(page.locator("#developers pre").first).to_be_visible()


def long_answer(page: Page, stack: Stack) -> None:
    ask(page, LONG)


def tried_and_compared(page: Page, stack: Stack) -> None:
    ask(page, MIXED)
    page.locator("#pin").click()
    page.locator(".word").first.click()
    expect(page.locator("#before-after")).to_be_visible()
    page.locator("#use-text").click()
    expect(page.locator("#compare-columns article")).to_have_count(2)


def editing(page: Page, stack: Stack) -> None:
    ask(page, MIXED)
    page.locator("#edit-here").click()


def error(page: Page, stack: Stack) -> None:
    page.locator("#send").click()
    expect(page.locator("#error")).to_be_visible()


def settings_and_history(page: Page, stack: Stack) -> None:
    page.locator(".settings summary").click()
    page.locator("#setting-history").check()
    ask(page, MIXED)
    expect(page.locator("#history-list li")).to_have_count(1)
    page.locator(".settings summary").click()


STATES = [empty, loading, answer, long_answer, tried_and_compared, editing, error, settings_and_history]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(visit: Visit, stack: Stack, state, theme: str) -> None:
    page = visit(color_scheme=theme, reduced_motion="reduce")
    state(page, stack)
    assert violations(page) == []


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
    press_until(page, "#review")
    page.keyboard.type(MIXED)
    page.keyboard.press("Control+Enter")
    expect(page.locator("main#page")).to_have_attribute("data-state", "answer")
    press_until(page, ".word")
    first = page.locator(".word").first
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".word").nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator('.word[aria-pressed="true"]')).to_have_text("Sadly")
    expect(page.locator("#try-status")).to_contain_text("Without 1 word")
    press_until(page, "#put-back")
    page.keyboard.press("Enter")
    expect(page.locator('.word[aria-pressed="true"]')).to_have_count(0)
    expect(page.locator("#flip")).to_be_focused()
    press_until(page, "#all-words > summary")
    page.keyboard.press("Enter")
    expect(page.locator("#all-words li").first).to_be_visible()
    press_until(page, "button.row")
    press_until(page, ".settings > summary", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#setting-live")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#setting-live")).to_be_hidden()


def test_a_screen_reader_hears_each_word_with_its_effect_and_its_pull(page: Page) -> None:
    ask(page, MIXED)
    page.locator("#all-words summary").click()
    pull = page.locator("#all-words li .row-number").first
    expect(pull).to_be_visible()
    tree = page.locator("#answer").aria_snapshot()
    assert 'heading "Can’t tell"' in tree or 'heading "Positive"' in tree or 'heading "Negative"' in tree
    word = page.locator(".word").first
    number = word.get_attribute("data-number") or ""
    assert number[0] in "+\N{MINUS SIGN}0"
    tip = (word.get_attribute("data-tip") or "").replace("\N{NO-BREAK SPACE}", " ")
    assert tip.startswith(f"{number}, without it ")
    assert f'button "The {tip}"' in tree
    assert f"listitem: The {pull.text_content()}" in tree


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
    page.locator("#review").fill(MIXED)
    page.locator("#review").press("Control+Enter")
    expect(page.locator("main#page")).to_have_attribute("data-state", "empty")
    expect(page.locator("#shortcut")).to_be_empty()


def test_the_slash_goes_to_the_box_and_types_nothing(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#review")).to_be_focused()
    expect(page.locator("#review")).to_have_value("")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_that_the_system_forces_leave_signs_and_patterns(visit: Visit, theme: str) -> None:
    page = visit(forced_colors="active", color_scheme=theme)
    ask(page, MIXED)
    marks = page.locator("#text mark.pull")
    styles = {
        mark.get_attribute("data-sign"): mark.evaluate("mark => getComputedStyle(mark).textDecorationStyle")
        for mark in marks.all()
    }
    assert styles == {"plus": "solid", "minus": "dashed"}
    page.locator(".word").first.click()
    ink = page.locator("body").evaluate("node => getComputedStyle(node).color")
    paper = page.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
    for part in ("::after", None):
        colour = marks.first.evaluate("(mark, part) => getComputedStyle(mark, part).color", part)
        assert colour == ink
    removed = page.locator('.word[aria-pressed="true"]')
    assert removed.evaluate("node => getComputedStyle(node).color") not in (paper, "rgba(0, 0, 0, 0)")


def test_text_from_right_to_left_runs_so_in_box_and_answer(page: Page) -> None:
    ask(page, "هذا فيلم رائع وممتع جدا من البداية إلى النهاية وأنصح الجميع بمشاهدته.")
    for selector in ("#review", "#text"):
        assert page.locator(selector).evaluate("node => getComputedStyle(node).direction") == "rtl"


def test_motion_is_left_out_where_it_is_not_wanted(visit: Visit, stack: Stack) -> None:
    page = visit(reduced_motion="reduce")
    loading(page, stack)
    style = "node => getComputedStyle(node, '::before').animationName"
    assert page.locator(".progress").evaluate(style) == "none"
