"""The fine-tuned transformer as a baseline: which training it loads, and its error without packages."""

import sys
from pathlib import Path

import pytest

from tests.support import transformer_tiny
from training import recipe
from training.baselines import transformer_scorer
from training.baselines.scorers import BaselineMissing, TrainingSource
from training.data import dataset
from training.recipe import transformer

TEXTS = ["The film is superb.", "The film is awful.", "<br />"]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingSource:
    """Put the tiny encoder and the short reviews in place, with a rate at which they are learned."""
    monkeypatch.setattr(dataset, "find_archive", None)
    monkeypatch.setattr(dataset, "load", None)
    for name in ("encoder", "uses_bf16", "DROPOUT", "BATCH"):
        monkeypatch.setattr(transformer, name, getattr(transformer, name))
    (tmp_path / "archive").write_bytes(b"an archive")
    transformer_tiny.put_in_place(tmp_path / "archive")
    parse = transformer.parse
    monkeypatch.setattr(transformer, "parse", lambda flags: parse(["--lr", "0.03", "--epochs", "3", *flags]))
    return TrainingSource(tmp_path / "archive")


def test_it_is_trained_once_and_kept(
    source: TrainingSource, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baseline = transformer_scorer.minilm(source)
    good, bad, empty = baseline.score(TEXTS)
    assert bad < 0.5 < good
    assert 0 < empty < 1
    (kept,) = (cache / "peers").iterdir()
    assert kept.name.startswith("minilm-")
    assert baseline.size() == sum(path.stat().st_size for path in baseline.files) > 400_000
    monkeypatch.setattr(transformer, "fine_tune", None)
    assert transformer_scorer.minilm(source).score(TEXTS) == pytest.approx([good, bad, empty])


def test_a_missing_package_is_one_sentence(source: TrainingSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformer, "PACKAGE", "no_such_package")
    with pytest.raises(BaselineMissing, match="^MiniLM can't be loaded: the package no_such_package is not"):
        transformer_scorer.minilm(source)
    monkeypatch.setitem(sys.modules, transformer.__name__, None)
    monkeypatch.delattr(recipe, "transformer")
    with pytest.raises(
        BaselineMissing, match="^MiniLM is not installed: pip install -r requirements/baselines.txt"
    ):
        transformer_scorer.minilm(source)
