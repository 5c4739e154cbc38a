"""The page in Chromium: its bytes, untouched and with all that comes later, and how soon it can be used."""

import gzip
import os
import shutil
from collections.abc import Iterator
from typing import Any

from bench.measuring import Figure, Missing, single, summarise
from bench.setting import Setting
from tests.support.stack import Stack

PART = "page"
BYTES, PLAIN, READY, PAINT = "bytes, gzipped", "bytes, plain", "navigation to ready", "answer to paint"
LATER = "bytes with all that comes later, gzipped"
NAMES = (BYTES, LATER, PLAIN, READY, PAINT)
# What is compressed already.
PACKED = ("font/", "image/png")
FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
SECONDS = 20
REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music!"
# Notes when the page can be used, when an answer is read from the network, and when its verdict is on
# screen: two frames after the page's state changed, for then the first of them is painted. The page's own
# policy forbids eval, so what Playwright waits for is a promise.
WATCH = """
window.bench = {};
window.until = Object.fromEntries(["ready", "painted"].map((name) => {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return [name, { promise, resolve }];
}));
const note = (name) => {
  window.bench[name] ??= performance.now();
  window.until[name]?.resolve();
};
const read = Response.prototype.text;
Response.prototype.text = async function () {
  const text = await read.call(this);
  if (this.url.endsWith("/v1/sentiment")) note("answered");
  return text;
};
const look = () => {
  const page = document.querySelector("main#page");
  if (page && !page.hidden && document.querySelector("#send")?.textContent) note("ready");
  if (page?.dataset.state === "answer") requestAnimationFrame(() => note("painted"));
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def figures(setting: Setting) -> Iterator[Figure]:
    """Give bytes of a first visit, as they are sent, and milliseconds."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        raise Missing("Chromium is not installed (or name it: CHROMIUM=/path)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Missing("Playwright is not installed: pip install -r requirements-dev.txt") from error
    stack = Stack()
    try:
        stack.wait_for("Verdict is ready")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            visits = [visit(browser, stack.page) for _ in range(int(setting.choose(3, 15)))]
            browser.close()
    finally:
        stack.stop()
    yield single(PART, BYTES, visits[0]["gzipped"] / 1000, "KB", "10^3 bytes, before the page is touched")
    yield single(PART, LATER, visits[0]["later"] / 1000, "KB", "an answer on screen, all it offers looked at")
    yield single(PART, PLAIN, visits[0]["plain"] / 1000, "KB", "10^3 bytes, as serve.py sends them")
    yield summarise(PART, READY, [one["ready"] for one in visits])
    yield summarise(PART, PAINT, [one["painted"] - one["answered"] for one in visits])


def visit(browser: Any, url: str) -> dict[str, float]:
    """Open the page anew, send a review, and give what happened when."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(1000 * SECONDS)
        page.add_init_script(WATCH)
        loaded: list[Any] = []
        page.on("response", lambda response: loaded.append(response))
        page.goto(url, wait_until="networkidle")
        page.evaluate("window.until.ready.promise")
        plain, gzipped = size_of(loaded, url)
        page.fill("#review", REVIEW)
        page.click("#send")
        page.evaluate("window.until.painted.promise")
        look_at_all(page)
        _, later = size_of(loaded, url)
        return {**page.evaluate("window.bench"), "plain": plain, "gzipped": gzipped, "later": later}
    finally:
        context.close()


def look_at_all(page: Any) -> None:
    """Use what an answer offers and the page loads only then."""
    page.click("#developers summary")
    page.wait_for_selector("#developers .snippet")
    page.click("#weigh")
    page.wait_for_selector("#weigh[data-on=yes]")
    page.wait_for_load_state("networkidle")


def size_of(responses: list[Any], site: str) -> tuple[int, int]:
    """Give the bytes of a site's responses, plain and gzipped; the API's answers are not the page's."""
    plain, gzipped = zip(*(sizes_of(one) for one in responses if one.url.startswith(site)), strict=True)
    return sum(plain), sum(gzipped)


def sizes_of(response: Any) -> tuple[int, int]:
    """Give the bytes of a response's body, plain and gzipped where that helps."""
    body = response.body()
    packed = response.header_value("content-type").startswith(PACKED)
    return len(body), len(body) if packed else len(gzip.compress(body))
