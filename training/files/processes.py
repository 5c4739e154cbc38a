"""The local predictor of a batch: processes on this machine's cores, each with the endpoint's hooks."""

import json
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from training.endpoint import calibration, inference, scoring, weighing
from training.files.parts import key_of
from training.files.rows import PART_ROWS, BatchError, Part
from vocab import messages, vocabulary
from vocab.files import sha256_of

# Parts that wait for each process: enough to keep it busy, few enough to fit in memory.
AHEAD = 4
# A file of so many bytes a process is long: its processes start before its rows are counted.
LONG_BYTES = 1_000_000
# The longest wait of Ctrl-C for a result.
WAIT_SECONDS = 0.2

Result = TypeVar("Result")
# Takes parts and the number of rows to send. Yields each part with its predictions as JSON lines.
FilePredictor = Callable[[Iterable[Part], int], Iterator[tuple[Part, bytes]]]

_model: inference.LoadedModel


class Pool(ProcessPoolExecutor):
    """Run work in processes, and know which ones were started."""

    started: Sequence[BaseProcess] = ()
    _result_queue: Any  # the standard library's own; it has no public name

    def end_if_one_died(self) -> None:
        """End all processes when one is dead, so that every task fails with BrokenProcessPool.

        A process that dies while it sends a result leaves half of it. The executor waits for the rest as
        long as anyone could still write it, this process included.
        """
        if not all(process.is_alive() for process in self.started):
            for process in self.started:
                process.kill()
            self._result_queue._writer.close()


def predict_lines(model: inference.LoadedModel, data: bytes) -> bytes:
    """Predict JSON lines as the endpoint does: one line for each, in order."""
    request = inference.input_fn(data, messages.JSON_LINES)
    return inference.output_fn(inference.predict_fn(request, model), messages.JSON_LINES)[0]


def model_key(model: Path) -> str:
    """Return a key of everything that a prediction depends on: network, card and code."""
    loaded = inference.model_fn(model)
    names = ("id", "onnx_sha256", "vocabulary", *calibration.FIELDS, "uncertain", "max_tokens")
    code = [Path(str(module.__file__)) for module in (inference, scoring, weighing, calibration)]
    code += sorted(Path(vocabulary.__file__).parent.rglob("*.py"))
    return key_of(*(json.dumps(loaded.card[name]) for name in names), *map(sha256_of, code))


@contextmanager
def open_predictor(model: Path, path: Path, workers: int) -> Iterator[FilePredictor]:
    """Yield a function that answers a file's parts, by at most so many processes.

    A long file's start here, and load their modules while this one counts the rows. Raises ModelFilesError.
    """
    ahead = min(workers, path.stat().st_size // LONG_BYTES)
    if ahead < 2:
        yield lambda parts, sent: predict_parts(parts, model, max(1, min(workers, -(-sent // PART_ROWS))))
        return
    inference.model_fn(model)  # a broken model would be a traceback in a new process
    with worker_pool(model, ahead) as pool:
        yield lambda parts, sent: _by_pool(parts, pool, AHEAD * ahead)


def predict_parts(parts: Iterable[Part], model: Path, workers: int) -> Iterator[tuple[Part, bytes]]:
    """Yield each part with its answers, in their order. Raises BatchError when a process dies."""
    if workers == 1:
        loaded = inference.model_fn(model)
        yield from ((part, predict_lines(loaded, part.data)) for part in parts)
    else:
        with worker_pool(model, workers) as pool:
            yield from _by_pool(parts, pool, AHEAD * workers)


@contextmanager
def worker_pool(model: Path, workers: int) -> Iterator[Pool]:
    """Run processes with the model, until the block ends."""
    pool = start_pool(workers, _start, model)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def start_pool(workers: int, start: Callable[[str], None], model: Path) -> Pool:
    """Start all processes of a pool, each with ``start``; none of them receives Ctrl-C.

    A process that hears it while it still loads its modules would end in a traceback of its own.
    """
    pool, before = Pool(workers, get_context("spawn"), start, (str(model),)), active_children()
    try:
        with _later_interrupted():
            for _ in range(workers):  # each task starts a process as long as none is idle
                pool.submit(int)
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.started = [process for process in active_children() if process not in before]
    return pool


def submit(pool: Pool, work: Callable[[Any], Result], argument: Any) -> "Future[Result]":
    """Submit work to a pool. Ctrl-C waits meanwhile: otherwise a lock could stay shut, and all would hang."""
    with _later_interrupted():
        return pool.submit(work, argument)


def result_of(pool: Pool, future: "Future[Result]") -> Result:
    """Wait for a task, and return its result or raise its error. Ctrl-C waits for a moment, as above.

    Raises BrokenProcessPool when a process has died.
    """
    while True:
        pool.end_if_one_died()
        with _later_interrupted():
            done = wait([future], WAIT_SECONDS).done
            results = [future.result() for _ in done]
        if results:
            return results[0]


def follow_parent() -> None:
    """End this process when its parent ends, for any reason; ignore Ctrl-C until then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


@contextmanager
def _later_interrupted() -> Iterator[None]:
    """Delay Ctrl-C in this process until the block ends, and block it in processes that start inside.

    It would end them while they import, or leave them without a task, each with a traceback.
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


def _by_pool(parts: Iterable[Part], pool: Pool, ahead: int) -> Iterator[tuple[Part, bytes]]:
    waiting: deque[tuple[Part, Future[bytes]]] = deque()
    try:
        for part in parts:
            waiting.append((part, submit(pool, _predict_lines, part.data)))
            if len(waiting) == ahead:
                yield _first(pool, waiting)
        while waiting:
            yield _first(pool, waiting)
    except BrokenProcessPool as error:
        raise BatchError(
            "a process died, perhaps for want of memory; run it again to go on, or give --workers 1"
        ) from error


def _first(pool: Pool, waiting: deque[tuple[Part, "Future[bytes]"]]) -> tuple[Part, bytes]:
    part, future = waiting.popleft()
    return part, result_of(pool, future)


def _start(model: str) -> None:
    """Load the model in a new process."""
    global _model
    follow_parent()
    _model = inference.model_fn(model)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _predict_lines(data: bytes) -> bytes:
    return predict_lines(_model, data)
