"""The network: contributions add up, padding changes nothing, the backward LSTM reads backwards."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.support.model import random_network
from training.recipe.network import Network, Size, draw_noise, init_lstm, pool, reversed_order, token_mask
from vocab.vocabulary import PAD_ID

ROWS = 50
lengths_of_batches = st.lists(st.integers(1, 30), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network(ROWS)


def padded(lengths: list[int], seed: int = 0, extra: int = 0) -> tuple[Tensor, Tensor]:
    """Return random ids, padded to the longest row and ``extra`` columns more."""
    chooser = torch.Generator().manual_seed(seed)
    ids = torch.full((len(lengths), max(lengths) + extra), PAD_ID)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(1, ROWS, (length,), generator=chooser)
    return ids, torch.tensor(lengths)


@given(lengths_of_batches, st.integers(0, 1000), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_bias_and_contributions_add_up_to_the_logit(
    network: Network, lengths: list[int], seed: int, extra: int
) -> None:
    with torch.inference_mode():
        logits, contributions = network.explain(*padded(lengths, seed, extra))
    assert torch.allclose(network.head.bias + contributions.sum(dim=1), logits, atol=1e-5, rtol=0)


@given(lengths_of_batches, st.integers(0, 1000), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_the_explained_logit_is_the_logit(
    network: Network, lengths: list[int], seed: int, extra: int
) -> None:
    ids, of_rows = padded(lengths, seed, extra)
    with torch.inference_mode():
        assert torch.allclose(network.explain(ids, of_rows)[0], network(ids, of_rows), atol=1e-5, rtol=0)


@given(lengths_of_batches, st.integers(0, 1000), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_padding_and_neighbours_change_neither_logit_nor_contributions(
    network: Network, lengths: list[int], seed: int, extra: int
) -> None:
    ids, of_rows = padded(lengths, seed, extra)
    with torch.inference_mode():
        together = network.explain(ids, of_rows)
        for row, length in enumerate(lengths):
            alone = network.explain(ids[row : row + 1, :length], of_rows[row : row + 1])
            assert torch.allclose(together[0][row], alone[0][0], atol=1e-5, rtol=0)
            assert torch.allclose(together[1][row, :length], alone[1][0], atol=1e-5, rtol=0)


def test_padding_gets_no_contribution(network: Network) -> None:
    ids, lengths = padded([3, 9], extra=4)
    with torch.inference_mode():
        _, contributions = network.explain(ids, lengths)
    assert torch.count_nonzero(contributions[0, 3:]) == 0
    assert torch.count_nonzero(contributions[1, 9:]) == 0
    assert torch.count_nonzero(contributions[1, :9]) > 0


@pytest.mark.parametrize("length", [1, 2, 17])
def test_both_directions_are_those_of_torch_s_own_bidirectional_lstm(network: Network, length: int) -> None:
    theirs = nn.LSTM(network.size.embedding, network.size.hidden, batch_first=True, bidirectional=True)
    weights = {}
    for ours, suffix in ((network.forward_lstm, ""), (network.backward_lstm, "_reverse")):
        weights |= {name + suffix: value for name, value in ours.state_dict().items()}
    theirs.load_state_dict(weights)
    ids, lengths = padded([length])
    with torch.inference_mode():
        embedded = network.embedding(ids)
        expected, _ = theirs(embedded)
        assert torch.allclose(network.states(embedded, lengths), expected, atol=1e-6)


def test_the_backward_lstm_meets_the_last_token_first(network: Network) -> None:
    ids, lengths = padded([8], extra=3)
    with torch.inference_mode():
        before = network.states(network.embedding(ids), lengths)[0, :, network.size.hidden :]
        ids[0, 0] = ids[0, 0] % (ROWS - 1) + 1
        after = network.states(network.embedding(ids), lengths)[0, :, network.size.hidden :]
    assert torch.equal(before[1:8], after[1:8])
    assert not torch.equal(before[0], after[0])


def test_rows_are_reversed_within_their_lengths() -> None:
    order = reversed_order(torch.tensor([1, 3, 4]), 4)
    assert order.tolist() == [[0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 1, 0]]


def test_the_mask_is_one_where_a_token_stands() -> None:
    assert token_mask(torch.tensor([1, 3]), 4).tolist() == [[1, 0, 0, 0], [1, 1, 1, 0]]


def test_pooling_gives_maximum_mean_and_the_token_that_held_the_maximum() -> None:
    states = torch.tensor([[[1.0, -5.0], [3.0, -7.0], [99.0, 99.0]]])
    maximum, mean, holder = pool(states, torch.tensor([2]))
    assert (maximum.tolist(), mean.tolist(), holder.tolist()) == ([[3.0, -5.0]], [[2.0, -6.0]], [[1, 0]])


def test_noise_drops_channels_of_a_review_and_pooled_features_and_the_rest_grows() -> None:
    torch.manual_seed(0)
    noise = draw_noise(Size(ROWS, 100, 25), 4, 0.5, 0.2, torch.device("cpu"))
    assert (noise.embedding.shape, noise.head.shape) == ((4, 1, 100), (4, 100))
    assert set(noise.embedding.unique().tolist()) == {0.0, 2.0}
    assert set(noise.head.unique().tolist()) == {0.0, 1.25}
    assert 0.3 < (noise.embedding == 0).float().mean() < 0.7
    assert 0.1 < (noise.head == 0).float().mean() < 0.3


def test_the_same_noise_gives_the_same_logits_and_other_noise_others() -> None:
    network = random_network(ROWS)
    ids, lengths = padded([5, 9])
    first, second = (draw_noise(network.size, 2, 0.5, 0.5, torch.device("cpu")) for _ in range(2))
    with torch.inference_mode():
        assert torch.equal(network(ids, lengths, first), network(ids, lengths, first))
        assert not torch.equal(network(ids, lengths, first), network(ids, lengths, second))
        assert not torch.equal(network(ids, lengths, first), network(ids, lengths))


def test_the_padding_s_row_is_zero_and_learns_nothing() -> None:
    network = Network(Size(ROWS, 4, 4))
    ids, lengths = padded([2, 6])
    network(ids, lengths).sum().backward()
    assert torch.count_nonzero(network.embedding.weight[PAD_ID]) == 0
    assert torch.count_nonzero(network.embedding.weight.grad[PAD_ID]) == 0


def test_a_fresh_lstm_remembers_and_keeps_lengths() -> None:
    lstm = nn.LSTM(3, 5)
    init_lstm(lstm)
    assert (lstm.bias_ih_l0 + lstm.bias_hh_l0).tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * 10
    for gate in lstm.weight_hh_l0.split(5):
        assert torch.allclose(gate @ gate.T, torch.eye(5), atol=1e-5)


def test_the_size_rebuilds_the_network(network: Network) -> None:
    again = Network(Size(**network.size._asdict()))
    again.load_state_dict(network.state_dict())
    ids, lengths = padded([4, 11])
    with torch.inference_mode():
        assert torch.equal(again.eval()(ids, lengths), network(ids, lengths))
