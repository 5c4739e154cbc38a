"""Count how many wrong labels `adapt --doubts` finds: labels of real reviews are flipped, then looked for.

    python -m training.adapt.planted_labels             # 2,000 development reviews, 5 % of the labels flipped

The table says how many of the first doubts are planted, and how many of the planted ones are among them. It
is the mean over draws of the flipped rows. Reviews of one film are held out together.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from training.adapt import features, near_duplicates
from training.adapt.doubts import disputed
from training.adapt.head_fit import Data, cross_validate
from training.adapt.lexicon import read_lexicon
from training.adapt.onnx_head import read_head
from training.data import dataset
from training.endpoint import inference

REVIEWS, FLIPPED, DRAWS = 2000, 0.05, 3
# The parts of the planted number after which is counted, and the end of the list.
PARTS = (0.1, 0.25, 0.5, 0.75, 1.0)


def find(data: Data, flipped: np.ndarray, model: Path) -> np.ndarray:
    """Return whether each doubt, the most doubtful first, is a flipped row, bool (doubts,).

    ``flipped`` is bool (rows,).
    """
    labels = np.where(flipped, 1 - data.labels, data.labels)
    start = read_head((model / "model.onnx").read_bytes())
    lexicon = read_lexicon(inference.model_fn(model))
    unseen, _ = cross_validate(data._replace(labels=labels), start, lexicon)
    found: np.ndarray = flipped[disputed(unseen, labels)]
    return found


def lines_of(found: Sequence[np.ndarray], planted: int) -> list[str]:
    """Return the table: the first doubts, how many are planted, and the share of the planted ones found."""
    lines = ["first doubts   planted   of all planted"]
    ends = [round(part * planted) for part in PARTS]
    for end in ends:
        hits = float(np.mean([one[:end].sum() for one in found]))
        lines.append(f"{end:12,}   {100 * hits / end:5.1f} %   {100 * hits / planted:12.1f} %")
    listed, hits = (float(np.mean([count(one) for one in found])) for count in (len, np.sum))
    lines.append(f"all, {listed:7,.0f}   {100 * hits / listed:5.1f} %   {100 * hits / planted:12.1f} %")
    return lines


def load(archive: Path, reviews: int, model: Path, workers: int) -> Data:
    """Load development reviews, always the same ones, as a head reads them."""
    development = dataset.load(archive).development
    chosen = np.sort(np.random.default_rng(0).permutation(len(development))[:reviews])
    taken = [development[row] for row in chosen]
    extracted = features.extract((review.text for review in taken), len(taken), model, workers)
    _, films = np.unique([review.film for review in taken], return_inverse=True)
    groups = near_duplicates.merge_groups((review.text for review in taken), films).groups
    data = Data(extracted.inputs, np.array([review.label for review in taken]), groups)
    return data.take(extracted.unfit == "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and return the exit status."""
    options = parse(arguments)
    data = load(
        dataset.find_archive(options.archive), options.reviews, inference.MODEL_FOLDER, options.workers
    )
    planted = round(options.flipped * len(data.labels))
    found = []
    for draw in tqdm(range(options.draws), desc="drawing", unit="draw", disable=None):
        flipped = np.zeros(len(data.labels), dtype=bool)
        flipped[np.random.default_rng(draw).permutation(len(flipped))[:planted]] = True
        found.append(find(data, flipped, inference.MODEL_FOLDER))
    print(f"{planted:,} of {len(data.labels):,} labels flipped, mean of {options.draws} draws")
    print("\n".join(lines_of(found, planted)))
    return 0


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Count how many flipped labels adapt --doubts finds.")
    parser.add_argument("--archive", help="the IMDb archive (default: IMDB_ARCHIVE, or a download)")
    parser.add_argument("--reviews", type=int, default=REVIEWS, help=f"reviews to take (default {REVIEWS:,})")
    parser.add_argument("--flipped", type=float, default=FLIPPED, help=f"share to flip (default {FLIPPED})")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"draws of flipped rows (default {DRAWS})")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    options = parser.parse_args(arguments)
    if options.reviews < 100 or not 0 < options.flipped < 0.5 or min(options.draws, options.workers) < 1:
        parser.error("--reviews must be 100 or more, 0 < --flipped < 0.5, --draws and --workers 1 or more")
    return options


if __name__ == "__main__":
    sys.exit(main())
