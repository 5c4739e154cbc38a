"""Weights by hashes: the same everywhere, and distributed as a Poisson variable with mean 1."""

import math

import numpy as np
import pytest

from training.report import resampling
from training.report.resampling import REPLICATES


def plain_mix(value: int) -> int:
    """The finalizer of MurmurHash3, with Python's own numbers."""
    value ^= value >> 16
    value = value * 0x85EBCA6B & 0xFFFFFFFF
    value ^= value >> 13
    value = value * 0xC2B2AE35 & 0xFFFFFFFF
    return value ^ value >> 16


def test_numbers_are_mixed_as_murmur_does() -> None:
    numbers = [0, 1, 2, 0x7FFFFFFF, 0x9E3779B9, 0xFFFFFFFF]
    assert resampling.mix(np.array(numbers)).tolist() == [plain_mix(number) for number in numbers]
    assert resampling.mix(np.array([1])).tolist() == [0x514E28B7]  # Appleby's own


def test_a_weight_is_the_number_of_thresholds_below_its_hash() -> None:
    keys = resampling.row_keys(np.arange(1, 40))
    assert keys[0] == plain_mix(1 + 0x9E3779B9)
    weights = resampling.weights(keys)
    assert weights.shape == (39, 1 + REPLICATES)
    for row, replicate in ((0, 0), (7, 1), (38, 399)):
        hashed = plain_mix(int(keys[row]) ^ plain_mix(replicate + 1))
        expected = sum(hashed >= threshold for threshold in resampling.THRESHOLDS.tolist())
        assert weights[row, replicate + 1] == expected
    assert (weights[:, 0] == 1).all()


def test_the_thresholds_are_poisson_s() -> None:
    total = 0.0
    for count, threshold in enumerate(resampling.THRESHOLDS.tolist()):
        total += math.exp(-1) / math.factorial(count)
        assert threshold == pytest.approx(total * 2**32, abs=2)


def test_weights_have_mean_and_variance_1_and_rows_do_not_move_together() -> None:
    weights = resampling.weights(resampling.row_keys(np.arange(1, 4001)))[:, 1:]
    assert weights.mean() == pytest.approx(1, abs=0.01)
    assert weights.var() == pytest.approx(1, abs=0.02)
    between = np.corrcoef(weights[:50])
    assert np.abs(between[np.triu_indices(50, 1)]).mean() < 2 / math.sqrt(REPLICATES)


def test_a_group_s_key_depends_on_its_bytes() -> None:
    assert resampling.group_key("") == plain_mix(0x811C9DC5)
    assert resampling.group_key("a") == plain_mix(0xE40C292C)  # FNV-1a's own test value
    assert resampling.group_key("Ω") != resampling.group_key("O")


def test_an_interval_is_numpy_s_quantiles_without_what_is_no_number() -> None:
    values = np.random.default_rng(1).normal(size=REPLICATES)
    expected = np.quantile(values, [0.025, 0.975])
    assert resampling.interval(values) == pytest.approx(expected.tolist())
    with_gaps = np.append(values, [np.nan, np.inf])
    assert resampling.interval(with_gaps) == pytest.approx(expected.tolist())
    assert resampling.interval(np.array([np.nan])) is None
