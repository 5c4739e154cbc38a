"""Lay out a results file: the figures by part, and what was aimed at, as text and as Markdown."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from bench import bulk_rows, cost_rows, goals
from bench.goals import GOALS, Goal, Key
from bench.measuring import Figure

TITLES = {
    "text": "Text to ids, a review of about 230 words, one thread",
    "network": "The network, 230 tokens, one thread, explanation included",
    "answer": "A whole answer in one process, text to explained verdict",
    "http": "A whole answer by HTTP on loopback, one client, kept alive",
    "bulk": "Whole files, output included",
    "scale": "Files of more and more reviews, all cores",
    "start": "Starts",
    "page": "The page in Chromium",
    "training": "Training, all cores",
    "cost": "Dollars a million reviews, estimates from list prices",
}
OUR_WAYS = cost_rows.OURS
SIZES = bulk_rows.SIZES
# Parts whose figures of one unit stand beside each other.
COMPARED = ("text", "network", "answer", "http", "bulk", "training", "cost")
SAID = {"goal": "yes", "least": "no, but the least", "missed": "no", "not measured": "not measured"}
UNIT_DIGITS = {"reviews/s": 0, "MB": 1, "KB": 1, "s": 1, "$": 2, "h": 1, "min": 1, "times": 2}


def text(results: Mapping[str, Any]) -> str:
    """Give the whole of it for a terminal."""
    lines = []
    for part, figures in by_part(results).items():
        lines += ["", TITLES[part]]
        lines += [f"  {one.name:50} {shown(one):>16}  {spread(one)}" for one in figures]
    lines += ["", "What was aimed at"]
    lines += [f"  {aim:64} {found:>14}  {met}" for aim, found, met in goal_rows(results)]
    return "\n".join(lines[1:])


def by_part(results: Mapping[str, Any]) -> dict[str, list[Figure]]:
    """Give the figures by their part, in the file's order."""
    parts: dict[str, list[Figure]] = {}
    for one in goals.read(results):
        parts.setdefault(one.part, []).append(one)
    return parts


def goal_rows(results: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Give for each goal what it says, what was found, and whether it is met."""
    figures = goals.read(results)
    found, units = goals.medians(figures), {(one.part, one.name): one.unit for one in figures}
    return [
        (aim(goal, units), value(goals.value_of(goal, found), unit_of(goal, units)), met(goal, found))
        for goal in GOALS
        if goal.figure in units
    ]


def aim(goal: Goal, units: Mapping[Key, str]) -> str:
    """Say a goal in words: ``network / Verdict: at most 1.2 ms``."""
    name = " / ".join(goal.figure) + (f", by {' / '.join(goal.to)}" if goal.to else "")
    side = "at least" if goal.above else "at most"
    unit = unit_of(goal, units)
    return f"{name}: {side} {goal.goal:g}{'' if unit == 'times' else ' ' + unit}"


def met(goal: Goal, found: Mapping[Key, float]) -> str:
    return SAID[goals.verdict_of(goal, found)]


def unit_of(goal: Goal, units: Mapping[Key, str]) -> str:
    return "times" if goal.to else units.get(goal.figure) or ""


def shown(one: Figure) -> str:
    """Give a figure with its unit, or a dash."""
    return value(one.median, one.unit)


def value(number: float | None, unit: str) -> str:
    """Give a number with as many digits as its unit deserves.

    >>> value(1234.5, "reviews/s"), value(0.0721, "ms"), value(None, "ms")
    ('1,234 reviews/s', '0.072 ms', '–')
    """
    if number is None:
        return "–"
    digits = UNIT_DIGITS.get(unit, 3 if number < 1 else 2 if number < 100 else 0)
    written = f"{number:.2g}" if 0 < number < 0.01 else f"{number:,.{digits}f}"
    return f"${written}" if unit == "$" else written if unit == "times" else f"{written} {unit}"


def spread(one: Figure) -> str:
    """Give a figure's spread and number of runs, its note, or why there is none."""
    if one.missing:
        return one.missing
    ends = [value(end, one.unit) for end in (one.low, one.high)]
    parts = [] if one.low is None else [f"{' to '.join(ends)}, {one.runs:,} runs"]
    return "; ".join([*parts, *([one.note] if one.note else [])])


# --- Markdown -----------------------------------------------------------------------------------


def part_table(results: Mapping[str, Any], part: str) -> str:
    """Give a part's figures as a Markdown table, each beside the first of its unit."""
    figures = by_part(results).get(part, [])
    rows = [[one.name, shown(one), relative(one, figures), spread(one)] for one in figures]
    return markdown([TITLES[part], "median", "by the first", "10th to 90th percentile, how"], rows)


def goal_table(results: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> str:
    """Give what was aimed at as a Markdown table, and what another kind of machine gave if that is known."""
    if beside is None:
        return markdown(["aim", "found", "met"], goal_rows(results))
    # A part that was taken from elsewhere stands in its own machine's column alone.
    taken = [part for part, one in results.get("apart", {}).items() if one["machine"] != results["machine"]]
    runs = [[one for one in goals.read(results) if one.part not in taken], goals.read(beside)]
    units = {(one.part, one.name): one.unit for run in runs for one in run}
    medians = [goals.medians(run) for run in runs]
    rows = []
    for goal in (one for one in GOALS if one.figure in units):
        cells = [(value(goals.value_of(goal, one), unit_of(goal, units)), met(goal, one)) for one in medians]
        rows.append([aim(goal, units), *chain.from_iterable(cells)])
    pace = " and ".join(value(one.get(goals.VADER), "ms") for one in medians)
    ons = [f"on {one['machine']['processor']}, {one['date']}" for one in (results, beside)]
    table = markdown(["aim", ons[0], "met", ons[1], "met"], rows)
    return f"{table}\nHow fast each machine was then shows in what is not ours: VADER's answer took {pace}.\n"


def container_table(measured: Mapping[str, Any]) -> str:
    """Give how long SageMaker's containers take to their first answer, as training/aws/servers.json has it."""
    keys = ("install_seconds", "start_seconds", "image_pauses_seconds")
    rows = [[name, *(f"{one[key]:g} s" for key in keys)] for name, one in measured["servers"].items()]
    return markdown(["image", "wheels installed", "server to its first answer", "the image's pauses"], rows)


def machine_line(results: Mapping[str, Any]) -> str:
    """Say on what and when it was measured, and with which versions."""
    machine = results["machine"]
    named = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    apart = "".join(
        f" The {part} part is of a run by itself, on {one['date']} by `{one['command']}` with"
        f" {one['machine']['processor']}, load average {one['load_before']:g} before."
        for part, one in results.get("apart", {}).items()
    )
    return (
        f"Measured on {results['date']} by `{results['command']}` in {results['seconds'] / 60:.0f} minutes:"
        f" {machine['processor']}, {machine['physical_cores']} of them physical, {machine['memory_gb']:g} GB,"
        f" {machine['system']}, Python {machine['python']}, load average {results['load_before']:g} before."
        f" {named}.{apart}\n"
    )


def summary(results: Mapping[str, Any]) -> str:
    """Return the short table of docs/evaluation.md: ours beside the usual choice."""
    return markdown(["", "Verdict", "beside it"], pairs(results, PAIRS))


def pairs(results: Mapping[str, Any], names: Iterable[str]) -> list[list[str]]:
    """Return a row for each of PAIRS that is named and measured: its name, our figure, the other's."""
    found = goals.medians(goals.read(results))
    units = {(one.part, one.name): one.unit for one in goals.read(results)}
    rows = []
    for name in names:
        ours, other = PAIRS[name]
        if ours in found and other in found:
            sides = [value(found[key], units[key]) for key in (ours, other)]
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


def relative(one: Figure, figures: Iterable[Figure]) -> str:
    """Give how many times the first figure of the same unit it is."""
    if one.part not in COMPARED:
        return ""
    first = next((other for other in figures if other.unit == one.unit and other.median), None)
    if one.median is None or first is None or not first.median or first is one:
        return ""
    return f"{one.median / first.median:.3g} x"


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Give a Markdown table."""
    head = list(head)
    lines = [f"| {' | '.join(cells)} |\n" for cells in (head, *rows)]
    return "".join([lines[0], f"|{'---|' * len(head)}\n", *lines[1:]])
