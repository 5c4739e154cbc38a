"""Helpers for tests of the review page: ask for a verdict, wait for it, and open with settings."""

import json
from typing import Any

from playwright.sync_api import Page, expect

SECONDS = 10_000  # Playwright counts in milliseconds
# An answer to the very text in the box.
ANSWERED = "main#page[data-state=answer] #answer:not([data-stale])"
OPENING = "import('./shared/examples.js').then(({ OPENING }) => OPENING)"


def ask(page: Page, review: str) -> None:
    """Send a review and wait for its verdict."""
    send(page, review)
    expect_answer(page)


def send(page: Page, review: str) -> None:
    page.locator("#review").fill(review)
    page.locator("#send").click()


def expect_answer(page: Page) -> None:
    expect(page.locator(ANSWERED)).to_be_visible(timeout=SECONDS)


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("main#page")).to_have_attribute("data-state", state, timeout=SECONDS)


def opening(page: Page) -> str:
    """Return the example that the page opens on."""
    return str(page.evaluate(OPENING))


def chosen(site: str, **settings: object) -> dict[str, Any]:
    """Return the browser context's option for a visit of somebody who chose these settings before."""
    stored = {"name": "verdict.settings", "value": json.dumps(settings)}
    return {
        "storage_state": {"cookies": [], "origins": [{"origin": site.rstrip("/"), "localStorage": [stored]}]}
    }
