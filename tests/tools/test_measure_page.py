"""The page's figures: each is measured on the running app, and the table names its aim."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.stack import Stack
from tools import measure_page
from tools.measure_page import Row

NAMES = [
    "without the font",
    "with the font",
    "to the marks",
    "Change its mind",
    "layout shift",
    "contentful paint",
]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=measure_page.FLAGS)
        yield running
        running.close()


def test_every_figure_is_measured_on_the_running_app(browser: Browser, stack: Stack) -> None:
    rows = measure_page.measure(browser, stack.page, turns=1)
    wanted = [name for name in NAMES if name != "Change its mind" or len(rows) == len(NAMES)]
    assert len(rows) == len(wanted)
    assert all(name in row.name for name, row in zip(wanted, rows, strict=True))
    assert all(row.value > 0 for row in rows if row.unit)
    without, with_font = rows[0].value, rows[1].value
    assert without < with_font < without + 20


def test_a_row_says_its_figure_and_its_aim() -> None:
    assert Row("paint", 1234.5, "ms", 1000).shown() == ["paint", "1,234 ms", "at most 1,000 ms"]
    assert Row("shift", 0.0123, "", 0.02).shown() == ["shift", "0.012", "at most 0.020"]
    assert Row("load", 51.26, "KB", 60).shown() == ["load", "51.3 KB", "at most 60.0 KB"]
