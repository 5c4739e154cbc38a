"""Measure what some labels gain on a labelled file: accuracy and calibration error, before and after adapt.

    python -m training.adapt.gain products.tsv restaurants.tsv --labels 300

Each draw learns from that many rows and measures both models on the others. Groups and near duplicates stay
on one side. The command prints the mean of some draws, and their standard deviation.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.adapt import features, near_duplicates
from training.adapt.exit_status import CommandError, run_command
from training.adapt.head_fit import Data, fit
from training.adapt.lexicon import read_lexicon
from training.adapt.onnx_head import read_head
from training.endpoint import inference
from training.endpoint.model_folder import path_of
from training.evaluation import metrics
from training.files import labelled
from vocab.exit_status import FINE

LABELS, DRAWS = 300, 3


class Measured(NamedTuple):
    """Metrics on rows that were not learned from, each float64 (draws, 2): before and after."""

    accuracy: np.ndarray
    ece: np.ndarray
    nll: np.ndarray


def measure(data: Data, model: Path, count: int, draws: int) -> Measured:
    """Learn from ``count`` rows and measure on the others, for each draw. Raises CommandError, HeadError."""
    loaded = inference.model_fn(model)
    start, lexicon = read_head((model / "model.onnx").read_bytes()), read_lexicon(loaded)
    found = []
    for seed in range(draws):
        learned, held = split(data.groups, count, seed)
        if not held.any() or len(np.unique(data.labels[learned])) < 2:
            raise CommandError(f"{len(data.labels):,} rows are too few for {count:,} labels and a test")
        rest, labels = data.inputs.take(held), data.labels[held]
        fitted = fit(data.take(learned), start, lexicon)
        both = metrics.probabilities_of(rest.logits(start)), fitted.probabilities(rest)
        found.append([metrics_of(probabilities, labels) for probabilities in both])
    return Measured(*np.transpose(found, (2, 0, 1)))


def split(groups: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of the rows to learn from, ``count`` or a few less, and to measure on, bool (rows,) each.

    ``groups`` is int (rows,); a group that the learned rows were cut from is in neither.
    """
    names, numbers = np.unique(groups, return_inverse=True)
    ranks = np.random.default_rng(seed).permutation(len(names))[numbers]
    order = np.argsort(ranks, kind="stable")
    learned = np.zeros(len(groups), dtype=bool)
    learned[order[:count]] = True
    return learned, ~np.isin(groups, groups[learned])


def metrics_of(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Return accuracy, calibration error and log loss of P(positive), float64 (rows,)."""
    found = metrics.summary(probabilities, labels, (0.5, 0.5))
    return found["accuracy"], found["ece"], found["nll"]


def lines_of(name: str, rows: int, count: int, measured: Measured) -> list[str]:
    """Return the figures of a file in words."""
    gains = 100 * np.diff(measured.accuracy, axis=1)[:, 0]
    spread = f" ± {gains.std(ddof=1):.1f}" if len(gains) > 1 else ""
    before, after = 100 * measured.accuracy.mean(axis=0)
    ece = 100 * measured.ece.mean(axis=0)
    nll, rise = measured.nll.mean(axis=0), 100 * np.diff(measured.ece, axis=1).max()
    return [
        f"{name}: {count:,} labels of {rows:,} rows, mean of {len(gains)} draws",
        f"  accuracy           {before:.1f} % to {after:.1f} % ({gains.mean():+.1f}{spread} points)",
        f"  calibration error  {ece[0]:.1f} % to {ece[1]:.1f} % (in the worst draw {rise:+.1f} points)",
        f"  log loss           {nll[0]:.3f} to {nll[1]:.3f}",
    ]


def run(options: argparse.Namespace) -> int:
    """Measure each file and print its figures. Raises CommandError and what a file's reading raises."""
    for path in options.files:
        rows = labelled.read(path)
        extracted = features.extract(rows.texts(), len(rows.numbers), options.model, options.workers)
        keep = extracted.unfit == ""
        rows = rows.take(keep)
        groups = near_duplicates.merge_groups(rows.texts(), rows.groups).groups
        data = Data(extracted.inputs.take(keep), rows.labels, groups)
        measured = measure(data, options.model, options.labels, options.draws)
        print("\n".join(lines_of(path.name, len(rows.labels), options.labels, measured)), flush=True)
    return FINE


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure what some labels gain on labelled files.")
    parser.add_argument("files", nargs="+", type=Path, help="files with a text and a label, as for adapt")
    parser.add_argument("--labels", type=int, default=LABELS, help="rows to learn from (default %(default)s)")
    parser.add_argument("--draws", type=int, default=DRAWS, help="draws to average (default %(default)s)")
    parser.add_argument("--model", type=path_of, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    options = parser.parse_args(arguments)
    return run_command("gain", lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
