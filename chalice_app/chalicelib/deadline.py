"""Limit the whole time of a call. A socket's own timeout limits only its silence.

An endpoint that sends a byte now and then could hold a caller for ever. So calls run in other threads, and a
late call is abandoned. Threads are reused, because starting one takes half a millisecond. ThreadPoolExecutor
does not fit: its threads keep the process from ending while a call hangs.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

Call = Callable[[], bytes]


class Workers:
    """A pool of threads that grows to the largest number of simultaneous calls."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[bytes], Call]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)

    def run(self, seconds: float, call: Call) -> bytes:
        """Return a call's result, or raise its error. Raises TimeoutError when it takes longer."""
        outcome: Future[bytes] = Future()
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._work, daemon=True).start()
        self._calls.put((outcome, call))
        return outcome.result(seconds)

    def _work(self) -> None:
        while True:
            _finish(*self._calls.get())
            self._idle.release()


def _finish(outcome: Future[bytes], call: Call) -> None:
    try:
        outcome.set_result(call())
    except BaseException as error:  # the waiting thread raises it
        outcome.set_exception(error)
