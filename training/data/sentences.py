"""Single sentences cut from train and unsup reviews. The same archive and seed give the same sentences."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.data import dataset
from vocab.text import clean, split_sentences, tokenize
from vocab.vocabulary import Vocabulary

# Sentences drawn from each labelled and each unlabelled review, and their length in tokens.
PER_LABELLED, PER_UNLABELLED = 2, 2
SENTENCE_TOKENS = (4, 45)
SEED = 1


class Sentences(NamedTuple):
    """Sentences as ids, each int32 (tokens,), as text, and the names of their reviews."""

    ids: list[np.ndarray]
    texts: list[str]
    reviews: list[str]


def cut_all(data: dataset.Dataset, words: Vocabulary) -> Sentences:
    """Draw sentences from every train review, then from every unsup review."""
    first = cut(data.train, PER_LABELLED, words, SEED)
    second = cut(data.unsup, PER_UNLABELLED, words, SEED)
    return Sentences(first.ids + second.ids, first.texts + second.texts, first.reviews + second.reviews)


def cut(reviews: Sequence[dataset.Review], count: int, words: Vocabulary, seed: int) -> Sentences:
    """Draw up to ``count`` sentences from each review."""
    chance = np.random.default_rng(seed)
    drawn = Sentences([], [], [])
    for review in tqdm(reviews, desc="cutting sentences", disable=None):
        text = clean(review.text)
        tokens = tokenize(text)
        fitting = [
            sentence
            for sentence in split_sentences(text, tokens)
            if SENTENCE_TOKENS[0] <= sentence.last - sentence.first <= SENTENCE_TOKENS[1]
        ]
        for index in chance.permutation(len(fitting))[:count]:
            sentence = fitting[index]
            names = tokens.names[sentence.first : sentence.last]
            drawn.ids.append(np.array([words.id_of(name) for name in names], dtype=np.int32))
            drawn.texts.append(text[sentence.start : sentence.end])
            drawn.reviews.append(review.name)
    return drawn
