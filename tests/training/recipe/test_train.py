"""Training on a tiny corpus: it learns, stops and resumes, follows its seed and SageMaker's variables."""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.support.corpus import ROWS, tiny_corpus, tiny_split
from tests.support.torchrun import in_two_processes
from tests.support.train_tiny import FLAGS
from training.data import corpus as corpora
from training.data.corpus import Split
from training.data.dataset import DataError
from training.recipe import train
from training.recipe.network import Network, Size, Texts
from vocab.vocabulary import BUCKETS

ROOT = Path(__file__).resolve().parents[3]
CPU = torch.device("cpu")
SIZE = Size(ROWS, 8, 8)


def options_of(folder: Path, *flags: str) -> argparse.Namespace:
    return train.parse([*FLAGS, "--model-dir", str(folder), *flags])


def run(folder: Path, *flags: str) -> dict[str, torch.Tensor]:
    """Train a fresh network on the tiny corpus and return the weights that it kept."""
    options = options_of(folder, *flags)
    train.seed_everything(options.seed)
    train.fit(Network(SIZE), tiny_corpus(), options, CPU)
    return load_file(folder / "network.safetensors")


def stop_after(epoch: int, folder: Path, monkeypatch: pytest.MonkeyPatch, *flags: str) -> None:
    """Train, and stop as Ctrl-C does at the sixth of 24 steps in the epoch after ``epoch``."""
    real, steps = train.drop_words, itertools.count()

    def drop_words(*arguments: Any) -> Texts:
        if next(steps) == 24 * epoch + 5:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(train, "drop_words", drop_words)
        with pytest.raises(KeyboardInterrupt):
            run(folder, *flags)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module", autouse=True)
def float32() -> Iterator[None]:
    """Train in float32, as on a CPU without bfloat16: each new shape would be compiled, 0.1 s a time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(train, "uses_bf16", lambda device: False)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, float32: None) -> Path:
    """Return the folder of an uninterrupted run with seed 1."""
    folder = tmp_path_factory.mktemp("trained")
    run(folder)
    return folder


def test_a_run_learns_which_word_praises(trained: Path) -> None:
    network = Network(SIZE)
    network.load_state_dict(load_file(trained / "network.safetensors"))
    unseen = tiny_split(200, 99)
    assert train.score(*train.predict(network, unseen, CPU))["accuracy"] > 0.9


def test_the_loss_falls_from_epoch_to_epoch(trained: Path) -> None:
    history = json.loads((trained / "network.json").read_text())["history"]
    losses = [row["train_loss"] for row in history]
    assert len(losses) == 3
    assert losses == sorted(losses, reverse=True)


def test_the_kept_weights_have_the_best_development_score(trained: Path) -> None:
    card = json.loads((trained / "network.json").read_text())
    scores = [row[kind]["nll"] for row in card["history"] for kind in ("last", "average")]
    assert card["best"]["nll"] == min(scores)
    network = Network(SIZE)
    network.load_state_dict(load_file(trained / "network.safetensors"))
    scores = train.score(*train.predict(network, tiny_corpus().development, CPU))
    assert scores["nll"] == pytest.approx(card["best"]["nll"], abs=1e-5)


def test_a_saved_run_is_weights_and_a_card_and_nothing_else(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == {"network.safetensors", "network.json"}


def test_the_card_tells_size_vocabulary_data_and_options_and_no_path(trained: Path) -> None:
    text = (trained / "network.json").read_text()
    card = json.loads(text)
    assert Network(Size(**card["size"])).size[:-1] == SIZE[:-1] and card["size"]["unread"] == []
    assert (card["vocabulary"], card["archive_sha256"]) == ("f" * 16, "a" * 64)
    assert card["reviews"] == {"train": 96, "development": 40, "unsup": 40}
    assert card["left_out"] == {"train": 1, "unsup": 2}
    assert card["options"]["seed"] == 1
    assert str(trained) not in text


def test_the_same_seed_gives_the_same_weights(trained: Path, tmp_path: Path) -> None:
    assert same(run(tmp_path / "again"), load_file(trained / "network.safetensors"))


def test_another_seed_gives_other_weights(trained: Path, tmp_path: Path) -> None:
    assert not same(run(tmp_path / "other", "--seed", "2"), load_file(trained / "network.safetensors"))


def test_whole_reviews_reach_the_network_as_one_sentence_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Texts] = []
    real = Network.read

    def remembered(network: Network, texts: Texts, *rest: Any) -> Any:
        read.append(texts)
        return real(network, texts, *rest)

    monkeypatch.setattr(Network, "read", remembered)
    run(tmp_path, "--epochs", "1", "--whole-reviews")
    assert len(read) > 3
    assert all((texts.counts == 1).all() for texts in read)


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_run_that_was_stopped_ends_with_the_weights_of_an_uninterrupted_one(
    epoch: int, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stopped"
    stop_after(epoch, folder, monkeypatch)
    assert [path.name for path in folder.iterdir()] == ["checkpoint.pt"]
    assert same(run(folder, "--resume"), load_file(trained / "network.safetensors"))
    assert not (folder / "checkpoint.pt").exists()


def test_a_run_that_was_stopped_within_an_epoch_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "SEGMENT_STEPS", 2)
    expected = run(tmp_path / "whole")
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", -1)
    segments = []

    def train_segment(self: train.Run, *arguments: Any) -> None:
        segments.append(self.done)
        if len(segments) == 3:
            raise KeyboardInterrupt
        original(self, *arguments)

    original = train.Run._train_segment
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(train.Run, "_train_segment", train_segment)
        run(tmp_path / "stopped")
    assert segments[-1] > 0
    capsys.readouterr()
    assert same(run(tmp_path / "stopped", "--resume"), expected)
    assert capsys.readouterr().out.startswith(f"train: going on after epoch 0 and {segments[-1]} steps")


def test_a_resumed_run_trains_only_the_epochs_that_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_after(2, tmp_path, monkeypatch)
    capsys.readouterr()
    run(tmp_path, "--resume")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "train: going on after epoch 2"
    assert [line.split()[1] for line in lines if line.startswith("epoch ")] == ["3", "3"]


def test_without_resume_a_checkpoint_is_not_used(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(1, tmp_path, monkeypatch, "--seed", "2")
    assert same(run(tmp_path), load_file(trained / "network.safetensors"))


def test_resume_without_a_checkpoint_is_a_run_from_the_start(trained: Path, tmp_path: Path) -> None:
    assert same(run(tmp_path, "--resume"), load_file(trained / "network.safetensors"))


def test_a_checkpoint_of_another_vocabulary_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(1, tmp_path, monkeypatch)
    options = options_of(tmp_path, "--resume")
    other = tiny_corpus()._replace(fingerprint="e" * 16)
    with pytest.raises(train.CheckpointError, match="is of a run with other vocabulary; remove it"):
        train.fit(Network(SIZE), other, options, CPU)


def test_a_checkpoint_of_other_options_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(1, tmp_path, monkeypatch)
    with pytest.raises(train.CheckpointError, match="other options"):
        run(tmp_path, "--resume", "--epochs", "7")


def test_a_half_checkpoint_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(1, tmp_path, monkeypatch)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(train.CheckpointError, match="checkpoint.pt can't be read; remove it to start anew"):
        run(tmp_path, "--resume")


def test_a_checkpoint_holds_no_pickled_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(1, tmp_path, monkeypatch)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)  # refuses any class
    assert saved["epoch"] == 1


def test_a_disk_that_is_full_keeps_the_former_network(
    tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run(tmp_path)
    card = (tmp_path / "network.json").read_bytes()
    real, calls = os.fsync, []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 5:  # three checkpoints, then weights and card
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path, "--seed", "2")
    assert same(load_file(tmp_path / "network.safetensors"), before)
    assert (tmp_path / "network.json").read_bytes() == card
    assert {path.name for path in tmp_path.iterdir()} == {
        "network.safetensors",
        "network.json",
        "checkpoint.pt",
    }


def test_it_stops_early_when_the_development_score_no_longer_gets_better(tmp_path: Path) -> None:
    run(tmp_path, "--epochs", "40", "--lr", "0.001", "--patience", "1")
    card = json.loads((tmp_path / "network.json").read_text())
    assert len(card["history"]) == card["best"]["epoch"] + 1 < 40


# --- its parts ----------------------------------------------------------------------------------


def test_a_share_of_the_words_becomes_unknown_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "KEPT_TOKENS", 0)
    texts = train.to_batch(tiny_split(64, 5), np.arange(64), CPU).texts
    dropped = train.drop_words(texts, 0.5, np.random.default_rng(0))
    changed = dropped.ids != texts.ids
    assert 0.4 < changed.float().mean() < 0.6
    assert dropped.ids[changed].min() >= 1
    assert dropped.ids[changed].max() <= BUCKETS
    assert torch.equal(dropped.lengths, texts.lengths)
    assert torch.equal(dropped.counts, texts.counts)


def test_short_texts_keep_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "KEPT_TOKENS", 7)
    split = tiny_split(64, 5)
    texts = train.to_batch(split, np.arange(64), CPU).texts
    changed = train.drop_words(texts, 0.9, np.random.default_rng(0)).ids != texts.ids
    texts_changed = [part.any().item() for part in changed.split([len(ids) for ids in split.ids])]
    assert texts_changed == [len(ids) > 7 for ids in split.ids]
    assert set(texts_changed) == {True, False}


def test_no_word_is_dropped_at_a_share_of_zero() -> None:
    texts = train.to_batch(tiny_split(4, 5), np.arange(4), CPU).texts
    assert torch.equal(train.drop_words(texts, 0.0, np.random.default_rng(0)).ids, texts.ids)


def test_batches_hold_each_review_once_and_similar_lengths_together() -> None:
    split = tiny_split(203, 6)
    batches = train.make_batches(split, 8, np.random.default_rng(0))
    assert sorted(np.concatenate(batches)) == list(range(203))
    spreads = [np.ptp([len(split.ids[row]) for row in rows]) for rows in batches]
    assert np.mean(spreads) < 2
    firsts = [len(split.ids[rows[0]]) for rows in batches]
    assert firsts != sorted(firsts)


def test_another_epoch_has_other_batches() -> None:
    split = tiny_split(64, 6)
    one, other = (train.make_batches(split, 8, np.random.default_rng(seed)) for seed in (0, 1))
    assert [rows.tolist() for rows in one] != [rows.tolist() for rows in other]


def test_a_batch_joins_its_reviews_in_order_without_padding() -> None:
    split = tiny_split(6, 7)
    batch = train.to_batch(split, np.array([4, 1]), CPU)
    assert batch.texts.ids.tolist() == [*split.ids[4], *split.ids[1]]
    assert batch.texts.lengths.tolist() == [*split.lengths[4], *split.lengths[1]]
    assert batch.texts.counts.tolist() == [len(split.lengths[4]), len(split.lengths[1])]
    assert {column.dtype for column in batch.texts} == {torch.int64}
    assert batch.targets.tolist() == [split.labels[4], split.labels[1]]


def test_predictions_stand_in_the_split_s_order() -> None:
    torch.manual_seed(0)
    network, split = Network(SIZE), tiny_split(30, 8)
    together, labels = train.predict(network, split, CPU, batch=7)
    parts = [Split(*(column[row : row + 1] for column in split)) for row in range(len(split))]
    alone = [train.predict(network, part, CPU)[0][0] for part in parts]
    assert np.allclose(together, alone, atol=1e-5)
    assert labels is split.labels


def test_a_score_is_accuracy_and_likelihood() -> None:
    scores = train.score(np.array([2.0, -1.0, 0.5]), np.array([1, 1, 0]))
    assert scores["accuracy"] == pytest.approx(1 / 3)
    expected = np.mean([np.log(1 + np.exp(-2)), np.log(1 + np.exp(1)), np.log(1 + np.exp(0.5))])
    assert scores["nll"] == pytest.approx(expected)


# --- several processes --------------------------------------------------------------------------


def test_two_processes_share_each_batch_and_follow_the_loss_curve_of_one(tmp_path: Path) -> None:
    flags = ["--word-dropout", "0", "--embedding-dropout", "0", "--head-dropout", "0"]
    run(tmp_path / "one", *flags)
    in_two_processes("train_tiny.py", str(tmp_path / "two"), *flags)
    cards = [json.loads((tmp_path / name / "network.json").read_text()) for name in ("one", "two")]
    one, two = ([row["train_loss"] for row in card["history"]] for card in cards)
    assert two == pytest.approx(one, rel=1e-3)
    assert cards[1]["best"]["nll"] == pytest.approx(cards[0]["best"]["nll"], rel=1e-3)
    first, second = (load_file(tmp_path / name / "network.safetensors") for name in ("one", "two"))
    for key, value in first.items():
        assert torch.allclose(value, second[key], atol=1e-3), key
    assert [path.name for path in (tmp_path / "two").iterdir() if "checkpoint" in path.name] == []


# --- SageMaker and the command line -------------------------------------------------------------


def test_sagemaker_s_channel_and_model_folder_are_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_CHANNEL_TRAIN", str(tmp_path))
    monkeypatch.setenv("SM_MODEL_DIR", "/opt/ml/model")
    monkeypatch.setenv("IMDB_ARCHIVE", "/nowhere")
    (tmp_path / "aclImdb_v1.tar.gz").write_bytes(b"")
    options = train.parse([])
    assert options.model_dir == "/opt/ml/model"
    assert train._archive(options) == str(tmp_path / "aclImdb_v1.tar.gz")


def test_a_channel_without_an_archive_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_CHANNEL_TRAIN", str(tmp_path))
    with pytest.raises(DataError, match=f"no .tar.gz in {tmp_path}; put aclImdb_v1.tar.gz there"):
        train._archive(train.parse([]))


def test_on_a_laptop_the_network_goes_to_the_cache_folder(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SM_CHANNEL_TRAIN", raising=False)
    monkeypatch.delenv("SM_MODEL_DIR", raising=False)
    options = train.parse(["--archive", "x.tar.gz"])
    assert options.model_dir == str(cache / "network")
    assert train._archive(options) == "x.tar.gz"


def test_hyperparameters_come_as_sagemaker_sends_them() -> None:
    options = train.parse(["--epochs", "7", "--lr", "0.001", "--lm-epochs", "0.5", "--seed", "3"])
    assert (options.epochs, options.lr, options.lm_epochs, options.seed) == (7, 0.001, 0.5, 3)


def test_a_missing_archive_ends_the_script_with_one_sentence_and_status_1(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "training.recipe.train",
            "--archive",
            "/nowhere.tar.gz",
            "--model-dir",
            str(tmp_path / "m"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("train: no IMDb archive at /nowhere.tar.gz; ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_a_disk_that_is_full_ends_the_script_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpora, "load", lambda archive: tiny_corpus())
    monkeypatch.setattr(train.vocabulary, "load", lambda: argparse.Namespace(size=ROWS, id_of=len))
    monkeypatch.setattr(
        sys,
        "argv",
        ["train.py", "--dry-run", "--embedding", "8", "--hidden", "8", "--model-dir", str(tmp_path / "m")],
    )
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, allowed[1]))
    try:
        with pytest.raises(SystemExit, match=r"^train: a file can't be written or read \(.*goes on where"):
            train.main()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert list((tmp_path / "m").iterdir()) == []


def test_a_dry_run_goes_the_whole_way_without_pretraining(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpora, "load", lambda archive: tiny_corpus())
    monkeypatch.setattr(train.vocabulary, "load", lambda: argparse.Namespace(size=ROWS, id_of=len))
    monkeypatch.setattr(train, "pretrain", lambda *_: pytest.fail("a dry run pretrains nothing"))
    options = train.parse(
        ["--dry-run", "--embedding", "8", "--hidden", "8", "--epochs", "9", "--model-dir", str(tmp_path)]
    )
    assert train.train(options) == tmp_path
    assert len(json.loads((tmp_path / "network.json").read_text())["history"]) == 1


def test_a_whole_run_starts_from_the_pretrained_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import save_file

    monkeypatch.setattr(corpora, "load", lambda archive: tiny_corpus())
    monkeypatch.setattr(train.vocabulary, "load", lambda: argparse.Namespace(size=ROWS, id_of=len))
    weights = {key: value for key, value in Network(SIZE).state_dict().items() if "head" not in key}
    weights["embedding.weight"] = torch.full_like(weights["embedding.weight"], 0.625)
    save_file(weights, tmp_path / "pretrained.safetensors")
    monkeypatch.setattr(train, "pretrain", lambda *_: tmp_path / "pretrained.safetensors")
    started = []
    monkeypatch.setattr(train, "fit", lambda network, *_: started.append(network))
    train.train(train.parse(["--embedding", "8", "--hidden", "8", "--model-dir", str(tmp_path)]))
    assert started[0].embedding.weight.unique().tolist() == [0.625]


def test_a_dry_run_does_not_write_where_a_trained_network_lies(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("VERDICT_CACHE", str(tmp_path))
    monkeypatch.delenv("SM_MODEL_DIR", raising=False)
    assert train.parse(["--dry-run"]).model_dir == str(tmp_path / "dry-run")
    assert train.parse([]).model_dir == str(tmp_path / "network")
