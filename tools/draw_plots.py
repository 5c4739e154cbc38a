"""Draw README's plots from the published model's card: calibration, risk, and errors by length.

    python -m tools.draw_plots

Writes docs/reliability.svg, risk-coverage.svg and errors-by-length.svg: the test split's figures, or else the
development split's. The same card gives the same bytes.
"""

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bench.drawing import BLUE, FAINT, ORANGE, draw_missing, styled

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
CARD = ROOT / "training" / "endpoint" / "model" / "model.json"
INCHES = (4.6, 3.4)
SPLITS = ("test", "development")


def draw(card: dict[str, Any], folder: Path) -> list[Path]:
    """Write the three drawings of a card into a folder, and return their paths."""
    paths = []
    for name, draw_axes in (
        ("reliability", _reliability),
        ("risk-coverage", _risk_coverage),
        ("errors-by-length", _errors_by_length),
    ):
        path = folder / f"{name}.svg"
        with styled():
            figure = Figure(figsize=INCHES, layout="constrained")
            draw_axes(figure.add_subplot(), card["metrics"])
            metadata = {
                "Title": f"{name} of {card['id']}",
                "Creator": "python -m tools.draw_plots",
                "Date": None,
            }
            figure.savefig(path, metadata=metadata)
        paths.append(path)
    return paths


def figures_of(metrics: dict[str, Any], key: str) -> tuple[str, dict[str, Any]] | None:
    """Return the first split with such figures, and its figures."""
    for split in SPLITS:
        if key in metrics.get(split, {}):
            return split, metrics[split]
    return None


def _reliability(axes: Axes, metrics: dict[str, Any]) -> None:
    axes.set(
        title="Is it right as often as it says?", xlabel="says it is so sure", ylabel="is right so often"
    )
    first = figures_of(metrics, "reliability")
    if not first:
        return draw_missing(axes, "make evaluate")
    split, figures = first
    bins = figures["reliability"]
    axes.plot([0.5, 1], [0.5, 1], color=FAINT, linestyle="--", label="perfect")
    axes.plot(
        [each["confidence"] for each in bins],
        [each["accuracy"] for each in bins],
        color=BLUE,
        marker="o",
        markersize=4,
        label=f"{len(bins)} bins of {figures['reviews'] // len(bins):,} {split} reviews",
    )
    axes.text(0.99, 0.52, f"ECE {100 * figures['ece']:.2f} %", ha="right", color=BLUE, fontweight="bold")
    _in_percent(axes)
    axes.legend(loc="upper left")


def _risk_coverage(axes: Axes, metrics: dict[str, Any]) -> None:
    axes.set(
        title="How often is it right where it is surest?",
        xlabel="the surest of the reviews",
        ylabel="right of them",
    )
    first = figures_of(metrics, "risk_coverage")
    if not first:
        return draw_missing(axes, "make evaluate")
    split, figures = first
    curve = figures["risk_coverage"]
    axes.plot(
        [point["share"] for point in curve],
        [point["accuracy"] for point in curve],
        color=BLUE,
        marker="o",
        markersize=4,
        label=f"{figures['reviews']:,} {split} reviews",
    )
    surest = min(curve, key=lambda point: abs(point["share"] - 0.9))
    axes.annotate(
        f"{100 * surest['accuracy']:.2f} % of the surest {100 * surest['share']:.0f} %",
        (surest["share"], surest["accuracy"]),
        (-4, -14),
        textcoords="offset points",
        ha="right",
        color=BLUE,
        fontweight="bold",
    )
    _in_percent(axes)
    axes.legend(loc="lower left")


def _errors_by_length(axes: Axes, metrics: dict[str, Any]) -> None:
    axes.set(
        title="What does it get wrong, by length?", xlabel="tokens of the review", ylabel="of the reviews"
    )
    first = figures_of(metrics, "by_length")
    if not first:
        return draw_missing(axes, "make evaluate")
    split, figures = first
    quarters = figures["by_length"]
    names = [f"{quarter['tokens_from']}–{quarter['tokens_to']}" for quarter in quarters]
    wrong = [1 - quarter["accuracy"] for quarter in quarters]
    if all("confusion" in quarter for quarter in quarters):
        shares = [quarter["confusion"]["false_positive"] / quarter["reviews"] for quarter in quarters]
        others = [all_wrong - share for all_wrong, share in zip(wrong, shares, strict=True)]
        axes.bar(names, shares, 0.6, color=BLUE, label="negative, called positive")
        axes.bar(names, others, 0.6, bottom=shares, color=ORANGE, label="positive, called negative")
    else:
        axes.bar(names, wrong, 0.6, color=BLUE, label="called wrongly")
    for place, share in enumerate(wrong):
        axes.annotate(f"{100 * share:.1f} %", (place, share), (0, 3), textcoords="offset points", ha="center")
    axes.set_ylim(0, max([*wrong, 0.01]) * 1.5)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid(axis="x", visible=False)
    axes.legend(
        loc="upper left", alignment="left", title=f"quarters of {figures['reviews']:,} {split} reviews"
    )


def _in_percent(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))


def main() -> None:
    try:
        card = json.loads(CARD.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"plots: {CARD} can't be read ({error}); restore it from git, or run `make train`")
    for path in draw(card, DOCS):
        print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
