"""Measure the page: bytes of the first load, times to the marks and to a changed mind, and paint on a phone.

    python -m tools.measure_page                # --publish also writes docs/design-page.md

Starts Chromium and the app on free ports.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from bench import pages
from tests.support import looks
from tests.support.stack import Stack
from tools.fill_docs import PAGE_NUMBERS, page_numbers
from training.evaluation import machine
from vocab.files import write_atomic

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TURNS = 20
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 667}
# A phone's processor takes about four times as long as a laptop's.
SLOWER = 4
# A font's file, the only one that the first load may leave out of its aim.
FONT = ".woff2"
REVIEWS = (
    "The photography is gorgeous and the score gave me chills. Sadly the story goes nowhere, and the dialogue"
    " is painful whenever someone opens their mouth. I loved the first hour.",
    "What a waste of an evening. The plot makes no sense, the jokes fall flat, and the lead looks as bored as"
    " I was. I left before the end.",
    "I went in expecting little and came out walking on air. The two leads are wonderful together, and the"
    " script is sharp, warm and funny.",
)

# Notes when the page asks for a verdict, and each shift and paint as the browser reports it.
WATCH = """() => {
  window.seen = { asked: 0, shift: 0, paint: 0 };
  const ask = window.fetch;
  window.fetch = (...request) => {
    if (String(request[0]).endsWith("/v1/sentiment")) window.seen.asked = performance.now();
    return ask(...request);
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.seen.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.seen.paint = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
}"""

# Types a review as one input event, and returns the milliseconds from the request to the painted marks.
TYPE = """(review) => new Promise((resolve) => {
  const box = document.getElementById("review");
  window.seen.asked = 0;
  const observer = new MutationObserver(() => {
    const text = [...document.querySelectorAll("mark")].map((mark) => mark.textContent).join(" ");
    if (!window.seen.asked || !text.includes(review.slice(0, 20))) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - window.seen.asked));
  });
  observer.observe(document.getElementById("page"), { subtree: true, childList: true });
  box.value = review;
  box.dispatchEvent(new Event("input", { bubbles: true }));
})"""

# Presses "Change its mind", and returns the milliseconds until a way stands there.
CHANGE = """() => new Promise((resolve) => {
  const mind = document.querySelector("#play .mind");
  const began = performance.now();
  const observer = new MutationObserver(() => {
    if (mind.hasAttribute("aria-busy") || !mind.querySelector("[role=status]").textContent) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - began));
  });
  observer.observe(mind, { subtree: true, childList: true, characterData: true, attributes: true });
  mind.querySelector("button:not([hidden])").click();
})"""


class Row(NamedTuple):
    """A figure, and its aim."""

    name: str
    value: float
    unit: str
    aim: float

    def shown(self) -> list[str]:
        decimals = {"KB": 1, "ms": 0, "": 3}[self.unit]
        value, aim = (f"{number:,.{decimals}f} {self.unit}".strip() for number in (self.value, self.aim))
        return [self.name, value, f"at most {aim.removesuffix('.0')}"]


def measure(browser: Browser, url: str, turns: int = TURNS) -> list[Row]:
    """Return all figures of the app whose page is at ``url``."""
    with_font, without = first_load(browser, url)
    shift, paint = on_a_phone(browser, url, turns)
    rows = [
        Row("first load, gzipped, without the font", without / 1000, "KB", 60),
        Row("first load, gzipped, with the font", with_font / 1000, "KB", 75),
        Row("from the end of a typing pause to the marks, median", marks(browser, url, turns), "ms", 100),
    ]
    if (changed := mind(browser, url, turns)) is not None:
        rows.append(Row("“Change its mind”, median", changed, "ms", 1000))
    return [
        *rows,
        Row(f"layout shift of the first load, a phone's processor {SLOWER} times slower", shift, "", 0.02),
        Row(f"largest contentful paint, a phone's processor {SLOWER} times slower", paint, "ms", 1000),
    ]


def first_load(browser: Browser, url: str) -> tuple[int, int]:
    """Return the gzipped bytes of a first visit, with and without the font."""
    sizes: dict[str, int] = {}
    with opened(browser) as context:
        page = context.new_page()
        page.on("response", lambda response: sizes.update({response.url: gzipped(response.body())}))
        page.goto(url)
        page.wait_for_load_state("networkidle")
    own = {name: size for name, size in sizes.items() if name.startswith(url)}
    return sum(own.values()), sum(size for name, size in own.items() if not name.endswith(FONT))


def gzipped(body: bytes) -> int:
    return min(len(body), len(gzip.compress(body)))


def marks(browser: Browser, url: str, turns: int) -> float:
    """Return the median time from the request at the end of a typing pause to painted marks."""
    with opened(browser) as context:
        # The setting is on by default on loopback only.
        context.add_init_script("localStorage['verdict.settings'] = '{\"live\": true}';")
        page = ready(context, url)
        times = [page.evaluate(TYPE, f"{REVIEWS[turn % 3]} Visit {turn}.") for turn in range(turns + 1)]
    # The first turn still loads modules.
    return float(statistics.median(times[1:]))


def mind(browser: Browser, url: str, turns: int) -> float | None:
    """Return the median time to a smallest change that turns the verdict, or None without that part."""
    times = []
    with opened(browser) as context:
        for turn in range(turns):
            page = ready(context, url)
            looks.settle(page)
            looks.send(page, f"{REVIEWS[turn % 3]} Visit {turn}.")
            looks.settle(page)
            if page.locator("#play .mind button").count() == 0:
                return None
            times.append(page.evaluate(CHANGE))
            page.close()
    return float(statistics.median(times))


def on_a_phone(browser: Browser, url: str, turns: int) -> tuple[float, float]:
    """Return first loads' largest layout shift, and their median contentful paint in milliseconds."""
    seen = []
    for _ in range(turns):
        with opened(
            browser, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2
        ) as context:
            context.add_init_script(f"({WATCH})()")
            page = context.new_page()
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            page.goto(url)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(300)
            seen.append(page.evaluate("window.seen"))
    shifts, paints = ([float(one[name]) for one in seen] for name in ("shift", "paint"))
    return max(shifts), statistics.median(paints)


@contextmanager
def opened(browser: Browser, **options: object) -> Iterator[BrowserContext]:
    """Yield a context with an empty cache."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
    try:
        yield context
    finally:
        context.close()


def ready(context: BrowserContext, url: str) -> Page:
    """Return a page that has loaded all, its first answer included."""
    context.add_init_script(f"({WATCH})()")
    page = context.new_page()
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return page


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        sys.exit("measure_page: chromium is not installed")
    stack = Stack()
    try:
        stack.wait_for("Verdict is ready")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            rows = measure(browser, stack.page, options.turns)
            browser.close()
    finally:
        stack.stop()
    found = {"machine": machine.describe(os.cpu_count() or 1), "rows": [row.shown() for row in rows]}
    print(page_numbers(found))
    if options.publish:
        write_atomic(PAGE_NUMBERS, (json.dumps(found, indent=2) + "\n").encode())
        pages.write({"page-numbers": page_numbers(found)})


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--turns", type=int, default=TURNS, help="how often each time is taken (default: 20)")
    parser.add_argument("--publish", action="store_true", help="write the table into docs/design-page.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
