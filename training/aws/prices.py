"""Estimate a stage's cost by the list prices in prices.json: an hour while idle, and a million reviews.

    python -m training.aws.prices                  # prints the estimate for a serverless endpoint
    python -m training.aws.prices --kind lambda    # for the model in a Lambda function

Every amount is an estimate in US dollars: prices differ by region and change.
"""

import argparse
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from training.aws.hosting import KINDS, Plan

TABLE = Path(__file__).with_name("prices.json")
# One review keeps each part busy for so many seconds, and so many bytes are logged and moved.
FUNCTION_SECONDS, ENDPOINT_SECONDS = 0.015, 0.010
FUNCTION_GB = 0.5
LOG_BYTES, MOVED_BYTES = 400, 12_000
MILLION = 1_000_000
# Lambda gives a whole core at this memory, and less in proportion below it.
WHOLE_CORE_MB = 1_769
MONTH_HOURS = 730


class Cost(NamedTuple):
    """A part's price: dollars an hour while idle, and dollars a million reviews; None is unknown."""

    part: str
    idle_hour: float | None
    million: float | None


def instance_hour(instance_type: str) -> float | None:
    """Return an instance's dollars an hour, or None where the table lacks it."""
    price = table()["instance_hour"].get(instance_type)
    return None if price is None else float(price)


def of_plan(plan: Plan, site: str) -> list[Cost]:
    """Return the cost of each part of a deploy."""
    prices = table()
    per_second = FUNCTION_SECONDS * FUNCTION_GB * prices["function_gb_second"]
    log = 2 * LOG_BYTES * MILLION / 1e9 * prices["log_gb"]
    parts = [
        _endpoint(plan),
        Cost("API Gateway", 0.0, prices["api_million_requests"]),
        Cost("Lambda", 0.0, per_second * MILLION + prices["function_million_requests"]),
        Cost("logs", 0.0, log),
    ]
    if site == "cloudfront":
        parts.append(
            Cost("page, CloudFront (a million requests)", 0.0, prices["cloudfront_million_requests"])
        )
    return parts


def _endpoint(plan: Plan) -> Cost:
    prices = table()
    if plan.kind == "serverless":
        seconds = ENDPOINT_SECONDS * plan.memory_mb / 1024 * prices["serverless_gb_second"]
        moved = MOVED_BYTES * MILLION / 1e9 * prices["serverless_gb_moved"]
        return Cost("endpoint, serverless", 0.0, seconds * MILLION + moved)
    if plan.kind == "lambda":
        seconds = ENDPOINT_SECONDS * max(1.0, WHOLE_CORE_MB / plan.memory_mb)
        computed = seconds * plan.memory_mb / 1024 * prices["function_gb_second"]
        return Cost("model, Lambda", 0.0, computed * MILLION + prices["function_million_requests"])
    hour = instance_hour(plan.instance_type)
    name = f"endpoint, {plan.instances} x {plan.instance_type}"
    return Cost(name, None if hour is None else hour * plan.instances, 0.0)


def most_a_month(plan: Plan) -> float | None:
    """Return the most dollars that the model's host can cost in a month; None is unknown.

    A serverless endpoint or a Lambda function is then busy all month with all its requests at once. For a
    function without a limit it is the price of one: the account's quota says how many there may be.
    """
    prices = table()
    if plan.kind == "realtime":
        hour = instance_hour(plan.instance_type)
        return None if hour is None else hour * plan.most_instances * MONTH_HOURS
    price = prices["function_gb_second" if plan.kind == "lambda" else "serverless_gb_second"]
    return float(price) * (plan.concurrency or 1) * plan.memory_mb / 1024 * 3600 * MONTH_HOURS


def bound(plan: Plan) -> str:
    """Return a sentence on the most that the model's host can cost in a month."""
    most = most_a_month(plan)
    dollars = "an unknown sum" if most is None else f"${most:,.0f}"
    if plan.concurrency is None:
        return f"the model costs at most {dollars} a month for each execution that the account's quota allows"
    limit = f"{plan.concurrency} requests at once"
    if plan.kind == "realtime":
        limit = f"{plan.most_instances} instances"
    host = "model" if plan.kind == "lambda" else "endpoint"
    return f"the {host} costs at most {dollars} a month: {limit}, all month"


def format_table(costs: list[Cost]) -> str:
    """Return costs as a text table; an unknown price is a question mark."""
    lines = [f"{'estimate, US dollars':40}{'idle, an hour':>15}{'a million reviews':>20}"]
    for cost in costs:
        lines.append(f"{cost.part:40}{_amount(cost.idle_hour):>15}{_amount(cost.million):>20}")
    idle = [cost.idle_hour for cost in costs]
    million = [cost.million for cost in costs]
    lines.append(f"{'together':40}{_amount(_sum(idle)):>15}{_amount(_sum(million)):>20}")
    return "\n".join(lines) + f"\n(list prices of {table()['region']} as of {table()['date']})"


def _sum(amounts: list[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _amount(amount: float | None) -> str:
    return "?" if amount is None else f"{amount:.3f}" if 0 < amount < 1 else f"{amount:.2f}"


@cache
def table() -> dict[str, Any]:
    """Load the table of list prices."""
    return dict(json.loads(TABLE.read_text(encoding="utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description="Print an estimate of a stage's cost.")
    parser.add_argument(
        "--kind", choices=KINDS, default="serverless", help="kind of endpoint (default serverless)"
    )
    options = parser.parse_args()
    plan = Plan(kind=options.kind)
    if options.kind == "lambda":
        plan = plan._replace(memory_mb=WHOLE_CORE_MB)
    print(format_table(of_plan(plan, "cloudfront")))
    print(bound(plan))


if __name__ == "__main__":
    main()
