"""Join two kinds of word vectors: skip-gram's, and MPNet's of single words.

Skip-gram learns which words stand in the same places, and opposites do. MPNet (Song et al., NeurIPS 2020)
has read far more than reviews, so that it knows rare words better. mpnet_words.py makes the stored vectors.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import safe_open

STORED = Path(__file__).with_name("mpnet_words.safetensors")
# Principal components of MPNet's vectors that are stored; of joined vectors, MPNet's share of the variance.
COMPONENTS, SHARE = 64, 0.7
# A word weighs by the square root of its count, at most this many times the mean.
MOST_WEIGHT = 5.0


def load(stems: Mapping[str, int], rows: int, path: Path = STORED) -> np.ndarray:
    """Load MPNet's vectors, float32 (rows, COMPONENTS), zeros where no stem is stored.

    :param stems: the id of each stem
    :param rows: the size of the vocabulary
    """
    with safe_open(path, "numpy") as file:
        vectors = file.get_tensor("vectors").astype(np.float32) * file.get_tensor("scales")
        names = file.metadata()["stems"].split("\n")
    numbers = np.array([stems.get(name, rows) for name in names])
    known = numbers < rows
    table = np.zeros((rows, vectors.shape[1]), np.float32)
    table[numbers[known]] = vectors[known]
    return table


def join(skip_gram: np.ndarray, mpnet: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the principal components of both kinds together, float32, in the shape of ``skip_gram``.

    A word without a vector of MPNet's has zeros in its place.

    :param skip_gram: float32 (words, width)
    :param mpnet: float32 (words, COMPONENTS)
    :param counts: int64 (words,), how often each word stands in the reviews
    """
    weights = weights_of(counts)
    parts = [
        _scaled(skip_gram - np.average(skip_gram, axis=0, weights=weights)) * (1 - SHARE) ** 0.5,
        _scaled(mpnet) * SHARE**0.5,
    ]
    return principal(np.concatenate(parts, axis=1), weights, skip_gram.shape[1])


def principal(vectors: np.ndarray, weights: np.ndarray, components: int) -> np.ndarray:
    """Project centred vectors, (words, width), on their first principal components, (words, components)."""
    _, axes = np.linalg.eigh((vectors * weights[:, None]).T @ vectors)
    return np.asarray(vectors @ axes[:, ::-1][:, :components], np.float32)


def weights_of(counts: np.ndarray) -> np.ndarray:
    """Return what each word weighs when means and components are computed, float64 (words,)."""
    roots = np.sqrt(counts)
    return np.asarray(np.minimum(roots / roots.mean(), MOST_WEIGHT))


def _scaled(vectors: np.ndarray) -> np.ndarray:
    size = float(np.sqrt(np.square(vectors).sum(axis=1).mean()))
    return vectors / size if size else vectors
