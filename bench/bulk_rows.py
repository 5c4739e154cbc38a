"""Measure whole files: reviews a second on all cores and in one process, beside VADER and NB-LR."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.measuring import Figure, Missing, physical_cores, single, summarise
from bench.processes import FailedError, Watched, watch
from bench.samples import write_csv
from bench.setting import ROOT, Setting
from training.baselines import scorers

PART, SCALE = "bulk", "scale"
ALL, ONE = "Verdict, all cores", "Verdict, one process"
OTHERS = ("pandas and VADER", "NB-LR in scikit-learn")
NOTES = ("one process", "one process; our tokens")
SHARE = "of as many times one process"
BEYOND = f"{SHARE}, beyond the start"
NAMES = (ALL, ONE, *OTHERS, SHARE, BEYOND)
SIZES = (1_000, 10_000, 100_000)
PER_REVIEW = "longest run's time a review, of the middle one's"
SCALE_NAMES = (
    *(f"{size:,} reviews, {quantity}" for size in SIZES for quantity in ("seconds", "peak")),
    PER_REVIEW,
)
TIMEOUT_SECONDS = 900


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield reviews a second of whole commands, start and output included."""
    count = int(setting.choose(1_500, 15_000))
    folder = setting.empty("bulk")
    file = write_csv(folder / "reviews.csv", setting.samples.take(count))
    start = write_csv(folder / "start.csv", setting.samples.take(count // 10))
    cores = os.cpu_count() or 1
    rates: dict[str, list[float]] = {ALL: [], ONE: []}
    beyond: dict[str, list[float]] = {ALL: [], ONE: []}
    for _ in range(int(setting.choose(1, 3))):
        for name, workers in ((ALL, cores), (ONE, 1)):
            whole = run_batch(file, folder, workers).seconds
            rates[name].append(count / whole)
            beyond[name].append((count - count // 10) / (whole - run_batch(start, folder, workers).seconds))
    yield from (summarise(PART, name, values, "reviews/s") for name, values in rates.items())
    if importlib.util.find_spec("sklearn"):
        scorers.nb_lr(setting.samples.source)  # fitted before the timed command, which reads it
    yield from _others(file, folder, count)
    note = f"{cores} processes, {physical_cores()} physical cores"
    yield summarise(PART, SHARE, _shares(rates), "times", note)
    yield summarise(PART, BEYOND, _shares(beyond), "times", "time beyond that of a tenth of the file")


def _shares(rates: dict[str, list[float]]) -> list[float]:
    """Return each round's rate on all cores, divided by one process's rate times the physical cores."""
    return [both / alone / physical_cores() for both, alone in zip(rates[ALL], rates[ONE], strict=True)]


def scale_figures(setting: Setting) -> Iterator[Figure]:
    """Yield seconds and peak memory for files of increasing size, on all cores."""
    folder = setting.empty("scale")
    seconds: list[float] = []
    sizes = SIZES[:2] if setting.quick else SIZES
    for size in sizes:
        file = write_csv(folder / f"{size}.csv", setting.samples.take(size))
        run = run_batch(file, folder, os.cpu_count() or 1)
        seconds.append(run.seconds)
        yield single(SCALE, f"{size:,} reviews, seconds", run.seconds, "s")
        yield single(SCALE, f"{size:,} reviews, peak", run.peak_mb, "MB", "all processes, shared pages once")
    for name in SCALE_NAMES[2 * len(sizes) : -1]:
        yield Figure(SCALE, name, missing="left out of a quick run: it takes minutes")
    if len(sizes) < len(SIZES):
        yield Figure(SCALE, PER_REVIEW, missing="left out of a quick run")
        return
    # The differences leave out the start, which every run has.
    middle, longest = np.diff(seconds) / np.diff(sizes)
    yield single(SCALE, PER_REVIEW, longest / middle, "times", "time beyond that of the smallest run")


def run_batch(file: Path, folder: Path, workers: int) -> Watched:
    """Run `make batch FLAGS=--local` on a file. Raises Missing."""
    out = folder / f"{file.stem}-{workers}.out.csv"
    command = [
        "-m",
        "training.jobs.batch",
        str(file),
        "--out",
        str(out),
        "--local",
        "--force",
        "--workers",
        str(workers),
    ]
    return _run([sys.executable, *command])


def _others(file: Path, folder: Path, count: int) -> Iterator[Figure]:
    scripts = ("vader_bulk", "nb_lr_bulk")
    for name, script, needed, note in zip(OTHERS, scripts, ("pandas", "sklearn"), NOTES, strict=True):
        if importlib.util.find_spec(needed) is None:
            yield Figure(
                PART, name, missing=f"{needed} is not installed: pip install -r requirements/bench.txt"
            )
            continue
        arguments = ["-m", f"bench.{script}", str(file), str(folder / "other.csv")]
        yield single(PART, name, count / _run([sys.executable, *arguments]).seconds, "reviews/s", note)


def _run(command: list[str]) -> Watched:
    try:
        watched = watch(command, TIMEOUT_SECONDS, ROOT)
    except FailedError as error:
        raise Missing(f"{command[2]} failed: {error}") from error
    if not watched.peak_mb:
        raise Missing("the memory of a process can't be read here (Linux's smaps_rollup)")
    return watched
