"""Simulate promises on made-up scores with a known risk: how often is more wrong than was promised?

    python -m training.evaluation.coverage              # 1,000 files of each shape; --draws, --wrong, --sure

A promise is violated when the true share of wrong answers, from its threshold on, is above the promised one.
With a confidence of 95 %, that may happen in at most 5 of 100 files. The exit status is 1 if it happens more
often than chance allows.
"""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.evaluation import risk_control
from training.evaluation.risk_control import Choice

DRAWS, ROWS, WRONG, SURE = 1000, 1000, 0.05, 0.95
# Points of the true risk, spread evenly over the scores' distribution.
POINTS = 200_001
# Rows that say nearly the same, in the shape with groups.
COPIES = 5


class Shape(NamedTuple):
    """Scores with a known risk.

    ``sureness`` turns uniform numbers, float64 (rows,), into scores. ``risk`` is P(wrong) at a score. Each
    row has ``copies`` with its score and its error.
    """

    name: str
    sureness: Callable[[np.ndarray], np.ndarray]
    risk: Callable[[np.ndarray], np.ndarray]
    copies: int = 1


class Tally(NamedTuple):
    """Files drawn, promises made and violated, and the mean share of rows answered by those made."""

    draws: int
    made: int
    violated: int
    answered: float

    def too_often(self, sure: float) -> bool:
        """Return whether promises are violated in more files than the confidence and chance allow."""
        return self.violated > 0 and 1 - risk_control.tail(self.violated - 1, self.draws, 1 - sure) < 0.001


def shapes(wrong: float) -> list[Shape]:
    """Return the shapes: honest scores, scores that are too sure, and bad ones."""

    def many_sure(uniform: np.ndarray) -> np.ndarray:
        return 1 - uniform**2 / 2

    def flat(share: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda sureness: np.full(len(sureness), share)

    return [
        Shape("honest: 87 % sure is right for 87 %", many_sure, lambda sureness: 1 - sureness),
        Shape("too sure by half", many_sure, lambda sureness: 1.5 * (1 - sureness)),
        Shape("5 % of the labels are wrong too", many_sure, lambda sureness: 0.05 + 0.9 * (1 - sureness)),
        Shape("the risk jumps at 0.9", many_sure, lambda sureness: np.where(sureness < 0.9, 0.4, wrong / 2)),
        Shape("the surest answers are wrong most", many_sure, lambda sureness: 4 * wrong * (sureness - 0.5)),
        Shape("scores say nothing, just too many wrong", many_sure, flat(1.02 * wrong)),
        Shape("scores say nothing, half are wrong", many_sure, flat(0.5)),
        Shape("all scores alike", lambda uniform: 0.97 + 0 * uniform, flat(1.02 * wrong)),
        Shape("the risk swings", many_sure, lambda sureness: wrong * (1 + np.sin(60 * sureness))),
        Shape(f"{COPIES} near duplicates of each row", many_sure, lambda sureness: 1 - sureness, COPIES),
    ]


def simulate(shape: Shape, draws: int, rows: int, wrong: float, sure: float) -> Tally:
    """Draw files of a shape, choose a threshold for each, and count the promises that do not hold."""
    random = np.random.default_rng(0)
    risk_above = _true_risk(shape)
    made = violated = 0
    answered = 0.0
    for _ in range(draws):
        sureness = np.repeat(shape.sureness(random.random(rows)), shape.copies)
        drawn = np.repeat(random.random(rows), shape.copies)
        groups = np.repeat(np.arange(rows), shape.copies)
        chosen = risk_control.one_of_each(groups)
        right = drawn >= shape.risk(sureness)
        choice = risk_control.choose(sureness[chosen], right[chosen], wrong, sure)
        if isinstance(choice, Choice):
            made += 1
            violated += risk_above(choice.threshold) > wrong
            answered += choice.answered / choice.rows
    return Tally(draws, made, violated, answered / made if made else math.nan)


def _true_risk(shape: Shape) -> Callable[[float], float]:
    """Return the true share of wrong answers from a threshold on, as a function of it."""
    sureness = shape.sureness((np.arange(POINTS) + 0.5) / POINTS)
    risk = shape.risk(sureness)
    return lambda threshold: float(risk[sureness >= threshold].mean())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table of the shapes, and return the exit status."""
    options = parse(arguments)
    print(
        f"Promised: at most {100 * options.wrong:g} % wrong, with {100 * options.sure:g} % confidence."
        f" {options.draws:,} files of {options.rows:,} rows a shape."
    )
    print(f"{'shape':42} {'promised':>9} {'violated':>9} {'answered':>9}")
    failed = False
    for shape in tqdm(shapes(options.wrong), desc="simulating", unit="shape", disable=None):
        tally = simulate(shape, options.draws, options.rows, options.wrong, options.sure)
        failed |= tally.too_often(options.sure)
        answered = f"{100 * tally.answered:.1f} %" if tally.made else "-"
        made, violated = (100 * count / tally.draws for count in (tally.made, tally.violated))
        tqdm.write(f"{shape.name:42} {made:7.1f} % {violated:7.1f} % {answered:>9}")
    return int(failed)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Simulate promises on made-up scores with a known risk.")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"files of each shape (default {DRAWS:,})")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of a file (default {ROWS:,})")
    parser.add_argument("--wrong", type=float, default=WRONG, help=f"largest share wrong (default {WRONG})")
    parser.add_argument("--sure", type=float, default=SURE, help=f"confidence (default {SURE})")
    options = parser.parse_args(arguments)
    if min(options.draws, options.rows) < 1 or not 0 < options.wrong < 0.5 or not 0.5 < options.sure < 1:
        parser.error("--draws and --rows must be 1 or more, 0 < --wrong < 0.5 and 0.5 < --sure < 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
