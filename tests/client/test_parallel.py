"""Batches with several requests at once: order, errors, memory, early ends."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from verdict_sentiment import UnavailableError, calls, parallel
from verdict_sentiment.calls import Call
from verdict_sentiment.results import Message

REVIEWS = calls.MAX_REVIEWS
Outcomes = tuple[list[int], Exception | None]


def first_id(call: Call) -> int:
    return int((call.message or {})["reviews"][0]["id"]) // REVIEWS


def reviews(requests: int, taken: list[int] | None = None) -> Iterator[str]:
    """Yield the reviews of so many requests, counting them in ``taken``."""
    for number in range(requests * REVIEWS):
        if taken is not None:
            taken.append(number)
        yield "good"


async def async_reviews(requests: int, taken: list[int] | None = None) -> AsyncIterator[str]:
    for review in reviews(requests, taken):
        yield review


class Gate:
    """A service whose requests end when a test says so, in any order."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.most = self.now = 0
        self._lock = threading.Lock()
        self._opened: dict[int, threading.Event] = {}
        self.failing: set[int] = set()

    def open(self, *numbers: int) -> None:
        for number in numbers:
            self._event(number).set()

    def ask(self, call: Call, stop: "Future[None] | None") -> Message:
        number = first_id(call)
        with self._lock:
            self.started.append(number)
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            while not self._event(number).wait(0.01):
                if stop and stop.done():
                    raise CancelledError
        finally:
            with self._lock:
                self.now -= 1
        if number in self.failing:
            raise UnavailableError("it broke", code="internal", status=500)
        return {"number": number}

    def _event(self, number: int) -> threading.Event:
        with self._lock:
            return self._opened.setdefault(number, threading.Event())


@pytest.fixture
def gate() -> Gate:
    return Gate()


def run(gate: Gate, source: Iterator[str], concurrency: int) -> Outcomes:
    """Return the numbers of the requests answered, and the exception that ended them."""
    numbers: list[int] = []
    try:
        for _, message in parallel.in_order(calls.batch(source, "none"), gate.ask, concurrency):
            numbers.append((message or {})["number"])
    except Exception as error:
        return numbers, error
    return numbers, None


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "verdict-request"]


def test_answers_stay_in_order_whichever_comes_first(gate: Gate) -> None:
    def open_backwards() -> None:
        while len(gate.started) < 4:
            time.sleep(0.001)
        gate.open(3, 2, 1)
        while gate.now > 1:
            time.sleep(0.001)
        gate.open(0, 4, 5)

    threading.Thread(target=open_backwards, daemon=True).start()
    assert run(gate, reviews(6), 4) == ([0, 1, 2, 3, 4, 5], None)
    assert gate.most == 4


def test_no_more_is_read_than_runs_at_once(gate: Gate) -> None:
    taken: list[int] = []
    answered = parallel.in_order(calls.batch(reviews(1000, taken), "none"), gate.ask, 3)
    gate.open(0)
    next(answered)
    # A request is full when the review after it was read.
    assert len(taken) <= 3 * REVIEWS + 1
    answered.close()


def test_a_batch_that_is_left_early_ends_its_threads(gate: Gate) -> None:
    gate.open(0)
    answered = parallel.in_order(calls.batch(reviews(50), "none"), gate.ask, 4)
    next(answered)
    answered.close()
    assert threads() == []
    assert len(gate.started) <= 4


def test_a_failure_comes_after_the_results_before_it_and_ends_the_others(gate: Gate) -> None:
    gate.failing = {2}
    gate.open(0, 1, 2)
    numbers, error = run(gate, reviews(10), 4)
    assert numbers == [0, 1]
    assert isinstance(error, UnavailableError)
    assert threads() == []


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_source_that_fails_comes_after_the_results_before_it(gate: Gate, concurrency: int) -> None:
    def broken() -> Iterator[str]:
        yield from reviews(3)
        yield "good"
        raise KeyError("row 300")

    gate.open(*range(9))
    numbers, error = run(gate, broken(), concurrency)
    assert numbers == [0, 1, 2]
    assert isinstance(error, KeyError)


def test_the_source_is_read_by_the_caller_s_thread_alone(gate: Gate) -> None:
    readers: set[int] = set()

    def source() -> Iterator[str]:
        for review in reviews(5):
            readers.add(threading.get_ident())
            yield review

    gate.open(*range(9))
    run(gate, source(), 3)
    assert readers == {threading.get_ident()}


@pytest.mark.parametrize("concurrency", [0, -1, 1.0, True, "2", None, 101])
def test_another_concurrency_is_refused_by_name(gate: Gate, concurrency: Any) -> None:
    _, error = run(gate, reviews(1), concurrency)
    assert isinstance(error, ValueError)
    assert str(error).startswith("concurrency must be a whole number from 1 to 100, got ")


# --- asyncio ------------------------------------------------------------------------------------


class AsyncGate:
    """A Gate for asyncio; ``ended`` counts requests that ended in any way."""

    def __init__(self) -> None:
        self.now = self.most = self.ended = 0
        self.failing: set[int] = set()
        self.closed: set[int] = set()

    async def ask(self, call: Call) -> Message:
        number = first_id(call)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.001 * (5 - number % 5))  # later requests overtake earlier ones
            while number in self.closed:
                await asyncio.sleep(0.001)
            if number in self.failing:
                raise UnavailableError("it broke", code="internal", status=500)
            return {"number": number}
        finally:
            self.now -= 1
            self.ended += 1


async def run_async(gate: AsyncGate, source: Any, concurrency: int) -> Outcomes:
    numbers: list[int] = []
    try:
        chunks = calls.batch_async(source, "none")
        async for _, message in parallel.in_order_async(chunks, gate.ask, concurrency):
            numbers.append((message or {})["number"])
    except Exception as error:
        return numbers, error
    return numbers, None


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("source", [reviews, async_reviews])
def test_async_answers_stay_in_order(source: Callable[[int], Any], concurrency: int) -> None:
    gate = AsyncGate()
    assert asyncio.run(run_async(gate, source(9), concurrency)) == (list(range(9)), None)
    assert gate.most == concurrency


def test_an_async_source_is_read_no_faster_than_it_is_judged() -> None:
    async def main() -> int:
        gate, taken = AsyncGate(), list[int]()
        gate.closed = {0}
        chunks = calls.batch_async(async_reviews(1000, taken), "none")
        answered = parallel.in_order_async(chunks, gate.ask, 3)
        first = asyncio.create_task(anext(answered))
        await asyncio.sleep(0.1)
        gate.closed.clear()
        await first
        await answered.aclose()
        return len(taken)

    # One request more waits for room, and each is full when the review after it was read.
    assert asyncio.run(main()) <= 5 * REVIEWS + 1


@pytest.mark.parametrize("concurrency", [1, 4])
def test_an_async_failure_comes_after_the_results_before_it(concurrency: int) -> None:
    gate = AsyncGate()
    gate.failing, gate.closed = {2}, {3} if concurrency > 1 else set()
    numbers, error = asyncio.run(run_async(gate, async_reviews(10), concurrency))
    assert numbers == [0, 1]
    assert isinstance(error, UnavailableError)
    assert gate.now == 0


@pytest.mark.parametrize("concurrency", [1, 4])
def test_an_async_source_that_fails_comes_after_the_results_before_it(concurrency: int) -> None:
    async def broken() -> AsyncIterator[str]:
        async for review in async_reviews(3):
            yield review
        yield "good"
        raise KeyError("row 300")

    numbers, error = asyncio.run(run_async(AsyncGate(), broken(), concurrency))
    assert numbers == [0, 1, 2]
    assert isinstance(error, KeyError)


def test_a_cancelled_async_batch_ends_its_requests() -> None:
    async def main() -> int:
        gate = AsyncGate()
        gate.closed = set(range(50))
        task = asyncio.create_task(run_async(gate, async_reviews(50), 4))
        while gate.now < 4:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # What stays is the task of this test.
        return gate.now + len(asyncio.all_tasks()) - 1

    assert asyncio.run(main()) == 0
