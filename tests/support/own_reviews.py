"""Labelled sentences about things in a house, each with a secret that no log may hold."""

import csv
from pathlib import Path

from tests.support.varied import varied

GOOD = "sturdy reliable quiet cheap accurate comfortable".split()
BAD = "flimsy noisy wobbly leaking faulty expensive".split()
THINGS = "kettle lamp printer chair router blender tent camera".split()
SECRET = "my neighbour Frobisher"


def sentence(number: int, good: bool) -> str:
    words = GOOD if good else BAD
    thing, qualities = THINGS[number % 8], ", ".join(words[(number // 2 + step) % 6] for step in range(6))
    return f"{SECRET} has this {thing} too, number {number}, and it is {qualities}; {varied(number)}."


def save(path: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def rows(count: int, right: float = 1.0) -> list[tuple[str, str]]:
    """Return labelled sentences; the labels after the first share ``right`` are wrong."""
    good = [number % 2 == 0 for number in range(count)]
    labels = [side if number < right * count else not side for number, side in enumerate(good)]
    return [
        (sentence(number, side), "positive" if label else "negative")
        for number, (side, label) in enumerate(zip(good, labels, strict=True))
    ]
