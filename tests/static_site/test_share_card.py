"""The picture of a verdict: drawn on the device, never of an error or an outdated answer."""

import re
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from tests.static_site.conftest import Visit
from tests.static_site.playing import (
    BAD,
    FRENCH,
    GOOD,
    MIXED,
    OPEN,
    SECONDS,
    ask,
    overflows,
    plain,
    small_targets,
)
from tests.support.accessibility import violations
from tests.support.stack import Stack

CLIPBOARD = ["clipboard-read", "clipboard-write"]
REFUSED = """() => {
  for (const name of ["write", "writeText"]) {
    navigator.clipboard[name] = () => Promise.reject(new DOMException("no", "NotAllowedError"));
  }
}"""
# The picture in the clipboard: its type, and its size in pixels.
COPIED = """async () => {
  const [item] = await navigator.clipboard.read();
  const picture = await createImageBitmap(await item.getType("image/png"));
  return [...item.types, picture.width, picture.height];
}"""
PIXEL = """([x, y]) => {
  const pen = document.querySelector(".share-card").getContext("2d");
  return [...pen.getImageData(x, y, 1, 1).data];
}"""


def open_card(page: Page) -> None:
    page.locator("#share-part summary").click()
    expect(page.locator(".share-card")).to_have_attribute("aria-label", re.compile("A card"), timeout=SECONDS)


def described(page: Page) -> str:
    return plain(page.locator(".share-card").get_attribute("aria-label"))


def press(page: Page, name: str) -> None:
    page.locator("#share-part").get_by_role("button", name=name).click()


def said(page: Page):
    return page.locator("#share-part .play-status")


def size_of(download: Download) -> tuple[int, int]:
    """Return a PNG's width and height."""
    head = Path(download.path()).read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_a_card_says_what_it_shows(page: Page) -> None:
    ask(page, MIXED)
    open_card(page)
    words = described(page)
    assert "The photography is gorgeous" in words
    assert f"Verdict: {page.locator('#verdict').text_content()}." in words
    assert re.search(r"[0-9.]+ % sure", words)
    box = page.locator(".share-card").bounding_box()
    assert box and box["width"] / box["height"] == pytest.approx(1200 / 630, rel=0.02)


def test_an_image_is_copied_and_nothing_is_sent(visit: Visit) -> None:
    page = visit(permissions=CLIPBOARD)
    ask(page, GOOD)
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_card(page)
    press(page, "Copy image")
    expect(said(page)).to_have_text("The image is copied.")
    assert page.evaluate(COPIED) == ["image/png", 1200, 630]
    press(page, "Copy link")
    expect(said(page)).to_contain_text("The link is copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "#review=" in link
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [
        url for url in asked if url.endswith(("/shared/share.js",))
    ]


def test_an_image_that_can_not_be_copied_is_saved(page: Page) -> None:
    ask(page, GOOD)
    open_card(page)
    page.evaluate(REFUSED)
    with page.expect_download() as saved:
        press(page, "Copy image")
    assert saved.value.suggested_filename == "verdict.png"
    assert size_of(saved.value) == (1200, 630)
    expect(said(page)).to_contain_text("refused")


def test_an_image_is_saved(page: Page) -> None:
    ask(page, BAD)
    open_card(page)
    with page.expect_download() as saved:
        press(page, "Save image")
    assert size_of(saved.value) == (1200, 630)
    expect(said(page)).to_have_text("The image is saved as verdict.png.")


def test_a_link_that_can_not_be_copied_is_shown(page: Page) -> None:
    ask(page, GOOD)
    open_card(page)
    page.evaluate(REFUSED)
    press(page, "Copy link")
    expect(page.locator(".share-link")).to_contain_text("#review=")
    expect(said(page)).to_contain_text("Copy the link here")


def test_an_outdated_answer_is_not_drawn(visit: Visit, stack: Stack) -> None:
    page = visit(permissions=CLIPBOARD)
    ask(page, GOOD)
    open_card(page)
    page.route(f"{stack.api}/v1/sentiment", lambda route: None)  # a verdict that never comes
    page.locator("#review").fill(BAD)
    expect(said(page)).to_contain_text("The text has changed")
    expect(page.locator(".share-card")).to_be_hidden()
    page.evaluate("navigator.clipboard.writeText('before')")
    for name in ("Copy image", "Copy link"):
        press(page, name)
        expect(said(page)).to_contain_text("The text has changed")
    assert page.evaluate("navigator.clipboard.readText()") == "before"
    page.locator("#review").fill(GOOD)
    expect(page.locator(".share-card")).to_be_visible()


def test_there_is_no_card_of_an_error(page: Page, stack: Stack) -> None:
    ask(page, GOOD)
    open_card(page)
    page.route(f"{stack.api}/**", lambda route: route.abort("connectionrefused"))
    page.locator("#review").fill(BAD)
    page.locator("#send").click()
    expect(page.locator("main#page")).to_have_attribute("data-state", "error", timeout=SECONDS)
    expect(page.locator(".share-card:visible")).to_have_count(0)


def test_a_card_of_a_change_says_so(page: Page) -> None:
    ask(page, MIXED)
    page.locator("#play").get_by_role("button", name="Change its mind").click()
    expect(page.locator("#play .play-status")).to_contain_text("it turns", timeout=SECONDS)
    open_card(page)
    assert "Changed review" in described(page)
    assert f"Verdict: {page.locator('#verdict').text_content()}." in described(page)
    page.locator("#play").get_by_role("button", name="Put back").click()
    expect(page.locator(".share-card")).not_to_have_attribute("aria-label", re.compile("Changed review"))


@pytest.mark.parametrize("review", [OPEN, "Dreadful"])
def test_where_no_number_holds_none_is_drawn(page: Page, review: str) -> None:
    ask(page, review)
    open_card(page)
    assert "%" not in described(page)


def test_a_text_that_was_not_understood_has_no_percentage_on_its_card(page: Page) -> None:
    page.locator("#review").fill(FRENCH)
    page.locator("#send").click()
    expect(page.locator("main#page")).to_have_attribute("data-state", "answer", timeout=SECONDS)
    open_card(page)
    assert "%" not in described(page)
    assert "does not look like English" in described(page)


def test_a_long_review_is_shortened_by_whole_sentences(page: Page) -> None:
    review = f"{GOOD} {'The boat goes on and the sea is calm. ' * 30}I would gladly see it again."
    ask(page, review)
    open_card(page)
    quote = described(page)
    assert quote.count("\u2026") == 1
    assert GOOD in quote and "I would gladly see it again." in quote
    assert len(quote) < 900


def test_a_card_takes_the_theme_and_follows_it(visit: Visit) -> None:
    page = visit(color_scheme="dark")
    ask(page, GOOD)
    open_card(page)
    dark = page.evaluate(PIXEL, [5, 5])
    assert max(dark[:3]) < 60
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(200)
    light = page.evaluate(PIXEL, [5, 5])
    assert min(light[:3]) > 200 and light[3] == 255


def test_an_open_card_stays_open_and_shows_the_next_answer(page: Page) -> None:
    ask(page, GOOD)
    open_card(page)
    ask(page, BAD)
    expect(page.locator(".share-card")).to_have_attribute("aria-label", re.compile("Verdict: Negative"))
    expect(page.locator(".share-card")).to_be_visible()


def test_a_card_keeps_its_colours_where_the_page_s_are_forced(visit: Visit) -> None:
    page = visit(forced_colors="active", color_scheme="light")
    ask(page, GOOD)
    open_card(page)
    paper, rule = (page.evaluate(PIXEL, [x, y]) for x, y in ((5, 5), (600, 99)))
    assert min(paper[:3]) > 200 and max(rule[:3]) < 60


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080/index.html", ""),
        ("http://localhost/", ""),
        ("http://[::1]:8080/", ""),
        ("https://verdict.example/", "verdict.example"),
        ("https://name.example/site/index.html#review=a", "name.example/site"),
    ],
)
def test_the_address_stands_on_the_card_unless_it_is_loopback(page: Page, url: str, address: str) -> None:
    found = page.evaluate(
        "url => import('./play/share.js').then(({ addressOf }) => addressOf(new URL(url)))", url
    )
    assert found == address


def test_nothing_is_drawn_before_the_part_is_opened(page: Page) -> None:
    ask(page, GOOD)
    expect(page.locator("#share-part summary")).to_be_visible()
    assert page.locator(".share-card").get_attribute("aria-label") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_part_fits_a_small_phone_and_is_accessible(visit: Visit, scheme: str) -> None:
    page = visit(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True, color_scheme=scheme)
    ask(page, MIXED)
    open_card(page)
    assert not overflows(page)
    assert small_targets(page, "#share-part button, #share-part summary") == []
    assert violations(page) == []
