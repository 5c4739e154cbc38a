"""Hold today's ratios against the published ones: a change that made something slower by a quarter fails.

    make bench-check

Ratios, never times: both sides of each are measured now, in turns, so that another machine does not matter
much. Ends with 1 when one is worse by over 25 % or can't be measured, or when the machine stays busy and
nobody said ``--busy``.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import bench, goals, measuring, samples
from bench.setting import Setting
from tools import fill_docs
from training.data import dataset
from training.evaluation import machine

ROOT = Path(__file__).resolve().parents[1]

WORSE = 1.25


def compare(now: Mapping[str, float], then: Mapping[str, float]) -> list[tuple[str, float, float, bool]]:
    """Give for each ratio that both have: its name, then, now, and whether it is worse by over 25 %."""
    return [(name, then[name], now[name], now[name] > WORSE * then[name]) for name in now if name in then]


def lay_out(rows: list[tuple[str, float, float, bool]]) -> str:
    """Lay the comparison out."""
    lines = [f"{'ratio':32}{'published':>12}{'now':>10}"]
    lines += [f"{name:32}{then:12.3f}{now:10.3f}{'  WORSE' if bad else ''}" for name, then, now, bad in rows]
    return "\n".join(lines)


def read_published(path: Path = fill_docs.BENCH) -> dict[str, float]:
    """Give the published ratios, of this kind of processor if any. Ends the program when there are none."""
    beside = path.with_name(fill_docs.BESIDE.name)
    try:
        runs = [json.loads(one.read_text(encoding="utf-8")) for one in (path, beside) if one.is_file()]
        like = [one for one in runs if one["machine"]["processor"] == machine.describe()]
        return goals.ratios(goals.read((like or runs)[0]))
    except (OSError, ValueError, LookupError, TypeError):
        sys.exit(f"bench-check: {path} has no ratios yet; run `make bench FLAGS=--publish` first")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Hold today's ratios against the published ones.")
    parser.add_argument("--busy", action="store_true", help="measure although the machine has other work")
    options = parser.parse_args(arguments)
    then = read_published()
    try:
        if not options.busy:
            measuring.wait_until_quiet()
        with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder:
            figures = bench.run(Setting(samples.find(), Path(folder), quick=True), goals.CHECKED)
    except (measuring.BusyError, dataset.DataError) as error:
        sys.exit(f"bench-check: {error}")
    now = goals.ratios(figures)
    rows = compare(now, then)
    print(lay_out(rows))
    if unknown := [name for name in now if name not in then]:
        sys.exit(f"bench-check: not published: {', '.join(unknown)}; run `make bench FLAGS=--publish` first")
    if lacking := [name for name in goals.RATIOS if name in then and name not in now]:
        reasons = {one.missing for one in figures if one.missing}
        sys.exit(f"bench-check: not measured: {', '.join(lacking)} ({'; '.join(sorted(reasons))})")
    if any(bad for *_, bad in rows):
        sys.exit("bench-check: a ratio is worse by over 25 %")


if __name__ == "__main__":
    main()
