"""Decide what a review's parts say together: one side, both sides, or nothing of the film.

The parts are its sentences, or the clauses of a short review. Each is read as a review of its own. The rule
is a softmax regression on a few features. training/recipe/opinion_fit.py fits its numbers, and the card
holds them.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from vocab.text import NEGATIONS

# A review of at most so many sentences is read by clauses, which begin with these tokens.
SHORT_SENTENCES = 3
CLAUSE_TOKENS = ("but", "although", "though", "yet", "however", "while", "whereas", "despite", "except")
CLAUSE_SIGNS = (",", ";", ":", "-")
MIN_CLAUSE_TOKENS = 3
FIELD = "opinion"
# What the rule tells from a plain verdict. An "unclear" text is one-sided: the uncertain band is for it.
KINDS = ("mixed", "none", "unclear")
# Words that speak of the film, that deny, and that contrast. The rule counts each kind.
MARKS = (
    ("it", "its", "this", "that", "film", "films", "movie", "movies"),
    (*NEGATIONS, "without", "hardly", "barely"),
    (*CLAUSE_TOKENS, "still"),
)
# The features: see ``features_of``; the last one is constant.
FEATURES = 7 + len(MARKS)
# A part of this logit is plainly of its side: 95 % sure.
PLAIN_LOGIT = 3.0
# No fit gives a larger number.
MOST = 1000


class OpinionRule(NamedTuple):
    """Hold the regression's numbers, float64 (KINDS, FEATURES); those of a plain verdict are all 0.

    ``marks``, uint8 (ids,), says which of MARKS an id belongs to, from 1; 0 is none of them. No later id
    belongs to any.
    """

    numbers: np.ndarray
    marks: np.ndarray

    def opinion_of(self, logits: np.ndarray, whole: float, ids: np.ndarray, pulls: np.ndarray) -> str:
        """Return a review's opinion, one of OPINIONS. Arguments are those of ``features_of``.

        A mixed review has a part of each side. So has an unclear one whose both sides are plain.
        """
        scores = (self.numbers @ self.features_of(logits, whole, ids, pulls)).tolist()
        kind = KINDS[scores.index(max(scores))] if max(scores) > 0 else "plain"
        parts = logits.tolist()
        weaker = min(max(parts), -min(parts))
        if kind == "none" or (kind == "mixed" and weaker > 0):
            return kind
        return "mixed" if kind == "unclear" and weaker >= PLAIN_LOGIT else "one_sided"

    def features_of(self, logits: np.ndarray, whole: float, ids: np.ndarray, pulls: np.ndarray) -> np.ndarray:
        """Return what the rule looks at, float64 (FEATURES,).

        That is how far the words differ, how sure the review is, its length, how strong its parts are and
        its weaker side, the strongest word of the weaker side, and how many words belong to each of MARKS,
        by the root of the length.

        :param logits: its parts' logits as reviews, float64 (parts,)
        :param whole: the review's logit
        :param ids: the review's ids, int64 (tokens,)
        :param pulls: what each token that is read adds to a sentence's mean, float32 (read,)
        """
        parts = logits.tolist()
        strength = sum(map(abs, parts))
        weaker = (strength - abs(sum(parts))) / 2
        mean = float(pulls.sum()) / len(pulls)
        spread = math.sqrt(max(0.0, float(pulls @ pulls) / len(pulls) - mean * mean))
        word = max(0.0, min(float(pulls.max()), -float(pulls.min())))
        counts = np.bincount(self.marks.take(ids, mode="clip"), minlength=1 + len(MARKS)).tolist()
        amounts = (abs(whole), len(ids), strength / len(parts), max(0.0, weaker), word)
        root = math.sqrt(len(ids))
        return np.array([spread, *map(math.log1p, amounts), *(count / root for count in counts[1:]), 1.0])


# What a network without a rule says of every review.
PLAIN = OpinionRule(np.zeros((len(KINDS), FEATURES)), np.zeros(1, dtype=np.uint8))


def marks_of(id_of: Callable[[str], int]) -> np.ndarray:
    """Return the marks of an OpinionRule, from a vocabulary's ids of tokens."""
    ids = [[id_of(token) for token in tokens] for tokens in MARKS]
    # One more, since every later id takes the last one's mark.
    marks = np.zeros(2 + max(map(max, ids)), dtype=np.uint8)
    for number, own in enumerate(ids, 1):
        marks[own] = number
    return marks


def read_numbers(card: dict[str, Any]) -> np.ndarray:
    """Return the numbers of a card's rule, float64 (KINDS, FEATURES).

    Raises KeyError, TypeError or ValueError.
    """
    rows: Sequence[Sequence[float]] = [card[FIELD][kind] for kind in KINDS]
    if not {type(value) for row in rows for value in row} <= {int, float}:
        raise TypeError("the rule's numbers must be numbers")
    numbers = np.array(rows, dtype=np.float64)
    if numbers.shape != (len(KINDS), FEATURES) or not (np.abs(numbers) <= MOST).all():
        raise ValueError(f"the rule must have {len(KINDS)} x {FEATURES} numbers in -{MOST}..{MOST}")
    return numbers


def to_field(numbers: np.ndarray) -> dict[str, list[float]]:
    """Return a rule's numbers as the card holds them."""
    return dict(zip(KINDS, numbers.tolist(), strict=True))


def clauses(sentence: np.ndarray, starts: frozenset[int]) -> list[np.ndarray]:
    """Cut a sentence before the tokens that start a clause, unless a piece would be very short.

    :param sentence: ids, int64 (tokens,)
    :param starts: the ids of CLAUSE_TOKENS and CLAUSE_SIGNS
    """
    cuts = [0]
    for place, number in enumerate(sentence.tolist()):
        if number in starts and min(place - cuts[-1], len(sentence) - place) >= MIN_CLAUSE_TOKENS:
            cuts.append(place)
    return np.split(sentence, cuts[1:])
