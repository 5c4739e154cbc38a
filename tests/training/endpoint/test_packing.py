"""Sentences in a grid: each token once, resets around each sentence, and the same bits in any company."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.endpoint import inference
from training.endpoint.packing import RESETS, pack, rows_for

RESET = 10_000
sentences = st.lists(st.integers(1, 60), min_size=1, max_size=40)


@given(sentences)
@settings(deadline=None)
def test_each_token_stands_where_the_grid_says_and_all_else_is_a_reset(sizes: list[int]) -> None:
    ids = np.arange(sum(sizes))
    grid = pack(ids, np.array(sizes), RESET)
    assert np.array_equal(grid.ids[grid.steps, grid.rows], ids)
    assert (grid.ids == RESET).sum() + len(ids) == grid.ids.size


@given(sentences)
@settings(deadline=None)
def test_a_sentence_stands_in_one_row_between_resets(sizes: list[int]) -> None:
    grid = pack(np.arange(sum(sizes)), np.array(sizes), RESET)
    ends = np.cumsum(sizes)
    for start, end in zip(ends - sizes, ends, strict=True):
        assert len(set(grid.rows[start:end].tolist())) == 1
        assert np.array_equal(np.diff(grid.steps[start:end]), np.ones(end - start - 1))
        first, last, row = grid.steps[start], grid.steps[end - 1], grid.rows[start]
        assert (grid.ids[first - RESETS : first, row] == RESET).all()
        assert (grid.ids[last + 1 : last + 1 + RESETS, row] == RESET).all()
        assert len(grid.ids) - 1 - last >= RESETS


def test_the_longest_sentence_decides_the_rows_and_many_short_ones_share_some() -> None:
    assert rows_for(total=220, longest=40) == 5
    assert rows_for(total=1200, longest=3) == 34
    assert rows_for(total=3, longest=3) == 1


def test_the_published_network_reads_a_sentence_to_the_same_bits_in_any_company() -> None:
    network = inference.model_fn(inference.MODEL_FOLDER).network
    random = np.random.default_rng(1)
    # Ids of words come by frequency, so the square takes more of the common ones.
    texts = [(random.random(size) ** 2 * 30_000).astype(np.int64) + 2 for size in random.integers(1, 60, 150)]
    alone = [network.read(text, np.array([len(text)])).pooled.tobytes() for text in texts]
    for count in (2, 7, 150):
        order = random.permutation(len(texts))[:count]
        together = [texts[number] for number in order]
        pooled = network.read(np.concatenate(together), np.array([len(text) for text in together])).pooled
        assert [row.tobytes() for row in pooled] == [alone[number] for number in order]
