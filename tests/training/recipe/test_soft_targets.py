"""The teachers' soft targets, stored without the texts and restored with them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from training.data import dataset, sentences
from training.data.dataset import Dataset, Review
from training.recipe import augment, soft_targets
from training.recipe.augment import Examples, SoftTargets
from vocab import vocabulary
from vocab.vocabulary import Vocabulary

REVIEWS = [
    Review(
        f"train/unsup/{n}_0.txt", f"This is film {n}, and it is long. We saw it in part {n}.", -1, 0, "film"
    )
    for n in range(9)
]


@pytest.fixture
def words() -> Vocabulary:
    return vocabulary.load()


@pytest.fixture
def targets(words: Vocabulary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftTargets:
    """Return what distill.py would write for nine reviews, as train.py loads it."""
    data = Dataset([], [], REVIEWS, [], {"train": 0, "unsup": 0})
    monkeypatch.setattr(dataset, "find_archive", lambda path: Path("none"))
    monkeypatch.setattr(dataset, "load", lambda path: data)
    ids = sentences.cut_all(data, words).ids
    rng = np.random.default_rng(0)
    examples = Examples(ids, augment.whole(ids), rng.random(len(ids)).astype(np.float32))
    kinds = [{"name": "an oracle", "weight": 1.0, "development_accuracy": 0.99}]
    path = tmp_path / "distilled.npz"
    augment.save_soft_targets(SoftTargets(rng.random(9).astype(np.float32), examples, kinds), path)
    return augment.load_soft_targets(path)


def test_stored_targets_come_back_bit_for_bit(targets: SoftTargets, tmp_path: Path) -> None:
    soft_targets.store(targets, tmp_path / "stored.npz")
    back = soft_targets.restore(tmp_path / "stored.npz", None)
    assert np.array_equal(back.unsup, targets.unsup)
    assert np.array_equal(back.sentences.targets, targets.sentences.targets)
    assert [ids.tolist() for ids in back.sentences.ids] == [ids.tolist() for ids in targets.sentences.ids]
    for found in (back, targets):
        assert [one.tolist() for one in found.sentences.lengths] == [
            [len(ids)] for ids in targets.sentences.ids
        ]
    assert back.teachers == targets.teachers


def test_the_commands_give_the_very_file_again(
    targets: SoftTargets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flags in (["--store", str(tmp_path / "distilled.npz")], ["--out", str(tmp_path / "again.npz")]):
        monkeypatch.setattr(sys, "argv", ["soft_targets.py", *flags, "--file", str(tmp_path / "stored.npz")])
        soft_targets.main()
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "distilled.npz").read_bytes()


def test_no_text_is_stored(targets: SoftTargets, tmp_path: Path) -> None:
    soft_targets.store(targets, tmp_path / "stored.npz")
    with np.load(tmp_path / "stored.npz", allow_pickle=False) as arrays:
        sizes = {name: arrays[name].size for name in arrays}
    count = len(targets.sentences.ids)
    assert sizes == {"teachers": 1, "unsup_targets": 9, "sentence_targets": count, "sentences_sha256": 1}


def test_targets_of_other_sentences_are_refused(
    targets: SoftTargets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soft_targets.store(targets, tmp_path / "stored.npz")
    monkeypatch.setattr(sentences, "SEED", 2)
    with pytest.raises(soft_targets.TargetsError, match="is of other sentences"):
        soft_targets.restore(tmp_path / "stored.npz", None)


@pytest.mark.parametrize("content", [None, b"no npz", b""])
def test_a_file_that_holds_no_targets_is_one_sentence(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stored.npz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(
        sys, "argv", ["soft_targets.py", "--out", str(tmp_path / "out.npz"), "--file", str(path)]
    )
    with pytest.raises(SystemExit, match=f"^soft_targets: {path} holds no soft targets"):
        soft_targets.main()
    assert not (tmp_path / "out.npz").exists()
