"""Write the published benchmark, bench/results.json, into docs, README and the plots.

    python -m bench.publish
    python -m bench.publish --take bench/results/TIME.json    # the training part of another run

`make bench FLAGS=--publish` ends with it. Without results, each block names the command that measures it.
Training takes longer than all other parts. So ``--take`` adds the training figures of another run, and the
page names that run and its machine. Costs are computed anew from the published times.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import cost_rows, goals, plots, published, scaling, tables, training_rows
from bench.measuring import Figure
from training.aws import package
from vocab.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]

DOCS = ROOT / "docs"


def blocks(results: Mapping[str, Any] | None, beside: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the benchmark's blocks by name.

    ``beside`` is the last published run on another kind of machine.
    """
    names = [*(f"bench-{name}" for name in (*tables.TITLES, "containers", "goals", "machine")), "bench"]
    if results is None:
        return dict.fromkeys(names, scaling.NOT_MEASURED) | scaling.blocks(None)
    machine = tables.machine_line(results)
    contents = [
        *(tables.part_table(results, part) for part in tables.TITLES),
        tables.container_table(json.loads(package.SERVERS.read_text(encoding="utf-8"))),
        tables.goal_table(results, beside),
        machine,
        f"{tables.summary(results)}\n{machine}",
    ]
    return dict(zip(names, contents, strict=True)) | scaling.blocks(results)


def replace(results: Mapping[str, Any]) -> None:
    """Publish a run. The run before it stays beside it if its processor is another."""
    before = published.read()
    if before and before["machine"]["processor"] != results["machine"]["processor"]:
        _write(published.BESIDE, before)
    _write(published.RESULTS, results)


def take(results: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return published results with another run's training. Raises ValueError for an unlike run."""
    if other["quick"] or other["busy"]:
        raise ValueError("it is of a quick or a busy run")
    if other["versions"] != results["versions"]:
        raise ValueError("it is of other versions than the published run")
    part = training_rows.PART
    training = [figure for figure in other["figures"] if figure["part"] == part]
    names = {figure["name"] for figure in training if not figure["missing"]}
    if names != set(training_rows.NAMES):
        raise ValueError("it has not all of training; `make bench FLAGS=--long` measures that")
    new = {(part, figure["name"]): figure for figure in training}
    new |= {(figure.part, figure.name): figure._asdict() for figure in _costs(results)}
    figures = [new.get((figure["part"], figure["name"]), figure) for figure in results["figures"]]
    apart = {key: other[key] for key in ("date", "command", "seconds", "load_before", "machine")}
    ratios = goals.ratios(goals.read({"figures": figures}))
    return {**results, "figures": figures, "ratios": ratios, "apart": {part: apart}}


def _costs(results: Mapping[str, Any]) -> list[Figure]:
    medians = goals.medians(goals.read(results))
    text, answer, http = (medians[key] / 1000 for key in (goals.TEXT, goals.ANSWER, goals.HTTP))
    own = cost_rows.own_seconds(text, answer, http)
    return list(cost_rows.our_figures(own, answer, medians[goals.ONE]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write bench/results.json into docs, README and plots.")
    parser.add_argument("--take", type=Path, metavar="FILE", help="first take the training part of this run")
    options = parser.parse_args(arguments)
    if options.take:
        _take(options.take)
    for path in plots.draw(published.read() or {"figures": []}, DOCS):
        print(path.relative_to(ROOT))
    fill = subprocess.run([sys.executable, "-m", "tools.fill_docs"], cwd=ROOT)
    if fill.returncode:
        sys.exit(fill.returncode)


def _take(file: Path) -> None:
    try:
        other, current = (json.loads(path.read_text(encoding="utf-8")) for path in (file, published.RESULTS))
        results = take(current, other)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"publish: {file} can't be taken: {error}")
    _write(published.RESULTS, results)


def _write(path: Path, results: Mapping[str, Any]) -> None:
    write_atomic(path, (json.dumps(results, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
