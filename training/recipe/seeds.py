"""Repeat the recipe's last trainings with other seeds, and print the spread of every figure.

    python -m training.recipe.seeds --seeds 1 2 3 --publish

The stages before are those of reproduce.py, made once. Each seed's network is packaged in the cache folder
and evaluated as the published one is. The published model has seed 1. ``--publish`` writes the means and
standard deviations into the published model's card.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.data import dataset
from training.endpoint import inference
from training.evaluation import behaviour, evaluate
from training.recipe import reproduce

PUBLISHED_SEED = 1


def package_of(seed: int, stored_targets: bool = False) -> Path:
    """Return the package folder of a seed, after training what is not trained yet. Raises SystemExit.

    ``stored_targets`` takes the teachers' soft targets from the repository.
    """
    folder = reproduce.stages_folder() / f"package-{seed}"
    flags = ["--seed", str(seed), "--package", str(folder), *["--stored-targets"] * stored_targets]
    if subprocess.run([sys.executable, "-m", "training.recipe.reproduce", *flags]).returncode:
        sys.exit(f"seeds: the training with seed {seed} failed")
    return folder


def figures_of(model: Path, data: dataset.Dataset, workers: int) -> dict[str, float]:
    """Return a model's accuracy and ECE on both splits, and its rates on the half of the cases held back."""
    figures: dict[str, float] = {}
    for split in ("development", "test"):
        reviews = getattr(data, split)
        labels = np.array([review.label for review in reviews])
        summary = evaluate.measure([review.text for review in reviews], labels, model, workers)
        figures |= {f"{split}_accuracy": summary["accuracy"], f"{split}_ece": summary["ece"]}
    rates = behaviour.main_rates(model, data.development)
    return figures | {key: rates[key] for key in ("behaviour_held", "sentences_held", *behaviour.TAUGHT)}


def spread(rows: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean, sample standard deviation, least and most of each figure over two or more seeds."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {
        name: {
            "mean": statistics.fmean(values),
            "sd": statistics.stdev(values),
            "min": min(values),
            "max": max(values),
        }
        for name, values in columns.items()
    }


def check_published(published: dict[str, Any], first: dict[str, Any]) -> None:
    """Raise ValueError when the published model is not that of PUBLISHED_SEED."""
    if published["onnx_sha256"] != first["onnx_sha256"]:
        raise ValueError(
            f"the published model is {published['id']}, seed {PUBLISHED_SEED}'s is {first['id']};"
            " publish that one first (make train-best)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Repeat the last trainings with other seeds.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="two or more (default 1 2 3)")
    parser.add_argument("--stored-targets", action="store_true", help=reproduce.STORED_TARGETS_HELP)
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--publish", action="store_true", help="write the spread into the published card")
    options = parser.parse_args()
    if len(set(options.seeds)) < 2:
        sys.exit("seeds: a spread needs two different seeds or more")
    try:
        seeds = dict.fromkeys(options.seeds)
        packages = {seed: package_of(seed, options.stored_targets) for seed in seeds}
        if options.publish:
            first = packages.get(PUBLISHED_SEED) or package_of(PUBLISHED_SEED, options.stored_targets)
            check_published(inference.model_fn(inference.MODEL_FOLDER).card, inference.model_fn(first).card)
        data = dataset.load(dataset.find_archive(options.archive))
        rows = {seed: figures_of(model, data, options.workers) for seed, model in packages.items()}
    except OSError as error:
        sys.exit(f"seeds: {error.filename}: {error.strerror}")
    except (ValueError, dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"seeds: {error}")
    figures = {"seeds": list(rows), "by_seed": list(rows.values()), "spread": spread(list(rows.values()))}
    print(json.dumps(figures, indent=2))
    if options.publish:
        evaluate.publish(inference.MODEL_FOLDER, "seeds", figures, "python -m training.recipe.seeds")


if __name__ == "__main__":
    main()
