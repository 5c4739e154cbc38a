"""The dataset as ids, ready for the network. It is encoded once and kept in the cache folder."""

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from training.data import cache, dataset
from vocab import vocabulary
from vocab.files import sha256_of, write_atomic


class Split(NamedTuple):
    """Reviews as ids: ``ids[i]`` is int32 (tokens,), ``lengths[i]`` int32 (sentences,) counts tokens.

    ``labels`` and ``stars`` are int8 (reviews,).
    """

    names: list[str]
    ids: list[np.ndarray]
    lengths: list[np.ndarray]
    labels: np.ndarray
    stars: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, count: int) -> "Split":
        """Return about ``count`` reviews, spread evenly over the split, for trial runs."""
        step = max(1, len(self) // count)
        return Split(
            self.names[::step],
            self.ids[::step],
            self.lengths[::step],
            self.labels[::step],
            self.stars[::step],
        )


class Corpus(NamedTuple):
    """The splits as ids, with the vocabulary's fingerprint and the archive's SHA-256."""

    train: Split
    development: Split
    unsup: Split
    test: Split
    fingerprint: str
    archive_sha256: str
    left_out: dict[str, int]


SPLITS = ("train", "development", "unsup", "test")
# The columns with several numbers a review.
COLUMNS = ("ids", "lengths")


def load(archive: str | None = None) -> Corpus:
    """Load the corpus. The cache has it for this archive, vocabulary and text version, or it is encoded.

    Reviews without a token are left out. Raises dataset.DataError or vocabulary.VocabularyError.
    """
    path = dataset.find_archive(archive)
    digest = sha256_of(path)
    words = vocabulary.load()
    cached = cache.folder() / f"corpus-{digest[:12]}-{words.fingerprint}.npz"
    if not cached.is_file():
        _encode(dataset.load(path), words, cached)
    with np.load(cached, allow_pickle=False) as arrays:
        train, development, unsup, test = (_split(arrays, name) for name in SPLITS)
        left_out = json.loads(str(arrays["left_out"]))
    return Corpus(train, development, unsup, test, words.fingerprint, digest, left_out)


def _encode(data: dataset.Dataset, words: vocabulary.Vocabulary, cached: Path) -> None:
    arrays: dict[str, Any] = {"left_out": np.array(json.dumps(data.left_out))}
    for name in SPLITS:
        reviews = getattr(data, name)
        encoded = [
            columns_of(words.encode(review.text))
            for review in tqdm(reviews, desc=f"encoding {name}", disable=None)
        ]
        filled = [index for index, (ids, _) in enumerate(encoded) if len(ids)]
        arrays[f"{name}_names"] = np.array([reviews[index].name for index in filled])
        for place, column in enumerate(COLUMNS):
            rows = [encoded[index][place] for index in filled]
            arrays[f"{name}_{column}"] = np.concatenate(rows)
            arrays[f"{name}_{column}_sizes"] = np.array([len(row) for row in rows], dtype=np.int32)
        arrays[f"{name}_labels"] = np.array([reviews[index].label for index in filled], dtype=np.int8)
        arrays[f"{name}_stars"] = np.array([reviews[index].stars for index in filled], dtype=np.int8)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    write_atomic(cached, packed.getvalue())


def columns_of(encoded: vocabulary.EncodedReview) -> tuple[np.ndarray, np.ndarray]:
    """Return ids, int32 (tokens,), and the sentences' lengths, int32 (sentences,)."""
    return np.array(encoded.ids, dtype=np.int32), np.array(encoded.lengths, dtype=np.int32)


def _split(arrays: np.lib.npyio.NpzFile, name: str) -> Split:
    ids, lengths = (
        np.split(arrays[f"{name}_{column}"], np.cumsum(arrays[f"{name}_{column}_sizes"])[:-1])
        for column in COLUMNS
    )
    return Split(
        arrays[f"{name}_names"].tolist(),
        ids,
        lengths,
        arrays[f"{name}_labels"],
        arrays[f"{name}_stars"],
    )
