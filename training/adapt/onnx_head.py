"""Read and replace the head inside a model.onnx: the linear layer that gives a sentence its polarity.

Beside it stands the table of n-grams' weights, which is replaced the same way. An ONNX file is a protobuf
message (onnx.proto3); the head is two of its tensors, the table two more. They are replaced byte for byte in
their places. The rest of the network stays the same, and the package onnx is not needed.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from training.endpoint.ngram_weights import NgramWeights
from training.endpoint.scoring import CODES, STEP

# Field numbers of onnx.proto3.
_GRAPH = 7  # of ModelProto
_INITIALIZER = 5  # of GraphProto
_NAME, _RAW_DATA = 8, 9  # of TensorProto
# Protobuf's wire types, and the sizes in bytes of the fixed ones.
_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}
# The head's tensors, as export.py names them.
TENSORS = ("polarity_weight_constant", "polarity_bias_constant")
# Those of the table: codes, int8, and the step, float64.
TABLE = (f"{CODES}_constant", f"{STEP}_constant")


class HeadError(Exception):
    """The network has no head of the known form."""


class Head(NamedTuple):
    """A linear head: weights, float64 (pooled,), of maxima and then of means, and the bias."""

    weights: np.ndarray
    bias: float


def read_head(network: bytes) -> Head:
    """Return the head of a model.onnx. Raises HeadError."""
    weights, bias = (
        np.frombuffer(network[start:end], dtype="<f4").astype(np.float64)
        for start, end in _places(network, TENSORS)
    )
    if not len(weights) or len(bias) != 1:
        raise HeadError("the network's head does not have weights and one bias")
    return Head(weights, float(bias[0]))


def with_head(network: bytes, head: Head) -> bytes:
    """Return a model.onnx with another head of the same size; no other byte changes. Raises HeadError."""
    size = len(read_head(network).weights)
    if head.weights.shape != (size,):
        raise HeadError(f"the network's head has {size} weights, got {head.weights.shape}")
    values = [column.astype("<f4").tobytes() for column in (head.weights, np.array([head.bias]))]
    return _replaced(network, TENSORS, values)


def with_table(network: bytes, table: NgramWeights) -> bytes:
    """Return a model.onnx with another table of n-grams' weights of the same size. Raises HeadError."""
    return _replaced(network, TABLE, [table.codes.tobytes(), np.array([table.step], dtype="<f8").tobytes()])


def _replaced(network: bytes, names: Sequence[str], values: Sequence[bytes]) -> bytes:
    """Return a model.onnx with the bytes of some tensors replaced by as many. Raises HeadError."""
    changed = bytearray(network)
    for name, (start, end), value in zip(names, _places(network, names), values, strict=True):
        if end - start != len(value):
            raise HeadError(f"the network's {name} has {end - start} bytes, got {len(value)}")
        changed[start:end] = value
    return bytes(changed)


def _places(network: bytes, names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the start and end of the bytes of each of some tensors. Raises HeadError."""
    places: dict[str, tuple[int, int]] = {}
    try:
        for graph in _parts(network, 0, len(network), _GRAPH):
            for tensor in _parts(network, *graph, _INITIALIZER):
                for name in _parts(network, *tensor, _NAME):
                    for place in _parts(network, *tensor, _RAW_DATA):
                        places[network[slice(*name)].decode()] = place
        return [places[name] for name in names]
    except (IndexError, ValueError) as error:
        raise HeadError("the network is no ONNX file") from error
    except KeyError as error:
        raise HeadError(f"the network has no tensor {error.args[0]}") from error


def _parts(data: bytes, start: int, end: int, field: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each bytes field of that number inside a message."""
    at = start
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            _, at = _varint(data, at)
            continue
        size = _FIXED.get(wire)
        if size is None:
            size, at = _varint(data, at)
        if at + size > end:
            raise ValueError("a field is longer than its message")
        if wire == _BYTES and number == field:
            yield at, at + size
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number stored as seven bits a byte, lowest first, and the place after it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
