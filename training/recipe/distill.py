"""Distill teachers: write their soft targets for unlabelled reviews and single sentences.

    python -m training.recipe.distill --teacher DIR --mpnet FILE --out FILE

The teachers are networks that train.py wrote, the n-gram model, and with ``--mpnet`` the logits that
mpnet_logits.py wrote. The development split weighs them: once for all reviews, and once with MPNet for the
doubtful ones, which it has judged. A sentence's target joins the logits for the sentence alone with the
label of its whole review. On hand-labelled sentences that is right more often than either. The open half
of training/evaluation/cases/behaviour/sentences.jsonl fits its weights.
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
from training.recipe import augment, mpnet_logits, ngrams
from training.recipe.augment import whole
from training.recipe.mpnet_logits import DOUBT, Logits
from training.recipe.network import Network, Size
from training.recipe.ngrams import Ngrams
from training.recipe.pretrain import keep_memory
from training.recipe.train import predict
from training.recipe.transformer import TransformerError
from vocab import vocabulary
from vocab.vocabulary import Vocabulary

CPU = torch.device("cpu")
MPNET = "all-mpnet-base-v2, fine-tuned"
# The weights are fitted on clear sentences; ordinary ones deserve softer targets.
SENTENCE_SOFTENING, MAX_SENTENCE_LOGIT = 0.7, 4.0


class Teachers(NamedTuple):
    """Hold the teachers: networks, whose logits are averaged, n-grams, and perhaps MPNet's logits."""

    networks: Sequence[Network]
    grams: Ngrams
    mpnet: Logits | None

    @property
    def names(self) -> list[str]:
        """Return the kinds' names, in the order of the columns of ``review_logits``, MPNet's last."""
        widths = ", ".join(str(network.size.hidden) for network in self.networks)
        return [f"LSTM networks ({widths} states a direction)", "naive Bayes n-grams", MPNET]

    def review_logits(self, reviews: corpora.Split) -> np.ndarray:
        """Return the networks' and the n-grams' logits, float32 (reviews, 2)."""
        return np.stack([mean_logits(self.networks, reviews), self.grams.logits(reviews.ids)], axis=1)

    def sentence_logits(self, ids: list[np.ndarray], judged: np.ndarray) -> np.ndarray:
        """Return the networks' logits and MPNet's, float32 (sentences, 2).

        The n-grams say nothing: a few words tell them too little.
        """
        none = np.zeros(len(ids), dtype=np.int8)
        split = corpora.Split([""] * len(ids), ids, whole(ids), none, none)
        return np.stack([mean_logits(self.networks, split), judged], axis=1)


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


def distill(networks: Sequence[Path], judged: Path | None, out: Path, archive: str | None) -> None:
    """Write the soft targets of unsup reviews and sentences.

    :param networks: folders of train.py
    :param judged: the file of mpnet_logits.py, if MPNet teaches too
    """
    corpus, words = corpora.load(archive), vocabulary.load()
    data = dataset.load(dataset.find_archive(archive))
    teachers = Teachers(
        [load_network(folder) for folder in networks],
        ngrams.fit(corpus.train.ids, corpus.train.labels),
        mpnet_logits.load(judged) if judged else None,
    )
    targets, kinds = review_targets(teachers, corpus, data)
    leaning = {review.name: 2.0 * review.label - 1 for review in data.train}
    leaning |= dict(zip(corpus.unsup.names, (2 * targets - 1).tolist(), strict=True))
    examples = sentence_targets(teachers, data, words, leaning)
    augment.save_soft_targets(augment.SoftTargets(targets, examples, kinds), out)
    print(f"distill: {len(targets):,} reviews and {len(examples.ids):,} sentences in {out}")


def review_targets(
    teachers: Teachers, corpus: corpora.Corpus, data: dataset.Dataset
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Return P(positive) of the unsup reviews, float32 (reviews,), and each kind's name, weight and accuracy.

    The weight of MPNet is its own among the doubtful reviews.
    """
    labels = corpus.development.labels
    development, unsup = (teachers.review_logits(split) for split in (corpus.development, corpus.unsup))
    weights = blend(development, labels)
    together, logits = development @ weights, unsup @ weights
    report("without MPNet", together, labels)
    columns, shares = [*development.T], [*weights]
    if teachers.mpnet:
        own = _in_order(teachers.mpnet.development, data.development, corpus.development)
        other = _in_order(teachers.mpnet.unsup, data.unsup, corpus.unsup)
        # All of the development split is judged, and what is doubtful of the unsup reviews.
        doubtful = np.abs(metrics.probabilities_of(together) - 0.5) < 0.5 - DOUBT
        with_mpnet = np.column_stack([development, own])
        second = blend(with_mpnet[doubtful], labels[doubtful])
        together[doubtful] = with_mpnet[doubtful] @ second
        judged = ~np.isnan(other)
        logits[judged] = np.column_stack([unsup, other])[judged] @ second
        report("with MPNet for the doubtful reviews", together, labels)
        columns, shares = [*columns, own], [*shares, second[-1]]
    kinds = [
        {
            "name": name,
            "weight": round(float(weight), 3),
            "development_accuracy": float(((column > 0) == labels).mean()),
        }
        for name, weight, column in zip(teachers.names, shares, columns, strict=False)
    ]
    for kind in kinds:
        print(
            f"distill: {kind['name']}: weight {kind['weight']:.2f},"
            f" development accuracy alone {kind['development_accuracy']:.4f}"
        )
    return metrics.probabilities_of(logits).astype(np.float32), kinds


def report(name: str, logits: np.ndarray, labels: np.ndarray) -> None:
    """Print accuracy and log loss of logits, float (reviews,), on the development split."""
    accuracy = ((logits > 0) == labels).mean()
    print(f"distill: {name}: development accuracy {accuracy:.4f}, nll {metrics.nll(logits, labels):.4f}")


def sentence_targets(
    teachers: Teachers, data: dataset.Dataset, words: Vocabulary, leaning: dict[str, float]
) -> augment.Examples:
    """Return sentences with their targets; ``leaning`` has each review's label or soft target, as -1..1."""
    rows = behaviour.load_sentences(data.development)
    open_half = np.array([row["half"] == "open" for row in rows])
    labelled_ids = [np.array(words.encode_ids(row["text"]), dtype=np.int32) for row in rows]
    cut = sentences.cut_all(data, words)
    labelled_judged = teachers.mpnet.labelled if teachers.mpnet else np.full(len(rows), np.nan)
    judged = teachers.mpnet.sentences if teachers.mpnet else np.full(len(cut.ids), np.nan)
    labelled = np.column_stack(
        [
            teachers.sentence_logits(labelled_ids, labelled_judged),
            [1.0 if "/pos/" in row["review"] else -1.0 for row in rows],
        ]
    )[open_half]
    labels = np.array([row["label"] == "positive" for row in rows])[open_half]
    features = np.column_stack(
        [teachers.sentence_logits(cut.ids, judged), [leaning.get(name, 0.0) for name in cut.reviews]]
    )
    logits = np.zeros(len(features))
    for columns, chosen in (([0, 2], np.isnan(judged)), ([0, 1, 2], ~np.isnan(judged))):
        if chosen.any():
            model = fit_sentences(labelled[:, columns], labels)
            logits[chosen] = model.decision_function(features[chosen][:, columns])
    logits = np.clip(logits * SENTENCE_SOFTENING, -MAX_SENTENCE_LOGIT, MAX_SENTENCE_LOGIT)
    return augment.Examples(cut.ids, whole(cut.ids), metrics.probabilities_of(logits).astype(np.float32))


def fit_sentences(features: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    """Fit the weights of a sentence's logits and its review's label, on labelled sentences.

    :param features: float (sentences, teachers + 1), the review's label last
    :param labels: bool (sentences,)
    """
    model = LogisticRegression(C=1.0).fit(features, labels)
    alone = ((features[:, :-1] > 0) == labels[:, None]).mean(axis=0)
    print(
        f"distill: sentences alone {', '.join(f'{share:.3f}' for share in alone)},"
        f" together with the review's label {model.score(features, labels):.3f}"
    )
    return model


def _in_order(column: np.ndarray, reviews: Sequence[dataset.Review], split: corpora.Split) -> np.ndarray:
    """Return a column of all reviews as one of an encoded split, which lacks reviews without a token."""
    rows = {review.name: row for row, review in enumerate(reviews)}
    ordered: np.ndarray = column[[rows[name] for name in split.names]]
    return ordered


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the teachers' soft targets.")
    parser.add_argument(
        "--teacher", type=Path, action="append", required=True, help="a trained network's folder"
    )
    parser.add_argument("--mpnet", type=Path, help="the file that mpnet_logits.py wrote (.npz)")
    parser.add_argument("--out", type=Path, required=True, help="the file to write (.npz)")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    keep_memory()
    try:
        distill(options.teacher, options.mpnet, options.out, options.archive)
    except FileNotFoundError as error:
        sys.exit(f"distill: no file {error.filename}; train the teachers first")
    except OSError as error:
        sys.exit(f"distill: a file can't be written or read ({error})")
    except (dataset.DataError, vocabulary.VocabularyError, TransformerError) as error:
        sys.exit(f"distill: {error}")


if __name__ == "__main__":
    main()
