"""Decide what a review's parts say together: one side, both sides, or nothing of the film.

The parts are its sentences, or the clauses of a short review. Each is read as a review of its own. The
rule's numbers are logits, fitted on the open half of training/evaluation/cases/opinion.
"""

import numpy as np

from training.endpoint.calibration import length_share

# A review is mixed when the weaker side's parts together reach this share of the stronger side's.
MIXED_SHARE = 0.2
# No opinion: the strongest part stays below the first number in a very short text, and below the sum of both
# in a long one, since the strongest of many parts is stronger by chance.
NO_OPINION_LOGIT, NO_OPINION_BY_LENGTH = 1.2, 1.6
# A review of at most so many sentences is read by clauses, which begin with these tokens.
SHORT_SENTENCES = 3
CLAUSE_TOKENS = ("but", "although", "though", "yet", "however", "while", "whereas", "despite", "except")
CLAUSE_SIGNS = (",", ";", ":", "-")
MIN_CLAUSE_TOKENS = 3


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


def opinion_of(logits: np.ndarray, tokens: int) -> str:
    """Return a review's opinion, one of OPINIONS.

    :param logits: its parts' logits as reviews, float64 (parts,)
    :param tokens: the review's length
    """
    if float(np.abs(logits).max()) < NO_OPINION_LOGIT + NO_OPINION_BY_LENGTH * length_share(tokens):
        return "none"
    weaker, stronger = sorted(float(np.maximum(sign * logits, 0).sum()) for sign in (1, -1))
    return "mixed" if weaker >= MIXED_SHARE * stronger else "one_sided"
