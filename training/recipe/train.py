"""Train the network on labelled reviews, in SageMaker's script mode or on a laptop.

    python -m training.recipe.train                     # pretrains first, or takes that from the cache
    python -m training.recipe.train --dry-run           # the same path on a few hundred reviews
    torchrun --standalone --nproc_per_node=2 training/recipe/train.py     # the same batches, shared by processes

Writes ``network.safetensors`` and ``network.json`` into ``--model-dir``. A run that was stopped goes
on with ``--resume``. The development split chooses the epoch; test reviews are never read here.
"""

import argparse
import io
import json
import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from training.data import corpus as corpora
from training.data import dataset
from training.recipe import augment
from training.recipe.network import Network, Size, draw_noise
from training.recipe.pretrain import keep_memory, one_cycle, pretrain, uses_bf16
from training.recipe.train_flags import PLACES, parse
from training.recipe.workers import ALONE, Workers, leave, working
from vocab import vocabulary
from vocab.files import sha256, write_atomic, write_together
from vocab.vocabulary import BUCKETS, PAD_ID

DRY_RUN_REVIEWS = 256


class CheckpointError(Exception):
    """The checkpoint can't be read, or belongs to another run."""


class Batch(NamedTuple):
    """Reviews of like length: ids int64 (batch, tokens), lengths (batch,), targets P(positive) (batch,)."""

    ids: Tensor
    lengths: Tensor
    targets: Tensor


def train(options: argparse.Namespace) -> Path:
    """Run the whole recipe and give the folder of the trained network."""
    keep_memory()
    with working() as (workers, device):
        return _train(options, device, workers)


def _train(options: argparse.Namespace, device: torch.device, workers: Workers) -> Path:
    with workers.first_on_host():  # the others find the encoded reviews in the cache
        corpus = corpora.load(_archive(options))
    size = Size(vocabulary.load().size, options.embedding, options.hidden)
    if options.dry_run:
        corpus = corpus._replace(
            train=corpus.train.part(DRY_RUN_REVIEWS),
            development=corpus.development.part(DRY_RUN_REVIEWS),
            unsup=corpus.unsup.part(DRY_RUN_REVIEWS),
        )
        options.epochs, options.vector_epochs, options.lm_epochs = 1, 1, 1
        options.taught, options.lessons = None, min(options.lessons, DRY_RUN_REVIEWS)
        pretrained = None
    elif options.pretrained:
        pretrained = Path(options.pretrained)
    else:
        pretrained = pretrain(corpus, size, options, None, device, workers)
    seed_everything(options.seed)
    network = Network(size)
    if pretrained and workers.leads:
        network.load_state_dict(load_file(pretrained), strict=False)
    return fit(network.to(device), corpus, options, device, workers)


def fit(
    network: Network, corpus: corpora.Corpus, options: argparse.Namespace, device, workers: Workers = ALONE
) -> Path:
    """Train on the train split, keep the weights that are best on the development split."""
    run = _Run(network, corpus, options, device, workers)
    if options.resume:
        run.resume()
    while run.epoch < options.epochs and run.patience > 0:
        run.one_epoch()
    return run.finish()


class _Run:
    """A training run that can be stopped and resumed between epochs."""

    def __init__(
        self, network: Network, corpus: corpora.Corpus, options, device, workers: Workers = ALONE
    ) -> None:
        self.network, self.corpus, self.options, self.device = network, corpus, options, device
        self.workers = workers
        self.shared: Network | DistributedDataParallel = network
        if workers.count > 1:  # every process starts from the leading one's weights
            self.shared = DistributedDataParallel(network, bucket_cap_mb=100)
        self.examples = examples(corpus, options)
        self.average = {key: value.detach().clone() for key, value in network.state_dict().items()}
        table = [network.embedding.weight]
        others = [p for p in network.parameters() if p is not table[0]]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": others, "lr": options.lr, "weight_decay": options.weight_decay},
                {"params": table, "lr": options.lr * options.table_lr, "weight_decay": 0.0},
            ],
            betas=(0.9, 0.98),
            fused=True,
        )
        per_epoch = -(-len(self.examples) // options.batch)
        total = per_epoch * options.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: one_cycle(step / total, warm=0.15)
        )
        self.bf16 = uses_bf16(device)
        self.epoch, self.step, self.patience = 0, 0, options.patience
        self.best: dict = {}
        self.history: list[dict] = []
        self.seconds = 0.0
        self.folder = Path(options.model_dir)
        if workers.leads:
            self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = Path(options.checkpoint_dir or self.folder) / "checkpoint.pt"

    def one_epoch(self) -> None:
        began = time.monotonic()
        random_state = np.random.default_rng(self.options.seed * 1000 + self.epoch)
        batches = make_batches(self.examples, self.options.batch, random_state)
        rank, count = self.workers.rank, self.workers.count
        torch.manual_seed((self.options.seed * 1000 + self.epoch) * count + rank)
        self.network.train()
        losses = []  # a row a step: the sum of its losses, and of how many reviews
        progress = tqdm(
            batches,
            desc=f"epoch {self.epoch + 1}",
            disable=None if self.workers.leads else True,
            mininterval=5,
        )
        for rows in progress:
            # Each process takes its share of the same batch; a last one of fewer rows than processes
            # gives the others a row that weighs nothing.
            share, weight = rows[rank::count], count / len(rows)
            if not len(share):
                share, weight = rows[:1], 0.0
            batch = to_batch(self.examples, share, self.device)
            losses.append(self._step(batch, random_state, weight))
            if len(losses) % 50 == 0:
                progress.set_postfix(loss=f"{mean_of(losses[-50:]):.3f}")
        self.epoch += 1
        self.seconds += time.monotonic() - began
        loss = mean_of(self.workers.total(losses))
        if self.workers.leads:
            self._choose(loss)
            self._save_checkpoint()
        self.patience = self.workers.hear(self.patience)

    def _step(self, batch: Batch, random_state: np.random.Generator, weight: float) -> tuple[float, int]:
        """Step on the processes' mean loss, each row weighing ``weight``; give this one's sum and count."""
        options, network = self.options, self.network
        ids = drop_words(batch, options.word_dropout, random_state)
        noise = draw_noise(
            network.size, len(ids), options.embedding_dropout, options.head_dropout, self.device
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.shared(ids, batch.lengths, noise).float()
        losses = F.binary_cross_entropy_with_logits(logits, batch.targets, reduction="none")
        (losses.sum() * weight).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        # Early averages forget their random start quickly: the decay grows with the steps.
        decay = min(options.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, value in network.state_dict().items():
                self.average[key].lerp_(value, 1 - decay)
        return (losses.sum().item(), len(losses)) if weight else (0.0, 0)

    def _choose(self, loss: float) -> None:
        """Score the weights and their average on the development split and keep the better."""
        raw = {key: value.detach().clone() for key, value in self.network.state_dict().items()}
        scores = {}
        for kind, weights in (("last", raw), ("average", self.average)):
            self.network.load_state_dict(weights)
            logits, labels = predict(self.network, self.corpus.development, self.device)
            scores[kind] = score(logits, labels)
            if not self.best or scores[kind]["nll"] < self.best["nll"]:
                kept = {key: value.cpu().clone() for key, value in weights.items()}
                self.best = {**scores[kind], "epoch": self.epoch, "kind": kind, "weights": kept}
        self.network.load_state_dict(raw)
        improved = self.best["epoch"] == self.epoch
        self.patience = self.options.patience if improved else self.patience - 1
        self.history.append({"epoch": self.epoch, "train_loss": loss, **scores})
        for kind, found in scores.items():
            # SageMaker reads its metrics from lines of this form.
            print(
                f"epoch {self.epoch} {kind} train_loss={loss:.4f}"
                f" development_nll={found['nll']:.4f} development_accuracy={found['accuracy']:.4f}",
                flush=True,
            )

    def finish(self) -> Path:
        if not self.workers.leads:
            return self.folder
        weights, taught = self.best.pop("weights"), self.options.taught
        card = {
            **self._recipe(),
            "reviews": {name: len(getattr(self.corpus, name)) for name in corpora.SPLITS[:3]},
            "left_out": self.corpus.left_out,
            "teachers": augment.load_taught(Path(taught)).teachers if taught else [],
            "best": self.best,
            "history": self.history,
            "seconds": round(self.seconds, 1),
        }
        text_of_card = (json.dumps(card, indent=2) + "\n").encode()
        write_together(
            {
                self.folder / "network.safetensors": save(weights),
                self.folder / "network.json": text_of_card,
            }
        )
        self.checkpoint.unlink(missing_ok=True)
        print(f"train: kept epoch {self.best['epoch']} ({self.best['kind']}) in {self.folder}")
        return self.folder

    def _recipe(self) -> dict:
        """Give what the weights depend on; a checkpoint of another recipe is refused."""
        options = {key: value for key, value in vars(self.options).items() if key not in PLACES}
        for name in ("taught", "pretrained"):  # by content: where the file lies says nothing
            if options[name]:
                options[name] = sha256(Path(options[name]).read_bytes())
        return {
            "size": self.network.size._asdict(),
            "vocabulary": self.corpus.fingerprint,
            "archive_sha256": self.corpus.archive_sha256,
            "options": options,
        }

    def _save_checkpoint(self) -> None:
        saved = {
            "recipe": self._recipe(),
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "patience": self.patience,
            "best": self.best,
            "history": self.history,
            "seconds": self.seconds,
        }
        packed = io.BytesIO()
        torch.save(saved, packed)
        write_atomic(self.checkpoint, packed.getvalue())

    def resume(self) -> None:
        saved = self.workers.hear(self._load_checkpoint() if self.workers.leads else None)
        if saved is None:
            return
        recipe = self._recipe()
        other = [key for key in recipe if saved.get("recipe", {}).get(key) != recipe[key]]
        if other:
            raise CheckpointError(
                f"{self.checkpoint} is of a run with other {', '.join(other)}; remove it to start anew"
            )
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        for name in ("average", "epoch", "step", "patience", "best", "history", "seconds"):
            setattr(self, name, saved[name])
        if self.workers.leads:
            print(f"train: going on after epoch {self.epoch}")

    def _load_checkpoint(self) -> dict | None:
        if not self.checkpoint.is_file():
            return None
        try:
            return torch.load(self.checkpoint, weights_only=True)
        except Exception as error:
            raise CheckpointError(f"{self.checkpoint} can't be read; remove it to start anew") from error


def examples(corpus: corpora.Corpus, options: argparse.Namespace) -> corpora.Split:
    """Give all that is learned from, as one split whose labels are targets, float32 P(positive)."""
    words = vocabulary.load()
    labels = augment.smoothed(corpus.train.labels, options.label_smoothing)
    taught = augment.Examples(list(corpus.train.ids), labels)
    if options.taught:
        teacher = augment.load_taught(Path(options.taught))
        if len(teacher.unsup) != len(corpus.unsup):
            raise dataset.DataError(
                f"{options.taught} was made from {len(teacher.unsup):,} unlabelled reviews, the archive has"
                f" {len(corpus.unsup):,}; run distill.py again"
            )
        taught += augment.Examples(list(corpus.unsup.ids), teacher.unsup) + teacher.sentences
    if options.swaps:
        reviews, labels = corpus.train.ids, corpus.train.labels
        taught += augment.swapped_examples(reviews, labels, options.swaps, words, options.seed)
    if options.lessons:
        taught += augment.lesson_examples(options.lessons, words, options.seed)
    count = len(taught.ids)
    return corpora.Split([""] * count, taught.ids, taught.targets, np.zeros(count, np.int8))


def make_batches(split: corpora.Split, batch: int, random_state: np.random.Generator) -> list[np.ndarray]:
    """Shuffle reviews into batches of similar length: sorted within windows of 50 batches."""
    order = random_state.permutation(len(split))
    lengths = np.array([len(split.ids[index]) for index in order])
    batches = []
    for start in range(0, len(order), 50 * batch):
        window = order[start : start + 50 * batch]
        window = window[np.argsort(lengths[start : start + 50 * batch], kind="stable")]
        batches += [window[at : at + batch] for at in range(0, len(window), batch)]
    random_state.shuffle(batches)
    return batches


def to_batch(split: corpora.Split, rows: np.ndarray, device: torch.device) -> Batch:
    """Pad the reviews ``rows`` of a split to the longest of them."""
    lengths = torch.tensor([len(split.ids[row]) for row in rows])
    ids = torch.full((len(rows), int(lengths.max())), PAD_ID, dtype=torch.int64)
    for at, row in enumerate(rows):
        ids[at, : lengths[at]] = torch.from_numpy(split.ids[row].astype(np.int64))
    targets = torch.from_numpy(split.labels[rows].astype(np.float32))
    return Batch(ids.to(device), lengths.to(device), targets.to(device))


def drop_words(batch: Batch, share: float, random_state: np.random.Generator) -> Tensor:
    """Put a random bucket of unknown words in the place of a share of the words."""
    if not share:
        return batch.ids
    shape = tuple(batch.ids.shape)
    hit = torch.from_numpy(random_state.random(shape, dtype=np.float32) < share).to(batch.ids.device)
    unknown = torch.from_numpy(random_state.integers(1, BUCKETS + 1, shape)).to(batch.ids.device)
    return torch.where(hit & (batch.ids != PAD_ID), unknown, batch.ids)


def mean_of(sums: list[tuple[float, int]]) -> float:
    """Give the mean of losses that come as sums and counts."""
    total, count = np.sum(sums, axis=0)
    return float(total / max(count, 1))


def predict(network: Network, split: corpora.Split, device, batch: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Give logits, float32 (reviews,), and labels of a split, in its order."""
    network.eval()
    order = np.argsort([len(ids) for ids in split.ids], kind="stable")
    logits = np.zeros(len(split), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            found = to_batch(split, rows, device)
            logits[rows] = network(found.ids, found.lengths).cpu().numpy()
    network.train()
    return logits, split.labels


def score(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Give accuracy (0..1) and mean negative log-likelihood (nats) of logits (reviews,)."""
    signed = np.where(labels == 1, logits, -logits).astype(np.float64)
    return {
        "accuracy": float((signed > 0).mean()),
        "nll": float(np.logaddexp(0, -signed).mean()),
    }


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _archive(options: argparse.Namespace) -> str | None:
    """Find the archive in SageMaker's training channel, else as everywhere else."""
    if options.train:
        found = sorted(Path(options.train).glob("*.tar.gz"))
        if not found:
            raise dataset.DataError(f"no .tar.gz in {options.train}; put aclImdb_v1.tar.gz there")
        return str(found[0])
    return options.archive


def main() -> None:
    try:
        train(parse())
    except (dataset.DataError, vocabulary.VocabularyError, CheckpointError) as error:
        sys.exit(f"train: {error}")
    except OSError as error:
        sys.exit(f"train: a file can't be written or read ({error}); `make train` goes on where it stopped")
    leave()


if __name__ == "__main__":
    main()
