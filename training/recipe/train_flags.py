"""train.py's flags, in a module without torch: starting a training elsewhere needs no torch."""

import argparse
import os
import re

from training.data import cache

# Flags that name places. They say nothing about how the network is trained.
PLACES = ("archive", "train", "model_dir", "checkpoint_dir", "resume")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the flags; SageMaker passes hyperparameters as the same ones."""
    parser = argparse.ArgumentParser(description="Train the network.")
    add_places(parser)
    add_hyperparameters(parser)
    add_switch(parser, "--resume", "go on from the checkpoint, if there is one")
    add_switch(parser, "--dry-run", "a few hundred reviews, one epoch, no pretraining")
    add_pretraining(parser)
    options = parser.parse_args(arguments)
    if not options.model_dir:
        # A trial run must not replace a trained network.
        options.model_dir = str(cache.folder() / ("dry-run" if options.dry_run else "network"))
    return options


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the archive and the folders to write."""
    add, environ = parser.add_argument, os.environ
    add("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    add("--train", default=environ.get("SM_CHANNEL_TRAIN"), help="folder with the archive (SageMaker)")
    add(
        "--model-dir",
        default=environ.get("SM_MODEL_DIR"),
        help="folder of the trained network (default: SM_MODEL_DIR, or the cache folder's network/)",
    )
    add("--checkpoint-dir", help="folder of the checkpoint (default: the model folder)")


def add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    """Add the flags that change what the network learns."""
    add = parser.add_argument
    add("--embedding", type=int, default=128, help="width of an embedding (default 128)")
    add("--hidden", type=int, default=94, help="LSTM states a direction (default 94)")
    add("--epochs", type=int, default=4, help="passes over the train split (default 4)")
    add("--batch", type=int, default=32, help="reviews a step (default 32)")
    add("--lr", type=float, default=4e-3, help="highest learning rate (default 4e-3)")
    add("--table-lr", type=float, default=0.2, help="the table's share of that rate (default 0.2)")
    add("--weight-decay", type=float, default=0.01, help="on all but the table (default 0.01)")
    add(
        "--word-dropout",
        type=float,
        default=0.1,
        help="share of words made unknown in longer texts (default 0.1)",
    )
    add("--embedding-dropout", type=float, default=0.3, help="share of channels dropped (default 0.3)")
    add("--head-dropout", type=float, default=0.4, help="share of pooled features dropped (default 0.4)")
    add("--label-smoothing", type=float, default=0.05, help="(default 0.05)")
    add("--pretrained", help="weights that pretrain.py wrote (default: the cache's, made when missing)")
    add("--soft-targets", help="soft targets that distill.py wrote (default: labelled reviews alone)")
    add("--swaps", type=float, default=0.0, help="share of reviews to add with polar words swapped (0)")
    add("--lessons", type=int, default=0, help="short texts from training/recipe/lessons/ (default 0)")
    add_without_lessons(parser)
    add_switch(parser, "--whole-reviews", "read each text as one sentence")
    add("--ema", type=float, default=0.99, help="decay of the averaged weights (default 0.99)")
    add("--patience", type=int, default=2, help="epochs without a better score before it stops (2)")
    add("--seed", type=int, default=1, help="seed of every random choice (default 1)")


def add_without_lessons(parser: argparse.ArgumentParser) -> None:
    """Add the flag by which train.py and ngram_residual.py leave lessons out."""
    parser.add_argument(
        "--without-lessons",
        type=_regex,
        metavar="REGEX",
        help='leave out lessons with this in their label and topic, as in "neutral plot"',
    )


def add_pretraining(parser: argparse.ArgumentParser) -> None:
    """Add pretraining's flags; pretrain.py and train.py both take them."""
    parser.add_argument("--vector-epochs", type=int, default=4, help="passes of word2vec (default 4)")
    parser.add_argument("--lm-epochs", type=float, default=2, help="passes of the language models (2)")
    parser.add_argument("--pretrain-seed", type=int, default=1, help="seed of the pretraining (default 1)")


def add_switch(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    """Add a flag that stands alone or takes true or false; SageMaker passes ``--resume true``."""
    parser.add_argument(
        flag, nargs="?", const=True, default=False, type=_switch, metavar="true|false", help=text
    )


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"is no regular expression: {error}") from error
    return value


def _switch(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"takes true or false, or nothing for true, got {value!r}")
    return value.lower() == "true"
