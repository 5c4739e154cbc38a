"""Take profiles afresh: where a whole answer's time goes, the network's operators, the Lambda's imports.

    python -m bench.profiles                # prints three tables
    python -m bench.profiles --publish      # and docs/performance.md says them
    python -m bench.profiles --seconds 30 --flame build/answer.svg

py-spy looks 200 times a second at a process that answers, from outside and hardly slowing it; ONNX Runtime
times its own operators; Python times its imports. Shares hold on a busy machine too.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench import answer_rows
from bench.samples import Samples
from tools import fill_docs
from training.data import dataset
from training.endpoint.inference import MODEL_FOLDER
from training.endpoint.onnx_runtime import ort
from vocab.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / "docs" / "performance.md"
LOOKS_A_SECOND = 200
SECONDS = 20
ROWS = 14
RUNS = 500
# The child's start, and what py-spy takes to write.
EXTRA_SECONDS = 300
# A line of py-spy's raw format: frames from the outermost on, and how often they were seen.
_FRAME = re.compile(r"(?P<function>.+) \((?:.*/)?(?P<file>[^/()]+?)(?::\d+)?\)")
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")


class Row(NamedTuple):
    """A line of a profile: what, and its shares of the whole or its milliseconds."""

    what: str
    own: float
    all: float


class ProfileError(Exception):
    """A profile could not be taken."""


def main() -> None:
    options = parse()
    if options.loop:
        loop(options.loop)
        return
    found = {"profile-answer": answer_table(options.seconds, options.flame)}
    found |= {"profile-network": network_table(), "profile-imports": imports_table()}
    print("\n\n".join(found.values()))
    if options.publish:
        blocks = {name: f"{table}\n" for name, table in found.items()}
        write_atomic(PAGE, fill_docs.fill(PAGE.read_text(encoding="utf-8"), blocks).encode())


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Take profiles of an answer, the network and the imports.")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"of answers (default: {SECONDS})")
    parser.add_argument("--flame", type=Path, help="write a flame graph of the answers there, as SVG")
    parser.add_argument("--publish", action="store_true", help="write the tables into docs/performance.md")
    parser.add_argument("--loop", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def loop(seconds: float) -> None:
    """Answer reviews for so long: what is looked at."""
    answer, reviews = answer_rows.verdict(), Samples(dataset.find_archive()).reviews
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for review in reviews:
            answer(review)


# --- a whole answer -----------------------------------------------------------------------------


def answer_table(seconds: int, flame: Path | None) -> str:
    """Profile whole answers by function. Raises ProfileError."""
    rows = by_function(stacks(record(seconds, "raw").splitlines()))
    if flame:
        flame.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(flame, record(seconds, "flamegraph").encode())
    return _table("Function, of a whole answer's time", "itself", "with what it calls", rows[:ROWS], "{:.1%}")


def record(seconds: int, kind: str) -> str:
    """Let py-spy look at a process that answers. Raises ProfileError."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "profile"
        command = [str(Path(sys.executable).with_name("py-spy")), "record", "--nonblocking"]
        command += ["--rate", str(LOOKS_A_SECOND), "--format", kind, "--output", str(out), "--"]
        command += [sys.executable, "-m", "bench.profiles", "--loop", str(seconds)]
        try:
            limit = seconds + EXTRA_SECONDS
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit)
        except OSError as error:
            raise ProfileError("py-spy is missing: pip install -r requirements/bench.txt") from error
        except subprocess.TimeoutExpired as error:
            raise ProfileError(f"py-spy took over {limit} s; try again on a quieter machine") from error
        if not out.is_file():
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise ProfileError(f"py-spy made no profile and said: {said}")
        return out.read_text(encoding="utf-8")


def stacks(lines: Iterable[str]) -> Iterator[tuple[list[str], int]]:
    """Give each stack that was seen inside of an answer, outermost first, and how often.

    >>> list(stacks(["loop (x.py:1);verdict.<locals>.answer (answer_rows.py:4);clean (vocab/text.py:9) 7"]))
    [(['answer (answer_rows.py)', 'clean (text.py)'], 7)]
    """
    for line in lines:
        frames, _, count = line.rpartition(" ")
        names = [_name(frame) for frame in frames.split(";")]
        if "answer (answer_rows.py)" in names:
            yield names[names.index("answer (answer_rows.py)") :], int(count)


def by_function(seen: Iterable[tuple[list[str], int]]) -> list[Row]:
    """Give each function's share of the time, itself and with what it calls, the greatest first."""
    own, every, total = collections.Counter[str](), collections.Counter[str](), 0
    for names, count in seen:
        total += count
        own[names[-1]] += count
        every.update(dict.fromkeys(names, count))
    if not total:
        raise ProfileError("py-spy saw no answer; give more --seconds")
    return [Row(name, own[name] / total, count / total) for name, count in every.most_common()]


def _name(frame: str) -> str:
    match = _FRAME.fullmatch(frame)
    return f"{match['function'].rpartition('<locals>.')[2]} ({match['file']})" if match else frame


# --- the network --------------------------------------------------------------------------------


def network_table() -> str:
    """Let ONNX Runtime time its operators over reviews of the development split."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_profiling = True
    ids = Samples(dataset.find_archive()).ids
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "network")
        session = ort.InferenceSession(
            (MODEL_FOLDER / "model.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        for number in range(RUNS):
            session.run(None, {"ids": np.array(ids[number % len(ids)], dtype=np.int64)})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    rows = by_operator(events)
    return _table("Operator, of the network's time", "share", "times a run", rows, "{:.1%}", "{:g}")


def by_operator(events: Iterable[dict[str, object]]) -> list[Row]:
    """Give each kind of operator's share of all operators' time, and how many a run has."""
    spent, counted, runs = collections.Counter[str](), collections.Counter[str](), 0
    for event in events:
        named = event.get("args")
        runs += event.get("name") == "model_run"
        if event.get("cat") == "Node" and isinstance(named, dict) and "op_name" in named:
            spent[str(named["op_name"])] += int(str(event["dur"]))
            counted[str(named["op_name"])] += str(event.get("name", "")).endswith("kernel_time")
    total = sum(spent.values())
    return [Row(name, time / total, counted[name] / max(1, runs)) for name, time in spent.most_common()]


# --- imports ------------------------------------------------------------------------------------


def imports_table() -> str:
    """Let Python time what the Lambda's app imports. Raises ProfileError."""
    code = "import sys; sys.path[:0] = ['.', '..']; import app"
    command = [sys.executable, "-X", "importtime", "-c", code]
    env = os.environ | {"VERDICT_LOCAL": "1"}
    done = subprocess.run(
        command, cwd=ROOT / "chalice_app", env=env, capture_output=True, text=True, timeout=EXTRA_SECONDS
    )
    if done.returncode:
        raise ProfileError(f"the app can't be imported: {done.stderr.strip().splitlines()[-1]}")
    rows = by_package(done.stderr.splitlines())
    return _table("Package, as the app imports it", "itself, ms", "modules", rows[:ROWS], "{:.1f}", "{:g}")


def by_package(lines: Iterable[str]) -> list[Row]:
    """Give each package's own milliseconds, and how many modules those were, the slowest first.

    >>> by_package(["import time:       900 |      2900 |   json.decoder"])
    [Row(what='json', own=0.9, all=1)]
    """
    own, modules = collections.Counter[str](), collections.Counter[str]()
    for line in lines:
        if match := _IMPORT.fullmatch(line):
            package = match[4].partition(".")[0]
            own[package] += int(match[1])
            modules[package] += 1
    return [Row(name, time / 1000, modules[name]) for name, time in own.most_common()]


def _table(what: str, one: str, other: str, rows: Iterable[Row], form: str, of_other: str = "") -> str:
    lines = [f"| {what} | {one} | {other} |", "|---|---|---|"]
    lines += [
        f"| `{row.what}` | {form.format(row.own)} | {(of_other or form).format(row.all)} |" for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        main()
    except (ProfileError, dataset.DataError) as error:
        sys.exit(f"profile: {error}")
