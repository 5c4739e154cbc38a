"""Read dates in the forms that files have, and decide whether 3/4/2026 is in April or in March.

The order of day and month is one for the whole file. It comes from values with a number over 12, or from the
caller; it is never guessed. tests/golden/report/dates.json holds this file and its JavaScript twin together.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from training.files.rows import BatchError

# Days since 1970-01-01; NO_DATE stands for none.
NO_DATE = -(1 << 31)
EPOCH = date(1970, 1, 1)
FIRST, LAST = date(1900, 1, 1), date(2100, 12, 31)
DMY, MDY = "dmy", "mdy"
ORDERS = (DMY, MDY)

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)}
_MONTH |= {name[:3]: number for name, number in _MONTH.items()} | {"sept": 9}
# A time of day may follow any form; the day counts as it is written.
_TIME = r"(?:[T ,]\s*[0-9]{1,2}:[0-9]{2}\S*(?:\s+\S{1,6}){0,2})?"
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_TIME}", re.IGNORECASE)
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T[0-9]{4,6}(?:\.[0-9]+)?(?:Z|[+-][0-9:]{2,5})?)?")
_DOTTED = re.compile(rf"([0-9]{{1,2}})\.\s?([0-9]{{1,2}})\.\s?([0-9]{{4}}){_TIME}", re.IGNORECASE)
_SLASHED = re.compile(rf"([0-9]{{1,2}})([-/])([0-9]{{1,2}})\2([0-9]{{4}}){_TIME}", re.IGNORECASE)
_ORDINAL = r"([0-9]{1,2})(?:st|nd|rd|th)?"
_DAY_MONTH = re.compile(rf"{_ORDINAL}[\s-]+([a-z]{{3,9}})\.?,?[\s-]+([0-9]{{4}}){_TIME}", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"([a-z]{{3,9}})\.?\s+{_ORDINAL},?\s+([0-9]{{4}}){_TIME}", re.IGNORECASE)
_SECONDS = re.compile(r"([0-9]{9,10})(?:\.[0-9]+)?")
_MILLISECONDS = re.compile(r"([0-9]{12,13})(?:\.[0-9]+)?")
# A longer cell is no date, and may be a review.
MAX_CHARACTERS = 40


class Parsed(NamedTuple):
    """A cell's day under either order, as days since 1970; NO_DATE where there is no such day."""

    dmy: int
    mdy: int

    @property
    def is_readable(self) -> bool:
        """Return whether it is a date under some order."""
        return self.dmy != NO_DATE or self.mdy != NO_DATE


NONE = Parsed(NO_DATE, NO_DATE)


class Order:
    """What a file's dates say about the order of day and month: the first row that decides each way."""

    def __init__(self) -> None:
        self.deciding: dict[str, int] = {}
        self.is_open = False

    def add(self, parsed: Parsed, number: int) -> None:
        """Note a date of a row."""
        if parsed.dmy == parsed.mdy:
            return
        if parsed.mdy == NO_DATE:
            self.deciding.setdefault(DMY, number)
        elif parsed.dmy == NO_DATE:
            self.deciding.setdefault(MDY, number)
        else:
            self.is_open = True

    def decide(self, column: str, asked: str | None) -> str:
        """Return the order of a column, DMY or MDY. Raises BatchError when it stays open."""
        if asked:
            return asked
        if len(self.deciding) > 1:
            raise BatchError(
                f"the dates in {column!r} contradict each other: row {self.deciding[DMY]:,} has its day"
                f" first, row {self.deciding[MDY]:,} its month; name one with --dates dmy or --dates mdy"
            )
        if self.is_open and not self.deciding:
            raise BatchError(
                f"the dates in {column!r} may have day or month first, and no row decides it; name one with"
                " --dates dmy or --dates mdy"
            )
        return next(iter(self.deciding), DMY)


def parse(cell: str) -> Parsed:
    """Parse a cell; NONE when it is no date from 1900 to 2100.

    >>> [str(day_of(days)) for days in parse("3/4/2026")]
    ['2026-04-03', '2026-03-04']
    """
    text = cell.strip()
    if not text or len(text) > MAX_CHARACTERS or not text.isascii():
        return NONE
    if match := _YEAR_FIRST.fullmatch(text):
        return _both(match[1], match[3], match[4])
    if match := _SLASHED.fullmatch(text):
        first, _, second, year = match.groups()
        return Parsed(_days(year, second, first), _days(year, first, second))
    if match := _COMPACT.fullmatch(text):
        return _both(*match.groups())
    if match := _DOTTED.fullmatch(text):
        return _both(match[3], match[2], match[1])
    if match := _DAY_MONTH.fullmatch(text):
        return _named(match[3], match[2], match[1])
    if match := _MONTH_DAY.fullmatch(text):
        return _named(match[3], match[1], match[2])
    if match := _SECONDS.fullmatch(text):
        return _of_seconds(int(match[1]))
    if match := _MILLISECONDS.fullmatch(text):
        return _of_seconds(int(match[1]) // 1000)
    return NONE


def day_of(days: int) -> date:
    """Return the date of a number of days since 1970."""
    return EPOCH + timedelta(days=int(days))


def days_of(day: date) -> int:
    """Return the days since 1970 of a date."""
    return (day - EPOCH).days


def _both(year: str, month: str, day: str) -> Parsed:
    days = _days(year, month, day)
    return Parsed(days, days)


def _named(year: str, month: str, day: str) -> Parsed:
    number = _MONTH.get(month.lower())
    return _both(year, str(number), day) if number else NONE


def _days(year: str, month: str, day: str) -> int:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return NO_DATE
    return days_of(found) if FIRST <= found <= LAST else NO_DATE


def _of_seconds(seconds: int) -> Parsed:
    day = datetime.fromtimestamp(seconds, UTC).date()
    return _both(str(day.year), str(day.month), str(day.day))
