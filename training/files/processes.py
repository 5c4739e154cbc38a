"""The local way of a batch: this machine's cores, each with the endpoint's own hooks."""

import json
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, TypeVar

from training.endpoint import inference
from training.files.parts import key_of
from training.files.rows import PART_ROWS, BatchError, Part
from vocab import messages, vocabulary
from vocab.files import sha256_of

# Parts that wait for a process each: enough that none is idle, few enough to fit in memory.
AHEAD = 4
# Of a file, for each process that starts before its rows are counted: a few parts of it.
LONG_BYTES = 1_000_000
# How long Ctrl-C may wait for a result.
WAIT_SECONDS = 0.2

Result = TypeVar("Result")
# Takes parts and how many rows are sent in all, and gives each part with its answers as JSON lines.
FilePredictor = Callable[[Iterable[Part], int], Iterator[tuple[Part, bytes]]]

_model: inference.LoadedModel


def predict_lines(loaded: inference.LoadedModel, data: bytes) -> bytes:
    """Answer JSON lines as the endpoint does: one line for each, in their order."""
    request = inference.input_fn(data, messages.JSON_LINES)
    return inference.output_fn(inference.predict_fn(request, loaded), messages.JSON_LINES)[0]


def model_key(model: Path) -> str:
    """Name everything that an answer hangs on: the network, its card's numbers, the code that answers."""
    loaded = inference.model_fn(model)
    names = ("id", "onnx_sha256", "vocabulary", "temperature", "uncertain", "max_tokens")
    code = [Path(inference.__file__), *sorted(Path(vocabulary.__file__).parent.rglob("*.py"))]
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
    inference.model_fn(model)  # in a process of its own, what is wrong with it would be a traceback
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
def worker_pool(model: Path, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Have processes that judge, while the block runs."""
    pool = start_pool(workers, _start, model)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def start_pool(workers: int, start: Callable[[str], None], model: Path) -> ProcessPoolExecutor:
    """Start all processes of a pool, each with ``start``; none of them receives Ctrl-C.

    A process that hears it while it still loads its modules would end in a traceback of its own.
    """
    pool = ProcessPoolExecutor(workers, get_context("spawn"), start, (str(model),))
    try:
        with _later_interrupted():
            for _ in range(workers):  # each piece of work starts a process while none is idle
                pool.submit(int)
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    return pool


def submit(pool: ProcessPoolExecutor, work: Callable[[Any], Result], given: Any) -> "Future[Result]":
    """Submit work to a pool. Ctrl-C waits meanwhile: otherwise a lock could stay shut, and all would hang."""
    with _later_interrupted():
        return pool.submit(work, given)


def result_of(future: "Future[Result]") -> Result:
    """Wait for what a pool does, and give it or raise what it raised. Ctrl-C waits for a moment, as above."""
    while True:
        with _later_interrupted():
            done = wait([future], WAIT_SECONDS).done
            got = [future.result() for _ in done]
        if got:
            return got[0]


def follow_parent() -> None:
    """End this process when its parent ends, for any reason; ignore Ctrl-C until then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


@contextmanager
def _later_interrupted() -> Iterator[None]:
    """Keep Ctrl-C from the processes that begin here, and from this one while the block runs.

    It would end them amid their imports, or leave them without what they are to do, each with a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is interrupted
        return
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # new processes have it from this one
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if came:
        signal.raise_signal(signal.SIGINT)


def _by_pool(parts: Iterable[Part], pool: ProcessPoolExecutor, ahead: int) -> Iterator[tuple[Part, bytes]]:
    waiting: deque[tuple[Part, Future[bytes]]] = deque()
    try:
        for part in parts:
            waiting.append((part, submit(pool, _predict_lines, part.data)))
            if len(waiting) == ahead:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    except BrokenProcessPool as error:
        raise BatchError(
            "a process died, perhaps for want of memory; run it again to go on, or give --workers 1"
        ) from error


def _first(waiting: deque[tuple[Part, "Future[bytes]"]]) -> tuple[Part, bytes]:
    part, future = waiting.popleft()
    return part, result_of(future)


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
