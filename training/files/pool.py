"""Processes that share work. Each has the model, and a pipe of its own.

The end of a process closes its pipe, even amid a result. So nobody waits for what can't come any more.
"""

import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType
from typing import Any, NamedTuple

from training.endpoint import inference
from training.endpoint.inference import LoadedModel

# The tasks of a process: the one that it does, and one that waits.
TASKS = 2
# Tasks a process that are sent before the first of them is yielded: enough to keep it busy, few enough to fit
# in memory.
AHEAD = 16
# The threads of this process, on Linux.
THREADS = Path("/proc/self/task")

# Does a task with the model, and returns its result.
Work = Callable[[LoadedModel, Any], Any]


class DiedError(Exception):
    """A process died before it had sent its result."""


class Worker(NamedTuple):
    """A process, and this end of its pipe."""

    process: BaseProcess
    connection: Connection


class Pool:
    """Processes that do one kind of work."""

    def __init__(self, workers: list[Worker]) -> None:
        self.workers = workers

    def map(self, tasks: Iterable[Any]) -> Iterator[Any]:
        """Yield the results of tasks, in the tasks' order. Call it again once all results were yielded.

        Raises DiedError, or what a task raises.
        """
        given: dict[Connection, deque[int]] = {worker.connection: deque() for worker in self.workers}
        results: dict[int, Any] = {}
        remaining = enumerate(tasks)
        turn = sent = 0
        while True:
            for number, task in _next(remaining, given, turn + AHEAD * len(given) - sent):
                idlest = min(given, key=lambda connection: len(given[connection]))
                _send(idlest, task)
                given[idlest].append(number)
                sent += 1
            if turn == sent:
                return
            busy = [connection for connection, numbers in given.items() if numbers]
            for connection in wait(busy, 0 if turn in results else None):
                assert isinstance(connection, Connection)
                results[given[connection].popleft()] = _receive(connection)
            if turn in results:
                yield results.pop(turn)
                turn += 1

    def end(self) -> None:
        """End the processes, whatever they do."""
        for worker in self.workers:
            worker.connection.close()
            worker.process.kill()
        for worker in self.workers:
            worker.process.join()


@contextmanager
def open_pool(work: Work, folder: Path, model: LoadedModel, workers: int) -> Iterator[Pool]:
    """Start processes that do ``work`` with the model of ``folder``; end them with the block.

    None of them receives Ctrl-C. One that hears it while it still loads its modules would end in a traceback.
    """
    pool, forks = Pool([]), can_fork()
    if not forks:
        resource_tracker.ensure_running()  # its own start unblocks Ctrl-C
    try:
        with _later_interrupted():
            _start(pool, workers, forks, work, model if forks else folder)
        yield pool
    finally:
        pool.end()


def can_fork() -> bool:
    """Return whether new processes can share this one's memory. Otherwise each loads everything anew.

    Only Linux forks safely, and only a process without other threads: one of them could hold a lock.
    chalice_app/local/hooks.py says why the model survives a fork.
    """
    return sys.platform == "linux" and len([*THREADS.glob("*")]) == 1


def _start(pool: Pool, workers: int, forks: bool, work: Work, model: LoadedModel | Path) -> None:
    context = get_context("fork") if forks else get_context("spawn")
    gc.freeze()  # a collection in a fork would copy the memory that it shares
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            inherited = [*(worker.connection for worker in pool.workers), ours] if forks else []
            process = context.Process(target=_serve, args=(theirs, inherited, work, model), daemon=True)
            with _hidden_main():
                process.start()
            theirs.close()
            pool.workers.append(Worker(process, ours))
    finally:
        gc.unfreeze()


@contextmanager
def _hidden_main() -> Iterator[None]:
    """Hide the program's main module, which a process that loads everything anew would run again.

    It needs nothing of it. A script without ``if __name__ == "__main__"`` would start processes once more.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _next(
    remaining: Iterator[tuple[int, Any]], given: dict[Connection, deque[int]], most: int
) -> Iterator[tuple[int, Any]]:
    """Yield tasks while a process has room for one, ``most`` at most."""
    for _ in range(most):
        if all(len(numbers) == TASKS for numbers in given.values()):
            return
        if (task := next(remaining, None)) is None:
            return
        yield task


def _send(connection: Connection, task: Any) -> None:
    try:
        connection.send(task)
    except OSError as error:
        raise DiedError from error


def _receive(connection: Connection) -> Any:
    try:
        result, error = connection.recv()
    except (EOFError, OSError) as lost:
        raise DiedError from lost
    if error:
        raise error
    return result


@contextmanager
def _later_interrupted() -> Iterator[None]:
    """Delay Ctrl-C in this process until the block ends, and block it in processes that start inside.

    It would end them while they import, or leave them without a pipe, each with a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Ctrl-C interrupts only the main thread
        return
    signals: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: signals.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # new processes inherit the mask
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if signals:
        signal.raise_signal(signal.SIGINT)


# --- in a new process ---------------------------------------------------------------------------


def _serve(
    connection: Connection, inherited: list[Connection], work: Work, model: LoadedModel | Path
) -> None:
    """Do the tasks that come by the pipe, and send their results. End with the parent, for any reason."""
    for other in inherited:  # a copy of a pipe's other end would hide that end's death
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_take_in, args=(connection, tasks), daemon=True).start()
    loaded = inference.model_fn(model) if isinstance(model, Path) else model
    with suppress(OSError):  # the parent has ended
        while True:
            connection.send(_done(work, loaded, tasks.get()))


def _take_in(connection: Connection, tasks: "SimpleQueue[Any]") -> None:
    """Read tasks at once, so that the parent never waits to send one. End the process with its parent."""
    with suppress(EOFError, OSError):
        while True:
            tasks.put(connection.recv())
    os._exit(1)


def _done(work: Work, model: LoadedModel, task: Any) -> tuple[Any, Exception | None]:
    try:
        return work(model, task), None
    except Exception as error:
        return None, error
