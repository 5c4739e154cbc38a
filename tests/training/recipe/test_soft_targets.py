"""The teachers' answers, kept without the texts and put together with them again."""

import sys
from pathlib import Path

import numpy as np
import pytest

from training.data import dataset, sentences
from training.data.dataset import Dataset, Review
from training.recipe import augment, soft_targets
from training.recipe.augment import Examples, Taught
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
def taught(words: Vocabulary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Taught:
    """What distill.py would write for nine reviews, as it is read back."""
    data = Dataset([], [], REVIEWS, [], {"train": 0, "unsup": 0})
    monkeypatch.setattr(dataset, "find_archive", lambda given: Path("none"))
    monkeypatch.setattr(dataset, "load", lambda path: data)
    ids = sentences.cut_all(data, words).ids
    chance = np.random.default_rng(0)
    answered = Examples(ids, chance.random(len(ids)).astype(np.float32))
    kinds = [{"name": "an oracle", "weight": 1.0, "development_accuracy": 0.99}]
    path = tmp_path / "taught.npz"
    augment.save_taught(Taught(chance.random(9).astype(np.float32), answered, kinds), path)
    return augment.load_taught(path)


def test_what_was_kept_comes_back_bit_for_bit(taught: Taught, tmp_path: Path) -> None:
    soft_targets.keep(taught, tmp_path / "kept.npz")
    back = soft_targets.restore(tmp_path / "kept.npz", None)
    assert np.array_equal(back.unsup, taught.unsup)
    assert np.array_equal(back.sentences.targets, taught.sentences.targets)
    assert [ids.tolist() for ids in back.sentences.ids] == [ids.tolist() for ids in taught.sentences.ids]
    assert back.teachers == taught.teachers


def test_the_commands_give_the_very_file_again(
    taught: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flags in (["--keep", str(tmp_path / "taught.npz")], ["--out", str(tmp_path / "again.npz")]):
        monkeypatch.setattr(sys, "argv", ["soft_targets.py", *flags, "--kept", str(tmp_path / "kept.npz")])
        soft_targets.main()
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "taught.npz").read_bytes()


def test_no_text_is_kept(taught: Taught, tmp_path: Path) -> None:
    soft_targets.keep(taught, tmp_path / "kept.npz")
    with np.load(tmp_path / "kept.npz", allow_pickle=False) as arrays:
        sizes = {name: arrays[name].size for name in arrays}
    count = len(taught.sentences.ids)
    assert sizes == {"teachers": 1, "unsup_targets": 9, "sentence_targets": count, "sentences_sha256": 1}


def test_targets_of_other_sentences_are_refused(
    taught: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soft_targets.keep(taught, tmp_path / "kept.npz")
    monkeypatch.setattr(sentences, "SEED", 2)
    with pytest.raises(soft_targets.TargetsError, match="answers for other sentences"):
        soft_targets.restore(tmp_path / "kept.npz", None)


@pytest.mark.parametrize("content", [None, b"no npz", b""])
def test_a_file_that_holds_no_targets_is_one_sentence(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.npz"
    if content is not None:
        kept.write_bytes(content)
    monkeypatch.setattr(
        sys, "argv", ["soft_targets.py", "--out", str(tmp_path / "out.npz"), "--kept", str(kept)]
    )
    with pytest.raises(SystemExit, match=f"^targets: {kept} holds no kept targets"):
        soft_targets.main()
    assert not (tmp_path / "out.npz").exists()
