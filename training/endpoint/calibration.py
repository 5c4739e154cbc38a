"""From the network's sum to a probability that holds: a temperature by length, and a shift."""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

# Between these numbers of tokens temperature and shift move from a short text's to a review's, by ln(tokens).
SHORT, LONG = 8, 80
FIELDS = ("temperature", "short_temperature", "shift")
# No fit gives a temperature outside of these, or a shift beyond MOST. A smaller one makes infinite logits.
LEAST, MOST = 0.001, 1000


class Calibration(NamedTuple):
    """Hold how to calibrate a sum of contributions: logit = bias + sum / temperature.

    ``temperature`` and the bias ``shift`` hold for a review of LONG tokens or more. A text of at most
    SHORT tokens has ``short_temperature`` and no bias. A text of one sentence has no bias at any length,
    so that a sentence alone has the sign of its contribution.
    """

    temperature: float
    short_temperature: float
    shift: float

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - keeps a few numbers of a model
    def at(self, tokens: int, sentences: int) -> tuple[float, float]:
        """Return temperature and bias for a text of that many tokens and sentences, 1 or more of each."""
        share = length_share(tokens)
        temperature = self.short_temperature + share * (self.temperature - self.short_temperature)
        return temperature, share * self.shift if sentences > 1 else 0.0

    def apply(self, sums: np.ndarray, tokens: np.ndarray, sentences: np.ndarray) -> np.ndarray:
        """Return the logits of sums, float64 (texts,).

        :param tokens: the tokens of each text, int (texts,)
        :param sentences: the sentences of each text, int (texts,)
        """
        sizes = zip(tokens.tolist(), sentences.tolist(), strict=True)
        temperatures, biases = map(np.array, zip(*[self.at(*size) for size in sizes], strict=True))
        logits: np.ndarray = biases + sums / temperatures
        return logits

    def divided(self, temperature: float) -> "Calibration":
        """Return the calibration whose logits are these, divided by a temperature."""
        long, short, shift = self.temperature * temperature, self.short_temperature * temperature, self.shift
        return Calibration(round(long, 4), round(short, 4), round(shift / temperature, 4))


def length_share(tokens: int) -> float:
    """Return how far a text's calibration is that of a long review, 0..1."""
    return min(1.0, max(0.0, math.log(tokens / SHORT) / math.log(LONG / SHORT)))


def read_calibration(card: dict[str, Any]) -> Calibration:
    """Return a card's calibration. Raises KeyError, TypeError or ValueError."""
    values = [card[field] for field in FIELDS]
    if not {*map(type, values)} <= {int, float}:
        raise TypeError("temperatures and shift must be numbers")
    if not all(abs(value) <= MOST for value in values) or min(values[:2]) < LEAST:
        raise ValueError(f"temperatures must lie in {LEAST}..{MOST}, and the shift in -{MOST}..{MOST}")
    return Calibration(*map(float, values))
