"""Simulate growing load: copies, queues, cold starts and autoscaling.

    python -m bench.scaling            # prints the tables of docs/scaling.md

The inputs are the published benchmark's times and training/aws/servers.json. AWS's limits and delays are
constants below, from memory. The same results give the same tables and plots.
"""

import heapq
import json
import math
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bench import cost_rows, goals, pages, published
from bench.measuring import Missing
from training.aws import hosting, package, prices

RATES = (10, 1_000, 100_000)
INSTANCES = (1, 5, 20, 100)
BILLION = 10**9
# A machine for `make serve`. It has two cores, as the measured one.
MACHINE = "c7g.large"
# An account's default limits on AWS, from memory: API Gateway's requests a second, and the copies of all
# functions in a region.
API_RATE, FUNCTION_COPIES = 10_000, 1_000
# Estimates: autoscaling adds an instance after three high one-minute means, and the instance then boots.
ALARM_SECONDS, BOOT_SECONDS = 180, 240
# The target share of busy time; above it a burst waits.
BUSY = 0.7
# Lambda removes an idle copy of a function after some minutes.
IDLE_SECONDS = 300
EVENTS = 60_000
SEED = 1
NOT_MEASURED = pages.not_measured("make bench FLAGS=--publish")

Load = Callable[[float], float]


class Inputs(NamedTuple):
    """Measured seconds of one request: the function, the endpoint's core, and the cold start of both."""

    function: float
    endpoint: float
    cold: float
    wake: float


class Fleet(NamedTuple):
    """The resources and the cost of one rate."""

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
    """Return the inputs from published results. Raises Missing without one of them."""
    medians = goals.medians(goals.read(results))
    keys = (goals.TEXT, goals.ANSWER, goals.HTTP, goals.COLD)
    missing = [" / ".join(key) for key in keys if key not in medians]
    if missing:
        raise Missing(f"{', '.join(missing)} was not measured")
    text, answer, http, cold = (medians[key] / 1000 for key in keys)
    # The function has a share of a core; its wait for the endpoint is the endpoint's time.
    own = cost_rows.own_seconds(text, answer, http)
    function = own * cost_rows.WHOLE_CORE_MB / cost_rows.FUNCTION_MB + answer
    server = json.loads(package.SERVERS.read_text(encoding="utf-8"))["servers"][hosting.Plan().image]
    wake = server["start_seconds"]
    return Inputs(function, answer, cold, wake)


# --- one rate -----------------------------------------------------------------------------------


def fleet(rate: int, inputs: Inputs) -> Fleet:
    """Return the fleet for a steady rate of requests a second, by Little's law and by simulation."""
    cores = cost_rows.REALTIME_CORES
    instances = math.ceil(rate * inputs.endpoint / BUSY / cores)
    waits = queue(rate, inputs.endpoint, instances * cores)
    # Enough events for the first copies to become free.
    events = max(EVENTS, math.ceil(2 * rate * (inputs.cold + inputs.function)))
    cold = cold_starts(rate, inputs.function, inputs.cold, events)
    hour = prices.table()["instance_hour"][cost_rows.REALTIME_INSTANCE]
    calls = prices.table()["api_million_requests"] + prices.table()["function_million_requests"]
    function = inputs.function * cost_rows.FUNCTION_MB / 1024 * prices.table()["function_gb_second"]
    dollars = instances * hour + 3600 * rate * (calls / 1e6 + function)
    copies = rate * inputs.function
    accounts = max(math.ceil(rate / API_RATE), math.ceil(copies / FUNCTION_COPIES))
    return Fleet(
        rate,
        copies,
        accounts,
        rate * inputs.endpoint,
        instances,
        at(waits, 0.5) + inputs.function,
        at(waits, 0.99) + inputs.function,
        cold,
        dollars,
    )


def queue(rate: float, seconds: float, servers: int, events: int = EVENTS) -> list[float]:
    """Return each request's wait in seconds: random arrivals, one service time, first come first served."""
    chance, now = random.Random(SEED), 0.0
    free = [0.0] * servers
    waits = []
    for _ in range(events):
        now += chance.expovariate(rate)
        begins = max(now, free[0])
        heapq.heapreplace(free, begins + seconds)
        waits.append(begins - now)
    return waits


def cold_starts(rate: float, seconds: float, cold: float, events: int = EVENTS) -> int:
    """Return the number of requests that meet a cold copy when a load begins.

    The copy used last serves first.
    """
    chance, now = random.Random(SEED), 0.0
    busy: list[float] = []
    idle: list[float] = []
    count = 0
    for _ in range(events):
        now += chance.expovariate(rate)
        while busy and busy[0] <= now:
            idle.append(heapq.heappop(busy))
        if idle and now - idle[-1] < IDLE_SECONDS:
            idle.pop()
            heapq.heappush(busy, now + seconds)
        else:
            idle.clear()
            count += 1
            heapq.heappush(busy, now + seconds + cold)
    return count


def at(values: list[float], share: float) -> float:
    """Return the quantile of the values at a share of 0..1."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# --- a rate that grows --------------------------------------------------------------------------


class Moment(NamedTuple):
    """One second of a scaling fleet: the rate, the serving instances, and a request's wait."""

    second: int
    rate: float
    instances: int
    wait: float


def scaled(load: Load, inputs: Inputs, seconds: int, first: int) -> list[Moment]:
    """Simulate a fleet of instances for some seconds. It grows after ALARM_SECONDS of too much load.

    Here every request waits. In reality a request beyond capacity gets an error with Retry-After.
    """
    per_instance = cost_rows.REALTIME_CORES / inputs.endpoint
    count, waiting, busy_seconds = first, 0.0, 0
    booting: list[tuple[int, int]] = []
    moments = []
    for second in range(seconds):
        count += sum(more for ready, more in booting if ready == second)
        rate = load(second)
        waiting = max(0.0, waiting + rate - count * per_instance)
        busy_seconds = busy_seconds + 1 if rate > BUSY * count * per_instance else 0
        if busy_seconds >= ALARM_SECONDS and not any(ready > second for ready, _ in booting):
            more = max(1, math.ceil(rate / (BUSY * per_instance)) - count)
            booting.append((second + BOOT_SECONDS + round(inputs.wake), more))
        moments.append(Moment(second, rate, count, waiting / (count * per_instance)))
    return moments


def step(low: float, high: float, when: int) -> Load:
    """Return a load that jumps from ``low`` to ``high`` requests a second."""
    return lambda second: low if second < when else high


# --- bulk ---------------------------------------------------------------------------------------


def bulk_hours(rate: float, instances: int, reviews: int = BILLION) -> float:
    """Return the hours of a batch at one core's reviews a second."""
    return reviews / (rate * cost_rows.INSTANCE_CORES * instances) / 3600


# --- one machine --------------------------------------------------------------------------------


def month_reviews(rate: float) -> float:
    """Return the reviews of a month at a machine's most a second, if it is busy for a share of BUSY."""
    return rate * BUSY * 3600 * prices.MONTH_HOURS


# --- blocks -------------------------------------------------------------------------------------


def blocks(results: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the blocks of docs/scaling.md by name."""
    names = ("scaling-inputs", "scaling-machine", "scaling-rates", "scaling-billion")
    if results is None:
        return dict.fromkeys(names, NOT_MEASURED)
    inputs = inputs_of(results)
    return dict(
        zip(names, (_inputs(inputs), _machine(results), _rates(inputs), _billion(results)), strict=True)
    )


def _inputs(inputs: Inputs) -> str:
    return (
        f"A request keeps the function for {1000 * inputs.function:.1f} ms (at"
        f" {cost_rows.FUNCTION_MB} MB it has a share of a core) and a core of the endpoint for"
        f" {1000 * inputs.endpoint:.1f} ms. A cold function answers after {1000 * inputs.cold:.0f} ms more, a"
        f" sleeping endpoint after {inputs.wake:.0f} s.\n"
    )


def _machine(results: Mapping[str, Any]) -> str:
    medians = goals.medians(goals.read(results))
    if goals.CAPACITY not in medians:
        return NOT_MEASURED
    reviews = month_reviews(medians[goals.CAPACITY])
    dollars = prices.table()["machine_hour"][MACHINE] * prices.MONTH_HOURS
    others = {
        name: reviews / cost_rows.MILLION * medians[cost_rows.PART, name] for name in cost_rows.OURS[:2]
    }
    rows = [
        [name, f"{cost:,.0f}"] for name, cost in {f"one {MACHINE}, `make serve`": dollars, **others}.items()
    ]
    return pages.table((f"{reviews / 1e6:,.0f} million reviews a month", "dollars"), rows)


def _rates(inputs: Inputs) -> str:
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
    for needs in (fleet(rate, inputs) for rate in RATES):
        serverless = f"{needs.serverless:,.1f}"
        if needs.serverless > hosting.MAX_CONCURRENCY:
            serverless += ", too many"
        times = [f"{1000 * seconds:.1f} ms" for seconds in (needs.p50, needs.p99)]
        cells = [f"{needs.rate:,}", f"{needs.copies:,.1f}", f"{needs.accounts:,}", serverless]
        cells += [f"{needs.instances:,}", *times, f"{needs.cold:,}", f"{needs.dollars_hour:,.2f}"]
        rows.append(cells)
    return pages.table(head, rows)


def _billion(results: Mapping[str, Any]) -> str:
    rate = goals.medians(goals.read(results)).get(goals.ONE)
    if rate is None:
        return NOT_MEASURED
    hour = prices.table()["instance_hour"][cost_rows.INSTANCE]
    rows = []
    for count in INSTANCES:
        hours = bulk_hours(rate, count)
        rows.append([f"{count} x {cost_rows.INSTANCE}", f"{hours:,.1f}", f"{hours * count * hour:,.0f}"])
    return pages.table(("Batch Transform", "hours", "dollars"), rows)


def main() -> None:
    results = published.read()
    for name, block in blocks(results).items():
        print(f"{name}\n{block}")


if __name__ == "__main__":
    main()
