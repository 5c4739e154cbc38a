"""Resample rows or groups without a generator: a weight is a hash of its key and of its replicate's number.

So the same file has the same intervals in any order and on any number of processes, in JavaScript too.
"""

import numpy as np

REPLICATES = 400
# floor(P(X <= k) * 2**32) of a Poisson variable with mean 1, for k = 0..7.
THRESHOLDS = np.array(
    [1580030168, 3160060337, 3950075421, 4213413783, 4279248373, 4292415291, 4294609777, 4294923276],
    dtype=np.uint32,
)
ROW_SALT, SAMPLE_SALT = 0x9E3779B9, 0x5BF03635
FNV_START, FNV_PRIME = 0x811C9DC5, 0x01000193
# The quantiles of an interval that covers 95 in 100.
LOW, HIGH = 0.025, 0.975


def mix(values: np.ndarray) -> np.ndarray:
    """Return the finalizer of MurmurHash3 (Appleby, 2008) of each number, uint32 of the same shape."""
    mixed = values.astype(np.uint32)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def row_keys(numbers: np.ndarray) -> np.ndarray:
    """Return the keys of rows, uint32 (rows,), from their numbers, which count from 1."""
    return mix(numbers.astype(np.uint32) + np.uint32(ROW_SALT))


def sample_keys(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers by which rows are drawn, the smallest first, uint32 (rows,)."""
    return mix(numbers.astype(np.uint32) ^ np.uint32(SAMPLE_SALT))


def group_key(name: str) -> int:
    """Return the key of a group, by FNV-1a of its UTF-8 bytes.

    >>> group_key("Solaris")
    1812255300
    """
    value = FNV_START
    for byte in name.encode("utf-8", "surrogatepass"):
        value = (value ^ byte) * FNV_PRIME & 0xFFFFFFFF
    return int(mix(np.array([value], dtype=np.uint32))[0])


def weights(keys: np.ndarray) -> np.ndarray:
    """Return the weights of keys, uint32 (keys,), as float32 (keys, 1 + REPLICATES).

    The first column is 1, so that the figure itself is computed as its replicates are.
    """
    replicates = mix(np.arange(1, REPLICATES + 1))
    drawn = mix(keys[:, None] ^ replicates)
    counted = np.zeros(drawn.shape, dtype=np.uint8)
    for threshold in THRESHOLDS:
        counted += drawn >= threshold
    weighted = np.ones((len(keys), 1 + REPLICATES), dtype=np.float32)
    weighted[:, 1:] = counted
    return weighted


def interval(replicates: np.ndarray) -> tuple[float, float] | None:
    """Return the middle 95 in 100 of replicates, float64 (replicates,), without those that are no number."""
    values = np.sort(replicates[np.isfinite(replicates)])
    if not len(values):
        return None
    return _quantile(values, LOW), _quantile(values, HIGH)


def _quantile(values: np.ndarray, share: float) -> float:
    """Return a quantile of sorted values, linear between two of them."""
    place = share * (len(values) - 1)
    below = int(place)
    first, second = float(values[below]), float(values[min(below + 1, len(values) - 1)])
    return first + (second - first) * (place - below)
