"""The network reads each sentence by itself, weighs the sentences, and adds them up.

A sentence becomes the maxima and means of its LSTM states, and a linear head gives its polarity: a
number whose sign says praise or complaint. A table of weights of its words, pairs and triples may add to
that; ngram_residual.py fits it after the training. A small network weighs each sentence by what it, its
neighbours and the review hold, and by its place. The logit is the sum of weight times polarity. So
a sentence's contribution has the sign that the sentence has alone, and the parts add up exactly.
(Reading parts and weighing them: Angelidis and Lapata, TACL 2018.)
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.endpoint import ngram_weights
from vocab.vocabulary import PAD_ID, Vocabulary

# Features of a place: first, last, the share of the review before its middle, ln(sentences) / 4.
PLACES = 4
# 18 % of all tokens, and the least telling ones: accuracy on the development split is as high without them.
UNREAD = (".", ",", "the", "a", "an", "of")
# Sentences of similar length share a batch: at most this many times the shortest, and some tokens.
GROUP_RATIO, GROUP_TOKENS = 1.25, 4


class Size(NamedTuple):
    """Rebuild a network from these.

    ``vocabulary`` counts rows of the table, ``embedding`` its columns, ``hidden`` states a direction,
    ``seen`` the features of a sentence by which it is weighed, ``weighing`` hidden units of the weighing.
    ``unread`` are ids that the LSTMs never see, unless a sentence holds no other.
    """

    vocabulary: int
    embedding: int = 128
    # 96 with the two of endpoint/packing.py's gauge: ONNX Runtime multiplies 16 numbers of int8 at once.
    hidden: int = 94
    seen: int = 64
    weighing: int = 32
    unread: tuple[int, ...] = ()


class Texts(NamedTuple):
    """Hold reviews without padding, one after the other.

    ``ids`` is int64 (tokens,), ``lengths`` int64 (sentences,) counts tokens of a sentence, ``counts``
    int64 (reviews,) sentences of a review. Each is 1 or more.
    """

    ids: Tensor
    lengths: Tensor
    counts: Tensor

    def owners(self) -> Tensor:
        """Return the review of each sentence, int64 (sentences,)."""
        return torch.repeat_interleave(torch.arange(len(self.counts), device=self.counts.device), self.counts)


class Noise(NamedTuple):
    """Hold a batch's dropout masks.

    ``embedding``, float32 (reviews, embedding), drops channels of a review, the same ones at each
    token (Gal & Ghahramani 2016). ``head``, float32 (sentences, 4 x hidden), drops pooled features.
    """

    embedding: Tensor
    head: Tensor


class Reading(NamedTuple):
    """Hold what the network makes of reviews.

    ``polarities`` and ``weights`` are float32 (sentences,), ``contributions`` their product, and
    ``logits``, float32 (reviews,), the contributions' sum in each review.
    """

    polarities: Tensor
    weights: Tensor
    contributions: Tensor
    logits: Tensor


class Network(nn.Module):
    """Map reviews, cut into sentences, to logits."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        read = torch.ones(size.vocabulary, dtype=torch.bool)
        read[list(size.unread)] = False
        self.register_buffer("is_read", read, persistent=False)
        # Their weights join the polarities. No training changes them, and no file of a training has them.
        self.ngrams = ngram_weights.NONE
        self.embedding = nn.Embedding(size.vocabulary, size.embedding, padding_idx=PAD_ID)
        self.forward_lstm = nn.LSTM(size.embedding, size.hidden, batch_first=True)
        self.backward_lstm = nn.LSTM(size.embedding, size.hidden, batch_first=True)
        self.polarity = nn.Linear(4 * size.hidden, 1)
        self.see = nn.Linear(4 * size.hidden, size.seen)
        # Of the sentence, the ones before and after it, the review's mean, and the place.
        self.weigh = nn.Linear(4 * size.seen + PLACES, size.weighing)
        self.weight = nn.Linear(size.weighing, 1)
        # The sum is divided by the number of sentences to the power of sigmoid(power).
        self.power = nn.Parameter(torch.zeros(1))
        nn.init.normal_(self.embedding.weight, std=0.1)
        with torch.no_grad():
            self.embedding.weight[PAD_ID].zero_()
        for lstm in (self.forward_lstm, self.backward_lstm):
            init_lstm(lstm)
        nn.init.zeros_(self.weight.weight)
        nn.init.ones_(self.weight.bias)

    def forward(self, texts: Texts, noise: Noise | None = None) -> Tensor:
        """Return each review's logit, float32 (reviews,). ``noise`` holds dropout masks for training."""
        return self.read(texts, noise).logits

    def read(self, texts: Texts, noise: Noise | None = None) -> Reading:
        """Return what each sentence says, what it weighs, and the sum."""
        pooled = self.pool(texts, noise)
        if noise is not None:
            pooled = pooled * noise.head
        polarities = self.polarity(pooled).squeeze(1).float()
        if len(self.ngrams.codes):
            polarities = polarities + self._ngram_sums(texts)
        weights = self.weights(pooled, texts)
        contributions = polarities * weights
        logits = torch.zeros(len(texts.counts), device=pooled.device)
        return Reading(polarities, weights, contributions, logits.index_add(0, texts.owners(), contributions))

    def pool(self, texts: Texts, noise: Noise | None = None) -> Tensor:
        """Return maxima and means of each sentence's states, float32 (sentences, 4 x hidden).

        Maxima of the forward and the backward LSTM come first, then their means.
        """
        read, counts = self._read(texts)
        texts = texts._replace(ids=texts.ids[read], lengths=counts)
        embedded = self.embedding(texts.ids)
        if noise is not None:
            owners = torch.repeat_interleave(texts.owners(), texts.lengths)
            embedded = embedded * noise.embedding[owners]
        starts = texts.lengths.cumsum(0) - texts.lengths
        groups = group_by_length(texts.lengths)
        parts = [self._pool_group(embedded, starts[group], texts.lengths[group]) for group in groups]
        places = torch.cat(groups)
        return torch.cat(parts)[places.argsort()]

    def _read(self, texts: Texts) -> tuple[Tensor, Tensor]:
        """Return which tokens the LSTMs read, bool (tokens,), and how many in each sentence, (sentences,)."""
        read = self.get_buffer("is_read")[texts.ids]
        owners = torch.repeat_interleave(
            torch.arange(len(texts.lengths), device=texts.ids.device), texts.lengths
        )
        counts = torch.zeros_like(texts.lengths).index_add(0, owners, read.long())
        whole = counts == 0
        return read | whole[owners], torch.where(whole, texts.lengths, counts)

    def _ngram_sums(self, texts: Texts) -> Tensor:
        """Return the sum of the weights of each sentence's n-grams, float32 (sentences,)."""
        read, _ = self._read(texts)
        ids, lengths, read_tokens = (column.cpu().numpy() for column in (texts.ids, texts.lengths, read))
        found = ngram_weights.find(ids, lengths, read_tokens, len(self.ngrams.codes))
        sums = ngram_weights.sums(self.ngrams, found, len(lengths))
        return torch.from_numpy(sums).float().to(texts.ids.device)

    def _pool_group(self, embedded: Tensor, starts: Tensor, lengths: Tensor) -> Tensor:
        steps = torch.arange(int(lengths.max()), device=lengths.device)[None]
        mask = (steps < lengths[:, None])[:, :, None]
        maxima, means = [], []
        for lstm, places in (
            (self.forward_lstm, starts[:, None] + steps),
            (self.backward_lstm, (starts + lengths)[:, None] - 1 - steps),
        ):
            # Steps after the sentence's end read some other token; the mask leaves their states out.
            rows = places.clamp(0, len(embedded) - 1)
            states, _ = lstm(embedded.index_select(0, rows.flatten()).view(*rows.shape, -1))
            states = states.float()
            maxima.append(states.masked_fill(~mask, -1e9).amax(dim=1))
            means.append((states * mask).sum(dim=1) / lengths[:, None])
        return torch.cat([*maxima, *means], dim=1)

    def weights(self, pooled: Tensor, texts: Texts) -> Tensor:
        """Return each sentence's weight, float32 (sentences,), over 0.

        :param pooled: float32 (sentences, 4 x hidden)
        """
        owners, counts = texts.owners(), texts.counts
        seen = torch.relu(self.see(pooled))
        mean = torch.zeros(len(counts), seen.shape[1], dtype=seen.dtype, device=seen.device)
        mean = mean.index_add(0, owners, seen) / counts[:, None]
        places = place_features(counts)
        before = F.pad(seen, (0, 0, 1, 0))[:-1] * (1 - places[:, :1])
        after = F.pad(seen, (0, 0, 0, 1))[1:] * (1 - places[:, 1:2])
        features = torch.cat([seen, before, after, mean[owners], places], dim=1)
        weights = F.softplus(self.weight(torch.tanh(self.weigh(features))).squeeze(1).float())
        return weights / counts[owners].float() ** torch.sigmoid(self.power)


def place_features(counts: Tensor) -> Tensor:
    """Return PLACES features of each sentence's place, float32 (sentences, PLACES), from int64 (reviews,)."""
    owners = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    number = torch.arange(len(owners), device=counts.device) - (counts.cumsum(0) - counts)[owners]
    total = counts[owners].float()
    return torch.stack(
        [
            (number == 0).float(),
            (number == counts[owners] - 1).float(),
            (number + 0.5) / total,
            total.log() / 4,
        ],
        dim=1,
    )


def group_by_length(lengths: Tensor) -> list[Tensor]:
    """Group sentences of similar length, so that little is padded.

    :param lengths: int64 (sentences,)
    :returns: indices of each group's sentences, int64
    """
    order = lengths.argsort(stable=True)
    groups, start = [], 0
    ordered = lengths[order].tolist()
    for at, length in enumerate(ordered):
        if length > GROUP_RATIO * ordered[start] + GROUP_TOKENS:
            groups.append(order[start:at])
            start = at
    return [*groups, order[start:]]


def unread_ids(words: Vocabulary) -> tuple[int, ...]:
    """Return the ids of UNREAD."""
    return tuple(map(words.id_of, UNREAD))


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


def draw_noise(size: Size, texts: Texts, embedding_dropout: float, head_dropout: float) -> Noise:
    """Draw which channels and which pooled features are dropped.

    :param embedding_dropout: the share of channels to drop, 0..1
    :param head_dropout: the share of pooled features to drop, 0..1
    """

    def mask(share: float, *shape: int) -> Tensor:
        return torch.empty(shape, device=texts.ids.device).bernoulli_(1 - share) / (1 - share)

    return Noise(
        mask(embedding_dropout, len(texts.counts), size.embedding),
        mask(head_dropout, len(texts.lengths), 4 * size.hidden),
    )
