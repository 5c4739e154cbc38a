"""The n-gram model: it learns what pairs of words mean, and its hashed columns are sound."""

from pathlib import Path

import numpy as np
import pytest

from training.data.corpus import Split
from training.recipe import ngrams
from training.recipe.augment import whole
from vocab.vocabulary import FIRST_KNOWN_ID

GOOD, BAD, NOT = FIRST_KNOWN_ID, FIRST_KNOWN_ID + 1, FIRST_KNOWN_ID + 2


def reviews(count: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return reviews of 4 to 9 words where "not" stands before GOOD or BAD, or anywhere else, by turns."""
    rng = np.random.default_rng(seed)
    ids, labels = [], []
    for number in range(count):
        noise = rng.integers(FIRST_KNOWN_ID + 10, FIRST_KNOWN_ID + 40, rng.integers(2, 8)).tolist()
        good, negated = bool(number & 1), bool(number & 2)
        verdict = [NOT, GOOD if good else BAD] if negated else [GOOD if good else BAD]
        place = int(rng.integers(len(noise) + 1))
        before = [] if negated else [NOT, FIRST_KNOWN_ID + 5]
        ids.append(np.array(before + noise[:place] + verdict + noise[place:], dtype=np.int32))
        labels.append(int(good != negated))
    return ids, np.array(labels)


@pytest.fixture(scope="module")
def model() -> ngrams.Ngrams:
    return ngrams.fit(*reviews(400, 1), strength=1.0)


def columns_of(*ids: int) -> np.ndarray:
    return ngrams._columns(np.array(ids, dtype=np.int32))


def test_it_learns_what_a_pair_of_words_means(model: ngrams.Ngrams) -> None:
    unseen, labels = reviews(200, 2)
    assert ((model.logits(unseen) > 0) == labels).mean() > 0.95


def test_the_order_of_words_matters(model: ngrams.Ngrams) -> None:
    noise = FIRST_KNOWN_ID + 12
    negated, praised = model.logits(
        [np.array(ids, dtype=np.int32) for ids in ([noise, NOT, GOOD, noise], [NOT, noise, GOOD, noise])]
    )
    assert negated < 0 < praised
    assert not np.array_equal(columns_of(1, 2), columns_of(2, 1))
    assert not np.array_equal(columns_of(1, 2, 3), columns_of(3, 2, 1))


def test_an_n_gram_seen_in_one_review_alone_weighs_nothing() -> None:
    ids, labels = reviews(40, 3)
    rare = FIRST_KNOWN_ID + 900
    model = ngrams.fit([*ids, np.array([rare], dtype=np.int32)], np.append(labels, 1))
    twice = ngrams.fit([*ids, *[np.array([rare], dtype=np.int32)] * 2], np.append(labels, [1, 1]))
    assert model.weights[columns_of(rare)].tolist() == [0]
    assert twice.weights[columns_of(rare)].item() > 0


def test_the_same_reviews_give_the_same_model(model: ngrams.Ngrams) -> None:
    # liblinear shuffles by numpy's global state, and stops when it is near enough.
    again = ngrams.fit(*reviews(400, 1), strength=1.0)
    unseen = reviews(100, 4)[0]
    assert np.allclose(model.logits(unseen), again.logits(unseen), atol=1e-2)
    assert np.array_equal(model.logits(unseen), model.logits(unseen))


def test_columns_are_distinct_sorted_and_within_the_range() -> None:
    columns = columns_of(*np.random.default_rng(0).permutation(30_000)[:400])
    assert columns.dtype == np.int32
    assert 0 <= columns.min() and columns.max() < ngrams.COLUMNS
    assert (np.diff(columns) > 0).all()
    assert 400 + 399 + 398 - 5 < len(columns) <= 400 + 399 + 398


def test_columns_spread_evenly() -> None:
    columns = columns_of(*range(1, 20_001))
    assert len(columns) > 0.98 * 59_997
    assert np.histogram(columns, bins=8, range=(0, ngrams.COLUMNS))[0].min() > 0.95 * len(columns) / 8


@pytest.mark.parametrize("ids, count", [([], 0), ([7], 1), ([7, 8], 3), ([7, 8, 9], 6), ([7, 7, 7], 3)])
def test_short_reviews_have_the_n_grams_that_they_hold(ids: list[int], count: int) -> None:
    assert len(columns_of(*ids)) == count


def test_a_review_s_columns_hold_those_of_its_parts() -> None:
    assert set(columns_of(7, 8)) < set(columns_of(7, 8, 9))
    assert set(columns_of(7, 8, 9)) < set(columns_of(6, 7, 8, 9))


def test_the_matrix_says_which_n_grams_a_review_holds() -> None:
    matrix = ngrams.matrix([np.array(ids, dtype=np.int32) for ids in ([7, 8], [], [7, 7])])
    assert matrix.shape == (3, ngrams.COLUMNS)
    assert matrix.dtype == np.float32
    assert matrix.sum(axis=1).ravel().tolist()[0] == [3, 0, 2]
    assert matrix[0].indices.tolist() == columns_of(7, 8).tolist()


def test_an_empty_review_gets_the_bias_alone(model: ngrams.Ngrams) -> None:
    logits = model.logits([np.array([], dtype=np.int32)])
    assert logits.dtype == np.float32
    assert logits.tolist() == pytest.approx([model.bias])


# --- the part of a package ----------------------------------------------------------------------


def split(count: int, seed: int) -> Split:
    """Return reviews of one sentence each, as a split."""
    ids, labels = reviews(count, seed)
    return Split([""] * count, ids, whole(ids), labels, labels)


@pytest.fixture(scope="module")
def part() -> ngrams.Part:
    learned = split(200, 5)
    return ngrams.fit_part([learned], learned.labels, unread=[], columns=1 << 12)


def test_a_half_s_model_never_saw_the_reviews_of_the_other_half(part: ngrams.Part) -> None:
    learned = split(200, 5)
    changed = learned.labels.copy()
    changed[ngrams.halves(200)] ^= 1
    other = ngrams.fit_part([learned], changed, unread=[], columns=1 << 12)
    assert np.array_equal(part.of_half[0], other.of_half[0])
    assert not np.array_equal(part.of_half[1], other.of_half[1])
    assert not np.array_equal(part.weights, other.weights)


def test_a_part_is_written_and_loaded(part: ngrams.Part, tmp_path: Path) -> None:
    ngrams.save(part, tmp_path / "part.npz")
    loaded = ngrams.load(tmp_path / "part.npz")
    assert np.array_equal(loaded.weights, part.weights)
    assert all(map(np.array_equal, loaded.of_half, part.of_half))
