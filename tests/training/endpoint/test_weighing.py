"""The weighing without torch: its numbers are the network's, and parts are left out exactly."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.model import random_network
from training.endpoint import weighing
from training.endpoint.onnx_runtime import ort
from training.endpoint.scoring import to_network
from training.endpoint.weighing import CONSTANTS, Sentences, Weighing, read_sentences, read_weighing
from training.recipe import export
from training.recipe import network as recipe
from training.recipe.network import Network, Texts

ROWS = 50
WIDTH = 4 * 8
reviews = st.lists(st.integers(1, 20), min_size=1, max_size=12)
seeds = st.integers(0, 1000)


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network(ROWS, seed=2)


@pytest.fixture(scope="module")
def constants(network: Network) -> Weighing:
    return to_network(ort.InferenceSession(export.to_onnx(network).SerializeToString())).weighing


def texts_of(lengths: list[int], seed: int = 0) -> Texts:
    """Return a review of random ids, in sentences of these lengths."""
    ids = torch.randint(1, ROWS, (sum(lengths),), generator=torch.Generator().manual_seed(seed))
    return Texts(ids, torch.tensor(lengths), torch.tensor([len(lengths)]))


def sentences_of(constants: Weighing, count: int, seed: int = 0) -> Sentences:
    """Return sentences of random pooled states."""
    pooled = np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)
    return read_sentences(constants, pooled)


# --- the same as torch --------------------------------------------------------------------------


@given(reviews, seeds)
@settings(max_examples=40, deadline=None)
def test_polarities_weights_and_sum_are_torch_s(
    network: Network, constants: Weighing, lengths: list[int], seed: int
) -> None:
    texts = texts_of(lengths, seed)
    with torch.inference_mode():
        pooled, reading = network.pool(texts), network.read(texts)
    sentences = read_sentences(constants, pooled.numpy())
    weights = weighing.weights_of(constants, sentences)
    contributions = weighing.contributions_of(constants, sentences)
    assert np.allclose(sentences.polarities, reading.polarities, atol=1e-6, rtol=1e-6)
    assert np.allclose(weights, reading.weights, atol=1e-6, rtol=1e-6)
    assert np.allclose(contributions, reading.contributions, atol=1e-6, rtol=1e-6)
    assert contributions.sum() == pytest.approx(reading.logits.item(), abs=1e-6 * len(lengths))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_places_are_torch_s(count: int) -> None:
    theirs = recipe.place_features(torch.tensor([count])).numpy()
    assert np.allclose(weighing.place_features(count), theirs, atol=1e-6)


def test_constants_have_the_network_s_numbers(network: Network, constants: Weighing) -> None:
    assert constants.polarity_weight.tolist() == network.polarity.weight[0].tolist()
    assert constants.weigh_weight.tolist() == network.weigh.weight.T.tolist()
    assert constants.power.tolist() == network.power.tolist()
    assert all(value.dtype == np.float64 for value in constants)


# --- leaving out and putting in -----------------------------------------------------------------


@given(st.integers(2, 15), seeds)
@settings(max_examples=30, deadline=None)
def test_a_sentence_left_out_is_a_review_without_it(constants: Weighing, count: int, seed: int) -> None:
    sentences = sentences_of(constants, count, seed)
    parts = weighing.contributions_without(constants, sentences)
    assert parts.shape == (count, count - 1)
    for left_out in range(count):
        rest = sentences.take(np.delete(np.arange(count), left_out))
        assert np.allclose(parts[left_out], weighing.contributions_of(constants, rest), atol=1e-12)


def test_pieces_of_any_size_give_the_same(constants: Weighing, monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = sentences_of(constants, 30)
    whole = weighing.contributions_without(constants, sentences)
    monkeypatch.setattr(weighing, "ROWS_AT_ONCE", 70)
    assert np.allclose(weighing.contributions_without(constants, sentences), whole, atol=1e-12)


@given(st.integers(1, 10), st.lists(st.integers(0, 9), min_size=1, max_size=6), seeds)
@settings(max_examples=30, deadline=None)
def test_another_sentence_in_a_place_is_a_review_that_has_it(
    constants: Weighing, count: int, chosen: list[int], seed: int
) -> None:
    sentences = sentences_of(constants, count, seed)
    places = np.array(chosen) % count
    others = sentences_of(constants, len(places), seed + 1)
    sums = weighing.sums_with(constants, sentences, places, others)
    for index, place in enumerate(places):
        changed = Sentences(*(column.copy() for column in sentences))
        for column, replacement in zip(changed, others, strict=True):
            column[place] = replacement[index]
        assert sums[index] == pytest.approx(weighing.contributions_of(constants, changed).sum(), abs=1e-12)


def test_reviews_of_equally_many_sentences_are_weighed_at_once(constants: Weighing) -> None:
    sentences = sentences_of(constants, 6)
    both = weighing.weights_of(constants, sentences.take(np.arange(6).reshape(2, 3)))
    for row, places in zip(both, (range(3), range(3, 6)), strict=True):
        assert np.allclose(row, weighing.weights_of(constants, sentences.take(np.array(places))), atol=1e-12)


def test_weights_are_over_0_however_large_the_states(constants: Weighing) -> None:
    pooled = 100 * np.random.default_rng(0).normal(size=(50, WIDTH)).astype(np.float32)
    weights = weighing.weights_of(constants, read_sentences(constants, pooled))
    assert np.isfinite(weights).all() and (weights > 0).all()


# --- words --------------------------------------------------------------------------------------


@given(st.integers(1, 40), seeds)
@settings(max_examples=30, deadline=None)
def test_words_add_up_to_the_polarity(constants: Weighing, count: int, seed: int) -> None:
    states = np.random.default_rng(seed).normal(size=(count, WIDTH // 2)).astype(np.float32)
    pooled = np.concatenate([states.max(axis=0), states.mean(axis=0)])
    parts = weighing.split_polarity(constants, states)
    polarity = read_sentences(constants, pooled[None]).polarities[0]
    assert parts.shape == (count,)
    assert parts.sum() == pytest.approx(polarity, abs=1e-5)


def plain(of_max: list[float], of_mean: list[float], bias: float = 0.0) -> Weighing:
    """Return constants of two states, forward and backward; only the polarity's matter."""
    none = np.zeros(1)
    return Weighing(np.array(of_max + of_mean), np.array([bias]), *[none] * 7)


def test_a_maximum_is_shared_by_the_tokens_that_raise_it_up_to_its_holder() -> None:
    states = np.array([[1.0, 0.0], [4.0, 0.0], [2.0, 0.0]], dtype=np.float32)
    parts = weighing.split_polarity(plain([2.0, 0.0], [0.0, 0.0]), states)
    assert parts.tolist() == [2.0, 6.0, 0.0]


def test_the_backward_direction_is_read_from_the_end() -> None:
    states = np.array([[0.0, 2.0], [0.0, 4.0], [0.0, 1.0]], dtype=np.float32)
    parts = weighing.split_polarity(plain([0.0, 2.0], [0.0, 0.0]), states)
    assert parts.tolist() == [0.0, 6.0, 2.0]


def test_a_mean_counts_a_change_for_the_tokens_that_still_carry_it() -> None:
    states = np.array([[1.0, 0.0], [4.0, 0.0]], dtype=np.float32)
    parts = weighing.split_polarity(plain([0.0, 0.0], [1.0, 0.0]), states)
    assert parts.tolist() == [1.0, 1.5]


def test_the_constant_part_is_spread_evenly() -> None:
    states = np.zeros((4, 2), dtype=np.float32)
    assert weighing.split_polarity(plain([1, 1], [1, 1], 2.0), states).tolist() == [0.5] * 4


# --- a network that does not weigh --------------------------------------------------------------


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_constant_of_another_shape_is_refused(constants: Weighing, name: str) -> None:
    outputs = constants._asdict()
    assert read_weighing(outputs) is not None
    value = outputs[name]
    with pytest.raises((ValueError, IndexError)):
        read_weighing(outputs | {name: np.concatenate([value, value])})


def test_a_constant_that_is_missing_is_named(constants: Weighing) -> None:
    with pytest.raises(ValueError, match="no output power"):
        read_weighing({name: value for name, value in constants._asdict().items() if name != "power"})
