"""Measure training: reviews a second, and minutes to an accuracy, beside the old app's network."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.measuring import Figure, Missing, single
from bench.setting import ROOT, Setting
from training.data import corpus as corpora
from training.endpoint import inference

PART = "training"
OURS, OLD = "Verdict", "old network"
SPEED, MINUTES = "reviews a second", "minutes"
OURS_TO, OLD_TO = 0.91, 0.83
NAMES = (
    f"{OURS}, {SPEED}",
    f"{OLD}, {SPEED}",
    f"{OURS}, {MINUTES} to {OURS_TO:.0%}",
    f"{OLD}, {MINUTES} to {OLD_TO:.0%}",
)
# The old network's own settings: stems of a padded review, reviews a step, and the sizes of its vocabulary,
# embedding and hidden state. It trains by Adam and BCELoss.
PADDED, BATCH, STEMS, WIDTH, HIDDEN = 500, 512, 5000, 32, 100
MAX_EPOCHS = 40
# The quickest settings for OURS_TO, by the development split. `make train` trains longer, to a better result.
QUICKEST = {
    "--vector-epochs": 2,
    "--lm-epochs": 0.5,
    "--epochs": 3,
    "--embedding-dropout": 0.2,
    "--head-dropout": 0.2,
}


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield speeds of one epoch over a part of the train split, on all cores; minutes with --long."""
    try:
        import torch
    except ImportError as error:
        raise Missing("torch is not installed: pip install -r requirements/train.txt") from error
    torch.set_num_threads(os.cpu_count() or 1)
    corpus = corpora.load()
    part = corpus.train.part(int(setting.choose(256, 4096)))
    yield single(PART, NAMES[0], our_speed(corpus, part, setting), "reviews/s", "the last training's steps")
    yield single(
        PART,
        NAMES[1],
        old_speed(part),
        "reviews/s",
        f"padded to {PADDED}, batches of {BATCH}; our ids for its stems",
    )
    if not setting.long:
        yield from (Figure(PART, name, missing="measured with --long alone") for name in NAMES[2:])
        return
    minutes, before = our_minutes(setting)
    flags = " ".join(f"{name} {value}" for name, value in QUICKEST.items())
    note = f"{flags}; words to network, from an empty cache, {before:.1f} of them before labels are read"
    yield single(PART, NAMES[2], minutes, "min", note)
    yield single(PART, NAMES[3], old_minutes(corpus), "min", "preprocessing not counted")


def our_speed(corpus: corpora.Corpus, part: corpora.Split, setting: Setting) -> float:
    """Return reviews a second of train.py's epoch, without its evaluation."""
    import torch

    from training.recipe import train
    from training.recipe.network import Network, Size
    from training.recipe.train_flags import parse

    options = parse(["--model-dir", str(setting.empty("network")), "--epochs", "1"])
    size = Size(**inference.model_fn(inference.MODEL_FOLDER).card["size"])
    small = corpus._replace(train=part, development=corpus.development.part(64))
    run = train.Run(Network(size), small, options, torch.device("cpu"))
    run.one_epoch()
    return len(part) / run.seconds


def old_speed(part: corpora.Split) -> float:
    """Return reviews a second of the old network's epoch."""
    network, optimizer = old_network()
    began = time.perf_counter()
    old_epoch(network, optimizer, part)
    return len(part) / (time.perf_counter() - began)


def our_minutes(setting: Setting) -> tuple[float, float]:
    """Return minutes of train.py until an epoch reaches OURS_TO, and those of its pretraining.

    Raises Missing.
    """
    with tempfile.TemporaryDirectory() as cache:
        # All cores, as `make train` uses them.
        env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
        env |= {"VERDICT_CACHE": cache, "PYTHONUNBUFFERED": "1"}
        command = [
            sys.executable,
            "-m",
            "training.recipe.train",
            "--archive",
            str(setting.samples.source.archive),
        ]
        command += [str(part) for flag in QUICKEST.items() for part in flag]
        began, before = time.perf_counter(), 0.0
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                if line.startswith("pretrain: "):
                    before = time.perf_counter() - began
                accuracy = re.search(r"development_accuracy=([0-9.]+)", line)
                if accuracy and float(accuracy[1]) >= OURS_TO:
                    process.kill()
                    process.wait()
                    return (time.perf_counter() - began) / 60, before / 60
        process.wait()
    raise Missing(f"train.py ended below {OURS_TO:.0%}")


def old_minutes(corpus: corpora.Corpus) -> float:
    """Return minutes of the old network's training until an epoch reaches OLD_TO. Raises Missing."""
    network, optimizer = old_network()
    seconds = 0.0
    for _ in range(MAX_EPOCHS):
        began = time.perf_counter()
        old_epoch(network, optimizer, corpus.train)
        seconds += time.perf_counter() - began
        if old_accuracy(network, corpus.development) >= OLD_TO:
            return seconds / 60
    raise Missing(f"the old network stayed below {OLD_TO:.0%} for {MAX_EPOCHS} epochs")


# --- the old network ----------------------------------------------------------------------------


def old_network() -> tuple[Any, Any]:
    """Return the old network and its optimizer: embedding, one LSTM, the output at the last stem."""
    import torch
    from torch import nn

    torch.manual_seed(1)
    parts = {
        "embedding": nn.Embedding(STEMS, WIDTH, padding_idx=0),
        "lstm": nn.LSTM(WIDTH, HIDDEN),
        "dense": nn.Linear(HIDDEN, 1),
    }
    network = nn.ModuleDict(parts)
    return network, torch.optim.Adam(network.parameters())


def old_epoch(network: Any, optimizer: Any, split: corpora.Split) -> None:
    """Train one epoch over a split, in a random order that is always the same."""
    import torch

    order = np.random.default_rng(1).permutation(len(split))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        loss = torch.nn.functional.binary_cross_entropy(
            old_output(network, split, rows), torch.from_numpy(split.labels[rows].astype(np.float32))
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()


def old_output(network: Any, split: corpora.Split, rows: np.ndarray) -> Any:
    """Return P(positive), float32 (rows,), of a split's rows, padded to PADDED. Our ids replace its stems."""
    import torch

    lengths = torch.tensor([min(len(split.ids[row]), PADDED) for row in rows])
    ids = torch.zeros((len(rows), PADDED), dtype=torch.int64)
    for at, row in enumerate(rows):
        # The 5,000 most frequent stems have ids of their own; 1 is every other.
        stems = torch.from_numpy(split.ids[row][:PADDED].astype(np.int64)) - 255
        ids[at, : lengths[at]] = torch.where((stems < 2) | (stems >= STEMS), 1, stems)
    states, _ = network["lstm"](network["embedding"](ids.T))
    last = states[lengths - 1, torch.arange(len(rows))]
    return torch.sigmoid(network["dense"](last)).squeeze(1)


def old_accuracy(network: Any, split: corpora.Split) -> float:
    """Return the share of a split that the old network gets right."""
    import torch

    right = 0
    with torch.inference_mode():
        for start in range(0, len(split), BATCH):
            rows = np.arange(start, min(start + BATCH, len(split)))
            probabilities = old_output(network, split, rows).numpy()
            right += int(((probabilities >= 0.5) == (split.labels[rows] == 1)).sum())
    return right / len(split)
