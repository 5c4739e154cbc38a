"""Take README's picture of the page, from the running app.

    make picture

Starts the app on free ports, asks for a verdict in Chromium, and writes docs/page.png.
"""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright  # noqa: E402

from tests.support.stack import Stack  # noqa: E402

REVIEW = (
    "I wanted to love this film, and for the first half hour I did: the harbour at dawn is beautiful and the"
    " two leads are a joy to watch. Then the story falls apart. The last act is a mess, and the ending made"
    " no sense to anyone in our row. Still, the music is wonderful, and I would see these actors in"
    " anything."
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    browser_path = shutil.which("chromium")
    if not browser_path:
        sys.exit("picture: chromium is not installed")
    stack = Stack()
    try:
        stack.wait_for("Verdict is ready")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            page = browser.new_page(viewport={"width": 1200, "height": 900}, device_scale_factor=1)
            page.goto(stack.page)
            page.locator("#review").fill(REVIEW)
            page.locator("#send").click()
            page.locator("main#page[data-state=answer]").wait_for()
            page.wait_for_timeout(500)  # the bars grow into place
            page.screenshot(path=Path(__file__).with_name("page.png"), full_page=True)
            browser.close()
    finally:
        stack.stop()


if __name__ == "__main__":
    main()
