"""Run several requests of a batch at once, and return their answers in order.

At most ``concurrency`` requests run or wait with their answers, so memory has a bound. A batch that fails or
is left early ends its threads or tasks first.
"""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Any, TypeVar

from verdict_sentiment.calls import Call, Chunk
from verdict_sentiment.results import Message

# httpx opens at most as many connections.
MAX_CONCURRENCY = 100

Result = TypeVar("Result")
# It is done when a batch has ended, and waits are over.
Stop = Future[None]
Ask = Callable[[Call, Stop | None], Message]
AskAsync = Callable[[Call], Coroutine[None, None, Message]]
Answered = tuple[Chunk, Message | None]


def in_order(chunks: Iterator[Chunk], ask: Ask, concurrency: int) -> Generator[Answered, None, None]:
    """Yield requests with their answers, None for one that is not sent.

    ``ask`` runs in threads, and returns soon after its ``Stop`` is done. ``chunks`` are read in the caller's
    thread. Raises their exception or that of ``ask``, after all results before it, and ValueError for a
    concurrency that can't be used.
    """
    if check_concurrency(concurrency) == 1:
        for chunk in chunks:
            yield chunk, ask(chunk.call, None) if chunk.call else None
        return
    pipeline = _Pipeline(chunks, ask, concurrency)
    try:
        while pipeline.fill():
            yield pipeline.first()
    finally:
        pipeline.stop()


async def in_order_async(
    chunks: AsyncIterator[Chunk], ask: AskAsync, concurrency: int
) -> AsyncGenerator[Answered, None]:
    """Yield requests with their answers, as ``in_order`` does; ``chunks`` are read by a task of their own."""
    if check_concurrency(concurrency) == 1:
        async for chunk in chunks:
            yield chunk, await ask(chunk.call) if chunk.call else None
        return
    room = asyncio.Semaphore(concurrency)
    started: asyncio.Queue[tuple[Chunk, asyncio.Task[Message] | None] | None] = asyncio.Queue()
    tasks: set[asyncio.Task[Message]] = set()

    async def read() -> None:
        try:
            async for chunk in chunks:
                await room.acquire()
                task = asyncio.create_task(ask(chunk.call)) if chunk.call else None
                tasks.update([task] if task else [])
                started.put_nowait((chunk, task))
        finally:
            started.put_nowait(None)

    reader = asyncio.create_task(read())
    try:
        while first := await started.get():
            chunk, task = first
            message = await task if task else None
            tasks -= {task} if task else set()
            room.release()
            yield chunk, message
        await reader
    finally:
        for running in (reader, *tasks):
            running.cancel()
        await asyncio.gather(reader, *tasks, return_exceptions=True)


def within(seconds: float, work: Callable[[], Result], stop: Stop | None = None) -> Result:
    """Return the result of some work, or raise its exception.

    Raises TimeoutError after ``seconds``, and CancelledError once ``stop`` is done.
    """
    future, _ = start(work, "verdict-try")
    ends: list[Future[Any]] = [future, stop] if stop else [future]
    wait(ends, seconds, FIRST_COMPLETED)
    if stop and stop.done():
        raise CancelledError
    return future.result(0)


def pause(seconds: float, stop: Stop | None = None) -> None:
    """Wait. Raises CancelledError once ``stop`` is done."""
    ending: Stop = Future() if stop is None else stop
    wait([ending], seconds)
    if ending.done():
        raise CancelledError


def start(work: Callable[[], Result], name: str) -> tuple[Future[Result], threading.Thread]:
    """Start some work in a thread of this name, for which no program waits at its end."""
    future: Future[Result] = Future()
    run = contextvars.copy_context().run  # tracers need the caller's context in the thread

    def finish() -> None:
        try:
            future.set_result(run(work))
        except BaseException as error:  # the caller handles every kind
            future.set_exception(error)

    thread = threading.Thread(target=finish, daemon=True, name=name)
    thread.start()
    return future, thread


def check_concurrency(concurrency: int) -> int:
    """Return a number of requests at once. Raises ValueError."""
    if type(concurrency) is not int or not 1 <= concurrency <= MAX_CONCURRENCY:
        raise ValueError(
            f"concurrency must be a whole number from 1 to {MAX_CONCURRENCY}, got {concurrency!r}"
        )
    return concurrency


class _Pipeline:
    """Requests that run at once, in their order."""

    def __init__(self, chunks: Iterator[Chunk], ask: Ask, concurrency: int) -> None:
        self._chunks, self._ask, self._concurrency = chunks, ask, concurrency
        self._running: deque[tuple[Chunk, Future[Message] | None, threading.Thread | None]] = deque()
        self._stop: Stop = Future()
        self._failure: Exception | None = None
        self._ended = False

    def fill(self) -> bool:
        """Start requests while there is room and the first has no answer; return whether one is left.

        Raises the exception of ``chunks`` when none is left.
        """
        while not self._ended and len(self._running) < self._concurrency and not self._is_answered():
            try:
                chunk = next(self._chunks)
            except StopIteration:
                self._ended = True
            except Exception as error:  # the results before it come first
                self._ended, self._failure = True, error
            else:
                self._start(chunk)
        if self._failure and not self._running:
            raise self._failure
        return bool(self._running)

    def first(self) -> Answered:
        """Wait for the first request's answer and return both. Raises the exception of ``ask``."""
        chunk, future, _ = self._running[0]
        message = future.result() if future else None
        self._running.popleft()
        return chunk, message

    def stop(self) -> None:
        """End all that run, and wait for their threads."""
        self._stop.set_result(None)
        for _, _, thread in self._running:
            if thread:
                thread.join()

    def _start(self, chunk: Chunk) -> None:
        call = chunk.call
        future, thread = (
            start(lambda: self._ask(call, self._stop), "verdict-request") if call else (None, None)
        )
        self._running.append((chunk, future, thread))

    def _is_answered(self) -> bool:
        if not self._running:
            return False
        _, future, _ = self._running[0]
        return future is None or future.done()
