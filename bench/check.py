"""Compare today's ratios of speeds with the published ones, and fail on a slowdown by a quarter.

    make bench-check

Both sides of each ratio are measured now, in turns, so that it holds on another machine. Ends with 1 when a
ratio is worse by over 25 % or can't be measured, or when the machine stays busy without ``--busy``.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import bench, goals, measuring, published, samples
from bench.setting import Setting
from training.data import dataset
from training.evaluation import machine

ROOT = Path(__file__).resolve().parents[1]

WORSE = 1.25


def compare(now: Mapping[str, float], before: Mapping[str, float]) -> list[tuple[str, float, float, bool]]:
    """Return name, published and new value of each common ratio, and whether it is worse by over 25 %."""
    return [
        (name, before[name], now[name], now[name] > WORSE * before[name]) for name in now if name in before
    ]


def lay_out(rows: list[tuple[str, float, float, bool]]) -> str:
    """Return the comparison as text."""
    lines = [f"{'ratio':32}{'published':>12}{'now':>10}"]
    lines += [f"{name:32}{old:12.3f}{new:10.3f}{'  WORSE' if bad else ''}" for name, old, new, bad in rows]
    return "\n".join(lines)


def read_published(path: Path = published.RESULTS) -> dict[str, float]:
    """Return the published ratios, preferably of this kind of processor. Exits without any."""
    try:
        runs = [
            run for file in (path, path.with_name(published.BESIDE.name)) if (run := published.read(file))
        ]
        same = [run for run in runs if run["machine"]["processor"] == machine.describe()]
        return goals.ratios(goals.read((same or runs)[0]))
    except (OSError, ValueError, LookupError, TypeError):
        sys.exit(f"bench-check: {path} has no ratios yet; run `make bench FLAGS=--publish` first")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Compare today's ratios of speeds with the published ones.")
    parser.add_argument("--busy", action="store_true", help="measure on a busy machine too")
    options = parser.parse_args(arguments)
    before = read_published()
    try:
        if not options.busy:
            measuring.wait_until_quiet()
        with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder:
            figures = bench.run(Setting(samples.find(), Path(folder), quick=True), goals.CHECKED)
    except (measuring.BusyError, dataset.DataError) as error:
        sys.exit(f"bench-check: {error}")
    now = goals.ratios(figures)
    rows = compare(now, before)
    print(lay_out(rows))
    if unknown := [name for name in now if name not in before]:
        sys.exit(f"bench-check: not published: {', '.join(unknown)}; run `make bench FLAGS=--publish` first")
    if lacking := [name for name in goals.RATIOS if name in before and name not in now]:
        reasons = {figure.missing for figure in figures if figure.missing}
        sys.exit(f"bench-check: not measured: {', '.join(lacking)} ({'; '.join(sorted(reasons))})")
    if any(bad for *_, bad in rows):
        sys.exit("bench-check: a ratio is worse by over 25 %")


if __name__ == "__main__":
    main()
