"""The order of day and month: decided by a file's own dates, or asked; never guessed."""

from datetime import date

import pytest

from training.files.rows import BatchError
from training.report.dates import DMY, MDY, NO_DATE, Order, day_of, days_of, parse
from training.report.periods import DAY, MONTH, WEEK, starts_of, unit_of


def order_of(*cells: str) -> Order:
    order = Order()
    for number, cell in enumerate(cells, 1):
        order.add(parse(cell), number)
    return order


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["3/4/2026", "13/4/2026"], DMY),
        (["3/4/2026", "4/13/2026"], MDY),
        (["2026-04-03", "3 May 2026"], DMY),
        (["4/4/2026"], DMY),  # the same day either way
    ],
)
def test_one_date_decides_the_order(cells: list[str], expected: str) -> None:
    assert order_of(*cells).decide("date", None) == expected


def test_where_nothing_decides_the_caller_is_asked() -> None:
    with pytest.raises(BatchError, match="no row decides it; name one with --dates dmy or --dates mdy"):
        order_of("3/4/2026", "5/6/2026").decide("date", None)
    assert order_of("3/4/2026").decide("date", MDY) == MDY


def test_dates_that_contradict_each_other_name_two_rows() -> None:
    order = order_of("3/4/2026", "13/4/2026", "4/30/2026")
    with pytest.raises(BatchError, match="row 2 has its day first, row 3 its month"):
        order.decide("date", None)
    assert order.decide("date", DMY) == DMY


@pytest.mark.parametrize("cell", ["", "soon", "12", "2026-13-01", "9" * 60, "1.2.3", "3/5/26"])
def test_what_is_no_date_has_no_day(cell: str) -> None:
    assert parse(cell) == (NO_DATE, NO_DATE)
    assert not parse(cell).is_readable


@pytest.mark.parametrize(("days", "unit"), [(1, DAY), (45, DAY), (46, WEEK), (400, WEEK), (401, MONTH)])
def test_the_span_chooses_the_unit(days: int, unit: str) -> None:
    assert unit_of(100, 100 + days - 1) == unit


@pytest.mark.parametrize(
    ("unit", "first", "last", "expected"),
    [
        (DAY, date(2026, 2, 27), date(2026, 3, 1), ["2026-02-27", "2026-02-28", "2026-03-01"]),
        (WEEK, date(2026, 1, 1), date(2026, 1, 12), ["2025-12-29", "2026-01-05", "2026-01-12"]),
        (MONTH, date(2025, 12, 31), date(2026, 2, 1), ["2025-12-01", "2026-01-01", "2026-02-01"]),
    ],
)
def test_every_period_is_listed(unit: str, first: date, last: date, expected: list[str]) -> None:
    starts = starts_of(days_of(first), days_of(last), unit)
    assert [day_of(start).isoformat() for start in starts] == expected
