"""opinion.py: clauses, and the rule over what the parts say."""

import numpy as np
import pytest

from training.endpoint import opinion
from vocab import vocabulary

STARTS = frozenset({7, 8})


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ([1, 2, 3, 4], [[1, 2, 3, 4]]),
        ([1, 2, 3, 7, 4, 5], [[1, 2, 3], [7, 4, 5]]),
        ([1, 2, 3, 7, 4, 5, 8, 6, 9], [[1, 2, 3], [7, 4, 5], [8, 6, 9]]),
        ([1, 2, 7, 4, 5, 6], [[1, 2, 7, 4, 5, 6]]),  # the first piece would be too short
        ([1, 2, 3, 7, 4], [[1, 2, 3, 7, 4]]),  # the last one would
        ([7], [[7]]),
    ],
)
def test_a_sentence_is_cut_where_a_clause_starts(sentence: list[int], expected: list[list[int]]) -> None:
    pieces = opinion.clauses(np.array(sentence), STARTS)
    assert [piece.tolist() for piece in pieces] == expected


@pytest.mark.parametrize(
    ("logits", "tokens", "expected"),
    [
        ([3.0, -3.0], 8, "mixed"),
        ([0.5, -0.5], 8, "none"),
        ([4.5, 0.1], 200, "one_sided"),
        ([-4.5], 80, "one_sided"),
        ([9.0, -1.5], 30, "one_sided"),  # one complaint that hardly counts beside the praise
        ([4.0, 4.0, 4.0, -2.0], 200, "one_sided"),  # nor does this one, beside the praises together
        ([4.0, -1.0, -1.0, 0.9], 200, "mixed"),
        ([3.0], 5, "one_sided"),
        ([2.5, 0.2, -0.2], 80, "none"),  # the strongest of many parts is stronger by chance
        ([0.0], 1, "none"),
    ],
)
def test_the_rule(logits: list[float], tokens: int, expected: str) -> None:
    assert opinion.opinion_of(np.array(logits), tokens) == expected


def test_every_clause_start_is_known() -> None:
    words = vocabulary.load()
    assert all(
        words.id_of(token) >= vocabulary.FIRST_KNOWN_ID
        for token in opinion.CLAUSE_TOKENS + opinion.CLAUSE_SIGNS
    )
