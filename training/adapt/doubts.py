"""List labels that look wrong, the most doubtful first. Fits that have not seen the row dispute them.

Confident learning (Northcutt, Jiang & Chuang, JAIR 70, 2021). A class's threshold is the mean probability
that rows with this label get for it. A label is doubtful if its row reaches the other class's threshold, and
that class is the likelier one. The smallest probability of the given label comes first.

cleanlab.filter.find_label_issues gives the same rows in this order, with filter_by="confident_learning". It
needs SciPy, scikit-learn and pandas, more than all that `make run` installs. tests/golden/doubts.json holds
its answers.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.adapt.exit_status import CommandError
from training.files.formulas import Writer
from training.files.labelled import Labelled, cell, digest_of, free_name, plain
from training.files.rows import Row, cells_of, format_of, open_source
from vocab import messages
from vocab.files import open_atomic

# static_site/label/doubts.js reads these two columns.
SUGGESTED, DOUBT, ROW = "suggested_label", "doubt", "row"
FILE_MODE = 0o600
# Cleanlab's allowance for rounding.
SLACK = 1e-6


class Doubt(NamedTuple):
    """A label that looks wrong: its row's number in the file, the label 0 or 1, and P(the other label)."""

    number: int
    label: int
    doubt: float


def find_doubts(rows: Labelled, unseen: np.ndarray) -> list[Doubt]:
    """Return the labels that look wrong, the most doubtful first.

    ``unseen`` is P(positive), float64 (rows,), by fits that have not seen the row, its group or a near
    duplicate.
    """
    found = disputed(unseen, rows.labels)
    doubt = np.where(rows.labels == 1, 1 - unseen, unseen)
    return [Doubt(int(rows.numbers[row]), int(rows.labels[row]), float(doubt[row])) for row in found]


def disputed(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the rows, int (disputed,), whose label 0 or 1 P(positive) disputes, the most doubtful first.

    >>> disputed(np.array([0.9, 0.8, 0.95, 0.1, 0.2, 0.97]), np.array([1, 1, 1, 0, 0, 0])).tolist()
    [5]
    """
    both = np.stack([1 - probabilities, probabilities], axis=1)
    thresholds = np.array([both[labels == label, label].mean() for label in (0, 1)])
    other = 1 - labels
    rows = np.arange(len(labels))
    reaches = both[rows, other] >= thresholds[other] - SLACK
    likelier = both[rows, other] > both[rows, labels]
    found = np.flatnonzero(reaches & likelier)
    order: np.ndarray = found[np.argsort(both[found, labels[found]], kind="stable")]
    return order


def write_doubts(path: Path, rows: Labelled, doubts: Sequence[Doubt], raw: bool = False) -> None:
    """Write doubtful rows as CSV: the file's columns, then row, doubt and suggested label.

    ``raw`` writes the cells without a guard against formulas.
    """
    by_number = {doubt.number: doubt for doubt in doubts}
    cells = {row.number: cells_of(row, rows.source) for row in _chosen(rows.rows(), by_number.keys())}
    names = [free_name(name, rows.source.columns) for name in (ROW, DOUBT, SUGGESTED)]
    with open_atomic(path, FILE_MODE) as file:
        writer = Writer(file, raw)
        writer.writerow(rows.source.columns + names)
        for number, label, doubt in doubts:
            suggested = "negative" if label else "positive"
            writer.writerow([*cells[number], number + 1, round(doubt, messages.DECIMALS), suggested])


def correct(rows: Labelled, path: Path) -> tuple[Labelled, frozenset[int]]:
    """Return rows with the labels of a file of checked doubts, and the numbers of the rows in it.

    A row without a label there is left out. Raises CommandError if the file does not fit these rows.
    """
    checked = _read_checked(path, rows)
    labels = rows.labels.copy()
    for place, row in enumerate(rows.rows()):
        if row.number not in checked:
            continue
        label, digest = checked[row.number]
        if digest != digest_of(row.review):
            raise CommandError(f"{path} has another text in row {row.number + 1:,} than {rows.source.path}")
        labels[place] = -1 if label is None else label
    corrected = rows._replace(labels=labels)
    return corrected.take(labels >= 0, unchecked=int((labels < 0).sum())), frozenset(checked)


def _read_checked(path: Path, rows: Labelled) -> dict[int, tuple[int | None, int]]:
    """Return label and digest of the text of each row in a file of checked doubts, by the row's number."""
    source = open_source(path, format_of(path), rows.columns.text)
    number = next((name for name in (f"verdict_{ROW}", ROW) if name in source.columns), None)
    if number is None or rows.columns.label not in source.columns:
        raise CommandError(
            f"{path} has no columns {ROW!r} and {rows.columns.label!r}; give a file that --doubts wrote and"
            " the page Labels filled in"
        )
    checked: dict[int, tuple[int | None, int]] = {}
    for row in source.rows():
        value, place = plain(cell(row, source, rows.columns.label)), cell(row, source, number)
        if row.error or not place.isdecimal():
            raise CommandError(f"{path} has a row {row.number + 1:,} without the number of a row in {ROW!r}")
        if value and value not in rows.scheme.meaning:
            raise CommandError(f"{path} has a label in row {row.number + 1:,} that {rows.source.path} lacks")
        checked[int(place) - 1] = rows.scheme.meaning.get(value), digest_of(row.review)
    return checked


def _chosen(rows: Iterable[Row], numbers: Iterable[int]) -> Iterable[Row]:
    wanted = set(numbers)
    return (row for row in rows if row.number in wanted)
