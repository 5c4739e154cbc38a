"""Judge the published model, through the very hooks that serve it.

    python training/evaluate.py --split test          # the 25,000 official test reviews, two minutes
    python training/evaluate.py --csv reviews.csv     # any file with the columns text and label

Prints one JSON. ``--publish`` writes the figures of that split into the model's card.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import dataset
import inference
import measures
import numpy as np
from tqdm import tqdm

from vocab.contract import ContractError
from vocab.files import write_atomic

LABELS = {"positive": 1, "negative": 0, "pos": 1, "neg": 0, "1": 1, "0": 0}
CHUNK = 250


def score_texts(texts: Sequence[str], model: Path, workers: int) -> tuple[np.ndarray, np.ndarray]:
    """Give calibrated logits, float64 (reviews,), and token counts; NaN where a review has no token."""
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
    found = np.array([row for piece in scored for row in piece], dtype=np.float64).reshape(-1, 2)
    return found[:, 0], found[:, 1].astype(int)


_LOADED: dict[str, inference.Verdict] = {}


def _score_piece(model: str, texts: Sequence[str]) -> list[tuple[float, int]]:
    if model not in _LOADED:
        _LOADED[model] = inference.model_fn(model)
    rows = []
    for review in texts:
        try:
            encoded, scored = _LOADED[model].read(review)
            rows.append((scored.logit, len(encoded.ids)))
        except ContractError:
            rows.append((float("nan"), 0))
    return rows


def judge(texts: Sequence[str], labels: np.ndarray, model: Path, workers: int) -> dict[str, Any]:
    """Give every figure for reviews with labels 0 or 1: overall, by length, calibration bins."""
    card = inference.model_fn(model).card
    logits, lengths = score_texts(texts, model, workers)
    unread = np.isnan(logits)
    probabilities = measures.probabilities_of(np.nan_to_num(logits))
    band = tuple(card["uncertain"])
    uncalibrated = measures.probabilities_of(np.nan_to_num(logits) * card["temperature"])
    return {
        **measures.summary(probabilities, labels, band),
        "unread": int(unread.sum()),
        "ece_before_temperature": measures.expected_calibration_error(uncalibrated, labels),
        "by_length": measures.by_length(probabilities, labels, lengths, band),
        "reliability": measures.reliability(probabilities, labels),
    }


def read_csv(path: Path) -> tuple[list[str], np.ndarray]:
    """Read the columns text and label of a CSV file in UTF-8. Raises ValueError with the line."""
    csv.field_size_limit(10_000_000)
    texts, labels = [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"text", "label"} <= set(reader.fieldnames or ()):
                raise ValueError(f"{path} needs the columns text and label, has {reader.fieldnames}")
            for row in reader:
                label = LABELS.get((row["label"] or "").strip().lower())
                if label is None or row["text"] is None:
                    raise ValueError(
                        f"{path} line {reader.line_num}: needs a text, and positive, negative, 1 or 0"
                    )
                texts.append(row["text"])
                labels.append(label)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV in UTF-8 ({error})") from error
    if not texts:
        raise ValueError(f"{path} holds no row")
    return texts, np.array(labels)


def publish(model: Path, name: str, figures: dict[str, Any], command: str) -> None:
    """Write figures, and the command that prints them, into the card of the model they belong to."""
    path = model / "model.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["metrics"][name] = {**figures, "command": command}
    write_atomic(path, (json.dumps(card, indent=2, allow_nan=False) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge the published model.")
    parser.add_argument("--split", choices=("development", "test"), default="development")
    parser.add_argument("--csv", type=Path, help="judge this file of text,label instead of a split")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--publish", action="store_true", help="write the split's figures into the card")
    options = parser.parse_args()
    try:
        if options.csv:
            texts, labels = read_csv(options.csv)
        else:
            reviews = getattr(dataset.load(dataset.find_archive(options.archive)), options.split)
            texts = [review.text for review in reviews]
            labels = np.array([review.label for review in reviews])
        figures = judge(texts, labels, options.model, options.workers)
        if options.publish and not options.csv:
            command = f"make evaluate SPLIT={options.split}"
            publish(options.model, options.split, figures, command)
    except OSError as error:
        sys.exit(f"evaluate: {error.filename or options.model}: {error.strerror}")
    except (ValueError, dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"evaluate: {error}")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
