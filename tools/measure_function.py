"""Measure the model's Lambda function: seconds to its first answer, milliseconds of a later one, and memory.

    python -m tools.measure_function        # writes training/aws/function.json; needs Python 3.13

The zip is the deployed one, under AWS's own Lambda emulator. AWS adds the download of the zip, the start of
a machine, and gives the function a share of a core by its memory. Here it has a whole core.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
import zipfile
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from tests.support import containers, lambda_zip
from tests.support.lambda_emulator import LambdaEmulator
from tools import measure_server
from training.aws import function_package, lambda_host
from training.endpoint import inference
from training.evaluation import machine
from vocab import messages
from vocab.files import write_atomic

COMMAND = "python -m tools.measure_function"
OUT = Path(lambda_host.__file__).with_name("function.json")
RUNS = 3
SECONDS = 120


class Run(NamedTuple):
    """One start of the function: seconds to its first answer and of a later one, and its memory in bytes."""

    cold: float
    warm: float
    memory: int


def measure(task: Path, tools: lambda_zip.Toolchain, log: Path) -> Run:
    """Start an unpacked zip under the emulator, send it reviews, and return the run."""
    began = time.monotonic()
    handler = function_package.HANDLER
    function = LambdaEmulator(
        task, tools.image, handler, log, python=tools.python, seconds=SECONDS, **lambda_host.VARIABLES
    )

    def ask(body: bytes) -> bool:
        types = {"content_type": messages.JSON, "accept": messages.JSON}
        answer = function.invoke({"body": body.decode(), **types})
        return isinstance(answer, dict) and answer.get("status") == 200

    try:
        if not ask(measure_server.message(1, 200, "sentences")):
            raise containers.ServerError(f"the function failed: {log.read_text(errors='replace')[-500:]}")
        cold = time.monotonic() - began
        warm = measure_server.seconds_of_a_review(ask)
        ask(measure_server.message(100, 400, "sentences"))
        memory = containers.memory_of(function.pids()).proportional
    finally:
        function.stop()
    return Run(cold, warm, memory)


def summarise(runs: list[Run], zip_bytes: int) -> dict[str, Any]:
    """Return the medians of the times, the highest memory, and the zip's size."""
    return {
        "cold_seconds": round(statistics.median(run.cold for run in runs), 2),
        "warm_ms": round(1000 * statistics.median(run.warm for run in runs), 1),
        "peak_pss_mb": round(max(run.memory for run in runs) / measure_server.MEGABYTE),
        "memory_mb": lambda_host.MEMORY_MB,
        "zip_mb": round(zip_bytes / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the model's Lambda function under AWS's emulator.")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"starts of the function (default {RUNS})")
    parser.add_argument("--dry-run", action="store_true", help="print the result and write nothing")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="verdict-") as name:
        folder = Path(name)
        built = function_package.build(inference.MODEL_FOLDER, folder / "function.zip")
        with zipfile.ZipFile(built.path) as file:
            file.extractall(folder / "task")
        tools = lambda_zip.runtime(function_package.PYTHON, folder / "python")
        numbers = tqdm(range(options.runs), desc="function")
        runs = [measure(folder / "task", tools, folder / f"{number}.log") for number in numbers]
    measured = {
        "measured": date.today().isoformat(),
        "machine": machine.describe(),
        "load_before": round(load, 1),
        "runs": options.runs,
        "command": COMMAND,
        **summarise(runs, built.bytes),
    }
    print(json.dumps(measured, indent=2))
    if not options.dry_run:
        write_atomic(OUT, (json.dumps(measured, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
