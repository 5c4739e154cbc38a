"""Draw the benchmark: what an answer takes, how files scale, what a million reviews cost.

Writes the drawings of docs/performance.md and docs/scaling.md. The same results give the same bytes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import cost_rows, goals, scaling, tables
from bench.measuring import Missing
from tools import draw_plots
from tools.draw_plots import BLUE, FAINT, ORANGE

WIDE = (7.2, 3.4)


def draw(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the drawings of a results file into a folder; give their paths."""
    paths = []
    for name, of in DRAWINGS.items():
        with matplotlib.rc_context(draw_plots.STYLE):
            figure = Figure(figsize=WIDE, layout="constrained")
            of(figure.add_subplot(), results)
            paths.append(save(figure, folder / f"{name}.svg", "make bench"))
    return paths


def save(figure: Figure, path: Path, command: str) -> Path:
    """Write a drawing that says what made it, and nothing of when."""
    figure.savefig(path, metadata={"Title": path.stem, "Creator": command, "Date": None})
    return path


def bars(axes: Axes, names: list[str], numbers: list[float], unit: str) -> None:
    """Draw bars on a logarithmic scale, ours in blue, each with its number."""
    ours = [BLUE if name.startswith("Verdict") else FAINT for name in names]
    axes.barh(names[::-1], numbers[::-1], 0.6, color=ours[::-1])
    for name, number in zip(names, numbers, strict=True):
        axes.annotate(f" {tables.value(number, unit)}", (number, name), va="center")
    axes.set_xscale("log")
    axes.set_xlim(min(numbers) / 3, max(numbers) * 6)
    axes.grid(axis="y", visible=False)


def _answer(axes: Axes, results: Mapping[str, Any]) -> None:
    axes.set(title="A review of 230 words to its answer, one thread", xlabel="milliseconds, logarithmic")
    _bars_of(axes, results, "answer", "ms")


def _cost(axes: Axes, results: Mapping[str, Any]) -> None:
    axes.set(title="A million reviews, estimates from list prices", xlabel="US dollars, logarithmic")
    _bars_of(axes, results, "cost", "$", ours=tables.OUR_WAYS)


def _bars_of(
    axes: Axes, results: Mapping[str, Any], part: str, unit: str, ours: tuple[str, ...] = ()
) -> None:
    found = [one for one in tables.by_part(results).get(part, []) if one.median and one.unit == unit]
    found = [one for one in found if not one.name.startswith("10^9")]
    if not found:
        return _say_missing(axes)
    names = [f"Verdict, {one.name}" if one.name in ours else one.name for one in found]
    bars(axes, names, [one.median or 0.0 for one in found], unit)


def _scale(axes: Axes, results: Mapping[str, Any]) -> None:
    axes.set(title="Files of more and more reviews, all cores", xlabel="reviews", ylabel="seconds")
    found = goals.medians(goals.read(results))
    sizes = [size for size in tables.SIZES if ("scale", f"{size:,} reviews, seconds") in found]
    if not sizes:
        return _say_missing(axes)
    seconds = [found["scale", f"{size:,} reviews, seconds"] for size in sizes]
    axes.loglog(sizes, seconds, color=BLUE, marker="o", label="seconds")
    memory = axes.twinx()
    memory.plot(
        sizes, [found["scale", f"{size:,} reviews, peak"] for size in sizes], color=ORANGE, marker="s"
    )
    memory.set(ylabel="MB of all processes at most", ylim=(0, None))
    memory.grid(visible=False)
    axes.legend(*[[*axes.get_lines(), *memory.get_lines()], ["seconds", "memory"]], loc="upper left")


def _step(axes: Axes, results: Mapping[str, Any]) -> None:
    low, high, when, seconds = 100.0, 1000.0, 120, 1200
    axes.set(
        title=f"{low:g} requests a second become {high:,.0f}: instances follow late",
        xlabel="seconds",
        ylabel="a request would wait, seconds",
    )
    try:
        given = scaling.inputs_of(results)
    except Missing:
        return _say_missing(axes)
    first = scaling.fleet(int(low), given).instances
    moments = scaling.scaled(scaling.step(low, high, when), given, seconds, first)
    axes.plot([one.second for one in moments], [one.wait for one in moments], color=BLUE, label="wait")
    count = axes.twinx()
    count.step([one.second for one in moments], [one.instances for one in moments], color=ORANGE)
    count.set(ylabel=f"instances of {cost_rows.REALTIME_INSTANCE}", ylim=(0, None))
    count.grid(visible=False)
    axes.legend([*axes.get_lines(), *count.get_lines()], ["wait", "instances"], loc="upper left")


def _waits(axes: Axes, results: Mapping[str, Any]) -> None:
    axes.set(
        title="How busy may a fleet be?", xlabel="share of time a core is busy", ylabel="99th percentile, ms"
    )
    try:
        given = scaling.inputs_of(results)
    except Missing:
        return _say_missing(axes)
    shares = [share / 100 for share in range(30, 100, 5)]
    for cores, color in ((1, FAINT), (8, ORANGE), (64, BLUE)):
        rates = [share * cores / given.endpoint for share in shares]
        waits = [scaling.at(scaling.queue(rate, given.endpoint, cores, 20_000), 0.99) for rate in rates]
        whole = [1000 * (wait + given.endpoint) for wait in waits]
        axes.plot(shares, whole, color=color, label=f"{cores} core{'s' if cores > 1 else ''}")
    axes.set_yscale("log")
    for formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        formatter("{x:g}")
    axes.legend(loc="upper left")


def _say_missing(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, "not measured yet: make bench", ha="center", va="center", transform=axes.transAxes)


DRAWINGS = {
    "bench-answer": _answer,
    "bench-scale": _scale,
    "bench-cost": _cost,
    "scaling-step": _step,
    "scaling-waits": _waits,
}
