"""Weights of n-grams: they stay within a sentence, add up, and go to the words that are read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.endpoint import ngram_weights
from training.endpoint.ngram_weights import NONE, Found, NgramWeights

COLUMNS = 1 << 10
IDS = 40
UNREAD = (3, 7)
TABLE = ngram_weights.to_codes(np.random.default_rng(5).normal(size=COLUMNS))
MASK = ngram_weights.mask_of(UNREAD)
texts = st.lists(st.lists(st.integers(1, IDS - 1), min_size=1, max_size=8), min_size=1, max_size=6)


def found_in(sentences: list[list[int]], columns: int = COLUMNS) -> tuple[Found, np.ndarray]:
    """Return a text's n-grams, and which of its tokens are read."""
    ids, lengths = np.concatenate(sentences), np.array([len(one) for one in sentences])
    read, _ = ngram_weights.read_tokens(MASK, ids, lengths)
    return ngram_weights.find(ids, lengths, read, columns), read


def sums_of(sentences: list[list[int]], table: NgramWeights = TABLE) -> np.ndarray:
    found, _ = found_in(sentences, len(table.codes))
    return ngram_weights.sums(table, found, len(sentences))


@given(texts)
@settings(deadline=None)
def test_a_sentence_has_the_same_sum_to_the_bit_alone_and_among_others(sentences: list[list[int]]) -> None:
    alone = [sums_of([sentence])[0] for sentence in sentences]
    assert sums_of(sentences).tolist() == alone


@given(texts)
@settings(deadline=None)
def test_the_shares_of_its_tokens_add_up_to_a_sentence_s_sum(sentences: list[list[int]]) -> None:
    found, read = found_in(sentences)
    shares = ngram_weights.shares(TABLE, found, read)
    parts = np.split(shares, np.cumsum([len(one) for one in sentences])[:-1])
    assert np.allclose([part.sum() for part in parts], sums_of(sentences))
    assert not shares[~read].any()


def test_words_pairs_and_triples_count() -> None:
    found, _ = found_in([[11, 12, 13]])
    assert found.lengths.tolist() == [1, 1, 1, 2, 2, 3]
    assert found.starts.tolist() == [0, 1, 2, 0, 1, 0]
    assert len({*found.columns.tolist()}) == 6


def test_the_order_of_words_makes_another_pair() -> None:
    assert sums_of([[11, 12]])[0] != sums_of([[12, 11]])[0]


def test_a_pair_that_is_read_in_part_goes_to_the_word_that_is_read() -> None:
    found, read = found_in([[11, 3]])
    shares = ngram_weights.shares(TABLE, found, read)
    word, pair = TABLE.of(found.columns)
    assert found.lengths.tolist() == [1, 2]
    assert shares.tolist() == pytest.approx([word + pair, 0.0])


def test_tokens_that_are_never_read_count_only_where_a_sentence_has_no_others() -> None:
    inside, _ = found_in([[11, 3, 7, 12]])
    assert (3, 7) not in {(int(start), int(size)) for start, size in zip(*inside[:2], strict=True)}
    assert [(int(at), int(size)) for at, size in zip(*inside[:2], strict=True) if size == 2] == [
        (0, 2), (2, 2),
    ]  # fmt: skip
    whole, read = found_in([[3, 7]])
    assert read.all() and len(whole.starts) == 3


def test_without_a_table_nothing_is_added() -> None:
    sentences = [[11, 12], [13]]
    found, read = found_in(sentences, len(NONE.codes))
    assert ngram_weights.sums(NONE, found, 2).tolist() == [0.0, 0.0]
    assert ngram_weights.shares(NONE, found, read).tolist() == [0.0] * 3


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=64))
def test_codes_keep_signs_and_are_near_their_weights(values: list[float]) -> None:
    weights = np.array(values)
    table = ngram_weights.to_codes(weights)
    back, most = table.of(np.arange(len(weights))), np.abs(weights).max()
    assert (back * weights >= 0).all()
    assert (np.abs(back - weights) <= np.sqrt(np.abs(weights) * most) / 127 + most / 127**2 + 1e-12).all()
