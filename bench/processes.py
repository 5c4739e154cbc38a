"""Watch a command: its run time, and the peak memory of it and its children."""

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

# A sample takes some milliseconds of the measured machine.
SAMPLE_SECONDS = 0.5
MEGABYTE = 1 << 20


class Watched(NamedTuple):
    """Seconds from a command's start to its end, and its peak in MB, shared pages once."""

    seconds: float
    peak_mb: float


class FailedError(Exception):
    """A command failed."""


def watch(command: Sequence[str], timeout: float, cwd: Path) -> Watched:
    """Run a command to its end. Raises FailedError with its last line."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    peaks, stop = [0.0], threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, peaks, stop))
    sampler.start()
    try:
        _, errors = process.communicate(timeout=timeout)
    finally:
        process.kill()
        stop.set()
        sampler.join()
    if process.returncode:
        raise FailedError((errors.strip().splitlines() or [f"it ended with {process.returncode}"])[-1])
    return Watched(time.perf_counter() - began, max(peaks))


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its children in MB, each shared page once (Linux's PSS)."""
    return sum(map(_proportional, tree(pid))) / MEGABYTE


def tree(pid: int) -> Iterator[int]:
    """Yield a process and its living descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text(encoding="utf-8").split()
        except OSError:
            continue
        for child in children:
            yield from tree(int(child))


def _sample(pid: int, peaks: list[float], stop: threading.Event) -> None:
    while not stop.wait(SAMPLE_SECONDS):
        peaks.append(memory_mb(pid))


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:  # the process has just ended
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
