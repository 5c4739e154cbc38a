"""The report's intervals hold as often as they say, and its measurements are published whole."""

from pathlib import Path

import numpy as np
import pytest

from bench import pages, report
from training.report.resampling import row_keys

DRAWS = {draw.name: draw for draw in report.draws()}


@pytest.mark.parametrize("name", ["100 rows, net +60", "1,000 rows, net +0", "50 groups of 1 to 20 rows"])
def test_intervals_hold_the_truth_about_19_times_in_20(name: str) -> None:
    held, width = report.coverage(DRAWS[name], 250)
    assert 0.9 <= held <= 0.99
    assert 0 < width < 60


def test_intervals_by_row_are_too_narrow_where_groups_repeat() -> None:
    draw = DRAWS["50 groups of 1 to 20 rows"]

    def by_row(generator: np.random.Generator, first: int) -> tuple[np.ndarray, np.ndarray]:
        signs, _ = draw.sample(generator, first)
        return signs, row_keys(first + np.arange(len(signs)))

    held, _ = report.coverage(draw._replace(sample=by_row), 250)
    assert held < 0.85


def test_intervals_of_a_larger_file_are_narrower() -> None:
    widths = [report.coverage(DRAWS[f"{rows} rows, net +0"], 20)[1] for rows in ("20", "100", "1,000")]
    assert widths == sorted(widths, reverse=True)


def test_its_blocks_stand_in_the_docs() -> None:
    page = (pages.ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    assert set(report.BLOCKS) <= pages.read_blocks(page).keys()


def test_a_file_has_the_rows_that_are_asked_for(tmp_path: Path) -> None:
    report.save(tmp_path / "a.csv", ["good", "bad"], 5)
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["review", "good", "bad", "good", "bad", "good"]
