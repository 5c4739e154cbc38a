"""The n-grams' correction: it mends what network and n-gram model get wrong together, and nothing else."""

import numpy as np
import pytest
import scipy.sparse as sparse
import torch

from tests.support.model import random_network
from training.recipe import ngram_residual, ngrams
from training.recipe.augment import Examples, whole
from training.recipe.ngram_residual import Rows
from training.recipe.train import to_texts

COLUMNS = 256


def examples(count: int, seed: int = 0) -> Examples:
    """Return texts of two sentences, of 2 and 5 tokens."""
    rng = np.random.default_rng(seed)
    ids = [rng.integers(1, 60, 7).astype(np.int32) for _ in range(count)]
    lengths = [np.array([2, 5], dtype=np.int32)] * count
    return Examples(ids, lengths, rng.random(count).astype(np.float32))


def rows(count: int, seed: int, told: np.ndarray, columns: int = 40) -> Rows:
    """Return texts of random n-grams. Their network knows nothing; ``told`` are the true weights."""
    counts = sparse.random(count, columns, 0.2, "csr", np.float32, random_state=seed)
    targets = (counts @ told > 0).astype(np.float32)
    return Rows(counts, np.zeros(count, dtype=np.float32), targets)


def test_a_row_s_logit_is_the_network_s_own() -> None:
    network = random_network(60)
    texts = examples(40)
    made = ngram_residual.rows_of(network, texts, COLUMNS)
    one = Examples(texts.ids[:1], texts.lengths[:1], texts.targets[:1])
    alone = ngram_residual.rows_of(network, one, COLUMNS)
    assert made.counts.shape == (40, COLUMNS)
    assert made.logits[0] == pytest.approx(alone.logits[0], abs=1e-5)
    assert made.targets is texts.targets


def test_counts_times_weights_are_what_the_n_grams_add_to_the_logit() -> None:
    plain, joined = random_network(60), random_network(60, ngrams=COLUMNS)
    texts = examples(30)
    before = ngram_residual.rows_of(plain, texts, COLUMNS)
    after = ngram_residual.rows_of(joined, texts, COLUMNS)
    table = joined.ngrams.of(np.arange(COLUMNS))
    assert before.logits + before.counts @ table == pytest.approx(after.logits, abs=1e-4)


def test_a_fit_finds_the_weights_that_the_network_lacks() -> None:
    told = np.random.default_rng(1).normal(size=40).astype(np.float32)
    found = ngram_residual.fit([rows(600, 2, told)], np.ones(40, dtype=np.float32), penalty=0.1)
    unseen = rows(300, 3, told)
    assert ((unseen.counts @ found > 0) == unseen.targets).mean() > 0.9


def test_a_column_without_scale_keeps_a_weight_of_nothing() -> None:
    told = np.random.default_rng(1).normal(size=40).astype(np.float32)
    scale = np.ones(40, dtype=np.float32)
    scale[7] = 0
    assert ngram_residual.fit([rows(200, 2, told)], scale, penalty=0.1)[7] == 0


def test_a_review_is_judged_by_the_half_that_never_saw_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = np.random.default_rng(1).normal(size=40).astype(np.float32)
    reviews, seen = rows(10, 2, told), []
    model = ngrams.Part(told, (np.zeros(40, dtype=np.float32), 2 * told))
    monkeypatch.setattr(ngram_residual, "fit", lambda rows, scale: seen.extend(rows) or 0 * scale)
    weights = ngram_residual.correct(model, reviews, [rows(5, 3, told)])
    strength = ngram_residual.STRENGTH
    assert np.array_equal(seen[0].logits[::2], np.zeros(5))
    assert seen[0].logits[1::2] == pytest.approx(strength * 2 * (reviews.counts @ told)[1::2])
    assert seen[1].logits == pytest.approx(strength * (rows(5, 3, told).counts @ told))
    assert weights == pytest.approx(strength * told)


def test_a_correction_undoes_a_weight_that_single_sentences_contradict() -> None:
    told = np.zeros(40, dtype=np.float32)
    told[0] = 0.2  # the n-gram model says that column 0 praises
    sentences = Rows(
        sparse.csr_matrix(np.eye(40, dtype=np.float32)[[0] * 50]),
        np.zeros(50, np.float32),
        np.zeros(50, np.float32),
    )
    reviews = rows(60, 2, np.random.default_rng(1).normal(size=40).astype(np.float32))
    model = ngrams.Part(told, (told, told))
    assert ngram_residual.correct(model, reviews, [sentences])[0] < ngram_residual.STRENGTH * told[0]


def test_every_n_gram_of_a_single_sentence_counts_by_its_weight() -> None:
    network, ids = random_network(60), [np.array([20, 21, 22], dtype=np.int32)]
    made = ngram_residual.rows_of(network, Examples(ids, whole(ids), np.ones(1, np.float32)), COLUMNS)
    weight = network.read(to_texts(ids, whole(ids), torch.device("cpu"))).weights.item()
    assert made.counts.sum() == pytest.approx(6 * weight)
