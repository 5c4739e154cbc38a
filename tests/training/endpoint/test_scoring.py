"""A review's score: what is left out is asked for without it, and everything adds up."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from tests.support.model import UNREAD, random_network
from training.endpoint import inference, scoring
from training.endpoint.calibration import Calibration
from training.endpoint.ngram_weights import NONE
from training.endpoint.packing import GAUGES
from training.endpoint.scoring import MEASURED_WORDS, SentenceNetwork
from training.recipe import export
from vocab.messages import Score, rounded

ROWS = 50
CALIBRATION = Calibration(1.5, 1.25, 0.25)
reviews = st.lists(st.integers(1, 15), min_size=1, max_size=9)
seeds = st.integers(0, 1000)


@pytest.fixture(scope="module")
def network() -> SentenceNetwork:
    made = random_network(ROWS, seed=4, ngrams=256)
    return inference.load_network(export.to_onnx(made).SerializeToString(), Path())


def ids_of(lengths: list[int], seed: int = 0) -> list[int]:
    ids: list[int] = np.random.default_rng(seed).integers(1, ROWS, sum(lengths)).tolist()
    return ids


def ask(network: SentenceNetwork, ids: list[int], lengths: list[int], explain: str = "none") -> Score:
    return scoring.score(network, CALIBRATION, ids, lengths, explain)


def spans(lengths: list[int]) -> list[tuple[int, int]]:
    """Return the first id of each sentence, and the first after it."""
    ends = np.cumsum(lengths).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def without_word(ids: list[int], lengths: list[int], index: int) -> tuple[list[int], list[int]]:
    """Return a review without a token; a sentence that loses its only one is gone too."""
    shorter = [
        length - (start <= index < end) for length, (start, end) in zip(lengths, spans(lengths), strict=True)
    ]
    return ids[:index] + ids[index + 1 :], [length for length in shorter if length]


# --- the logit ----------------------------------------------------------------------------------


@given(reviews, seeds)
@settings(max_examples=30, deadline=None)
def test_no_explanation_changes_what_a_coarser_one_says(
    network: SentenceNetwork, lengths: list[int], seed: int
) -> None:
    ids = ids_of(lengths, seed)
    none, sentences, words = (ask(network, ids, lengths, level) for level in ("none", "sentences", "words"))
    assert none == sentences._replace(sentences=None) == words._replace(sentences=None, words=None)
    assert sentences == words._replace(words=None)
    assert (none.sentences, sentences.words) == (None, None)


@given(reviews, seeds)
@settings(max_examples=30, deadline=None)
def test_bias_and_sentences_add_up_to_the_logit_to_the_last_decimal(
    network: SentenceNetwork, lengths: list[int], seed: int
) -> None:
    found = ask(network, ids_of(lengths, seed), lengths, "sentences")
    parts = [sentence.contribution for sentence in found.sentences or []]
    assert len(parts) == len(lengths)
    assert rounded(math.fsum([found.bias, *parts])) == found.logit
    assert found.bias == rounded(CALIBRATION.at(sum(lengths), len(lengths))[1])


# --- sentences ----------------------------------------------------------------------------------


@given(reviews, seeds)
@settings(max_examples=30, deadline=None)
def test_alone_is_the_answer_to_the_sentence_by_itself(
    network: SentenceNetwork, lengths: list[int], seed: int
) -> None:
    ids = ids_of(lengths, seed)
    found = ask(network, ids, lengths, "sentences")
    for sentence, (start, end) in zip(found.sentences or [], spans(lengths), strict=True):
        assert sentence.alone == ask(network, ids[start:end], [end - start]).probability
        assert (sentence.alone - 0.5) * sentence.contribution >= 0


@given(reviews.filter(lambda lengths: len(lengths) > 1), seeds)
@settings(max_examples=30, deadline=None)
def test_without_is_the_answer_to_the_rest(network: SentenceNetwork, lengths: list[int], seed: int) -> None:
    ids = ids_of(lengths, seed)
    found = ask(network, ids, lengths, "sentences")
    for place, (start, end) in enumerate(spans(lengths)):
        rest = ask(network, ids[:start] + ids[end:], lengths[:place] + lengths[place + 1 :])
        assert (found.sentences or [])[place].without == rest.probability


def test_nothing_is_left_without_the_only_sentence(network: SentenceNetwork) -> None:
    found = ask(network, ids_of([7]), [7], "sentences")
    assert [(one.alone, one.without) for one in found.sentences or []] == [(found.probability, None)]


@given(reviews, seeds)
@settings(max_examples=30, deadline=None)
def test_a_contribution_has_the_sign_of_the_sentence_s_polarity(
    network: SentenceNetwork, lengths: list[int], seed: int
) -> None:
    ids = ids_of(lengths, seed)
    polarities = network.sentences([np.array(ids[start:end]) for start, end in spans(lengths)]).polarities
    for sentence, polarity in zip(
        ask(network, ids, lengths, "sentences").sentences or [], polarities, strict=True
    ):
        assert sentence.contribution * polarity >= 0
        assert abs(polarity) < 1e-4 or sentence.contribution != 0


def test_a_sentence_keeps_its_sign_and_alone_among_any_others(network: SentenceNetwork) -> None:
    own = ids_of([6], seed=1)
    alone = ask(network, own, [6], "sentences").sentences or []
    for seed in range(20):
        rest = ids_of([5, 5, 5], seed=seed)
        inside = (ask(network, rest[:10] + own + rest[10:], [5, 5, 6, 5], "sentences").sentences or [])[2]
        assert inside.alone == alone[0].alone
        assert inside.contribution * alone[0].contribution > 0


# --- words --------------------------------------------------------------------------------------


@given(reviews, seeds)
@settings(max_examples=30, deadline=None)
def test_words_add_up_to_their_sentence_and_to_the_logit(
    network: SentenceNetwork, lengths: list[int], seed: int
) -> None:
    found = ask(network, ids_of(lengths, seed), lengths, "words")
    assert found.words and found.sentences
    contributions = found.words.contributions
    assert len(contributions) == len(found.words.effects) == sum(lengths)
    assert rounded(math.fsum([found.bias, *contributions])) == found.logit
    for sentence, (start, end) in zip(found.sentences, spans(lengths), strict=True):
        assert rounded(math.fsum(contributions[start:end])) == sentence.contribution


@given(reviews, seeds)
@settings(max_examples=20, deadline=None)
def test_an_effect_is_the_fall_of_the_logit_without_the_word(
    network: SentenceNetwork, lengths: list[int], seed: int
) -> None:
    ids = ids_of(lengths, seed)
    found = ask(network, ids, lengths, "words")
    assert found.words
    for index, effect in enumerate(found.words.effects):
        rest, shorter = without_word(ids, lengths, index)
        if effect is not None and rest:
            expected = found.logit - ask(network, rest, shorter).logit
            assert effect == pytest.approx(expected, abs=1e-6 * (len(lengths) + 1))


def test_the_only_word_of_a_sentence_takes_the_sentence_with_it(network: SentenceNetwork) -> None:
    lengths = [5, 1, 4]
    ids = ids_of(lengths)
    found = ask(network, ids, lengths, "words")
    rest = ask(network, ids[:5] + ids[6:], [5, 4])
    assert found.words and found.words.effects[5] == pytest.approx(found.logit - rest.logit, abs=4e-6)


def test_the_only_word_of_a_review_leaves_the_bias(network: SentenceNetwork) -> None:
    found = ask(network, [7], [1], "words")
    assert found.words and found.sentences
    assert found.words.contributions == [found.sentences[0].contribution]
    assert found.words.effects == [rounded(found.logit - found.bias)]


def test_the_words_with_the_largest_contributions_are_measured(network: SentenceNetwork) -> None:
    lengths = [20, 30, 10]
    found = ask(network, ids_of(lengths), lengths, "words")
    assert found.words
    sizes = np.abs(found.words.contributions)
    measured = np.array([effect is not None for effect in found.words.effects])
    assert measured.sum() == MEASURED_WORDS
    assert sizes[measured].min() >= sizes[~measured].max()


def test_an_unread_word_adds_nothing(network: SentenceNetwork) -> None:
    first, second = UNREAD
    ids, lengths = [9, first, 8, 5, second, 4], [4, 2]
    score = ask(network, ids, lengths, "words")
    assert score.words and score.sentences
    assert [score.words.contributions[index] for index in (1, 4)] == [0.0, 0.0]
    network = network._replace(ngrams=NONE)  # its neighbours are pairs without it
    score = ask(network, ids, lengths, "sentences")
    plain = ask(network, [9, 8, 5, 4], [3, 1], "sentences")
    parts = [one.contribution * CALIBRATION.at(6, 2)[0] for one in score.sentences or []]
    others = [one.contribution * CALIBRATION.at(4, 2)[0] for one in plain.sentences or []]
    assert parts == pytest.approx(others, abs=1e-5)


def test_a_package_of_before_the_list_of_unread_words_is_refused() -> None:
    model = export.to_onnx(random_network(ROWS, seed=4))
    (output,) = [one for one in model.graph.output if one.name == scoring.UNREAD]
    model.graph.output.remove(output)
    with pytest.raises(inference.ModelFilesError, match="may be of an older version"):
        inference.load_network(model.SerializeToString(), Path())


def test_a_package_whose_states_hold_no_gauge_is_refused() -> None:
    model = export.to_onnx(random_network(ROWS, seed=4))
    # All its states mean something, as in the packages of before.
    for tensor in model.graph.initializer:
        if tensor.name in ("polarity_weight_constant", "see_weight_constant"):
            value = numpy_helper.to_array(tensor)
            padding = [(0, 4 * GAUGES), *[(0, 0)] * (value.ndim - 1)]
            tensor.CopyFrom(numpy_helper.from_array(np.pad(value, padding), tensor.name))
    for output in model.graph.output:
        if output.name in ("polarity_weight", "see_weight"):
            output.type.tensor_type.shape.dim[0].dim_value += 4 * GAUGES
    with pytest.raises(inference.ModelFilesError, match="may be of an older version"):
        inference.load_network(model.SerializeToString(), Path())


def test_all_words_of_a_short_review_are_measured(network: SentenceNetwork) -> None:
    lengths = [MEASURED_WORDS - 3, 3]
    found = ask(network, ids_of(lengths), lengths, "words")
    assert found.words and None not in found.words.effects


# --- aspects in their review --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "whole", "rest", "logit"),
    [
        (2.0, 8.0, 200, 2.0),  # a review of the same opinion adds nothing
        (2.0, -4.0, 200, 1.0),
        (0.5, -4.0, 200, -0.5),  # turned, and no stronger than before
        (0.5, -40.0, 200, -0.5),
        (2.0, -4.0, 8, 2.0),  # a few words more say nothing
        (2.0, -4.0, 0, 2.0),
        (0.0, -4.0, 200, 0.0),
    ],
)
def test_a_review_weakens_or_turns_an_aspect_and_never_strengthens_it(
    own: float, whole: float, rest: int, logit: float
) -> None:
    assert scoring.logit_in_review(own, whole, rest) == pytest.approx(logit)
    assert scoring.logit_in_review(-own, -whole, rest) == pytest.approx(-logit)


def test_an_aspect_is_that_of_its_clauses_within_their_review(network: SentenceNetwork) -> None:
    lengths = [9, 60, 60]
    ids = ids_of(lengths)
    found = scoring.score(network, CALIBRATION, ids, lengths, "none", [[(0, 5)], [(2, 9), (9, 69)]])
    assert found.aspects
    for aspect, clauses in zip(found.aspects, ([(0, 5)], [(2, 9), (9, 69)]), strict=True):
        own = [one for first, last in clauses for one in ids[first:last]]
        alone = ask(network, own, [last - first for first, last in clauses])
        logit = rounded(scoring.logit_in_review(alone.logit, found.logit, len(ids) - len(own)))
        assert aspect.logit == pytest.approx(logit, abs=2e-6)
        assert aspect.probability == pytest.approx(1 / (1 + math.exp(-logit)), abs=2e-6)


# --- at the ends --------------------------------------------------------------------------------


def test_a_review_of_400_one_token_sentences_is_explained(network: SentenceNetwork) -> None:
    lengths = [1] * 400
    ids = ids_of(lengths)
    found = ask(network, ids, lengths, "words")
    assert found.words and found.sentences
    assert found.words.contributions == [sentence.contribution for sentence in found.sentences]
    assert found.sentences[399].without == ask(network, ids[:-1], lengths[:-1]).probability


def test_the_same_review_has_the_same_score_again(network: SentenceNetwork) -> None:
    lengths = [9, 4, 1]
    first, again = (ask(network, ids_of(lengths), lengths, "words") for _ in range(2))
    assert first == again
