"""Classify the 25,000 test reviews by a batch, as users do; the original project ended with some of them.

    python -m training.jobs.batch_test --local                 # here
    python -m training.jobs.batch_test --stage dev             # by a transform job

It prints one JSON object: accuracy over all reviews, with 0.5 as the boundary, and seconds. The exit status
is 1 when a row has an error. After an interruption, the same command resumes from files in the cache folder.
"""

import argparse
import csv
import io
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.data import cache, dataset
from training.evaluation import machine
from training.files.reading import MAX_LINE_CHARACTERS
from training.jobs import batch
from vocab.files import write_atomic

LABELS = ("negative", "positive")


def to_csv(reviews: Sequence[dataset.Review]) -> bytes:
    """Return reviews as CSV with the columns label and review."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["label", "review"])
    writer.writerows([LABELS[review.label], review.text] for review in reviews)
    return text.getvalue().encode()


def measure(path: Path) -> dict[str, Any]:
    """Return number of reviews, accuracy, share uncertain and errors of a batch; an error counts as wrong."""
    csv.field_size_limit(MAX_LINE_CHARACTERS)
    rows = right = uncertain = errors = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows += 1
            errors += bool(row["error"])
            uncertain += row["sentiment"] == "uncertain"
            if not row["error"]:
                right += LABELS[float(row["probability"]) >= 0.5] == row["label"]
    return {"reviews": rows, "accuracy": right / rows, "uncertain": uncertain / rows, "errors": errors}


def backend(options: argparse.Namespace) -> str:
    """Return where the batch ran, as text."""
    if options.local:
        return f"{options.workers} processes, {machine.describe()}"
    if options.ray:
        return f"Ray at {options.ray}"
    return f"{options.instances} x {options.instance_type}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Classify the test reviews by a batch.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    batch.add_backends(parser)
    options = parser.parse_args(arguments)
    folder = cache.folder() / "batch-test"
    options.file, options.out = folder / "reviews.csv", folder / "verdicts.csv"
    options.column, options.format, options.aspects = "review", "csv", None
    options.delimiter, options.raw = None, False
    options.force = True
    try:
        write_atomic(options.file, to_csv(dataset.load(dataset.find_archive(options.archive)).test))
    except dataset.DataError as error:
        sys.exit(f"batch-test: {error}")
    except OSError as error:
        sys.exit(f"batch-test: {error.filename or folder}: {error.strerror}")
    began = time.perf_counter()
    if batch.run_or_exit("batch-test", "batch-test", options) is None:
        return
    seconds = time.perf_counter() - began
    figures = measure(options.out)
    timed = {"seconds": round(seconds, 1), "reviews_a_second": round(figures["reviews"] / seconds, 1)}
    print(json.dumps({**figures, **timed, "way": backend(options)}))
    for path in (options.file, options.out):
        path.unlink()
    if figures["errors"]:
        sys.exit(f"batch-test: {figures['errors']:,} of {figures['reviews']:,} rows have an error")


if __name__ == "__main__":
    main()
