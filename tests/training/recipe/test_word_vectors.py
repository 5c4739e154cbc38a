"""Joined word vectors: what is stored, which rows change, and that both kinds take part."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from training.recipe import pretrain, word_vectors
from vocab import vocabulary

WORDS, WIDTH = 400, 16


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def stored(path: Path, stems: list[str], vectors: np.ndarray) -> Path:
    scales = np.arange(1, vectors.shape[1] + 1, dtype=np.float32)
    save_file({"vectors": vectors, "scales": scales}, path, metadata={"stems": "\n".join(stems)})
    return path


def gram(vectors: np.ndarray) -> np.ndarray:
    """Return the products of all pairs of centred rows: they don't depend on the axes."""
    centred = vectors - vectors.mean(axis=0)
    return centred @ centred.T


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(gram(one).ravel(), gram(other).ravel())[0, 1])


# --- what is stored -----------------------------------------------------------------------------


def test_nearly_every_stem_of_the_vocabulary_is_stored() -> None:
    words = vocabulary.load()
    table = word_vectors.load(words.stems, words.size)
    assert table.shape == (words.size, word_vectors.COMPONENTS)
    has_vector = table.any(axis=1)
    assert has_vector[vocabulary.FIRST_KNOWN_ID :].mean() > 0.99
    assert not has_vector[: vocabulary.FIRST_KNOWN_ID].any()


def test_alike_words_have_alike_vectors() -> None:
    words = vocabulary.load()
    table = word_vectors.load(words.stems, words.size)
    units = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)

    def cosine(one: str, other: str) -> float:
        return float(units[words.id_of(one)] @ units[words.id_of(other)])

    assert cosine("riveting", "gripping") > 0.6
    assert cosine("riveting", "gripping") > cosine("riveting", "tedious") + 0.2
    assert cosine("riveting", "gripping") > cosine("riveting", "tuesday") + 0.3


def test_vectors_go_to_the_rows_of_their_stems(tmp_path: Path) -> None:
    path = stored(tmp_path / "x.safetensors", ["a", "b", "c"], np.array([[1, 2], [3, 4], [5, 6]], np.int8))
    table = word_vectors.load({"c": 1, "a": 3, "other": 2, "b": 9}, 4, path)
    assert table.tolist() == [[0, 0], [5, 12], [0, 0], [1, 4]]
    assert table.dtype == np.float32


# --- joining ------------------------------------------------------------------------------------


def test_both_kinds_take_part_and_mpnet_s_by_the_larger_share(rng: np.random.Generator) -> None:
    skip_gram, mpnet = (rng.normal(size=(WORDS, width)).astype(np.float32) for width in (WIDTH, 4))
    joined = word_vectors.join(skip_gram * 3, mpnet / 9, np.ones(WORDS, int))
    assert (joined.shape, joined.dtype) == (skip_gram.shape, np.float32)
    assert 0.2 < likeness(joined, skip_gram) < likeness(joined, mpnet)


def test_without_a_vector_of_mpnet_s_the_neighbours_stay(rng: np.random.Generator) -> None:
    skip_gram = rng.normal(size=(WORDS, WIDTH)).astype(np.float32)
    joined = word_vectors.join(skip_gram, np.zeros((WORDS, 4), np.float32), np.ones(WORDS, int))
    assert likeness(joined, skip_gram) > 0.999


def test_components_are_those_of_the_frequent_words(rng: np.random.Generator) -> None:
    counts = np.where(np.arange(WORDS) < WORDS // 2, 10_000, 1)
    vectors = np.zeros((WORDS, 2), np.float32)
    vectors[: WORDS // 2, 0] = rng.normal(size=WORDS // 2)
    vectors[WORDS // 2 :, 1] = 3 * rng.normal(size=WORDS - WORDS // 2)
    first = word_vectors.principal(vectors, word_vectors.weights_of(counts), 1)
    rare = word_vectors.principal(vectors, word_vectors.weights_of(np.ones(WORDS, int)), 1)
    assert np.abs(first[: WORDS // 2]).sum() > 0.99 * np.abs(vectors[:, 0]).sum()
    assert np.abs(rare[WORDS // 2 :]).sum() > 0.99 * np.abs(vectors[:, 1]).sum()


def test_no_word_weighs_more_than_a_few_times_the_mean() -> None:
    weights = word_vectors.weights_of(np.array([1] * 99 + [10**8]))
    assert weights.max() == word_vectors.MOST_WEIGHT
    assert word_vectors.weights_of(np.array([1, 4])).tolist() == pytest.approx([2 / 3, 4 / 3])


def test_words_that_never_occur_keep_their_rows_and_the_others_the_table_s_spread() -> None:
    words = vocabulary.load()
    ids = np.arange(vocabulary.FIRST_KNOWN_ID, vocabulary.FIRST_KNOWN_ID + 300, dtype=np.int32)
    table = torch.randn(words.size, 8, generator=torch.manual_seed(0))
    joined = pretrain.join_vectors(table, [ids, ids[:9]], words)
    changed = (joined != table).any(dim=1)
    assert changed.nonzero().flatten().tolist() == ids.tolist()
    assert joined[changed].std().item() == pytest.approx(pretrain.TABLE_STD)
