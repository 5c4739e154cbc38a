"""Find the columns of dates and groups, and read each row's date and group."""

import re
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from training.files.labelled import cell
from training.files.rows import BatchError, Row, Source, list_columns
from training.report.dates import DMY, MDY, NO_DATE, Order, parse

# Names of columns, the likeliest first, without signs and in lower case.
DATE_NAMES = (
    "date", "time", "timestamp", "datetime", "createdat", "created", "posted", "postedat", "published",
    "publishedat", "day", "reviewdate", "reviewedat", "reviewtime", "submitted", "submittedat",
    "submissiontime", "unixreviewtime", "when",
)  # fmt: skip
GROUP_NAMES = (
    "film", "movie", "title", "product", "item", "source", "store", "brand", "category", "group",
    "filmtitle", "movietitle", "producttitle", "productname", "itemname", "filmid", "movieid", "productid",
    "itemid", "asin", "sku",
    "app", "shop", "channel", "branch", "location", "hotel", "restaurant", "region", "country", "city",
    "market", "department", "version", "model",
)  # fmt: skip
# A column found by its name holds dates when so many of its filled cells are dates.
DATE_SHARE = 0.9
# A file with more groups has none: each would have a few rows, and all names must fit in memory.
MAX_GROUPS = 1_000_000
MAX_GROUP_CHARACTERS = 200


class Columns(NamedTuple):
    """A file's rows, and the columns that were found; ``order`` is that of day and month.

    ``groups`` are the different cells of the column of groups.
    """

    rows: int
    date: str | None
    group: str | None
    order: str
    groups: frozenset[str] = frozenset()


class _Dates:
    """What one column's cells say of dates."""

    def __init__(self, name: str) -> None:
        self.name, self.order = name, Order()
        self.filled = self.readable = 0

    def add(self, text: str, number: int) -> None:
        if text:
            parsed = parse(text)
            self.filled += 1
            self.readable += parsed.is_readable
            self.order.add(parsed, number)


class _Groups:
    """How many different cells one column has."""

    def __init__(self, name: str) -> None:
        self.name, self.rows = name, 0
        self.different: set[str] = set()

    def add(self, text: str) -> None:
        if text and len(self.different) <= MAX_GROUPS:
            self.rows += 1
            self.different.add(text[:MAX_GROUP_CHARACTERS])

    @property
    def is_many(self) -> bool:
        return len(self.different) > MAX_GROUPS

    @property
    def is_usual(self) -> bool:
        return not self.is_many and 2 <= len(self.different) <= self.rows / 2


def find(source: Source, date: str | None, group: str | None, order: str | None) -> Columns:
    """Read the whole file once, and choose its columns. Raises BatchError."""
    dates = [_Dates(name) for name in _candidates(source, date, DATE_NAMES, "--date")]
    groups = [_Groups(name) for name in _candidates(source, group, GROUP_NAMES, "--group")]
    rows = 0
    for row in source.rows("reading"):
        rows += 1
        for column in dates:
            column.add(cell(row, source, column.name), row.number + 1)
        for column_of_groups in groups:
            column_of_groups.add(cell(row, source, column_of_groups.name))
    if not rows:
        raise BatchError(f"{source.path} holds no row; give a file with reviews")
    days = _choose_date(dates, date)
    grouped = _choose_group(groups, group, days.name if days else None)
    return Columns(
        rows,
        days.name if days else None,
        grouped.name if grouped else None,
        days.order.decide(days.name, order) if days else DMY,
        frozenset(grouped.different if grouped else ()),
    )


class Reader:
    """Notes each row's date and group while the file is read; complete after its last row."""

    def __init__(self, source: Source, columns: Columns) -> None:
        self._source, self._columns = source, columns
        self._dates, self._groups = array("i"), array("i")
        self._places: dict[str, int] = {}

    def rows(self) -> Iterator[Row]:
        """Yield the file's rows."""
        column, at = self._columns, self._columns.order == MDY
        self._dates, self._groups = array("i"), array("i")
        for row in self._source.rows():
            day = parse(cell(row, self._source, column.date))[at] if column.date else NO_DATE
            self._dates.append(day)
            self._groups.append(self._place(row, column.group) if column.group else -1)
            yield row

    def dates(self) -> np.ndarray:
        """Return each row's date, int32 (rows,)."""
        return np.frombuffer(self._dates, dtype=np.int32)

    def groups(self) -> np.ndarray:
        """Return each row's group, int32 (rows,)."""
        return np.frombuffer(self._groups, dtype=np.int32)

    def names(self) -> list[str]:
        """Return the groups' names by their places."""
        return list(self._places)

    def _place(self, row: Row, column: str) -> int:
        text = cell(row, self._source, column)[:MAX_GROUP_CHARACTERS]
        return self._places.setdefault(text, len(self._places)) if text else -1


def _candidates(source: Source, name: str | None, usual: Sequence[str], flag: str) -> list[str]:
    if name is not None:
        if name not in source.columns:
            raise BatchError(
                f"{source.path} has no column {name[:40]!r}; it has {list_columns(source.columns)}; name one"
                f" with {flag}"
            )
        return [name]
    plain = {_fold(column): column for column in reversed(source.columns) if column != source.column}
    return [plain[one] for one in usual if one in plain]


def _fold(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _choose_date(columns: Sequence[_Dates], asked: str | None) -> _Dates | None:
    for column in columns:
        if column.readable and (asked or column.readable >= DATE_SHARE * column.filled):
            return column
    if asked:
        raise BatchError(
            f"the column {asked!r} holds no date; dates look like 2026-05-03, 3 May 2026 or 3/5/2026"
        )
    return None


def _choose_group(columns: Sequence[_Groups], asked: str | None, date: str | None) -> _Groups | None:
    if asked:
        if columns[0].is_many:
            raise BatchError(
                f"the column {asked!r} holds over {MAX_GROUPS:,} groups; name another with --group"
            )
        return columns[0]
    usual = (column for column in columns if column.is_usual and column.name != date)
    # A column whose cells are all the same is found too, so that it can be said.
    only = (column for column in columns if len(column.different) == 1)
    return next(usual, None) or next(only, None)
