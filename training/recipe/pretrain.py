"""Teach the table and both LSTMs English film reviews, without labels: word vectors, then language models.

    python -m training.recipe.pretrain --out FILE     # without --out, a name of its own in the cache folder

Vectors: skip-gram with negative sampling (Mikolov et al. 2013), by gensim, joined with MPNet's vectors
of words (word_vectors.py). Language models: each LSTM predicts the next word in its reading direction,
with a sampled softmax (Jean et al. 2015) over a table shared between input and output. Only train and
unsup reviews are read.
"""

import argparse
import ctypes
import io
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from training.data import cache, dataset
from training.data import corpus as corpora
from training.recipe import word_vectors
from training.recipe.network import Size, init_lstm
from training.recipe.train_flags import add_pretraining
from training.recipe.workers import ALONE, Workers, leave, working
from vocab import vocabulary
from vocab.files import sha256_of, write_atomic
from vocab.vocabulary import PAD_ID

# The vectors' spread before they meet the LSTMs; gensim's own is about 0.25 at this width.
TABLE_STD = 0.4
# A step reads ROWS x CHUNK tokens in each direction, against NEGATIVES drawn words.
ROWS = 128
CHUNK = 64
NEGATIVES = 256
LM_DROPOUT = 0.1
LSTM_LR, TABLE_LR = 4e-3, 1e-3
CHECKPOINT_STEPS = 500
CPU = torch.device("cpu")
# Of mallopt(3): trim threshold, mmap threshold (32 MiB is its most), number of arenas.
MALLOC_OPTIONS = {-1: 2**30, -3: 2**25, -8: 1}

# For each reading direction, ids and their next ids, int64 (rows, tokens) each.
Chunk = dict[str, tuple[Tensor, Tensor]]
# An LSTM's hidden and cell state, float32 (1, rows, hidden) each.
State = tuple[Tensor, Tensor]


def pretrain(
    corpus: corpora.Corpus,
    size: Size,
    options: argparse.Namespace,
    out: Path | None = None,
    device: torch.device = CPU,
    workers: Workers = ALONE,
) -> Path:
    """Return the path of the pretrained weights: ``out``, made now, or a file of the cache folder.

    That file's name holds what the weights depend on: archive, vocabulary, size and options. They are
    made once. The main process learns the vectors and writes; all learn the language models.
    """
    names = f"{corpus.archive_sha256[:8]}-{corpus.fingerprint}-{size.embedding}"
    vectors = f"v{options.vector_epochs}-m{sha256_of(word_vectors.STORED)[:8]}"
    recipe = f"{vectors}-l{options.lm_epochs:g}-s{options.pretrain_seed}"
    folder = cache.folder()
    folder.mkdir(parents=True, exist_ok=True)
    cached = folder / f"pretrained-{names}x{size.hidden}-{recipe}.safetensors"
    if workers.broadcast(out is None and cached.is_file()):
        if workers.is_main:
            print(f"pretrain: found {cached}")
        return cached
    out = out or cached
    documents = corpus.train.ids + corpus.unsup.ids
    vectors_file = folder / f"vectors-{names}-{vectors}-s{options.pretrain_seed}.safetensors"
    if workers.is_main and not vectors_file.is_file():
        table = train_vectors(documents, size, options.vector_epochs, options.pretrain_seed)
        table = join_vectors(table, documents, vocabulary.load())
        write_atomic(vectors_file, save({"table": table}))
    table = workers.broadcast(load_file(vectors_file)["table"] if workers.is_main else None)
    weights = train_language_models(documents, table, size, options, out, device, workers)
    if workers.is_main:
        write_atomic(out, save(weights))
    return out


def train_vectors(documents: list[np.ndarray], size: Size, epochs: int, seed: int) -> Tensor:
    """Return word vectors, float32 (vocabulary, embedding), scaled to a spread of TABLE_STD.

    :param documents: reviews as ids, int32 (tokens,) each
    """
    from gensim.models import Word2Vec

    began = time.monotonic()
    sentences = [[str(number) for number in ids] for ids in documents]
    model = Word2Vec(
        sentences,
        vector_size=size.embedding,
        window=5,
        sg=1,
        negative=8,
        sample=1e-4,
        min_count=1,
        epochs=epochs,
        workers=os.cpu_count() or 1,
        seed=seed,
    )
    table = torch.randn(size.vocabulary, size.embedding, generator=torch.manual_seed(seed))
    known = np.array([int(key) for key in model.wv.index_to_key])
    vectors = torch.from_numpy(model.wv.vectors)
    table *= vectors.std() * 0.1
    table[known] = vectors
    table *= TABLE_STD / vectors.std()
    table[PAD_ID] = 0
    print(f"pretrain: {epochs} epochs of word vectors in {time.monotonic() - began:.0f} s")
    return table


def join_vectors(table: Tensor, documents: list[np.ndarray], words: vocabulary.Vocabulary) -> Tensor:
    """Return the vectors of words that occur, joined with MPNet's, and the others as they are.

    :param table: float32 (vocabulary, embedding), of ``train_vectors``
    :param documents: reviews as ids, int32 (tokens,) each
    """
    counts = np.bincount(np.concatenate(documents), minlength=len(table))
    used = np.flatnonzero(counts)
    mpnet = word_vectors.load(words.stems, len(table))
    joined = torch.from_numpy(word_vectors.join(table.numpy()[used], mpnet[used], counts[used]))
    table = table.clone()
    table[used] = joined * TABLE_STD / joined.std()
    return table


class LanguageModels(nn.Module):
    """Two LSTMs, one reading forward and one backward, over one table shared by input and output."""

    def __init__(self, table: Tensor, hidden: int) -> None:
        super().__init__()
        width = table.shape[1]
        self.table = nn.Parameter(table.clone())
        self.bias = nn.Parameter(torch.zeros(len(table)))
        self.forward_lstm = nn.LSTM(width, hidden, batch_first=True)
        self.backward_lstm = nn.LSTM(width, hidden, batch_first=True)
        self.to_table = nn.Linear(hidden, width, bias=False)
        for lstm in self.lstms.values():
            init_lstm(lstm)
        nn.init.orthogonal_(self.to_table.weight)

    @property
    def lstms(self) -> dict[str, nn.LSTM]:
        """Return the LSTM of each reading direction."""
        return {"forward": self.forward_lstm, "backward": self.backward_lstm}

    def loss(
        self, lstm: nn.LSTM, ids: Tensor, targets: Tensor, state: State | None, sampler: "Sampler"
    ) -> tuple[Tensor, State]:
        """Return the sampled-softmax loss of a chunk and the LSTM's last state.

        :param ids: int64 (rows, tokens)
        :param targets: the next ids, int64 (rows, tokens)
        :param state: the state after the chunk before; none at the start
        :returns: the mean loss in nats, float32 (), and the state, cut off from the gradient
        """
        next_ids, negatives = targets.flatten(), sampler.draw(NEGATIVES)
        # One look-up in the big table a chunk: each further one costs a gradient of the table's size.
        used, at = torch.unique(torch.cat([ids.flatten(), next_ids, negatives]), return_inverse=True)
        rows, shift = F.embedding(used, self.table), (self.bias - sampler.log_odds)[used]
        sizes = (ids.numel(), next_ids.numel())
        at_ids, at_next, at_negatives = at.tensor_split((sizes[0], sum(sizes)))
        embedded = F.embedding(at_ids.view_as(ids), rows) * channel_mask(ids, rows.shape[1])
        states, (hidden, cell) = lstm(embedded, state)
        guess = self.to_table(states * channel_mask(ids, states.shape[2])).flatten(0, 1)
        right = (guess * F.embedding(at_next, rows)).sum(1) + shift[at_next]
        wrong = torch.addmm(shift[at_negatives], guess, F.embedding(at_negatives, rows).T)
        wrong = wrong.masked_fill(at_next[:, None] == at_negatives[None], -1e4)
        # Cross-entropy with the right word in front of the drawn ones.
        loss = (torch.logaddexp(wrong.float().logsumexp(1), right.float()) - right.float()).mean()
        return loss, (hidden.detach(), cell.detach())


def channel_mask(ids: Tensor, width: int) -> Tensor:
    """Return a dropout mask, float32 (rows, 1, width): whole channels of a row, cheap to draw."""
    mask = torch.empty(len(ids), 1, width, device=ids.device).bernoulli_(1 - LM_DROPOUT)
    return mask / (1 - LM_DROPOUT)


class Sampler:
    """Draw negatives by a word's frequency.

    ``log_odds``, float32 (vocabulary,), corrects the softmax for that choice.
    """

    def __init__(self, ids: np.ndarray, vocabulary_size: int, device: torch.device) -> None:
        counts = np.bincount(ids, minlength=vocabulary_size).astype(np.float64) + 1e-3
        share = counts**0.75
        share /= share.sum()
        self.cumulative = torch.from_numpy(np.cumsum(share)).to(device)
        self.log_odds = torch.from_numpy(np.log(share * NEGATIVES)).float().to(device)

    def draw(self, count: int) -> Tensor:
        """Return ``count`` ids, int64 (count,)."""
        drawn = torch.rand(count, dtype=torch.float64, device=self.cumulative.device)
        return torch.searchsorted(self.cumulative, drawn).clamp(max=len(self.cumulative) - 1)


def train_language_models(
    documents: list[np.ndarray],
    table: Tensor,
    size: Size,
    options: argparse.Namespace,
    out: Path,
    device: torch.device = CPU,
    workers: Workers = ALONE,
) -> dict[str, Tensor]:
    """Train both language models and return the weights that a Network starts from.

    Each process reads its own rows of a chunk. A checkpoint beside ``out`` continues a stopped run.

    :param documents: reviews as ids, int32 (tokens,) each
    :param table: word vectors, float32 (vocabulary, embedding)
    """
    run = _Run(documents, table, size, options, out.with_suffix(".checkpoint.pt"), device, workers)
    run.resume()
    run.train()
    if workers.is_main:
        run.checkpoint.unlink(missing_ok=True)
    return network_weights(run.models)


class _Run:
    """A training of the language models that can be stopped and resumed."""

    def __init__(
        self,
        documents: list[np.ndarray],
        table: Tensor,
        size: Size,
        options: argparse.Namespace,
        checkpoint: Path,
        device: torch.device,
        workers: Workers,
    ) -> None:
        self.documents, self.seed, self.checkpoint = documents, options.pretrain_seed, checkpoint
        self.device, self.workers, self.bf16 = device, workers, uses_bf16(device)
        torch.manual_seed(self.seed)  # the same first weights everywhere
        self.models = LanguageModels(table, size.hidden).to(device)
        tables = [self.models.table, self.models.bias]
        self.others = [p for p in self.models.parameters() if all(p is not t for t in tables)]
        self.optimizer = torch.optim.AdamW(
            [{"params": self.others, "lr": LSTM_LR}, {"params": tables, "lr": TABLE_LR}],
            betas=(0.9, 0.98),
            weight_decay=0.0,
            fused=True,
        )
        tokens = sum(len(ids) + 1 for ids in documents)
        self.steps = max(1, int(tokens * options.lm_epochs) // (ROWS * CHUNK))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: one_cycle(step / self.steps)
        )
        self.sampler = Sampler(np.concatenate(documents), size.vocabulary, device)
        self.states: dict[str, State | None] = dict.fromkeys(self.models.lstms)
        self.step = 0
        self.loss = 0.0  # smoothed over the steps, in nats
        # A checkpoint of another run is not used.
        self.identity = {"tokens": tokens, "steps": self.steps, "size": [*size[:3]], "seed": self.seed}

    def train(self) -> None:
        """Run the steps that are left; write a checkpoint now and then."""
        workers = self.workers
        torch.manual_seed(self.seed * workers.world_size + workers.rank)  # own noise and negatives
        stream = chunks(self.documents, self.seed, self.device, self.step)
        progress = tqdm(
            total=self.steps,
            initial=self.step,
            desc="language models",
            disable=None if workers.is_main else True,
            mininterval=10,
        )
        while self.step < self.steps:
            self._train_step(next(stream))
            progress.update()
            if self.step % 100 == 0:
                progress.set_postfix(loss=f"{self.loss:.3f}")
            if workers.is_main and self.step % CHECKPOINT_STEPS == 0:
                self._save_checkpoint()
        progress.close()
        if workers.is_main:
            print(f"pretrain: language models, loss {self.loss:.3f} after {self.steps} steps")

    def _train_step(self, chunk: Chunk) -> None:
        workers = self.workers
        for direction, lstm in self.models.lstms.items():
            ids, targets = (rows[workers.rank :: workers.world_size] for rows in chunk[direction])
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                loss, self.states[direction] = self.models.loss(
                    lstm, ids, targets, self.states[direction], self.sampler
                )
            torch.autograd.backward(loss)
            self.loss = 0.98 * self.loss + 0.01 * loss.item() if self.loss else loss.item()
        workers.average_gradients(self.models.parameters())
        nn.utils.clip_grad_norm_(self.others, 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1

    def _save_checkpoint(self) -> None:
        state = {
            "run": self.identity,
            "models": self.models.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
        }
        packed = io.BytesIO()
        torch.save(state, packed)
        write_atomic(self.checkpoint, packed.getvalue())

    def resume(self) -> None:
        """Continue after the checkpoint's step, if there is a checkpoint of this run."""
        state = self.workers.broadcast(self._load_checkpoint() if self.workers.is_main else None)
        if state is None:
            return
        self.models.load_state_dict(state["models"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.step = state["step"]

    def _load_checkpoint(self) -> dict[str, Any] | None:
        if not self.checkpoint.is_file():
            return None
        state: dict[str, Any] = torch.load(self.checkpoint, weights_only=True)
        if state.get("run") != self.identity:
            print(f"pretrain: {self.checkpoint} is of another run; starting anew")
            return None
        print(f"pretrain: going on from step {state['step']}")
        return state


def network_weights(models: LanguageModels) -> dict[str, Tensor]:
    """Return a Network's weights from the language models': the table's and both LSTMs'."""
    table = models.table.detach().cpu()
    table[PAD_ID] = 0
    weights = {"embedding.weight": table}
    for direction, lstm in models.lstms.items():
        for key, value in lstm.state_dict().items():
            weights[f"{direction}_lstm.{key}"] = value.detach().cpu()
    return {key: value.contiguous() for key, value in weights.items()}


def chunks(documents: list[np.ndarray], seed: int, device: torch.device, skip: int) -> Iterator[Chunk]:
    """Yield chunks of ROWS x CHUNK ids and their next ids, for ever, in both reading directions.

    :param documents: reviews as ids, int32 (tokens,) each
    :param skip: the number of chunks to leave out at the start
    """
    step = 0
    for epoch in range(10**6):
        order = np.random.default_rng(seed + epoch).permutation(len(documents))
        gap = np.array([PAD_ID], dtype=np.int32)
        stream = np.concatenate([part for index in order for part in (gap, documents[index])])
        width = (len(stream) - 1) // ROWS
        lines = {"forward": stream, "backward": stream[::-1]}
        for start in range(0, width - CHUNK, CHUNK):
            step += 1
            if step <= skip:
                continue
            chunk: Chunk = {}
            for direction, line in lines.items():
                rows = [line[row * width + start :][: CHUNK + 1] for row in range(ROWS)]
                block = torch.from_numpy(np.stack(rows).astype(np.int64)).to(device)
                chunk[direction] = (block[:, :-1], block[:, 1:])
            yield chunk


def one_cycle(done: float, warm: float = 0.1) -> float:
    """Return the learning rate's share at a point of the run, 0..1: up for ``warm``, then a cosine down."""
    if done < warm:
        return done / warm + 1e-3
    return 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm))) + 1e-3


def uses_bf16(device: torch.device) -> bool:
    """Return whether bfloat16 is faster than float32 here: on GPUs, and on CPUs with its instructions."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def keep_memory() -> None:
    """Make glibc keep freed memory: to return a step's gradients and fetch them anew costs half its time."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:  # not glibc: another allocator has other options
        return
    for option, value in MALLOC_OPTIONS.items():
        libc.mallopt(option, value)


def main() -> None:
    parser = argparse.ArgumentParser(description="Pretrain vectors and language models on raw reviews.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--embedding", type=int, default=128, help="width of an embedding (default 128)")
    parser.add_argument("--hidden", type=int, default=94, help="LSTM states a direction (default 94)")
    parser.add_argument("--out", type=Path, help="the file to write (default: in the cache folder)")
    add_pretraining(parser)
    options = parser.parse_args()
    keep_memory()
    try:
        with working() as (workers, device):
            with workers.first_on_host():  # the others find the encoded reviews in the cache
                corpus = corpora.load(options.archive)
            size = Size(vocabulary.load().size, options.embedding, options.hidden)
            path = pretrain(corpus, size, options, options.out, device, workers)
            if workers.is_main:
                print(path)
    except (dataset.DataError, vocabulary.VocabularyError) as error:
        sys.exit(f"pretrain: {error}")
    except OSError as error:
        sys.exit(f"pretrain: the cache folder {cache.folder()} can't be used ({error.strerror})")


if __name__ == "__main__":
    main()
    leave()
