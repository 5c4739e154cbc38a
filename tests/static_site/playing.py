"""What the tests of play and share have in common: reviews, and asking for a verdict."""

import re

from playwright.sync_api import Page, expect

# A complaint with some praise.
MIXED = (
    "The photography is gorgeous. Sadly the story goes nowhere, and the dialogue is"
    " painful whenever someone opens their mouth. I still liked the second hour."
)
GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
BAD = "This was the worst film of the year. Dull, badly acted and a complete waste of time."
# Praise and complaint in balance, which the model can't decide.
OPEN = (
    "The photography is gorgeous and the score gave me chills. Sadly the story is thin, and the dialogue is"
    " flat whenever someone opens their mouth. I loved the first hour and most of the second."
)
FRENCH = "Ce film est une merveille et je le recommande pour toute la famille."
SECONDS = 10_000  # Playwright counts in milliseconds


def ask(page: Page, review: str) -> None:
    """Get a review's verdict, and wait for what belongs to it."""
    page.locator("#review").fill(review)
    page.locator("#send").click()
    expect(page.locator("main#page")).to_have_attribute("data-state", "answer", timeout=SECONDS)
    expect(page.locator("#answer[data-stale]")).to_have_count(0, timeout=SECONDS)
    expect(page.locator("#play .mind")).to_be_visible(timeout=SECONDS)


def overflows(page: Page) -> bool:
    """Return whether the page scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def small_targets(page: Page, selector: str) -> list[str]:
    """Return the visible buttons and summaries under 44 pixels of height."""
    return page.locator(selector).evaluate_all(
        "nodes => nodes.filter(node => node.checkVisibility() && node.getBoundingClientRect().height < 44)"
        ".map(node => node.textContent)"
    )


def plain(text: str | None) -> str:
    """Return a text with plain, single spaces."""
    return re.sub(r"\s+", " ", text or "")
