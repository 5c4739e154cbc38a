"""Measure the page in Chromium: bytes at first and with all later loads, and times until it can be used."""

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
MARKS = "input to marks, beyond the pause"
NAMES = (BYTES, LATER, PLAIN, READY, PAINT, MARKS)
# The headlines' font comes after the first paint, and once a visitor.
FONT = ".woff2"
# Content types that are compressed already.
PACKED = ("image/png",)
FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
SECONDS = 20
# The pause in typing before the page asks (static_site/review/page.js).
PAUSE_MS = 300
REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music!"
# Notes the times of three events: the page is usable, an answer arrived, its verdict is on screen. The last
# comes two frames after the change of state, when the first of them is painted. The page's policy forbids
# eval, so Playwright waits for a promise.
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
# Types a text, and returns the milliseconds until its marks are drawn.
TYPE = """async (text) => {
  const box = document.querySelector("#review");
  const start = performance.now();
  box.value = text;
  box.dispatchEvent(new Event("input"));
  for (;;) {
    await new Promise(requestAnimationFrame);
    const fresh = document.querySelector("#answer:not([data-stale])");
    if (fresh && document.querySelector("#marks mark")) return performance.now() - start;
  }
}"""


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield bytes of a first visit, as sent, and milliseconds."""
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
    yield single(PART, BYTES, visits[0]["gzipped"] / 1000, "KB", "before any touch, without the font")
    yield single(PART, LATER, visits[0]["later"] / 1000, "KB", "an answer on screen, all it offers looked at")
    yield single(PART, PLAIN, visits[0]["plain"] / 1000, "KB", "10^3 bytes, as serve.py sends them")
    yield summarise(PART, READY, [times["ready"] for times in visits])
    yield summarise(PART, PAINT, [times["painted"] - times["answered"] for times in visits])
    yield summarise(PART, MARKS, [times["marks"] - PAUSE_MS for times in visits])


def visit(browser: Any, url: str) -> dict[str, float]:
    """Open the page anew on its live answer, type a review, and return times and bytes."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(1000 * SECONDS)
        page.add_init_script(WATCH)
        responses: list[Any] = []
        page.on("response", lambda response: responses.append(response))
        page.goto(url, wait_until="networkidle")
        page.evaluate("window.until.ready.promise")
        page.evaluate("window.until.painted.promise")
        plain, gzipped = size_of(responses, url)
        marks = page.evaluate(TYPE, REVIEW)
        open_all(page)
        _, later = size_of(responses, url)
        times = {**page.evaluate("window.bench"), "marks": marks}
        return {**times, "plain": plain, "gzipped": gzipped, "later": later}
    finally:
        context.close()


def open_all(page: Any) -> None:
    """Open the parts of an answer that the page loads on demand."""
    page.click("#arithmetic summary")
    page.wait_for_selector("#waterfall li")
    page.click("#developers summary")
    page.wait_for_selector("#developers .snippet")
    page.click("#pin")
    page.wait_for_selector("#compare:not([hidden])")
    page.wait_for_load_state("networkidle")


def size_of(responses: list[Any], site: str) -> tuple[int, int]:
    """Return the bytes of a site's responses, plain and gzipped, without the font and the API's answers."""
    own = [one for one in responses if one.url.startswith(site) and not one.url.endswith(FONT)]
    plain, gzipped = zip(*map(sizes_of, own), strict=True)
    return sum(plain), sum(gzipped)


def sizes_of(response: Any) -> tuple[int, int]:
    """Return the bytes of a response's body, plain and gzipped unless compressed already."""
    body = response.body()
    packed = response.header_value("content-type").startswith(PACKED)
    return len(body), len(body) if packed else len(gzip.compress(body))
