"""Measure the images' servers in a serverless jail: seconds to the first answer, and memory under load.

    python -m tools.measure_server     # writes training/aws/servers.json and the docs' blocks; needs root

The servers start as their images start them, in the jail of tests/support/jail.py, at the deployed memory.
The memory of a serverless endpoint follows from the peak, with head room for the image's other parts.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from bench import pages, tables
from tests.support import containers, jail
from tools import fill_docs
from training.aws import images, package
from training.endpoint import inference
from training.evaluation import machine
from vocab import messages, text
from vocab.files import write_atomic

COMMAND = "python -m tools.measure_server"
RUNS = 3
# SageMaker's sizes, and the factor on the peak: for the image's adapter, the page cache of its files, and a
# longer life than this measurement's. AWS gives processors by memory: 1,024 MB have half as much as 2,048, so
# a review costs the same there, and a wake takes twice as long.
SIZES_MB = (2048, 3072, 4096, 5120, 6144)
HEAD_ROOM = 1.5
SAMPLE_SECONDS = 0.2
CALLERS = 4
REQUESTS = 100
# A sentence of the load; the mean of IMDb reviews is about as long.
SENTENCE_TOKENS = 20
MEGABYTE = 1 << 20


class Run(NamedTuple):
    """One start of a server: seconds to its first answer and of a later one, and its peaks in bytes."""

    start: float
    warm: float
    proportional: int
    resident: int


def measure(name: str, python: Path, model: Path, log: Path) -> Run:
    """Start and load an image's server in its jail, and return the run."""
    began = time.monotonic()
    server = jail.Jail(name, model, python, log, jail.DOORS[name])
    try:
        answered = time.monotonic()
        warm = seconds_of_a_review(lambda body: server.ask(body)[0] == 200)
        peak = _peak_under_load(server)
    finally:
        server.stop()
    return Run(answered - began, warm, peak.proportional, peak.resident)


def seconds_of_a_review(ask: Callable[[bytes], bool]) -> float:
    """Return the median seconds of a review's answer, one at a time; ``ask`` returns whether it was one."""
    body, seconds = message(1, 200, "sentences"), []
    for _ in range(REQUESTS):
        began = time.monotonic()
        if not ask(body):
            raise containers.ServerError("a review was not answered")
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def smallest(peak: int) -> int:
    """Return SageMaker's smallest memory, in MB, for a peak in bytes with head room.

    >>> smallest(900 << 20)
    2048
    """
    return next((size for size in SIZES_MB if size * MEGABYTE >= peak * HEAD_ROOM), SIZES_MB[-1])


def summarise(name: str, runs: list[Run]) -> dict[str, Any]:
    """Return a server's entry in servers.json: medians of times, the highest peaks."""
    peak = max(run.proportional for run in runs)
    return {
        "start_seconds": round(statistics.median(run.start for run in runs), 1),
        "warm_ms": round(1000 * statistics.median(run.warm for run in runs), 1),
        "image_pauses_seconds": jail.PAUSES_SECONDS[name],
        "writes_to": list(jail.DOORS[name]),
        "peak_pss_mb": round(peak / MEGABYTE),
        "peak_rss_mb": round(max(run.resident for run in runs) / MEGABYTE),
        "serverless_memory_mb": smallest(peak),
    }


def _peak_under_load(server: containers.Server) -> containers.Memory:
    """Send many short and some of the largest messages, and return the peak memory."""
    peaks, stop = [server.memory()], threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            peaks.append(server.memory())

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        bodies = [message(100, text.MAX_TOKENS)] * CALLERS + [message(1, 200)] * REQUESTS
        with ThreadPoolExecutor(CALLERS) as callers:
            statuses = set(callers.map(lambda body: server.ask(body)[0], bodies))
    finally:
        stop.set()
        sampler.join()
    if statuses != {200}:
        raise containers.ServerError(f"the load was answered with status {sorted(statuses)}")
    return containers.Memory(max(peak.resident for peak in peaks), max(peak.proportional for peak in peaks))


def message(reviews: int, tokens: int, explain: str = "words") -> bytes:
    """Return a message of reviews with so many tokens each."""
    ids = [[300 + (row * 7 + at) % 20_000 for at in range(tokens)] for row in range(reviews)]
    lengths = [SENTENCE_TOKENS] * (tokens // SENTENCE_TOKENS)
    items = [{"ids": row, "sentences": lengths} for row in ids]
    fingerprint = inference.model_fn(inference.MODEL_FOLDER).identity.vocabulary
    return messages.to_json({"vocabulary": fingerprint, "reviews": items, "explain": explain})


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the images' servers with the model package.")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"starts of each server (default {RUNS})")
    parser.add_argument("--dry-run", action="store_true", help="print the result and write nothing")
    options = parser.parse_args()
    if reason := jail.unavailable():
        sys.exit(f"measure_server: {reason}")
    load, servers = os.getloadavg()[0], {}
    with tempfile.TemporaryDirectory(prefix="verdict-") as folder:
        for name in images.SERVING:
            place, runs = Path(folder) / name, []
            try:
                containers.pack(name, inference.MODEL_FOLDER, place / "model.tar.gz")
                model = containers.unpack(place / "model.tar.gz", place / "model")
                python = containers.make_image(name, place / "image")
                for number in tqdm(range(options.runs), desc=name):
                    runs.append(measure(name, python, model, place / f"server-{number}.log"))
            except (package.PackageError, containers.ServerError) as error:
                sys.exit(f"measure_server: {error}")
            servers[name] = summarise(name, runs)
    measured = {
        "measured": date.today().isoformat(),
        "machine": machine.describe(),
        "load_before": round(load, 1),
        "runs": options.runs,
        "command": COMMAND,
        "servers": servers,
    }
    print(json.dumps(measured, indent=2))
    if not options.dry_run:
        write_atomic(package.SERVERS, (json.dumps(measured, indent=2) + "\n").encode())
        blocks = {
            "servers": fill_docs.servers(measured),
            "bench-containers": tables.container_table(measured),
        }
        pages.write(blocks)


if __name__ == "__main__":
    main()
