"""Measure Verdict beside alternatives, in one run on one machine.

    make bench                              # all parts; FLAGS=--quick takes under 3 minutes
    make bench FLAGS=--publish              # also updates docs, README and plots
    python -m bench.bench --only text http  # some parts

Writes bench/results/TIME.json, and prints the figures and the goals. A busy machine is refused. A figure that
the machine can't measure is listed with the reason.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from bench import (
    answer_rows,
    bulk_rows,
    cost_rows,
    goals,
    http_rows,
    measuring,
    network_rows,
    page_rows,
    samples,
    serve_rows,
    start_rows,
    tables,
    text_rows,
    training_rows,
)
from bench.measuring import BusyError, Figure, Missing
from bench.setting import Setting
from training.data import dataset
from vocab.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]

RESULTS = Path(__file__).with_name("results")

Part = Callable[[Setting], Iterator[Figure]]
# By part, in order: the names of its figures, and the function that measures them.
PARTS: dict[str, tuple[tuple[str, ...], Part]] = {
    text_rows.PART: (text_rows.NAMES, text_rows.figures),
    network_rows.PART: (network_rows.NAMES, network_rows.figures),
    answer_rows.PART: (answer_rows.NAMES, answer_rows.figures),
    http_rows.PART: (http_rows.NAMES, http_rows.figures),
    serve_rows.PART: (serve_rows.NAMES, serve_rows.figures),
    bulk_rows.PART: (bulk_rows.NAMES, bulk_rows.figures),
    bulk_rows.SCALE: (bulk_rows.SCALE_NAMES, bulk_rows.scale_figures),
    start_rows.PART: (start_rows.NAMES, start_rows.figures),
    page_rows.PART: (page_rows.NAMES, page_rows.figures),
    training_rows.PART: (training_rows.NAMES, training_rows.figures),
}
NAMED = (*PARTS, cost_rows.PART)


def run(setting: Setting, only: Sequence[str] = NAMED) -> list[Figure]:
    """Measure parts one after the other, and return every figure or the reason for its absence."""
    figures: list[Figure] = []
    for part, (names, measure) in PARTS.items():
        if part in only:
            print(f"bench: {part}", file=sys.stderr, flush=True)
            figures += complete(part, names, measure, setting)
    if cost_rows.PART in only:
        measure = partial(cost_rows.figures, measured=tuple(figures))
        figures += complete(cost_rows.PART, cost_rows.names(), measure, setting)
    return figures


def every_name() -> dict[str, tuple[str, ...]]:
    """Return the names of all figures, by part."""
    return {part: names for part, (names, _) in PARTS.items()} | {cost_rows.PART: cost_rows.names()}


def complete(part: str, names: Sequence[str], measure: Part, setting: Setting) -> list[Figure]:
    """Return a part's figures in the order of ``names``; a missing one has its reason."""
    figures: dict[str, Figure] = {}
    reason = "this part does not give it"
    try:
        for figure in measure(setting):
            figures[figure.name] = figure
    except Missing as error:
        reason = str(error)
    except Exception as error:  # the figures of other parts must survive
        traceback.print_exc()
        reason = f"it failed: {type(error).__name__}"
    return [figures.get(name) or Figure(part, name, missing=reason) for name in names]


def report(
    figures: Sequence[Figure], options: argparse.Namespace, load: float, seconds: float
) -> dict[str, Any]:
    """Return the content of a results file."""
    return {
        "date": date.today().isoformat(),
        "command": "make bench FLAGS=--long" if options.long else "make bench",
        "quick": options.quick,
        "busy": options.busy,
        "seconds": round(seconds),
        "load_before": round(load, 2),
        "machine": measuring.describe_machine(),
        "versions": measuring.versions(),
        "figures": [figure._asdict() for figure in figures],
        "ratios": goals.ratios(figures),
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure Verdict beside alternatives.")
    parser.add_argument("--quick", action="store_true", help="under 3 minutes, fewer runs, smaller files")
    parser.add_argument(
        "--long", action="store_true", help="train to 91 %% as well, and the old network to 83 %%"
    )
    parser.add_argument("--busy", action="store_true", help="measure on a busy machine too")
    parser.add_argument(
        "--only", nargs="+", choices=NAMED, default=NAMED, metavar="PART", help=", ".join(NAMED)
    )
    parser.add_argument("--out", type=Path, help="the results file (default: bench/results/TIME.json)")
    parser.add_argument("--publish", action="store_true", help="update docs, README and plots")
    options = parser.parse_args(arguments)
    if options.publish and (options.quick or options.busy or set(options.only) != set(NAMED)):
        parser.error("--publish takes a full run on a quiet machine: no --quick, --busy or --only")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    try:
        load = os.getloadavg()[0] if options.busy else measuring.wait_until_quiet()
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder:
            setting = Setting(samples.find(), Path(folder), options.quick, options.long)
            figures = run(setting, options.only)
    except (BusyError, dataset.DataError) as error:
        sys.exit(f"bench: {error}")
    results = report(figures, options, load, time.monotonic() - began)
    data = (json.dumps(results, indent=2) + "\n").encode()
    out = options.out or RESULTS / f"{time.strftime('%Y-%m-%dT%H%M%S')}.json"
    write_atomic(out, data)
    print(tables.text(results))
    print(f"bench: {out}")
    if options.publish:
        from bench import publish

        publish.replace(results)
        publish.main([])


if __name__ == "__main__":
    main()
