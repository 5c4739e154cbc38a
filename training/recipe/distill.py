"""Distill teachers: write their soft targets for unlabelled reviews and single sentences.

    python -m training.recipe.distill --teacher DIR --teacher DIR --transformer DIR --out FILE

The teachers are networks that train.py wrote, the n-gram model, and with ``--transformer`` the one that
transformer.py fine-tuned. The development split weighs them. A sentence's target joins the logits of
networks and transformer for the sentence alone with the label of its whole review. On hand-labelled
sentences that is right more often than either. The open half of
training/evaluation/cases/behaviour/sentences.jsonl fits its weights.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from training.data import corpus as corpora
from training.data import dataset, sentences
from training.evaluation import behaviour, metrics
from training.recipe import augment, ngrams, transformer
from training.recipe.augment import whole
from training.recipe.network import Network, Size
from training.recipe.ngrams import Ngrams
from training.recipe.pretrain import keep_memory
from training.recipe.train import predict
from training.recipe.transformer import Transformer
from vocab import vocabulary
from vocab.vocabulary import Vocabulary

CPU = torch.device("cpu")
# The weights are fitted on clear sentences; ordinary ones deserve softer targets.
SENTENCE_SOFTENING, MAX_SENTENCE_LOGIT = 0.7, 4.0


class Teachers(NamedTuple):
    """Hold all kinds of teachers: networks, whose logits are averaged, n-grams, and perhaps a transformer."""

    networks: Sequence[Network]
    grams: Ngrams
    transformer: Transformer | None

    @property
    def names(self) -> list[str]:
        """Return the kinds' names, in the order of the columns of ``review_logits``."""
        widths = ", ".join(str(network.size.hidden) for network in self.networks)
        names = [f"LSTM networks ({widths} states a direction)", "naive Bayes n-grams", transformer.NAME]
        return names[: 3 if self.transformer else 2]

    def review_logits(self, reviews: corpora.Split, texts: Sequence[str]) -> np.ndarray:
        """Return each kind's logits, float32 (reviews, kinds). ``texts`` are the same reviews as text."""
        columns = [mean_logits(self.networks, reviews), self.grams.logits(reviews.ids)]
        return np.stack(columns + self._transformer_logits(texts), axis=1)

    def sentence_logits(self, ids: list[np.ndarray], texts: Sequence[str]) -> np.ndarray:
        """Return the same for sentences, without the n-grams: a few words tell them too little."""
        none = np.zeros(len(ids), dtype=np.int8)
        split = corpora.Split([""] * len(ids), ids, whole(ids), none, none)
        return np.stack([mean_logits(self.networks, split), *self._transformer_logits(texts)], axis=1)

    def _transformer_logits(self, texts: Sequence[str]) -> list[np.ndarray]:
        if self.transformer is None:
            return []
        encoded = transformer.pieces(texts, transformer.pretrained_folder())
        return [transformer.logits(self.transformer, encoded, CPU)]


def load_network(folder: Path) -> Network:
    """Load a network from the folder that train.py wrote."""
    card = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    network = Network(Size(**card["size"]))
    network.load_state_dict(load_file(folder / "network.safetensors"))
    return network.eval()


def mean_logits(networks: Sequence[Network], split: corpora.Split) -> np.ndarray:
    """Return the networks' mean logit for each text, float32 (texts,)."""
    logits = [predict(network, split, CPU, batch=128)[0] for network in networks]
    mean: np.ndarray = np.mean(logits, axis=0)
    return mean


def blend(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the weights, float64 (kinds,), none below 0, of the sum of logits with the least NLL.

    Such a sum needs no temperature.

    :param logits: float (reviews, kinds)
    :param labels: 0 or 1, (reviews,)
    """
    signed = np.where(labels == 1, 1.0, -1.0)[:, None] * logits

    def loss(weights: np.ndarray) -> float:
        return float(np.logaddexp(0, -signed @ weights).mean())

    start = np.full(logits.shape[1], 1 / logits.shape[1])
    weights: np.ndarray = minimize(loss, start, method="L-BFGS-B", bounds=[(0, None)] * len(start)).x
    return weights


def fit_sentences(teachers: Teachers, data: dataset.Dataset, words: Vocabulary) -> LogisticRegression:
    """Fit the weights of a sentence's own logits and its review's label, on the open labelled sentences."""
    rows = [row for row in behaviour.load_sentences(data.development) if row["half"] == "open"]
    texts = [row["text"] for row in rows]
    own = teachers.sentence_logits(
        [np.array(words.encode_ids(text), dtype=np.int32) for text in texts], texts
    )
    leaning = np.array([1.0 if "/pos/" in row["review"] else -1.0 for row in rows])
    labels = np.array([row["label"] == "positive" for row in rows])
    features = np.column_stack([own, leaning])
    model = LogisticRegression(C=1.0).fit(features, labels)
    alone = ((own > 0) == labels[:, None]).mean(axis=0)
    print(
        f"distill: sentences alone {', '.join(f'{share:.3f}' for share in alone)},"
        f" together with the review's label {model.score(features, labels):.3f}"
    )
    return model


def distill(networks: Sequence[Path], tuned: Path | None, out: Path, archive: str | None) -> None:
    """Write the soft targets of unsup reviews and sentences.

    :param networks: folders of train.py
    :param tuned: the folder of transformer.py, if the transformer teaches too
    """
    corpus, words = corpora.load(archive), vocabulary.load()
    data = dataset.load(dataset.find_archive(archive))
    teachers = Teachers(
        [load_network(folder) for folder in networks],
        ngrams.fit(corpus.train.ids, corpus.train.labels),
        transformer.load(tuned) if tuned else None,
    )
    development, unsup = (
        teachers.review_logits(split, texts_of(split, reviews))
        for split, reviews in ((corpus.development, data.development), (corpus.unsup, data.unsup))
    )
    weights, kinds = weigh(teachers, development, corpus.development.labels)
    targets = metrics.probabilities_of(unsup @ weights).astype(np.float32)
    leaning = {review.name: 2.0 * review.label - 1 for review in data.train}
    leaning |= dict(zip(corpus.unsup.names, (2 * targets - 1).tolist(), strict=True))
    examples = sentence_targets(teachers, data, words, leaning)
    augment.save_soft_targets(augment.SoftTargets(targets, examples, kinds), out)
    print(f"distill: {len(targets):,} reviews and {len(examples.ids):,} sentences in {out}")


def weigh(
    teachers: Teachers, logits: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Return and print the weights of ``blend``, (kinds,), with name and accuracy of each kind.

    :param logits: of the development split, float32 (reviews, kinds)
    :param labels: 0 or 1, (reviews,)
    """
    weights = blend(logits, labels)
    kinds = [
        {
            "name": name,
            "weight": round(float(weight), 3),
            "development_accuracy": float(((column > 0) == labels).mean()),
        }
        for name, weight, column in zip(teachers.names, weights, logits.T, strict=True)
    ]
    for kind in kinds:
        print(
            f"distill: {kind['name']}: weight {kind['weight']:.2f},"
            f" development accuracy alone {kind['development_accuracy']:.4f}"
        )
    together = logits @ weights
    print(
        f"distill: together development accuracy {((together > 0) == labels).mean():.4f},"
        f" nll {metrics.nll(together, labels):.4f}"
    )
    return weights, kinds


def sentence_targets(
    teachers: Teachers, data: dataset.Dataset, words: Vocabulary, leaning: dict[str, float]
) -> augment.Examples:
    """Return sentences with their targets; ``leaning`` has each review's label or soft target, as -1..1."""
    cut = sentences.cut_all(data, words)
    own = teachers.sentence_logits(cut.ids, cut.texts)
    features = np.column_stack([own, [leaning.get(name, 0.0) for name in cut.reviews]])
    logits = fit_sentences(teachers, data, words).decision_function(features) * SENTENCE_SOFTENING
    logits = np.clip(logits, -MAX_SENTENCE_LOGIT, MAX_SENTENCE_LOGIT)
    return augment.Examples(cut.ids, whole(cut.ids), metrics.probabilities_of(logits).astype(np.float32))


def texts_of(split: corpora.Split, reviews: Sequence[dataset.Review]) -> list[str]:
    """Return the texts of an encoded split, which lacks reviews without a token."""
    texts = {review.name: review.text for review in reviews}
    return [texts[name] for name in split.names]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the teachers' soft targets.")
    parser.add_argument(
        "--teacher", type=Path, action="append", required=True, help="a trained network's folder"
    )
    parser.add_argument("--transformer", type=Path, help="the folder that transformer.py wrote")
    parser.add_argument("--out", type=Path, required=True, help="the file to write (.npz)")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    keep_memory()
    try:
        distill(options.teacher, options.transformer, options.out, options.archive)
    except FileNotFoundError as error:
        sys.exit(f"distill: no file {error.filename}; train the teachers first")
    except OSError as error:
        sys.exit(f"distill: a file can't be written or read ({error})")
    except (dataset.DataError, vocabulary.VocabularyError, transformer.TransformerError) as error:
        sys.exit(f"distill: {error}")


if __name__ == "__main__":
    main()
