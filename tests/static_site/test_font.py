"""The headlines' font: smaller than its package's, it still holds what headlines say."""

import json
import re

import pytest
from playwright.sync_api import expect

from static_site import serve
from tests.static_site.conftest import Visit

SITE = serve.FOLDER
ENTRIES = json.loads((SITE / "vendor" / "vendor.json").read_text(encoding="utf-8"))
PAGES = sorted(path.name for path in SITE.glob("*.html"))
IN_HEADLINES = """[...document.querySelectorAll("body *")]
  .filter((node) => getComputedStyle(node).fontFamily.startsWith("Newsreader"))
  .map((node) => node.textContent.trim()).join(" ")"""
TITLES = """async ([codes, statuses]) => {
  const { explain } = await import("./shared/failure_strings.js");
  const errors = [...codes.map((code) => ({ code })), ...statuses.map((status) => ({ code: "", status }))];
  return errors.map((error) => explain(error, "").title).join(" ");
}"""

LOADED = "document.fonts.ready.then(() => document.fonts.check('600 40px Newsreader'))"
# The room of the text itself, in the nameplate and the page's headline.
BOXES = """() => [...document.querySelectorAll(".nameplate, main .headline")]
  .filter((node) => node.checkVisibility())
  .map((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect().toJSON();
  })"""


def characters_of(ranges: str) -> set[str]:
    """The characters of ranges as U+20-22,U+A0."""
    ends = [part.strip().removeprefix("U+").split("-") for part in ranges.split(",")]
    return {chr(code) for one in ends for code in range(int(one[0], 16), int(one[-1], 16) + 1)}


def said_in_style() -> set[str]:
    """The characters for which the style sheet asks for the font."""
    said = re.search(r"unicode-range: ([^;]+);", (SITE / "shared/style.css").read_text(encoding="utf-8"))
    assert said
    return characters_of(said.group(1))


def test_the_style_sheet_says_which_characters_the_headlines_font_was_made_with() -> None:
    made_by = next(entry["made_by"] for entry in ENTRIES if entry["package"] == "@fontsource/newsreader")
    made_with = re.search(r"--unicodes=(\S+)", made_by)
    assert made_with
    assert said_in_style() == characters_of(made_with.group(1))


def test_the_headlines_font_holds_every_character_of_a_headline(visit: Visit) -> None:
    shown = ""
    for name in PAGES:
        page = visit(name)
        page.wait_for_load_state("networkidle")
        shown += page.evaluate(IN_HEADLINES)
    texts = (SITE / "shared/failure_strings.js").read_text(encoding="utf-8")
    codes = re.findall(r"^  ([a-z_]+): ", texts, re.MULTILINE)
    shown += page.evaluate(TITLES, [codes, [*range(400, 430), *range(500, 505)]])
    assert len(shown) > 500
    assert set(shown) - said_in_style() - set("\n") == set()


@pytest.mark.parametrize("name", ["compare.html", "file.html"])
def test_a_stand_in_takes_the_room_of_the_headlines_font(visit: Visit, name: str) -> None:
    page = visit(name)
    page.evaluate(LOADED)
    with_font = page.evaluate(BOXES)
    page.route("**/*.woff2", lambda route: route.abort())
    page.goto(f"{page.url}?without")
    expect(page.locator("main#page")).to_be_visible()
    assert not page.evaluate(LOADED)
    without = page.evaluate(BOXES)
    assert len(with_font) == len(without) >= 2
    for box, other in zip(with_font, without, strict=True):
        assert other["height"] == pytest.approx(box["height"], abs=1)
        assert other["width"] == pytest.approx(box["width"], rel=0.04)
