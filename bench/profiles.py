"""Profile an answer in one process, over HTTP and in bulk, the network's operators, and the Lambda's imports.

    make profile                            # prints five tables
    make profile FLAGS=--publish            # also updates docs/performance.md
    make profile FLAGS="--seconds 30 --flame build/answer.svg"

py-spy samples the processes 200 times a second from outside, and hardly slows them. ONNX Runtime times its
own operators, and Python its imports. Shares hold on a busy machine too.
"""

import argparse
import collections
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench import answer_rows, http_rows, pages
from bench.samples import Samples, write_csv
from training.data import dataset
from training.endpoint.inference import MODEL_FOLDER
from training.endpoint.onnx_runtime import ort
from training.endpoint.scoring import to_network
from vocab.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]

SAMPLES_A_SECOND = 200
SECONDS = 20
ROWS = 14
# Of the time: less is not shown.
LEAST_OWN = 0.004
RUNS = 500
# Time for the child's start and for py-spy's output.
EXTRA_SECONDS = 300
# The blocks of docs/performance.md.
BLOCKS = ("profile-answer", "profile-http", "profile-bulk", "profile-network", "profile-imports")
# The first frames of an answer in one process, and of a request in the server.
ANSWER = ("answer (answer_rows.py)",)
REQUEST = ("Application.__rsgi__ (rsgi_server.py)", "Application._call_app (rsgi_server.py)")
SELF = (sys.executable, "-m", "bench.profiles")
# Enough reviews for some seconds of bulk.
BULK_A_SECOND = 300
# A frame of py-spy's raw format.
_FRAME = re.compile(r"(?P<function>.+) \((?:.*/)?(?P<file>[^/()]+?)(?::\d+)?\)")
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")


class Row(NamedTuple):
    """A line of a profile: a name, and its shares of the whole or its milliseconds."""

    name: str
    own: float
    all: float


class ProfileError(Exception):
    """A profile could not be taken."""


def main() -> None:
    options = parse()
    if options.answers:
        return repeat_answers(options.answers)
    if options.requests:
        return repeat_requests(options.requests)
    dataset.find_archive()  # a child's failure would be hidden in its profile
    profiles = (
        answer_table(options.seconds, options.flame),
        http_table(options.seconds),
        bulk_table(options.seconds),
        network_table(),
        imports_table(),
    )
    tables = dict(zip(BLOCKS, profiles, strict=True))
    print("\n\n".join(tables.values()))
    if options.publish:
        pages.write({name: f"{table}\n" for name, table in tables.items()})


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Take profiles of an answer, the network and the imports.")
    parser.add_argument(
        "--seconds", type=int, default=SECONDS, help=f"seconds of answers (default: {SECONDS})"
    )
    parser.add_argument("--flame", type=Path, help="write a flame graph of the answers to this SVG file")
    parser.add_argument("--publish", action="store_true", help="write the tables into docs/performance.md")
    for profiled in ("--answers", "--requests"):
        parser.add_argument(profiled, type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def repeat_answers(seconds: float) -> None:
    """Answer reviews for some seconds, to be profiled."""
    _repeat(answer_rows.verdict(), Samples(dataset.find_archive()).reviews, seconds)


def repeat_requests(seconds: float) -> None:
    """Send reviews to `make serve` for some seconds, to be profiled."""
    reviews = Samples(dataset.find_archive()).reviews
    with http_rows.running_app("--serve") as port, http_rows.connected(port) as post:
        _repeat(post, [http_rows.message_of(review) for review in reviews], seconds)


def _repeat(call: Callable[[Any], object], inputs: Sequence[Any], seconds: float) -> None:
    end = time.monotonic() + seconds
    for value in itertools.cycle(inputs):
        call(value)
        if time.monotonic() > end:
            break


# --- Python's functions -------------------------------------------------------------------------


def answer_table(seconds: int, flame: Path | None) -> str:
    """Profile whole answers in one process, and return the table of functions. Raises ProfileError."""
    command = [*SELF, "--answers", str(seconds)]
    rows = by_function(stacks(record(command, seconds), ANSWER))
    if flame:
        flame.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(flame, record(command, seconds, "flamegraph").encode())
    return _functions("Function, of a whole answer's time", rows)


def http_table(seconds: int) -> str:
    """Profile the API of `make serve` that answers one client. Raises ProfileError."""
    rows = by_function(stacks(record([*SELF, "--requests", str(seconds)], seconds), REQUEST))
    return _functions("Function, of a request's time in the server", rows)


def bulk_table(seconds: int) -> str:
    """Profile a file judged on all cores, start and output included. Raises ProfileError."""
    with tempfile.TemporaryDirectory() as folder:
        file = write_csv(
            Path(folder) / "reviews.csv", Samples(dataset.find_archive()).take(seconds * BULK_A_SECOND)
        )
        command = [
            sys.executable,
            "-m",
            "training.jobs.batch",
            str(file),
            "--out",
            f"{file}.out.csv",
            "--local",
            "--force",
        ]
        return _functions(
            "Function, of all processes' time", by_function(stacks(record(command, seconds), ()))
        )


def record(command: Sequence[str], seconds: int, kind: str = "raw") -> str:
    """Return py-spy's output about a command and its children. Raises ProfileError."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "profile"
        spy = [str(Path(sys.executable).with_name("py-spy")), "record", "--nonblocking", "--subprocesses"]
        spy += ["--rate", str(SAMPLES_A_SECOND), "--format", kind, "--output", str(out), "--", *command]
        try:
            limit = seconds + EXTRA_SECONDS
            process = subprocess.run(spy, cwd=ROOT, capture_output=True, text=True, timeout=limit)
        except OSError as error:
            raise ProfileError("py-spy is missing: pip install -r requirements/bench.txt") from error
        except subprocess.TimeoutExpired as error:
            raise ProfileError(f"py-spy took over {limit} s; try again on a quieter machine") from error
        if not out.is_file():
            message = (process.stderr.strip().splitlines() or ["nothing"])[-1]
            raise ProfileError(f"py-spy made no profile and said: {message}")
        return out.read_text(encoding="utf-8")


def stacks(profile: str, first: Sequence[str]) -> Iterator[tuple[list[str], int]]:
    """Yield each stack from one of the ``first`` frames on, outermost first, and its count.

    Without ``first`` every stack is whole.

    >>> line = "loop (x.py:1);verdict.<locals>.answer (answer_rows.py:4);clean (vocab/text.py:9) 7"
    >>> list(stacks(line, ANSWER))
    [(['answer (answer_rows.py)', 'clean (text.py)'], 7)]
    """
    for line in profile.splitlines():
        frames, _, count = line.rpartition(" ")
        names = [_name(frame) for frame in frames.split(";") if not frame.startswith("process ")]
        starts = [names.index(frame) for frame in first if frame in names]
        if names and (starts or not first):
            yield names[min(starts, default=0) :], int(count)


def by_function(samples: Iterable[tuple[list[str], int]]) -> list[Row]:
    """Return each function's share of the time, alone and with its callees, the greatest first.

    A function that itself takes next to nothing only hands on, and is left out.
    """
    own, every, total = collections.Counter[str](), collections.Counter[str](), 0
    for names, count in samples:
        total += count
        own[names[-1]] += count
        every.update(dict.fromkeys(names, count))
    if not total:
        raise ProfileError("py-spy saw no answer; give more --seconds")
    rows = [Row(name, own[name] / total, count / total) for name, count in every.most_common()]
    return [row for row in rows if row.own >= LEAST_OWN]


def _name(frame: str) -> str:
    match = _FRAME.fullmatch(frame)
    return f"{match['function'].rpartition('<locals>.')[2]} ({match['file']})" if match else frame


def _functions(title: str, rows: Sequence[Row]) -> str:
    return _table(title, "itself", "with what it calls", rows[:ROWS], "{:.1%}")


# --- the network --------------------------------------------------------------------------------


def network_table() -> str:
    """Return the table of the network's operators, over sentences of the development split."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_profiling = True
    reviews = Samples(dataset.find_archive()).ids
    sentences = [ids for review in reviews for ids in review.sentences()]
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "network")
        session = ort.InferenceSession(
            (MODEL_FOLDER / "model.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        network = to_network(session)
        for number in range(RUNS):
            ids = np.array(sentences[number % len(sentences)], dtype=np.int64)
            network.read(ids, np.array([len(ids)]))
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    rows = by_operator(events)
    return _table("Operator, of the network's time", "share", "times a sentence", rows, "{:.1%}", "{:g}")


def by_operator(events: Iterable[dict[str, object]]) -> list[Row]:
    """Return each kind of operator's share of all operators' time, and its number a run."""
    spent, counted, runs = collections.Counter[str](), collections.Counter[str](), 0
    for event in events:
        arguments = event.get("args")
        runs += event.get("name") == "model_run"
        if event.get("cat") == "Node" and isinstance(arguments, dict) and "op_name" in arguments:
            spent[str(arguments["op_name"])] += int(str(event["dur"]))
            counted[str(arguments["op_name"])] += str(event.get("name", "")).endswith("kernel_time")
    total = sum(spent.values())
    return [Row(name, time / total, counted[name] / max(1, runs)) for name, time in spent.most_common()]


# --- imports ------------------------------------------------------------------------------------


def imports_table() -> str:
    """Return the table of the packages that the Lambda's app imports. Raises ProfileError."""
    command = [sys.executable, "-X", "importtime", "-c", "import app"]
    folders = (ROOT / "chalice_app", ROOT)
    env = os.environ | {"VERDICT_LOCAL": "1", "PYTHONPATH": os.pathsep.join(map(str, folders))}
    process = subprocess.run(
        command, cwd=ROOT / "chalice_app", env=env, capture_output=True, text=True, timeout=EXTRA_SECONDS
    )
    if process.returncode:
        raise ProfileError(f"the app can't be imported: {process.stderr.strip().splitlines()[-1]}")
    rows = by_package(process.stderr.splitlines())
    return _table("Package, as the app imports it", "itself, ms", "modules", rows[:ROWS], "{:.1f}", "{:g}")


def by_package(lines: Iterable[str]) -> list[Row]:
    """Return each package's own milliseconds and number of modules, the slowest first.

    >>> by_package(["import time:       900 |      2900 |   json.decoder"])
    [Row(name='json', own=0.9, all=1)]
    """
    own, modules = collections.Counter[str](), collections.Counter[str]()
    for line in lines:
        if match := _IMPORT.fullmatch(line):
            package = match[4].partition(".")[0]
            own[package] += int(match[1])
            modules[package] += 1
    return [Row(name, time / 1000, modules[name]) for name, time in own.most_common()]


def _table(name: str, own: str, all: str, rows: Iterable[Row], form: str, all_form: str = "") -> str:
    lines = [f"| {name} | {own} | {all} |", "|---|---|---|"]
    lines += [
        f"| `{row.name}` | {form.format(row.own)} | {(all_form or form).format(row.all)} |" for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        main()
    except (ProfileError, dataset.DataError) as error:
        sys.exit(f"profile: {error}")
