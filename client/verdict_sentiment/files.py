"""Judge a file of reviews row by row, with the code of `make batch`. A stopped run can be resumed."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

from verdict_sentiment._packages import load
from verdict_sentiment.backends import Backend, UsageError, open_backend
from verdict_sentiment.calls import Aspects

if TYPE_CHECKING:
    from training.files import aspects_flag, parts, resumable
    from training.files import formulas as formulas
    from training.files import rows as rows
    from vocab import files
else:
    files = load("vocab.files")
    rows = load("training.files.rows")
    formulas = load("training.files.formulas")
    aspects_flag = load("training.files.aspects_flag")
    parts = load("training.files.parts")
    resumable = load("training.files.resumable")

BatchError: type[Exception] = rows.BatchError
STANDARD = "-"


def judge(options: argparse.Namespace, path: Path) -> tuple[int, int]:
    """Judge a file into ``options.out``, and return its number of rows and of rows with an error.

    Raises UsageError when file, column or output can't be used, VerdictError when the service fails, and
    BatchError or OSError for other failures.
    """
    aspects = read_aspects(options)
    with as_usage():
        source, out = _prepare(options, path)
        count = rows.count(source)
    with open_backend(options, count.sent, aspects) as backend:
        if out is None:
            return _write_through(source, count, backend, options, aspects)
        wish = {"aspects": aspects, "explain": options.explain, "raw": options.raw}
        work = resumable.Work(source, files.sha256_of(path), count.sent, out, "", backend.rows, **wish)
        answers = *backend.key, work.digest, source.column, source.delimiter, options.explain
        key = parts.key_of(*answers, aspects=aspects)
        result = resumable.run(work._replace(key=key), backend.judge)
    return result.rows, result.failed


def read_aspects(options: argparse.Namespace) -> Aspects | None:
    """Return the aspects that --aspects names, None without it. Raises UsageError."""
    if options.aspects is None:
        return None
    with as_usage():
        aspects: Aspects = aspects_flag.read_aspects(options.aspects)
        return aspects


@contextmanager
def standard_input(format: str | None) -> Iterator[Path]:
    """Yield standard input as a private temporary file, removed at the end."""
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


def resume_hint(out: str) -> str:
    """Return how to resume a stopped command, and from which folder; empty without one."""
    return parts.resume_hint(Path(out))


def describe(judged: int, failed: int) -> str:
    """Return the outcome of a file in words.

    >>> describe(1, 0)
    '1 row, 0 of them with an error'
    """
    return f"{judged:,} {'row' if judged == 1 else 'rows'}, {failed:,} of them with an error"


@contextmanager
def as_usage() -> Iterator[None]:
    """Raise UsageError in place of BatchError."""
    try:
        yield
    except BatchError as error:
        raise UsageError(str(error)) from error


def _prepare(options: argparse.Namespace, path: Path) -> tuple[Any, Path | None]:
    """Return the source, and the output's path or None for standard output. Raises BatchError."""
    format = rows.format_of(path, options.format)
    _check_column(path, format, options)
    source = rows.open_source(path, format, options.column, options.delimiter)
    out = (
        None if options.out == STANDARD else resumable.check_out(Path(options.out), path, options.force, "-o")
    )
    output_format = rows.output_format(out) if out else "jsonl" if options.json else "csv"
    if out and options.json and output_format != "jsonl":
        raise UsageError(f"--json writes JSON lines, and {out.name} is no name for them; call it .jsonl")
    rows.check_writable(source, output_format)
    return source, out


def _check_column(path: Path, format: str, options: argparse.Namespace) -> None:
    header = rows.header_of(path, format, options.delimiter)
    columns = rows.review_columns(header)
    if options.column is None and len(columns) > 1:
        raise UsageError(
            f"{path} has more than one column that may hold reviews: {rows.list_columns(columns)}; name one"
            " with --column"
        )


def _write_through(
    source: Any, count: Any, backend: Backend, options: argparse.Namespace, aspects: Aspects | None
) -> tuple[int, int]:
    """Write rows to standard output as they are judged."""
    out: TextIO = sys.stdout
    requests = rows.parts(source.rows(), backend.rows)
    answers = (rows.parse_predictions(data, part.ids) for part, data in backend.judge(requests))
    joined = rows.join(source.rows(), answers)
    quiet = True if out.isatty() else None
    with tqdm(joined, total=count.rows, desc="judging", unit="review", disable=quiet) as bar:
        format = "jsonl" if options.json else "csv"
        written, failed = rows.write(bar, source, out, format, aspects, options.explain, options.raw)
    out.flush()
    return written, failed
