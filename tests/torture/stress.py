"""Load the running app to its capacity and to five times that, with slow callers and killed processes.

The app runs as in `make serve`, but without its rate limit, since all requests come from one address.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import psutil

from tests.support.stack import Stack, alive
from tests.torture import load
from tests.torture.load import BROKEN, Callers, Outcome
from tests.torture.table import Section
from tests.torture.watch import Watch, busy, grows, open_files, slope

NAMES = ("api", "page")
# A process of the API, beside those of `make serve` itself.
WORKER = "process of the api"
WARM_SECONDS = 5
CALLERS = 16
# A machine's speed varies, so capacity is the rate in the slowest part of a longer time.
CAPACITY_TIMES, CAPACITY_PARTS = 3, 4
PACE_SECONDS = 10
STEADY_SHARE, OVERLOAD, BESIDE_SHARE, KILLED_SHARE = 0.8, 5, 0.5, 0.3
LEAST_SHARE, REFUSED_SECONDS, RECOVERED_SECONDS = 0.6, 1.0, 5.0
# No request may wait for longer in a flood, be it accepted late or early.
SLOWEST_SECONDS = 3.0
# A machine's speed drifts within a minute, so many short floods measure better than a few long ones.
FLOODS, FLOOD_PART = 12, 0.5
REFUSALS = ("429", "503")
# Longer than the app's limits for a header or a body.
SLOW_CALLERS, SLOW_SECONDS = 200, 30
# Open files that may remain after the load, measured after a quiet pause.
EXTRA_FILES, QUIET_SECONDS = 5, 2
LOG_SECONDS = 10
# The longest time from a killed process to answers again.
RESTART_SECONDS = 15


@contextmanager
def served() -> Iterator[Stack]:
    """Run the app as `make serve` does; yield it."""
    stack = Stack("--serve", RATE_LIMIT="off")
    try:
        stack.wait_for("Verdict is ready")
        yield stack
    finally:
        stack.stop()


def stress(options: argparse.Namespace) -> Section:
    """Run every step on one running app, and return the section."""
    # A collection over hundreds of thousands of outcomes delays requests, and a burst follows.
    gc.disable()
    try:
        with served() as stack:
            stressed = asyncio.run(_stress(stack, options))
    finally:
        gc.enable()
    return Section(
        "The running app under load",
        "The app runs as in `make serve`, on loopback; the caller runs on the same cores. A request is a"
        f" review of {len(load.REVIEW):,} characters, explained by sentences. Each answer must equal the"
        " first.",
        ("quantity", "measured", "required"),
        stressed.rows,
        stressed.failed,
    )


async def _stress(stack: Stack, options: argparse.Namespace) -> "Stress":
    async with Callers(stack.api) as callers, Callers(stack.page, None, "/") as page:
        stressed = Stress(stack, callers, page)
        await stressed.find_capacity(options.seconds)
        await stressed.load_steadily(options.minutes)
        await stressed.overload(options.seconds)
        await stressed.load_beside_slow_callers(options.seconds)
        for name in (WORKER, *NAMES):
            await stressed.kill(name)
    return stressed


class Flood(NamedTuple):
    """A time of overload.

    ``offered`` is the load as a multiple of capacity, and ``rate`` counts verdicts a second. ``busy`` is
    processor time, and ``recovery`` the time until answers are fast again, both in seconds.
    """

    outcomes: list[Outcome]
    offered: float
    rate: float
    busy: float
    recovery: float


class Stress:
    """The load test of a running app; ``rows`` and ``failed`` hold its results."""

    def __init__(self, stack: Stack, callers: Callers, page: Callers) -> None:
        self.rows: list[tuple[str, str, str]] = []
        self.failed: list[str] = []
        self._stack, self._callers, self._page = stack, callers, page
        # Verdicts a second, their p99 in seconds, and the API's processor seconds for one.
        self._capacity, self._p99, self._busy = 0.0, 0.0, 0.0

    async def find_capacity(self, seconds: int) -> None:
        """Measure the rate of callers that wait for each answer."""
        await load.closed_loop(self._callers, CALLERS, WARM_SECONDS)
        with Watch(self._pids()) as watch:
            verdicts = _verdicts_of(await load.closed_loop(self._callers, CALLERS, CAPACITY_TIMES * seconds))
        rates = load.rates(verdicts, seconds / CAPACITY_PARTS)
        self._capacity, self._p99 = min(rates), load.percentile(verdicts, 0.99)
        self._report(
            f"capacity with {CALLERS} waiting callers",
            f"{self._capacity:.0f} verdicts a second at the slowest, {max(rates):.0f} at the fastest",
        )
        self._busy = _busy(watch, "api") / max(1, len(verdicts))
        self._report("processor time a verdict", f"{self._busy * 1_000:.1f} ms")

    async def load_steadily(self, minutes: float) -> None:
        """Load the app below its capacity, measured anew each minute; watch memory and open files."""
        parts, files = max(1, round(minutes)), await self._open_files()
        outcomes: list[Outcome] = []
        rates = []
        start, steal = time.perf_counter(), _steal_seconds()
        with Watch(self._pids()) as watch:
            for _ in range(parts):
                verdicts = _verdicts_of(await load.closed_loop(self._callers, CALLERS, PACE_SECONDS))
                rates.append(STEADY_SHARE * min(load.rates(verdicts, PACE_SECONDS / CAPACITY_PARTS)))
                outcomes += await load.open_loop(self._callers, rates[-1], minutes * 60 / parts)
        self._report_errors(
            f"{minutes:g} minutes at {STEADY_SHARE:.0%} of capacity, measured anew each minute", outcomes
        )
        self._report("requests a second", f"{min(rates):.0f} to {max(rates):.0f}")
        if steal is not None and (now := _steal_seconds()) is not None:
            share = (now - steal) / (time.perf_counter() - start) / (os.cpu_count() or 1)
            self._report("processor time that the host took (steal)", f"{share:.1%}")
        self._report(
            "response times", ", ".join(f"p{p:g} {_ms(outcomes, p / 100)}" for p in (50, 95, 99, 99.9))
        )
        after = await self._open_files()
        for name in NAMES:
            samples, files_open = watch.samples[name], f"{files[name]} open files before, {after[name]} after"
            growth = f"{samples[-1].memory:.0f} MB, {slope(samples):+.2f} MB a minute"
            self._report(f"memory and files, {name}", f"{growth}; {files_open}", "flat")
            self._require(not grows(samples), f"{name} grew by {slope(samples):.2f} MB a minute")
            self._require(after[name] <= files[name] + EXTRA_FILES, f"{name} has {files_open}")

    async def overload(self, seconds: int) -> None:
        """Load the app beyond its capacity in some floods; measure answers, refusals and recovery."""
        floods: list[Flood] = []
        shares: list[float] = []
        long = FLOOD_PART * seconds
        before = await self._rate(long)
        for _ in range(FLOODS):
            flood, after = await self._flood(before, long), await self._rate(long)
            # A machine's speed drifts, so capacity is measured just before and after.
            floods.append(flood)
            shares.append(2 * flood.rate / (before + after))
            before = after
        outcomes = [outcome for flood in floods for outcome in flood.outcomes]
        refused = [outcome for outcome in outcomes if outcome.kind in REFUSALS]
        without_retry_after = sum(not outcome.retry_after for outcome in refused)
        recovery = max(flood.recovery for flood in floods)
        offered = min(flood.offered for flood in floods)
        share = statistics.fmean(shares)
        spent = sum(flood.busy for flood in floods) - len(_verdicts_of(outcomes)) * self._busy
        self._report(
            f"{FLOODS} floods of {long:g} s at {offered:.1f} times capacity or more",
            _counts(outcomes),
            "only 200, 429 and 503",
        )
        spread = f"{min(shares):.0%} to {max(shares):.0%}"
        answered = f"{share:.0%} of capacity just before and after ({spread})"
        self._report("verdicts during floods", answered, f"{LEAST_SHARE:.0%} or more")
        self._report(
            "processor time a refusal", f"api {max(0.0, spent) / max(1, len(refused)) * 1_000:.2f} ms"
        )
        self._report(
            "refusals",
            f"p99 {_ms(refused, 0.99)}, {without_retry_after} without Retry-After",
            "within 1 s, 0",
        )
        slowest = load.percentile(outcomes, 1)
        self._report("slowest answer", f"{slowest:.1f} s", f"within {SLOWEST_SECONDS:g} s")
        self._require(slowest <= SLOWEST_SECONDS, f"overload: an answer took {slowest:.1f} s")
        self._report("recovery", f"{recovery:.1f} s at most", f"within {RECOVERED_SECONDS:g} s")
        self._require(
            {outcome.kind for outcome in outcomes} <= {"200", *REFUSALS}, f"overload: {_counts(outcomes)}"
        )
        self._require(share >= LEAST_SHARE, f"overload: verdicts at only {share:.0%} of capacity")
        self._require(load.percentile(refused, 0.99) <= REFUSED_SECONDS, "refusals took over 1 s")
        self._require(not without_retry_after, "refusals without Retry-After")
        self._require(recovery <= RECOVERED_SECONDS, f"the app recovered after {recovery:.1f} s")

    async def _flood(self, capacity: float, seconds: float) -> "Flood":
        start, spent = time.perf_counter(), busy(self._stack.pid_of("api"))
        outcomes = await load.open_loop(self._callers, OVERLOAD * capacity, seconds)
        duration = self._callers.last_sent - start
        offered = len(outcomes) / max(seconds, duration) / capacity
        # Verdicts after the last request don't count: then the app refuses nothing.
        in_time = [
            outcome
            for outcome in _verdicts_of(outcomes)
            if outcome.due + outcome.seconds <= self._callers.last_sent
        ]
        rate = len(in_time) / duration
        spent = busy(self._stack.pid_of("api")) - spent
        return Flood(outcomes, offered, rate, spent, await self._recover())

    async def _rate(self, seconds: float) -> float:
        """Return the verdicts a second of waiting callers."""
        start = time.perf_counter()
        verdicts = _verdicts_of(await load.closed_loop(self._callers, CALLERS, seconds))
        return len(verdicts) / (time.perf_counter() - start)

    async def load_beside_slow_callers(self, seconds: int) -> None:
        """Load the app beside many slow callers; half of them send headers, half a body."""
        rate = BESIDE_SHARE * self._capacity
        alone = await load.open_loop(self._callers, rate, seconds)
        slow = [asyncio.create_task(_drip(self._stack.api, at % 2 == 0)) for at in range(SLOW_CALLERS)]
        beside = await load.open_loop(self._callers, rate, max(SLOW_SECONDS, seconds))
        ended = sum(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        self._report_errors(f"beside {SLOW_CALLERS} slow callers", beside)
        self._report("p99 beside slow callers, and alone", f"{_ms(beside, 0.99)}, {_ms(alone, 0.99)}")
        self._report("slow callers disconnected", f"{ended}", f"{SLOW_CALLERS}")
        self._require(ended == SLOW_CALLERS, f"only {ended} slow callers were disconnected")

    async def kill(self, name: str) -> None:
        """Kill a process under load, and compare the callers' answers with the API's log."""
        callers = self._page if name == "page" else self._callers
        rate, seconds, printed = KILLED_SHARE * self._capacity, RESTART_SECONDS + 3, len(self._stack.log)
        load_task = asyncio.create_task(load.open_loop(callers, rate, seconds))
        await asyncio.sleep(2)
        pid, killed_at = self._pid_of(name), time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        outcomes = await load_task
        recovery = max(
            (outcome.due - killed_at for outcome in outcomes if outcome.kind != "200"), default=0.0
        )
        result = f"{_counts(outcomes)}; recovered after {max(0.0, recovery):.1f} s"
        self._report(f"{name} killed with -9", result, f"one outcome each of {int(rate * seconds):,}")
        self._require(not alive(pid), f"{name} was not killed")
        self._require(len(outcomes) == int(rate * seconds), f"{name} killed: {len(outcomes)} outcomes")
        allowed = {"200", "502", "503", "504", BROKEN}
        self._require(
            {outcome.kind for outcome in outcomes} <= allowed, f"{name} killed: {_counts(outcomes)}"
        )
        self._require(recovery < RESTART_SECONDS, f"{name} was not back after {RESTART_SECONDS} s")
        if name != "page":
            await self._compare(outcomes, printed)

    async def _compare(self, outcomes: Sequence[Outcome], printed: int) -> None:
        answered = {outcome.id: outcome.kind for outcome in outcomes if outcome.kind != BROKEN}
        for _ in range(LOG_SECONDS):
            written = _statuses(self._stack.log[printed:])
            odd = sum(written.get(name) != [kind] for name, kind in answered.items())
            if not odd:
                break
            await asyncio.sleep(1)  # the last lines may still be missing
        self._report(
            "its log lines", f"{len(answered) - odd:,} of {len(answered):,} answers, once each", "all"
        )
        self._require(not odd, f"{odd} answers differ from the log")

    async def _recover(self) -> float:
        """Return the seconds until the first of ten answers in a row that are about as fast as before."""
        began = start = time.perf_counter()
        row = 0
        while row < 10 and time.perf_counter() - began < 60:
            outcome = await self._callers.send(time.perf_counter())
            if outcome.kind == "200" and outcome.seconds <= 2 * self._p99:
                row += 1
            else:
                row, start = 0, time.perf_counter()
        return start - began

    def _report_errors(self, quantity: str, outcomes: Sequence[Outcome]) -> None:
        wrong = len(outcomes) - len(_verdicts_of(outcomes))
        self._report(quantity, f"{len(outcomes):,} requests, {wrong:,} errors", "0 errors")
        self._require(not wrong, f"{quantity}: {_counts(outcomes)}")

    def _report(self, quantity: str, measured: str, required: str = "") -> None:
        self.rows.append((quantity, measured, required))

    def _require(self, holds: bool, failure: str) -> None:
        if not holds:
            self.failed.append(failure)

    async def _open_files(self) -> dict[str, int]:
        """Count open files by process, without load."""
        await self._callers.hang_up()
        await asyncio.sleep(QUIET_SECONDS)
        return {name: open_files(pid) for name, pid in self._pids().items()}

    def _pid_of(self, name: str) -> int:
        if name == WORKER:
            return psutil.Process(self._stack.pid_of("api")).children()[0].pid
        return self._stack.pid_of(name)

    def _pids(self) -> dict[str, int]:
        return {name: self._stack.pid_of(name) for name in NAMES}


async def _drip(url: str, body: bool) -> None:
    """Send a byte of headers or of a body every half second, until the server disconnects."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    start = b"POST /v1/sentiment HTTP/1.1\r\nHost: loopback\r\nContent-Type: text/plain\r\n"
    writer.write(start + b"Content-Length: 9000\r\n\r\n" if body else start)
    try:
        answered = False
        while not answered:
            writer.write(b"a")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1_000), 0.5)
                answered = True
    except OSError:
        return
    finally:
        writer.close()


def _statuses(log: Sequence[str]) -> dict[str, list[str]]:
    """Return the statuses in the API's log, by request id."""
    written: dict[str, list[str]] = {}
    for line in log:
        if line.startswith("api") and '{"request_id": "torture-' in line:  # not the hooks' own line
            message = json.loads(line.partition("|")[2])
            written.setdefault(message["request_id"], []).append(str(message["status"]))
    return written


def _verdicts_of(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.kind == "200"]


def _busy(watch: Watch, name: str) -> float:
    return watch.samples[name][-1].busy - watch.samples[name][0].busy


def _steal_seconds() -> float | None:
    """Return the seconds that the host took from this virtual machine's cores; None where unknown."""
    return getattr(psutil.cpu_times(), "steal", None)


def _ms(outcomes: Sequence[Outcome], share: float) -> str:
    return f"{load.percentile(outcomes, share) * 1_000:.0f} ms"


def _counts(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(f"{count:,} × {kind}" for kind, count in load.count_kinds(outcomes).items())
