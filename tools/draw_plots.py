"""Draw README's plots from the published model's card: calibration, risk, and errors by length.

    python -m tools.draw_plots

Writes reliability.svg, risk-coverage.svg and errors-by-length.svg beside this file: the test split's
figures, or the development split's where the card has no others. The same card gives the same bytes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
CARD = ROOT / "training" / "endpoint" / "model" / "model.json"
INK, FAINT, BLUE, ORANGE = "#24292f", "#8c959f", "#0969da", "#bc4c00"
STYLE = {
    # Words stay words, so that a page's search and a screen reader find them.
    "svg.fonttype": "none",
    # Names inside the file are hashes of this, not of chance.
    "svg.hashsalt": "verdict",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#eaeef2",
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    # A page may be dark: the paper comes with the drawing.
    "figure.facecolor": "white",
}
INCHES = (4.6, 3.4)
SPLITS = ("test", "development")


def draw(card: dict[str, Any], folder: Path) -> list[Path]:
    """Write the three drawings of a card into a folder; give their paths."""
    paths = []
    for name, of in (
        ("reliability", _reliability),
        ("risk-coverage", _risk_coverage),
        ("errors-by-length", _errors_by_length),
    ):
        path = folder / f"{name}.svg"
        with matplotlib.rc_context(STYLE):
            figure = Figure(figsize=INCHES, layout="constrained")
            of(figure.add_subplot(), card["metrics"])
            about = {
                "Title": f"{name} of {card['id']}",
                "Creator": "python -m tools.draw_plots",
                "Date": None,
            }
            figure.savefig(path, metadata=about)
        paths.append(path)
    return paths


def figures_of(metrics: dict[str, Any], key: str) -> tuple[str, dict[str, Any]] | None:
    """Give the first split that has such figures, and its figures."""
    for split in SPLITS:
        if key in metrics.get(split, {}):
            return split, metrics[split]
    return None


def _reliability(axes: Axes, metrics: dict[str, Any]) -> None:
    axes.set(
        title="Is it right as often as it says?", xlabel="says it is so sure", ylabel="is right so often"
    )
    found = figures_of(metrics, "reliability")
    if not found:
        return _say_missing(axes)
    split, figures = found
    bins = figures["reliability"]
    axes.plot([0.5, 1], [0.5, 1], color=FAINT, linestyle="--", label="perfect")
    axes.plot(
        [one["confidence"] for one in bins],
        [one["accuracy"] for one in bins],
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
    found = figures_of(metrics, "risk_coverage")
    if not found:
        return _say_missing(axes)
    split, figures = found
    curve = figures["risk_coverage"]
    axes.plot(
        [one["share"] for one in curve],
        [one["accuracy"] for one in curve],
        color=BLUE,
        marker="o",
        markersize=4,
        label=f"{figures['reviews']:,} {split} reviews",
    )
    surest = min(curve, key=lambda one: abs(one["share"] - 0.9))
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
    found = figures_of(metrics, "by_length")
    if not found:
        return _say_missing(axes)
    split, figures = found
    quarters = figures["by_length"]
    names = [f"{one['tokens_from']}–{one['tokens_to']}" for one in quarters]
    wrong = [1 - one["accuracy"] for one in quarters]
    if all("confusion" in one for one in quarters):
        shares = [one["confusion"]["false_positive"] / one["reviews"] for one in quarters]
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


def _say_missing(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, "not measured yet: make evaluate", ha="center", va="center", transform=axes.transAxes)


def main() -> None:
    try:
        card = json.loads(CARD.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"plots: {CARD} can't be read ({error}); restore it from git, or run `make train`")
    for path in draw(card, DOCS):
        print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
