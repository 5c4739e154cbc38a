"""Measure the report: seconds and memory by rows, how often intervals hold, and planted causes found.

    python -m bench.report times --rows 1000 10000 100000    # files of IMDb's reviews
    python -m bench.report coverage                          # 1,000 draws a case
    python -m bench.report causes                            # 20 files a case

With --publish, the tables of docs/report.md are written.
"""

import argparse
import csv
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from bench import pages, planted, processes
from training.data import dataset
from training.report import report
from training.report.cells import Cells
from training.report.resampling import group_key, row_keys, weights

ROOT = Path(__file__).resolve().parents[1]
ROWS = (1_000, 10_000, 100_000)
TIMEOUT_SECONDS = 24 * 3600
DRAWS = 1_000
FILES_A_CASE, ROWS_A_FILE = 20, 600
FILMS, DAYS = 400, 365


# --- seconds and memory -------------------------------------------------------------------------


def times(rows: Sequence[int], workers: int) -> list[list[str]]:
    """Return a line of seconds and memory for each number of rows."""
    reviews = [review.text for review in dataset.load(dataset.find_archive()).train]
    lines = []
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder:
        for count in rows:
            path = Path(folder, "reviews.csv")
            save(path, reviews, count)
            command = [sys.executable, "-m", "training.report.report", str(path)]
            out = [f"--json={Path(folder, 'out.json')}", f"-o={Path(folder, 'out.html')}"]
            watched = processes.watch([*command, *out, f"--workers={workers}"], TIMEOUT_SECONDS, ROOT)
            rate = count / watched.seconds
            lines.append([f"{count:,}", f"{watched.seconds:,.1f}", f"{rate:,.0f}", f"{watched.peak_mb:,.0f}"])
    return lines


def save(path: Path, reviews: Sequence[str], rows: int) -> None:
    """Write a file of so many rows, with a date and a film each; the reviews repeat."""
    draw = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["review", "date", "film"])
        for review in islice(cycle(reviews), rows):
            day = date(2025, 1, 1) + timedelta(days=draw.randrange(DAYS))
            writer.writerow([review, day.isoformat(), f"Film {draw.randrange(FILMS):03}"])


# --- intervals ----------------------------------------------------------------------------------


class Draw(NamedTuple):
    """A way to draw files: its name, the true net score, and a draw's signs and keys of weights."""

    name: str
    net: float
    sample: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def draws() -> list[Draw]:
    """Return the ways to draw files whose intervals are examined."""
    return [
        *(_by_row(rows, net) for rows in (20, 100, 1_000) for net in (0.0, 60.0)),
        *(_by_group(groups) for groups in (20, 50, 200)),
    ]


def _by_row(rows: int, net: float) -> Draw:
    positive = 0.45 + net / 200
    chances = [1 - 0.1 - positive, 0.1, positive]

    def sample(generator: np.random.Generator, first: int) -> tuple[np.ndarray, np.ndarray]:
        signs = generator.choice([-1, 0, 1], size=rows, p=chances)
        return signs, row_keys(first + np.arange(rows))

    return Draw(f"{rows:,} rows, net {net:+.0f}", net, sample)


def _by_group(groups: int) -> Draw:
    """Draw groups of 1 to 20 rows, each with its own share of positive rows."""

    def sample(generator: np.random.Generator, first: int) -> tuple[np.ndarray, np.ndarray]:
        sizes = generator.integers(1, 21, size=groups)
        share = np.repeat(generator.beta(2, 1, size=groups), sizes)
        keys = np.array([group_key(f"{first}/{group}") for group in range(groups)], dtype=np.uint32)
        return np.where(generator.random(len(share)) < share, 1, -1), np.repeat(keys, sizes)

    return Draw(f"{groups:,} groups of 1 to 20 rows", 100 * (2 * 2 / 3 - 1), sample)


def coverage(draw: Draw, count: int, seed: int = 1) -> tuple[float, float]:
    """Return the share of intervals that hold the true net score, and their mean width."""
    generator = np.random.default_rng(seed)
    held, widths = 0, []
    for number in range(count):
        signs, keys = draw.sample(generator, 1 + number * 10_000)
        low, high = interval_of(signs, keys)
        held += low <= draw.net <= high
        widths.append(high - low)
    return held / count, float(np.mean(widths))


def interval_of(signs: np.ndarray, keys: np.ndarray) -> tuple[float, float]:
    """Return the report's interval of rows with these signs and keys, (rows,) each."""
    cells, none = Cells(1), np.zeros(len(signs), dtype=np.int64)
    cells.add(none, signs, none, none, weights(keys), np.arange(len(signs)))
    low, high = cells.figures(0, len(np.unique(keys)))["interval"]
    return low, high


def coverage_lines(count: int) -> list[list[str]]:
    """Return a line for each way to draw files."""
    lines = []
    for draw in tqdm(draws(), desc="drawing", disable=None):
        held, width = coverage(draw, count)
        lines.append([draw.name, f"{100 * held:.1f} %", f"{width:.1f}"])
    return lines


# --- causes -------------------------------------------------------------------------------------


def causes(files: int, rows: int) -> list[list[str]]:
    """Return a line for each planted cause: how many files' reports name it first."""
    lines = []
    for name, case in planted.cases().items():
        found = sum(planted.is_found(case.cause, one) for one in _reports(case, files, rows))
        lines.append([name, f"{case.cause.name}", f"{found} of {files}"])
    return lines


def _reports(case: planted.Case, files: int, rows: int) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder:
        path, out = Path(folder, "reviews.csv"), Path(folder, "report.json")
        for seed in tqdm(range(files), desc=case.cause.name, disable=None):
            path.write_bytes(planted.write(case, rows, seed))
            if report.main([str(path), "--json", str(out)]):
                sys.exit("bench.report: a report failed")
            yield json.loads(out.read_text(encoding="utf-8"))


# --- printing -----------------------------------------------------------------------------------

HEADS = {
    "times": ["rows", "seconds", "rows a second", "peak MB"],
    "coverage": ["a file of", "intervals that hold the truth", "mean width"],
    "causes": ["planted", "cause", "named first"],
}
# The blocks of docs/report.md.
BLOCKS = tuple(f"report-{name}" for name in HEADS)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the report.")
    parser.add_argument("what", choices=HEADS)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="rows of times' files")
    parser.add_argument("--workers", type=int, default=2, help="processes of times (default 2)")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"draws of coverage (default {DRAWS:,})")
    parser.add_argument("--files", type=int, default=FILES_A_CASE, help="files a cause (default 20)")
    parser.add_argument("--publish", action="store_true", help="write the table into docs/report.md")
    options = parser.parse_args(arguments)
    lines = {
        "times": lambda: times(options.rows, options.workers),
        "coverage": lambda: coverage_lines(options.draws),
        "causes": lambda: causes(options.files, ROWS_A_FILE),
    }[options.what]()
    text = pages.table(HEADS[options.what], lines)
    print(text, end="")
    if options.publish:
        pages.write({f"report-{options.what}": text})


if __name__ == "__main__":
    main()
