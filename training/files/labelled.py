"""Labelled reviews of a file: what its labels mean, which rows are used, and why others are left out.

A column of labels is on one scale: words, 1 and 0, 1 and 2, -1 and 1, or stars up to 5 or 10.
tests/golden/labels.json holds this file and static_site/rows/labels.js to the same rule.
No text stays in memory: a file may have a million rows.
"""

import argparse
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.files.rows import BatchError, Row, Source, add_format, format_of, list_columns, open_source

# Without --label, the label column is the first that has one of these names.
LABEL_COLUMNS = (
    "label",
    "labels",
    "sentiment",
    "stars",
    "star_rating",
    "rating",
    "score",
    "polarity",
    "class",
    "target",
)
GROUP_COLUMN = "group"
WORDS = {
    **dict.fromkeys(("positive", "pos", "p", "good", "true", "yes", "+", "fresh"), 1),
    **dict.fromkeys(("negative", "neg", "n", "bad", "false", "no", "-", "rotten"), 0),
}
# Between the two sides: no label to learn from.
MIDDLE = frozenset({"neutral", "mixed", "uncertain", "neither"})
# More different labels than this are no labels.
MAX_VALUES = 200
# Reasons for leaving out a row, in the order of messages. The last three are warnings of features.py.
REASONS = {
    "empty": "without a text",
    "unreadable": "that can't be read",
    "unlabelled": "without a label",
    "between": "between the two sides",
    "conflicting": "whose text has both labels",
    "duplicates": "that repeat another",
    "not_drawn": "beyond those drawn",
    "unchecked": "whose label was taken away",
    "held_back": "held back",
    "no_token": "without a word or sign",
    "no_known_words": "without a known word",
    "not_english": "that do not look English",
}
SHOWN_CHARACTERS = 12
FILE_HELP = "labelled reviews: CSV, TSV or .xlsx with a header, or JSON lines"
LABELLED_FORMATS = ("csv", "tsv", "jsonl", "xlsx")


class Scale(NamedTuple):
    """Numbers from least to most: negative up to ``negative``, positive from ``positive`` on."""

    least: float
    negative: float
    positive: float
    most: float
    description: str


_BINARY = Scale(0, 0, 1, 1, "positive or 1, negative or 0; others left out")
_STARS_TEXT = "1 to {:g} stars: up to {:g} negative, from {:g} positive, between them left out"
SCALES = {
    # Among words, 1 and 0 are labels too.
    "words": _BINARY,
    "zero_one": _BINARY,
    "one_two": Scale(1, 1, 2, 2, "2 positive, 1 negative; others left out"),
    "minus_plus": Scale(
        -math.inf,
        -math.ulp(0.0),
        math.ulp(0.0),
        math.inf,
        "above zero positive, below zero negative; others left out",
    ),
    # The ten stars are split as IMDb's own data set splits them.
    "five": Scale(0, 2, 4, 5, _STARS_TEXT.format(5, 2, 4)),
    "ten": Scale(0, 4, 7, 10, _STARS_TEXT.format(10, 4, 7)),
}
STARS = ("five", "ten")
_EDGES = re.compile(r"^[\s\ufeff]+|[\s\ufeff]+$")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?")


class UnknownLabels(BatchError):
    """Labels that their column's scale does not have; ``values`` holds them."""

    def __init__(self, values: Sequence[str]) -> None:
        super().__init__(
            f"labels are positive and negative, 1 and 0, or 1 to 5 or 10 stars, but {_list(values)} came up;"
            " say what they mean: --positive 'A,B' --negative 'C'"
        )
        self.values = values


class Scheme(NamedTuple):
    """The meaning of labels: 1, 0 or None (left out) for each value, and a description of it."""

    meaning: dict[str, int | None]
    description: str


class Columns(NamedTuple):
    """The columns of text, label and group. A file may have no group."""

    text: str
    label: str
    group: str | None


class Labelled(NamedTuple):
    """The usable rows: their numbers in the file, labels 0 or 1 and groups, each int (rows,).

    ``counts`` holds the number of rows in the file, and of rows left out for each reason.
    """

    source: Source
    columns: Columns
    scheme: Scheme
    numbers: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    counts: dict[str, int]

    def rows(self) -> Iterator[Row]:
        """Yield these rows in order, from the file, which is read again."""
        numbers = set(self.numbers.tolist())
        return (row for row in self.source.rows() if row.number in numbers)

    def texts(self) -> Iterator[str]:
        """Yield the reviews of these rows in order, from the file, which is read again."""
        return (row.review for row in self.rows())

    def take(self, rows: np.ndarray, **left_out: int) -> "Labelled":
        """Return the rows of a mask, bool (rows,), with counts of those left out."""
        return self._replace(
            numbers=self.numbers[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
            counts=self.counts | left_out,
        )


def read(
    path: Path,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    format: str | None = None,
    sides: tuple[Sequence[str], Sequence[str]] | None = None,
    most: int | None = None,
    delimiter: str | None = None,
) -> Labelled:
    """Read every row of a file once, and find the columns that are not named. Raises BatchError.

    ``sides`` are the positive and the negative values of the label; all others are left out. Of more than
    ``most`` rows, ``most`` are drawn, always the same ones. ``delimiter`` is a CSV's, if its header does not
    tell it.
    """
    format = format_of(path, format)
    if path.exists() and not path.is_file():
        raise BatchError(f"{path} is read more than once, so it must be a file, not a pipe or a folder")
    source = open_source(path, format, text, delimiter)
    columns = _columns(source, label, group)
    table = _Table()
    for row in source.rows("checking"):
        table.add(row, cell(row, source, columns.label), cell(row, source, columns.group))
    if not table.counts["rows"]:
        raise BatchError(f"{path} holds no row; give a file with labelled reviews")
    scheme = scheme_of(table.values, sides)
    return _select(source, columns, scheme, table, most)


def describe(rows: Labelled) -> str:
    """Return a description of a file's rows, columns and label scheme."""
    column, group = rows.columns, rows.columns.group
    groups = f", groups in {group!r} kept together" if group else ""
    return (
        f"{rows.counts['rows']:,} rows; text in {column.text!r}, label in {column.label!r}"
        f" ({rows.scheme.description}){groups}"
    )


def describe_left_out(counts: dict[str, int]) -> str:
    """Return how many rows were left out, and why; empty when none was."""
    return ", ".join(f"{counts[name]:,} {why}" for name, why in REASONS.items() if counts.get(name))


def scheme_of(values: Iterable[str], sides: tuple[Sequence[str], Sequence[str]] | None = None) -> Scheme:
    """Return what a column's labels mean, from all its ``plain`` values. Raises BatchError.

    >>> scheme_of(["1", "3", "5"]).description
    '1 to 5 stars: up to 2 negative, from 4 positive, between them left out'
    """
    known = sorted(value for value in values if value)
    if not known:
        raise BatchError("no row has a label; give some rows positive or negative, 1 or 0, or stars")
    if sides is not None:
        return _scheme_of_sides(known, *sides)
    scale = guess_scale(known)
    if unknown := [value for value in known if not _is_on(value, scale)]:
        raise UnknownLabels(unknown)
    return Scheme({value: label_of(value, scale) for value in known}, SCALES[scale].description)


def plain(cell: str) -> str:
    """Return a label without outer white space, in lower case, with an ASCII minus.

    >>> plain(" \N{MINUS SIGN}1 ")
    '-1'
    """
    return _EDGES.sub("", cell).lower().replace("\N{MINUS SIGN}", "-")


def guess_scale(values: Iterable[str]) -> str:
    """Return the scale of a column, one of SCALES, from its different ``plain`` values.

    >>> guess_scale(["1", "2"]), guess_scale(["1", "2", "3"])
    ('one_two', 'five')
    """
    values = set(values)
    numbers = {number for value in values if (number := _number(value)) is not None}
    if not numbers or (numbers <= {0, 1} and values & WORDS.keys()):
        return "words"
    least, most = min(numbers), max(numbers)
    # One negative number among stars marks a missing label, not a side.
    if least < 0 and most <= max(1, -least):
        return "minus_plus"
    if 0 <= least and most <= 1:
        return "zero_one"
    if numbers == {1, 2}:
        return "one_two"
    return "ten" if any(5 < number <= 10 for number in numbers) else "five"


def label_of(value: str, scale: str) -> int | None:
    """Return 1, 0 or None (neither) for a ``plain`` value on a scale.

    >>> label_of("2", "five"), label_of("2", "one_two")
    (0, 1)
    """
    if scale == "words" and value in WORDS:
        return WORDS[value]
    least, negative, positive, most, _ = SCALES[scale]
    number = _number(value)
    if number is None or not least <= number <= most or negative < number < positive:
        return None
    return int(number >= positive)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the argument of a labelled file, and the flags that describe it."""
    parser.add_argument("file", type=Path, help=FILE_HELP)
    add_columns(parser)


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add the flags that describe a labelled file."""
    parser.add_argument("--column", help="column of the text (default: review, text, comment, ...)")
    parser.add_argument("--label", help="column of the label (default: label, sentiment, stars, ...)")
    parser.add_argument("--group", help="column of a film or customer, kept together (default: group)")
    parser.add_argument("--positive", help="positive labels, with commas, if the command does not know them")
    parser.add_argument("--negative", help="negative labels; all others are left out")
    add_format(parser, LABELLED_FORMATS)


def check_flags(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Exit with the usage if only one of --positive and --negative is named."""
    if bool(options.positive) != bool(options.negative):
        parser.error("--positive and --negative go together: name the values of both sides")


def read_options(options: argparse.Namespace, most: int | None = None) -> Labelled:
    """Read the file that the flags of ``add_flags`` name. Raises BatchError."""
    columns = options.column, options.label, options.group
    return read(options.file, *columns, options.format, sides_of(options), most, options.delimiter)


def sides_of(options: argparse.Namespace) -> tuple[list[str], list[str]] | None:
    """Return the values that --positive and --negative name; None without them."""
    return (_values(options.positive), _values(options.negative)) if options.positive else None


def _values(text: str) -> list[str]:
    return [value for value in map(plain, text.split(",")) if value]


def _scheme_of_sides(values: list[str], positive: Sequence[str], negative: Sequence[str]) -> Scheme:
    both = set(positive) & set(negative)
    if both:
        raise BatchError(f"the label {_shown(min(both))} is named as positive and as negative; name it once")
    meaning = {value: 1 if value in positive else 0 if value in negative else None for value in values}
    if set(meaning.values()) >= {0, 1}:
        return Scheme(
            meaning, f"{', '.join(positive)} positive, {', '.join(negative)} negative, others left out"
        )
    raise BatchError(f"the file's labels are {_list(values)}; name those with --positive and --negative")


def _is_on(value: str, scale: str) -> bool:
    """Return whether a column of this scale may hold a value. Zero among stars may mean no label."""
    number = _number(value)
    if number is None:
        return value in MIDDLE or (scale == "words" and value in WORDS)
    return SCALES[scale].least <= number <= SCALES[scale].most and not (scale in STARS and number == 0)


def _number(value: str) -> float | None:
    return float(value) if _NUMBER.fullmatch(value) else None


def _list(values: Sequence[str]) -> str:
    shown = ", ".join(map(_shown, values[:8]))
    return shown if len(values) <= 8 else f"{shown} and {len(values) - 8:,} more"


def _shown(value: str) -> str:
    """Quote a label, but only the length of a long one, which may be a review."""
    return repr(value) if len(value) <= SHOWN_CHARACTERS else f"one of {len(value):,} characters"


def label_column(source: Source) -> str | None:
    """Return the column with a usual name for labels, or None."""
    return _find_column(source, LABEL_COLUMNS)


def free_name(name: str, columns: Sequence[str]) -> str:
    """Return a name that no column has: ``name``, or one made from it."""
    while name in columns:
        name = f"verdict_{name}"
    return name


def digest_of(review: str) -> int:
    """Return a hash of a text. Case and white space make no difference."""
    return _digest(" ".join(review.lower().split()))


def _find_column(source: Source, names: Sequence[str]) -> str | None:
    plain = {name.strip().lower(): name for name in reversed(source.columns)}
    return next((plain[name] for name in names if name in plain), None)


def _columns(source: Source, label: str | None, group: str | None) -> Columns:
    label = label or label_column(source)
    group = group or _find_column(source, (GROUP_COLUMN,))
    for name, flag in ((label, "--label"), (group, "--group")):
        if name not in source.columns and (name or flag == "--label"):
            lack = f"no column {name!r}" if name else "no column of labels"
            raise BatchError(
                f"{source.path} has {lack}; it has {list_columns(source.columns)}; name one with {flag}"
            )
    if label is None or label == source.column:
        raise BatchError(f"text and label can't both be the column {source.column!r}; name the label's")
    return Columns(source.column, label, group)


def cell(row: Row, source: Source, column: str | None) -> str:
    """Return a row's text in a column, stripped; empty without a column."""
    if column is None:
        return ""
    if source.format == "jsonl":
        value: Any = (row.values or {}).get(column)
        return "" if value is None else str(value).strip()
    return row.fields[source.columns.index(column)].strip()


class _Table:
    """The rows with a review, as numbers and digests, never texts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.values: dict[str, int] = {}
        self.rows: list[int] = []
        self.digests: list[int] = []
        self.labels: list[int] = []
        self.groups: list[int] = []

    def add(self, row: Row, label: str, group: str) -> None:
        """Add a row. Raises BatchError when there are too many different labels."""
        self.counts["rows"] += 1
        if row.error or not row.review.strip():
            self.counts["unreadable" if row.error else "empty"] += 1
            return
        number = self.values.setdefault(plain(label), len(self.values))
        if number > MAX_VALUES:
            raise BatchError(
                f"the labels have over {MAX_VALUES} different values; name the right column with --label"
            )
        self.rows.append(row.number)
        self.digests.append(digest_of(row.review))
        self.labels.append(number)
        # A row without a group is a group of its own.
        self.groups.append(_digest(group) if group else -1 - row.number)


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=7).digest())


def _select(source: Source, columns: Columns, scheme: Scheme, table: _Table, most: int | None) -> Labelled:
    meanings = [scheme.meaning.get(value) for value in table.values]
    labels = np.array(
        [-1 if meanings[value] is None else meanings[value] for value in table.labels], dtype=int
    )
    unlabelled = np.array(table.labels, dtype=int) == table.values.get("", -1)
    digests = np.array(table.digests, dtype=np.int64)
    keep = labels >= 0
    first, conflicting = _first_of_each(digests, labels, keep)
    counts = dict(table.counts) | {
        "unlabelled": int(unlabelled.sum()),
        "between": int((~keep & ~unlabelled).sum()),
        "conflicting": int(conflicting.sum()),
        "duplicates": int((keep & ~first & ~conflicting).sum()),
    }
    rows = np.flatnonzero(first)
    if most is not None and len(rows) > most:
        counts["not_drawn"] = len(rows) - most
        rows = np.sort(rows[np.argsort(digests[rows], kind="stable")[:most]])
    groups = np.array(table.groups, dtype=np.int64)
    return Labelled(
        source, columns, scheme, np.array(table.rows, dtype=int)[rows], labels[rows], groups[rows], counts
    )


def _first_of_each(
    digests: np.ndarray, labels: np.ndarray, keep: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return masks, bool (rows,): the first row of each text, and the rows of texts with both labels."""
    rows = np.flatnonzero(keep)
    _, start, number = np.unique(digests[rows], return_index=True, return_inverse=True)
    positive = np.bincount(number, labels[rows], minlength=len(start))
    both = ((positive > 0) & (positive < np.bincount(number, minlength=len(start))))[number]
    first, conflicting = np.zeros_like(keep), np.zeros_like(keep)
    first[rows[start]] = True
    conflicting[rows[both]] = True
    return first & ~conflicting, conflicting
