"""Repeat the recipe's last training with other seeds and state the spread of every figure.

    python -m training.recipe.seeds --seeds 1 2 3 --publish

The stages before are those of reproduce.py, made once. Each seed's network is packaged in the cache folder
and judged as the published one is; seed 1 is the published one's. ``--publish`` writes the means and
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

from training.data import cache, dataset
from training.endpoint import inference
from training.evaluation import behaviour, evaluate

PUBLISHED_SEED = 1


def package_of(seed: int, kept: bool = False) -> Path:
    """Give the package folder of a seed; train what is not trained yet. Raises SystemExit.

    ``kept`` takes the teachers' answers from the repository.
    """
    folder = cache.folder() / "best" / f"package-{seed}"
    command = [
        sys.executable,
        "-m",
        "training.recipe.reproduce",
        "--seed",
        str(seed),
        "--package",
        str(folder),
    ]
    if subprocess.run(command + ["--kept"] * kept).returncode:
        sys.exit(f"seeds: the training with seed {seed} failed")
    return folder


def figures_of(model: Path, data: dataset.Dataset, workers: int) -> dict[str, float]:
    """Give a model's accuracy and ECE on both splits, and its rates on the held-back half of the cases."""
    found = {}
    for split in ("development", "test"):
        reviews = getattr(data, split)
        labels = np.array([review.label for review in reviews])
        judged = evaluate.judge([review.text for review in reviews], labels, model, workers)
        found |= {f"{split}_accuracy": judged["accuracy"], f"{split}_ece": judged["ece"]}
    short = behaviour.overall_rates(model, data.development)
    return found | {key: short[key] for key in ("behaviour_held", "sentences_held")}


def spread(rows: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Give mean, sample standard deviation, least and most of each figure over the seeds (two or more)."""
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
    """Raise ValueError when the published model is not the first seed's."""
    if published["onnx_sha256"] != first["onnx_sha256"]:
        raise ValueError(
            f"the published model is {published['id']}, seed {PUBLISHED_SEED}'s is {first['id']};"
            " publish that one first (make train-best)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Repeat the last training with other seeds.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="two or more (default 1 2 3)")
    parser.add_argument("--kept", action="store_true", help="take the teachers' answers from targets.npz")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--publish", action="store_true", help="write the spread into the published card")
    options = parser.parse_args()
    if len(set(options.seeds)) < 2:
        sys.exit("seeds: a spread needs two different seeds or more")
    try:
        packages = {seed: package_of(seed, options.kept) for seed in dict.fromkeys(options.seeds)}
        if options.publish:
            first = packages.get(PUBLISHED_SEED) or package_of(PUBLISHED_SEED, options.kept)
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
