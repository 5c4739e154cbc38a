"""Watch processes under load: their memory, their time on the processor, what they have open."""

import contextlib
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple

import psutil

EVERY_SECONDS = 1.0
# What a process takes at first, for its caches and threads, says nothing of a leak.
WARMING = 0.25
# So much a process may grow from there on: the fit of a short run is not exact.
GROWTH_MB, GROWTH_SHARE = 5.0, 0.02


class Sample(NamedTuple):
    """A process and its children at a moment: seconds since the start, MB, and processor seconds."""

    at: float
    memory: float
    busy: float


class Watch:
    """Samples processes by name until it is left. ``pids`` are those of the parents."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self.samples: dict[str, list[Sample]] = {name: [] for name in pids}
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while True:
            for name, process in self._processes.items():
                with contextlib.suppress(psutil.NoSuchProcess):
                    self.samples[name].append(_sample(process, time.monotonic() - began))
            if self._ended.wait(EVERY_SECONDS):
                return


def slope(samples: list[Sample]) -> float:
    """Return by how many MB a minute memory grows, by least squares, once a process has warmed up.

    >>> slope([Sample(float(s), 100 + s / 60, 0.0) for s in range(60)])
    1.0
    """
    kept = _warm(samples)
    if len(kept) < 2:
        return 0.0
    at = sum(one.at for one in kept) / len(kept)
    memory = sum(one.memory for one in kept) / len(kept)
    spread = sum((one.at - at) ** 2 for one in kept)
    return round(60 * sum((one.at - at) * (one.memory - memory) for one in kept) / spread, 6)


def grows(samples: list[Sample]) -> bool:
    """Return whether a process keeps more and more memory."""
    kept = _warm(samples)
    if len(kept) < 2:
        return False
    grown = slope(samples) * (kept[-1].at - kept[0].at) / 60
    return grown > GROWTH_MB + GROWTH_SHARE * kept[0].memory


def open_files(pid: int) -> int:
    """Count what a process and its children have open: files, sockets, pipes."""
    return sum(one.num_fds() for one in _family(psutil.Process(pid)))


def busy(pid: int) -> float:
    """Return for how long a process and its children had a processor, in seconds."""
    return _sample(psutil.Process(pid), 0.0).busy


def _warm(samples: list[Sample]) -> list[Sample]:
    return samples[int(WARMING * len(samples)) :]


def _sample(process: psutil.Process, at: float) -> Sample:
    family = _family(process)
    times = [one.cpu_times() for one in family]
    memory = sum(one.memory_info().rss for one in family) / 1e6
    return Sample(at, memory, sum(one.user + one.system for one in times))


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
