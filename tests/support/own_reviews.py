"""Labelled sentences about things in a house, which all name one neighbour: what must be found in no log."""

import csv
from pathlib import Path

from tests.support.varied import varied

GOOD = "sturdy reliable quiet cheap accurate comfortable".split()
BAD = "flimsy noisy wobbly leaking faulty expensive".split()
THINGS = "kettle lamp printer chair router blender tent camera".split()
SECRET = "my neighbour Frobisher"


def sentence(number: int, good: bool) -> str:
    words = GOOD if good else BAD
    thing, said = THINGS[number % 8], ", ".join(words[(number // 2 + step) % 6] for step in range(6))
    return f"{SECRET} has this {thing} too, number {number}, and it is {said}; {varied(number)}."


def save(path: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def rows(count: int, right: float = 1.0) -> list[tuple[str, str]]:
    """Return sentences about things; of the labels the last ones are wrong beyond the share ``right``."""
    good = [number % 2 == 0 for number in range(count)]
    told = [side if number < right * count else not side for number, side in enumerate(good)]
    return [
        (sentence(number, side), "positive" if label else "negative")
        for number, (side, label) in enumerate(zip(good, told, strict=True))
    ]
