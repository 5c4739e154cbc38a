"""Two models on the same reviews: intervals, McNemar's test, and what is called better."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation import significance
from training.evaluation.significance import Figure


def said(right: np.ndarray, labels: np.ndarray, sure: float = 0.9) -> np.ndarray:
    """Return probabilities that agree with the labels exactly where ``right`` holds."""
    return np.where(right == (labels == 1), sure, 1 - sure)


def two(reviews: int, first: float, second: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels, luck = random.integers(0, 2, reviews), random.random(reviews)
    return said(luck < first, labels), said(luck < second, labels), labels


def test_a_model_against_itself_differs_by_nothing() -> None:
    before, _, labels = two(200, 0.8, 0.8)
    for figure in significance.compare(before, before, labels).values():
        assert figure.difference == 0
        assert figure.interval == (0, 0)


def test_the_interval_of_a_true_gain_lies_above_nothing() -> None:
    figures = significance.compare(*two(1000, 0.75, 0.85))
    assert 0 < figures["accuracy"].interval[0] < figures["accuracy"].difference
    assert figures["accuracy"].difference < figures["accuracy"].interval[1] < 0.2
    assert significance.outcome(figures) == "better"


def test_a_loss_is_called_worse() -> None:
    assert significance.outcome(significance.compare(*two(1000, 0.85, 0.75))) == "worse"


def test_what_chance_could_do_is_called_no_different() -> None:
    rows = np.arange(60)
    labels = rows % 2
    one, other = said(rows >= 12, labels), said((rows < 8) | (rows >= 18), labels)
    assert significance.outcome(significance.compare(one, other, labels)) == "no different"


def test_equally_right_but_with_truer_probabilities_is_better() -> None:
    labels = np.arange(1000) % 2
    right = np.arange(1000) % 10 < 8
    assert (
        significance.outcome(
            significance.compare(said(right, labels, 0.999), said(right, labels, 0.8), labels)
        )
        == "better"
    )


def test_what_only_fits_better_is_not_said_to_be_right_more_often() -> None:
    labels = np.arange(1000) % 2
    right = np.arange(1000) % 10 < 8
    figures = significance.compare(said(right, labels, 0.999), said(right, labels, 0.8), labels)
    assert significance.describe(figures) == (
        "better in calibration error and log loss, while accuracy may differ by chance"
    )
    more = significance.describe(significance.compare(*two(1000, 0.75, 0.85)), " than the first")
    assert more.startswith("better than the first in accuracy") and "chance" not in more


def test_a_better_calibrated_model_that_is_as_often_right_is_better() -> None:
    random = np.random.default_rng(1)
    truth = random.random(4000)
    labels = (random.random(4000) < truth).astype(int)
    too_unsure = 0.5 + 0.5 * (truth - 0.5)
    figures = significance.compare(too_unsure, truth, labels)
    assert figures["ece"].interval[1] < 0
    assert significance.outcome(figures) == "better"


def figure(difference: float, half: float) -> Figure:
    """Return a figure whose interval reaches so far to both sides of its difference."""
    none = (0.0, 0.0)
    return Figure(0.5, 0.5 + difference, difference, none, none, (difference - half, difference + half))


GAPS = st.builds(figure, st.floats(-0.2, 0.2), st.floats(0, 0.2))


@given(accuracy=GAPS, ece=GAPS, nll=GAPS)
def test_no_outcome_contradicts_a_metric_that_differs_beyond_chance(
    accuracy: Figure, ece: Figure, nll: Figure
) -> None:
    figures = {"accuracy": accuracy, "ece": ece, "nll": nll}
    outcome, described = significance.outcome(figures), significance.describe(figures)
    gains = {"accuracy": accuracy.interval[0] > 0, "ece": ece.interval[1] < 0, "nll": nll.interval[1] < 0}
    losses = {"accuracy": accuracy.interval[1] < 0, "ece": ece.interval[0] > 0, "nll": nll.interval[0] > 0}
    assert (outcome == "better") == (any(gains.values()) and not any(losses.values()))
    assert (outcome == "worse") == (any(losses.values()) and not any(gains.values()))
    assert (outcome == "no different") == (not any([*gains.values(), *losses.values()]))
    better, _, worse = described.partition("worse")
    for name, words in significance.NAMES.items():
        assert (words in better.partition(", while")[0]) == gains[name]
        assert (words in worse.partition(", while")[0]) == losses[name]


def test_the_interval_of_a_calibration_error_holds_the_error_itself() -> None:
    random = np.random.default_rng(6)
    probabilities = random.random(300)
    labels = (random.random(300) < probabilities).astype(int)
    figure = significance.compare(probabilities, probabilities**2, labels)["ece"]
    assert figure.before_interval[0] < figure.before < figure.before_interval[1]
    assert figure.after_interval[0] < figure.after < figure.after_interval[1]


def test_whoever_is_wrong_more_often_than_a_coin_is_below_guessing() -> None:
    labels = np.arange(100) % 2
    said = np.where(labels == 1, 0.9, 0.1)
    assert significance.is_below_guessing(1 - said, labels, np.arange(100))
    assert not significance.is_below_guessing(said, labels, np.arange(100))


def test_whoever_always_says_the_same_is_not_below_guessing_though_mostly_wrong() -> None:
    labels = (np.arange(100) % 10 == 0).astype(int)
    assert not significance.is_below_guessing(np.full(100, 0.9), labels, np.arange(100))


def test_few_groups_make_the_interval_wider_than_as_many_single_reviews() -> None:
    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(20), 50)
    labels = random.integers(0, 2, 1000)
    # The second model is right on whole groups, or on none of their reviews.
    before, after = said(np.ones(1000, bool), labels), said((random.random(20) < 0.7)[groups], labels)
    alone = significance.compare(before, after, labels)["accuracy"].interval
    grouped = significance.compare(before, after, labels, groups)["accuracy"].interval
    assert grouped[1] - grouped[0] > 3 * (alone[1] - alone[0])


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    [(0, 0, 1.0), (0, 5, 0.0625), (1, 9, 0.021484375), (5, 5, 1.0), (0, 20, 2 / 2**20)],
)
def test_mcnemars_exact_test_gives_the_binomials_two_tails(lost: int, won: int, p: float) -> None:
    labels = np.ones(lost + won + 10, dtype=int)
    before, after = np.full(len(labels), 0.9), np.full(len(labels), 0.9)
    before[:won], after[won : won + lost] = 0.1, 0.1
    assert significance.mcnemar(before, after, labels) == (lost, won, pytest.approx(p))


def test_mcnemars_test_takes_thousands_of_differences() -> None:
    labels = np.ones(9000, dtype=int)
    before, after = np.full(9000, 0.9), np.full(9000, 0.9)
    before[:4000], after[4000:] = 0.1, 0.1
    assert 0 < significance.mcnemar(before, after, labels)[2] < 1e-20


def test_a_figure_names_both_models_and_the_gap() -> None:
    figure = significance.compare(*two(400, 0.7, 0.8))["accuracy"]
    assert isinstance(figure, Figure)
    assert figure.after - figure.before == pytest.approx(figure.difference)
    assert figure.before_interval[0] < figure.before < figure.before_interval[1]
