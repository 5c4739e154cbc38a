"""A browser and Node for the page's tests, and a visit that may break no rule of the page."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.missing import skip_or_fail
from tests.support.stack import Stack

FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --renderer-process-limit=1"
).split()

BY_THE_BROWSER = ("Failed to load resource", "Access to fetch at")

# Opens a page of the site, "index.html" when none is named. ``before`` gets the page before it is opened,
# to set routes; further options are the browser context's.
Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def node() -> str:
    """Return Node's path."""
    return shutil.which("node") or skip_or_fail("node is not installed")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Visit]:
    """Open pages of the running app. At the end none may have broken a CSP rule or thrown an error."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(
        path: str = "index.html",
        site: str = stack.page,
        before: Callable[[Page], object] | None = None,
        **options,
    ) -> Page:
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        page = contexts[-1].new_page()
        watch(page, faults)
        if before:
            before(page)
        page.goto(site + path)
        expect(page.locator("main#page")).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(visit: Visit) -> Page:
    """A fresh visit to the review page."""
    return visit()


def watch(page: Page, faults: list[str]) -> None:
    """Note errors that a script throws or logs, and broken CSP rules.

    That a request failed or was refused is logged by the browser itself, and is what some tests are about.
    """
    page.on("pageerror", lambda error: faults.append(str(error)))

    def note(message) -> None:
        if message.type == "error" and not message.text.startswith(BY_THE_BROWSER):
            faults.append(message.text)

    page.on("console", note)
