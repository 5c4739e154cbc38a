"""The measures, held against simulated data and formulas written a second time, number by number."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.endpoint.calibration import Calibration
from training.evaluation import metrics

floats = st.floats(-15, 15, allow_nan=False)
scored = st.lists(st.tuples(floats, st.integers(0, 1)), min_size=1, max_size=60).map(
    lambda pairs: (np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))
)


def surprise(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of -log P(label) by the textbook's formula."""
    of_labels = [1 / (1 + math.exp(-z if y else z)) for z, y in zip(logits, labels, strict=True)]
    return -sum(map(math.log, of_labels)) / len(of_labels)


def simulated(count: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and labels where sigmoid(logit / temperature) is the true probability."""
    chooser = np.random.default_rng(seed)
    logits = chooser.normal(0, 4, count)
    labels = (chooser.random(count) < 1 / (1 + np.exp(-logits / temperature))).astype(int)
    return logits, labels


@given(scored)
def test_probabilities_are_the_sigmoid(data: tuple[np.ndarray, np.ndarray]) -> None:
    for logit, probability in zip(data[0], metrics.probabilities_of(data[0], 1.7), strict=True):
        assert probability == pytest.approx(1 / (1 + math.exp(-logit / 1.7)), rel=1e-9)


def test_probabilities_of_huge_logits_do_not_overflow() -> None:
    assert metrics.probabilities_of(np.array([-1e6, 1e6])).tolist() == [0.0, 1.0]


@given(scored)
def test_nll_is_the_mean_surprise_at_the_labels(data: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = data
    assert metrics.nll(logits, labels) == pytest.approx(surprise(logits, labels), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("true", [0.5, 1.0, 1.8, 3.0])
def test_the_temperature_that_made_the_labels_is_found(true: float) -> None:
    assert metrics.fit_temperature(*simulated(20_000, true)) == pytest.approx(true, rel=0.06)


@given(st.floats(0.3, 4), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_no_other_temperature_is_likelier(true: float, seed: int) -> None:
    logits, labels = simulated(300, true, seed)
    found = metrics.fit_temperature(logits, labels)
    best = metrics.nll(logits, labels, found)
    for other in np.exp(np.linspace(np.log(0.2), np.log(5), 40)):
        assert best <= metrics.nll(logits, labels, other) + 1e-7


def test_the_temperature_stays_in_its_range_when_every_verdict_is_right() -> None:
    logits = np.array([3.0, -3.0, 5.0])
    assert metrics.fit_temperature(logits, np.array([1, 0, 1])) == pytest.approx(0.2, abs=1e-3)
    assert metrics.fit_temperature(logits, np.array([0, 1, 0])) == pytest.approx(5.0, abs=1e-3)


def test_calibrated_probabilities_have_a_small_error() -> None:
    logits, labels = simulated(40_000, 1.0)
    assert metrics.expected_calibration_error(metrics.probabilities_of(logits), labels) < 0.01


def test_overconfident_probabilities_have_a_large_error() -> None:
    logits, labels = simulated(40_000, 3.0)
    assert metrics.expected_calibration_error(metrics.probabilities_of(logits), labels) > 0.08


def test_calibration_error_by_hand() -> None:
    # Confidences .6, .7 | .8, .9 in two bins; the first bin's verdicts are both right, half the second's.
    probabilities, labels = np.array([0.9, 0.3, 0.6, 0.2]), np.array([1, 0, 1, 1])
    error = metrics.expected_calibration_error(probabilities, labels, bins=2)
    assert error == pytest.approx(0.5 * abs(0.65 - 1) + 0.5 * abs(0.85 - 0.5))


@given(scored)
def test_bins_hold_each_review_once_and_rise(data: tuple[np.ndarray, np.ndarray]) -> None:
    rows = metrics.reliability(metrics.probabilities_of(data[0]), data[1])
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    confidences = [row["confidence"] for row in rows]
    assert confidences == sorted(confidences)
    assert len(rows) == min(metrics.BINS, len(data[0]))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_outside_of_the_band_95_in_100_verdicts_are_right(temperature: float) -> None:
    logits, labels = simulated(5_000, temperature)
    probabilities = metrics.probabilities_of(logits)
    low, high = metrics.uncertain_band(probabilities, labels)
    assert low == pytest.approx(1 - high)
    outright = (probabilities <= low) | (probabilities >= high)
    right = (probabilities >= 0.5) == (labels == 1)
    # Rounding of the band to 3 decimals may move a review or two over its edge.
    assert right[outright].mean() >= 0.949 or outright.mean() <= 0.51
    assert outright.mean() >= 0.49


def test_the_band_is_no_wider_than_it_must_be() -> None:
    logits, labels = simulated(5_000, 1.5)
    probabilities = metrics.probabilities_of(logits)
    _, high = metrics.uncertain_band(probabilities, labels)
    confidence = np.maximum(probabilities, 1 - probabilities)
    right = (probabilities >= 0.5) == (labels == 1)
    for narrower in np.arange(0.55, high - 0.005, 0.005):
        assert right[confidence >= narrower].mean() < metrics.OUTRIGHT_ACCURACY


@given(scored)
def test_a_band_lies_around_a_half_whatever_the_data(data: tuple[np.ndarray, np.ndarray]) -> None:
    low, high = metrics.uncertain_band(metrics.probabilities_of(data[0]), data[1])
    assert 0 <= low <= 0.45
    assert 0.55 <= high <= 1


@given(scored)
def test_the_summary_is_what_counting_one_by_one_gives(data: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = data
    probabilities = metrics.probabilities_of(logits)
    found = metrics.summary(probabilities, labels, (0.4, 0.6))
    pairs = list(zip(probabilities.tolist(), labels.tolist(), strict=True))
    assert found["reviews"] == len(labels)
    assert found["brier"] == pytest.approx(np.mean([(p - y) ** 2 for p, y in pairs]))
    assert found["nll"] == pytest.approx(surprise(logits, labels), rel=1e-6, abs=1e-9)
    assert found["accuracy"] == pytest.approx(np.mean([(p >= 0.5) == y for p, y in pairs]))
    said = [(p >= 0.5) == y for p, y in pairs if not 0.4 < p < 0.6]
    assert found["coverage"] == pytest.approx(len(said) / len(labels))
    assert found["accuracy_outright"] == (pytest.approx(np.mean(said)) if said else None)


def test_quarters_by_length_hold_a_quarter_each_and_name_their_lengths() -> None:
    lengths = np.array([40, 10, 30, 20, 80, 50, 70, 60])
    probabilities, labels = np.full(8, 0.9), np.array([0, 1, 1, 1, 0, 0, 0, 0])
    rows = metrics.by_length(probabilities, labels, lengths, (0.4, 0.6))
    assert [(row["tokens_from"], row["tokens_to"]) for row in rows] == [
        (10, 20),
        (30, 40),
        (50, 60),
        (70, 80),
    ]
    assert [row["accuracy"] for row in rows] == [1.0, 0.5, 0.0, 0.0]


def test_fewer_than_four_reviews_are_no_empty_quarters() -> None:
    rows = metrics.by_length(np.array([0.9]), np.array([1]), np.array([12]), (0.4, 0.6))
    assert [(row["tokens_from"], row["reviews"]) for row in rows] == [(12, 1)]


# --- the calibration by length -------------------------------------------------------------------


def by_length(
    truth: Calibration, count: int = 20_000
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return sums, tokens, sentences and labels of texts that this calibration is true of."""
    chooser = np.random.default_rng(0)
    tokens = np.where(
        chooser.random(count) < 0.3, chooser.integers(1, 15, count), chooser.integers(30, 400, count)
    )
    sums = chooser.normal(0, 4, count)
    sentences = 1 + tokens // 20
    probabilities = metrics.probabilities_of(truth.apply(sums, tokens, sentences))
    return sums, tokens, sentences, (chooser.random(count) < probabilities).astype(float)


@pytest.mark.parametrize(
    "truth", [Calibration(1.0, 1.0, 0.0), Calibration(1.4, 2.2, 0.3), Calibration(2.0, 0.7, -0.4)]
)
def test_the_calibration_that_made_the_labels_is_found(truth: Calibration) -> None:
    found = metrics.fit_calibration(*by_length(truth))
    assert found.temperature == pytest.approx(truth.temperature, rel=0.1)
    assert found.short_temperature == pytest.approx(truth.short_temperature, rel=0.1)
    assert found.shift == pytest.approx(truth.shift, abs=0.1)


def test_a_calibration_by_length_is_at_least_as_likely_as_one_temperature() -> None:
    sums, tokens, sentences, labels = by_length(Calibration(1.4, 2.2, 0.3), 2_000)
    found = metrics.fit_calibration(sums, tokens, sentences, labels)
    one = metrics.nll(sums, labels, metrics.fit_temperature(sums, labels))
    assert metrics.nll(found.apply(sums, tokens, sentences), labels) < one


def test_weights_take_the_lean_of_the_texts_out_of_the_shift() -> None:
    sums, tokens, sentences, labels = by_length(Calibration(1.0, 1.0, 0.0), 20_000)
    kept = (labels == 0) | (np.arange(len(labels)) % 2 == 0)  # half of the positive ones
    columns = [column[kept] for column in (sums, tokens, sentences, labels)]
    weights = np.where(columns[3] == 1, 2.0, 1.0)
    assert metrics.fit_calibration(*columns).shift < -0.3
    assert metrics.fit_calibration(*columns, weights).shift == pytest.approx(0, abs=0.05)


def test_a_few_texts_hardly_shift_the_bias() -> None:
    columns = by_length(Calibration(1.0, 1.0, 0.4), 20_000)
    few = [column[:300] for column in columns]
    assert abs(metrics.fit_calibration(*few).shift) < 0.1 < 0.3 < metrics.fit_calibration(*columns).shift


def test_texts_without_an_opinion_make_short_texts_less_sure() -> None:
    sums, tokens, sentences, labels = by_length(Calibration(1.0, 1.0, 0.0), 4_000)
    mute = np.where(tokens < 15, 0.5, labels)
    found = metrics.fit_calibration(sums, tokens, sentences, mute)
    assert found.short_temperature > 3
    assert found.temperature == pytest.approx(1, rel=0.1)


def test_labels_that_fit_without_an_end_stay_within_the_limits() -> None:
    sums, tokens, sentences = np.array([-3.0, 3.0] * 20), np.array([4, 200] * 20), np.array([1, 9] * 20)
    right = metrics.fit_calibration(sums, tokens, sentences, np.array([0.0, 1.0] * 20))
    wrong = metrics.fit_calibration(sums, tokens, sentences, np.array([1.0, 0.0] * 20))
    assert 0.2 <= min(right[:2]) < 0.3
    assert 4 < max(wrong[:2]) <= 5
    assert max(abs(right.shift), abs(wrong.shift)) <= 1


def test_each_review_has_its_own_temperature_and_surprise() -> None:
    logits, labels = np.array([2.0, -3.0]), np.array([1, 1])
    temperatures = np.array([1.0, 2.0])
    assert metrics.probabilities_of(logits, temperatures).tolist() == pytest.approx(
        [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(1.5))]
    )
    found = metrics.log_losses(logits, labels, temperatures)
    assert found.tolist() == pytest.approx([math.log(1 + math.exp(-2)), math.log(1 + math.exp(1.5))])


# --- calibration by chance ----------------------------------------------------------------------


def test_a_lean_to_one_side_shows_in_the_error_of_p_positive_alone() -> None:
    chance = np.random.default_rng(3)
    truth = chance.uniform(0.02, 0.98, 200_000)
    labels = (chance.random(len(truth)) < truth).astype(int)
    assert metrics.positive_calibration_error(truth, labels) < 0.01
    leaning = metrics.probabilities_of(np.log(truth / (1 - truth)) + 0.5)
    found = metrics.positive_calibration_error(leaning, labels)
    assert found > 0.05
    assert found > 3 * metrics.expected_calibration_error(leaning, labels)
    assert metrics.positive_calibration_error(np.array([0.25]), np.array([1])) == 0.75


def test_each_side_of_the_verdict_has_its_accuracy() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.5, 0.1, 0.2])
    found = metrics.summary(probabilities, np.array([1, 1, 0, 0, 0, 1]), (0.4, 0.6))
    assert found["accuracy_positive"] == pytest.approx(2 / 3)
    assert found["accuracy_negative"] == 0.5
    none = metrics.summary(np.array([0.9]), np.array([1]), (0.4, 0.6))
    assert none["accuracy_negative"] is None


def test_the_error_by_chance_is_that_of_calibrated_labels() -> None:
    probabilities = metrics.probabilities_of(simulated(3_000, 1.0)[0])
    chooser = np.random.default_rng(7)
    drawn = [
        metrics.expected_calibration_error(
            probabilities, (chooser.random(len(probabilities)) < probabilities).astype(int)
        )
        for _ in range(60)
    ]
    assert metrics.error_by_chance(probabilities) == pytest.approx(np.mean(drawn), rel=0.1)


def test_the_error_by_chance_falls_with_more_reviews() -> None:
    few, many = (metrics.probabilities_of(simulated(count, 1.0)[0]) for count in (300, 30_000))
    assert metrics.error_by_chance(few) > 5 * metrics.error_by_chance(many)


def test_the_error_by_chance_is_nothing_where_all_is_certain() -> None:
    assert metrics.error_by_chance(np.array([0.0, 1.0, 1.0])) == 0.0


# --- the surest ---------------------------------------------------------------------------------


def test_the_surest_are_counted_by_how_sure_they_are_of_either_side() -> None:
    probabilities, labels = np.array([0.05, 0.9, 0.7, 0.4]), np.array([0, 1, 0, 0])
    found = [metrics.accuracy_of_surest(probabilities, labels, share) for share in (0.25, 0.5, 0.75, 1.0)]
    assert found == pytest.approx([1, 1, 2 / 3, 3 / 4])


def test_the_order_of_reviews_that_are_equally_sure_changes_nothing() -> None:
    probabilities = np.array([0.9, 0.8, 0.8, 0.8])
    for labels in ([1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]):
        found = metrics.accuracy_of_surest(probabilities, np.array(labels), 0.5)
        assert found == pytest.approx((1 + 1 / 3) / 2)


@given(scored, st.sampled_from(metrics.SHARES))
def test_some_review_is_always_among_the_surest(data: tuple[np.ndarray, np.ndarray], share: float) -> None:
    assert 0 <= metrics.accuracy_of_surest(metrics.probabilities_of(data[0]), data[1], share) <= 1


def test_the_curve_names_shares_accuracy_and_the_least_sure_one() -> None:
    logits, labels = simulated(2_000, 1.0)
    probabilities = metrics.probabilities_of(logits)
    rows = metrics.risk_coverage(probabilities, labels)
    assert [row["share"] for row in rows] == pytest.approx([n / 100 for n in range(100, 45, -5)])
    confidence = np.sort(np.maximum(probabilities, 1 - probabilities))
    assert rows[0]["confidence_from"] == confidence[0]
    assert rows[-1]["confidence_from"] == confidence[-1000]
    right = (probabilities >= 0.5) == (labels == 1)
    assert rows[0]["accuracy"] == pytest.approx(right.mean())
    for row in rows:
        surest = np.maximum(probabilities, 1 - probabilities) >= row["confidence_from"]
        assert surest.sum() == pytest.approx(2_000 * row["share"])
        assert row["accuracy"] == pytest.approx(right[surest].mean())


# --- confusion and negation ---------------------------------------------------------------------


def test_confusion_counts_what_was_said_against_what_is_true() -> None:
    probabilities = np.array([0.9, 0.5, 0.8, 0.4, 0.3, 0.2, 0.1, 0.6, 0.7, 0.45])
    labels = np.array([1, 0, 1, 1, 0, 0, 0, 0, 0, 1])
    assert metrics.confusion(probabilities, labels) == {
        "true_positive": 2,
        "false_positive": 3,
        "true_negative": 3,
        "false_negative": 2,
    }


@given(scored)
def test_confusion_counts_each_review_once(data: tuple[np.ndarray, np.ndarray]) -> None:
    found = metrics.confusion(metrics.probabilities_of(data[0]), data[1])
    assert sum(found.values()) == len(data[1])
    assert found["true_positive"] + found["false_negative"] == int(data[1].sum())


def test_negators_part_the_reviews_by_how_dense_they_are_not_how_many() -> None:
    negators = np.array([0, 1, 4, 3, 0, 2, 8, 6])
    lengths = np.array([50, 100, 400, 100, 10, 100, 100, 100])
    labels = np.array([1, 1, 1, 1, 1, 1, 0, 0])
    rows = metrics.by_negation(np.full(8, 0.9), labels, negators, lengths, (0.4, 0.6))
    assert [row["negators"] for row in rows] == ["none", "few", "some", "many"]
    assert [(row["per_100_tokens_from"], row["per_100_tokens_to"]) for row in rows] == [
        (0, 0),
        (1, 1),
        (2, 3),
        (6, 8),
    ]
    assert [row["reviews"] for row in rows] == [2, 2, 2, 2]
    assert [row["accuracy"] for row in rows] == [1, 1, 1, 0]


def test_groups_by_negation_without_a_review_are_left_out() -> None:
    rows = metrics.by_negation(np.array([0.9]), np.array([1]), np.array([2]), np.array([40]), (0.4, 0.6))
    assert [(row["negators"], row["per_100_tokens_from"], row["reviews"]) for row in rows] == [
        ("few", 5.0, 1)
    ]


def test_the_summary_holds_the_surest_the_confusion_and_the_error_by_chance() -> None:
    logits, labels = simulated(500, 1.0)
    probabilities = metrics.probabilities_of(logits)
    found = metrics.summary(probabilities, labels, (0.4, 0.6))
    assert found["accuracy_of_surest_90"] == metrics.accuracy_of_surest(probabilities, labels, 0.9)
    assert found["confusion"] == metrics.confusion(probabilities, labels)
    assert found["ece_by_chance"] == metrics.error_by_chance(probabilities)
    assert found["accuracy_of_surest_90"] > found["accuracy"]
