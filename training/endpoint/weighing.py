"""From sentences' pooled states to the logit: polarities, weights, and the sums without a part.

The same arithmetic as network.py's, in float64 and without torch. Its numbers are constants that
model.onnx carries as outputs. A sentence's polarity depends on that sentence alone, so leaving a
sentence or a word out needs no other sentence read again.
"""

import functools
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

# model.onnx's outputs that are constants, in the order of Weighing's fields.
CONSTANTS = (
    "polarity_weight",
    "polarity_bias",
    "see_weight",
    "see_bias",
    "weigh_weight",
    "weigh_bias",
    "weight_weight",
    "weight_bias",
    "power",
)
# Features of a place: first, last, the share of the review before its middle, ln(sentences) / 4.
PLACES = 4
# Sentences that are weighed at once, over all the reviews without one of their sentences.
ROWS_AT_ONCE = 10_000


class Weighing(NamedTuple):
    """Hold the constants, float64; network.py has the layers of these names.

    ``polarity_weight`` is (pooled,), ``see_weight`` (pooled, seen), ``weigh_weight`` (4 x seen + places,
    units), ``weight_weight`` (units,); a bias has its layer's width. ``power`` is (1,).
    """

    polarity_weight: np.ndarray
    polarity_bias: np.ndarray
    see_weight: np.ndarray
    see_bias: np.ndarray
    weigh_weight: np.ndarray
    weigh_bias: np.ndarray
    weight_weight: np.ndarray
    weight_bias: np.ndarray
    power: np.ndarray


class Sentences(NamedTuple):
    """Hold what the network makes of a review's sentences, each by itself.

    ``polarities`` is float64 (sentences,). ``own``, ``before``, ``after`` and ``whole`` are float64
    (sentences, units): what a sentence adds to its own weight, to that of the next one, to that of
    the one before, and as a part of the review's mean.
    """

    polarities: np.ndarray
    own: np.ndarray
    before: np.ndarray
    after: np.ndarray
    whole: np.ndarray

    def take(self, rows: np.ndarray) -> "Sentences":
        """Return the sentences of these rows, int64 (..., sentences)."""
        return Sentences(*(column[rows] for column in self))

    def beside(self, others: "Sentences") -> "Sentences":
        """Return these sentences, and after them others."""
        return Sentences(*(np.concatenate(columns) for columns in zip(self, others, strict=True)))


def read_weighing(constants: Mapping[str, np.ndarray]) -> Weighing:
    """Return the constants of a network by its outputs. Raises ValueError when they do not fit."""
    missing = [name for name in CONSTANTS if name not in constants]
    if missing:
        raise ValueError(f"the network has no output {', '.join(missing)}")
    weighing = Weighing(*(constants[name].astype(np.float64) for name in CONSTANTS))
    seen = weighing.see_weight.shape[1]
    units = weighing.weigh_weight.shape[1]
    shapes = [value.shape for value in weighing]
    pooled = len(weighing.polarity_weight)
    expected = [
        (pooled,), (1,), (pooled, seen), (seen,), (4 * seen + PLACES, units), (units,), (units,), (1,), (1,),
    ]  # fmt: skip
    if shapes != expected:
        raise ValueError(f"the network's head has shapes {shapes}")
    return weighing


def read_sentences(weighing: Weighing, pooled: np.ndarray) -> Sentences:
    """Return what each sentence says, from pooled states, float32 (sentences, pooled)."""
    states = pooled.astype(np.float64)
    seen = states @ weighing.see_weight
    seen += weighing.see_bias
    np.maximum(seen, 0, out=seen)
    width, units = seen.shape[1], len(weighing.weigh_bias)
    parts = weighing.weigh_weight[: 4 * width].reshape(4, width, units)
    polarities = states @ weighing.polarity_weight + weighing.polarity_bias
    return Sentences(polarities, *(seen @ parts))


def weights_of(weighing: Weighing, sentences: Sentences) -> np.ndarray:
    """Return each sentence's weight in its review, float64 (..., sentences), over 0.

    Leading axes of ``sentences`` are reviews of equally many sentences.
    """
    count = sentences.polarities.shape[-1]
    mean = sentences.whole.mean(axis=-2, keepdims=True)
    return _weights(weighing, _beside(sentences) + mean + _placed(weighing, count))


def contributions_of(weighing: Weighing, sentences: Sentences) -> np.ndarray:
    """Return each sentence's part of its review's sum, float64 (..., sentences)."""
    contributions: np.ndarray = weights_of(weighing, sentences) * sentences.polarities
    return contributions


def contributions_alone(weighing: Weighing, sentences: Sentences) -> np.ndarray:
    """Return the sum of each sentence as a review of its own, float64 (sentences,)."""
    hidden = sentences.own + sentences.whole + _placed(weighing, 1)
    contributions: np.ndarray = _weights(weighing, hidden[:, None])[:, 0] * sentences.polarities
    return contributions


def contributions_without(weighing: Weighing, sentences: Sentences) -> np.ndarray:
    """Return each sentence's part of the sum when one of 2 or more is left out.

    :returns: float64 (sentences, sentences - 1), a row for each sentence that is left out
    """
    count, polarities = len(sentences.polarities), sentences.polarities
    beside, placed = _beside(sentences), _placed(weighing, count - 1)
    means = (sentences.whole.sum(axis=0) - sentences.whole) / (count - 1)
    # What changes beside the gap: the sentence before it and the one after it meet.
    before_gap, after_gap = -sentences.after, -sentences.before
    before_gap[:-1] += sentences.after[1:]
    after_gap[1:] += sentences.before[:-1]
    parts = []
    # Some rows at a time: a review of 400 sentences would take 40 MB at once.
    step = max(1, ROWS_AT_ONCE // count)
    for start in range(0, count, step):
        stop = min(start + step, count)
        left = sentences_left(count, start, stop)
        hidden = beside.take(left, axis=0)
        hidden += placed
        hidden += means[start:stop, None]
        # Row by row, the place before the gap, and the one after it, move by one.
        flat, first, last = hidden.reshape(-1, hidden.shape[-1]), max(start, 1), min(stop, count - 1)
        flat[(first - start) * (count - 1) + first - 1 :: count] += before_gap[first:stop]
        flat[start::count][: last - start] += after_gap[start:last]
        parts.append(_weights(weighing, hidden) * polarities.take(left))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@functools.lru_cache(maxsize=64)
def sentences_left(count: int, first: int, last: int) -> np.ndarray:
    """Return which of ``count`` sentences are left without each of [first, last), not to be changed.

    :returns: int64 (last - first, count - 1)
    """
    places = np.arange(count - 1)
    left: np.ndarray = places + (places >= np.arange(first, last)[:, None])
    left.flags.writeable = False
    return left


def sums_with(weighing: Weighing, sentences: Sentences, places: np.ndarray, others: Sentences) -> np.ndarray:
    """Return the review's sum with another sentence in the place of one of its own, float64 (others,).

    :param places: the sentence that each of ``others`` replaces, int64 (others,)
    """
    rows = np.tile(np.arange(len(sentences.polarities)), (len(places), 1))
    changed = sentences.take(rows)
    for column, replacement in zip(changed, others, strict=True):
        column[np.arange(len(places)), places] = replacement
    sums: np.ndarray = contributions_of(weighing, changed).sum(axis=-1)
    return sums


@functools.lru_cache(maxsize=256)
def place_features(count: int) -> np.ndarray:
    """Return PLACES features of each of ``count`` sentences, float64 (count, PLACES), not to be changed."""
    number = np.arange(count)
    columns = [number == 0, number == count - 1, (number + 0.5) / count, np.full(count, np.log(count) / 4)]
    features = np.stack(columns, axis=1).astype(np.float64)
    features.flags.writeable = False
    return features


def pulls_of(weighing: Weighing, states: np.ndarray) -> np.ndarray:
    """Return what each token's states add to the mean in its sentence's polarity, float32 (read,).

    :param states: float32 (read, states)
    """
    of_mean = weighing.polarity_weight[states.shape[1] :].astype(np.float32)
    pulls: np.ndarray = states @ of_mean
    return pulls


def split_polarity(weighing: Weighing, states: np.ndarray) -> np.ndarray:
    """Return each token's part of its sentence's polarity, float64 (tokens,); the parts add up to it.

    A token gets what the states change by while it is read: of a maximum, the changes up to the token
    that holds it; of a mean, the changes in the share of tokens that still carry them. The constant
    part is spread evenly.

    :param states: float32 (tokens, states), the forward direction's first
    """
    count, width = states.shape
    half = width // 2
    values = states.astype(np.float64)
    parts = np.full(count, weighing.polarity_bias[0] / count)
    of_max, of_mean = np.split(weighing.polarity_weight, 2)
    for direction, columns in ((1, slice(0, half)), (-1, slice(half, width))):
        read = values[::direction, columns]
        steps = np.diff(read, axis=0, prepend=0)
        holds = np.arange(count)[:, None] <= read.argmax(axis=0)
        left = (count - np.arange(count)) / count
        added = (steps * holds) @ of_max[columns] + left * (steps @ of_mean[columns])
        parts += added[::direction]
    return parts


def _beside(sentences: Sentences) -> np.ndarray:
    """Return what each sentence and its two neighbours add to its weight, float64 (..., sentences, units)."""
    beside = sentences.own.copy()
    beside[..., 1:, :] += sentences.before[..., :-1, :]
    beside[..., :-1, :] += sentences.after[..., 1:, :]
    return beside


def _placed(weighing: Weighing, count: int) -> np.ndarray:
    """Return what each of ``count`` places adds, float64 (count, units), with the constant."""
    placed: np.ndarray = place_features(count) @ weighing.weigh_weight[-PLACES:] + weighing.weigh_bias
    return placed


def _weights(weighing: Weighing, hidden: np.ndarray) -> np.ndarray:
    """Return weights from their hidden units' sums, float64 (..., sentences, units), which change."""
    count = hidden.shape[-2]
    np.tanh(hidden, out=hidden)
    weights = np.logaddexp(0, hidden @ weighing.weight_weight + weighing.weight_bias)
    divided: np.ndarray = weights / count ** (1 / (1 + math.exp(-float(weighing.power[0]))))
    return divided
