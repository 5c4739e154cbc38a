"""Teach the table and both LSTMs English film reviews, without labels: word vectors, then language models.

    python -m training.recipe.pretrain --out FILE     # without --out, a name of its own in the cache folder

Vectors: skip-gram with negative sampling (Mikolov et al. 2013), by gensim. Language models: each
LSTM predicts the next word in its reading direction, with a sampled softmax (Jean et al. 2015)
over a table shared between input and output. Only train and unsup reviews are read.
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

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from training.data import cache, dataset
from training.data import corpus as corpora
from training.recipe.network import Network, Size, init_lstm
from training.recipe.train_flags import add_flags
from training.recipe.workers import ALONE, Workers, leave, working
from vocab import vocabulary
from vocab.files import write_atomic
from vocab.vocabulary import PAD_ID

# The vectors' spread before they meet the LSTMs; gensim's own is about 0.25 at this width.
TABLE_STD = 0.4
ROWS = 128
CHUNK = 64
NEGATIVES = 256
LM_DROPOUT = 0.1
CPU = torch.device("cpu")
# Of mallopt(3): trim threshold, mmap threshold (32 MiB is its most), number of arenas.
MALLOC_OPTIONS = {-1: 2**30, -3: 2**25, -8: 1}


def pretrain(
    corpus: corpora.Corpus,
    size: Size,
    options: argparse.Namespace,
    out: Path | None = None,
    device: torch.device = CPU,
    workers: Workers = ALONE,
) -> Path:
    """Give the path of the pretrained weights: ``out``, made now, or a file of the cache folder.

    Of several processes the leading one learns the vectors and writes; all learn the language models. That
    file's name holds what the weights depend on, archive, vocabulary, size and options, so they are
    made once.
    """
    names = f"{corpus.archive_sha256[:8]}-{corpus.fingerprint}-{size.embedding}"
    recipe = f"v{options.vector_epochs}-l{options.lm_epochs:g}-s{options.pretrain_seed}"
    folder = cache.folder()
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"pretrained-{names}x{size.hidden}-{recipe}.safetensors"
    if workers.hear(out is None and kept.is_file()):
        if workers.leads:
            print(f"pretrain: found {kept}")
        return kept
    out = out or kept
    documents = corpus.train.ids + corpus.unsup.ids
    vectors_file = folder / f"vectors-{names}-v{options.vector_epochs}-s{options.pretrain_seed}.safetensors"
    if workers.leads and not vectors_file.is_file():
        table = train_vectors(documents, size, options.vector_epochs, options.pretrain_seed)
        write_atomic(vectors_file, save({"table": table}))
    table = workers.hear(load_file(vectors_file)["table"] if workers.leads else None)
    weights = train_language_models(documents, table, size, options, out, device, workers)
    if workers.leads:
        write_atomic(out, save(weights))
    return out


def train_vectors(documents: list[np.ndarray], size: Size, epochs: int, seed: int) -> Tensor:
    """Give word vectors, float32 (vocabulary, embedding), scaled to a spread of TABLE_STD."""
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


class LanguageModels(nn.Module):
    """Two LSTMs, one reading ahead and one backwards, over one table shared by input and output."""

    def __init__(self, table: Tensor, hidden: int) -> None:
        super().__init__()
        width = table.shape[1]
        self.table = nn.Parameter(table.clone())
        self.bias = nn.Parameter(torch.zeros(len(table)))
        self.ahead = nn.LSTM(width, hidden, batch_first=True)
        self.behind = nn.LSTM(width, hidden, batch_first=True)
        self.to_table = nn.Linear(hidden, width, bias=False)
        for lstm in (self.ahead, self.behind):
            init_lstm(lstm)
        nn.init.orthogonal_(self.to_table.weight)

    def loss(self, lstm: nn.LSTM, ids: Tensor, targets: Tensor, state, sampler: "Sampler"):
        """Give the sampled-softmax loss of a chunk (rows, tokens) and the LSTM's last state."""
        wanted, negatives = targets.flatten(), sampler.draw(NEGATIVES)
        # One look-up in the big table a chunk: each further one costs a gradient of the table's size.
        used, at = torch.unique(torch.cat([ids.flatten(), wanted, negatives]), return_inverse=True)
        rows, shift = F.embedding(used, self.table), (self.bias - sampler.log_odds)[used]
        at_ids, at_wanted, at_negatives = at.split([ids.numel(), wanted.numel(), NEGATIVES])
        embedded = F.embedding(at_ids.view_as(ids), rows) * keep_channels(ids, rows.shape[1])
        states, state = lstm(embedded, state)
        guess = self.to_table(states * keep_channels(ids, states.shape[2])).flatten(0, 1)
        right = (guess * F.embedding(at_wanted, rows)).sum(1) + shift[at_wanted]
        wrong = torch.addmm(shift[at_negatives], guess, F.embedding(at_negatives, rows).T)
        wrong = wrong.masked_fill(at_wanted[:, None] == at_negatives[None], -1e4)
        # Cross-entropy with the right word in front of the drawn ones.
        loss = (torch.logaddexp(wrong.float().logsumexp(1), right.float()) - right.float()).mean()
        return loss, tuple(part.detach() for part in state)


def keep_channels(ids: Tensor, width: int) -> Tensor:
    """Give a dropout mask (rows, 1, width): whole channels of a row, cheap to draw."""
    keep = torch.empty(len(ids), 1, width, device=ids.device).bernoulli_(1 - LM_DROPOUT)
    return keep / (1 - LM_DROPOUT)


class Sampler:
    """Draw negatives by a word's frequency; log_odds corrects the softmax for that choice."""

    def __init__(self, ids: np.ndarray, vocabulary_size: int, device: torch.device) -> None:
        counts = np.bincount(ids, minlength=vocabulary_size).astype(np.float64) + 1e-3
        share = counts**0.75
        share /= share.sum()
        self.cumulative = torch.from_numpy(np.cumsum(share)).to(device)
        self.log_odds = torch.from_numpy(np.log(share * NEGATIVES)).float().to(device)

    def draw(self, count: int) -> Tensor:
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
    """Train both language models and give the weights that a Network starts from.

    Each of several processes reads its own rows of a chunk.
    """
    torch.manual_seed(options.pretrain_seed)  # the same first weights everywhere
    models = LanguageModels(table, size.hidden).to(device)
    tables = [models.table, models.bias]
    others = [p for p in models.parameters() if all(p is not t for t in tables)]
    optimizer = torch.optim.AdamW(
        [{"params": others, "lr": 4e-3}, {"params": tables, "lr": 1e-3}],
        betas=(0.9, 0.98),
        weight_decay=0.0,
        fused=True,
    )
    tokens = sum(len(ids) + 1 for ids in documents)
    steps = max(1, int(tokens * options.lm_epochs) // (ROWS * CHUNK))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: one_cycle(s / steps))
    sampler = Sampler(np.concatenate(documents), size.vocabulary, device)
    checkpoint = out.with_suffix(".checkpoint.pt")
    of = {"tokens": tokens, "steps": steps, "size": list(size), "seed": options.pretrain_seed}
    saved = workers.hear(_load_checkpoint(checkpoint, of) if workers.leads else None)
    done = _resume(saved, models, optimizer, schedule) if saved else 0
    torch.manual_seed(options.pretrain_seed * workers.count + workers.rank)  # own noise and negatives
    bf16 = uses_bf16(device)
    stream = chunks(documents, options.pretrain_seed, device, done)
    states = {"ahead": None, "behind": None}
    progress = tqdm(
        total=steps,
        initial=done,
        desc="language models",
        disable=None if workers.leads else True,
        mininterval=10,
    )
    shown = 0.0
    for step in range(done, steps):
        pieces = next(stream)
        for name, piece in pieces.items():
            ids, targets = (rows[workers.rank :: workers.count] for rows in piece)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                loss, states[name] = models.loss(getattr(models, name), ids, targets, states[name], sampler)
            loss.backward()
            shown = 0.98 * shown + 0.01 * loss.item() if shown else loss.item()
        workers.average_gradients(models.parameters())
        nn.utils.clip_grad_norm_(others, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        progress.update()
        if step % 100 == 99:
            progress.set_postfix(loss=f"{shown:.3f}")
        if workers.leads and step % 500 == 499:
            _checkpoint(checkpoint, of, models, optimizer, schedule, step + 1)
    progress.close()
    if workers.leads:
        print(f"pretrain: language models, loss {shown:.3f} after {steps} steps")
    network = Network(size)
    weights = network.state_dict()
    weights["embedding.weight"] = models.table.detach().cpu()
    weights["embedding.weight"][PAD_ID] = 0
    for ours, theirs in (("forward_lstm", models.ahead), ("backward_lstm", models.behind)):
        for key, value in theirs.state_dict().items():
            weights[f"{ours}.{key}"] = value.detach().cpu()
    if workers.leads:
        checkpoint.unlink(missing_ok=True)
    return {key: value.contiguous() for key, value in weights.items() if not key.startswith("head")}


def chunks(
    documents: list[np.ndarray], seed: int, device: torch.device, skip: int
) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """Yield chunks of ROWS x CHUNK ids and their next ids, for ever, in both reading directions."""
    step = 0
    for epoch in range(10**6):
        order = np.random.default_rng(seed + epoch).permutation(len(documents))
        gap = np.array([PAD_ID], dtype=np.int32)
        stream = np.concatenate([part for index in order for part in (gap, documents[index])])
        width = (len(stream) - 1) // ROWS
        rows = {"ahead": stream, "behind": stream[::-1]}
        for start in range(0, width - CHUNK, CHUNK):
            step += 1
            if step <= skip:
                continue
            pieces = {}
            for name, line in rows.items():
                block = np.stack([line[row * width + start :][: CHUNK + 1] for row in range(ROWS)]).astype(
                    np.int64
                )
                both = torch.from_numpy(block).to(device)
                pieces[name] = (both[:, :-1], both[:, 1:])
            yield pieces


def one_cycle(done: float, warm: float = 0.1) -> float:
    """Give the learning rate's share at a point of the run: up for ``warm``, then a cosine down."""
    if done < warm:
        return done / warm + 1e-3
    return 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm))) + 1e-3


def uses_bf16(device: torch.device) -> bool:
    """Say whether bfloat16 is faster than float32 here: on GPUs, and on CPUs with its instructions."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def keep_memory() -> None:
    """Let glibc keep what is freed: a step's gradients handed back and fetched anew cost half of its time."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:  # another system's allocator has its own ways
        return
    for option, value in MALLOC_OPTIONS.items():
        libc.mallopt(option, value)


def _checkpoint(path: Path, of: dict, models, optimizer, schedule, step: int) -> None:
    packed = io.BytesIO()
    torch.save(
        {
            "of": of,
            "models": models.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "step": step,
        },
        packed,
    )
    write_atomic(path, packed.getvalue())


def _load_checkpoint(path: Path, of: dict) -> dict | None:
    if not path.is_file():
        return None
    saved = torch.load(path, weights_only=True)
    if saved.get("of") != of:
        print(f"pretrain: {path} is of another run; starting anew")
        return None
    print(f"pretrain: going on from step {saved['step']}")
    return saved


def _resume(saved: dict, models, optimizer, schedule) -> int:
    models.load_state_dict(saved["models"])
    optimizer.load_state_dict(saved["optimizer"])
    schedule.load_state_dict(saved["schedule"])
    return saved["step"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Pretrain vectors and language models on raw reviews.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--embedding", type=int, default=128, help="width of an embedding (default 128)")
    parser.add_argument("--hidden", type=int, default=128, help="LSTM states a direction (default 128)")
    parser.add_argument("--out", type=Path, help="the file to write (default: in the cache folder)")
    add_flags(parser)
    options = parser.parse_args()
    keep_memory()
    try:
        with working() as (workers, device):
            with workers.first_on_host():  # the others find the encoded reviews in the cache
                corpus = corpora.load(options.archive)
            size = Size(vocabulary.load().size, options.embedding, options.hidden)
            path = pretrain(corpus, size, options, options.out, device, workers)
            if workers.leads:
                print(path)
    except (dataset.DataError, vocabulary.VocabularyError) as error:
        sys.exit(f"pretrain: {error}")
    except OSError as error:
        sys.exit(f"pretrain: the cache folder {cache.folder()} can't be used ({error.strerror})")


if __name__ == "__main__":
    main()
    leave()
