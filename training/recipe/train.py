"""Train the network on labelled reviews, in SageMaker's script mode or on a laptop.

    python -m training.recipe.train                     # pretrains first, or takes that from the cache
    python -m training.recipe.train --dry-run           # the same path on a few hundred reviews
    torchrun --standalone --nproc_per_node=2 -m training.recipe.train     # processes share the batches

Writes ``network.safetensors`` and ``network.json`` into ``--model-dir``. ``--resume`` continues a
stopped run. The development split chooses the epoch; test reviews are never read here.
"""

import argparse
import io
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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
from training.recipe.network import Network, Size, Texts, draw_noise, unread_ids
from training.recipe.pretrain import keep_memory, one_cycle, pretrain, uses_bf16
from training.recipe.train_flags import PLACES, parse
from training.recipe.workers import ALONE, Workers, leave, working
from vocab import vocabulary
from vocab.files import sha256, write_atomic, write_together
from vocab.vocabulary import BUCKETS

DRY_RUN_REVIEWS = 256
# The learning rate rises over this share of the steps.
WARM_UP = 0.15
# Random numbers are seeded anew after so many steps; a checkpoint within an epoch is written between.
SEGMENT_STEPS = 250
CHECKPOINT_SECONDS = 300
# Texts of up to so many tokens lose no word: a sentence without its "not" would teach the opposite.
KEPT_TOKENS = 30
# Gradients of a longer norm are scaled down to it.
MAX_GRADIENT = 1.0


class CheckpointError(Exception):
    """The checkpoint can't be read, or belongs to another run."""


class Batch(NamedTuple):
    """Hold reviews and their targets, float32 (reviews,), P(positive)."""

    texts: Texts
    targets: Tensor


def train(options: argparse.Namespace) -> Path:
    """Run the whole recipe and return the folder of the trained network."""
    keep_memory()
    with working() as (workers, device):
        with workers.first_on_host():  # the others find the encoded reviews in the cache
            corpus = corpora.load(_archive(options))
        words = vocabulary.load()
        size = Size(words.size, options.embedding, options.hidden, unread=unread_ids(words))
        if options.dry_run:
            corpus, pretrained = _shortened(corpus, options), None
        elif options.pretrained:
            pretrained = Path(options.pretrained)
        else:
            pretrained = pretrain(corpus, size, options, None, device, workers)
        seed_everything(options.seed)
        network = Network(size)
        if pretrained and workers.is_main:
            network.load_state_dict(load_file(pretrained), strict=False)
        return fit(network.to(device), corpus, options, device, workers)


def _shortened(corpus: corpora.Corpus, options: argparse.Namespace) -> corpora.Corpus:
    """Return the corpus of a dry run, and cut the options down to its size."""
    options.epochs, options.vector_epochs, options.lm_epochs = 1, 1, 1
    options.soft_targets, options.lessons = None, min(options.lessons, DRY_RUN_REVIEWS)
    return corpus._replace(
        train=corpus.train.part(DRY_RUN_REVIEWS),
        development=corpus.development.part(DRY_RUN_REVIEWS),
        unsup=corpus.unsup.part(DRY_RUN_REVIEWS),
    )


def fit(
    network: Network,
    corpus: corpora.Corpus,
    options: argparse.Namespace,
    device: torch.device,
    workers: Workers = ALONE,
) -> Path:
    """Train on the train split and keep the weights that are best on the development split.

    Returns the folder that holds them. Raises CheckpointError.
    """
    run = Run(network, corpus, options, device, workers)
    if options.resume:
        run.resume()
    while run.epoch < options.epochs and run.patience > 0:
        run.one_epoch()
    return run.finish()


class Run:
    """A training run that can be stopped and resumed, within an epoch too."""

    def __init__(
        self,
        network: Network,
        corpus: corpora.Corpus,
        options: argparse.Namespace,
        device: torch.device,
        workers: Workers = ALONE,
    ) -> None:
        self.network, self.corpus, self.options, self.device = network, corpus, options, device
        self.workers = workers
        self.shared: Network | DistributedDataParallel = network
        if workers.world_size > 1:  # every process starts from the main one's weights
            self.shared = DistributedDataParallel(network, bucket_cap_mb=100)
        self.fixed = fixed_examples(corpus, options)
        self.average = _copy(network.state_dict())
        self.optimizer = make_optimizer(network, options)
        self.epoch = 0
        steps = -(-len(self._examples().ids) // options.batch) * options.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: one_cycle(min(1.0, step / steps), WARM_UP)
        )
        self.bf16 = uses_bf16(device)
        self.step, self.patience = 0, options.patience
        self.best: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.seconds = 0.0
        # Of the present epoch: the batches that are done, and each segment's sum of losses and their number.
        self.done = 0
        self.losses: list[tuple[float, int]] = []
        self.folder = Path(options.model_dir)
        if workers.is_main:
            self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = Path(options.checkpoint_dir or self.folder) / "checkpoint.pt"

    def one_epoch(self) -> None:
        """Train for an epoch, or for what a checkpoint has left of it, score it, and write a checkpoint."""
        self._train_epoch()
        loss = mean_loss(self.losses)
        self.epoch, self.done, self.losses = self.epoch + 1, 0, []
        if self.workers.is_main:
            self._record(loss, self._score())
            self._save_checkpoint()
        self.patience = self.workers.broadcast(self.patience)

    def _examples(self) -> corpora.Split:
        """Return what the present epoch learns from: the fixed examples, and others that it draws anew."""
        seed = self.options.seed * 1000 + self.epoch
        examples = self.fixed + drawn_examples(self.corpus, self.options, seed)
        if self.options.whole_reviews:
            examples = examples._replace(lengths=augment.whole(examples.ids))
        count = len(examples.ids)
        return corpora.Split([""] * count, *examples, np.zeros(count, np.int8))

    def _train_epoch(self) -> None:
        """Train on the batches that are left of the epoch; write a checkpoint now and then."""
        examples = self._examples()
        random_state = np.random.default_rng(self.options.seed * 1000 + self.epoch)
        batches = make_batches(examples, self.options.batch, random_state)
        saved = time.monotonic()
        with tqdm(
            total=len(batches),
            initial=self.done,
            desc=f"epoch {self.epoch + 1}",
            disable=None if self.workers.is_main else True,
            mininterval=5,
        ) as progress:
            while self.done < len(batches):
                segment = batches[self.done : self.done + SEGMENT_STEPS]
                self._train_segment(segment, examples, progress)
                if self.workers.is_main and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save_checkpoint()
                    saved = time.monotonic()

    def _train_segment(self, batches: list[np.ndarray], examples: corpora.Split, progress: Any) -> None:
        """Train on some batches. The seed is the segment's own, so a resumed run draws the same numbers."""
        began = time.monotonic()
        seed = (self.options.seed, self.epoch, self.done, self.workers.rank)
        random_state = np.random.default_rng(seed)
        torch.manual_seed(int(random_state.integers(2**62)))
        self.network.train()
        losses = []
        for rows in batches:
            share, weight = self.workers.share(rows)
            batch = to_batch(examples, share, self.device)
            losses.append(self._train_step(batch, random_state, weight))
            progress.update()
            if len(losses) % 50 == 0:
                progress.set_postfix(loss=f"{mean_loss(losses[-50:]):.3f}")
        self.losses += self.workers.total(losses)
        self.done += len(batches)
        self.seconds += time.monotonic() - began

    def _train_step(
        self, batch: Batch, random_state: np.random.Generator, weight: float
    ) -> tuple[float, int]:
        """Step on the processes' mean loss, each row weighing ``weight``.

        Returns the sum of this process's losses and their number, both 0 at weight 0.
        """
        losses = self._losses(batch, random_state)
        torch.autograd.backward(losses.sum() * weight)
        nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._update_average()
        return (losses.sum().item(), len(losses)) if weight else (0.0, 0)

    def _losses(self, batch: Batch, random_state: np.random.Generator) -> Tensor:
        """Return each review's loss under dropout, float32 (reviews,)."""
        options = self.options
        texts = drop_words(batch.texts, options.word_dropout, random_state)
        noise = draw_noise(self.network.size, texts, options.embedding_dropout, options.head_dropout)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.shared(texts, noise).float()
        return F.binary_cross_entropy_with_logits(logits, batch.targets, reduction="none")

    def _update_average(self) -> None:
        """Move the averaged weights towards the current ones."""
        # The decay grows with the steps, so that early averages forget their random start quickly.
        decay = min(self.options.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, value in self.network.state_dict().items():
                self.average[key].lerp_(value, 1 - decay)

    def _score(self) -> dict[str, dict[str, float]]:
        """Score the weights and their average on the development split, and keep the best so far."""
        last, development = _copy(self.network.state_dict()), self.corpus.development
        if self.options.whole_reviews:
            names, ids, _, *columns = development
            development = corpora.Split(names, ids, augment.whole(ids), *columns)
        scores = {}
        for kind, weights in (("last", last), ("average", self.average)):
            self.network.load_state_dict(weights)
            scores[kind] = score(*predict(self.network, development, self.device))
            if not self.best or scores[kind]["nll"] < self.best["nll"]:
                copy = {key: value.cpu().clone() for key, value in weights.items()}
                self.best = {**scores[kind], "epoch": self.epoch, "kind": kind, "weights": copy}
        self.network.load_state_dict(last)
        return scores

    def _record(self, loss: float, scores: dict[str, dict[str, float]]) -> None:
        """Add an epoch to the history, count the patience down, and print the scores."""
        improved = self.best["epoch"] == self.epoch
        self.patience = self.options.patience if improved else self.patience - 1
        self.history.append({"epoch": self.epoch, "train_loss": loss, **scores})
        for kind, metrics in scores.items():
            # SageMaker reads its metrics from lines of this form.
            print(
                f"epoch {self.epoch} {kind} train_loss={loss:.4f}"
                f" development_nll={metrics['nll']:.4f} development_accuracy={metrics['accuracy']:.4f}",
                flush=True,
            )

    def finish(self) -> Path:
        """Write the best weights and their card, remove the checkpoint, and return the folder."""
        if not self.workers.is_main:
            return self.folder
        weights, path = self.best.pop("weights"), self.options.soft_targets
        card = {
            **self._recipe(),
            "reviews": {name: len(getattr(self.corpus, name)) for name in corpora.SPLITS[:3]},
            "left_out": self.corpus.left_out,
            "teachers": augment.load_soft_targets(Path(path)).teachers if path else [],
            "best": self.best,
            "history": self.history,
            "seconds": round(self.seconds, 1),
        }
        write_together(
            {
                self.folder / "network.safetensors": save(weights),
                self.folder / "network.json": (json.dumps(card, indent=2) + "\n").encode(),
            }
        )
        self.checkpoint.unlink(missing_ok=True)
        print(f"train: kept epoch {self.best['epoch']} ({self.best['kind']}) in {self.folder}")
        return self.folder

    def _recipe(self) -> dict[str, Any]:
        """Return what the weights depend on; ``resume`` refuses a checkpoint of another recipe."""
        options = {key: value for key, value in vars(self.options).items() if key not in PLACES}
        for name in ("soft_targets", "pretrained"):  # by content: a path says nothing about it
            if options[name]:
                options[name] = sha256(Path(options[name]).read_bytes())
        return {
            "size": self.network.size._asdict(),
            "vocabulary": self.corpus.fingerprint,
            "archive_sha256": self.corpus.archive_sha256,
            "options": options,
        }

    def _save_checkpoint(self) -> None:
        state = {
            "recipe": self._recipe(),
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "done": self.done,
            "losses": self.losses,
            "step": self.step,
            "patience": self.patience,
            "best": self.best,
            "history": self.history,
            "seconds": self.seconds,
        }
        packed = io.BytesIO()
        torch.save(state, packed)
        write_atomic(self.checkpoint, packed.getvalue())

    def resume(self) -> None:
        """Continue after the checkpoint's epoch, if there is a checkpoint. Raises CheckpointError."""
        state = self.workers.broadcast(self._load_checkpoint() if self.workers.is_main else None)
        if state is None:
            return
        recipe = self._recipe()
        other = [key for key in recipe if state.get("recipe", {}).get(key) != recipe[key]]
        if other:
            raise CheckpointError(
                f"{self.checkpoint} is of a run with other {', '.join(other)}; remove it to start anew"
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        for name in (
            "average", "epoch", "done", "losses", "step", "patience", "best", "history", "seconds"
        ):  # fmt: skip
            setattr(self, name, state[name])
        if self.workers.is_main:
            within = f" and {self.done:,} steps" if self.done else ""
            print(f"train: going on after epoch {self.epoch}{within}")

    def _load_checkpoint(self) -> dict[str, Any] | None:
        if not self.checkpoint.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.checkpoint, weights_only=True)
        except Exception as error:
            raise CheckpointError(f"{self.checkpoint} can't be read; remove it to start anew") from error
        return state


def make_optimizer(network: Network, options: argparse.Namespace) -> torch.optim.Optimizer:
    """Return AdamW with a rate of its own, and no weight decay, for the embedding table."""
    table = [network.embedding.weight]
    others = [parameter for parameter in network.parameters() if parameter is not table[0]]
    return torch.optim.AdamW(
        [
            {"params": others, "lr": options.lr, "weight_decay": options.weight_decay},
            {"params": table, "lr": options.lr * options.table_lr, "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
        fused=True,
    )


def fixed_examples(corpus: corpora.Corpus, options: argparse.Namespace) -> augment.Examples:
    """Return what every epoch learns from: labelled reviews, and soft targets.

    Raises dataset.DataError when the soft targets are of another archive.
    """
    labels = augment.smoothed(corpus.train.labels, options.label_smoothing)
    examples = augment.Examples(corpus.train.ids, corpus.train.lengths, labels)
    if options.soft_targets:
        soft_targets = augment.load_soft_targets(Path(options.soft_targets))
        if len(soft_targets.unsup) != len(corpus.unsup):
            raise dataset.DataError(
                f"{options.soft_targets} was made from {len(soft_targets.unsup):,} unlabelled reviews, the"
                f" archive has {len(corpus.unsup):,}; run `python -m training.recipe.distill` again"
            )
        unsup = augment.Examples(corpus.unsup.ids, corpus.unsup.lengths, soft_targets.unsup)
        examples += unsup + soft_targets.sentences
    return examples


def drawn_examples(corpus: corpora.Corpus, options: argparse.Namespace, seed: int) -> augment.Examples:
    """Return what one epoch learns from besides: swapped reviews and lessons, drawn by the seed."""
    words = vocabulary.load()
    examples = augment.Examples([], [], np.zeros(0, dtype=np.float32))
    if options.swaps:
        examples += augment.swapped_examples(corpus.train, options.swaps, words, seed)
    if options.lessons:
        examples += augment.lesson_examples(options.lessons, words, seed, options.without_lessons)
    return examples


def make_batches(split: corpora.Split, batch: int, random_state: np.random.Generator) -> list[np.ndarray]:
    """Shuffle reviews into batches of similar length: sorted within windows of 50 batches.

    Returns each batch's rows of the split, int64 (rows,).
    """
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
    """Return the reviews ``rows``, int64 (reviews,), of a split, with their labels as targets."""
    texts = to_texts([split.ids[row] for row in rows], [split.lengths[row] for row in rows], device)
    return Batch(texts, torch.from_numpy(split.labels[rows].astype(np.float32)).to(device))


def to_texts(ids: Sequence[np.ndarray], lengths: Sequence[np.ndarray], device: torch.device) -> Texts:
    """Join reviews, int (tokens,) and int (sentences,) each, for the network."""
    counts = np.array([len(sentences) for sentences in lengths])
    columns = (np.concatenate(ids), np.concatenate(lengths), counts)
    return Texts(*(torch.from_numpy(column.astype(np.int64)).to(device) for column in columns))


def drop_words(texts: Texts, share: float, random_state: np.random.Generator) -> Texts:
    """Return the texts with a share of the words replaced by a random bucket of unknown words.

    Texts of up to KEPT_TOKENS keep theirs.
    """
    if not share:
        return texts
    shape = tuple(texts.ids.shape)
    counts = torch.zeros_like(texts.counts).index_add(0, texts.owners(), texts.lengths)
    long = torch.repeat_interleave(counts > KEPT_TOKENS, counts)
    drawn = torch.from_numpy(random_state.random(shape, dtype=np.float32) < share).to(texts.ids.device)
    dropped = drawn & long
    unknown = torch.from_numpy(random_state.integers(1, BUCKETS + 1, shape)).to(texts.ids.device)
    return texts._replace(ids=torch.where(dropped, unknown, texts.ids))


def mean_loss(sums: list[tuple[float, int]]) -> float:
    """Return the mean of losses that come as sums and counts."""
    total, count = np.sum(sums, axis=0)
    return float(total / max(count, 1))


def predict(
    network: Network, split: corpora.Split, device: torch.device, batch: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, float32 (reviews,), and labels of a split, in its order."""
    network.eval()
    order = np.argsort([len(ids) for ids in split.ids], kind="stable")
    logits = np.zeros(len(split), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            logits[rows] = network(to_batch(split, rows, device).texts).cpu().numpy()
    network.train()
    return logits, split.labels


def score(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return accuracy (0..1) and mean negative log-likelihood (nats) of logits (reviews,)."""
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


def _copy(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in weights.items()}


def _archive(options: argparse.Namespace) -> str | None:
    """Return the archive of SageMaker's training channel, or the one that ``--archive`` names.

    Raises dataset.DataError when the channel has none.
    """
    if options.train:
        archives = sorted(Path(options.train).glob("*.tar.gz"))
        if not archives:
            raise dataset.DataError(f"no .tar.gz in {options.train}; put aclImdb_v1.tar.gz there")
        return str(archives[0])
    archive: str | None = options.archive
    return archive


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
