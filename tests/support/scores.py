"""Scores of a network that only adds, for tests without a model."""

import math
from collections.abc import Sequence

from vocab import messages
from vocab.messages import AspectScore, Score, SentenceScore, WordScores

# Words after these have no measured effect.
MEASURED = 3


def additive_score(
    bias: float,
    pulls: Sequence[float],
    lengths: Sequence[int],
    explain: str,
    spans: Sequence[Sequence[tuple[int, int]]] | None = None,
) -> Score:
    """Return the score of a review whose tokens add ``pulls`` to the logit, in sentences of ``lengths``.

    ``spans`` are the clauses of its aspects; an aspect's logit is what its clauses add.
    """
    score = _additive_score(bias, pulls, lengths, explain)
    if spans is None:
        return score
    amounts = [[messages.rounded(math.fsum(pulls[first:last])) for first, last in each] for each in spans]
    wholes = [messages.build_score(0.0, each) for each in amounts]
    return score._replace(
        aspects=[
            AspectScore(whole.logit, whole.probability, whole.bias, whole.opinion, each)
            for whole, each in zip(wholes, amounts, strict=True)
        ]
    )


def _additive_score(bias: float, pulls: Sequence[float], lengths: Sequence[int], explain: str) -> Score:
    pulls = [messages.rounded(pull) for pull in pulls]
    ends = [sum(lengths[: index + 1]) for index in range(len(lengths))]
    sums = [
        messages.rounded(math.fsum(pulls[end - length : end]))
        for end, length in zip(ends, lengths, strict=True)
    ]
    score = messages.build_score(bias, sums)
    if explain == "none":
        return score
    sentences = [
        SentenceScore(total, _probability(score.bias + total), _probability(score.logit - total))
        for total in sums
    ]
    if len(sentences) == 1:
        sentences = [sentences[0]._replace(without=None)]
    score = score._replace(sentences=sentences)
    if explain == "sentences":
        return score
    effects = [pull if index < MEASURED else None for index, pull in enumerate(pulls)]
    return score._replace(words=WordScores(pulls, effects))


def _probability(logit: float) -> float:
    return messages.rounded(messages.sigmoid(logit))
