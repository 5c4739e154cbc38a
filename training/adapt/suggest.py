"""Name the reviews most worth a label: those that the model is unsure of, and that differ from each other.

    python -m training.adapt.suggest unlabelled.csv -n 50 --out to-label.csv

Picked one after the other: what is largest of how unsure the model is (the entropy of its probability) times
how far the review lies, among the network's pooled states, from those picked so far. Rows that have a label,
repeat another or can't be read are left out. No text is shown; --out holds those of the picked rows.
"""

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.adapt import features as pooled
from training.adapt.exit_status import FINE, CommandError, speaking
from training.adapt.onnx_head import read_head
from training.endpoint import inference
from training.evaluation import metrics
from training.files import labelled
from training.files.rows import BatchError, Row, Source, format_of, open_source, written
from vocab import messages
from vocab.files import write_atomic

# More rows than these are drawn from: reading one takes a millisecond.
MAX_REVIEWS = 20_000
FILE_MODE = 0o600


class Unlabelled(NamedTuple):
    """Rows to pick from: their numbers in the file, int (rows,), and how many rows it has."""

    source: Source
    label: str | None
    numbers: np.ndarray
    rows: int

    def of(self, numbers: Sequence[int]) -> Iterator[Row]:
        """Read the file again, and give these rows in its order."""
        wanted = set(numbers)
        return (row for row in self.source.rows() if row.number in wanted)


class Picked(NamedTuple):
    """A row that is worth a label: its number in the file, and P(positive)."""

    number: int
    probability: float


def read(
    path: Path,
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    most: int = MAX_REVIEWS,
) -> Unlabelled:
    """Look at every row once; of more than ``most`` the same ones are always drawn. Raises BatchError."""
    source = open_source(path, format_of(path, format), text)
    if label is not None and label not in source.columns:
        raise BatchError(f"{path} has no column {label!r}; name one with --label")
    found = label or labelled.label_column(source)
    rows, first = 0, {}
    for row in source.rows():
        rows += 1
        if not (row.error or not row.review.strip() or labelled.cell(row, source, found)):
            first.setdefault(labelled.digest_of(row.review), row.number)
    numbers = [first[digest] for digest in sorted(first)[:most]]
    return Unlabelled(source, found, np.array(sorted(numbers), dtype=int), rows)


def suggest(rows: Unlabelled, model: Path, count: int, workers: int) -> list[Picked]:
    """Pick up to ``count`` rows, the one most worth a label first.

    Raises CommandError, HeadError, PooledError, ModelFilesError or VocabularyError.
    """
    texts = (row.review for row in rows.of(rows.numbers.tolist()))
    read = pooled.pool(texts, len(rows.numbers), model, workers)
    if len(read.unfit) != len(rows.numbers):
        raise CommandError(f"{rows.source.path} was changed while it was read; run it again")
    keep = read.unfit == ""
    numbers, features = rows.numbers[keep], read.features[keep].astype(np.float64)
    if not len(numbers):
        raise CommandError(
            f"{rows.source.path} has no row without a label that is English and holds a known word"
        )
    head = read_head((model / "model.onnx").read_bytes())
    logits = features @ head.weights + head.bias
    probabilities = metrics.probabilities_of(logits, inference.model_fn(model).card["temperature"])
    picked = spread(features, entropy(probabilities), count)
    return [Picked(int(numbers[row]), float(probabilities[row])) for row in picked]


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Give how unsure P(positive) is, 0 to 1 bit, float64 (rows,).

    >>> entropy(np.array([0.5, 1.0])).tolist()
    [1.0, 0.0]
    """
    both = np.clip(np.stack([probabilities, 1 - probabilities]), 1e-12, 1)
    return np.abs(-(both * np.log2(both)).sum(axis=0).round(9))


def spread(features: np.ndarray, weights: np.ndarray, count: int) -> list[int]:
    """Give up to ``count`` rows of features (rows, features), each far from those before it, weighted.

    Greedy k-centre: Sener & Savarese, "Active Learning for Convolutional Neural Networks", ICLR 2018.
    """
    places = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    far = np.full(len(places), np.inf)
    picked: list[int] = []
    for _ in range(min(count, len(places))):
        worth = weights * np.where(np.isfinite(far), far, 1.0)
        worth[picked] = -1.0
        row = int(np.argmax(worth))
        picked.append(row)
        far = np.minimum(far, np.linalg.norm(places - places[row], axis=1))
    return picked


def run(options: argparse.Namespace) -> int:
    """Do what the flags say, and give the exit status."""
    if options.out and options.out.resolve() == options.file.resolve():
        raise CommandError(f"{options.out} is the input; choose another --out")
    rows = read(options.file, options.column, options.label, options.format, options.most)
    picked = suggest(rows, options.model, options.n, options.workers)
    print(f"suggest: {len(picked):,} of {rows.rows:,} rows, the most worth a label first", flush=True)
    if options.out:
        write_atomic(options.out, _as_csv(rows, picked), FILE_MODE)
        print(f"suggest: wrote them to {options.out}; fill its column label, and let adapt learn from it")
        return FINE
    for one in picked:
        print(f"  row {one.number + 1:,}: P(positive) {one.probability:.2f}")
    return FINE


def _as_csv(rows: Unlabelled, picked: Sequence[Picked]) -> bytes:
    texts = {row.number: row.review for row in rows.of([one.number for one in picked])}
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["text", "label", "row", "probability"])
    for one in picked:
        probability = round(one.probability, messages.DECIMALS)
        writer.writerow([texts[one.number], "", one.number + 1, probability])
    return written(out.getvalue())


def parse(arguments: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=prog, description="Name the reviews most worth a label.")
    parser.add_argument(
        "file", type=Path, help="reviews: CSV or TSV with a header, JSON lines, or one a line"
    )
    parser.add_argument("-n", type=int, default=50, help="how many (default 50)")
    parser.add_argument("--out", "-o", type=Path, help="write them here, as CSV with an empty label")
    parser.add_argument("--column", help="where the text is (default: review, text, comment, ...)")
    parser.add_argument("--label", help="where labels are; rows that have one are left out (default: found)")
    parser.add_argument("--format", choices=("csv", "tsv", "jsonl", "lines"), help="the file's")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="the model that is unsure")
    parser.add_argument(
        "--most", type=int, default=MAX_REVIEWS, help=f"draw so many of more rows (default {MAX_REVIEWS:,})"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    options = parser.parse_args(arguments)
    if min(options.n, options.most, options.workers) < 1:
        parser.error("-n, --most and --workers must be 1 or more")
    return options


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command, called ``prog``; give its exit status."""
    options = parse(arguments, prog)
    return speaking("suggest", lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
