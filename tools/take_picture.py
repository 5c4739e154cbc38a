"""Capture the running app's page, the link preview and the home-screen icon.

    python -m tools.take_picture

Starts Chromium and the app on free ports. Writes docs/page.png for README, and into static_site/ social.png,
the preview of a link to the site, and apple-touch-icon.png.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FloatRect, ViewportSize, sync_playwright

from tests.support.stack import Stack

ROOT = Path(__file__).resolve().parents[1]

DOCS, SITE = ROOT / "docs", ROOT / "static_site"
PICTURES = ROOT / "tools/pictures"
REVIEW = (
    "I wanted to love this film, and for the first half hour I did: the harbour at dawn is beautiful and the"
    " two leads are a joy to watch. Then the story falls apart. The last act is a mess, and the ending made"
    " no sense to anyone in our row. Still, the music is wonderful, and I would see these actors in"
    " anything."
)
SHORT_REVIEW = (
    "The photography is gorgeous and the music gave me chills. The plot is thin. And I would gladly see it"
    " again."
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# Sizes of the link preview and of the home-screen icon, in pixels.
SOCIAL: ViewportSize = {"width": 1200, "height": 630}
ICON: ViewportSize = {"width": 180, "height": 180}
# README's part of the review page: verdict, text and margin.
CLIP: FloatRect = {"x": 0, "y": 0, "width": 1200, "height": 1240}
ASK = """async (review) => {
  const [{ Verdict }, { API_URL }, strings] = await Promise.all(
    ["./api.js", "./config.js", "./shared/verdict_strings.js"].map((file) => import(file)));
  const answer = await new Verdict(API_URL).sentiment(review);
  const { sentiment, probability } = answer;
  return [answer, strings.VERDICTS[sentiment], strings.sureness(sentiment, probability)];
}"""


def main() -> None:
    browser_path = shutil.which("chromium")
    if not browser_path:
        sys.exit("picture: chromium is not installed")
    stack = Stack()
    try:
        stack.wait_for("Verdict is ready")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            take_page(browser, stack.page)
            take_social(browser, answer_in_words(browser, stack.page))
            take_icon(browser)
            browser.close()
    finally:
        stack.stop()


def take_page(browser: Browser, url: str) -> None:
    """Capture the review page with an answer."""
    page = browser.new_page(viewport={"width": 1200, "height": 900}, device_scale_factor=1)
    page.goto(url)
    page.locator("#review").fill(REVIEW)
    page.locator("#send").click()
    page.locator("main#page[data-state=answer]").wait_for()
    page.mouse.move(0, 0)
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")  # the margin follows a reader who scrolls
    page.screenshot(path=DOCS / "page.png", full_page=True, clip=CLIP, animations="disabled")


def answer_in_words(browser: Browser, url: str) -> list[Any]:
    """Return the API's answer to the short review, with the page's words for verdict and sureness."""
    page = browser.new_page()
    page.goto(url)
    return list(page.evaluate(ASK, SHORT_REVIEW))


def take_social(browser: Browser, answer: list[Any]) -> None:
    """Capture the link preview, which shows an answer."""
    page = browser.new_page(viewport=SOCIAL, device_scale_factor=1)
    page.goto((PICTURES / "social.html").as_uri())
    page.evaluate("(answer) => fill(...answer)", answer)
    page.evaluate("document.fonts.ready.then(() => null)")
    page.screenshot(path=SITE / "social.png")


def take_icon(browser: Browser) -> None:
    """Capture the mark on paper, since a phone puts black behind a transparent icon."""
    page = browser.new_page(viewport=ICON, device_scale_factor=1)
    page.goto((PICTURES / "icon.html").as_uri())
    page.screenshot(path=SITE / "apple-touch-icon.png")


if __name__ == "__main__":
    main()
