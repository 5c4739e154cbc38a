"""Suggest the reviews most worth labelling: the model is unsure of them, and they differ from each other.

    python -m training.adapt.suggest unlabelled.csv -n 50 --out to-label.csv

Reviews are picked one by one. Each maximises the entropy of the model's probability times the distance of its
features to those of the reviews picked before. Rows that have a label, repeat another or can't be read are
left out. No text is shown; --out holds every column of the picked rows.
"""

import argparse
import io
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.adapt.exit_status import CommandError, run_command
from training.adapt.features import extract
from training.adapt.onnx_head import read_head
from training.endpoint import inference
from training.endpoint.model_folder import path_of
from training.evaluation import metrics
from training.files import labelled
from training.files.formulas import Writer, add_raw
from training.files.labelled import free_name
from training.files.outputs import FORCE_HELP, check_new
from training.files.rows import (
    BatchError,
    Row,
    Source,
    add_format,
    cells_of,
    format_of,
    open_source,
    to_bytes,
)
from vocab import messages, typed
from vocab.exit_status import FINE
from vocab.files import write_atomic

# What was typed, unless a caller says something else.
PROG = typed.command("training.adapt.suggest")
# Rows to draw from a longer file: reading a row takes a millisecond.
MAX_REVIEWS = 20_000
FILE_MODE = 0o600
# Columns that --out adds; the label where the file has none.
LABEL, ROW, PROBABILITY = "label", "row", "probability"


class Unlabelled(NamedTuple):
    """Rows without a label: their numbers in the file, int (rows,), and the number of all its rows."""

    source: Source
    label: str | None
    numbers: np.ndarray
    rows: int

    def rows_at(self, numbers: Sequence[int]) -> Iterator[Row]:
        """Read the file again; return these rows in the file's order."""
        chosen = set(numbers)
        return (row for row in self.source.rows() if row.number in chosen)


class Suggestion(NamedTuple):
    """A row worth labelling: its number in the file, and P(positive)."""

    number: int
    probability: float


def read_unlabelled(
    path: Path,
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    most: int = MAX_REVIEWS,
    delimiter: str | None = None,
) -> Unlabelled:
    """Read a file's rows without a label; of more than ``most``, always draw the same. Raises BatchError."""
    source = open_source(path, format_of(path, format), text, delimiter)
    if label is not None and label not in source.columns:
        raise BatchError(f"{path} has no column {label!r}; name one with --label")
    label_column = label or labelled.label_column(source)
    rows = 0
    first: dict[int, int] = {}
    for row in source.rows("checking"):
        rows += 1
        if not (row.error or not row.review.strip() or labelled.cell(row, source, label_column)):
            first.setdefault(labelled.digest_of(row.review), row.number)
    numbers = [first[digest] for digest in sorted(first)[:most]]
    return Unlabelled(source, label_column, np.array(sorted(numbers), dtype=int), rows)


def suggest(rows: Unlabelled, model: Path, count: int, workers: int) -> list[Suggestion]:
    """Suggest up to ``count`` rows, the one most worth labelling first.

    Raises CommandError, HeadError, FeaturesError, ModelFilesError or VocabularyError.
    """
    texts = (row.review for row in rows.rows_at(rows.numbers.tolist()))
    extracted = extract(texts, len(rows.numbers), model, workers)
    if len(extracted.unfit) != len(rows.numbers):
        raise CommandError(f"{rows.source.path} was changed while it was read; run it again")
    keep = extracted.unfit == ""
    numbers, inputs = rows.numbers[keep], extracted.inputs.take(keep)
    if not len(numbers):
        raise CommandError(
            f"{rows.source.path} has no row without a label that is English and holds a known word"
        )
    head = read_head((model / "model.onnx").read_bytes())
    probabilities = metrics.probabilities_of(inputs.logits(head))
    picked = pick_diverse(inputs.means, entropy(probabilities), count)
    return [Suggestion(int(numbers[row]), float(probabilities[row])) for row in picked]


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Return the entropy of P(positive), 0 to 1 bit, float64 (rows,).

    >>> entropy(np.array([0.5, 1.0])).tolist()
    [1.0, 0.0]
    """
    both = np.clip(np.stack([probabilities, 1 - probabilities]), 1e-12, 1)
    bits: np.ndarray = np.abs(-(both * np.log2(both)).sum(axis=0).round(9))
    return bits


def pick_diverse(features: np.ndarray, weights: np.ndarray, count: int) -> list[int]:
    """Pick up to ``count`` rows, each with a large weight and far from the rows picked before.

    ``features`` is float64 (rows, features), ``weights`` float64 (rows,).

    Greedy k-centre: Sener & Savarese, "Active Learning for Convolutional Neural Networks", ICLR 2018.
    """
    scaled = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    distance = np.full(len(scaled), np.inf)
    picked: list[int] = []
    for _ in range(min(count, len(scaled))):
        worth = weights * np.where(np.isfinite(distance), distance, 1.0)
        worth[picked] = -1.0
        row = int(np.argmax(worth))
        picked.append(row)
        distance = np.minimum(distance, np.linalg.norm(scaled - scaled[row], axis=1))
    return picked


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    if options.out and options.out.resolve() == options.file.resolve():
        raise CommandError(f"{options.out} is the input; choose another --out")
    check_new(options.out, options.force)
    columns = options.column, options.label, options.format
    rows = read_unlabelled(options.file, *columns, options.most, options.delimiter)
    picked = suggest(rows, options.model, options.n, options.workers)
    print(f"suggest: {len(picked):,} of {rows.rows:,} rows, the one most worth labelling first", flush=True)
    if options.out:
        write_atomic(options.out, _as_csv(rows, picked, options.raw), FILE_MODE)
        named = {"--column": options.column, "--label": options.label}
        flags = [f"{flag} {shlex.quote(name)}" for flag, name in named.items() if name]
        print(f"suggest: wrote them to {options.out}; fill in its column {rows.label or LABEL}")
        print("suggest: then run adapt on it" + (f" with {' '.join(flags)}" if flags else ""))
        return FINE
    for row in picked:
        print(f"  row {row.number + 1:,}: P(positive) {row.probability:.2f}")
    return FINE


def _as_csv(rows: Unlabelled, picked: Sequence[Suggestion], raw: bool) -> bytes:
    """Return the file's columns of these rows, a label to fill in, the row and P(positive), as CSV."""
    source = rows.source
    cells = {row.number: cells_of(row, source) for row in rows.rows_at([one.number for one in picked])}
    added = [] if rows.label else [LABEL]
    out = io.StringIO(newline="")
    writer = Writer(out, raw)
    names = [free_name(name, source.columns) for name in (ROW, PROBABILITY)]
    writer.writerow([*source.columns, *added, *names])
    for number, probability in picked:
        found = [number + 1, round(probability, messages.DECIMALS)]
        writer.writerow([*cells[number], *[""] * len(added), *found])
    return to_bytes(out.getvalue())


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the command's parser, named ``prog`` in its help."""
    parser = argparse.ArgumentParser(prog=prog, description="Suggest the reviews most worth labelling.")
    parser.add_argument(
        "file", type=Path, help="reviews: CSV, TSV or .xlsx with a header, JSON lines, or one a line"
    )
    parser.add_argument("-n", type=int, default=50, help="how many (default 50)")
    parser.add_argument("--out", "-o", type=Path, help="file for them, as CSV with an empty label")
    parser.add_argument("--column", help="the text's column (default: review, text, comment, ...)")
    parser.add_argument("--label", help="the labels' column; rows with a label are left out (default: found)")
    add_format(parser)
    add_raw(parser)
    parser.add_argument("--model", type=path_of, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument(
        "--most",
        type=int,
        default=MAX_REVIEWS,
        help=f"rows to draw from a longer file (default {MAX_REVIEWS:,})",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    return parser


def parse(arguments: Sequence[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    parser = make_parser(prog)
    options = parser.parse_args(arguments)
    if min(options.n, options.most, options.workers) < 1:
        parser.error("-n, --most and --workers must be 1 or more")
    return options


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command, named ``prog`` in its messages; return its exit status."""
    options = parse(arguments, prog)
    return run_command(prog, lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
