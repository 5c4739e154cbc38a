"""Train on the tiny corpus, as one of the processes that torchrun started: FOLDER and train.py's flags."""

import os
import sys

import torch

from tests.support.corpus import ROWS, tiny_corpus
from training.recipe import train
from training.recipe.network import Network, Size
from training.recipe.workers import leave, start

FLAGS = ("--epochs", "3", "--batch", "4", "--lr", "0.03", "--table-lr", "1", "--patience", "9")


def main() -> None:
    options = train.parse([*FLAGS, "--model-dir", sys.argv[1], *sys.argv[2:]])
    train.uses_bf16 = lambda device: False
    workers = start(torch.device("cpu"))
    # Each process has its own seed: the main one's first weights must reach the other.
    train.seed_everything(options.seed + int(os.environ["RANK"]))
    network = Network(Size(ROWS, 8, 8))
    train.fit(network, tiny_corpus(), options, torch.device("cpu"), workers)


if __name__ == "__main__":
    main()
    leave()
