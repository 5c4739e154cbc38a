"""The fit of a head: near its start, chosen and evaluated on held-out reviews."""

import numpy as np
import pytest

from training.adapt import phrases
from training.adapt.features import Inputs
from training.adapt.head_fit import FOLDS, STRENGTHS, Data, cross_validate, fit, folds_of, splits
from training.adapt.onnx_head import Head
from training.adapt.phrases import Change


def inputs_of(values: np.ndarray) -> Inputs:
    """Return reviews of one sentence of weight 1 each, and no calibration."""
    return Inputs(values, np.ones(len(values)), np.zeros(len(values)), no_ngrams(len(values)))


def no_ngrams(reviews: int) -> np.ndarray:
    return phrases.as_column([phrases.NO_NGRAMS] * reviews)


def drawn(reviews: int, width: int = 8, seed: int = 0, groups: int | None = None) -> tuple[Data, Head]:
    """Return reviews whose labels follow a head, and that head."""
    random = np.random.default_rng(seed)
    truth = Head(3 * random.normal(size=width), 0.5)
    inputs = inputs_of(random.normal(size=(reviews, width)))
    chances = 1 / (1 + np.exp(-inputs.logits(truth)))
    labels = (random.random(reviews) < chances).astype(int)
    return Data(inputs, labels, np.arange(reviews) % (groups or reviews)), truth


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return float(((probabilities >= 0.5) == (labels == 1)).mean())


def test_a_head_that_points_the_wrong_way_learns_the_right_one() -> None:
    data, truth = drawn(600)
    fitted = fit(data, Head(-truth.weights, 0.0))
    fresh, _ = drawn(600)
    assert accuracy(fitted.probabilities(fresh.inputs), fresh.labels) > 0.85


def test_a_head_that_is_right_already_is_held_where_it_is() -> None:
    data, truth = drawn(60, width=40)
    fitted = fit(data, truth)
    assert fitted.strength == STRENGTHS[0]
    assert np.abs(fitted.head.weights - truth.weights).max() < 0.1


def test_the_weights_do_not_move_where_no_review_points() -> None:
    data, truth = drawn(200, width=6)
    inputs = inputs_of(np.column_stack([data.inputs.values, np.zeros(200)]))
    fitted = fit(Data(inputs, data.labels, data.groups), Head(np.append(-truth.weights, 7.0), 0.0))
    assert fitted.head.weights[-1] == pytest.approx(7.0)


def test_fewer_reviews_than_features_give_the_same_fit_as_all_directions() -> None:
    # Beside features that are 0 everywhere the same reviews are fewer than features, and go another way.
    data, truth = drawn(60, width=20)
    wide = Data(
        inputs_of(np.column_stack([data.inputs.values, np.zeros((60, 50))])), data.labels, data.groups
    )
    narrow = fit(data, Head(-truth.weights, 0.0))
    widened = fit(wide, Head(np.append(-truth.weights, np.zeros(50)), 0.0))
    assert widened.strength == narrow.strength
    assert widened.head.weights[:20] == pytest.approx(narrow.head.weights, abs=1e-3)


def test_reviews_that_a_head_separates_perfectly_end_in_finite_weights() -> None:
    inputs = inputs_of(np.repeat([[5.0, 0.0], [-5.0, 0.0]], 40, axis=0))
    fitted = fit(Data(inputs, np.repeat([1, 0], 40), np.arange(80)), Head(np.array([-90.0, 0.0]), 40.0))
    assert np.isfinite(fitted.head.weights).all() and np.isfinite(fitted.head.bias)
    assert fitted.head.weights[0] > 0


def test_weights_and_biases_of_reviews_take_part_in_the_fit() -> None:
    # Half the reviews weigh three times as much, and a bias turns the side of the others.
    data, truth = drawn(600)
    factors = np.where(np.arange(600) % 2, 3.0, 1.0)
    biases = np.where(np.arange(600) % 2, 0.0, -20.0)
    labels = np.where(np.arange(600) % 2, data.labels, 0)
    inputs = Inputs(
        data.inputs.values * factors[:, None], data.inputs.weights * factors, biases, no_ngrams(600)
    )
    fitted = fit(Data(inputs, labels, data.groups), Head(0 * truth.weights, 0.0))
    heavy = np.arange(600) % 2 == 1
    assert accuracy(fitted.probabilities(inputs.take(heavy)), labels[heavy]) > 0.85
    expected = inputs.values @ fitted.head.weights + factors * fitted.head.bias + biases
    assert inputs.logits(fitted.head).tolist() == pytest.approx(expected.tolist())
    assert (inputs.take(~heavy).logits(fitted.head) < 0).all()


def test_the_bias_moves_more_freely_than_the_weights() -> None:
    random = np.random.default_rng(6)
    data = Data(
        inputs_of(0.01 * random.normal(size=(200, 5))), (np.arange(200) < 180).astype(int), np.arange(200)
    )
    fitted = fit(data, Head(np.zeros(5), 0.0))
    assert fitted.head.bias == pytest.approx(np.log(9), abs=0.1)
    assert np.abs(fitted.head.weights).max() < 0.1


def test_labels_that_are_chance_are_not_judged_better_than_chance() -> None:
    random = np.random.default_rng(3)
    data = Data(inputs_of(random.normal(size=(300, 60))), random.integers(0, 2, 300), np.arange(300))
    probabilities, _ = cross_validate(data, Head(np.zeros(60), 0.0))
    assert 0.4 < accuracy(probabilities, data.labels) < 0.6


def test_a_group_that_gives_its_labels_away_does_not_flatter_the_judgement() -> None:
    # Each group has a mark of its own and one label: only a fit that has seen the group could know it.
    random = np.random.default_rng(4)
    groups = np.repeat(np.arange(30), 10)
    features = np.eye(30)[groups] + 0.01 * random.normal(size=(300, 30))
    data = Data(inputs_of(features), random.permutation(np.repeat([0, 1], 15))[groups], groups)
    kept, _ = cross_validate(data, Head(np.zeros(30), 0.0))
    mixed, _ = cross_validate(data._replace(groups=np.arange(300)), Head(np.zeros(30), 0.0))
    assert accuracy(mixed, data.labels) > 0.95
    assert accuracy(kept, data.labels) < 0.6


def test_every_review_is_held_back_once() -> None:
    data, _ = drawn(103)
    assert sum(held.astype(int) for _, held in splits(data)).tolist() == [1] * 103
    assert all((seen != held).all() for seen, held in splits(data))


def test_folds_keep_groups_whole_and_labels_even() -> None:
    random = np.random.default_rng(5)
    labels, groups = random.integers(0, 2, 1000), random.integers(0, 200, 1000)
    folds = folds_of(labels, groups)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    shares = [labels[folds == fold].mean() for fold in range(FOLDS)]
    assert max(shares) - min(shares) < 0.05
    sizes = np.bincount(folds)
    assert sizes.min() > 190 and sizes.max() < 210


def test_the_same_reviews_give_the_same_fit() -> None:
    data, truth = drawn(120)
    one, two = (fit(data, Head(-truth.weights, 0.0)) for _ in range(2))
    assert one.head.weights.tolist() == two.head.weights.tolist()
    assert one[2:] == two[2:]


def words_of(columns: list[list[int]]) -> np.ndarray:
    """Return reviews of these n-grams, each of which adds its weight to the logit."""
    return phrases.as_column(
        [
            phrases.Amounts(np.array(one, dtype=np.int32), np.ones(len(one), dtype=np.float32))
            for one in columns
        ]
    )


def test_a_word_that_only_the_labels_know_takes_part_in_the_fit() -> None:
    labels = np.arange(200) % 2
    inputs = Inputs(
        np.zeros((200, 3)), np.ones(200), np.zeros(200), words_of([[7 + one] for one in labels.tolist()])
    )
    fitted = fit(Data(inputs, labels, np.arange(200)), Head(np.zeros(3), 0.0))
    assert fitted.change.columns.tolist() == [7, 8]
    assert fitted.change.weights[0] < 0 < fitted.change.weights[1]
    assert accuracy(fitted.probabilities(inputs), labels) == 1


def test_a_lexicon_helps_with_words_that_no_label_has_shown() -> None:
    # Each review has a word of its own. The lexicon knows its side, and the labels say to trust the lexicon.
    labels = np.arange(200) % 2
    inputs = Inputs(np.zeros((200, 3)), np.ones(200), np.zeros(200), words_of([[one] for one in range(200)]))
    data, start = Data(inputs, labels, np.arange(200)), Head(np.zeros(3), 0.0)
    lexicon = Change(np.arange(400), np.where(np.arange(400) % 2, 2.0, -2.0))
    fresh = inputs._replace(ngrams=words_of([[200 + one] for one in range(200)]))
    assert accuracy(fit(data, start, lexicon).probabilities(fresh), labels) == 1
    assert accuracy(fit(data, start).probabilities(fresh), labels) == 0.5
    wrong = Change(lexicon.columns, -lexicon.weights)
    assert accuracy(fit(data, start, wrong).probabilities(fresh), labels) == 1


def test_words_that_chance_gave_a_side_are_not_trusted() -> None:
    random = np.random.default_rng(5)
    words = [random.choice(60, 5, replace=False).tolist() for _ in range(200)]
    inputs = Inputs(np.zeros((200, 3)), np.ones(200), np.zeros(200), words_of([sorted(one) for one in words]))
    data = Data(inputs, random.integers(0, 2, 200), np.arange(200))
    probabilities, _ = cross_validate(data, Head(np.zeros(3), 0.0))
    assert 0.4 < accuracy(probabilities, data.labels) < 0.6
