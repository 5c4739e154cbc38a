"""The network: embedding, a forward and a backward LSTM, max and mean pooling, one linear head.

The head is linear over pooled states, so each token's share of the logit is exact and costs
nothing extra. Mean pooling spreads over all tokens. Each max-pooled feature goes to the token
that held the maximum. (Additive models: Javed et al., NeurIPS 2022.)
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vocab.vocabulary import PAD_ID


class Size(NamedTuple):
    """Rebuild a network from these: rows of the table, width of an embedding, states a direction."""

    vocabulary: int
    embedding: int = 128
    hidden: int = 128


class Noise(NamedTuple):
    """Hold a batch's dropout masks.

    ``embedding``, float32 (batch, 1, embedding), drops channels of a review, the same ones at each
    token (Gal & Ghahramani 2016). ``head``, float32 (batch, 4 x hidden), drops pooled features.
    """

    embedding: Tensor
    head: Tensor


class Network(nn.Module):
    """Map ids to logits. Padding stands at the end of a row and changes nothing."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(size.vocabulary, size.embedding, padding_idx=PAD_ID)
        self.forward_lstm = nn.LSTM(size.embedding, size.hidden, batch_first=True)
        self.backward_lstm = nn.LSTM(size.embedding, size.hidden, batch_first=True)
        self.head = nn.Linear(4 * size.hidden, 1)
        nn.init.normal_(self.embedding.weight, std=0.1)
        with torch.no_grad():
            self.embedding.weight[PAD_ID].zero_()
        for lstm in (self.forward_lstm, self.backward_lstm):
            init_lstm(lstm)

    def forward(self, ids: Tensor, lengths: Tensor, noise: Noise | None = None) -> Tensor:
        """Return each review's logit.

        :param ids: int64 (batch, tokens)
        :param lengths: int64 (batch,), the number of tokens before the padding
        :param noise: dropout masks; none outside of training
        :returns: float32 (batch,)
        """
        embedded = self.embedding(ids)
        if noise is not None:
            embedded = embedded * noise.embedding
        maximum, mean, _ = pool(self.states(embedded, lengths), lengths)
        features = torch.cat([maximum, mean], dim=1)
        logits: Tensor = self.head(features if noise is None else features * noise.head)
        return logits.squeeze(1)

    def states(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Return both directions' states.

        The backward LSTM reads each row reversed within its own length. It starts at the last
        token and never in the padding.

        :param embedded: float32 (batch, tokens, embedding)
        :param lengths: int64 (batch,)
        :returns: float32 (batch, tokens, 2 x hidden)
        """
        order = reversed_order(lengths, embedded.shape[1])
        forward, _ = self.forward_lstm(embedded)
        backward, _ = self.backward_lstm(reorder(embedded, order))
        return torch.cat([forward, reorder(backward, order)], dim=2).float()

    def explain(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and each token's contribution; head bias + sum of contributions = logit.

        :param ids: int64 (batch, tokens)
        :param lengths: int64 (batch,)
        :returns: logits, float32 (batch,), and contributions, float32 (batch, tokens)
        """
        states = self.states(self.embedding(ids), lengths)
        maximum, mean, holder = pool(states, lengths)
        width = states.shape[2]
        max_weights, mean_weights = self.head.weight[0, :width], self.head.weight[0, width:]
        contributions = states @ mean_weights / lengths[:, None]
        contributions = contributions * token_mask(lengths, ids.shape[1])
        contributions = contributions.scatter_add(1, holder, maximum * max_weights)
        logits = maximum @ max_weights + mean @ mean_weights + self.head.bias
        return logits, contributions


class LstmParameters(NamedTuple):
    """Name the parameters of a one-layer LSTM, gates in torch's order: input, forget, cell, output.

    ``input`` is float32 (4 x hidden, width), ``recurrent`` (4 x hidden, hidden), both biases (4 x hidden,).
    """

    input: nn.Parameter
    recurrent: nn.Parameter
    input_bias: nn.Parameter
    recurrent_bias: nn.Parameter


def lstm_parameters(lstm: nn.LSTM) -> LstmParameters:
    """Return the parameters of a one-layer LSTM by name."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return LstmParameters(*(lstm.get_parameter(name) for name in names))


def init_lstm(lstm: nn.LSTM) -> None:
    """Start an LSTM with orthogonal recurrences and forget gates that remember."""
    hidden, parameters = lstm.hidden_size, lstm_parameters(lstm)
    with torch.no_grad():
        nn.init.xavier_uniform_(parameters.input)
        for gate in parameters.recurrent.tensor_split(4):
            nn.init.orthogonal_(gate)
        parameters.input_bias.zero_()
        parameters.recurrent_bias.zero_()
        parameters.input_bias[hidden : 2 * hidden] = 1.0


def draw_noise(
    size: Size, batch: int, embedding_dropout: float, head_dropout: float, device: torch.device
) -> Noise:
    """Draw which channels and which pooled features are dropped.

    :param batch: the number of reviews
    :param embedding_dropout: the share of channels to drop, 0..1
    :param head_dropout: the share of pooled features to drop, 0..1
    """

    def mask(share: float, *shape: int) -> Tensor:
        return torch.empty(batch, *shape, device=device).bernoulli_(1 - share) / (1 - share)

    return Noise(mask(embedding_dropout, 1, size.embedding), mask(head_dropout, 4 * size.hidden))


def token_mask(lengths: Tensor, width: int) -> Tensor:
    """Return 1.0 where a token stands and 0.0 in the padding, float32 (batch, width)."""
    return (torch.arange(width, device=lengths.device)[None] < lengths[:, None]).float()


def pool(states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return max and mean over the tokens, and the token that held each maximum.

    :param states: float32 (batch, tokens, features)
    :param lengths: int64 (batch,)
    :returns: maximum and mean, float32 (batch, features), and holder, int64 (batch, features)
    """
    mask = token_mask(lengths, states.shape[1])[:, :, None]
    maximum, holder = states.masked_fill(mask == 0, -1e9).max(dim=1)
    return maximum, (states * mask).sum(dim=1) / lengths[:, None], holder


def reversed_order(lengths: Tensor, width: int) -> Tensor:
    """Return the indices that reverse each row within its length, int64 (batch, width).

    Padding stays in place.
    """
    position = torch.arange(width, device=lengths.device)[None]
    return torch.where(position < lengths[:, None], lengths[:, None] - 1 - position, position)


def reorder(rows: Tensor, order: Tensor) -> Tensor:
    """Return rows, (batch, tokens, features), in the order int64 (batch, tokens)."""
    return rows.gather(1, order[:, :, None].expand(-1, -1, rows.shape[2]))
