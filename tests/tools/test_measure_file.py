"""The file page's figures: each step of a visit is measured on a file that a stand-in for the API judges."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools import measure_file
from tools.measure_file import Step, step_of

ROWS = 300


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=measure_file.FLAGS)
        yield running
        running.close()


def test_every_step_of_a_visit_is_measured(browser: Browser, tmp_path: Path) -> None:
    measure_file.write_file(tmp_path / "reviews.csv", ROWS)
    with measure_file.served() as url:
        steps = measure_file.measure(browser, url, tmp_path / "reviews.csv")
    assert [step.name.split()[0] for step in steps] == [
        "reading", "judging,", "the", "all", "sorting", "scrolling", "searching", "showing", "opening",
    ]  # fmt: skip
    assert all(step.longest >= step.busy > 0 for step in steps)


def test_the_file_s_reviews_all_differ(tmp_path: Path) -> None:
    measure_file.write_file(tmp_path / "reviews.csv", ROWS)
    with (tmp_path / "reviews.csv").open(encoding="utf-8", newline="") as file:
        reviews = [row["review"] for row in csv.DictReader(file)]
    assert len(set(reviews)) == len(reviews) == ROWS


def test_the_longest_task_of_the_main_thread_counts_and_no_other() -> None:
    def task(thread: int, start: float, clock: float, processor: float) -> dict[str, object]:
        times = {"ts": start * 1000, "dur": clock * 1000, "tdur": processor * 1000}
        return {"ph": "X", "name": "ThreadControllerImpl::RunTask", "pid": 1, "tid": thread} | times

    named = {"ph": "M", "name": "thread_name", "pid": 1, "tid": 7, "args": {"name": "CrRendererMain"}}
    events = [named, task(7, 0, 40, 10), task(7, 1_960, 40, 20), task(8, 0, 900, 900)]
    assert step_of("a", events) == Step("a", 2.0, 40.0, 20.0, 1)
    with pytest.raises(RuntimeError, match="no task of the main thread"):
        step_of("a", events[1:])
