"""What changes as load grows: a small simulation of copies, queues, cold starts and autoscaling.

    python -m bench.scaling            # prints the tables of docs/scaling.md

Its inputs are the published benchmark's times and training/aws/servers.json; limits and delays of AWS are
constants below, as remembered. The same results give the same tables and plots.
"""

import heapq
import json
import math
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench import cost_rows, goals, tables
from bench.measuring import Missing
from tools import fill_docs
from training.aws import hosting, package, prices

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / "docs" / "scaling.md"
RATES = (10, 1_000, 100_000)
INSTANCES = (1, 5, 20, 100)
BILLION = 10**9
# An account's own limits on AWS until it asks for more, as remembered: API Gateway's requests a second, the
# copies that all functions of a region may have.
API_RATE, FUNCTION_COPIES = 10_000, 1_000
# An instance is asked for when three one-minute means were too high, and has then to boot: estimates.
ALARM_SECONDS, BOOT_SECONDS = 180, 240
# How busy instances are kept; above it a burst waits.
BUSY = 0.7
# A sleeping copy of a function is taken away after some minutes without work.
IDLE_SECONDS = 300
MOST_EVENTS = 60_000
SEED = 1
NOT_MEASURED = fill_docs.not_yet("make bench FLAGS=--publish")

Load = Callable[[float], float]


class Inputs(NamedTuple):
    """What was measured, in seconds of one request: the function, the endpoint's core, and both when cold."""

    function: float
    endpoint: float
    cold: float
    wake: float


class Fleet(NamedTuple):
    """What one rate needs and costs."""

    rate: int
    copies: float
    accounts: int
    serverless: float
    instances: int
    p50: float
    p99: float
    cold: int
    dollars_hour: float


def inputs_of(results: Mapping[str, Any]) -> Inputs:
    """Take the inputs out of published results. Raises Missing for one that was not measured."""
    found = goals.medians(goals.read(results))
    needed = (goals.TEXT, goals.ANSWER, goals.HTTP, goals.COLD)
    lacking = [" / ".join(key) for key in needed if key not in found]
    if lacking:
        raise Missing(f"{', '.join(lacking)} was not measured")
    text, answer, http, cold = (found[key] / 1000 for key in needed)
    # The function has a share of a core, the wait for the endpoint is the endpoint's own.
    own = cost_rows.own_seconds(text, answer, http)
    function = own * cost_rows.WHOLE_CORE_MB / cost_rows.FUNCTION_MB + answer
    server = json.loads(package.SERVERS.read_text(encoding="utf-8"))["servers"][hosting.Plan().image]
    wake = server["install_seconds"] + server["start_seconds"] + server["image_pauses_seconds"]
    return Inputs(function, answer, cold, wake)


# --- one rate -----------------------------------------------------------------------------------


def fleet(rate: int, given: Inputs) -> Fleet:
    """Give what a steady rate of requests a second needs: by Little's law, and by simulation."""
    cores = cost_rows.REALTIME_CORES
    instances = math.ceil(rate * given.endpoint / BUSY / cores)
    waits = queue(rate, given.endpoint, instances * cores)
    # Long enough for the first copies to come back.
    events = max(MOST_EVENTS, math.ceil(2 * rate * (given.cold + given.function)))
    cold = cold_starts(rate, given.function, given.cold, events)
    hour = prices.table()["instance_hour"][cost_rows.REALTIME_INSTANCE]
    asked = prices.table()["api_million_requests"] + prices.table()["function_million_requests"]
    function = given.function * cost_rows.FUNCTION_MB / 1024 * prices.table()["function_gb_second"]
    dollars = instances * hour + 3600 * rate * (asked / 1e6 + function)
    copies = rate * given.function
    accounts = max(math.ceil(rate / API_RATE), math.ceil(copies / FUNCTION_COPIES))
    return Fleet(
        rate,
        copies,
        accounts,
        rate * given.endpoint,
        instances,
        at(waits, 0.5) + given.function,
        at(waits, 0.99) + given.function,
        cold,
        dollars,
    )


def queue(rate: float, seconds: float, servers: int, events: int = MOST_EVENTS) -> list[float]:
    """Give each request's wait in seconds: random arrivals, one time of service, first come first served."""
    chance, now = random.Random(SEED), 0.0
    free = [0.0] * servers
    waits = []
    for _ in range(events):
        now += chance.expovariate(rate)
        begins = max(now, free[0])
        heapq.heapreplace(free, begins + seconds)
        waits.append(begins - now)
    return waits


def cold_starts(rate: float, seconds: float, cold: float, events: int = MOST_EVENTS) -> int:
    """Count the requests that meet a cold copy when a load begins; the copy used last serves first."""
    chance, now = random.Random(SEED), 0.0
    busy: list[float] = []
    idle: list[float] = []
    met = 0
    for _ in range(events):
        now += chance.expovariate(rate)
        while busy and busy[0] <= now:
            idle.append(heapq.heappop(busy))
        if idle and now - idle[-1] < IDLE_SECONDS:
            idle.pop()
            heapq.heappush(busy, now + seconds)
        else:
            idle.clear()
            met += 1
            heapq.heappush(busy, now + seconds + cold)
    return met


def at(values: list[float], share: float) -> float:
    """Give the value that so many of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# --- a rate that grows --------------------------------------------------------------------------


class Moment(NamedTuple):
    """One second of a fleet that scales: what is asked, instances that serve, and a request's wait."""

    second: int
    rate: float
    instances: int
    wait: float


def scaled(load: Load, given: Inputs, seconds: int, first: int) -> list[Moment]:
    """Follow a fleet of instances for so many seconds: it grows when it was too busy for ALARM_SECONDS.

    Nobody gives up waiting here; in truth a caller is told to come back later.
    """
    per_instance = cost_rows.REALTIME_CORES / given.endpoint
    count, waiting, busy_since = first, 0.0, 0
    coming: list[tuple[int, int]] = []
    moments = []
    for second in range(seconds):
        count += sum(more for ready, more in coming if ready == second)
        rate = load(second)
        waiting = max(0.0, waiting + rate - count * per_instance)
        busy_since = busy_since + 1 if rate > BUSY * count * per_instance else 0
        if busy_since >= ALARM_SECONDS and not any(ready > second for ready, _ in coming):
            more = max(1, math.ceil(rate / (BUSY * per_instance)) - count)
            coming.append((second + BOOT_SECONDS + round(given.wake), more))
        moments.append(Moment(second, rate, count, waiting / (count * per_instance)))
    return moments


def step(low: float, high: float, when: int) -> Load:
    """Give a load that jumps from ``low`` to ``high`` requests a second."""
    return lambda second: low if second < when else high


# --- bulk ---------------------------------------------------------------------------------------


def bulk_hours(rate: float, instances: int, reviews: int = BILLION) -> float:
    """Give the hours of a batch at one core's reviews a second."""
    return reviews / (rate * cost_rows.INSTANCE_CORES * instances) / 3600


# --- what is told -------------------------------------------------------------------------------


def blocks(results: Mapping[str, Any] | None) -> dict[str, str]:
    """Give what docs/scaling.md must say, by the name of its block."""
    if results is None:
        return dict.fromkeys(("inputs", "rates", "billion"), NOT_MEASURED)
    given = inputs_of(results)
    return {"inputs": _inputs(given), "rates": _rates(given), "billion": _billion(results)}


def _inputs(given: Inputs) -> str:
    return (
        f"A request keeps the function for {1000 * given.function:.1f} ms (at"
        f" {cost_rows.FUNCTION_MB} MB it has a share of a core) and a core of the endpoint for"
        f" {1000 * given.endpoint:.1f} ms. A cold function answers after {1000 * given.cold:.0f} ms more, a"
        f" sleeping endpoint after {given.wake:.0f} s.\n"
    )


def _rates(given: Inputs) -> str:
    head = (
        "requests a second",
        "copies of the function",
        "accounts or regions by default limits",
        f"copies of a serverless endpoint (at most {hosting.MAX_CONCURRENCY})",
        f"{cost_rows.REALTIME_INSTANCE} instead",
        "answer at the median",
        "99th percentile",
        "cold copies when it begins at once",
        "dollars an hour, with instances",
    )
    rows = []
    for one in (fleet(rate, given) for rate in RATES):
        serverless = f"{one.serverless:,.1f}"
        if one.serverless > hosting.MAX_CONCURRENCY:
            serverless += ", too many"
        times = [f"{1000 * seconds:.1f} ms" for seconds in (one.p50, one.p99)]
        cells = [f"{one.rate:,}", f"{one.copies:,.1f}", f"{one.accounts:,}", serverless, f"{one.instances:,}"]
        rows.append([*cells, *times, f"{one.cold:,}", f"{one.dollars_hour:,.2f}"])
    return tables.markdown(head, rows)


def _billion(results: Mapping[str, Any]) -> str:
    rate = goals.medians(goals.read(results)).get(goals.ONE)
    if rate is None:
        return NOT_MEASURED
    hour = prices.table()["instance_hour"][cost_rows.INSTANCE]
    rows = []
    for count in INSTANCES:
        hours = bulk_hours(rate, count)
        rows.append([f"{count} x {cost_rows.INSTANCE}", f"{hours:,.1f}", f"{hours * count * hour:,.0f}"])
    return tables.markdown(("Batch Transform", "hours", "dollars"), rows)


def main() -> None:
    results = fill_docs.read_bench()
    for name, block in blocks(results).items():
        print(f"{name}\n{block}")


if __name__ == "__main__":
    main()
