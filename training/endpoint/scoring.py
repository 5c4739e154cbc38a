"""Score a review: read each sentence, weigh, calibrate, and measure what leaving a part out changes."""

from typing import Any, NamedTuple

import numpy as np

from training.endpoint import weighing
from training.endpoint.calibration import Calibration
from training.endpoint.opinion import SHORT_SENTENCES, clauses, opinion_of
from training.endpoint.weighing import Sentences, Weighing
from vocab.messages import (
    DECIMALS,
    Score,
    SentenceScore,
    WordScores,
    build_score,
    rounded,
    sigmoid,
    split_exactly,
)

# model.onnx's output of the ids that are left out of what it reads. Packages of before have none.
UNREAD = "unread"
# The words with the largest contributions whose effect is measured. Each costs a reading of its sentence.
MEASURED_WORDS = 32


class Run(NamedTuple):
    """Hold what a run makes of a sentence.

    ``pooled`` is float32 (pooled,). ``states``, float32 (read, states), has a row for each token that is
    read; ``read``, bool (tokens,), says which.
    """

    pooled: np.ndarray
    states: np.ndarray
    read: np.ndarray


class SentenceNetwork(NamedTuple):
    """Hold the network's session, which reads a sentence, and the constants that weigh sentences.

    ``is_read``, bool (ids,), says which ids it reads; every later id is read. ``clause_starts`` are the
    ids of the tokens that start a clause.
    """

    session: Any
    weighing: Weighing
    is_read: np.ndarray
    clause_starts: frozenset[int] = frozenset()

    def run(self, ids: np.ndarray) -> Run:
        """Read a sentence, from its ids, int64 (tokens,)."""
        read = self.is_read[np.minimum(ids, len(self.is_read) - 1)]
        if not read.any():
            read[:] = True
        pooled, states = self.session.run(("pooled", "states"), {"ids": ids[read]})
        return Run(pooled, states, read)

    def pool(self, ids: np.ndarray) -> np.ndarray:
        """Return a sentence's pooled states, float32 (pooled,), from its ids, int64 (tokens,)."""
        return self.run(ids).pooled

    def read(self, sentences: list[np.ndarray]) -> Sentences:
        """Return what sentences say, from the ids of each, int64 (tokens,)."""
        return weighing.read_sentences(self.weighing, np.stack([self.pool(ids) for ids in sentences]))


def read_unread(session: Any) -> np.ndarray:
    """Return which ids a loaded network reads, bool (ids,); it reads every later id."""
    if UNREAD not in [output.name for output in session.get_outputs()]:
        return np.ones(1, dtype=bool)
    (unread,) = session.run((UNREAD,), {"ids": np.ones(1, dtype=np.int64)})
    is_read = np.ones(max([0, *unread.tolist()]) + 2, dtype=bool)
    is_read[unread] = False
    return is_read


def score(
    network: SentenceNetwork, calibration: Calibration, ids: list[int], lengths: list[int], explain: str
) -> Score:
    """Return the score of a review: its ids, and how many each sentence holds.

    ``explain`` is "none", "sentences" or "words". The numbers of a coarser explanation do not change.
    """
    rows = np.array(ids, dtype=np.int64)
    texts = np.split(rows, np.cumsum(lengths)[:-1])
    runs = [network.run(text) for text in texts]
    sentences = weighing.read_sentences(network.weighing, np.stack([run.pooled for run in runs]))
    weights = weighing.weights_of(network.weighing, sentences)
    temperature, bias = calibration.at(len(ids), len(lengths))
    parts = weights * sentences.polarities / temperature
    alone = parts_alone(network, sentences)
    opinion = opinion_of(logits_of_parts(network, calibration, texts, alone), len(ids))
    found = build_score(bias, parts.tolist())._replace(opinion=opinion)
    if explain == "none":
        return found
    contributions = [rounded(part) for part in parts]
    rest = weighing.contributions_without(network.weighing, sentences) if len(lengths) > 1 else None
    rows_of_sentences = zip(
        contributions,
        _probabilities(calibration, alone, np.array(lengths)),
        probabilities_without(calibration, rest, lengths),
        strict=True,
    )
    found = found._replace(sentences=[SentenceScore(*row) for row in rows_of_sentences])
    if explain == "sentences":
        return found
    words: list[float] = []
    for run, contribution, weight in zip(runs, contributions, weights / temperature, strict=True):
        split = np.zeros(len(run.read))
        split[run.read] = weighing.split_polarity(network.weighing, run.states) * weight
        words += split_exactly(contribution, split.tolist())
    strongest = np.argsort(-np.abs(words), kind="stable")[:MEASURED_WORDS]
    sums = sums_without_words(network, texts, sentences, rest, strongest)
    owners = np.repeat(lengths, lengths)[strongest]
    tokens = np.full(len(sums), max(1, len(ids) - 1))
    logits = calibration.apply(sums, tokens, len(lengths) - (owners == 1))
    effects: list[float | None] = [None] * len(ids)
    for index, logit in zip(strongest.tolist(), logits.tolist(), strict=True):
        effects[index] = rounded(found.logit - logit)
    return found._replace(words=WordScores(words, effects))


def parts_alone(network: SentenceNetwork, sentences: Sentences) -> np.ndarray:
    """Return the sum of each sentence as a review of its own, float64 (sentences, 1)."""
    apart = sentences.take(np.arange(len(sentences.polarities))[:, None])
    return weighing.contributions_of(network.weighing, apart)


def logits_of_parts(
    network: SentenceNetwork, calibration: Calibration, texts: list[np.ndarray], alone: np.ndarray
) -> np.ndarray:
    """Return the logits of sentences as reviews, or of a short review's clauses, float64 (parts,).

    :param texts: the ids of each sentence, int64 (tokens,)
    :param alone: the sum of each sentence, float64 (sentences, 1)
    """
    if len(texts) <= SHORT_SENTENCES:
        parts = [part for text in texts for part in clauses(text, network.clause_starts)]
        if len(parts) > len(texts):
            texts, alone = parts, parts_alone(network, network.read(parts))
    tokens = np.array([len(text) for text in texts])
    return calibration.apply(alone[:, 0], tokens, np.ones_like(tokens))


def probabilities_without(
    calibration: Calibration, rest: np.ndarray | None, lengths: list[int]
) -> list[float] | list[None]:
    """Return P(positive) of the review without each sentence; None for a review of one.

    :param rest: the sentences' parts without each of them, float64 (sentences, sentences - 1)
    """
    if rest is None:
        return [None]
    return _probabilities(calibration, rest, sum(lengths) - np.array(lengths))


def sums_without_words(
    network: SentenceNetwork,
    texts: list[np.ndarray],
    sentences: Sentences,
    rest: np.ndarray | None,
    words: np.ndarray,
) -> np.ndarray:
    """Return the review's sum without each of these words, float64 (words,).

    :param texts: the ids of each sentence, int64 (tokens,)
    :param rest: the sentences' parts without each of them; None for a review of one
    :param words: indices into all tokens, int64 (words,)
    """
    ends = np.cumsum([len(text) for text in texts])
    places = np.searchsorted(ends, words, side="right")
    sums = np.zeros(len(words))
    shortened = [len(texts[place]) > 1 for place in places]
    changed = np.flatnonzero(shortened)
    if len(changed):
        within = words[changed] - (ends - [len(text) for text in texts])[places[changed]]
        left = [np.delete(texts[place], at) for place, at in zip(places[changed], within, strict=True)]
        others = network.read(left)
        sums[changed] = weighing.sums_with(network.weighing, sentences, places[changed], others)
    emptied = np.flatnonzero(np.logical_not(shortened))
    if rest is not None:
        sums[emptied] = rest.sum(axis=1)[places[emptied]]
    return sums


def _probabilities(calibration: Calibration, parts: np.ndarray, tokens: np.ndarray) -> list[float]:
    """Return P(positive) of reviews, with the rounding of ``build_score``.

    :param parts: each sentence's part of its review's sum, float64 (reviews, sentences)
    :param tokens: the length of each review, int (reviews,)
    """
    sizes = [calibration.at(count, parts.shape[1]) for count in tokens.tolist()]
    temperatures, biases = np.transpose(sizes)
    contributions = np.round(parts / temperatures[:, None], DECIMALS)
    logits = np.round(biases, DECIMALS) + contributions.sum(axis=1)
    return [rounded(sigmoid(rounded(logit))) for logit in logits.tolist()]
