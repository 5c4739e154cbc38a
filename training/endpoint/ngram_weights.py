"""A linear part of a sentence's polarity: the weights of its words, pairs and triples.

They know phrases that the LSTM saw too rarely, and make other errors. All n-grams share a table by their
hash (Weinberger et al., ICML 2009). An n-gram lies within one sentence. N-grams of nothing but unread tokens
don't count.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Tokens of the longest n-gram.
LONGEST = 3
# Codes of int8 are -MOST_CODE..MOST_CODE.
MOST_CODE = 127


class NgramWeights(NamedTuple):
    """Hold a table of weights: a column's is code x |code| x ``step``, which is finest around zero.

    ``codes`` is int8 (columns,), and the number of columns a power of two.
    """

    codes: np.ndarray
    step: float

    def of(self, columns: np.ndarray) -> np.ndarray:
        """Return the weights of columns, float64 (n-grams,)."""
        codes = self.codes[columns].astype(np.float64)
        weights: np.ndarray = codes * np.abs(codes) * self.step
        return weights


NONE = NgramWeights(np.zeros(0, dtype=np.int8), 0.0)


class Found(NamedTuple):
    """Hold the n-grams of a text that count.

    ``starts``, int64 (n-grams,), is the first token of each, ``lengths``, int64 (n-grams,), its number of
    tokens, ``sentences``, int64 (n-grams,), where it stands, and ``columns``, int64 (n-grams,), where its
    weight is.
    """

    starts: np.ndarray
    lengths: np.ndarray
    sentences: np.ndarray
    columns: np.ndarray


def mask_of(unread: Sequence[int]) -> np.ndarray:
    """Return which ids are read where some are not, bool (ids,); every later id is read."""
    is_read = np.ones(max([0, *unread]) + 2, dtype=bool)
    is_read[list(unread)] = False
    return is_read


def read_tokens(is_read: np.ndarray, ids: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which tokens are read, bool (tokens,), and how many of each sentence, int64 (sentences,).

    A sentence of nothing but unread tokens is read whole.
    """
    read = is_read.take(ids, mode="clip")
    counts = np.add.reduceat(read, np.cumsum(lengths) - lengths, dtype=np.int64)
    if not counts.all():
        read |= np.repeat(counts == 0, lengths)
        counts = np.where(counts == 0, lengths, counts)
    return read, counts


NOTHING = Found(*[np.zeros(0, dtype=np.int64)] * 4)


def find(ids: np.ndarray, lengths: np.ndarray, read: np.ndarray, columns: int) -> Found:
    """Find the n-grams of a text: its ids, int64 (tokens,), and how many each sentence holds.

    :param read: which tokens the LSTM reads, bool (tokens,)
    :param columns: of the table, a power of two
    """
    if not columns:
        return NOTHING
    owners = np.repeat(np.arange(len(lengths)), lengths)
    keys, count = hashes(ids), len(ids)
    counted = np.zeros(keys.shape, dtype=bool)
    together, counted[0] = np.ones(count, dtype=bool), read
    for size in range(1, min(LONGEST, count)):
        together = together[:-1] & (owners[:-size] == owners[size:])
        counted[size, :-size] = (counted[size - 1, :-size] | read[size:]) & together
    places = np.flatnonzero(counted)
    start = places % count
    column = (keys.ravel()[places] & np.uint64(columns - 1)).astype(np.int64)
    return Found(start, places // count + 1, owners[start], column)


def hashes(ids: np.ndarray) -> np.ndarray:
    """Return the hash of the words, pairs and triples that start at each token, uint64 (LONGEST, tokens).

    The last tokens start no pair or triple. What stands there means nothing.
    """
    keys = np.zeros((LONGEST, len(ids)), dtype=np.uint64)
    words = keys[0]
    words[:] = ids
    words += np.uint64(1)
    for size in range(1, min(LONGEST, len(ids))):
        keys[size, :-size] = keys[size - 1, :-size] * np.uint64(0x9E3779B97F4A7C15) ^ words[size:]
    # The finalizer of MurmurHash3 (Appleby, public domain) spreads keys that lie close together.
    keys ^= keys >> np.uint64(33)
    keys *= np.uint64(0xFF51AFD7ED558CCD)
    keys ^= keys >> np.uint64(33)
    return keys


def sums(table: NgramWeights, found: Found, sentences: int) -> np.ndarray:
    """Return the sum of the weights in each sentence, float64 (sentences,)."""
    return np.bincount(found.sentences, table.of(found.columns), sentences)


def shares(table: NgramWeights, found: Found, read: np.ndarray) -> np.ndarray:
    """Return each token's part of its sentence's sum, float64 (tokens,).

    An n-gram's tokens that are read share its weight evenly.

    :param read: which tokens the LSTM reads, bool (tokens,)
    """
    offsets = np.arange(LONGEST)
    places = np.minimum(found.starts[:, None] + offsets, len(read) - 1)
    held = (offsets < found.lengths[:, None]) & read[places]
    each = table.of(found.columns) / held.sum(axis=1)
    return np.bincount(places[held], np.repeat(each, held.sum(axis=1)), len(read))


def changed(table: NgramWeights, columns: np.ndarray, weights: np.ndarray) -> NgramWeights:
    """Return a table with weights added to some columns, int64 and float64 (columns,), each there once.

    Other weights keep their codes, unless a changed one becomes the largest of all.
    """
    if not weights.any() or not len(table.codes):
        return table
    sums = table.of(columns) + weights
    if np.abs(sums).max() > table.step * MOST_CODE**2:
        every = table.of(np.arange(len(table.codes)))
        every[columns] = sums
        return to_codes(every)
    codes = table.codes.copy()
    codes[columns] = np.round(np.sqrt(np.abs(sums) / table.step)) * np.sign(sums)
    return NgramWeights(codes, table.step)


def to_codes(weights: np.ndarray) -> NgramWeights:
    """Return a table of weights, float (columns,), in int8."""
    most = float(np.abs(weights).max(initial=0.0))
    step = most / MOST_CODE**2
    # A step of the smallest numbers that there are is 0.
    codes = np.round(np.sqrt(np.abs(weights) / step)) * np.sign(weights) if step else np.zeros(len(weights))
    return NgramWeights(codes.astype(np.int8), step)
