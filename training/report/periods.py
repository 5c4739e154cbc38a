"""Cut a span of days into periods: days, weeks or months."""

from datetime import date, timedelta

import numpy as np

from training.report.dates import day_of, days_of

DAY, WEEK, MONTH = "day", "week", "month"
# Longest spans, in days, of a file that is shown by day and by week.
MOST_BY_DAY, MOST_BY_WEEK = 45, 400


def unit_of(first: int, last: int) -> str:
    """Return the unit for a span from one day to another, both included."""
    span = last - first + 1
    return DAY if span <= MOST_BY_DAY else WEEK if span <= MOST_BY_WEEK else MONTH


def starts_of(first: int, last: int, unit: str) -> np.ndarray:
    """Return the first day of every period from ``first`` to ``last``, as days since 1970, int64 (periods,).

    >>> [str(day_of(start)) for start in starts_of(0, 40, MONTH)]
    ['1970-01-01', '1970-02-01']
    """
    start, starts = _start_of(day_of(first), unit), []
    while days_of(start) <= last:
        starts.append(days_of(start))
        start = _next(start, unit)
    return np.array(starts, dtype=np.int64)


def _start_of(day: date, unit: str) -> date:
    if unit == WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == MONTH else day


def _next(start: date, unit: str) -> date:
    if unit == MONTH:
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if unit == WEEK else 1)
