"""opinion.py: clauses, and the rule over what the parts say."""

from typing import Any

import numpy as np
import pytest

from training.endpoint import opinion
from training.endpoint.opinion import OpinionRule
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


def rule(mixed: float = 0.0, none: float = 0.0, unclear: float = 0.0) -> OpinionRule:
    """Return a rule that looks at nothing: each kind has this score."""
    numbers = np.zeros((len(opinion.KINDS), opinion.FEATURES))
    numbers[:, -1] = mixed, none, unclear
    return OpinionRule(numbers, np.zeros(1, dtype=np.uint8))


PULLS = np.array([0.5, -0.25], dtype=np.float32)


@pytest.mark.parametrize(
    ("found", "logits", "expected"),
    [
        (rule(mixed=1.0), [3.0, -3.0], "mixed"),
        (rule(mixed=1.0), [3.0, 3.0], "one_sided"),  # no part takes the other side
        (rule(mixed=1.0, none=2.0), [3.0, 3.0], "none"),
        (rule(mixed=-1.0, none=-2.0, unclear=-1.0), [3.0, -3.0], "one_sided"),
        (rule(unclear=1.0), [2.0, -5.0], "one_sided"),
        (rule(unclear=1.0), [3.5, -5.0], "mixed"),  # both sides are plain
        (opinion.PLAIN, [3.0, -3.0], "one_sided"),
    ],
)
def test_the_likeliest_kind_is_the_opinion(found: OpinionRule, logits: list[float], expected: str) -> None:
    assert found.opinion_of(np.array(logits), 0.5, np.array([1, 2]), PULLS) == expected


def test_the_features() -> None:
    found = OpinionRule(opinion.PLAIN.numbers, np.array([0, 1, 3, 0], dtype=np.uint8))
    logits, ids = np.array([4.0, -1.0, -1.0]), np.array([1, 1, 2, 3000])
    features = found.features_of(logits, -2.0, ids, np.array([3.0, -1.0, 1.0], dtype=np.float32))
    logs = np.log1p([2.0, 4.0, 2.0, 2.0, 1.0])
    assert features == pytest.approx([np.std([3.0, -1.0, 1.0]), *logs, 1.0, 0.0, 0.5, 1.0])


def test_words_of_one_side_leave_the_other_side_s_word_out() -> None:
    features = opinion.PLAIN.features_of(np.array([1.0]), 1.0, np.array([1]), np.array([2.0, 1.0]))
    assert features[5] == 0


def test_a_mark_is_found_by_its_id_and_no_later_id_has_one() -> None:
    words = vocabulary.load()
    marks = opinion.marks_of(words.id_of)
    tokens = ("it", "not", "but", "dog")
    assert [int(marks.take(words.id_of(token), mode="clip")) for token in tokens] == [1, 2, 3, 0]
    assert marks.take(10**6, mode="clip") == 0


@pytest.mark.parametrize(
    "field",
    [
        None,
        {"mixed": [0.0] * opinion.FEATURES},
        {kind: [0.0] for kind in opinion.KINDS},
        {kind: ["0"] * opinion.FEATURES for kind in opinion.KINDS},
        {kind: [float("nan")] * opinion.FEATURES for kind in opinion.KINDS},
        {kind: [1e9] * opinion.FEATURES for kind in opinion.KINDS},
    ],
    ids=["none", "a kind lacks", "short", "text", "nan", "large"],
)
def test_numbers_that_can_t_be_used_are_refused(field: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        opinion.read_numbers({"opinion": field})


def test_a_card_holds_the_numbers() -> None:
    numbers = np.arange(float(len(opinion.KINDS) * opinion.FEATURES)).reshape(len(opinion.KINDS), -1)
    assert np.array_equal(opinion.read_numbers({"opinion": opinion.to_field(numbers)}), numbers)


def test_every_clause_start_and_mark_is_known() -> None:
    words = vocabulary.load()
    marks = [token for tokens in opinion.MARKS for token in tokens]
    assert all(
        words.id_of(token) >= vocabulary.FIRST_KNOWN_ID
        for token in (*opinion.CLAUSE_TOKENS, *opinion.CLAUSE_SIGNS, *marks)
    )
