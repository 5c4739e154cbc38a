"""The dollars: by the same tables as the benchmark and a deploy."""

import pytest

from bench import cost_rows
from training.aws import prices as aws_prices
from training.shadow import prices


@pytest.mark.parametrize(("characters", "units"), [(1, 3), (300, 3), (301, 4), (1_335, 14)])
def test_comprehend_charges_for_three_units_or_more(characters: int, units: int) -> None:
    text = "é" * characters
    assert prices.comprehend_units(text) == units
    service = cost_rows.services()[prices.COMPREHEND]
    assert prices.comprehend_dollars(units) == pytest.approx(cost_rows.list_price(characters, service))


def test_a_million_reviews_of_the_benchmark_cost_what_it_publishes() -> None:
    assert prices.comprehend_dollars(1_000_000 * prices.comprehend_units("x" * 1_335)) == pytest.approx(1_400)


def test_the_price_has_a_date_and_a_source() -> None:
    assert cost_rows.list_date() in prices.comprehend_source()
    assert "cloudzero.com" in prices.comprehend_source()


def test_verdict_costs_the_hours_of_its_machine() -> None:
    hour = aws_prices.table()["machine_hour"][prices.MACHINE]
    assert prices.machine_hour() == hour
    assert prices.machine_dollars(1_800, hour) == pytest.approx(hour / 2)
