"""Guard the cells of a CSV that a spreadsheet would run as formulas, and remove the guard when they are read.

OWASP, "CSV Injection": a cell that begins with = + - @, a tab or a line break can run. So can one with spaces
before these signs. The guard is an apostrophe. static_site/rows/formulas.js does the same, and
tests/golden/formulas.json holds both to it.
"""

import argparse
import csv
import re
from collections.abc import Iterable
from typing import Any, TextIO

GUARD = "'"
# Apostrophes come first, so that a cell with a guard of its own gets another, and every text comes back.
_FORMULA = re.compile(
    r"'*(?:[\t\r\n]|[ \t\r\n\v\f\u00a0\u2007\u202f\u3000\ufeff]*[=+\-@\uff0b\uff0d\uff1d\uff20])"
)
# A plain number runs nothing: -0.52, +3 or 1e-05.
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?")


def guard(cell: str) -> str:
    """Return a cell that no spreadsheet runs. Numbers stay as they are.

    >>> guard("=1+1"), guard(" @SUM(A1)"), guard("-0.52"), guard("good")
    ("'=1+1", "' @SUM(A1)", '-0.52', 'good')
    """
    return GUARD + cell if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def unguard(cell: str) -> str:
    """Return the text that ``guard`` was given.

    >>> unguard("'=1+1"), unguard("'tis good")
    ('=1+1', "'tis good")
    """
    return cell[1:] if cell[:1] == GUARD and _FORMULA.match(cell) else cell


class Writer:
    """Writes rows as CSV (RFC 4180) whose cells no spreadsheet runs; ``raw`` writes them as they are."""

    def __init__(self, out: TextIO, raw: bool = False) -> None:
        self._writer = csv.writer(out, lineterminator="\r\n")
        self._raw = raw

    def writerow(self, cells: Iterable[Any]) -> None:
        """Write a row. Only texts are guarded: numbers are ours."""
        self._writer.writerow(
            cells if self._raw else [guard(cell) if isinstance(cell, str) else cell for cell in cells]
        )

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write rows."""
        for cells in rows:
            self.writerow(cells)


def add_raw(parser: argparse.ArgumentParser) -> None:
    """Add the flag that switches the guard off."""
    parser.add_argument(
        "--raw", action="store_true", help="write CSV cells as they are, even those that a spreadsheet runs"
    )
