"""Define the style of all plots."""

from contextlib import AbstractContextManager
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib.axes import Axes
from matplotlib.typing import RcKeyType

INK, FAINT, BLUE, ORANGE = "#24292f", "#8c959f", "#0969da", "#bc4c00"
STYLE: dict[RcKeyType, Any] = {
    # Text stays text, for search and screen readers.
    "svg.fonttype": "none",
    # A fixed salt makes the ids in the file reproducible.
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
    # The drawing keeps its white background on a dark page.
    "figure.facecolor": "white",
}


def styled() -> AbstractContextManager[None]:
    """Return a context in which figures have this style."""
    return matplotlib.rc_context(STYLE)


def draw_missing(axes: Axes, command: str) -> None:
    """Draw axes without figures, with the command that measures them."""
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, f"not measured yet: {command}", ha="center", va="center", transform=axes.transAxes)
