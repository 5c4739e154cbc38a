"""Define the goals and minimums of figures, and the ratios that a change must not worsen."""

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
    serve_rows,
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
WORDS = (answer_rows.PART, answer_rows.WORDS)
HTTP, HTTP_VADER, SERVED, SERVED_VADER = ((http_rows.PART, name) for name in http_rows.NAMES)
CAPACITY, MEMORY = ((serve_rows.PART, name) for name in serve_rows.NAMES)
ALL, ONE = (bulk_rows.PART, bulk_rows.ALL), (bulk_rows.PART, bulk_rows.ONE)
PANDAS = (bulk_rows.PART, bulk_rows.OTHERS[0])
COLD, NAIVE = (start_rows.PART, start_rows.COLD), (start_rows.PART, start_rows.NAIVE)
COMPREHEND = (cost_rows.PART, "Amazon Comprehend")


class Goal(NamedTuple):
    """A figure, or its ratio to another, with its goal and minimum; ``above`` means higher is better."""

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
    Goal(ANSWER, 0.9, 1.15, to=VADER),
    Goal(WORDS, 2, 8, to=VADER),
    Goal(HTTP, 3, 8),
    Goal(SERVED, 1.3, 1.7, to=SERVED_VADER),
    Goal(CAPACITY, 0.75, 0.55, to=ALL, above=True),
    Goal(MEMORY, 90, 120),
    Goal(ALL, 1200, 700, above=True),
    Goal(ALL, 3, 2.2, to=PANDAS, above=True),
    Goal((bulk_rows.PART, bulk_rows.SHARE), 0.97, 0.93, above=True),
    Goal((bulk_rows.SCALE, bulk_rows.PER_REVIEW), 1.05),
    Goal((bulk_rows.SCALE, "100,000 reviews, peak"), 600, 600),
    Goal(COLD, 500, 1000),
    Goal((start_rows.PART, f"{start_rows.COLD}, memory"), 70, 100),
    Goal((start_rows.PART, "Lambda zip"), 3, 8),
    Goal((start_rows.PART, start_rows.ENDPOINT), 1500, 3000),
    Goal((start_rows.PART, start_rows.RUN), 3000, 5000),
    Goal((page_rows.PART, page_rows.BYTES), 60, 60),
    Goal((page_rows.PART, page_rows.MARKS), 100, 100),
    Goal((page_rows.PART, page_rows.PAINT), 100, 100),
    Goal((training_rows.PART, training_rows.NAMES[2]), 1, to=(training_rows.PART, training_rows.NAMES[3])),
    Goal((cost_rows.PART, cost_rows.SERVERLESS), 0.01, to=COMPREHEND),
)
# The ratios of `make bench-check`: a figure by another of the same run, smaller is better.
RATIOS: dict[str, tuple[Key, Key]] = {
    "text / BeautifulSoup": (TEXT, SOUP),
    "plain text / BeautifulSoup": (PLAIN, SOUP),
    "text / NLTK": (TEXT, NLTK),
    "network / the same in torch": (NETWORK, TORCH),
    "answer / VADER": (ANSWER, VADER),
    "HTTP / VADER's HTTP": (HTTP, HTTP_VADER),
    "make serve / VADER's": (SERVED, SERVED_VADER),
}
# The parts that `make bench-check` measures anew, in seconds each.
CHECKED = (text_rows.PART, network_rows.PART, answer_rows.PART, http_rows.PART)


def medians(figures: Iterable[Figure]) -> dict[Key, float]:
    """Return the measured medians, by part and name."""
    return {(figure.part, figure.name): figure.median for figure in figures if figure.median is not None}


def value_of(goal: Goal, medians: Mapping[Key, float]) -> float | None:
    """Return the value to compare with a goal, or None if it was not measured."""
    value = medians.get(goal.figure)
    if value is None or goal.to is None:
        return value
    other = medians.get(goal.to)
    return None if not other else value / other


def status_of(goal: Goal, medians: Mapping[Key, float]) -> str:
    """Return whether a goal is met: "goal", "least", "missed" or "not measured"."""
    value = value_of(goal, medians)
    if value is None:
        return "not measured"
    reaches: Callable[[float], bool] = value.__ge__ if goal.above else value.__le__
    if reaches(goal.goal):
        return "goal"
    return "least" if goal.least is not None and reaches(goal.least) else "missed"


def ratios(figures: Iterable[Figure]) -> dict[str, float]:
    """Return the measured ratios of RATIOS, each the median of its rounds' ratios."""
    measured = {(figure.part, figure.name): figure for figure in figures if figure.median}
    pairs = {name: (measured.get(above), measured.get(below)) for name, (above, below) in RATIOS.items()}
    return {name: round(_ratio(above, below), 4) for name, (above, below) in pairs.items() if above and below}


def _ratio(above: Figure, below: Figure) -> float:
    if above.turns:
        return median(top / bottom for top, bottom in zip(above.turns, below.turns, strict=True))
    # Older runs have no turns.
    assert above.median is not None and below.median is not None
    return above.median / below.median


def read(results: Mapping[str, Any]) -> list[Figure]:
    """Return the figures of a results file."""
    return [Figure(**figure) for figure in results["figures"]]
