"""Single sentences cut from train and unsup reviews: the same ones from the same archive and seed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.data import dataset
from vocab.text import clean, split_sentences, tokenize
from vocab.vocabulary import Vocabulary

# Sentences a labelled and an unlabelled review gives, and their length in tokens.
PER_LABELLED, PER_UNLABELLED = 2, 2
SENTENCE_TOKENS = (4, 45)
SEED = 1


class Sentences(NamedTuple):
    """Sentences as ids, int32 (tokens,) each, as text, and the names of their reviews."""

    ids: list[np.ndarray]
    texts: list[str]
    reviews: list[str]


def cut_all(data: dataset.Dataset, words: Vocabulary) -> Sentences:
    """Draw sentences from every train review and then from every unsup review."""
    labelled = cut(data.train, PER_LABELLED, words, SEED)
    unlabelled = cut(data.unsup, PER_UNLABELLED, words, SEED)
    return Sentences(*(one + other for one, other in zip(labelled, unlabelled, strict=True)))


def cut(reviews: Sequence[dataset.Review], count: int, words: Vocabulary, seed: int) -> Sentences:
    """Draw up to ``count`` sentences a review."""
    chance = np.random.default_rng(seed)
    found = Sentences([], [], [])
    for review in tqdm(reviews, desc="cutting sentences", disable=None):
        text = clean(review.text)
        tokens = tokenize(text)
        fitting = [
            sentence
            for sentence in split_sentences(text, tokens)
            if SENTENCE_TOKENS[0] <= sentence.last - sentence.first <= SENTENCE_TOKENS[1]
        ]
        for place in chance.permutation(len(fitting))[:count]:
            sentence = fitting[place]
            read = tokens.names[sentence.first : sentence.last]
            found.ids.append(np.array([words.id_of(name) for name in read], dtype=np.int32))
            found.texts.append(text[sentence.start : sentence.end])
            found.reviews.append(review.name)
    return found
