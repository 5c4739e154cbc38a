"""Thresholds of a promise: exact tests, a fixed sequence, and a bound that holds for bad scores too."""

import numpy as np
import pytest
from scipy import stats

from chalice_app.local import metrics
from training.evaluation import coverage, risk_control
from training.evaluation.risk_control import Choice, Shortage


def scored(parts: list[tuple[float, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return sureness and whether it is right, from (sureness, answers, errors) each."""
    sureness = np.concatenate([np.full(answers, sure) for sure, answers, _ in parts])
    right = np.concatenate([np.arange(answers) >= errors for _, answers, errors in parts])
    return sureness, right


@pytest.mark.parametrize(("errors", "rows"), [(0, 1), (0, 59), (3, 200), (17, 40), (400, 9000), (40, 40)])
def test_tails_and_intervals_are_scipy_s(errors: int, rows: int) -> None:
    for rate in (0.001, 0.05, 0.4, 0.97):
        assert risk_control.tail(errors, rows, rate) == pytest.approx(stats.binom.cdf(errors, rows, rate))
    exact = stats.binomtest(errors, rows).proportion_ci(0.95)
    assert risk_control.interval(errors, rows) == pytest.approx((exact.low, exact.high))


def test_the_loosest_threshold_that_holds_is_chosen() -> None:
    choice = risk_control.choose(*scored([(0.96, 400, 2), (0.81, 300, 6), (0.61, 300, 120)]), 0.05, 0.95)
    assert isinstance(choice, Choice)
    assert choice[:4] == (0.8, 1000, 700, 8)
    assert choice.bound == pytest.approx(stats.binomtest(8, 700).proportion_ci(0.9).high)


def test_rows_without_an_answer_count_for_the_share_and_not_for_the_errors() -> None:
    choice = risk_control.choose(*scored([(0.96, 400, 2), (0.0, 600, 600)]), 0.05, 0.95)
    assert isinstance(choice, Choice)
    assert (choice.rows, choice.answered, choice.errors) == (1000, 400, 2)


def test_the_first_failure_ends_the_sequence() -> None:
    choice = risk_control.choose(*scored([(0.97, 300, 1), (0.93, 300, 60), (0.7, 9000, 0)]), 0.05, 0.95)
    assert isinstance(choice, Choice)
    assert choice.threshold == 0.97


def test_too_few_answers_promise_nothing_even_without_an_error() -> None:
    shortage = risk_control.choose(*scored([(0.99, 58, 0)]), 0.05, 0.95)
    assert shortage == Shortage(0.5, 58, 0, pytest.approx(0.0503, abs=1e-3), 59)
    assert isinstance(risk_control.choose(*scored([(0.99, 59, 0)]), 0.05, 0.95), Choice)


def test_the_rows_needed_pass_the_test_at_their_rate() -> None:
    needed = risk_control.rows_needed(0.03, 0.05, 0.95)
    assert needed is not None
    assert risk_control.tail(round(0.03 * needed), needed, 0.05) <= 0.05
    assert risk_control.rows_needed(0.05, 0.05, 0.95) is None


def test_one_row_stands_for_each_group_whatever_its_label() -> None:
    groups = np.array([7, 7, 7, 3, 5, 5])
    rows = risk_control.one_of_each(groups)
    assert sorted(groups[rows]) == [3, 5, 7]
    assert rows.tolist() == risk_control.one_of_each(groups).tolist()
    assert len(risk_control.one_of_each(np.zeros(0, dtype=int))) == 0


def test_the_histogram_has_a_row_in_the_bin_that_ends_with_its_sureness() -> None:
    counts = risk_control.histogram(np.array([0.0, 0.5, 0.51, 0.999, 1.0, 0.995]))
    assert (counts[0], counts[1], counts[-1], counts[-2], counts[-4]) == (2, 1, 1, 1, 1)
    assert sum(counts) == 6


def test_the_api_counts_between_the_thresholds_of_promises() -> None:
    assert metrics.SURENESS == risk_control.THRESHOLDS


@pytest.mark.parametrize("shape", coverage.shapes(0.1), ids=lambda shape: shape.name)
def test_promises_are_violated_no_more_often_than_said(shape: coverage.Shape) -> None:
    tally = coverage.simulate(shape, 200, 300, 0.1, 0.9)
    assert not tally.too_often(0.9), tally


def test_honest_scores_get_a_promise() -> None:
    tally = coverage.simulate(coverage.shapes(0.1)[0], 50, 1000, 0.1, 0.9)
    assert tally.made > 45 and tally.answered > 0.5


def test_a_rule_without_a_bound_would_be_caught() -> None:
    assert coverage.Tally(200, 200, 60, 0.5).too_often(0.9)


def test_the_command_prints_a_line_for_each_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["--draws", "5", "--rows", "200"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:42].strip() for line in lines[2:]] == [one.name for one in coverage.shapes(0.05)]
