"""Evaluate the published model, through the hooks that serve it.

    python -m training.evaluation.evaluate --split test          # the 25,000 official test reviews
    python -m training.evaluation.evaluate --csv reviews.csv     # any file with the columns text and label
    python -m training.evaluation.evaluate --speed               # milliseconds a review, one thread

The test split takes two minutes; ``--speed`` reads reviews of 230 tokens.
Prints one JSON. ``--publish`` writes the figures of that split, or the speed, into the model's card.
"""

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from training.data import dataset
from training.endpoint import inference
from training.evaluation import machine, metrics
from training.files import labelled
from training.files.rows import BatchError
from vocab import messages
from vocab.files import write_atomic
from vocab.messages import MessageError
from vocab.text import NEGATIONS, clean, tokenize

MAX_CELL = 10_000_000
CHUNK = 250
# Words that negate, with the forms that people write without an apostrophe.
NEGATORS = NEGATIONS | frozenset(
    "cannot cant dont wont didnt doesnt isnt wasnt arent werent wouldnt couldnt shouldnt aint"
    " neither none nobody nothing nowhere without hardly barely scarcely".split()
)
# The endpoint sends the card to every caller that asks.
MAX_CARD_BYTES = 64_000
# The network reads 236 tokens of a development review on average.
SPEED_TOKENS, SPEED_REVIEWS, SPEED_WARM_UP = 230, 500, 50


class Reading(NamedTuple):
    """Calibrated logits, float64 (reviews,), and the counts of tokens and negators, int (reviews,)."""

    logits: np.ndarray
    lengths: np.ndarray
    negators: np.ndarray


def score_texts(texts: Sequence[str], model: Path, workers: int) -> Reading:
    """Score reviews in several processes. A review without a token gets NaN and 0."""
    pieces = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    with ProcessPoolExecutor(workers) as pool:
        scored = list(
            tqdm(
                pool.map(partial(_score_piece, str(model)), pieces),
                total=len(pieces),
                desc=f"scoring, {CHUNK} reviews each",
                disable=None,
            )
        )
    table = np.array([row for piece in scored for row in piece], dtype=np.float64).reshape(-1, 3)
    return Reading(table[:, 0], table[:, 1].astype(int), table[:, 2].astype(int))


@lru_cache(maxsize=1)
def load_model(model: str) -> inference.LoadedModel:
    """Load the model of a folder, once in a process."""
    return inference.model_fn(model)


def _score_piece(model: str, texts: Sequence[str]) -> list[tuple[float, int, int]]:
    rows = []
    for review in texts:
        try:
            encoded, scored = load_model(model).predict(review)
            negators = sum(name in NEGATORS for name in encoded.tokens.names)
            rows.append((scored.logit, len(encoded.ids), negators))
        except MessageError:
            rows.append((float("nan"), 0, 0))
    return rows


def measure(texts: Sequence[str], labels: np.ndarray, model: Path, workers: int) -> dict[str, Any]:
    """Return every metric for reviews with labels 0 or 1: overall, by length, by negation, in bins.

    ``unread`` counts texts without a token, which the rest leaves out. Raises ValueError if all are such.
    """
    card = inference.model_fn(model).card
    reading = score_texts(texts, model, workers)
    unread = np.isnan(reading.logits)
    if unread.all():
        raise ValueError(f"none of the {len(texts):,} texts holds a word or sign that can be read")
    if unread.any():  # a caller gets an error, which is neither right nor wrong
        reading, labels = Reading(*(column[~unread] for column in reading)), labels[~unread]
    logits = reading.logits
    probabilities = metrics.probabilities_of(logits)
    band = tuple(card["uncertain"])
    quarters = metrics.by_length(probabilities, labels, reading.lengths, band)
    return {
        **metrics.summary(probabilities, labels, band),
        "unread": int(unread.sum()),
        "ece_worst_quarter": max(row["ece"] for row in quarters),
        "by_length": quarters,
        "by_negation": metrics.by_negation(probabilities, labels, reading.negators, reading.lengths, band),
        "risk_coverage": metrics.risk_coverage(probabilities, labels),
        "reliability": metrics.reliability(probabilities, labels),
    }


def reviews_of_length(texts: Sequence[str], tokens: int, most: int) -> list[str]:
    """Return up to ``most`` reviews, cut after so many tokens. Shorter ones are left out."""
    cut: list[str] = []
    for review in texts:
        text = clean(review)
        ends = tokenize(text).ends
        if len(ends) >= tokens and len(tokenize(text[: ends[tokens - 1]]).ends) == tokens:
            cut.append(text[: ends[tokens - 1]])
        if len(cut) == most:
            break
    return cut


def speed(texts: Sequence[str], folder: Path) -> dict[str, Any]:
    """Return milliseconds a review of SPEED_TOKENS tokens, from its text to its explained answer.

    One thread, after a warm-up. ``network`` is the scoring's own part, with every word explained.
    """
    model = inference.model_fn(folder)
    reviews = reviews_of_length(texts, SPEED_TOKENS, SPEED_REVIEWS)
    if not reviews:
        raise ValueError(f"no review has {SPEED_TOKENS} tokens")
    whole, network = [], []
    for review in [*reviews[:SPEED_WARM_UP], *reviews]:
        began = time.perf_counter()
        encoded, scored = model.predict(review, "sentences")
        messages.build_answer(encoded, scored, model.identity, "speed")
        answered = time.perf_counter()
        model.score(encoded.ids, encoded.lengths, "sentences")
        whole.append(1000 * (answered - began))
        network.append(1000 * (time.perf_counter() - answered))
    whole, network = whole[-len(reviews) :], network[-len(reviews) :]
    return {
        "tokens": SPEED_TOKENS,
        "reviews": len(reviews),
        "ms_median": round(float(np.median(whole)), 3),
        "ms_p95": round(float(np.quantile(whole, 0.95)), 3),
        "ms_median_network": round(float(np.median(network)), 3),
        "onnx_bytes": model.card["onnx_bytes"],
        "machine": machine.describe(1),
    }


class Labelled(NamedTuple):
    """Texts of a file, their labels 0 or 1, int (texts,), and the number of rows without a side."""

    texts: list[str]
    labels: np.ndarray
    left_out: int


def read_csv(path: Path) -> Labelled:
    """Load the columns text and label of a CSV file in UTF-8. Raises ValueError with the line.

    Labels have the same meaning in ``adapt``, ``compare`` and the page.
    """
    rows = list(_csv_rows(path))
    if not rows:
        raise ValueError(f"{path} holds no row")
    meaning = _meaning(rows)
    labels = [meaning.get(labelled.plain(label)) for _, label, _ in rows]
    sides = [label for label in labels if label is not None]
    if not sides:
        raise ValueError(f"{path} has no row that is positive or negative")
    texts = [text for (text, _, _), label in zip(rows, labels, strict=True) if label is not None]
    return Labelled(texts, np.array(sides), len(rows) - len(sides))


def _csv_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield each row's text, its label and its place in the file. Raises ValueError."""
    csv.field_size_limit(MAX_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or ())
            if [names.count(name) for name in ("text", "label")] != [1, 1]:
                has = f"has {', '.join(map(repr, names))}" if names else "is empty"
                raise ValueError(f"{path} needs one column text and one column label, {has}")
            for row in reader:
                where = f"{path} line {reader.line_num}"
                _check_width(row, where)
                yield row["text"], row["label"], where
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no CSV in UTF-8 ({error})") from error
    except csv.Error as error:
        raise ValueError(f"{path} can't be read as CSV: {error}; a cell has at most {MAX_CELL:,}") from error


def _check_width(row: dict[Any, Any], where: str) -> None:
    if row["label"] is None or row["text"] is None or None in row:
        count = "more" if None in row else "fewer"
        raise ValueError(f"{where}: the row has {count} cells than the header; is a comma or quote unquoted?")


def _meaning(rows: Sequence[tuple[str, str, str]]) -> dict[str, int | None]:
    """Return what the rows' labels mean. Raises ValueError, which never quotes what may be a review."""
    try:
        return labelled.scheme_of({labelled.plain(label) for _, label, _ in rows}).meaning
    except labelled.UnknownLabels as error:
        unknown = error.values
    except BatchError as error:
        raise ValueError(str(error)) from error
    value, where = next((label, where) for _, label, where in rows if labelled.plain(label) in unknown)
    shown = repr(value) if len(value) <= 10 else f"{len(value):,} characters"
    raise ValueError(
        f"{where}: a label is positive, negative, pos, neg, 1 or 0, got {shown}; a file has one scale: words,"
        " 1 and 0, 1 and 2, -1 and 1, or stars up to 5 or 10"
    )


def publish(model: Path, name: str, figures: dict[str, Any], command: str) -> None:
    """Write figures, and the command that prints them, into the card of their model."""
    path = model / "model.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["metrics"][name] = {**figures, "command": command}
    data = (json.dumps(card, indent=2, allow_nan=False) + "\n").encode()
    if len(data) > MAX_CARD_BYTES:
        raise ValueError(f"{path} would have {len(data):,} bytes; a card has at most {MAX_CARD_BYTES:,}")
    write_atomic(path, data)


def main() -> None:
    parser = argparse.ArgumentParser(description="Evaluate the published model.")
    parser.add_argument("--split", choices=("development", "test"), default="development")
    parser.add_argument("--csv", type=Path, help="evaluate this file of text,label instead of a split")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--publish", action="store_true", help="write the figures into the card")
    parser.add_argument("--speed", action="store_true", help="measure milliseconds a review instead")
    options = parser.parse_args()
    if options.workers < 1:
        parser.error(f"--workers must be 1 or more, got {options.workers}")
    if options.speed and (options.csv or options.split != "development"):
        parser.error("--speed is measured on the development split")
    try:
        figures = _figures(options)
    except OSError as error:
        sys.exit(f"evaluate: {error.filename or options.model}: {error.strerror}")
    except (ValueError, dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"evaluate: {error}")
    print(json.dumps(figures, indent=2))


def _figures(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what the flags name, and publish it with --publish."""
    if options.csv:
        rows = read_csv(options.csv)
        if rows.left_out:
            print(f"evaluate: left out {rows.left_out:,} rows without a side", file=sys.stderr)
        return measure(rows.texts, rows.labels, options.model, options.workers)
    reviews = getattr(dataset.load(dataset.find_archive(options.archive)), options.split)
    texts = [review.text for review in reviews]
    labels = np.array([review.label for review in reviews])
    if options.speed:
        name, command = "speed", "python -m training.evaluation.evaluate --speed"
        figures = speed(texts, options.model)
    else:
        name, command = options.split, f"python -m training.evaluation.evaluate --split {options.split}"
        figures = measure(texts, labels, options.model, options.workers)
    if options.publish:
        publish(options.model, name, figures, command)
    return figures


if __name__ == "__main__":
    main()
