"""The network: sentences are read alone, their contributions add up, and batches change nothing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.support.model import random_network
from training.recipe.network import (
    GROUP_RATIO,
    GROUP_TOKENS,
    UNREAD,
    Network,
    Size,
    Texts,
    draw_noise,
    group_by_length,
    init_lstm,
    place_features,
    unread_ids,
)
from vocab import vocabulary
from vocab.vocabulary import PAD_ID

ROWS = 50
# A batch of reviews, each as the lengths of its sentences.
batches = st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=8), min_size=1, max_size=4)
seeds = st.integers(0, 1000)


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network(ROWS)


def texts_of(batch: list[list[int]], seed: int = 0) -> Texts:
    """Return reviews of random ids, in sentences of these lengths."""
    lengths = [length for review in batch for length in review]
    ids = torch.randint(1, ROWS, (sum(lengths),), generator=torch.Generator().manual_seed(seed))
    return Texts(ids, torch.tensor(lengths), torch.tensor([len(review) for review in batch]))


def reviews_of(texts: Texts) -> list[Texts]:
    """Return each review by itself."""
    parts, first, start = [], 0, 0
    for count in texts.counts.tolist():
        lengths = texts.lengths[first : first + count]
        size = int(lengths.sum())
        parts.append(Texts(texts.ids[start : start + size], lengths, torch.tensor([count])))
        first, start = first + count, start + size
    return parts


def sentences_of(texts: Texts) -> list[Texts]:
    """Return each sentence as a review of its own."""
    one = torch.tensor([1])
    return [Texts(ids, one * len(ids), one) for ids in texts.ids.split(texts.lengths.tolist())]


def is_near(first: Tensor, second: Tensor) -> bool:
    return torch.allclose(first, second, atol=1e-5, rtol=1e-5)


# --- what adds up -------------------------------------------------------------------------------


@given(batches, seeds)
@settings(max_examples=30, deadline=None)
def test_contributions_add_up_to_the_logit(network: Network, batch: list[list[int]], seed: int) -> None:
    texts = texts_of(batch, seed)
    with torch.inference_mode():
        reading = network.read(texts)
        assert torch.equal(reading.logits, network(texts))
    assert torch.equal(reading.contributions, reading.polarities * reading.weights)
    sums = [part.double().sum() for part in reading.contributions.split(texts.counts.tolist())]
    assert is_near(torch.stack(sums).float(), reading.logits)


@given(batches, seeds)
@settings(max_examples=30, deadline=None)
def test_a_contribution_has_the_sign_of_the_sentence_alone(
    network: Network, batch: list[list[int]], seed: int
) -> None:
    texts = texts_of(batch, seed)
    with torch.inference_mode():
        reading = network.read(texts)
        alone = torch.cat([network(sentence) for sentence in sentences_of(texts)])
    assert (reading.weights > 0).all()
    clear = alone.abs() > 1e-4
    assert torch.equal(reading.contributions[clear].sign(), alone[clear].sign())


# --- what changes nothing -----------------------------------------------------------------------


@given(batches, seeds)
@settings(max_examples=30, deadline=None)
def test_a_polarity_depends_on_neither_neighbours_nor_batch(
    network: Network, batch: list[list[int]], seed: int
) -> None:
    texts = texts_of(batch, seed)
    with torch.inference_mode():
        together = network.read(texts).polarities
        alone = torch.cat([network.read(sentence).polarities for sentence in sentences_of(texts)])
    assert is_near(together, alone)


@given(batches, seeds)
@settings(max_examples=30, deadline=None)
def test_a_review_has_the_same_logit_and_weights_alone_as_in_a_batch(
    network: Network, batch: list[list[int]], seed: int
) -> None:
    texts = texts_of(batch, seed)
    with torch.inference_mode():
        together = network.read(texts)
        alone = [network.read(review) for review in reviews_of(texts)]
    assert is_near(together.logits, torch.cat([one.logits for one in alone]))
    assert is_near(together.weights, torch.cat([one.weights for one in alone]))


def test_a_neighbour_changes_the_weight(network: Network) -> None:
    texts = texts_of([[5, 6, 7]])
    other = texts._replace(ids=torch.cat([texts.ids[:5], texts.ids[5:].flip(0)]))
    with torch.inference_mode():
        first, second = network.read(texts), network.read(other)
    assert is_near(first.polarities[0], second.polarities[0])
    assert not torch.allclose(first.weights[0], second.weights[0], atol=1e-4)


def test_the_place_of_a_sentence_changes_its_weight(network: Network) -> None:
    texts = texts_of([[4]])
    thrice = Texts(texts.ids.repeat(3), texts.lengths.repeat(3), torch.tensor([3]))
    with torch.inference_mode():
        reading = network.read(thrice)
    assert is_near(reading.polarities, reading.polarities[:1].expand(3))
    assert len({round(weight, 4) for weight in reading.weights.tolist()}) == 3


# --- reading a sentence -------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2, 17])
def test_a_sentence_is_pooled_from_torch_s_own_bidirectional_lstm(network: Network, length: int) -> None:
    theirs = nn.LSTM(network.size.embedding, network.size.hidden, batch_first=True, bidirectional=True)
    weights = {}
    for ours, suffix in ((network.forward_lstm, ""), (network.backward_lstm, "_reverse")):
        weights |= {name + suffix: value for name, value in ours.state_dict().items()}
    theirs.load_state_dict(weights)
    texts = texts_of([[3, length, 9]])
    with torch.inference_mode():
        pooled = network.pool(texts)[1]
        states, _ = theirs(network.embedding(texts.ids[3 : 3 + length]))
    assert is_near(pooled, torch.cat([states.amax(dim=0), states.mean(dim=0)]))


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_groups_hold_each_sentence_once_and_only_similar_lengths(lengths: list[int]) -> None:
    groups = group_by_length(torch.tensor(lengths))
    assert sorted(torch.cat(groups).tolist()) == list(range(len(lengths)))
    for group in groups:
        of_group = [lengths[index] for index in group.tolist()]
        assert max(of_group) <= GROUP_RATIO * min(of_group) + GROUP_TOKENS


def test_similar_lengths_share_a_group() -> None:
    assert [group.tolist() for group in group_by_length(torch.tensor([30, 5, 6, 29, 1]))] == [
        [4, 1],
        [2],
        [3, 0],
    ]


def test_places_say_first_last_how_far_and_how_many() -> None:
    one, *three = place_features(torch.tensor([1, 3])).tolist()
    assert one == pytest.approx([1, 1, 0.5, 0])
    ln3 = 1.0986123 / 4
    assert three[0] == pytest.approx([1, 0, 0.5 / 3, ln3])
    assert three[1] == pytest.approx([0, 0, 1.5 / 3, ln3])
    assert three[2] == pytest.approx([0, 1, 2.5 / 3, ln3])


# --- reviews at the ends ------------------------------------------------------------------------


def test_a_review_of_one_sentence_is_weighed_as_first_and_last_and_not_divided(network: Network) -> None:
    texts = texts_of([[7]])
    with torch.inference_mode():
        reading = network.read(texts)
        seen = torch.relu(network.see(network.pool(texts)))
        none = torch.zeros_like(seen)
        features = torch.cat([seen, none, none, seen, place_features(texts.counts)], dim=1)
        weight = nn.functional.softplus(network.weight(torch.tanh(network.weigh(features))))[:, 0]
    assert is_near(reading.weights, weight)
    assert is_near(reading.logits, reading.polarities * weight)


def test_a_review_of_400_one_token_sentences_is_read(network: Network) -> None:
    texts = texts_of([[1] * 400])
    with torch.inference_mode():
        reading = network.read(texts)
        alone = torch.cat([network.read(sentence).polarities for sentence in sentences_of(texts)[:20]])
    assert reading.polarities.shape == (400,)
    assert torch.isfinite(reading.logits).all()
    assert is_near(reading.polarities[:20], alone)


def test_more_sentences_weigh_less_each() -> None:
    network = Network(Size(ROWS, 4, 4))  # fresh: each sentence weighs the same
    with torch.inference_mode():
        weights = [float(network.read(texts_of([[5] * count])).weights[0]) for count in (1, 4, 16)]
    assert weights[1] == pytest.approx(weights[0] / 2)
    assert weights[2] == pytest.approx(weights[0] / 4)


# --- training -----------------------------------------------------------------------------------


def test_gradients_reach_every_parameter(network: Network) -> None:
    texts = texts_of([[5, 8, 3], [1], [12, 2]])
    network.zero_grad()
    network(texts).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.ne(0).any(), name
    network.zero_grad()


def test_the_padding_s_row_is_zero_and_learns_nothing() -> None:
    network = Network(Size(ROWS, 4, 4))
    network(texts_of([[2, 6], [40]])).sum().backward()
    assert torch.count_nonzero(network.embedding.weight[PAD_ID]) == 0
    assert network.embedding.weight.grad is not None
    assert torch.count_nonzero(network.embedding.weight.grad[PAD_ID]) == 0


def test_noise_drops_channels_of_a_review_and_features_of_a_sentence_and_the_rest_grows() -> None:
    torch.manual_seed(0)
    noise = draw_noise(Size(ROWS, 100, 25), texts_of([[5, 3], [2], [4, 4, 1]]), 0.5, 0.2)
    assert (noise.embedding.shape, noise.head.shape) == ((3, 100), (6, 100))
    assert set(noise.embedding.unique().tolist()) == {0.0, 2.0}
    assert set(noise.head.unique().tolist()) == {0.0, 1.25}
    assert 0.3 < (noise.embedding == 0).float().mean() < 0.7
    assert 0.1 < (noise.head == 0).float().mean() < 0.3


def test_the_same_noise_gives_the_same_logits_and_other_noise_others(network: Network) -> None:
    texts = texts_of([[5, 3], [9]])
    first, second = (draw_noise(network.size, texts, 0.5, 0.5) for _ in range(2))
    with torch.inference_mode():
        assert torch.equal(network(texts, first), network(texts, first))
        assert not torch.equal(network(texts, first), network(texts, second))
        assert not torch.equal(network(texts, first), network(texts))


def test_channels_are_dropped_in_their_own_review_alone(network: Network) -> None:
    texts = texts_of([[5, 3], [9, 2]])
    noise = draw_noise(network.size, texts, 0.0, 0.0)
    noise.embedding[1] = 0
    with torch.inference_mode():
        plain, dropped = network.read(texts), network.read(texts, noise)
    assert is_near(plain.polarities[:2], dropped.polarities[:2])
    assert not torch.allclose(plain.polarities[2:], dropped.polarities[2:], atol=1e-4)


def test_unread_tokens_change_nothing_unless_a_sentence_holds_no_other(network: Network) -> None:
    first, second = network.size.unread[:2]
    with torch.inference_mode():
        plain = network.pool(Texts(torch.tensor([9, 8, 5, 4]), torch.tensor([3, 1]), torch.tensor([2])))
        more = [first, 9, 8, second, 5, first, second, 4]
        among = network.pool(Texts(torch.tensor(more), torch.tensor([6, 2]), torch.tensor([2])))
        assert torch.equal(plain, among)
        alone = [
            network.pool(Texts(torch.tensor(ids), torch.tensor([len(ids)]), torch.tensor([1])))
            for ids in ([first], [first, second], [second, first])
        ]
    assert not torch.allclose(alone[0], alone[1])
    assert not torch.allclose(alone[1], alone[2])


def test_unread_ids_are_those_of_the_vocabulary() -> None:
    words = vocabulary.load()
    assert [words.encode_ids(token) for token in UNREAD] == [[number] for number in unread_ids(words)]


def test_a_fresh_lstm_remembers_and_keeps_lengths() -> None:
    lstm = nn.LSTM(3, 5)
    init_lstm(lstm)
    assert (lstm.bias_ih_l0 + lstm.bias_hh_l0).tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * 10
    for gate in lstm.weight_hh_l0.split(5):
        assert torch.allclose(gate @ gate.T, torch.eye(5), atol=1e-5)


def test_the_size_rebuilds_the_network(network: Network) -> None:
    again = Network(Size(**network.size._asdict()))
    again.load_state_dict(network.state_dict())
    texts = texts_of([[4, 11], [3]])
    with torch.inference_mode():
        assert torch.equal(again.eval()(texts), network(texts))
