"""Train language models as one of the processes that torchrun started: FOLDER, then the reviews' file."""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from tests.support.corpus import ROWS
from training.recipe import pretrain
from training.recipe.network import Size
from training.recipe.workers import leave, working


def main() -> None:
    folder, reviews = Path(sys.argv[1]), np.load(sys.argv[2])
    pretrain.ROWS, pretrain.CHUNK, pretrain.NEGATIVES = 4, 8, 16
    pretrain.uses_bf16 = lambda device: False
    parser = argparse.ArgumentParser()
    pretrain.add_pretraining(parser)
    table = torch.randn(ROWS, 8, generator=torch.manual_seed(0)) * 0.4
    with working() as (workers, device):
        weights = pretrain.train_language_models(
            list(reviews),
            table,
            Size(ROWS, 8, 8),
            parser.parse_args(sys.argv[3:]),
            folder / "x",
            device,
            workers,
        )
        save_file(weights, folder / f"{workers.rank}.safetensors")


if __name__ == "__main__":
    main()
    leave()
