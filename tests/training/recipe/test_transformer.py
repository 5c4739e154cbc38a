"""The fine-tuned transformer: what it reads, that it learns, and that a stopped run resumes."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.support import transformer_tiny
from tests.support.torchrun import in_two_processes
from training.data import dataset
from training.recipe import transformer
from training.recipe.transformer import HEAD_PIECES, TAIL_PIECES, Transformer, TransformerError
from training.recipe.workers import ALONE

CPU = torch.device("cpu")
FAST = ("--lr", "0.03", "--epochs", "3")


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the tiny encoder and the short reviews in a test."""
    for module, name in ((dataset, "find_archive"), (dataset, "load")):
        monkeypatch.setattr(module, name, getattr(module, name))
    for name in ("encoder", "uses_bf16", "DROPOUT", "BATCH"):
        monkeypatch.setattr(transformer, name, getattr(transformer, name))
    (tmp_path / "archive").write_bytes(b"an archive")
    transformer_tiny.put_in_place(tmp_path / "archive")


def fine_tune(out: Path, *flags: str) -> dict[str, Any]:
    """Fine-tune in one process; return the card."""
    transformer.fine_tune(transformer.parse(["--out", str(out), *FAST, *flags]), ALONE, CPU)
    return dict(json.loads((out / "transformer.json").read_text()))


# --- what it reads ------------------------------------------------------------------------------


def test_a_long_review_gives_its_head_and_its_tail() -> None:
    short, long = transformer.pieces(
        ["Good film.", "first " * 300 + "middle " * 300 + "last " * 300], transformer.pretrained_folder()
    )
    assert len(short) == 5  # with the marks of the beginning and of the end
    assert len(long) == HEAD_PIECES + TAIL_PIECES
    assert (long[0], long[-1]) == (short[0], short[-1])
    assert len(set(long[1:HEAD_PIECES].tolist())) == len(set(long[HEAD_PIECES:-1].tolist())) == 1
    assert long[1] != long[-2]


def test_markup_is_not_read() -> None:
    one, other = transformer.pieces(
        ["A <i>good</i> film<br />", "A good film"], transformer.pretrained_folder()
    )
    assert one.tolist() == other.tolist()


def test_padding_and_order_change_nothing() -> None:
    model = Transformer(transformer_tiny.tiny_encoder())
    texts = ["Good.", "A very long and winding sentence about nothing much.", "Not good at all."]
    encoded = transformer.pieces(texts, transformer.pretrained_folder())
    together = transformer.logits(model, encoded, CPU)
    alone = [transformer.logits(model, [one], CPU)[0] for one in encoded]
    assert together.dtype == np.float32
    assert np.allclose(together, alone, atol=1e-5)
    assert len(set(together.tolist())) == 3


# --- training -----------------------------------------------------------------------------------


def test_it_learns_and_is_read_back(tmp_path: Path) -> None:
    card = fine_tune(tmp_path / "out")
    assert card["history"][-1]["accuracy"] == 1.0
    assert card["weights_sha256"] == transformer.WEIGHTS_SHA256
    assert card["options"] == {"epochs": 3, "lr": 0.03, "seed": 1, "dry_run": False}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "transformer.json",
        "transformer.safetensors",
    ]
    model = transformer.load(tmp_path / "out")
    encoded = transformer.pieces(
        ["The film is superb.", "The film is awful."], transformer.pretrained_folder()
    )
    good, bad = transformer.logits(model, encoded, CPU)
    assert good > 0 > bad


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fine_tune(tmp_path / "whole")
    make_batches, calls = transformer.make_batches, []

    def stop_at_the_second(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return make_batches(*arguments)

    monkeypatch.setattr(transformer, "make_batches", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(tmp_path / "stopped")
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["checkpoint.pt"]
    card = fine_tune(tmp_path / "stopped")
    assert len(calls) == 4  # epochs one, two (stopped), two, three
    assert card["history"] == whole["history"]
    one, other = (load_file(tmp_path / name / "transformer.safetensors") for name in ("whole", "stopped"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_another_run_s_checkpoint_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tmp_path / "out" / "checkpoint.pt"
    checkpoint.parent.mkdir()
    torch.save({"recipe": {"another": 1}}, checkpoint)
    fine_tune(tmp_path / "out")
    assert f"transformer: {checkpoint} is of another run; starting anew" in capsys.readouterr().out
    checkpoint.write_bytes(b"no checkpoint")
    with pytest.raises(TransformerError, match="can't be read; remove it to start anew"):
        fine_tune(tmp_path / "out")


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    card = fine_tune(tmp_path / "alone")
    in_two_processes("transformer_tiny.py", str(tmp_path), *FAST)
    shared = json.loads((tmp_path / "shared" / "transformer.json").read_text())
    for one, other in zip(card["history"], shared["history"], strict=True):
        assert one["nll"] == pytest.approx(other["nll"], abs=1e-3)


def test_the_learning_rate_rises_and_falls_in_straight_lines() -> None:
    assert transformer.linear_schedule(0.0) > 0
    assert transformer.linear_schedule(0.05) == pytest.approx(0.51)
    assert transformer.linear_schedule(0.1) == pytest.approx(1.0)
    assert transformer.linear_schedule(0.55) == pytest.approx(0.5)
    assert transformer.linear_schedule(1.0) == 0


# --- refusing -----------------------------------------------------------------------------------


def test_a_folder_without_a_transformer_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TransformerError, match="holds no fine-tuned transformer; run `python -m training"):
        transformer.load(tmp_path)


def test_a_missing_package_and_other_weights_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["transformer.py", "--out", str(tmp_path / "out")])
    monkeypatch.setattr(transformer, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(SystemExit, match="^transformer: .* is not the file that the recipe was made with"):
        transformer.main()
    monkeypatch.setattr(transformer, "PACKAGE", "no_such_package")
    with pytest.raises(SystemExit, match="not installed: pip install -r requirements/baselines.txt"):
        transformer.main()
    assert not (tmp_path / "out").exists()
