"""Put near-duplicate reviews into one group, so that a fit is not evaluated on what it has learned from.

A shop's reviews repeat themselves: "The kettle died after 3 weeks", "The lamp died after 5 weeks". A fit that
has seen the first knows the second, and would look better than it is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from training.files.progress import with_bar

# The cosine of two reviews' words, weighted by rarity, that makes them near duplicates. Of 2,455 sentences
# of product reviews, 309 have such a neighbour.
MIN_COSINE = 0.5
# Pairs of reviews with a word in common that are compared; this takes seconds. In thousands of long reviews,
# the commonest words would make more pairs; they matter least and are left out.
MAX_PAIRS = 300_000_000
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")


class Merged(NamedTuple):
    """Groups, int (reviews,), with near duplicates together, and the number of reviews that have one."""

    groups: np.ndarray
    duplicates: int


def merge_groups(texts: Iterable[str], groups: np.ndarray) -> Merged:
    """Merge the groups, int (reviews,), that hold near duplicates of each other.

    >>> merge_groups([
    ...     "Died in 3 days.", "It died in 5 days!", "Lovely."
    ... ], np.array([7, 8, 9])).groups.tolist()
    [0, 0, 2]
    """
    _, merged = np.unique(groups, return_inverse=True)
    has_neighbour = np.zeros(len(merged), dtype=bool)
    for rows in _neighbours([_words(text) for text in texts]):
        touched = np.unique(merged[rows])
        merged[np.isin(merged, touched)] = touched[0]
        has_neighbour[rows] = True
    return Merged(merged, int(has_neighbour.sum()))


def _words(text: str) -> frozenset[str]:
    """Return a text's words; all numbers count as the same word."""
    return frozenset(_DIGITS.sub("0", word) for word in _WORD.findall(text.lower()))


def _neighbours(reviews: list[frozenset[str]]) -> Iterator[np.ndarray]:
    """Yield rows, int (rows,): the earlier near duplicates of a review, and its own row last."""
    count = Counter(word for words in reviews for word in words)
    # A word of every review still counts a little: texts of common words alone can be duplicates too.
    weight = {word: float(np.log((len(reviews) + 1) / times)) ** 2 for word, times in count.items()}
    length = np.sqrt([sum(weight[word] for word in words) or 1.0 for words in reviews])
    rows_of = _rows_by_word(reviews, _compared_words(count))
    for row, words in enumerate(with_bar(reviews, "looking for near duplicates", "review", len(reviews))):
        compared = [word for word in words if word in rows_of]
        if not compared:
            continue
        weights = np.repeat([weight[word] for word in compared], [len(rows_of[word]) for word in compared])
        shared = np.bincount(np.concatenate([rows_of[word] for word in compared]), weights)[:row]
        near = np.flatnonzero(shared >= MIN_COSINE * length[row] * length[: len(shared)])
        if len(near):
            yield np.append(near, row)


def _rows_by_word(reviews: list[frozenset[str]], chosen: set[str]) -> dict[str, np.ndarray]:
    """Return the rows, int (rows,), of each chosen word."""
    rows: dict[str, list[int]] = {word: [] for word in chosen}
    for row, words in enumerate(reviews):
        for word in words & chosen:
            rows[word].append(row)
    return {word: np.array(numbers) for word, numbers in rows.items()}


def _compared_words(count: Counter[str]) -> set[str]:
    """Return the words of several reviews, from the rarest up to the limit of pairs."""
    shared_words = sorted((times, word) for word, times in count.items() if times > 1)
    pairs = accumulate(times**2 for times, _ in shared_words)
    return {word for (_, word), total in zip(shared_words, pairs, strict=True) if total <= MAX_PAIRS}
