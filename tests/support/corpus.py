"""A corpus for training within a second: one word marks positive reviews, another negative ones."""

import numpy as np

from training.data.corpus import Corpus, Split
from vocab.vocabulary import FIRST_KNOWN_ID

ROWS = FIRST_KNOWN_ID + 40
GOOD, BAD = FIRST_KNOWN_ID, FIRST_KNOWN_ID + 1
SENTENCE = 5


def tiny_split(count: int, seed: int, labelled: bool = True) -> Split:
    """Return reviews of 3 to 12 random words; every other one holds GOOD, the others BAD.

    A sentence has SENTENCE words, the last of a review 1 or more.
    """
    chooser = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int8) % 2
    ids = []
    for label in labels:
        words = chooser.integers(FIRST_KNOWN_ID + 2, ROWS, chooser.integers(3, 13)).astype(np.int32)
        words[chooser.integers(len(words))] = GOOD if label else BAD
        ids.append(words)
    if not labelled:
        labels = np.full(count, -1, dtype=np.int8)
    stars = np.where(labels == 1, 9, np.where(labels == 0, 2, 0)).astype(np.int8)
    lengths = [np.diff([*range(0, len(words), SENTENCE), len(words)]).astype(np.int32) for words in ids]
    return Split([f"review/{seed}/{n}" for n in range(count)], ids, lengths, labels, stars)


def tiny_corpus() -> Corpus:
    """Return the tiny corpus."""
    return Corpus(
        train=tiny_split(96, 1),
        development=tiny_split(40, 2),
        unsup=tiny_split(40, 3, labelled=False),
        test=tiny_split(8, 4),
        fingerprint="f" * 16,
        archive_sha256="a" * 64,
        left_out={"train": 1, "unsup": 2},
    )
