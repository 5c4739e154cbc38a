"""Watch processes while they are under load: their memory, open files and time on the processor."""

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
MORE_FILES = 10


class Sample(NamedTuple):
    """A process and its children at a moment: seconds since the start, MB, open files, processor seconds."""

    at: float
    memory: float
    files: int
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
    """Give by how many MB a minute memory grows, by least squares, once a process has warmed up.

    >>> slope([Sample(float(s), 100 + s / 60, 9, 0.0) for s in range(60)])
    1.0
    """
    kept = _warm(samples)
    if len(kept) < 2:
        return 0.0
    at = sum(one.at for one in kept) / len(kept)
    memory = sum(one.memory for one in kept) / len(kept)
    spread = sum((one.at - at) ** 2 for one in kept)
    return round(60 * sum((one.at - at) * (one.memory - memory) for one in kept) / spread, 6)


def leaks(name: str, samples: list[Sample]) -> list[str]:
    """Say what a process keeps more and more of: memory, or open files."""
    kept = _warm(samples)
    if len(kept) < 2:
        return []
    found = []
    grown = slope(samples) * (kept[-1].at - kept[0].at) / 60
    if grown > GROWTH_MB + GROWTH_SHARE * kept[0].memory:
        found.append(f"{name} grew by {grown:.0f} MB")
    half = len(kept) // 2
    before, after = (max(one.files for one in part) for part in (kept[:half], kept[half:]))
    if after > before + MORE_FILES:
        found.append(f"{name} went from {before} to {after} open files")
    return found


def _warm(samples: list[Sample]) -> list[Sample]:
    return samples[int(WARMING * len(samples)) :]


def _sample(process: psutil.Process, at: float) -> Sample:
    family = [process, *process.children(recursive=True)]
    times = [one.cpu_times() for one in family]
    return Sample(
        at,
        sum(one.memory_info().rss for one in family) / 1e6,
        sum(one.num_fds() for one in family),
        sum(one.user + one.system for one in times),
    )
