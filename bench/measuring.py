"""Measure contestants in turns, after a warm-up, and summarise times by median and spread.

A busy machine slows all contestants of a round alike. So a ratio is the median of its rounds' ratios.
"""

import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.evaluation import machine

# One turn of a contestant. The caches hold the others' data at its first call, so that call does not count.
TURN_SECONDS = 0.2
WARM_UP_CALLS = 5
# Times above this load average for each core are not published.
MAX_LOAD_A_CORE = 0.25
# How long a run waits for a quiet machine.
QUIET_SECONDS = 300
PACKAGES = (
    "onnxruntime",
    "numpy",
    "torch",
    "transformers",
    "beautifulsoup4",
    "nltk",
    "vaderSentiment",
    "textblob",
    "scikit-learn",
    "pandas",
    "chalice",
    "boto3",
    "playwright",
)


class Missing(Exception):
    """A figure that this machine can't measure, and the reason."""


class BusyError(Exception):
    """The machine is busy, so its times are worthless."""


class Figure(NamedTuple):
    """One figure: its part and name, the median of ``runs``, and the 10th and 90th percentile.

    ``turns`` holds the median of each turn of a contestant. ``missing`` is the reason for an absent median.
    """

    part: str
    name: str
    unit: str = ""
    median: float | None = None
    low: float | None = None
    high: float | None = None
    runs: int = 0
    note: str = ""
    missing: str = ""
    turns: Sequence[float] = ()


class Contestant(NamedTuple):
    """A function to time, and the inputs that it gets in turn."""

    call: Callable[[Any], object]
    inputs: Sequence[Any]


def side_by_side(contestants: dict[str, Contestant], seconds: float) -> dict[str, list[list[float]]]:
    """Return the milliseconds of each turn's calls by contestant, after ``seconds`` of turns."""
    for contestant in contestants.values():
        _turn(contestant, 0, WARM_UP_CALLS, TURN_SECONDS)
    turns: dict[str, list[list[float]]] = {name: [] for name in contestants}
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        for name, contestant in contestants.items():
            start = sum(map(len, turns[name]))
            turns[name].append(_turn(contestant, start, len(contestant.inputs), TURN_SECONDS))
    return turns


def _turn(contestant: Contestant, start: int, calls: int, seconds: float) -> list[float]:
    """Call a contestant with its inputs from ``start`` on; return milliseconds without the first call's."""
    times = []
    deadline = time.perf_counter() + seconds
    for number in range(start, start + calls + 1):
        value = contestant.inputs[number % len(contestant.inputs)]
        began = time.perf_counter()
        contestant.call(value)
        ended = time.perf_counter()
        times.append(1000 * (ended - began))
        if ended > deadline and len(times) > 1:
            break
    return times[1:]


def summarise(part: str, name: str, values: Sequence[float], unit: str = "ms", note: str = "") -> Figure:
    """Return the figure of measured values."""
    low, median, high = (round(float(value), 4) for value in np.quantile(values, (0.1, 0.5, 0.9)))
    return Figure(part, name, unit, median, low, high, len(values), note)


def summarise_turns(part: str, name: str, turns: Sequence[Sequence[float]], note: str = "") -> Figure:
    """Return the figure of a contestant's turns, in milliseconds."""
    figure = summarise(part, name, list(chain.from_iterable(turns)), note=note)
    return figure._replace(turns=[round(float(np.median(turn)), 4) for turn in turns])


def single(part: str, name: str, value: float, unit: str, note: str = "") -> Figure:
    """Return the figure of one exact or single value."""
    return Figure(part, name, unit, round(value, 6), None, None, 1, note)


def check_load(load: float, cores: int) -> None:
    """Raise BusyError for a busy machine."""
    if load > MAX_LOAD_A_CORE * cores:
        raise BusyError(
            f"the load average is {load:.2f}, over {MAX_LOAD_A_CORE * cores:.2f} for {cores} cores; wait"
            " until the machine is quiet, or give --busy, whose figures can't be published"
        )


def wait_until_quiet(seconds: float = QUIET_SECONDS, pause: float = 5.0) -> float:
    """Wait for a quiet machine, and return its load average. Raises BusyError after ``seconds``.

    The load average falls by two thirds in a minute, so a recent installation is still in it.
    """
    cores, deadline = os.cpu_count() or 1, time.monotonic() + seconds
    announced = False
    while True:
        load = os.getloadavg()[0]
        try:
            check_load(load, cores)
            return load
        except BusyError:
            if time.monotonic() > deadline:
                raise
        if not announced:
            print(f"waiting for a quiet machine (load average {load:.2f})", file=sys.stderr, flush=True)
            announced = True
        time.sleep(pause)


def describe_machine() -> dict[str, Any]:
    """Return the processor, its cores, the memory, the system and Python's version."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": machine.describe(),
        "cores": os.cpu_count() or 1,
        "physical_cores": physical_cores(),
        "memory_gb": round(pages / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def physical_cores() -> int:
    """Return the number of cores without hyper-threads, or of all cores if the system lists no siblings."""
    lists = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list")
    return len({path.read_text(encoding="utf-8") for path in lists}) or os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Return the installed version of each measured package, or "not installed"."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    try:
        # The part after a plus names a build.
        return importlib.metadata.version(name).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
