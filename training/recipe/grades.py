"""Replace the teachers' soft targets of graded sentences with the targets of their grades.

    python -m training.recipe.grades --soft-targets FILE --out FILE

graded_sentences.csv grades sentences of train and unsup reviews, each read by itself: from -2, a clear
complaint, to 2, clear praise. A large language model read them; reading 1,000 again, blind, it gave 862
the same grade and two the other side. Most were drawn from those that the teachers or an earlier network
doubt. The file also grades sentences of development reviews, drawn evenly. They teach nothing; export.py
calibrates by them.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.data import dataset
from training.recipe import augment
from training.recipe.augment import Examples, SoftTargets, whole
from vocab import vocabulary
from vocab.text import clean
from vocab.vocabulary import Vocabulary

STORED = Path(__file__).with_name("graded_sentences.csv")
# P(positive) by grade. A grade of 0 has no opinion, or one in balance.
TARGETS = {-2: 0.03, -1: 0.2, 0: 0.5, 1: 0.8, 2: 0.97}
# Targets are at least so far from 0 and 1.
LEAST = 0.001
# So often an epoch holds each graded sentence.
TIMES = 2


class Graded(NamedTuple):
    """Hold a sentence of a review and its grade, a key of TARGETS."""

    review: str
    text: str
    grade: int


def load(reviews: Sequence[dataset.Review]) -> list[Graded]:
    """Load the grades of sentences of these reviews, and cut the sentences out of them.

    Sentences that these reviews lack are left out, for another archive than IMDb's.
    """
    texts = {review.name: review.text for review in reviews}
    with STORED.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["review"] in texts]
    cleaned = {name: clean(texts[name]) for name in {row["review"] for row in rows}}
    graded = [
        Graded(row["review"], cleaned[row["review"]][int(row["start"]) : int(row["end"])], int(row["grade"]))
        for row in rows
    ]
    return [sentence for sentence in graded if sentence.text.strip()]


def join(soft_targets: SoftTargets, rows: Sequence[Graded], words: Vocabulary) -> SoftTargets:
    """Return the soft targets with graded sentences, TIMES each.

    The teachers' targets for them go. They show how far all others have to move.
    """
    ids = [np.array(words.encode_ids(row.text), dtype=np.int32) for row in rows]
    targets = np.array([TARGETS[row.grade] for row in rows], dtype=np.float32)
    by_ids = {sentence.tobytes(): target for sentence, target in zip(ids, targets, strict=True)}
    old = soft_targets.sentences
    grade_of = np.array([by_ids.get(sentence.tobytes(), np.nan) for sentence in old.ids])
    known = ~np.isnan(grade_of)
    kept = np.flatnonzero(~known)
    rest = [old.ids[place] for place in kept]
    moved = calibrated(old.targets[kept], old.targets[known], grade_of[known])
    graded = Examples(ids * TIMES, whole(ids * TIMES), np.tile(targets, TIMES))
    return soft_targets._replace(sentences=Examples(rest, whole(rest), moved) + graded)


def calibrated(targets: np.ndarray, known: np.ndarray, grades: np.ndarray) -> np.ndarray:
    """Return soft targets, float32 (sentences,), of the scale and shift that bring ``known`` to ``grades``.

    :param known: the teachers' targets for the graded sentences, (graded,)
    :param grades: P(positive) by their grades, (graded,)
    """
    from scipy.optimize import minimize  # imported here, since export.py reads the grades without it
    from scipy.special import expit, logit

    if not len(grades):
        return targets
    logits = logit(np.clip(known.astype(np.float64), LEAST, 1 - LEAST))

    def loss(line: np.ndarray) -> float:
        found = line[0] * logits + line[1]
        return float((np.logaddexp(0, found) - grades * found).mean())

    scale, shift = minimize(loss, [1.0, 0.0], method="L-BFGS-B").x
    moved: np.ndarray = expit(scale * logit(np.clip(targets.astype(np.float64), LEAST, 1 - LEAST)) + shift)
    return moved.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description="Join graded sentences to the teachers' soft targets.")
    parser.add_argument("--soft-targets", type=Path, required=True, help="the file of distill.py")
    parser.add_argument("--out", type=Path, required=True, help="the file to write (.npz)")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    try:
        data = dataset.load(dataset.find_archive(options.archive))
        rows = load([*data.train, *data.unsup])
        joined = join(augment.load_soft_targets(options.soft_targets), rows, vocabulary.load())
        augment.save_soft_targets(joined, options.out)
    except OSError as error:
        sys.exit(f"grades: {error.filename}: {error.strerror}")
    except (dataset.DataError, vocabulary.VocabularyError) as error:
        sys.exit(f"grades: {error}")
    print(f"grades: {len(rows):,} graded of {len(joined.sentences.ids):,} sentences in {options.out}")


if __name__ == "__main__":
    main()
