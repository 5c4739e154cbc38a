"""Score a review: read each sentence, weigh, calibrate, and measure what leaving a part out changes."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from training.endpoint import ngram_weights, weighing
from training.endpoint.calibration import Calibration
from training.endpoint.ngram_weights import NONE as NO_NGRAMS
from training.endpoint.ngram_weights import Found, NgramWeights
from training.endpoint.opinion import SHORT_SENTENCES, clauses, opinion_of
from training.endpoint.packing import pack
from training.endpoint.weighing import CONSTANTS, Sentences, Weighing, read_weighing
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

# model.onnx's output of the states, of the ids that are left out of what it reads, and of a reset's id.
STATES, UNREAD, RESET = "states", "unread", "reset"
# Its outputs of the n-grams' table; a package of `make train` has none.
CODES, STEP = "ngram_codes", "ngram_step"
# The smallest grid that the network takes.
A_WORD = {"ids": np.ones((1, 2), dtype=np.int64)}
# The words with the largest contributions whose effect is measured. Each costs a reading of its sentence.
MEASURED_WORDS = 32
# Reviews of one run of the network. More would fill the processor's cache, and answer no sooner.
READ_TOGETHER = 4


class Reading(NamedTuple):
    """Hold what the network makes of sentences.

    ``pooled`` is float32 (sentences, pooled). ``states``, float32 (read, states), has a row for each token
    that is read; ``read``, bool (tokens,), says which, and ``counts``, int64 (sentences,), how many of each
    sentence. ``ngrams`` are the n-grams whose weights join the polarities.
    """

    pooled: np.ndarray
    states: np.ndarray
    read: np.ndarray
    counts: np.ndarray
    ngrams: Found


class SentenceNetwork(NamedTuple):
    """Hold the network's session, which reads sentences, and the constants that weigh them.

    ``is_read``, bool (ids,), says which ids it reads; every later id is read. ``reset`` is the id of a
    reset, see packing.py. ``clause_starts`` are the ids of the tokens that start a clause.
    """

    session: Any
    weighing: Weighing
    is_read: np.ndarray
    reset: int
    ngrams: NgramWeights
    clause_starts: frozenset[int] = frozenset()

    def read(self, ids: np.ndarray, lengths: np.ndarray) -> Reading:
        """Read a text: its ids, int64 (tokens,), and how many each sentence holds, int64 (sentences,)."""
        return self.read_all([(ids, lengths)])[0]

    def read_all(self, texts: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[Reading]:
        """Read several texts in one run of the network; each is the ids and lengths of ``read``."""
        read, counts = zip(*(ngram_weights.read_tokens(self.is_read, *text) for text in texts), strict=True)
        ids = [text_ids[one] for (text_ids, _), one in zip(texts, read, strict=True)]
        lengths = np.concatenate(counts)
        states = self._states(np.concatenate(ids), lengths)
        starts = np.cumsum(lengths) - lengths
        # numpy's reduceat takes twice as long here.
        maxima = np.array([rows.max(axis=0) for rows in np.split(states, starts[1:])])
        means = np.add.reduceat(states, starts) / lengths[:, None].astype(np.float32)
        pooled = np.concatenate([maxima, means], axis=1)
        readings, sentence, token = [], 0, 0
        for text, one, count in zip(texts, read, counts, strict=True):
            end, last = sentence + len(count), token + int(count.sum())
            found = ngram_weights.find(*text, one, len(self.ngrams.codes))
            readings.append(Reading(pooled[sentence:end], states[token:last], one, count, found))
            sentence, token = end, last
        return readings

    def _states(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the states of the tokens of sentences, float32 (tokens, states)."""
        grid = pack(ids, lengths, self.reset)
        (states,) = self.session.run((STATES,), {"ids": grid.ids})
        steps, directions, rows, hidden = states.shape
        forward = grid.steps * (directions * rows) + grid.rows
        both = np.stack((forward, forward + rows), axis=1)
        found: np.ndarray = states.reshape(-1, hidden).take(both, axis=0).reshape(len(ids), -1)
        return found

    def understand(self, reading: Reading) -> Sentences:
        """Return what the sentences of a reading say."""
        sentences = weighing.read_sentences(self.weighing, reading.pooled)
        added = ngram_weights.sums(self.ngrams, reading.ngrams, len(reading.counts))
        return sentences._replace(polarities=sentences.polarities + added)

    def sentences(self, texts: list[np.ndarray]) -> Sentences:
        """Return what sentences say, from the ids of each, int64 (tokens,)."""
        lengths = np.array([len(text) for text in texts])
        return self.understand(self.read(np.concatenate(texts), lengths))


def to_network(session: Any) -> SentenceNetwork:
    """Return the network of a loaded session. Raises ValueError, or what ONNX Runtime raises."""
    table = [one.name for one in session.get_outputs() if one.name in (CODES, STEP)]
    names = (*CONSTANTS, UNREAD, RESET, *table)
    constants = dict(zip(names, session.run(names, A_WORD), strict=True))
    return SentenceNetwork(
        session,
        read_weighing(constants),
        ngram_weights.mask_of(constants[UNREAD]),
        int(constants[RESET][0]),
        NgramWeights(constants[CODES], float(constants[STEP][0])) if table else NO_NGRAMS,
    )


def score_all(
    network: SentenceNetwork,
    calibration: Calibration,
    reviews: Sequence[tuple[list[int], list[int]]],
    explain: str,
) -> Iterator[Score]:
    """Yield the scores of reviews, some of which are read together; see ``score``."""
    for first in range(0, len(reviews), READ_TOGETHER):
        group = reviews[first : first + READ_TOGETHER]
        texts = [(np.array(ids, dtype=np.int64), np.array(lengths, dtype=np.int64)) for ids, lengths in group]
        for (ids, lengths), text, reading in zip(group, texts, network.read_all(texts), strict=True):
            yield _score(network, calibration, ids, lengths, text, reading, explain)


def score(
    network: SentenceNetwork, calibration: Calibration, ids: list[int], lengths: list[int], explain: str
) -> Score:
    """Return the score of a review: its ids, and how many each sentence holds.

    ``explain`` is "none", "sentences" or "words". The numbers of a coarser explanation do not change.
    """
    (scored,) = score_all(network, calibration, [(ids, lengths)], explain)
    return scored


def _score(
    network: SentenceNetwork,
    calibration: Calibration,
    ids: list[int],
    lengths: list[int],
    text: tuple[np.ndarray, np.ndarray],
    reading: Reading,
    explain: str,
) -> Score:
    """Return the score of a review that was read; ``text`` holds its ids and lengths as arrays."""
    rows, sizes = text
    sentences = network.understand(reading)
    weights = weighing.weights_of(network.weighing, sentences)
    temperature, bias = calibration.at(len(ids), len(lengths))
    parts = weights * sentences.polarities / temperature
    alone = weighing.contributions_alone(network.weighing, sentences)
    opinion = opinion_of(logits_of_parts(network, calibration, rows, lengths, alone), len(ids))
    found = build_score(bias, parts.tolist())._replace(opinion=opinion)
    if explain == "none":
        return found
    contributions = [rounded(part) for part in parts]
    rest = weighing.contributions_without(network.weighing, sentences) if len(lengths) > 1 else None
    rows_of_sentences = zip(
        contributions,
        _probabilities(calibration, alone[:, None], sizes),
        probabilities_without(calibration, rest, lengths),
        strict=True,
    )
    found = found._replace(sentences=[SentenceScore(*row) for row in rows_of_sentences])
    if explain == "sentences":
        return found
    words = split_into_words(network, reading, sizes, contributions, weights / temperature)
    strongest = np.argsort(-np.abs(words), kind="stable")[:MEASURED_WORDS]
    sums = sums_without_words(network, np.split(rows, np.cumsum(sizes)[:-1]), sentences, rest, strongest)
    owners = np.repeat(lengths, lengths)[strongest]
    tokens = np.full(len(sums), max(1, len(ids) - 1))
    logits = calibration.apply(sums, tokens, len(lengths) - (owners == 1))
    effects: list[float | None] = [None] * len(ids)
    for index, logit in zip(strongest.tolist(), logits.tolist(), strict=True):
        effects[index] = rounded(found.logit - logit)
    return found._replace(words=WordScores(words, effects))


def split_into_words(
    network: SentenceNetwork,
    reading: Reading,
    lengths: np.ndarray,
    contributions: list[float],
    weights: np.ndarray,
) -> list[float]:
    """Return each token's contribution; those of a sentence add up to the sentence's.

    :param lengths: the tokens of each sentence, int64 (sentences,)
    :param weights: what a polarity of 1 adds to the logit, float64 (sentences,)
    """
    words: list[float] = []
    ends = np.cumsum(lengths)[:-1]
    reads = np.split(reading.read, ends)
    phrases = np.split(ngram_weights.shares(network.ngrams, reading.ngrams, reading.read), ends)
    states = np.split(reading.states, np.cumsum(reading.counts)[:-1])
    columns = (reads, phrases, states, contributions, weights)
    for read, phrase, rows, contribution, weight in zip(*columns, strict=True):
        split = phrase * weight
        split[read] += weighing.split_polarity(network.weighing, rows) * weight
        words += split_exactly(contribution, split.tolist())
    return words


def logits_of_parts(
    network: SentenceNetwork, calibration: Calibration, ids: np.ndarray, lengths: list[int], alone: np.ndarray
) -> np.ndarray:
    """Return the logits of sentences as reviews, or of a short review's clauses, float64 (parts,).

    :param ids: int64 (tokens,)
    :param lengths: the tokens of each sentence
    :param alone: the sum of each sentence, float64 (sentences,)
    """
    if len(lengths) <= SHORT_SENTENCES:
        texts = np.split(ids, np.cumsum(lengths)[:-1])
        parts = [part for text in texts for part in clauses(text, network.clause_starts)]
        if len(parts) > len(texts):
            lengths = [len(part) for part in parts]
            alone = weighing.contributions_alone(network.weighing, network.sentences(parts))
    tokens = np.array(lengths)
    return calibration.apply(alone, tokens, np.ones_like(tokens))


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
        others = network.sentences(left)
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
