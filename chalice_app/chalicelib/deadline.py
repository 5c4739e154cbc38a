"""Have a call end within a time, all of it: a socket's own timeout is one of silence.

Whoever sends a byte now and then could hold a caller for ever. So calls run in other threads, and one whose
time is up is left behind. Threads wait for the next call, since making one takes half a millisecond; those
of ThreadPoolExecutor would keep the process from ending while a call hangs.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

Call = Callable[[], bytes]


class Workers:
    """Threads for calls: as many as there ever were calls at once, made when they are needed."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[bytes], Call]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)

    def within(self, seconds: float, call: Call) -> bytes:
        """Give what a call gives, or raise what it raises; TimeoutError when it takes longer."""
        outcome: Future[bytes] = Future()
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._run, daemon=True).start()
        self._calls.put((outcome, call))
        return outcome.result(seconds)

    def _run(self) -> None:
        while True:
            _finish(*self._calls.get())
            self._idle.release()


def _finish(outcome: Future[bytes], call: Call) -> None:
    try:
        outcome.set_result(call())
    except BaseException as error:  # it belongs to whoever waits
        outcome.set_exception(error)
