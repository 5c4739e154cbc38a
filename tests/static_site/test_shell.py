"""The masthead of every page: the navigation is one line at any width, and its targets suit a finger."""

import pytest
from playwright.sync_api import Page, expect

from static_site import serve
from tests.static_site.conftest import Visit
from tests.support.stack import Stack

PAGES = sorted(path.name for path in serve.FOLDER.glob("*.html"))
FINGER = 44
LINKS = "[...document.querySelectorAll('.pages a')].map((link) => link.getBoundingClientRect().toJSON())"
# What a finger may press, and is seen; the label of a box is pressed with it.
SMALL = """() => [...document.querySelectorAll("button, summary, select, input, .choice, .pages a")]
  .filter((node) => node.checkVisibility() && !node.closest(".visually-hidden"))
  .map((node) => node.closest("label") ?? node)
  .filter((node) => node.getBoundingClientRect().height < 43.5)
  .map((node) => `${node.tagName} ${node.id || node.className}: ${node.getBoundingClientRect().height}`)"""


def phone(visit: Visit, path: str, **options: object) -> Page:
    size = {"width": 320, "height": 640}
    return visit(path, viewport=size, has_touch=True, is_mobile=True, reduced_motion="reduce", **options)


def lines(page: Page) -> set[int]:
    """Return the heights at which links of the navigation stand."""
    return {round(box["top"]) for box in page.evaluate(LINKS)}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_the_navigation_is_one_line(visit: Visit, name: str, width: int) -> None:
    page = visit(name, viewport={"width": width, "height": 640})
    assert len(lines(page)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["index.html", "compare.html"])
def test_all_pages_fit_on_the_line_of_a_small_phone(visit: Visit, two: Stack, name: str) -> None:
    page = phone(visit, name, site=two.page)
    boxes = page.evaluate(LINKS)
    assert len(boxes) == 6 and len(lines(page)) == 1
    assert all(box["left"] >= 0 and box["right"] <= 320 for box in boxes)
    assert all(box["width"] >= FINGER and box["height"] >= FINGER for box in boxes)


def test_a_line_that_is_too_long_scrolls_and_shades_its_end(visit: Visit, two: Stack) -> None:
    page = phone(visit, "index.html", site=two.page)
    page.evaluate("document.documentElement.style.fontSize = '32px'")
    nav = page.locator(".pages")
    assert nav.evaluate("node => node.scrollWidth > node.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert "gradient" in nav.evaluate("node => getComputedStyle(node).backgroundImage")
    last = page.locator(".pages a").last
    last.focus()
    expect(last).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("name", [name for name in PAGES if name != "compare.html"])
def test_a_finger_finds_targets_of_44_pixels(visit: Visit, name: str) -> None:
    page = phone(visit, name)
    page.wait_for_load_state("networkidle")
    page.locator(".settings summary").click()
    assert page.evaluate(SMALL) == []


def test_a_mouse_needs_no_such_height(visit: Visit) -> None:
    page = visit("label.html")
    assert page.locator(".pages a").first.evaluate("node => node.getBoundingClientRect().height") < FINGER


def test_the_skip_link_comes_first_and_leads_to_the_page(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#page"


def test_motion_takes_no_time_where_it_is_not_wanted(visit: Visit) -> None:
    times = "getComputedStyle(document.documentElement).getPropertyValue('--move')"
    assert visit("label.html").evaluate(times) == "240ms"
    assert visit("label.html", reduced_motion="reduce").evaluate(times) == "0ms"
