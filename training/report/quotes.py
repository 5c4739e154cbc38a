"""The sentences that say it best and worst, and the words by their measured effect."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from training.report.cells import rounded
from training.report.resampling import sample_keys
from training.report.table import MILLION, Measured, Said, content_of, singular, words_of

# Rows whose sentences may be quoted, and whose words are measured: the first of them in sample order.
SENTENCE_ROWS, WORD_ROWS = 5_000, 500
MOST_SENTENCES = 2_000
CHOSEN = 5
# Two sentences with this share of common words, in millionths, say the same.
ALIKE = 600_000
MOST_WORDS = 15
MOST_EXAMPLES = 20
# Rows that a word needs, and in a file of fewer than FEW_ROWS.
WORD_IN_ROWS, FEW_ROWS, WORD_IN_FEW_ROWS = 5, 100, 2


def sample_limits(rows: int) -> tuple[int, int]:
    """Return the largest sample keys of the rows for sentences, and for words, in a file of so many rows."""
    keys = np.zeros(0, dtype=np.uint32)
    for first in range(1, rows + 1, 1 << 20):
        numbers = np.arange(first, min(first + (1 << 20), rows + 1))
        keys = np.sort(np.concatenate([keys, sample_keys(numbers)]))[:SENTENCE_ROWS]
    if not len(keys):
        return -1, -1
    return int(keys[-1]), int(keys[:WORD_ROWS][-1])


class Sentences:
    """Keeps each side's first sentences in sample order."""

    def __init__(self) -> None:
        self._kept: dict[int, list[tuple[int, Said]]] = {1: [], -1: []}

    def add(self, sentences: Sequence[Said]) -> None:
        """Add sentences."""
        keys = sample_keys(np.array([sentence.number for sentence in sentences], dtype=np.int64)).tolist()
        for key, sentence in zip(keys, sentences, strict=True):
            self._kept[sentence.side].append((key, sentence))
        for side, kept in self._kept.items():
            if len(kept) > 2 * MOST_SENTENCES:
                self._kept[side] = _first(kept)

    def report(self) -> dict[str, Any]:
        """Return the report's ``sentences``."""
        best, worst = ([sentence for _, sentence in _first(self._kept[side])] for side in (1, -1))
        return {"best": typical(best), "worst": typical(worst)}


def typical(sentences: Sequence[Said]) -> list[dict[str, Any]]:
    """Return the sentences most like all others, none like one before it."""
    alike = similarities([content_of(words_of(sentence.text)) for sentence in sentences])
    left = np.ones(len(sentences), dtype=bool)
    typicality = alike.sum(axis=1)
    chosen: list[dict[str, Any]] = []
    while left.any() and len(chosen) < CHOSEN:
        place = int(np.where(left, typicality, -1).argmax())
        near = alike[place] >= ALIKE
        left[near], left[place] = False, False
        sentence = sentences[place]
        chosen.append(
            {
                "text": sentence.text,
                "row": sentence.number,
                "alone": rounded(sentence.alone / MILLION),
                "contribution": rounded(sentence.contribution / MILLION),
                "similar": int(near.sum()),
            }
        )
    return chosen


def similarities(texts: Sequence[set[str]]) -> np.ndarray:
    """Return the share of words that two texts have in common, in millionths, float64 (texts, texts).

    It is 0 on the diagonal.
    """
    places = {word: place for place, word in enumerate(sorted(set().union(*texts)))}
    holds = np.zeros((len(texts), len(places)), dtype=np.float32)
    for row, words in enumerate(texts):
        holds[row, [places[word] for word in words]] = 1
    common = (holds @ holds.T).astype(np.float64)
    sizes = holds.sum(axis=1).astype(np.float64)
    union = np.maximum(1, sizes[:, None] + sizes - common)
    alike: np.ndarray = np.floor(MILLION * common / union + 0.5)
    np.fill_diagonal(alike, 0)
    return alike


def report_words(measured: Iterable[Measured], rows: int, judged: int) -> dict[str, Any]:
    """Return the report's ``words``: those that raise or lower the logit most.

    :param rows: the rows that were measured
    :param judged: the judged rows of the file
    """
    counts: Counter[str] = Counter()
    effects: dict[str, dict[int, list[int]]] = {}
    surfaces: dict[str, Counter[str]] = {}
    for number, surface, effect in measured:
        word = singular(surface)
        counts[word] += 1
        effects.setdefault(word, {}).setdefault(number, []).append(effect)
        surfaces.setdefault(word, Counter())[surface] += 1
    fewest = WORD_IN_FEW_ROWS if judged < FEW_ROWS else WORD_IN_ROWS
    means = [
        (sum(map(sum, by_row.values())) / counts[word] / MILLION, _most_frequent(surfaces[word]), by_row)
        for word, by_row in effects.items()
        if len(by_row) >= fewest
    ]
    return {"rows": rows, "up": _strongest(means, 1), "down": _strongest(means, -1)}


def _strongest(means: Sequence[tuple[float, str, dict[int, list[int]]]], side: int) -> list[dict[str, Any]]:
    """Return the words with the strongest mean effect to one side, 1 or -1."""
    found = sorted(
        (mean for mean in means if side * mean[0] > 0), key=lambda mean: (-side * mean[0], mean[1])
    )
    return [
        {"word": word, "effect": rounded(effect), "rows": len(by_row), "examples": _examples(by_row, side)}
        for effect, word, by_row in found[:MOST_WORDS]
    ]


def _examples(by_row: dict[int, list[int]], side: int) -> list[int]:
    """Return the rows that a word moves most to one side; a row counts by its strongest effect."""
    strongest = {number: max(side * effect for effect in effects) for number, effects in by_row.items()}
    return sorted(strongest, key=lambda number: (-strongest[number], number))[:MOST_EXAMPLES]


def _most_frequent(surfaces: Counter[str]) -> str:
    return min(surfaces, key=lambda surface: (-surfaces[surface], surface))


def _first(kept: list[tuple[int, Said]]) -> list[tuple[int, Said]]:
    return sorted(kept, key=lambda pair: (pair[0], pair[1].number, pair[1].place))[:MOST_SENTENCES]
