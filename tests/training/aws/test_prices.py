"""What a stage costs, by the table."""

import math

import pytest

from training.aws import prices
from training.aws.hosting import Plan


def test_a_serverless_stage_costs_nothing_when_idle() -> None:
    costs = prices.of_plan(Plan(), "cloudfront")
    assert all(cost.idle_hour == 0 for cost in costs)
    assert all(cost.million is not None and cost.million > 0 for cost in costs)


def test_a_real_time_endpoint_costs_by_the_hour_and_not_by_the_review() -> None:
    endpoint = prices.of_plan(Plan(kind="realtime", instance_type="ml.m5.large", instances=3), "none")[0]
    assert endpoint.idle_hour == pytest.approx(3 * 0.115)
    assert endpoint.million == 0


def test_more_memory_costs_more() -> None:
    small, large = (prices.of_plan(Plan(memory_mb=mb), "none")[0].million or 0 for mb in (2048, 4096))
    assert small < large < 2 * small


def test_a_model_in_a_function_costs_nothing_when_idle_and_less_than_an_endpoint_a_review() -> None:
    function = prices.of_plan(Plan(kind="lambda", memory_mb=prices.WHOLE_CORE_MB), "none")[0]
    endpoint = prices.of_plan(Plan(memory_mb=2048), "none")[0]
    assert function.idle_hour == 0
    assert 0 < (function.million or 0) < (endpoint.million or 0)


def test_less_memory_makes_a_function_slower_and_no_cheaper() -> None:
    small, whole = (
        prices.of_plan(Plan(kind="lambda", memory_mb=mb), "none")[0].million
        for mb in (512, prices.WHOLE_CORE_MB)
    )
    assert small == pytest.approx(whole)


def test_an_endpoint_s_own_limit_bounds_a_month() -> None:
    assert prices.most_a_month(Plan(memory_mb=2048, concurrency=5)) == pytest.approx(525.6)
    assert prices.bound(Plan(memory_mb=2048, concurrency=5)) == (
        "the endpoint costs at most $526 a month: 5 requests at once, all month"
    )
    instances = Plan(kind="realtime", instance_type="ml.m5.large", most_instances=2)
    assert prices.most_a_month(instances) == pytest.approx(0.115 * 2 * 730)
    assert "an unknown sum" in prices.bound(Plan(kind="realtime", instance_type="ml.new.large"))


def test_a_function_s_limit_bounds_a_month_and_without_one_the_quota_does() -> None:
    limited = Plan(kind="lambda", memory_mb=1769, concurrency=5)
    assert prices.bound(limited) == "the model costs at most $378 a month: 5 requests at once, all month"
    assert prices.bound(limited._replace(concurrency=None)) == (
        "the model costs at most $76 a month for each execution that the account's quota allows"
    )


def test_an_instance_that_the_table_lacks_is_a_question_mark() -> None:
    plan = Plan(kind="realtime", instance_type="ml.new.large")
    lines = prices.format_table(prices.of_plan(plan, "none")).splitlines()
    assert lines[1].split()[-2:] == ["?", "0.00"]
    assert lines[-2].split()[:2] == ["together", "?"]
    assert prices.instance_hour("ml.new.large") is None


def test_the_sum_is_the_parts_and_the_date_is_said() -> None:
    costs = prices.of_plan(Plan(), "cloudfront")
    lines = prices.format_table(costs).splitlines()
    total = float(lines[-2].split()[-1])
    assert math.isclose(total, sum(cost.million or 0 for cost in costs), abs_tol=0.01)
    assert prices.table()["date"] in lines[-1]
    assert lines[0].startswith("estimate")
