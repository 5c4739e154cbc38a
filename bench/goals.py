"""What the figures are held against: leasts and goals, and the ratios that a change may not worsen."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any, NamedTuple

from bench import (
    answer_rows,
    bulk_rows,
    cost_rows,
    http_rows,
    network_rows,
    page_rows,
    start_rows,
    text_rows,
    training_rows,
)
from bench.measuring import Figure

Key = tuple[str, str]

TEXT, PLAIN, SOUP, NLTK, OLD_TEXT = ((text_rows.PART, name) for name in text_rows.NAMES)
NETWORK = (network_rows.PART, network_rows.OURS)
TRANSFORMER = (network_rows.PART, network_rows.TRANSFORMER)
TORCH = (network_rows.PART, network_rows.SAME[1])
ANSWER, VADER = ((answer_rows.PART, name) for name in answer_rows.NAMES[:2])
HTTP, HTTP_VADER = ((http_rows.PART, name) for name in http_rows.NAMES)
ALL, ONE = (bulk_rows.PART, bulk_rows.ALL), (bulk_rows.PART, bulk_rows.ONE)
COLD, NAIVE = (start_rows.PART, start_rows.COLD), (start_rows.PART, start_rows.NAIVE)
COMPREHEND = (cost_rows.PART, "Amazon Comprehend")


class Goal(NamedTuple):
    """A figure, or its ratio to another, and the value that it should stay under (or reach: ``above``)."""

    figure: Key
    goal: float
    least: float | None = None
    to: Key | None = None
    above: bool = False


GOALS = (
    Goal(TEXT, 1.3, to=SOUP),
    Goal(TEXT, 0.5, 0.5),
    Goal(PLAIN, 0.1),
    Goal(NETWORK, 1.2, 2.0),
    Goal(TRANSFORMER, 30, to=NETWORK, above=True),
    Goal(ANSWER, 1.4, 2.5),
    Goal(HTTP, 3, 8),
    Goal(ALL, 1200, 700, above=True),
    Goal((bulk_rows.PART, bulk_rows.BEYOND), 0.9, above=True),
    Goal((bulk_rows.SCALE, bulk_rows.PER_REVIEW), 1.05),
    Goal((bulk_rows.SCALE, "100,000 reviews, peak"), 600, 600),
    Goal(COLD, 500, 1000),
    Goal((start_rows.PART, f"{start_rows.COLD}, memory"), 70, 100),
    Goal((start_rows.PART, "Lambda zip"), 3, 8),
    Goal((start_rows.PART, start_rows.ENDPOINT), 1500, 3000),
    Goal((start_rows.PART, start_rows.RUN), 3000, 5000),
    Goal((page_rows.PART, page_rows.BYTES), 40, 60),
    Goal((page_rows.PART, page_rows.PAINT), 100, 100),
    Goal((training_rows.PART, training_rows.NAMES[2]), 1, to=(training_rows.PART, training_rows.NAMES[3])),
    Goal((cost_rows.PART, cost_rows.SERVERLESS), 0.01, to=COMPREHEND),
)
# What bench-check watches: a figure by another one of the same run, smaller is better.
RATIOS: dict[str, tuple[Key, Key]] = {
    "text / BeautifulSoup": (TEXT, SOUP),
    "plain text / BeautifulSoup": (PLAIN, SOUP),
    "text / NLTK": (TEXT, NLTK),
    "network / the same in torch": (NETWORK, TORCH),
    "answer / VADER": (ANSWER, VADER),
    "HTTP / VADER's HTTP": (HTTP, HTTP_VADER),
}
# Their parts, which bench-check measures anew: those that take seconds.
CHECKED = (text_rows.PART, network_rows.PART, answer_rows.PART, http_rows.PART)


def medians(figures: Iterable[Figure]) -> dict[Key, float]:
    """Give the medians that were measured, by part and name."""
    return {(one.part, one.name): one.median for one in figures if one.median is not None}


def value_of(goal: Goal, found: Mapping[Key, float]) -> float | None:
    """Give what a goal is held against, or None where it was not measured."""
    value = found.get(goal.figure)
    if value is None or goal.to is None:
        return value
    other = found.get(goal.to)
    return None if not other else value / other


def verdict_of(goal: Goal, found: Mapping[Key, float]) -> str:
    """Say whether a goal is met: "goal", "least", "missed" or "not measured"."""
    value = value_of(goal, found)
    if value is None:
        return "not measured"
    reaches: Callable[[float], bool] = value.__ge__ if goal.above else value.__le__
    if reaches(goal.goal):
        return "goal"
    return "least" if goal.least is not None and reaches(goal.least) else "missed"


def ratios(figures: Iterable[Figure]) -> dict[str, float]:
    """Give the watched ratios whose figures were measured, each the median of its rounds' ratios."""
    found = {(one.part, one.name): one for one in figures if one.median}
    pairs = {name: (found.get(above), found.get(below)) for name, (above, below) in RATIOS.items()}
    return {name: round(_ratio(one, other), 4) for name, (one, other) in pairs.items() if one and other}


def _ratio(one: Figure, other: Figure) -> float:
    # Runs of before turns were kept have medians alone.
    rounds = zip(one.turns, other.turns, strict=True) if one.turns else [(one.median, other.median)]
    return median(above / below for above, below in rounds)


def read(results: Mapping[str, Any]) -> list[Figure]:
    """Give the figures of a results file."""
    return [Figure(**one) for one in results["figures"]]
