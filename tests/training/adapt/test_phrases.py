"""Changes of n-grams' weights: learned without a review's own label, merged, and put into the table."""

import numpy as np
import pytest

from training.adapt import phrases
from training.adapt.phrases import NOTHING, Amounts, Change
from training.endpoint import ngram_weights
from training.endpoint.ngram_weights import Found, NgramWeights


def words_of(*columns: list[int]) -> np.ndarray:
    return phrases.as_column(
        [Amounts(np.array(one, dtype=np.int32), np.ones(len(one), dtype=np.float32)) for one in columns]
    )


def test_an_n_gram_counts_by_the_weights_of_its_sentences() -> None:
    found = Found(*(np.array(one) for one in ([0, 1, 2], [1, 1, 1], [0, 1, 1], [9, 9, 4])))
    amounts = phrases.amounts_of(found, np.array([0.5, 0.25]))
    assert amounts.columns.tolist() == [4, 9]
    assert amounts.amounts.tolist() == [0.25, 0.75]


def test_a_change_adds_only_to_the_reviews_that_hold_its_n_grams() -> None:
    change = Change(np.array([2, 5]), np.array([1.0, -3.0]))
    assert change.sums(words_of([1, 2], [5, 2], [], [9])).tolist() == [1.0, -2.0, 0.0, 0.0]
    assert NOTHING.sums(words_of([1], [2])).tolist() == [0.0, 0.0]


def test_a_review_s_own_label_and_its_group_s_have_no_part_in_its_sum() -> None:
    words = words_of([1], [1], [1], [1], [2], [2], [], [3])
    labels = np.array([1, 1, 0, 1, 1, 1, 0, 1])
    groups = np.array([0, 0, 1, 2, 3, 4, 5, 6])
    plain = phrases.learn(words, labels, groups, np.zeros(8), NOTHING)
    # As many are positive as before, so that only word 1 has changed.
    turned = phrases.learn(words, np.array([0, 1, 0, 1, 1, 1, 1, 1]), groups, np.zeros(8), NOTHING)
    first, other = (one.sums[:4, 0] / one.changes[0].weights[1] for one in (plain, turned))
    assert first[:2] != pytest.approx([0, 0])
    assert first[:2] == pytest.approx(other[:2])
    assert (first[2:] > other[2:]).all()
    # A word of one group says nothing to that group.
    assert plain.sums[7, 0] == 0


def test_reviews_without_n_grams_learn_nothing() -> None:
    learned = phrases.learn(words_of([], []), np.array([0, 1]), np.arange(2), np.zeros(2), NOTHING)
    assert learned.sums.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert not len(phrases.merge(learned.changes, np.ones(2)).columns)


def test_merged_changes_add_up_where_they_meet() -> None:
    one, other = (
        Change(np.array([1, 4]), np.array([1.0, 2.0])),
        Change(np.array([4, 6]), np.array([10.0, 20.0])),
    )
    merged = phrases.merge([one, other], np.array([2.0, 0.5]))
    assert merged.columns.tolist() == [1, 4, 6]
    assert merged.weights.tolist() == [2.0, 9.0, 10.0]


def table() -> NgramWeights:
    return ngram_weights.to_codes(np.random.default_rng(0).normal(size=256, scale=0.1))


@pytest.mark.parametrize("size", [0.05, 5.0])
def test_a_changed_table_has_the_new_weights_as_near_as_its_codes_allow(size: float) -> None:
    before = table()
    change = Change(np.array([3, 17, 90]), size * np.array([1.0, -1.0, 0.5]))
    after = ngram_weights.changed(before, *change)
    expected = before.of(np.arange(256))
    expected[change.columns] += change.weights
    found = after.of(np.arange(256))
    # Codes of neighbours differ by 2 x |code| x step, so by less than this.
    assert np.abs(found - expected).max() < np.sqrt(np.abs(expected).max() * after.step) + after.step


def test_other_weights_stay_exactly_as_they_were_unless_one_grows_beyond_them_all() -> None:
    before = table()
    after = ngram_weights.changed(before, np.array([3]), np.array([0.05]))
    others = np.arange(256) != 3
    assert after.step == before.step
    assert after.codes[others].tolist() == before.codes[others].tolist()
    assert ngram_weights.changed(before, *NOTHING) is before


def test_a_model_without_a_table_stays_without() -> None:
    assert ngram_weights.changed(ngram_weights.NONE, np.array([3]), np.array([1.0])) is ngram_weights.NONE
