"""Let teachers give soft targets to unlabelled reviews and to single sentences.

    python training/teach.py --teacher DIR --teacher DIR --out FILE

The teachers are networks that train.py wrote and the n-gram model, blended; blend and temperature
are chosen on the development split. A sentence's target joins the networks' logit for the sentence
alone with what its whole review says: on hand-labelled sentences that is right more often than
either (the open half of training/behaviour/sentences.jsonl fits the weights).
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import corpus as corpora
import dataset
import examine
import measures
import ngrams
import numpy as np
import torch
from network import Network, Size
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm
from train import predict

from vocab import vocabulary
from vocab.files import write_atomic
from vocab.text import clean, split_sentences, tokenize
from vocab.vocabulary import Vocabulary

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
# Sentences a labelled and an unlabelled review gives, and their length in tokens.
PER_LABELLED, PER_UNLABELLED = 2, 1
SENTENCE_TOKENS = (4, 45)
# The weights are fitted on clear sentences; those of every day deserve softer targets.
SENTENCE_SOFTENING, MAX_SENTENCE_LOGIT = 0.7, 4.0


def load_teacher(folder: Path) -> Network:
    """Load a network that train.py wrote."""
    card = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    network = Network(Size(**card["size"]))
    network.load_state_dict(load_file(folder / "network.safetensors"))
    return network.eval()


def mean_logits(teachers: Sequence[Network], ids: list[np.ndarray]) -> np.ndarray:
    """Give the teachers' mean logit for each text, float32 (texts,)."""
    split = corpora.Split([""] * len(ids), ids, np.zeros(len(ids), np.int8), np.zeros(len(ids), np.int8))
    device = torch.device("cpu")
    return np.mean([predict(teacher, split, device, batch=128)[0] for teacher in teachers], axis=0)


def blend(networks: np.ndarray, grams: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Give the n-gram model's share and the temperature of least NLL on the development split."""
    tried = []
    for share in SHARES:
        logits = (1 - share) * networks + share * grams
        temperature = measures.fit_temperature(logits, labels)
        tried.append((measures.nll(logits, labels, temperature), share, temperature))
    return min(tried)[1:]


def cut_sentences(
    reviews: Sequence[dataset.Review], leanings: Sequence[float], count: int, words: Vocabulary, seed: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Draw up to ``count`` sentences a review, as ids, each with its review's leaning, -1 to 1."""
    chance = np.random.default_rng(seed)
    ids, found = [], []
    for review, leaning in zip(tqdm(reviews, desc="cutting sentences", disable=None), leanings, strict=True):
        text = clean(review.text)
        tokens = tokenize(text)
        fitting = [
            sentence
            for sentence in split_sentences(text, tokens)
            if SENTENCE_TOKENS[0] <= sentence.last - sentence.first <= SENTENCE_TOKENS[1]
        ]
        for place in chance.permutation(len(fitting))[:count]:
            read = tokens[fitting[place].first : fitting[place].last]
            ids.append(np.array([words.id_of(token.token) for token in read], dtype=np.int32))
            found.append(leaning)
    return ids, np.array(found)


def fit_sentences(
    teachers: Sequence[Network], data: dataset.Dataset, words: Vocabulary
) -> LogisticRegression:
    """Fit how much the sentence alone and its review's label say, on the open labelled sentences."""
    rows = [row for row in examine.load_sentences(data.development) if row["half"] == "open"]
    ids = [np.array(words.encode_ids(row["text"]), dtype=np.int32) for row in rows]
    own = mean_logits(teachers, ids)
    leaning = np.array([1.0 if "/pos/" in row["review"] else -1.0 for row in rows])
    labels = np.array([row["label"] == "positive" for row in rows])
    model = LogisticRegression(C=1.0).fit(np.stack([own, leaning], axis=1), labels)
    both = model.score(np.stack([own, leaning], axis=1), labels)
    print(f"teach: sentence alone {((own > 0) == labels).mean():.3f}, with its review's label {both:.3f}")
    return model


def teach(folders: Sequence[Path], out: Path, archive: str | None, seed: int) -> None:
    """Write the soft targets of unsup reviews and sentences."""
    corpus, words = corpora.load(archive), vocabulary.load()
    data = dataset.load(dataset.find_archive(archive))
    teachers = [load_teacher(folder) for folder in folders]
    grams = ngrams.fit(corpus.train.ids, corpus.train.labels)
    networks = mean_logits(teachers, corpus.development.ids)
    share, temperature = blend(networks, grams.logits(corpus.development.ids), corpus.development.labels)

    def blended(ids: list[np.ndarray]) -> np.ndarray:
        return ((1 - share) * mean_logits(teachers, ids) + share * grams.logits(ids)) / temperature

    development = (blended(corpus.development.ids) > 0) == corpus.development.labels
    print(
        f"teach: n-grams {share:.1f}, temperature {temperature:.2f},"
        f" development accuracy {development.mean():.4f}"
    )
    unsup = measures.probabilities_of(blended(corpus.unsup.ids))
    leaning = dict(zip(corpus.unsup.names, 2 * unsup - 1, strict=True))
    labelled = cut_sentences(
        data.train, [2.0 * review.label - 1 for review in data.train], PER_LABELLED, words, seed
    )
    unlabelled = cut_sentences(
        data.unsup, [leaning.get(review.name, 0.0) for review in data.unsup], PER_UNLABELLED, words, seed
    )
    ids = labelled[0] + unlabelled[0]
    known = np.stack([mean_logits(teachers, ids), np.concatenate([labelled[1], unlabelled[1]])], axis=1)
    logits = fit_sentences(teachers, data, words).decision_function(known) * SENTENCE_SOFTENING
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        unsup_targets=unsup.astype(np.float32),
        sentence_ids=np.concatenate(ids),
        sentence_lengths=np.array([len(one) for one in ids], dtype=np.int32),
        sentence_targets=measures.probabilities_of(
            np.clip(logits, -MAX_SENTENCE_LOGIT, MAX_SENTENCE_LOGIT)
        ).astype(np.float32),
    )
    write_atomic(out, buffer.getvalue())
    print(f"teach: {len(unsup):,} reviews and {len(ids):,} sentences in {out}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a teacher's soft targets.")
    parser.add_argument(
        "--teacher", type=Path, action="append", required=True, help="a trained network's folder"
    )
    parser.add_argument("--out", type=Path, required=True, help="the file to write (.npz)")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--seed", type=int, default=1, help="which sentences are drawn (default 1)")
    options = parser.parse_args()
    try:
        teach(options.teacher, options.out, options.archive, options.seed)
    except FileNotFoundError as error:
        sys.exit(f"teach: no file {error.filename}; train the teachers first")
    except OSError as error:
        sys.exit(f"teach: a file can't be written or read ({error})")
    except (dataset.DataError, vocabulary.VocabularyError) as error:
        sys.exit(f"teach: {error}")


if __name__ == "__main__":
    main()
