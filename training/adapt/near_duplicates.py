"""Reviews that are nearly the same: whoever is judged on one must not have learned from the other.

A shop's reviews repeat themselves: "The kettle died after 3 weeks", "The lamp died after 5 weeks". A fit that
has seen the one knows the other by heart, and would be called better than it is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

import numpy as np

# Two reviews are nearly the same from this cosine on, of their words weighed by how rare each is among the
# reviews. Of 2,455 sentences of product reviews, 309 have such a neighbour.
LEAST_ALIKE = 0.5
# So many pairs of reviews with a word in common are looked at, in seconds; in thousands of long reviews the
# commonest words, which tell the least, make more.
MOST_PAIRS = 300_000_000
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")


class Joined(NamedTuple):
    """Groups, int (reviews,), in which those nearly the same are together; and how many have a neighbour."""

    groups: np.ndarray
    alike: int


def join(texts: Iterable[str], groups: np.ndarray) -> Joined:
    """Make one of the groups that hold reviews which are nearly the same; ``groups`` are int (reviews,).

    >>> join(["Died in 3 days.", "It died in 5 days!", "Lovely."], np.array([7, 8, 9])).groups.tolist()
    [0, 0, 2]
    """
    _, joined = np.unique(groups, return_inverse=True)
    alike = np.zeros(len(joined), dtype=bool)
    for near in _neighbours([_words(text) for text in texts]):
        found = np.unique(joined[near])
        joined[np.isin(joined, found)] = found[0]
        alike[near] = True
    return Joined(joined, int(alike.sum()))


def _words(text: str) -> frozenset[str]:
    """Give a text's words; one number is like another."""
    return frozenset(_DIGITS.sub("0", word) for word in _WORD.findall(text.lower()))


def _neighbours(reviews: list[frozenset[str]]) -> Iterator[np.ndarray]:
    """Give, for each review that is nearly like earlier ones, the rows of those and its own."""
    count = Counter(word for words in reviews for word in words)
    # One that every review has still counts for a little: texts of common words alone are alike, too.
    weight = {word: float(np.log((len(reviews) + 1) / times)) ** 2 for word, times in count.items()}
    length = np.sqrt([sum(weight[word] for word in words) or 1.0 for words in reviews])
    having = _having(reviews, _looked_at(count))
    for row, words in enumerate(reviews):
        telling = [word for word in words if word in having]
        if not telling:
            continue
        weights = np.repeat([weight[word] for word in telling], [len(having[word]) for word in telling])
        shared = np.bincount(np.concatenate([having[word] for word in telling]), weights)[:row]
        near = np.flatnonzero(shared >= LEAST_ALIKE * length[row] * length[: len(shared)])
        if len(near):
            yield np.append(near, row)


def _having(reviews: list[frozenset[str]], wanted: set[str]) -> dict[str, np.ndarray]:
    """Give the rows, int (rows,), that have each of the words wanted."""
    rows: dict[str, list[int]] = {word: [] for word in wanted}
    for row, words in enumerate(reviews):
        for word in words & wanted:
            rows[word].append(row)
    return {word: np.array(those) for word, those in rows.items()}


def _looked_at(count: Counter[str]) -> set[str]:
    """Give the words that several reviews have, the rarest first, until they make too many pairs."""
    several = sorted((times, word) for word, times in count.items() if times > 1)
    pairs = accumulate(times**2 for times, _ in several)
    return {word for (_, word), total in zip(several, pairs, strict=True) if total <= MOST_PAIRS}
