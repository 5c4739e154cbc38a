"""Draw the benchmark: time of an answer, scaling of files, cost of a million reviews.

Writes the drawings of docs/performance.md and docs/scaling.md. The same results give the same bytes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import cost_rows, goals, scaling, tables
from bench.drawing import BLUE, FAINT, ORANGE, draw_missing, styled
from bench.measuring import Missing

WIDE = (7.2, 3.4)


def draw(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the drawings of a results file into a folder, and return their paths."""
    paths = []
    for name, draw_axes in DRAWINGS.items():
        with styled():
            figure = Figure(figsize=WIDE, layout="constrained")
            draw_axes(figure.add_subplot(), results)
            paths.append(save(figure, folder / f"{name}.svg", "make bench"))
    return paths


def save(figure: Figure, path: Path, command: str) -> Path:
    """Write a drawing with its command and without a date."""
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
    _bars_of(axes, results, "cost", "$", ours=tables.OURS)


def _bars_of(
    axes: Axes, results: Mapping[str, Any], part: str, unit: str, ours: tuple[str, ...] = ()
) -> None:
    figures = [
        figure
        for figure in tables.by_part(results).get(part, [])
        if figure.median and figure.unit == unit and not figure.name.startswith("10^9")
    ]
    if not figures:
        return draw_missing(axes, "make bench")
    names = [f"Verdict, {figure.name}" if figure.name in ours else figure.name for figure in figures]
    bars(axes, names, [figure.median or 0.0 for figure in figures], unit)


def _scale(axes: Axes, results: Mapping[str, Any]) -> None:
    axes.set(title="Files of more and more reviews, all cores", xlabel="reviews", ylabel="seconds")
    medians = goals.medians(goals.read(results))
    sizes = [size for size in tables.SIZES if ("scale", f"{size:,} reviews, seconds") in medians]
    if not sizes:
        return draw_missing(axes, "make bench")
    seconds = [medians["scale", f"{size:,} reviews, seconds"] for size in sizes]
    axes.loglog(sizes, seconds, color=BLUE, marker="o", label="seconds")
    memory = axes.twinx()
    memory.plot(
        sizes, [medians["scale", f"{size:,} reviews, peak"] for size in sizes], color=ORANGE, marker="s"
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
        inputs = scaling.inputs_of(results)
    except Missing:
        return draw_missing(axes, "make bench")
    first = scaling.fleet(int(low), inputs).instances
    moments = scaling.scaled(scaling.step(low, high, when), inputs, seconds, first)
    axes.plot(
        [moment.second for moment in moments], [moment.wait for moment in moments], color=BLUE, label="wait"
    )
    count = axes.twinx()
    count.step([moment.second for moment in moments], [moment.instances for moment in moments], color=ORANGE)
    count.set(ylabel=f"instances of {cost_rows.REALTIME_INSTANCE}", ylim=(0, None))
    count.grid(visible=False)
    axes.legend([*axes.get_lines(), *count.get_lines()], ["wait", "instances"], loc="upper left")


def _waits(axes: Axes, results: Mapping[str, Any]) -> None:
    axes.set(
        title="How busy may a fleet be?", xlabel="share of time a core is busy", ylabel="99th percentile, ms"
    )
    try:
        inputs = scaling.inputs_of(results)
    except Missing:
        return draw_missing(axes, "make bench")
    shares = [share / 100 for share in range(30, 100, 5)]
    for cores, color in ((1, FAINT), (8, ORANGE), (64, BLUE)):
        rates = [share * cores / inputs.endpoint for share in shares]
        waits = [scaling.at(scaling.queue(rate, inputs.endpoint, cores, 20_000), 0.99) for rate in rates]
        whole = [1000 * (wait + inputs.endpoint) for wait in waits]
        axes.plot(shares, whole, color=color, label=f"{cores} core{'s' if cores > 1 else ''}")
    axes.set_yscale("log")
    for formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        formatter("{x:g}")
    axes.legend(loc="upper left")


DRAWINGS = {
    "bench-answer": _answer,
    "bench-scale": _scale,
    "bench-cost": _cost,
    "scaling-step": _step,
    "scaling-waits": _waits,
}
