"""The network: embedding, a forward and a backward LSTM, max and mean pooling, one linear head.

The head is linear over pooled states, so each token's share of the logit is exact and costs
nothing extra: mean pooling spreads over all tokens, and each max-pooled feature goes to the token
that held the maximum. (Additive models: Javed et al., NeurIPS 2022.)
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vocab.vocabulary import PAD_ID


class Size(NamedTuple):
    """What rebuilds the network: rows of the table, width of an embedding, states a direction."""

    vocabulary: int
    embedding: int = 128
    hidden: int = 128


class Network(nn.Module):
    """ids -> logit. Padding stands at the end of a row and changes nothing."""

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

    def forward(self, ids: Tensor, lengths: Tensor, noise: "Noise | None" = None) -> Tensor:
        """Give logits, float32 (batch,), for ids, int64 (batch, tokens), and lengths, int64 (batch,)."""
        embedded = self.embedding(ids)
        if noise is not None:
            embedded = embedded * noise.embedding
        maximum, mean, _ = pool(self.states(embedded, lengths), lengths)
        pooled = torch.cat([maximum, mean], dim=1)
        return self.head(pooled if noise is None else pooled * noise.head).squeeze(1)

    def states(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Give both directions' states, float32 (batch, tokens, 2 x hidden), for embedded tokens.

        The backward LSTM reads each row reversed within its own length, so that it starts at the
        last token and never in the padding.
        """
        order = reversed_order(lengths, embedded.shape[1])
        ahead, _ = self.forward_lstm(embedded)
        behind, _ = self.backward_lstm(reorder(embedded, order))
        return torch.cat([ahead, reorder(behind, order)], dim=2).float()

    def explain(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits (batch,) and contributions (batch, tokens): head bias + sum = logit."""
        states = self.states(self.embedding(ids), lengths)
        maximum, mean, holder = pool(states, lengths)
        width = states.shape[2]
        of_max, of_mean = self.head.weight[0, :width], self.head.weight[0, width:]
        contributions = states @ of_mean / lengths[:, None]
        contributions = contributions * token_mask(lengths, ids.shape[1])
        contributions = contributions.scatter_add(1, holder, maximum * of_max)
        logits = maximum @ of_max + mean @ of_mean + self.head.bias
        return logits, contributions


class Noise(NamedTuple):
    """A batch's dropout.

    ``embedding`` (batch, 1, embedding) drops channels of a review, the same ones at each token (Gal &
    Ghahramani 2016); ``head`` (batch, 4 x hidden) drops pooled features.
    """

    embedding: Tensor
    head: Tensor


def draw_noise(size: Size, batch: int, of_embedding: float, of_head: float, device: torch.device) -> Noise:
    """Draw which channels and which pooled features are dropped, by their shares 0..1."""

    def keep(share: float, *shape: int) -> Tensor:
        return torch.empty(batch, *shape, device=device).bernoulli_(1 - share) / (1 - share)

    return Noise(keep(of_embedding, 1, size.embedding), keep(of_head, 4 * size.hidden))


def init_lstm(lstm: nn.LSTM) -> None:
    """Start an LSTM with orthogonal recurrences and forget gates that remember."""
    hidden = lstm.hidden_size
    with torch.no_grad():
        nn.init.xavier_uniform_(lstm.weight_ih_l0)
        for gate in lstm.weight_hh_l0.split(hidden):
            nn.init.orthogonal_(gate)
        lstm.bias_ih_l0.zero_()
        lstm.bias_hh_l0.zero_()
        lstm.bias_ih_l0[hidden : 2 * hidden] = 1.0


def token_mask(lengths: Tensor, width: int) -> Tensor:
    """Give 1.0 where a token stands and 0.0 in the padding, float32 (batch, width)."""
    return (torch.arange(width, device=lengths.device)[None] < lengths[:, None]).float()


def pool(states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give max and mean over the tokens, (batch, features) each, and which token held the max."""
    mask = token_mask(lengths, states.shape[1])[:, :, None]
    maximum, holder = states.masked_fill(mask == 0, -1e9).max(dim=1)
    return maximum, (states * mask).sum(dim=1) / lengths[:, None], holder


def reversed_order(lengths: Tensor, width: int) -> Tensor:
    """Give the indices that reverse each row within its length and leave padding in place."""
    position = torch.arange(width, device=lengths.device)[None]
    return torch.where(position < lengths[:, None], lengths[:, None] - 1 - position, position)


def reorder(rows: Tensor, order: Tensor) -> Tensor:
    """Take rows (batch, tokens, features) in the order (batch, tokens)."""
    return rows.gather(1, order[:, :, None].expand(-1, -1, rows.shape[2]))
