"""What explains the verdict on a row: the API's fields in JSON lines, the strongest parts in a CSV."""

from collections.abc import Mapping, Sequence
from typing import Any

Explained = Mapping[str, Any]

# The API's fields at each level of --explain.
EXPLAINED: dict[str, tuple[str, ...]] = {
    "none": (),
    "sentences": ("text", "sentences", "bias"),
    "words": ("text", "sentences", "words", "bias"),
}
COLUMNS = {
    "sentences": ("strongest positive sentence", "strongest negative sentence"),
    "words": ("strongest positive words", "strongest negative words"),
}
# Words of a cell.
MOST_WORDS = 5


def parse_explained(message: dict[str, Any]) -> Explained:
    """Return the fields of an answer that explain it. Raises ValueError, KeyError or TypeError."""
    if "sentences" not in message:
        return {}
    level = "words" if "words" in message else "sentences"
    fields = {name: message[name] for name in EXPLAINED[level]}
    for parts in (fields["sentences"], fields.get("words", [])):
        for part in parts:
            _check_part(part, len(fields["text"]))
    return fields


def explained_columns(explain: str) -> list[str]:
    """Return the columns that a level of explanation adds to a CSV.

    >>> explained_columns("sentences")
    ['strongest positive sentence', 'strongest negative sentence']
    """
    return [column for name, columns in COLUMNS.items() if name in EXPLAINED[explain] for column in columns]


def explained_cells(explained: Explained, explain: str) -> list[str]:
    """Return the cells of these columns. One is empty where nothing pulls that way."""
    if not explained:
        return [""] * len(explained_columns(explain))
    most = {"sentences": 1, "words": MOST_WORDS}
    return [
        ", ".join(strongest(explained["text"], explained[name], sign, most[name]))
        for name in COLUMNS
        if name in EXPLAINED[explain]
        for sign in (1, -1)
    ]


def strongest(text: str, parts: Sequence[Mapping[str, Any]], sign: int, most: int) -> list[str]:
    """Return the parts of a text that pull most to one side, the strongest first, each text once.

    Signs alone are left out.

    >>> parts = [{"start": 0, "end": 4, "contribution": 1.5}, {"start": 5, "end": 8, "contribution": -0.5}]
    >>> strongest("Good end", parts, 1, 5)
    ['Good']
    """
    pulling = [part for part in parts if sign * part["contribution"] > 0]
    pulling.sort(key=lambda part: -sign * part["contribution"])
    texts = {text[part["start"] : part["end"]]: None for part in pulling}
    return [part for part in texts if any(map(str.isalnum, part))][:most]


def _check_part(part: Mapping[str, Any], length: int) -> None:
    start, end, contribution = part["start"], part["end"], part["contribution"]
    if type(start) is not int or type(end) is not int or not 0 <= start <= end <= length:
        raise ValueError("no part of the text")
    if type(contribution) not in (int, float):
        raise ValueError("no contribution")
