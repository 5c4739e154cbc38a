"""Load sample reviews of the development split, and write files of any number of reviews."""

import csv
import itertools
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from training.baselines.scorers import TrainingSource
from training.data import dataset
from vocab import vocabulary
from vocab.vocabulary import EncodedReview

WORDS = 230
# Reviews of exactly so many words are few.
MARGIN_WORDS = 15
TOKENS = 230
MAX_REVIEWS = 200


class Ids(NamedTuple):
    """A review's ids, and the number of them in each sentence."""

    ids: list[int]
    lengths: list[int]

    def sentences(self) -> list[list[int]]:
        """Return the ids of each sentence."""
        ends = itertools.accumulate(self.lengths)
        return [self.ids[end - length : end] for end, length in zip(ends, self.lengths, strict=True)]


class Samples:
    """Reviews of the archive, each kind loaded at its first use. Raises dataset.DataError."""

    def __init__(self, archive: Path) -> None:
        self.source = TrainingSource(archive)

    @cached_property
    def reviews(self) -> list[str]:
        """Reviews of about WORDS words, unchanged."""
        texts = [review.text for review in self.source.data.development]
        return [text for text in texts if abs(len(text.split()) - WORDS) <= MARGIN_WORDS][:MAX_REVIEWS]

    @cached_property
    def marked(self) -> list[str]:
        """Those of ``reviews`` with markup."""
        return [text for text in self.reviews if "<" in text]

    @cached_property
    def plain(self) -> list[str]:
        """Those of ``reviews`` without a ``<`` or ``&``."""
        return [text for text in self.reviews if "<" not in text and "&" not in text]

    @cached_property
    def ids(self) -> list[Ids]:
        """The first TOKENS ids of reviews of at least that length."""
        words = vocabulary.load()
        texts = (review.text for review in self.source.data.development)
        long = (encoded for encoded in map(words.encode, texts) if len(encoded.ids) >= TOKENS)
        return [_cut(encoded) for encoded in itertools.islice(long, MAX_REVIEWS)]

    @cached_property
    def characters(self) -> float:
        """The mean number of characters of a development review."""
        texts = [review.text for review in self.source.data.development]
        return sum(map(len, texts)) / len(texts)

    def take(self, count: int) -> list[str]:
        """Return ``count`` reviews of any length; a text repeats only after all others."""
        data = self.source.data
        every = itertools.chain(data.test, data.development, data.train, data.unsup)
        return [review.text for review in itertools.islice(itertools.cycle(every), count)]


def _cut(encoded: EncodedReview) -> Ids:
    """Return the first TOKENS ids of a review."""
    lengths = [min(one.last, TOKENS) - one.first for one in encoded.sentences if one.first < TOKENS]
    return Ids(encoded.ids[:TOKENS], lengths)


def write_csv(path: Path, reviews: Iterable[str]) -> Path:
    """Write a file with one column, ``review``."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review"])
        writer.writerows([review] for review in reviews)
    return path


def find() -> Samples:
    """Return the samples of the archive in IMDB_ARCHIVE, or of a downloaded one. Raises DataError."""
    return Samples(dataset.find_archive())
