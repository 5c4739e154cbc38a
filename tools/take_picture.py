"""Capture the running app's page, the design, the link preview, the icon, and the visual test's pictures.

    python -m tools.take_picture [--only page design report social icon looks]

Starts Chromium and the app on free ports. Writes docs/page.png for README, three pictures for
docs/design-page.md, docs/report.png, social.png and apple-touch-icon.png in static_site/, and
tests/static_site/pictures/.
"""

import argparse
import io
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, sync_playwright

from tests.support import looks
from tests.support.stack import Stack
from training.report.page import to_html

ROOT = Path(__file__).resolve().parents[1]

DOCS, SITE = ROOT / "docs", ROOT / "static_site"
PICTURES = ROOT / "tools/pictures"
REVIEW = (
    "The story falls apart in the last act, and the ending made no sense to anyone in our row. The two leads"
    " are a joy to watch, and the harbour at dawn is beautiful. The music is wonderful."
)
SHORT_REVIEW = (
    "A lovely, witty film with a superb cast. The ending is weak, but I would gladly see all of it again."
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# Sizes of the link preview and of the home-screen icon, in pixels.
SOCIAL: ViewportSize = {"width": 1200, "height": 630}
ICON: ViewportSize = {"width": 180, "height": 180}
BOARD: ViewportSize = {"width": 1100, "height": 800}
KINDS = ("page", "design", "report", "social", "icon", "looks")
# These show the real model's answers, so they need the app.
LIVE = {"page", "social"}
# README's part of the review page: verdict, text and margin.
CLIP: FloatRect = {"x": 0, "y": 0, "width": 1200, "height": 1240}
# A report's score, its time and the largest causes.
REPORT_CLIP: FloatRect = {"x": 0, "y": 0, "width": 1200, "height": 1858}
SAMPLE = ROOT / "tests/golden/report/view_sample.json"
PHONE: FloatRect = {"x": 0, "y": 0, "width": 375, "height": 1100}
# Pixels between two phones.
GAP = 24
ASK = """async (review) => {
  const files = ["api", "config", "shared/verdict_strings", "review/answer_strings", "review/effects"];
  const [{ Verdict }, { API_URL }, { headlineOf }, { sure }, { glowing }] = await Promise.all(
    files.map((file) => import(`./${file}.js`)));
  const answer = await new Verdict(API_URL).sentiment(review, { explain: "words" });
  const words = glowing(answer).map((index) => answer.words[index]);
  return [{ ...answer, words }, headlineOf(answer), sure(answer)];
}"""


def main(arguments: list[str] | None = None) -> None:
    chosen = parse(arguments).only
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not browser_path:
        sys.exit("picture: chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        if LIVE & set(chosen):
            take_live(browser, chosen)
        if "design" in chosen:
            take_design(browser)
        if "report" in chosen:
            take_report(browser)
        if "icon" in chosen:
            take_icon(browser)
        if "looks" in chosen:
            looks.renew(browser)
        browser.close()


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--only", nargs="+", choices=KINDS, default=KINDS, help="take only these (default: all)"
    )
    return parser.parse_args(arguments)


def take_live(browser: Browser, chosen: list[str]) -> None:
    """Capture what shows an answer of the real model."""
    stack = Stack()
    try:
        stack.wait_for("Verdict is ready")
        if "page" in chosen:
            take_page(browser, stack.page)
            take_phone(browser, stack.page)
        if "social" in chosen:
            take_social(browser, answer_in_words(browser, stack.page))
    finally:
        stack.stop()


def take_page(browser: Browser, url: str) -> None:
    """Capture the review page with an answer."""
    page = new_page(browser, {"width": 1200, "height": 900}, "light")
    (DOCS / "page.png").write_bytes(answered(page, url, CLIP))


def take_phone(browser: Browser, url: str) -> None:
    """Capture the same on a phone, in light and dark."""
    pictures = []
    for theme in ("light", "dark"):
        page = new_page(browser, {"width": 375, "height": 812}, theme)
        pictures.append(Image.open(io.BytesIO(answered(page, url, PHONE))))
    beside = Image.new("RGB", (sum(one.width for one in pictures) + GAP, pictures[0].height), "white")
    beside.paste(pictures[0], (0, 0))
    beside.paste(pictures[1], (pictures[0].width + GAP, 0))
    beside.save(DOCS / "page-phone.png", optimize=True)


def new_page(browser: Browser, size: ViewportSize, theme: str) -> Page:
    return browser.new_page(
        viewport=size,
        device_scale_factor=1,
        has_touch=size["width"] < 400,
        color_scheme="dark" if theme == "dark" else "light",
    )


def answered(page: Page, url: str, clip: FloatRect) -> bytes:
    """Return a picture of the review page with the answer to the longer review."""
    page.goto(url)
    looks.settle(page)
    looks.send(page, REVIEW)
    page.locator("main#page[data-state=answer]").wait_for()
    looks.settle(page)
    page.mouse.move(0, 0)
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")  # what is sticky follows a reader who scrolls
    return page.screenshot(full_page=True, clip=clip, animations="disabled")


def take_design(browser: Browser) -> None:
    """Capture type, colours and components, in light and dark."""
    for theme in ("light", "dark"):
        page = new_page(browser, BOARD, theme)
        page.goto((PICTURES / "design.html").as_uri())
        page.evaluate("document.fonts.ready.then(() => null)")
        page.screenshot(path=DOCS / f"design-{theme}.png", full_page=True)


def take_report(browser: Browser) -> None:
    """Capture the head of a report whose figures are made up."""
    page = new_page(browser, {"width": 1200, "height": 900}, "light")
    page.set_content(to_html(json.loads(SAMPLE.read_text(encoding="utf-8"))))
    page.screenshot(path=DOCS / "report.png", full_page=True, clip=REPORT_CLIP)


def answer_in_words(browser: Browser, url: str) -> list[Any]:
    """Return the API's answer to the short review, with the page's words for verdict and sureness."""
    page = browser.new_page()
    page.goto(url)
    return list(page.evaluate(ASK, SHORT_REVIEW))


def take_social(browser: Browser, answer: list[Any]) -> None:
    """Capture the link preview, which shows an answer."""
    page = new_page(browser, SOCIAL, "light")
    page.goto((PICTURES / "social.html").as_uri())
    page.evaluate("(answer) => fill(...answer)", answer)
    page.evaluate("document.fonts.ready.then(() => null)")
    page.screenshot(path=SITE / "social.png")


def take_icon(browser: Browser) -> None:
    """Capture the mark on paper, since a phone puts black behind a transparent icon."""
    page = new_page(browser, ICON, "light")
    page.goto((PICTURES / "icon.html").as_uri())
    page.screenshot(path=SITE / "apple-touch-icon.png")


if __name__ == "__main__":
    main()
