"""Watch processes under load: their memory, processor time and open files."""

import contextlib
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple

import psutil

EVERY_SECONDS = 1.0
# The first share of samples fills caches and threads, and shows no leak.
WARMING = 0.25
# Growth that is allowed afterwards, since the fit of a short run is inexact.
GROWTH_MB, GROWTH_SHARE = 5.0, 0.02


class Sample(NamedTuple):
    """A sample of a process and its children: seconds since the start, MB, and processor seconds.

    On Linux the memory that they share counts once.
    """

    at: float
    memory: float
    busy: float


class Watch:
    """Samples processes by name while its block runs; ``pids`` are those of the parents."""

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
    """Return the growth of memory after the warm-up, in MB a minute, by least squares.

    >>> slope([Sample(float(s), 100 + s / 60, 0.0) for s in range(60)])
    1.0
    """
    warm = _warm(samples)
    if len(warm) < 2:
        return 0.0
    at = sum(sample.at for sample in warm) / len(warm)
    memory = sum(sample.memory for sample in warm) / len(warm)
    spread = sum((sample.at - at) ** 2 for sample in warm)
    joint = sum((sample.at - at) * (sample.memory - memory) for sample in warm)
    return round(60 * joint / spread, 6)


def grows(samples: list[Sample]) -> bool:
    """Return whether a process's memory grows beyond the allowed growth."""
    warm = _warm(samples)
    if len(warm) < 2:
        return False
    grown = slope(samples) * (warm[-1].at - warm[0].at) / 60
    return grown > GROWTH_MB + GROWTH_SHARE * warm[0].memory


def open_files(pid: int) -> int:
    """Count the open files, sockets and pipes of a process and its children."""
    return sum(process.num_fds() for process in _family(psutil.Process(pid)))


def busy(pid: int) -> float:
    """Return the processor time of a process and its children, in seconds."""
    return _sample(psutil.Process(pid), 0.0).busy


def _warm(samples: list[Sample]) -> list[Sample]:
    return samples[int(WARMING * len(samples)) :]


def _sample(process: psutil.Process, at: float) -> Sample:
    family = _family(process)
    times = [member.cpu_times() for member in family]
    memory = sum(_memory(member) for member in family) / 1e6
    return Sample(at, memory, sum(spent.user + spent.system for spent in times))


def _memory(process: psutil.Process) -> int:
    try:
        info = process.memory_full_info()
    except psutil.ZombieProcess:  # killed, and not yet replaced
        return 0
    return int(getattr(info, "pss", info.uss))


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
