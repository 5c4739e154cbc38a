"""Measure the file page on a large file: the longest task of its main thread, step by step.

    python -m tools.measure_file                # --rows 100000

A stand-in for the API answers at once, so the page is what is measured. Starts Chromium on free ports.
"""

import argparse
import csv
import datetime
import json
import os
import random
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from bench.pages import table
from static_site.serve import PageServer
from tests.support.made_up import CARD

ROWS = 100_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# A task of this length misses a frame at 60 Hz.
FRAME_MS = 16
SECONDS = 1_000  # Playwright counts in milliseconds
JUDGING = 1_800 * SECONDS
# Tasks of threads, with their processor time.
CATEGORIES = ["toplevel"]
MAIN_THREAD = "CrRendererMain"
SENTENCES = (
    ("The acting is superb and every scene has a point.", 1.4),
    ("I loved the music, and the camera finds beauty in small things.", 1.1),
    ("The story keeps its secret until the very end.", 0.9),
    ("Nobody in it is worth caring about, least of all the hero.", -1.2),
    ("The jokes fall flat and the dialogue is painful to sit through.", -1.5),
    ("It is an hour too long, and I looked at my watch more than once.", -0.8),
    ("My neighbours came along, and we had seats in the third row.", 0.05),
)
ASPECTS = {"acting": (0,), "music": (1,), "story": (2,), "characters": (3,), "dialogue": (4,), "length": (5,)}
# Presses a part of the report. Playwright's own search for a button would be a long task.
PRESS = """(name) => [...document.querySelectorAll("#report button")]
  .find((button) => button.textContent.startsWith(name)).click()"""
SHOWS = "(words) => document.querySelector('#shown').textContent.includes(words)"
TAIL = " Seen on evening "
KINDS = 200
# A review's sentences: about as long as one of IMDb's.
REVIEW_SENTENCES = 11


class Step(NamedTuple):
    """What was done, its seconds, and the longest task: by the clock, and by the processor's time, in ms."""

    name: str
    seconds: float
    longest: float
    busy: float
    missed: int

    def shown(self) -> list[str]:
        return [
            self.name,
            f"{self.seconds:.1f} s",
            f"{self.longest:.0f} ms",
            f"{self.busy:.0f} ms",
            str(self.missed),
        ]


def kinds() -> list[list[int]]:
    """Return which sentences the kinds of reviews have."""
    draw = random.Random(7)
    return [draw.choices(range(len(SENTENCES)), k=REVIEW_SENTENCES) for _ in range(KINDS)]


def write_file(path: Path, rows: int) -> None:
    """Write a CSV of reviews with ids, dates, films and stars; all reviews differ."""
    texts = [" ".join(SENTENCES[place][0] for place in kind) for kind in kinds()]
    first = datetime.date(2025, 1, 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["id", "date", "film", "stars", "review"])
        for row in range(rows):
            day = first + datetime.timedelta(row % 300)
            kind = row % KINDS
            lines.writerow(
                [f"r{row}", day, f"Film {row % 37}", 1 + row % 10, f"{kind}. {texts[kind]}{TAIL}{row}."]
            )


class StandIn(BaseHTTPRequestHandler):
    """Answers batches as the API does, from answers that were prepared for each kind of review."""

    protocol_version = "HTTP/1.1"
    answers: list[tuple[str, str]] = []

    def do_OPTIONS(self) -> None:
        self._send(b"", 204)

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        items = []
        for item in message["reviews"]:
            review = item["review"]
            head, tail = self.answers[int(review.partition(".")[0])]
            items.append(f'{{"id": {item["id"]}, "text": {json.dumps(review)}, {head}{len(review)}{tail}')
        model = {"id": CARD["id"], "vocabulary": CARD["vocabulary"], "uncertain": CARD["uncertain"]}
        rest = f'"model": {json.dumps(model)}, "request_id": "1"}}'
        self._send(f'{{"answers": [{", ".join(items)}], {rest}'.encode())

    def _send(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.send_header("Access-Control-Max-Age", "600")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the reviews are many."""


def prepared(number: int, kind: list[int]) -> tuple[str, str]:
    """Return an answer's JSON before and after the length of its text, which ends the last sentence."""
    at = len(f"{number}. ")
    spans: list[dict[str, Any]] = [
        {"start": 0, "end": at - 1, "contribution": 0.0, "alone": 0.5, "without": 0.5}
    ]
    for place in kind:
        text, pull = SENTENCES[place]
        spans.append(
            {"start": at, "end": at + len(text), "contribution": pull, "alone": sigmoid(pull), "without": 0.5}
        )
        at += len(text) + 1
    logit = sum(span["contribution"] for span in spans)
    low, high = CARD["uncertain"]
    probability = sigmoid(logit)
    sentiment = "uncertain" if low < probability < high else "positive" if probability > 0.5 else "negative"
    mentions = {name: [span for span, place in zip(spans[1:], kind, strict=True) if place in places]
                for name, places in ASPECTS.items()}  # fmt: skip
    fields = {
        "sentiment": sentiment,
        "reason": "mixed" if sentiment == "uncertain" else None,
        "probability": probability,
        "warnings": [],
        "bias": 0.0,
        "words": [{"start": at, "end": at + 4, "contribution": logit, "effect": 0.1}],
        "aspects": {name: judged(found) for name, found in mentions.items()},
        "sentences": [*spans, {"start": at, "end": -1, "contribution": 0.0, "alone": 0.5, "without": 0.5}],
    }
    head, _, tail = json.dumps(fields)[1:].rpartition("-1")
    return head, tail


def judged(found: list[dict[str, Any]]) -> dict[str, Any]:
    if not found:
        return {"sentiment": "not_mentioned"}
    pull = sum(span["contribution"] for span in found)
    spans = [
        {"start": one["start"], "end": one["end"], "term": [one["start"], one["start"] + 3], "negated": False,
         "contribution": one["contribution"]} for one in found
    ]  # fmt: skip
    sentiment = "positive" if pull > 0 else "negative"
    return {
        "sentiment": sentiment,
        "reason": None,
        "probability": sigmoid(pull),
        "contribution": pull,
        "mentions": spans,
    }


def sigmoid(logit: float) -> float:
    return float(round(1 / (1 + 2.718281828459045**-logit), 6))


@contextmanager
def served() -> Iterator[str]:
    """Serve the stand-in and the site, and yield the site's address."""
    StandIn.answers = [prepared(number, kind) for number, kind in enumerate(kinds())]
    api = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    url = f"http://127.0.0.1:{api.server_port}"
    site = PageServer("127.0.0.1", 0, url, "")
    for server in (api, site):
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{site.server_port}/"
    finally:
        for server in (api, site):
            server.shutdown()
            server.server_close()


def measure(browser: Browser, url: str, file: Path) -> list[Step]:
    """Return the steps of a visit that reads, judges and looks through a file."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{url}file.html")
    page.wait_for_selector("#choose")
    page.wait_for_load_state("networkidle")
    steps: list[Step] = []

    def step(name: str, *acts: Callable[[], object]) -> None:
        browser.start_tracing(page=page, categories=CATEGORIES)
        for act in acts:
            act()
        page.wait_for_timeout(300)
        steps.append(step_of(name, json.loads(browser.stop_tracing())["traceEvents"]))

    def press(selector: str) -> Callable[[], object]:
        return lambda: page.click(selector)

    def shows(words: str) -> Callable[[], object]:
        return lambda: page.wait_for_function(SHOWS, arg=words)

    def waits(selector: str) -> Callable[[], object]:
        return lambda: page.wait_for_selector(selector)

    step("reading the file", lambda: read(page, file))
    step("judging, with a table that follows, and the report", lambda: judge(page))
    step("the worst ten", press("[data-show=worst]"), shows("10 of"))
    step("all rows again", press("[data-show=all]"), lambda: page.wait_for_timeout(500))
    step(
        "sorting by probability",
        press(".cell-probability .rows-sort"),
        waits(".cell-probability[aria-sort=ascending]"),
    )
    step("scrolling through the table", lambda: scroll(page))
    step("searching", lambda: page.fill("#search", "evening 7"), shows(" of "))
    step(
        "showing a group of the report",
        lambda: page.evaluate(PRESS, "Film 3"),
        waits("#remove-filter"),
    )
    step(
        "opening a row",
        press(".rows-canvas > .rows-row:first-child"),
        waits("#drawer:not([hidden])"),
    )
    page.close()
    return steps


def read(page: Page, file: Path) -> None:
    page.set_input_files("#file", file)
    page.wait_for_selector("[data-counted]", timeout=300 * SECONDS)


def judge(page: Page) -> None:
    page.click("#send")
    page.wait_for_selector("main[data-phase=done]", timeout=JUDGING)
    page.wait_for_selector("#report-status", state="hidden", timeout=JUDGING)


def scroll(page: Page) -> None:
    page.evaluate(
        "() => new Promise((resolve) => {"
        " const box = document.querySelector('.rows-scroller'); let left = 100;"
        " const move = () => { box.scrollTop += box.scrollHeight / 120;"
        " if (left-- > 0) requestAnimationFrame(move); else resolve(); }; move(); })"
    )


def step_of(name: str, events: list[dict[str, Any]]) -> Step:
    """Return a step from a trace's events: the tasks of the page's main thread."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == MAIN_THREAD
    }
    tasks = [
        event
        for event in events
        if event.get("ph") == "X"
        and event["name"].endswith("RunTask")
        and (event["pid"], event["tid"]) in mains
    ]
    if not tasks:
        raise RuntimeError(f"the trace of {name} holds no task of the main thread")
    began, ended = min(task["ts"] for task in tasks), max(task["ts"] + task["dur"] for task in tasks)
    busy = [task.get("tdur", task["dur"]) / 1000 for task in tasks]
    longest = max(task["dur"] for task in tasks) / 1000
    return Step(name, (ended - began) / 1e6, longest, max(busy), sum(time > FRAME_MS for time in busy))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of the file (default: {ROWS:,})")
    options = parser.parse_args(arguments)
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        sys.exit("measure_file: chromium is not installed")
    with tempfile.TemporaryDirectory() as folder, served() as url, sync_playwright() as playwright:
        file = Path(folder, "reviews.csv")
        write_file(file, options.rows)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        steps = measure(browser, url, file)
        browser.close()
    head = ["step", "time", "longest task", "of that, processor", f"tasks over {FRAME_MS} ms"]
    print(table(head, [step.shown() for step in steps]))


if __name__ == "__main__":
    main()
