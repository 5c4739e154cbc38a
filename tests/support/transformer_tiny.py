"""Fine-tune a tiny transformer, as one of the processes that torchrun started: FOLDER, and its flags."""

import sys
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

from training.data import dataset
from training.recipe import transformer
from training.recipe.workers import leave, start

PRAISE = ("wonderful", "brilliant", "superb", "excellent")
BLAME = ("terrible", "awful", "boring", "dreadful")


def tiny_encoder(folder: Path | None = None, pretrained: bool = True) -> BertModel:
    """Return an encoder of 16 states in one layer, without dropout, its weights random."""
    config = BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",
    )
    return BertModel(config, add_pooling_layer=False)


def reviews(count: int, split: str) -> list[dataset.Review]:
    """Return short reviews, damning and praising by turns."""
    texts = []
    for number in range(count):
        word = (PRAISE if number % 2 else BLAME)[number // 2 % 4]
        name = f"{split}/{'pos' if number % 2 else 'neg'}/{number}_{9 if number % 2 else 2}.txt"
        text = f"The film is {word}" + ", and long" * (number % 3) + "."
        texts.append(dataset.Review(name, text, number % 2, 0, f"film/{number}"))
    return texts


def put_in_place(archive: Path) -> None:
    """Make transformer.py use the tiny encoder and the short reviews: no dropout, float32, small batches."""
    data = dataset.Dataset(reviews(64, "train"), reviews(16, "train"), [], [], {"train": 0, "unsup": 0})
    dataset.find_archive = lambda path: archive
    dataset.load = lambda path: data
    transformer.encoder = tiny_encoder
    transformer.uses_bf16 = lambda device: False
    transformer.DROPOUT, transformer.BATCH = 0.0, 8


def main() -> None:
    folder = Path(sys.argv[1])
    put_in_place(folder / "archive")
    options = transformer.parse(["--out", str(folder / "shared"), *sys.argv[2:]])
    transformer.fine_tune(options, start(torch.device("cpu")), torch.device("cpu"))


if __name__ == "__main__":
    main()
    leave()
