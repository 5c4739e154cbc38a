"""The app that this one follows, written anew from its description: one LSTM over stems, no stop words.

Text: it removes markup, lowers the case and turns anything but a-z, A-Z and 0-9 into a space. It drops
NLTK's English stop words and takes Porter stems. The 4,998 most frequent stems of the train split have ids
2 to 4999; 1 is an infrequent stem, 0 is none. It reads the first 500 stems.

Network: an embedding of 32, an LSTM of 100, its output at the review's last stem, one linear unit, sigmoid.
Training: binary cross-entropy, Adam, 10 epochs; the last epoch is kept.

This version is faster than the old app was: it remembers stems and computes no padding.
"""

import json
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from training.baselines.scorers import Baseline, BaselineMissing, TrainingSource

STOP_WORDS = Path(__file__).with_name("stop_words.txt")
VOCABULARY_SIZE = 5000
INFREQUENT, FIRST_KNOWN = 1, 2
MAX_STEMS = 500
OPTIONS: dict[str, Any] = {
    "embedding": 32,
    "hidden": 100,
    "batch": 50,  # chosen on the development split; 512 learns less in 10 epochs
    "epochs": 10,
    "lr": 1e-3,
    "seed": 1,
}


def old_app(source: TrainingSource) -> Baseline:
    """Return the old app's network, trained on the train split. Raises BaselineMissing."""
    try:
        from safetensors.numpy import load_file, save_file
    except ImportError as error:
        raise BaselineMissing("the old app needs torch: pip install -r requirements/baselines.txt") from error
    options = {**OPTIONS, "epochs": 1} if source.limit else OPTIONS

    def make(folder: Path) -> None:
        reviews = [stems_of(review.text) for review in tqdm(source.train, desc="stemming", disable=None)]
        known = build_vocabulary(reviews)
        labels = np.array([review.label for review in source.train])
        weights = fit([encode(stems, known) for stems in reviews], labels, options)
        save_file(weights, folder / "weights.safetensors")
        (folder / "stems.json").write_text(json.dumps(known), encoding="utf-8")

    folder = source.keep("old-app", options, make)
    files = (folder / "weights.safetensors", folder / "stems.json", STOP_WORDS)
    known = json.loads(files[1].read_text(encoding="utf-8"))
    probabilities = _scorer(load_file(files[0]), options)

    def score(texts: Sequence[str]) -> list[float]:
        return [probabilities(encode(stems_of(text), known)) for text in texts]

    return Baseline("old app", score, files, "5,000 stems without stop words, one LSTM of 100; written anew")


# --- text ---------------------------------------------------------------------------------------


def stems_of(review: str) -> list[str]:
    """Return the stems that the old app read. "not" is a stop word, so it is gone.

    >>> stems_of("This movie is not good!")
    ['movi', 'good']
    """
    words = re.sub("[^a-zA-Z0-9]", " ", _without_markup(review).lower()).split()
    stop = stop_words()
    return [_stem(word) for word in words if word not in stop]


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Load NLTK's 179 English stop words. NLTK itself would download them."""
    return frozenset(STOP_WORDS.read_text(encoding="utf-8").split())


def build_vocabulary(reviews: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return the ids of the most frequent stems, from FIRST_KNOWN on."""
    counts = Counter(stem for stems in reviews for stem in stems)
    ranked = sorted(counts, key=lambda stem: (-counts[stem], stem))
    return {stem: FIRST_KNOWN + rank for rank, stem in enumerate(ranked[: VOCABULARY_SIZE - FIRST_KNOWN])}


def encode(stems: Sequence[str], known: dict[str, int]) -> np.ndarray:
    """Return the ids of the first MAX_STEMS stems, int64 (stems,), without padding."""
    return np.array([known.get(stem, INFREQUENT) for stem in stems[:MAX_STEMS]], dtype=np.int64)


def _without_markup(review: str) -> str:
    if "<" not in review and "&" not in review:
        return review
    from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        # No separator: "great<br />movie" becomes "greatmovie", as it did.
        return BeautifulSoup(review, "html.parser").get_text()


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return str(_stemmer().stem(word))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


# --- network ------------------------------------------------------------------------------------


def fit(ids: Sequence[np.ndarray], labels: np.ndarray, options: dict[str, Any]) -> dict[str, np.ndarray]:
    """Train on reviews and return the weights of the last epoch.

    :param ids: each review's ids, int64 (stems,)
    :param labels: 0 or 1, (reviews,)
    """
    import torch
    from torch.nn import functional as F

    torch.manual_seed(options["seed"])
    network = _network(options)
    optimizer = torch.optim.Adam(network.parameters(), lr=options["lr"])
    rows = np.array([row for row, review in enumerate(ids) if len(review)])
    chance = np.random.default_rng(options["seed"])
    for epoch in range(options["epochs"]):
        order = chance.permutation(rows)
        starts = range(0, len(order), options["batch"])
        progress = tqdm(starts, desc=f"old app, epoch {epoch + 1}", disable=None, mininterval=5)
        losses = []
        for start in progress:
            batch = order[start : start + options["batch"]]
            targets = torch.from_numpy(labels[batch].astype(np.float32))
            loss = F.binary_cross_entropy_with_logits(_logits(network, [ids[row] for row in batch]), targets)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            losses.append(loss.item())
            progress.set_postfix(loss=f"{np.mean(losses[-100:]):.3f}", refresh=False)
    return {name: value.detach().numpy() for name, value in network.state_dict().items()}


def _network(options: dict[str, Any]) -> Any:
    from torch import nn

    return nn.ModuleDict(
        {
            "embedding": nn.Embedding(VOCABULARY_SIZE, options["embedding"], padding_idx=0),
            "lstm": nn.LSTM(options["embedding"], options["hidden"]),
            "head": nn.Linear(options["hidden"], 1),
        }
    )


def _logits(network: Any, reviews: Sequence[np.ndarray]) -> Any:
    """Return logits, float32 (reviews,), of reviews that hold at least one stem each.

    A packed sequence ends each review at its own last stem. The output equals that of 500 padded steps, read
    at the last stem.
    """
    import torch
    from torch.nn.utils.rnn import pack_sequence

    embedded = [network["embedding"](torch.from_numpy(review)) for review in reviews]
    _, (last, _) = network["lstm"](pack_sequence(embedded, enforce_sorted=False))
    return network["head"](last[0]).squeeze(1)


def _scorer(weights: dict[str, np.ndarray], options: dict[str, Any]) -> Any:
    import torch

    network = _network(options)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})

    def probability(ids: np.ndarray) -> float:
        if not len(ids):
            return 0.5
        with torch.inference_mode():
            states, _ = network["lstm"](network["embedding"](torch.from_numpy(ids))[:, None])
            return float(torch.sigmoid(network["head"](states[-1])).item())

    return probability
