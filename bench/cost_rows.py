"""Estimate the cost of a million reviews: ours by measured times, other services' by list prices.

Prices come from prices.json and list_prices.json in training/aws, which state their dates.
"""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from bench.measuring import Figure, Missing, single
from bench.setting import Setting
from training.aws import prices
from training.aws.hosting import Plan

PART = "cost"
LIST = prices.TABLE.with_name("list_prices.json")
SERVERLESS, BATCHED = "serverless, one request each", "serverless, 100 a request"
REALTIME, BATCH = "real-time, always busy", "Batch Transform"
OURS = (SERVERLESS, BATCHED, REALTIME, BATCH)
BILLION_HOURS, BILLION_COST = "10^9 reviews by Batch Transform, hours", "10^9 reviews by Batch Transform"
INSTANCES = 20
INSTANCE, INSTANCE_CORES = "ml.c5.xlarge", 2  # physical ones, of 4 virtual
REALTIME_INSTANCE, REALTIME_CORES = "ml.m5.large", 1
REQUEST_REVIEWS = 100
# Lambda gives a core's share by memory.
WHOLE_CORE_MB, FUNCTION_MB = prices.WHOLE_CORE_MB, 512
MILLION = 1_000_000


def names() -> tuple[str, ...]:
    """Return the names of all figures."""
    return (*OURS, *services(), BILLION_HOURS, BILLION_COST)


def figures(setting: Setting, measured: Sequence[Figure]) -> Iterator[Figure]:
    """Yield dollars a million reviews. Raises Missing without the measured times."""
    medians = {(figure.part, figure.name): figure.median for figure in measured}
    text, answer, http = (_required(medians, (part, "Verdict")) / 1000 for part in ("text", "answer", "http"))
    rate = _required(medians, ("bulk", "Verdict, one process"))
    yield from our_figures(own_seconds(text, answer, http), answer, rate)
    for name, service in services().items():
        dollars = MILLION * list_price(setting.samples.characters, service)
        note = (
            f"{setting.samples.characters:,.0f} characters a review; list price of {list_date()},"
            f" {service['source']}"
        )
        yield single(PART, name, dollars, "$", note)


def own_seconds(text: float, answer: float, http: float) -> float:
    """Return the function's own seconds of a review, on a whole core: the text, and the additions of HTTP.

    ``answer`` and ``http`` are seconds of a whole answer, in one process and by HTTP. The result includes the
    caller and the endpoint's server, so it is an upper bound.
    """
    return text + http - answer


def our_figures(own: float, answer: float, rate: float) -> Iterator[Figure]:
    """Yield our dollars, from seconds of function and endpoint, and a process's reviews a second."""
    table = prices.table()
    for name, together in ((SERVERLESS, 1), (BATCHED, REQUEST_REVIEWS)):
        yield single(PART, name, serverless(own, answer, together), "$", "API, Lambda, endpoint, logs")
    hour = table["instance_hour"][REALTIME_INSTANCE]
    busy = MILLION * hour / 3600 * answer / REALTIME_CORES
    yield single(PART, REALTIME, busy, "$", f"{REALTIME_INSTANCE} alone")
    per_second = rate * INSTANCE_CORES
    hour = table["instance_hour"][INSTANCE]
    yield single(PART, BATCH, MILLION / per_second / 3600 * hour, "$", f"{INSTANCE} alone, without its start")
    hours = 1000 * MILLION / per_second / INSTANCES / 3600
    yield single(PART, BILLION_HOURS, hours, "h", f"{INSTANCES} x {INSTANCE}, at this machine's rate a core")
    yield single(PART, BILLION_COST, hours * INSTANCES * hour, "$", "machines alone")


def serverless(own: float, answer: float, together: int) -> float:
    """Return dollars of a million reviews, ``together`` in one request: requests, seconds of both, logs."""
    table, requests = prices.table(), MILLION / together
    seconds = answer + own * WHOLE_CORE_MB / FUNCTION_MB
    function = MILLION * seconds * FUNCTION_MB / 1024 * table["function_gb_second"]
    endpoint = MILLION * answer * Plan().memory_mb / 1024 * table["serverless_gb_second"]
    moved = MILLION * prices.MOVED_BYTES / 1e9 * table["serverless_gb_moved"]
    calls = requests / MILLION * (table["api_million_requests"] + table["function_million_requests"])
    logs = 2 * prices.LOG_BYTES * requests / 1e9 * table["log_gb"]
    return float(calls + function + endpoint + moved + logs)


def services() -> dict[str, dict[str, Any]]:
    """Return the other services' prices by name."""
    return dict(json.loads(LIST.read_text(encoding="utf-8"))["services"])


def list_date() -> str:
    """Return the date of the other services' prices."""
    return str(json.loads(LIST.read_text(encoding="utf-8"))["date"])


def list_price(characters: float, service: dict[str, Any]) -> float:
    """Return dollars of one review.

    >>> round(list_price(250, {"unit_characters": 100, "least_units": 3, "unit": 0.0001}), 6)
    0.0003
    """
    units = max(service["least_units"], math.ceil(characters / service["unit_characters"]))
    return float(units * service["unit"])


def _required(medians: dict[tuple[str, str], float | None], key: tuple[str, str]) -> float:
    value = medians.get(key)
    if value is None:
        raise Missing(f"it depends on {key[0]} / {key[1]}, which was not measured")
    return value
