"""What the network makes of reviews before its head: the pooled states, on all cores, without torch."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import inference
import numpy as np
from batch_local import follow_parent
from onnx_head import POOLED, with_pooled
from tqdm import tqdm

from vocab.language import looks_english

# Reviews that a process reads at a time.
CHUNK = 100
# What a review can't teach for.
NO_TOKEN, UNKNOWN, NOT_ENGLISH = "no_token", "no_known_words", "not_english"


class PooledError(Exception):
    """The reviews could not be read through the network."""


class Pooled(NamedTuple):
    """Features, float32 (reviews, 2 x states): max and then mean over a review's tokens, and warnings.

    A warning is empty, or one of NO_TOKEN (its features are 0), UNKNOWN and NOT_ENGLISH.
    """

    features: np.ndarray
    warnings: np.ndarray


class Reader:
    """A model's network with its pooled states let out."""

    def __init__(self, model: Path) -> None:
        self.verdict = inference.model_fn(model)
        network = with_pooled((model / "model.onnx").read_bytes())
        self.session = inference.session_of(network, model)

    def read(self, review: str) -> tuple[np.ndarray, str]:
        """Give a review's features and its warning."""
        encoded = self.verdict.words.encode(review)
        if not encoded.ids:
            return np.zeros(0, dtype=np.float32), NO_TOKEN
        states, maximum = self.session.run(POOLED, {"ids": np.array(encoded.ids, dtype=np.int64)})
        features = np.concatenate([maximum, states.mean(axis=0)])
        if not encoded.known:
            return features, UNKNOWN
        return features, "" if looks_english(encoded) else NOT_ENGLISH


def pool(texts: Iterable[str], count: int, model: Path, workers: int) -> Pooled:
    """Read ``count`` reviews. Raises PooledError, ModelFilesError, VocabularyError or HeadError."""
    reader = Reader(model)
    if workers == 1 or count <= CHUNK:
        pieces: Iterable[list[tuple[np.ndarray, str]]] = ([reader.read(text)] for text in texts)
        return _joined(pieces, count)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (str(model),))
    try:
        return _joined(pool.map(_read, _chunks(texts)), count)
    except BrokenProcessPool as error:
        raise PooledError(
            "a process died, perhaps for want of memory; run it again, or give --workers 1"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _joined(pieces: Iterable[list[tuple[np.ndarray, str]]], count: int) -> Pooled:
    rows: list[tuple[np.ndarray, str]] = []
    with tqdm(total=count, desc="reading", unit="review", disable=None) as bar:
        for piece in pieces:
            rows += piece
            bar.update(len(piece))
    width = max((len(features) for features, _ in rows), default=0)
    features = np.zeros((len(rows), width), dtype=np.float32)
    for place, (found, _) in zip(features, rows, strict=True):
        place[: len(found)] = found
    return Pooled(features, np.array([warning for _, warning in rows], dtype=str))


def _chunks(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    left = iter(texts)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


_reader: Reader


def _start(model: str) -> None:
    global _reader
    follow_parent()
    _reader = Reader(Path(model))


def _read(texts: Sequence[str]) -> list[tuple[np.ndarray, str]]:
    return [_reader.read(text) for text in texts]
