"""The old app written anew: what it reads of a review, its network, and that it learns."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.baselines import old_app
from training.baselines.old_app import FIRST_KNOWN, INFREQUENT, MAX_STEMS, VOCABULARY_SIZE
from training.baselines.scorers import BaselineMissing, TrainingSource

OPTIONS = {"embedding": 4, "hidden": 6, "batch": 8, "epochs": 12, "lr": 0.03, "seed": 1}


@pytest.mark.parametrize(
    "review, stems",
    [
        ("This movie is not good!", ["movi", "good"]),
        ("great<br /><br />movie", ["greatmovi"]),
        ("I don't know; isn't it AWFUL?", ["know", "aw"]),
        ("10/10 &amp; caf\u00e9", ["10", "10", "caf"]),
        (" <br> ", []),
    ],
)
def test_it_reads_stems_without_markup_and_stop_words(review: str, stems: list[str]) -> None:
    assert old_app.stems_of(review) == stems


def test_its_stop_words_are_nltk_s_179() -> None:
    words = old_app.stop_words()
    assert len(words) == 179
    assert {"not", "no", "but", "because", "wouldn't"} <= words
    assert not {"never", "without", "good"} & words


def test_its_vocabulary_is_the_most_frequent_stems() -> None:
    known = old_app.build_vocabulary([["b", "a", "b"], ["a", "b", "c"]])
    assert known == {"b": FIRST_KNOWN, "a": FIRST_KNOWN + 1, "c": FIRST_KNOWN + 2}


def test_its_vocabulary_has_5000_ids_with_those_of_nothing_and_of_infrequent_stems() -> None:
    known = old_app.build_vocabulary([[f"w{number}" for number in range(6000)]])
    assert len(known) == 4998
    assert max(known.values()) == VOCABULARY_SIZE - 1


def test_the_first_500_stems_are_read_and_infrequent_ones_share_an_id() -> None:
    ids = old_app.encode(["a", "rare"] * 300, {"a": 7})
    assert len(ids) == MAX_STEMS
    assert ids[:4].tolist() == [7, INFREQUENT, 7, INFREQUENT]


def reviews(count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return reviews of 1 to 9 ids, and one without ids. Label 1 holds the id 2, label 0 the id 3."""
    chance = np.random.default_rng(0)
    labels = np.arange(count) % 2
    ids = [chance.integers(4, 20, chance.integers(1, 10)) for _ in labels]
    for one, label in zip(ids, labels, strict=True):
        one[chance.integers(len(one))] = 2 if label else 3
    return [*ids, np.array([], dtype=np.int64)], np.append(labels, 1)


def test_it_learns_which_word_praises() -> None:
    ids, labels = reviews(80)
    weights = old_app.fit(ids, labels, OPTIONS)
    probability = old_app._scorer(weights, OPTIONS)
    right = [(probability(one) >= 0.5) == bool(label) for one, label in zip(ids, labels, strict=True)]
    assert sum(right) / len(right) > 0.95
    assert probability(ids[-1]) == 0.5


def test_a_review_s_answer_is_the_same_alone_and_in_a_batch() -> None:
    import torch

    ids, labels = reviews(10)
    weights = old_app.fit(ids, labels, {**OPTIONS, "epochs": 1})
    network = old_app._network(OPTIONS)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    with torch.inference_mode():
        together = torch.sigmoid(old_app._logits(network, ids[:10])).numpy()
    alone = [old_app._scorer(weights, OPTIONS)(one) for one in ids[:10]]
    assert together == pytest.approx(alone, abs=1e-6)


def test_the_same_seed_gives_the_same_weights() -> None:
    ids, labels = reviews(20)
    first, second = (old_app.fit(ids, labels, {**OPTIONS, "epochs": 1}) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_kept_one_answers_as_it_did(make_archive: Callable[..., Path]) -> None:
    texts = ["The train pos film.", "The neg one.", ""]
    source = TrainingSource(make_archive(), limit=6)
    first = old_app.old_app(source).score(texts)
    assert first == old_app.old_app(source).score(texts)
    assert first[2] == 0.5


def test_without_torch_it_says_what_to_install(
    make_archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(
        BaselineMissing, match="^the old app needs torch: pip install -r requirements/baselines.txt"
    ):
        old_app.old_app(TrainingSource(make_archive()))
