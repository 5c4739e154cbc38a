"""The running app under load: as much as it can take, five times that, slow callers, processes killed.

It runs as `make serve` starts it, without a limit for each address: here all requests come from one.
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

NAMES = ("endpoint", "api", "page")
WARM_SECONDS = 5
WAITING = 16
# A machine is now faster and now slower: capacity is what it keeps up in the slowest part of a longer time.
CAPACITY_TIMES, CAPACITY_PARTS = 3, 4
PACE_SECONDS = 10
STEADY_SHARE, OVERLOAD, BESIDE_SHARE, KILLED_SHARE = 0.8, 5, 0.5, 0.3
LEAST_GOOD, REFUSED_SECONDS, RECOVERED_SECONDS = 0.8, 1.0, 5.0
# A machine's pace drifts within a minute, so that many short floods tell more than a few long ones.
FLOODS, FLOOD_PART = 12, 0.5
REFUSALS = ("429", "503")
# Longer than a header or a body may take.
SLOW_CALLERS, SLOW_SECONDS = 200, 30
# Files that may be open more than before, when nobody asks any more.
MORE_FILES, QUIET_SECONDS = 5, 2
LOG_SECONDS = 10
# How long a killed process may take until requests are answered again.
AGAIN_SECONDS = 15


@contextmanager
def served() -> Iterator[Stack]:
    """Run the app as `make serve` does."""
    stack = Stack("--serve", RATE_LIMIT="off")
    try:
        stack.wait_for("Verdict is ready")
        yield stack
    finally:
        stack.stop()


def stress(options: argparse.Namespace) -> Section:
    """Do all of it, one after the other, on one running app."""
    gc.disable()  # with hundreds of thousands of outcomes a collection takes so long that a burst follows
    try:
        with served() as stack:
            stressed = asyncio.run(_stress(stack, options))
    finally:
        gc.enable()
    return Section(
        "The running app under load",
        "`make serve` starts the app on loopback, and the caller runs on the same cores. A request is a"
        f" review of {len(load.REVIEW):,} characters, explained by sentences. Each answer is"
        " compared with the first.",
        ("quantity", "measured", "must be"),
        stressed.rows,
        stressed.failed,
    )


async def _stress(stack: Stack, options: argparse.Namespace) -> "Stress":
    async with Callers(stack.api) as callers, Callers(stack.page, None, "/") as page:
        stressed = Stress(stack, callers, page)
        await stressed.find_capacity(options.seconds)
        await stressed.ask_steadily(options.minutes)
        await stressed.overload(options.seconds)
        await stressed.ask_beside_slow_callers(options.seconds)
        for name in NAMES:
            await stressed.kill(name)
    return stressed


class Flood(NamedTuple):
    """A time of overload: its outcomes; how many times capacity was asked for; verdicts a second; seconds."""

    outcomes: list[Outcome]
    offered: float
    good: float
    busy: float
    recovered: float


class Stress:
    """A running app that is tried; ``rows`` and ``failed`` are what is told of it."""

    def __init__(self, stack: Stack, callers: Callers, page: Callers) -> None:
        self.rows: list[tuple[str, str, str]] = []
        self.failed: list[str] = []
        self._stack, self._callers, self._page = stack, callers, page
        # Verdicts a second, the time within which 99 % of them came, and the API's processor time for one.
        self._capacity, self._p99, self._busy = 0.0, 0.0, 0.0

    async def find_capacity(self, seconds: int) -> None:
        """Have some callers ask as fast as they are answered."""
        await load.waiting(self._callers, WAITING, WARM_SECONDS)
        with Watch(self._pids()) as watch:
            right = _right(await load.waiting(self._callers, WAITING, CAPACITY_TIMES * seconds))
        rates = load.rates(right, seconds / CAPACITY_PARTS)
        self._capacity, self._p99 = min(rates), load.percentile(right, 0.99)
        self._tell(
            f"capacity, {WAITING} callers that wait",
            f"{self._capacity:.0f} verdicts a second at the slowest, {max(rates):.0f} at the fastest",
        )
        endpoint, self._busy = (_busy(watch, name) / max(1, len(right)) for name in ("endpoint", "api"))
        times = f"endpoint {endpoint * 1_000:.1f} ms, api {self._busy * 1_000:.1f} ms"
        self._tell("processor time a verdict", times)

    async def ask_steadily(self, minutes: float) -> None:
        """Ask for long at less than it can take, which is found anew each minute; watch what is kept."""
        parts, files = max(1, round(minutes)), await self._open_files()
        outcomes: list[Outcome] = []
        rates = []
        began, stolen = time.perf_counter(), _stolen()
        with Watch(self._pids()) as watch:
            for _ in range(parts):
                waited = _right(await load.waiting(self._callers, WAITING, PACE_SECONDS))
                rates.append(STEADY_SHARE * min(load.rates(waited, PACE_SECONDS / CAPACITY_PARTS)))
                outcomes += await load.steadily(self._callers, rates[-1], minutes * 60 / parts)
        self._tell_all_right(
            f"{minutes:g} minutes at {STEADY_SHARE:.0%} of it, found anew each minute", outcomes
        )
        self._tell("so many a second", f"{min(rates):.0f} to {max(rates):.0f}")
        if stolen is not None and (now := _stolen()) is not None:
            share = (now - stolen) / (time.perf_counter() - began) / (os.cpu_count() or 1)
            self._tell("processor time that the host gave to others", f"{share:.1%}")
        self._tell("their times", ", ".join(f"p{p:g} {_ms(outcomes, p / 100)}" for p in (50, 95, 99, 99.9)))
        after = await self._open_files()
        for name in NAMES:
            samples, kept = watch.samples[name], f"{files[name]} open files before, {after[name]} after"
            told = f"{samples[-1].memory:.0f} MB, {slope(samples):+.2f} MB a minute; {kept}"
            self._tell(f"memory and files, {name}", told, "flat")
            self._hold(not grows(samples), f"{name} grew by {slope(samples):.2f} MB a minute")
            self._hold(after[name] <= files[name] + MORE_FILES, f"{name} has {kept}")

    async def overload(self, seconds: int) -> None:
        """Ask for more than it can take, a few times; look what is answered, and how soon it is as it was."""
        floods, long = [], FLOOD_PART * seconds
        before = await self._verdicts(long)
        for _ in range(FLOODS):
            flood, after = await self._flood(before, long), await self._verdicts(long)
            # A machine's pace drifts: what counts is what it can take just before and after.
            floods.append(flood._replace(good=2 * flood.good / (before + after)))
            before = after
        outcomes = [one for flood in floods for one in flood.outcomes]
        refused = [one for one in outcomes if one.kind in REFUSALS]
        unadvised = sum(not one.advised for one in refused)
        recovered, offered = (
            max(flood.recovered for flood in floods),
            min(flood.offered for flood in floods),
        )
        shares = sorted(flood.good for flood in floods)
        good = statistics.fmean(shares)
        spent = sum(flood.busy for flood in floods) - len(_right(outcomes)) * self._busy
        self._tell(
            f"{FLOODS} times {long:g} s at {offered:.1f} times of it or more",
            _counts(outcomes),
            "200, 429 and 503 alone",
        )
        told = f"{good:.0%} of what it can take just before and after ({shares[0]:.0%} to {shares[-1]:.0%})"
        self._tell("answered all the same", told, f"{LEAST_GOOD:.0%} or more")
        self._tell("processor time a refusal", f"api {max(0.0, spent) / max(1, len(refused)) * 1_000:.2f} ms")
        self._tell("refusals", f"p99 {_ms(refused, 0.99)}, {unadvised} without Retry-After", "within 1 s, 0")
        self._tell("recovered", f"after {recovered:.1f} s at most", f"within {RECOVERED_SECONDS:g} s")
        self._hold({one.kind for one in outcomes} <= {"200", *REFUSALS}, f"overload: {_counts(outcomes)}")
        self._hold(good >= LEAST_GOOD, f"only {good:.0%} were answered in overload")
        self._hold(load.percentile(refused, 0.99) <= REFUSED_SECONDS, "refusals took over 1 s")
        self._hold(not unadvised, "refusals without Retry-After")
        self._hold(recovered <= RECOVERED_SECONDS, f"it recovered after {recovered:.1f} s")

    async def _flood(self, capacity: float, seconds: float) -> "Flood":
        began, spent = time.perf_counter(), busy(self._stack.pid_of("api"))
        outcomes = await load.steadily(self._callers, OVERLOAD * capacity, seconds)
        asked_for = self._callers.asked_last - began
        offered = len(outcomes) / max(seconds, asked_for) / capacity
        # What is answered afterwards, with nothing to refuse, doesn't count.
        in_time = [one for one in _right(outcomes) if one.due + one.seconds <= self._callers.asked_last]
        good = len(in_time) / asked_for
        spent = busy(self._stack.pid_of("api")) - spent
        return Flood(outcomes, offered, good, spent, await self._recover())

    async def _verdicts(self, seconds: float) -> float:
        """Return how many verdicts a second callers get that wait."""
        began = time.perf_counter()
        right = _right(await load.waiting(self._callers, WAITING, seconds))
        return len(right) / (time.perf_counter() - began)

    async def ask_beside_slow_callers(self, seconds: int) -> None:
        """Ask while many others send a byte now and then, half of them headers, half a body."""
        rate = BESIDE_SHARE * self._capacity
        alone = await load.steadily(self._callers, rate, seconds)
        slow = [asyncio.create_task(_drip(self._stack.api, at % 2 == 0)) for at in range(SLOW_CALLERS)]
        beside = await load.steadily(self._callers, rate, max(SLOW_SECONDS, seconds))
        ended = sum(one.done() for one in slow)
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        self._tell_all_right(f"beside {SLOW_CALLERS} slow callers", beside)
        self._tell("their p99, and without those", f"{_ms(beside, 0.99)}, {_ms(alone, 0.99)}")
        self._tell("slow callers shown out", f"{ended}", f"{SLOW_CALLERS}")
        self._hold(ended == SLOW_CALLERS, f"only {ended} slow callers were shown out")

    async def kill(self, name: str) -> None:
        """Kill a process under load, and compare what callers heard with what the API wrote."""
        callers = self._page if name == "page" else self._callers
        rate, seconds, printed = KILLED_SHARE * self._capacity, AGAIN_SECONDS + 3, len(self._stack.log)
        going = asyncio.create_task(load.steadily(callers, rate, seconds))
        await asyncio.sleep(2)
        pid, at = self._stack.pid_of(name), time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        outcomes = await going
        again = max((one.due - at for one in outcomes if one.kind != "200"), default=0.0)
        told = f"{_counts(outcomes)}; fine again after {max(0.0, again):.1f} s"
        self._tell(f"{name} killed with -9", told, f"one outcome each of {int(rate * seconds):,}")
        self._hold(not alive(pid), f"{name} was not killed")
        self._hold(len(outcomes) == int(rate * seconds), f"{name} killed: {len(outcomes)} outcomes")
        allowed = {"200", "502", "503", "504", BROKEN}
        self._hold({one.kind for one in outcomes} <= allowed, f"{name} killed: {_counts(outcomes)}")
        self._hold(again < AGAIN_SECONDS, f"{name} was not back after {AGAIN_SECONDS} s")
        if name != "page":
            await self._compare(outcomes, printed)

    async def _compare(self, outcomes: Sequence[Outcome], printed: int) -> None:
        answered = {one.id: one.kind for one in outcomes if one.kind != BROKEN}
        for _ in range(LOG_SECONDS):
            written = _statuses(self._stack.log[printed:])
            odd = sum(written.get(name) != [kind] for name, kind in answered.items())
            if not odd:
                break
            await asyncio.sleep(1)  # the last lines may be on their way
        self._tell("its log lines", f"{len(answered) - odd:,} of {len(answered):,} answers, once each", "all")
        self._hold(not odd, f"{odd} answers are not in the log as they were given")

    async def _recover(self) -> float:
        """Ask until ten in a row are answered about as fast as before; give after how long they began."""
        began = start = time.perf_counter()
        row = 0
        while row < 10 and time.perf_counter() - began < 60:
            outcome = await self._callers.ask(time.perf_counter())
            if outcome.kind == "200" and outcome.seconds <= 2 * self._p99:
                row += 1
            else:
                row, start = 0, time.perf_counter()
        return start - began

    def _tell_all_right(self, what: str, outcomes: Sequence[Outcome]) -> None:
        wrong = len(outcomes) - len(_right(outcomes))
        self._tell(what, f"{len(outcomes):,} requests, {wrong:,} errors", "0 errors")
        self._hold(not wrong, f"{what}: {_counts(outcomes)}")

    def _tell(self, what: str, measured: str, must: str = "") -> None:
        self.rows.append((what, measured, must))

    def _hold(self, fine: bool, otherwise: str) -> None:
        if not fine:
            self.failed.append(otherwise)

    async def _open_files(self) -> dict[str, int]:
        """Count open files by process while nobody asks."""
        await self._callers.hang_up()
        await asyncio.sleep(QUIET_SECONDS)
        return {name: open_files(pid) for name, pid in self._pids().items()}

    def _pids(self) -> dict[str, int]:
        return {name: self._stack.pid_of(name) for name in NAMES}


async def _drip(url: str, body: bool) -> None:
    """Send a byte now and then, of headers or of a body, until the server has enough."""
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
    """Return the statuses that the API wrote, by request id."""
    written: dict[str, list[str]] = {}
    for line in log:
        if line.startswith("api") and '"request_id": "torture-' in line:
            message = json.loads(line.partition("|")[2])
            written.setdefault(message["request_id"], []).append(str(message["status"]))
    return written


def _right(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one.kind == "200"]


def _busy(watch: Watch, name: str) -> float:
    return watch.samples[name][-1].busy - watch.samples[name][0].busy


def _stolen() -> float | None:
    """Return for how long the host took this virtual machine's cores, in seconds; None if it isn't told."""
    return getattr(psutil.cpu_times(), "steal", None)


def _ms(outcomes: Sequence[Outcome], share: float) -> str:
    return f"{load.percentile(outcomes, share) * 1_000:.0f} ms"


def _counts(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(f"{count:,} × {kind}" for kind, count in load.kinds(outcomes).items())
