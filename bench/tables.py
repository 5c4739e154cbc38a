"""Lay out a results file as text and as Markdown: the figures by part, and the goals."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from bench import bulk_rows, cost_rows, goals
from bench.goals import GOALS, Goal, Key
from bench.measuring import Figure
from bench.pages import table

TITLES = {
    "text": "Text to ids, a review of about 230 words, one thread",
    "network": "The network, 230 tokens, one thread, explanation included",
    "answer": "A whole answer in one process, text to explained verdict",
    "http": "A whole answer by HTTP on loopback, one client, kept alive",
    "serve": "The server of `make serve` under load, all cores",
    "bulk": "Whole files, output included",
    "scale": "Files of more and more reviews, all cores",
    "start": "Starts",
    "page": "The page in Chromium",
    "training": "Training, all cores",
    "cost": "Dollars a million reviews, estimates from list prices",
}
OURS = cost_rows.OURS
SIZES = bulk_rows.SIZES
# Parts whose figures of one unit are compared.
COMPARED = ("text", "network", "answer", "http", "bulk", "training", "cost")
LABELS = {"goal": "yes", "least": "no, but the least", "missed": "no", "not measured": "not measured"}
UNIT_DIGITS = {"reviews/s": 0, "MB": 1, "KB": 1, "s": 1, "$": 2, "h": 1, "min": 1, "times": 2}


def text(results: Mapping[str, Any]) -> str:
    """Return all figures and goals for a terminal."""
    lines = []
    for part, figures in by_part(results).items():
        lines += ["", TITLES[part]]
        lines += [f"  {figure.name:50} {median_of(figure):>16}  {spread(figure)}" for figure in figures]
    lines += ["", "What was aimed at"]
    lines += [f"  {aim:64} {measured:>14}  {met}" for aim, measured, met in goal_rows(results)]
    return "\n".join(lines[1:])


def by_part(results: Mapping[str, Any]) -> dict[str, list[Figure]]:
    """Return the figures by part, in the file's order."""
    parts: dict[str, list[Figure]] = {}
    for figure in goals.read(results):
        parts.setdefault(figure.part, []).append(figure)
    return parts


def goal_rows(results: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return each goal in words, its measured value, and whether it is met."""
    figures = goals.read(results)
    medians, units = goals.medians(figures), units_of(figures)
    return [
        (aim(goal, units), value(goals.value_of(goal, medians), unit_of(goal, units)), met(goal, medians))
        for goal in GOALS
        if goal.figure in units
    ]


def aim(goal: Goal, units: Mapping[Key, str]) -> str:
    """Return a goal in words: ``network / Verdict: at most 1.2 ms``."""
    name = " / ".join(goal.figure) + (f", by {' / '.join(goal.to)}" if goal.to else "")
    side = "at least" if goal.above else "at most"
    unit = unit_of(goal, units)
    return f"{name}: {side} {goal.goal:g}{'' if unit == 'times' else ' ' + unit}"


def met(goal: Goal, medians: Mapping[Key, float]) -> str:
    return LABELS[goals.status_of(goal, medians)]


def unit_of(goal: Goal, units: Mapping[Key, str]) -> str:
    return "times" if goal.to else units.get(goal.figure) or ""


def units_of(figures: Iterable[Figure]) -> dict[Key, str]:
    return {(figure.part, figure.name): figure.unit for figure in figures}


def median_of(figure: Figure) -> str:
    """Return a figure's median with its unit, or a dash."""
    return value(figure.median, figure.unit)


def value(number: float | None, unit: str) -> str:
    """Return a number with its unit's digits.

    >>> value(1234.5, "reviews/s"), value(0.0721, "ms"), value(None, "ms")
    ('1,234 reviews/s', '0.072 ms', '–')
    """
    if number is None:
        return "–"
    digits = UNIT_DIGITS.get(unit, 3 if number < 1 else 2 if number < 100 else 0)
    written = f"{number:.2g}" if 0 < number < 0.01 else f"{number:,.{digits}f}"
    return f"${written}" if unit == "$" else written if unit == "times" else f"{written} {unit}"


def spread(figure: Figure) -> str:
    """Return a figure's spread, number of runs and note, or the reason for its absence."""
    if figure.missing:
        return figure.missing
    ends = [value(end, figure.unit) for end in (figure.low, figure.high)]
    parts = [] if figure.low is None else [f"{' to '.join(ends)}, {figure.runs:,} runs"]
    return "; ".join([*parts, *([figure.note] if figure.note else [])])


# --- Markdown -----------------------------------------------------------------------------------


def part_table(results: Mapping[str, Any], part: str) -> str:
    """Return a part's figures as a Markdown table, each compared with the first of its unit."""
    figures = by_part(results).get(part, [])
    rows = [[figure.name, median_of(figure), relative(figure, figures), spread(figure)] for figure in figures]
    return table([TITLES[part], "median", "by the first", "10th to 90th percentile, how"], rows)


def goal_table(results: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> str:
    """Return the goals as a Markdown table, with a run on another kind of machine if any."""
    if beside is None:
        return table(["aim", "found", "met"], goal_rows(results))
    # A part of another machine's run belongs to that machine's column.
    apart = [part for part, run in results.get("apart", {}).items() if run["machine"] != results["machine"]]
    columns = [[figure for figure in goals.read(results) if figure.part not in apart], goals.read(beside)]
    units = units_of(chain.from_iterable(columns))
    medians = [goals.medians(column) for column in columns]
    rows = []
    for goal in (goal for goal in GOALS if goal.figure in units):
        unit = unit_of(goal, units)
        cells = [(value(goals.value_of(goal, column), unit), met(goal, column)) for column in medians]
        rows.append([aim(goal, units), *chain.from_iterable(cells)])
    pace = " and ".join(value(column.get(goals.VADER), "ms") for column in medians)
    heads = [f"on {run['machine']['processor']}, {run['date']}" for run in (results, beside)]
    columns_table = table(["aim", heads[0], "met", heads[1], "met"], rows)
    pace_line = f"Each machine's pace at that time: VADER's answer took {pace}."
    return f"{columns_table}\n{pace_line}\n"


def container_table(measured: Mapping[str, Any]) -> str:
    """Return the seconds of SageMaker's containers to their first answer, from training/aws/servers.json."""
    keys = ("start_seconds", "image_pauses_seconds")
    rows = [[name, *(f"{times[key]:g} s" for key in keys)] for name, times in measured["servers"].items()]
    return table(["image", "start to first answer", "of it the image's pauses"], rows)


def machine_line(results: Mapping[str, Any]) -> str:
    """Return a run's machine, date, command and versions."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    apart = "".join(
        f" The {part} part is of a run by itself, on {run['date']} by `{run['command']}` with"
        f" {run['machine']['processor']}, load average {run['load_before']:g} before."
        for part, run in results.get("apart", {}).items()
    )
    return (
        f"Measured on {results['date']} by `{results['command']}` in {results['seconds'] / 60:.0f} minutes:"
        f" {machine['processor']}, {machine['physical_cores']} of them physical, {machine['memory_gb']:g} GB,"
        f" {machine['system']}, Python {machine['python']}, load average {results['load_before']:g} before."
        f" {versions}.{apart}\n"
    )


def summary(results: Mapping[str, Any]) -> str:
    """Return the short table of docs/evaluation.md: ours beside the usual choice."""
    return table(["", "Verdict", "beside it"], pairs(results, PAIRS))


def pairs(results: Mapping[str, Any], names: Iterable[str]) -> list[list[str]]:
    """Return a row for each measured name of PAIRS: the name, our figure, the other's."""
    figures = goals.read(results)
    medians, units = goals.medians(figures), units_of(figures)
    rows = []
    for name in names:
        ours, other = PAIRS[name]
        if ours in medians and other in medians:
            sides = [value(medians[key], units[key]) for key in (ours, other)]
            rows.append([name, sides[0], f"{sides[1]} ({other[1]})"])
    return rows


PAIRS: dict[str, tuple[Key, Key]] = {
    "text to ids": (goals.TEXT, goals.NLTK),
    "network and explanation": (goals.NETWORK, goals.TRANSFORMER),
    "whole answer, one process": (goals.ANSWER, goals.VADER),
    "whole answer by HTTP": (goals.HTTP, goals.HTTP_VADER),
    "a file of reviews, one process": (goals.ONE, ("bulk", "pandas and VADER")),
    "Lambda's first answer": (goals.COLD, goals.NAIVE),
    "a million reviews": (("cost", "serverless, one request each"), goals.COMPREHEND),
}


def relative(figure: Figure, figures: Iterable[Figure]) -> str:
    """Return a figure's multiple of the first figure of its unit."""
    if figure.part not in COMPARED:
        return ""
    first = next((other for other in figures if other.unit == figure.unit and other.median), None)
    if figure.median is None or first is None or not first.median or first is figure:
        return ""
    return f"{figure.median / first.median:.3g} x"
