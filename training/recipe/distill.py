"""Let teachers give soft targets to unlabelled reviews and to single sentences.

    python -m training.recipe.distill --teacher DIR --teacher DIR --transformer DIR --out FILE

The teachers are networks that train.py wrote, the n-gram model, and the transformer that transformer.py
fine-tuned, where one is named; the development split weighs them. A sentence's target joins what
networks and transformer say of the sentence alone with what its whole review says: on
hand-labelled sentences that is right more often than either (the open half of
training/evaluation/cases/behaviour/sentences.jsonl fits the weights).
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
from training.recipe.network import Network, Size
from training.recipe.ngrams import Ngrams
from training.recipe.pretrain import keep_memory
from training.recipe.train import predict
from training.recipe.transformer import Transformer
from vocab import vocabulary
from vocab.vocabulary import Vocabulary

CPU = torch.device("cpu")
# The weights are fitted on clear sentences; those of every day deserve softer targets.
SENTENCE_SOFTENING, MAX_SENTENCE_LOGIT = 0.7, 4.0


class Teachers(NamedTuple):
    """All kinds of teachers: networks, whose logits are averaged, n-grams, and a transformer or none."""

    networks: Sequence[Network]
    grams: Ngrams
    transformer: Transformer | None

    @property
    def names(self) -> list[str]:
        """Say what the kinds are, in the order of the columns that ``of_reviews`` gives."""
        widths = ", ".join(str(network.size.hidden) for network in self.networks)
        names = [f"LSTM networks ({widths} states a direction)", "naive Bayes n-grams", transformer.NAME]
        return names[: 3 if self.transformer else 2]

    def of_reviews(self, ids: list[np.ndarray], texts: Sequence[str]) -> np.ndarray:
        """Give each kind's logits, float32 (reviews, kinds), of reviews as ids and as text."""
        columns = [mean_logits(self.networks, ids), self.grams.logits(ids)]
        return np.stack(columns + self._of_transformer(texts), axis=1)

    def of_sentences(self, ids: list[np.ndarray], texts: Sequence[str]) -> np.ndarray:
        """Give the same for sentences, without the n-grams: they know too little of a few words."""
        return np.stack([mean_logits(self.networks, ids), *self._of_transformer(texts)], axis=1)

    def _of_transformer(self, texts: Sequence[str]) -> list[np.ndarray]:
        if self.transformer is None:
            return []
        encoded = transformer.pieces(texts, transformer.files())
        return [transformer.logits(self.transformer, encoded, CPU)]


def load_teacher(folder: Path) -> Network:
    """Load a network that train.py wrote."""
    card = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    network = Network(Size(**card["size"]))
    network.load_state_dict(load_file(folder / "network.safetensors"))
    return network.eval()


def mean_logits(teachers: Sequence[Network], ids: list[np.ndarray]) -> np.ndarray:
    """Give the teachers' mean logit for each text, float32 (texts,)."""
    split = corpora.Split([""] * len(ids), ids, np.zeros(len(ids), np.int8), np.zeros(len(ids), np.int8))
    return np.mean([predict(teacher, split, CPU, batch=128)[0] for teacher in teachers], axis=0)


def blend(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Give the weights (kinds,), none below 0, with which logits (reviews, kinds) add up to the best one.

    The best is that of least NLL, so the sum needs no temperature.
    """
    signed = np.where(labels == 1, 1.0, -1.0)[:, None] * logits

    def loss(weights: np.ndarray) -> float:
        return float(np.logaddexp(0, -signed @ weights).mean())

    start = np.full(logits.shape[1], 1 / logits.shape[1])
    return minimize(loss, start, method="L-BFGS-B", bounds=[(0, None)] * len(start)).x


def fit_sentences(teachers: Teachers, data: dataset.Dataset, words: Vocabulary) -> LogisticRegression:
    """Fit how much the sentence alone and its review's label say, on the open labelled sentences."""
    rows = [row for row in behaviour.load_sentences(data.development) if row["half"] == "open"]
    texts = [row["text"] for row in rows]
    own = teachers.of_sentences([np.array(words.encode_ids(text), dtype=np.int32) for text in texts], texts)
    leaning = np.array([1.0 if "/pos/" in row["review"] else -1.0 for row in rows])
    labels = np.array([row["label"] == "positive" for row in rows])
    known = np.column_stack([own, leaning])
    model = LogisticRegression(C=1.0).fit(known, labels)
    alone = ((own > 0) == labels[:, None]).mean(axis=0)
    print(
        f"teach: sentences alone {', '.join(f'{share:.3f}' for share in alone)},"
        f" together with the review's label {model.score(known, labels):.3f}"
    )
    return model


def teach(folders: Sequence[Path], tuned: Path | None, out: Path, archive: str | None) -> None:
    """Write the soft targets of unsup reviews and sentences."""
    corpus, words = corpora.load(archive), vocabulary.load()
    data = dataset.load(dataset.find_archive(archive))
    teachers = Teachers(
        [load_teacher(folder) for folder in folders],
        ngrams.fit(corpus.train.ids, corpus.train.labels),
        transformer.load(tuned) if tuned else None,
    )
    development, unsup = (
        teachers.of_reviews(split.ids, texts_of(split, reviews))
        for split, reviews in ((corpus.development, data.development), (corpus.unsup, data.unsup))
    )
    weights, kinds = weigh(teachers, development, corpus.development.labels)
    targets = metrics.probabilities_of(unsup @ weights).astype(np.float32)
    leaning = {review.name: 2.0 * review.label - 1 for review in data.train}
    leaning |= dict(zip(corpus.unsup.names, (2 * targets - 1).tolist(), strict=True))
    answered = sentence_targets(teachers, data, words, leaning)
    augment.save_taught(augment.Taught(targets, answered, kinds), out)
    print(f"teach: {len(targets):,} reviews and {len(answered.ids):,} sentences in {out}")


def weigh(
    teachers: Teachers, logits: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Give the weights that ``blend`` finds for development logits (reviews, kinds), and a row a kind."""
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
            f"teach: {kind['name']}: weight {kind['weight']:.2f},"
            f" development accuracy alone {kind['development_accuracy']:.4f}"
        )
    together = logits @ weights
    print(
        f"teach: together development accuracy {((together > 0) == labels).mean():.4f},"
        f" nll {metrics.nll(together, labels):.4f}"
    )
    return weights, kinds


def sentence_targets(
    teachers: Teachers, data: dataset.Dataset, words: Vocabulary, leaning: dict[str, float]
) -> augment.Examples:
    """Cut sentences and give their targets; ``leaning``, -1 to 1, says what each whole review says."""
    cut = sentences.cut_all(data, words)
    own = teachers.of_sentences(cut.ids, cut.texts)
    known = np.column_stack([own, [leaning.get(name, 0.0) for name in cut.reviews]])
    logits = fit_sentences(teachers, data, words).decision_function(known) * SENTENCE_SOFTENING
    logits = np.clip(logits, -MAX_SENTENCE_LOGIT, MAX_SENTENCE_LOGIT)
    return augment.Examples(cut.ids, metrics.probabilities_of(logits).astype(np.float32))


def texts_of(split: corpora.Split, reviews: Sequence[dataset.Review]) -> list[str]:
    """Give the texts of an encoded split, which leaves out reviews without a token."""
    texts = {review.name: review.text for review in reviews}
    return [texts[name] for name in split.names]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a teacher's soft targets.")
    parser.add_argument(
        "--teacher", type=Path, action="append", required=True, help="a trained network's folder"
    )
    parser.add_argument("--transformer", type=Path, help="the folder that transformer.py wrote")
    parser.add_argument("--out", type=Path, required=True, help="the file to write (.npz)")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    keep_memory()
    try:
        teach(options.teacher, options.transformer, options.out, options.archive)
    except FileNotFoundError as error:
        sys.exit(f"teach: no file {error.filename}; train the teachers first")
    except OSError as error:
        sys.exit(f"teach: a file can't be written or read ({error})")
    except (dataset.DataError, vocabulary.VocabularyError, transformer.TransformerError) as error:
        sys.exit(f"teach: {error}")


if __name__ == "__main__":
    main()
