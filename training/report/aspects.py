"""Choose a report's aspects: a shipped list, those of a file, or none."""

from collections.abc import Iterator
from itertools import islice

from training.files.aspects_flag import read_aspects
from training.files.rows import Source
from vocab import messages
from vocab.aspect_lists import SHIPPED
from vocab.aspects import Aspect, find_mentions
from vocab.vocabulary import Vocabulary

NONE, OWN = "none", "own"
# Rows that decide which shipped list fits.
LOOKED_AT = 1_000


def choose(asked: str | None, source: Source, vocabulary: Vocabulary) -> tuple[tuple[Aspect, ...], str]:
    """Return a report's aspects and where they come from: a shipped list's name, "own" or "none".

    Without a choice it is the shipped list that the first rows mention more often. Raises BatchError.
    """
    if asked == NONE:
        return (), NONE
    if asked is None:
        asked = _most_mentioned(source, vocabulary)
    aspects = messages.parse_aspects(read_aspects(asked))
    return aspects, asked if asked in SHIPPED else OWN


def _most_mentioned(source: Source, vocabulary: Vocabulary) -> str:
    counts = dict.fromkeys(SHIPPED, 0)
    lists = {name: messages.parse_aspects(name) for name in SHIPPED}
    for review in islice(_reviews(source), LOOKED_AT):
        encoded = vocabulary.encode(review)
        for name, aspects in lists.items():
            counts[name] += sum(map(bool, find_mentions(encoded, aspects)))
    return max(counts, key=lambda name: counts[name])


def _reviews(source: Source) -> Iterator[str]:
    return (row.review for row in source.rows() if not row.error)
