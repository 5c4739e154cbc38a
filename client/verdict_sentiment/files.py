"""Judge a file of reviews, row for row, by the code that `make batch` runs; stopped, it can go on."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from verdict_sentiment._shared import load
from verdict_sentiment.ways import UsageError, Way, hooks, open_way

files = load("vocab.files")
rows = load("training.files.rows")
batch_parts = load("training.files.parts")
batch_run = load("training.files.resumable")

BatchError: type[Exception] = rows.BatchError
STANDARD = "-"


def judge(options: argparse.Namespace, path: Path) -> tuple[int, int]:
    """Judge a file into ``options.out``; give how many rows it has, and how many of them have an error.

    Raises UsageError when file, column or output can't be used, VerdictError when the service fails,
    BatchError or OSError when anything else does.
    """
    with _usage():
        source, out = _prepare(options, path)
    with hooks(options, path) as here:
        with _usage():
            counted = rows.count(source)
        with open_way(options, here, counted.sent) as way:
            if out is None:
                return _write_through(source, counted, way, "jsonl" if options.json else "csv")
            work = batch_run.Work(source, files.sha256_of(path), counted.sent, out, "", way.rows, way.bytes)
            key = batch_parts.key_of(*way.key, work.digest, source.column)
            done = batch_run.judge(work._replace(key=key), way.answering)
    return done.rows, done.failed


@contextmanager
def standard_input(format: str | None) -> Iterator[Path]:
    """Give standard input as a file that only its owner can read and that is gone at the end."""
    if format is None:
        raise UsageError("rows on standard input need --format csv, tsv, jsonl or lines")
    if sys.stdin is None:
        raise UsageError("standard input is closed; name a file of rows")
    with tempfile.TemporaryDirectory(prefix="verdict-") as folder:
        path = Path(folder, f"stdin.{format}")
        with path.open("wb") as file:
            while piece := sys.stdin.buffer.read(1 << 20):
                file.write(piece)
        try:
            yield path
        except (UsageError, BatchError) as error:
            raise type(error)(str(error).replace(str(path), "standard input")) from error


def kept_in(out: str) -> str:
    """Say where what was judged stays when a command is stopped; empty when there is no such place."""
    folder = batch_parts.folder_of(Path(out))
    return f"; run the same command again to go on ({folder} holds what is done)" if folder.is_dir() else ""


@contextmanager
def _usage() -> Iterator[None]:
    """Let what is wrong with a file be what is wrong with what was typed."""
    try:
        yield
    except BatchError as error:
        raise UsageError(str(error)) from error


def _prepare(options: argparse.Namespace, path: Path) -> tuple[Any, Path | None]:
    """Give the source, and the output's path or None for standard output. Raises BatchError."""
    format = rows.format_of(path, options.format)
    _check_column(path, format, options.column)
    source = rows.open_source(path, format, options.column)
    out = None if options.out == STANDARD else batch_run.check_out(Path(options.out), path)
    written_as = rows.output_format(out) if out else "jsonl" if options.json else "csv"
    if out and options.json and written_as != "jsonl":
        raise UsageError(f"--json writes JSON lines, and {out.name} is no name for them; call it .jsonl")
    rows.check_writable(source, written_as)
    return source, out


def _check_column(path: Path, format: str, named: str | None) -> None:
    header = rows.header_of(path, format)
    fitting = rows.fitting(header)
    if named is None and len(fitting) > 1:
        raise UsageError(
            f"{path} has more than one column that may hold reviews: {rows.shown(fitting)}; name one with"
            " --column"
        )


def _write_through(source: Any, counted: Any, way: Way, format: str) -> tuple[int, int]:
    """Write rows to standard output as they are judged."""
    out: TextIO = sys.stdout
    parts = rows.parts(source.rows(), way.rows, way.bytes)
    answered = (rows.read_answers(data, part.ids) for part, data in way.answering(parts))
    joined = rows.join(source.rows(), answered)
    quiet = True if out.isatty() else None
    with tqdm(joined, total=counted.rows, desc="judging", unit="review", disable=quiet) as bar:
        written, failed = rows.write(bar, source, out, format)
    out.flush()
    return written, failed
