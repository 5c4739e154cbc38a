"""Let docs/performance.md, README and the plots say what bench/results.json holds.

    python -m bench.publish
    python -m bench.publish --take bench/results/TIME.json    # the training part of another run

`make bench FLAGS=--publish` ends with it. Without results, all of them say what measures them. Training takes
longer than all else: ``--take`` puts its figures, whose two sides were measured in one run too, beside those
of the published run, and the page says so and on which machine. Costs are worked out anew from the published
times.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import cost_rows, goals, plots, scaling, tables, training_rows
from tools import fill_docs
from training.aws import package
from vocab.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / "docs" / "performance.md"


def page_blocks(results: dict[str, Any] | None, beside: dict[str, Any] | None = None) -> dict[str, str]:
    """Give what docs/performance.md must say, by the name of its block.

    ``beside`` is the last run that was published on another kind of machine.
    """
    if results is None:
        return dict.fromkeys((*tables.TITLES, "containers", "goals", "machine"), scaling.NOT_MEASURED)
    blocks = {part: tables.part_table(results, part) for part in tables.TITLES}
    blocks["containers"] = tables.container_table(json.loads(package.SERVERS.read_text(encoding="utf-8")))
    return blocks | {"goals": tables.goal_table(results, beside), "machine": tables.machine_line(results)}


def replace(results: Mapping[str, Any]) -> None:
    """Make a run the published one; that before it stays beside it when it is of another processor."""
    before = fill_docs.read_bench()
    if before and before["machine"]["processor"] != results["machine"]["processor"]:
        _write(fill_docs.BESIDE, before)
    _write(fill_docs.BENCH, results)


def take(published: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Give the published results with another run's training. Raises ValueError for a run that is no like."""
    if other["quick"] or other["busy"]:
        raise ValueError("it is of a quick or a busy run")
    if other["versions"] != published["versions"]:
        raise ValueError("it is of other versions than the published run")
    part = training_rows.PART
    taken = [one for one in other["figures"] if one["part"] == part]
    if any(one["missing"] for one in taken) or {one["name"] for one in taken} != set(training_rows.NAMES):
        raise ValueError("it has not all of training; `make bench FLAGS=--long` measures that")
    new = {(part, one["name"]): one for one in taken}
    new |= {(one.part, one.name): one._asdict() for one in _costs(published)}
    figures = [new.get((one["part"], one["name"]), one) for one in published["figures"]]
    apart = {key: other[key] for key in ("date", "command", "seconds", "load_before", "machine")}
    ratios = goals.ratios(goals.read({"figures": figures}))
    return {**published, "figures": figures, "ratios": ratios, "apart": {part: apart}}


def _costs(published: Mapping[str, Any]) -> list[Any]:
    found = goals.medians(goals.read(published))
    text, answer, http = (found[key] / 1000 for key in (goals.TEXT, goals.ANSWER, goals.HTTP))
    own = cost_rows.own_seconds(text, answer, http)
    return list(cost_rows.our_figures(own, answer, found[goals.ONE]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Let the pages say what bench/results.json holds.")
    parser.add_argument("--take", type=Path, metavar="FILE", help="first, take training from another run")
    options = parser.parse_args(arguments)
    if options.take:
        _take(options.take)
    results = fill_docs.read_bench()
    beside = fill_docs.read_bench(fill_docs.BESIDE)
    for page, blocks in ((PAGE, page_blocks(results, beside)), (scaling.PAGE, scaling.blocks(results))):
        filled = fill_docs.fill(page.read_text(encoding="utf-8"), blocks)
        write_atomic(page, filled.encode())
    for path in plots.draw(results or {"figures": []}, PAGE.parent):
        print(path.relative_to(ROOT))
    fill_docs.main()


def _take(file: Path) -> None:
    try:
        other, published = (json.loads(path.read_text(encoding="utf-8")) for path in (file, fill_docs.BENCH))
        found = take(published, other)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"publish: {file} can't be taken: {error}")
    _write(fill_docs.BENCH, found)


def _write(path: Path, results: Mapping[str, Any]) -> None:
    write_atomic(path, (json.dumps(results, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
