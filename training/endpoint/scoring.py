"""Score a review: read each sentence, weigh, calibrate, and measure what leaving a part out changes."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from training.endpoint import ngram_weights, weighing
from training.endpoint.calibration import Calibration, length_share
from training.endpoint.ngram_weights import NONE as NO_NGRAMS
from training.endpoint.ngram_weights import Found, NgramWeights
from training.endpoint.opinion import PLAIN, SHORT_SENTENCES, OpinionRule, clauses
from training.endpoint.packing import GAUGES, pack
from training.endpoint.weighing import CONSTANTS, Sentences, Weighing, read_weighing
from vocab.messages import (
    DECIMALS,
    AspectScore,
    Score,
    SentenceScore,
    WordScores,
    build_score,
    rounded,
    rounded_probabilities,
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
# The whole review is weak evidence of what its clauses mean: so much of its logit joins that of an aspect, as
# far as the rest is long. Chosen on the open half of training/evaluation/cases/aspects.
WHOLE_SHARE = 0.25
# Reviews of one run of the network. More would fill the processor's cache, and answer no sooner.
READ_TOGETHER = 4

# A text for the network: its ids, int64 (tokens,), and how many each sentence holds, int64 (sentences,).
Text = tuple[np.ndarray, np.ndarray]
# The clauses of each aspect of a review, as tokens [first, last).
Spans = Sequence[Sequence[tuple[int, int]]]


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
    reset, see packing.py. ``clause_starts`` are the ids of the tokens that start a clause, and ``rule`` says
    whether a review has one side, both or none.
    """

    session: Any
    weighing: Weighing
    is_read: np.ndarray
    reset: int
    ngrams: NgramWeights
    clause_starts: frozenset[int] = frozenset()
    rule: OpinionRule = PLAIN

    def read(self, ids: np.ndarray, lengths: np.ndarray) -> Reading:
        """Read a text: its ids, int64 (tokens,), and how many each sentence holds, int64 (sentences,)."""
        return self.read_all([(ids, lengths)])[0]

    def read_all(self, texts: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[Reading]:
        """Read several texts in one run of the network; each is the ids and lengths of ``read``."""
        read, counts = zip(*(ngram_weights.read_tokens(self.is_read, *text) for text in texts), strict=True)
        ids = [text_ids[one] for (text_ids, _), one in zip(texts, read, strict=True)]
        lengths = np.concatenate(counts)
        states = self._states(np.concatenate(ids), lengths)
        pooled = pool(states, lengths)
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
        both = states.transpose(0, 2, 1, 3)[grid.steps, grid.rows, :, :-GAUGES]
        found: np.ndarray = both.reshape(len(ids), -1)
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


def pool(states: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return maxima and means of each sentence's states, float32 (sentences, pooled).

    :param states: float32 (tokens, states)
    :param lengths: the tokens of each sentence, int64 (sentences,)
    """
    width = states.shape[1]
    pooled = np.empty((len(lengths), 2 * width), dtype=np.float32)
    first = 0
    # numpy's reduceat over all sentences takes twice as long.
    for row, last in zip(pooled, np.cumsum(lengths).tolist(), strict=True):
        np.maximum.reduce(states[first:last], out=row[:width])
        np.add.reduce(states[first:last], out=row[width:])
        first = last
    pooled[:, width:] /= lengths[:, None].astype(np.float32)
    return pooled


def to_network(session: Any) -> SentenceNetwork:
    """Return the network of a loaded session. Raises ValueError, or what ONNX Runtime raises."""
    outputs = {one.name: one.shape for one in session.get_outputs()}
    table = [name for name in (CODES, STEP) if name in outputs]
    names = (*CONSTANTS, UNREAD, RESET, *table)
    constants = dict(zip(names, session.run(names, A_WORD), strict=True))
    weighing = read_weighing(constants)
    hidden, width = len(weighing.polarity_weight) // 4, outputs[STATES][-1]
    if width != hidden + GAUGES:
        raise ValueError(f"the network has {width} states a direction, expected {hidden + GAUGES}")
    return SentenceNetwork(
        session,
        weighing,
        ngram_weights.mask_of(constants[UNREAD]),
        int(constants[RESET][0]),
        NgramWeights(constants[CODES], float(constants[STEP][0])) if table else NO_NGRAMS,
    )


def score_all(
    network: SentenceNetwork,
    calibration: Calibration,
    reviews: Sequence[tuple[list[int], list[int]]],
    explain: str,
    spans: Sequence[Spans | None] | None = None,
) -> Iterator[Score]:
    """Yield the scores of reviews, some of which are read together; see ``score``.

    ``spans`` are the clauses of each review's aspects; None without aspects.
    """
    spans = [None] * len(reviews) if spans is None else spans
    for first in range(0, len(reviews), READ_TOGETHER):
        group = reviews[first : first + READ_TOGETHER]
        texts = [(np.array(ids, dtype=np.int64), np.array(lengths, dtype=np.int64)) for ids, lengths in group]
        plans = [
            None if clauses is None else plan_aspects(network, *text, clauses)
            for text, clauses in zip(texts, spans[first : first + READ_TOGETHER], strict=True)
        ]
        extra = [plan.text for plan in plans if plan is not None and plan.text is not None]
        readings = network.read_all([*texts, *extra])
        others = iter(readings[len(texts) :])
        for (ids, lengths), text, reading, plan in zip(
            group, texts, readings[: len(texts)], plans, strict=True
        ):
            other = None if plan is None or plan.text is None else next(others)
            yield _score(network, calibration, ids, lengths, text, reading, explain, plan, other)


def score(
    network: SentenceNetwork,
    calibration: Calibration,
    ids: list[int],
    lengths: list[int],
    explain: str,
    spans: Spans | None = None,
) -> Score:
    """Return the score of a review: its ids, and how many each sentence holds.

    ``explain`` is "none", "sentences" or "words". The numbers of a coarser explanation do not change.
    ``spans`` are the clauses of its aspects, None without aspects.
    """
    (scored,) = score_all(network, calibration, [(ids, lengths)], explain, [spans])
    return scored


def _score(
    network: SentenceNetwork,
    calibration: Calibration,
    ids: list[int],
    lengths: list[int],
    text: tuple[np.ndarray, np.ndarray],
    reading: Reading,
    explain: str,
    plan: "AspectPlan | None" = None,
    other: Reading | None = None,
) -> Score:
    """Return the score of a review that was read; ``text`` holds its ids and lengths as arrays.

    ``plan`` is that of its aspects, and ``other`` the reading of the plan's text.
    """
    rows, sizes = text
    sentences = network.understand(reading)
    weights = weighing.weights_of(network.weighing, sentences)
    temperature, bias = calibration.at(len(ids), len(lengths))
    contributions = [*map(rounded, (weights * sentences.polarities / temperature).tolist())]
    alone = weighing.contributions_alone(network.weighing, sentences)
    pulls = weighing.pulls_of(network.weighing, reading.states)
    found = build_score(bias, contributions)
    sides = logits_of_parts(network, calibration, rows, lengths, alone)
    found = found._replace(opinion=network.rule.opinion_of(sides, found.logit, rows, pulls))
    if explain == "none" and plan is None:
        return found
    if plan is not None:
        amounts = contributions_of_spans(
            network, reading, sizes, contributions, weights / temperature, plan.spans
        )
        pieces = sentences if other is None else sentences.beside(network.understand(other))
        pulled = _by_sentence(pulls, reading)
        if other is not None:
            pulled += _by_sentence(weighing.pulls_of(network.weighing, other.states), other)
        own = score_aspects(network, calibration, pieces, pulled, plan, amounts)
        found = found._replace(
            aspects=[
                _in_review(aspect, found.logit, len(ids) - _tokens_of(clauses))
                for aspect, clauses in zip(own, plan.spans, strict=True)
            ]
        )
    if explain == "none":
        return found
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
    every = range(len(lengths))
    return [*chain(*split_sentences(network, reading, lengths, contributions, weights, every))]


def split_sentences(
    network: SentenceNetwork,
    reading: Reading,
    lengths: np.ndarray,
    contributions: list[float],
    weights: np.ndarray,
    chosen: Iterable[int],
) -> Iterator[list[float]]:
    """Yield the contributions of the tokens of the chosen sentences; see ``split_into_words``."""
    ends = np.cumsum(lengths)[:-1]
    reads = np.split(reading.read, ends)
    phrases = np.split(ngram_weights.shares(network.ngrams, reading.ngrams, reading.read), ends)
    states = np.split(reading.states, np.cumsum(reading.counts)[:-1])
    for row in chosen:
        split = phrases[row] * weights[row]
        split[reads[row]] += weighing.split_polarity(network.weighing, states[row]) * weights[row]
        yield split_exactly(contributions[row], split.tolist())


class AspectPlan(NamedTuple):
    """Hold what to read for a review's aspects.

    ``texts`` are the clauses of each aspect, and ``parts`` the pieces that its opinion is read from, as ids,
    int64 (tokens,); ``parts`` is None where these are its clauses. ``rows`` says where each piece is read:
    its row among the review's sentences, and after them among those of ``text``, all pieces that are no
    sentence of the review.
    """

    spans: Spans
    texts: list[list[np.ndarray]]
    parts: list[list[np.ndarray] | None]
    rows: dict[bytes, int]
    text: Text | None


def plan_aspects(network: SentenceNetwork, ids: np.ndarray, lengths: np.ndarray, spans: Spans) -> AspectPlan:
    """Return what to read for the aspects of a review, each piece once."""
    sentences = np.split(ids, np.cumsum(lengths)[:-1])
    rows: dict[bytes, int] = {}
    for row, sentence in enumerate(sentences):
        rows.setdefault(sentence.tobytes(), row)
    texts = [[ids[first:last] for first, last in clauses] for clauses in spans]
    parts = [parts_of(network, text) for text in texts]
    new: list[np.ndarray] = []
    for piece in _pieces(texts, parts):
        if piece.tobytes() not in rows:
            rows[piece.tobytes()] = len(sentences) + len(new)
            new.append(piece)
    text = (np.concatenate(new), np.array([len(piece) for piece in new])) if new else None
    return AspectPlan(spans, texts, parts, rows, text)


def _pieces(
    texts: Iterable[list[np.ndarray]], parts: Iterable[list[np.ndarray] | None]
) -> Iterator[np.ndarray]:
    for text, pieces in zip(texts, parts, strict=True):
        yield from text
        yield from pieces or ()


def parts_of(network: SentenceNetwork, texts: list[np.ndarray]) -> list[np.ndarray] | None:
    """Return the clauses of a short review's sentences; None where the sentences are its parts."""
    if len(texts) > SHORT_SENTENCES:
        return None
    parts = [part for text in texts for part in clauses(text, network.clause_starts)]
    return parts if len(parts) > len(texts) else None


def score_aspects(
    network: SentenceNetwork,
    calibration: Calibration,
    read: Sentences,
    pulls: list[np.ndarray],
    plan: AspectPlan,
    amounts: list[list[float]],
) -> list[AspectScore]:
    """Return the own score of each aspect of a review that was read.

    It is that of a review which holds nothing but the aspect's clauses.

    :param read: the review's sentences, and after them those of the plan's own text
    :param pulls: what ``pulls_of`` of weighing.py returns of each of these sentences
    :param amounts: each clause's part of the whole review's logit
    """

    def take(pieces: list[np.ndarray]) -> Sentences:
        return read.take(np.array([plan.rows[piece.tobytes()] for piece in pieces]))

    scores = []
    for pieces, parts, contributions in zip(plan.texts, plan.parts, amounts, strict=True):
        lengths = [len(piece) for piece in pieces]
        sentences = take(pieces)
        temperature, bias = calibration.at(sum(lengths), len(lengths))
        weights = weighing.weights_of(network.weighing, sentences)
        whole = build_score(bias, (weights * sentences.polarities / temperature).tolist())
        pulled = np.concatenate([pulls[plan.rows[piece.tobytes()]] for piece in pieces])
        if parts is not None:
            lengths, sentences = [len(part) for part in parts], take(parts)
        alone = weighing.contributions_alone(network.weighing, sentences)
        opinion = network.rule.opinion_of(
            _logits_alone(calibration, alone, lengths), whole.logit, np.concatenate(pieces), pulled
        )
        scores.append(AspectScore(whole.logit, whole.probability, whole.bias, opinion, contributions))
    return scores


def _by_sentence(pulls: np.ndarray, reading: Reading) -> list[np.ndarray]:
    """Split what weighing.py's ``pulls_of`` returns of a reading into its sentences."""
    return np.split(pulls, np.cumsum(reading.counts)[:-1])


def logit_in_review(logit: float, whole: float, rest: int) -> float:
    """Return the logit of an aspect's clauses within their review, which never makes it stronger.

    A review of the other opinion weakens it, and may turn a weak one.

    :param logit: the clauses' own, as a review that holds nothing else
    :param whole: the review's
    :param rest: the review's other tokens; few say little

    >>> logit_in_review(2.0, -6.0, rest=100), logit_in_review(2.0, 6.0, rest=100)
    (0.5, 2.0)
    """
    moved = logit + WHOLE_SHARE * length_share(max(1, rest)) * whole
    return max(-abs(logit), min(abs(logit), moved))


def _in_review(aspect: AspectScore, whole: float, rest: int) -> AspectScore:
    logit = rounded(logit_in_review(aspect.logit, whole, rest))
    return aspect._replace(logit=logit, probability=rounded(sigmoid(logit)))


def _tokens_of(clauses: Sequence[tuple[int, int]]) -> int:
    return sum(last - first for first, last in clauses)


def contributions_of_spans(
    network: SentenceNetwork,
    reading: Reading,
    lengths: np.ndarray,
    contributions: list[float],
    weights: np.ndarray,
    spans: Spans,
) -> list[list[float]]:
    """Return each clause's part of the whole review's logit: the sum of its tokens' contributions.

    Only sentences that are cut are split into tokens. The other arguments are those of
    ``split_into_words``.
    """
    ends = np.cumsum(lengths)
    starts = ends - lengths
    clauses = [clause for aspect in spans for clause in aspect]
    owners = np.searchsorted(ends, [first for first, _ in clauses], side="right").tolist()
    cut = {
        owner
        for owner, (first, last) in zip(owners, clauses, strict=True)
        if (first, last) != (starts[owner], ends[owner])
    }
    split = dict(
        zip(
            sorted(cut),
            split_sentences(network, reading, lengths, contributions, weights, sorted(cut)),
            strict=True,
        )
    )
    amounts = iter(
        rounded(math.fsum(split[owner][first - starts[owner] : last - starts[owner]]))
        if owner in split
        else contributions[owner]
        for owner, (first, last) in zip(owners, clauses, strict=True)
    )
    return [list(islice(amounts, len(aspect))) for aspect in spans]


def logits_of_parts(
    network: SentenceNetwork, calibration: Calibration, ids: np.ndarray, lengths: list[int], alone: np.ndarray
) -> np.ndarray:
    """Return the logits of sentences as reviews, or of a short review's clauses, float64 (parts,).

    :param ids: int64 (tokens,)
    :param lengths: the tokens of each sentence
    :param alone: the sum of each sentence, float64 (sentences,)
    """
    if len(lengths) <= SHORT_SENTENCES:
        parts = parts_of(network, np.split(ids, np.cumsum(lengths)[:-1]))
        if parts is not None:
            lengths = [len(part) for part in parts]
            alone = weighing.contributions_alone(network.weighing, network.sentences(parts))
    return _logits_alone(calibration, alone, lengths)


def _logits_alone(calibration: Calibration, alone: np.ndarray, lengths: list[int]) -> np.ndarray:
    """Return the logits of parts as reviews of one sentence each, float64 (parts,)."""
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
    temperatures, biases = map(np.array, zip(*sizes, strict=True))
    # The methods, since numpy's functions take twice as long to call.
    contributions = (parts / temperatures[:, None]).round(DECIMALS)
    logits = biases.round(DECIMALS) + contributions.sum(axis=1)
    return rounded_probabilities(logits.tolist())
