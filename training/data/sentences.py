"""Single sentences cut from train and unsup reviews. The same archive and seed give the same sentences."""

import re
from collections.abc import Sequence
from itertools import islice
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
# Sentences in which other words than the polar ones decide are rare. Each unlabelled review gives one more:
# comparisons, counterfactuals, double negations, expectations, opinions of others, quotations, questions.
PER_OPERATORS = 1
NEGATION = r"(?:n['\u2019]t|\b(?:not|never|no|nothing|nobody|none|without|hardly))\b"
OPERATORS = re.compile(
    "|".join(
        (
            r"\b(?:than|compared|unlike)\b",
            r"\bmakes?\b.{1,40}\b(?:look|seem)\b",
            r"\b(?:could|would|should|might|must)(?:n['\u2019]t| not)? have\b",
            r"\bif only\b|\bi wish\b|\binstead of\b",
            rf"{NEGATION}.*{NEGATION}",
            rf"{NEGATION}.*\b(?:miss|fault|flaw|wrong|bored?|dull|complain\w*|disappoint\w*|regret)\b",
            r"\b(?:expect|surpris)\w*|\bhop(?:ed|ing)\b|\bthought (?:it|this) would\b|\bhopes\b",
            r"\b(?:critics?|reviewers?|overrated|underrated|hype)\b",
            r"\b(?:everyone|people|they) (?:say|said|says)\b",
            r"\b(?:skip|avoid|worth|recommend\w*)\b|\bmiss (?:it|this)\b",
            r"[\"\u201c]|\?\s*$",
        )
    ),
    re.IGNORECASE,
)


class Sentences(NamedTuple):
    """Sentences as ids, each int32 (tokens,), as text, and the names of their reviews."""

    ids: list[np.ndarray]
    texts: list[str]
    reviews: list[str]


def cut_all(data: dataset.Dataset, words: Vocabulary) -> Sentences:
    """Draw sentences from every train review, then from every unsup review."""
    first = cut(data.train, PER_LABELLED, words, SEED)
    second = cut(data.unsup, PER_UNLABELLED, words, SEED, PER_OPERATORS)
    return _joined(first, second)


def cut(
    reviews: Sequence[dataset.Review], count: int, words: Vocabulary, seed: int, operators: int = 0
) -> Sentences:
    """Draw up to ``count`` sentences from each review, and then up to ``operators`` more with OPERATORS.

    The latter come last.
    """
    chance = np.random.default_rng(seed)
    drawn, more = Sentences([], [], []), Sentences([], [], [])
    for review in tqdm(reviews, desc="cutting sentences", disable=None):
        text = clean(review.text)
        tokens = tokenize(text)
        ids = np.array(words.ids_of(text, tokens), dtype=np.int32)
        fitting = [
            sentence
            for sentence in split_sentences(text, tokens)
            if SENTENCE_TOKENS[0] <= sentence.last - sentence.first <= SENTENCE_TOKENS[1]
        ]
        shuffled = [fitting[index] for index in chance.permutation(len(fitting))]
        others = (one for one in shuffled[count:] if OPERATORS.search(text[one.start : one.end]))
        for found, chosen in ((drawn, shuffled[:count]), (more, islice(others, operators))):
            for sentence in chosen:
                found.ids.append(ids[sentence.first : sentence.last])
                found.texts.append(text[sentence.start : sentence.end])
                found.reviews.append(review.name)
    return _joined(drawn, more)


def _joined(first: Sentences, second: Sentences) -> Sentences:
    return Sentences(first.ids + second.ids, first.texts + second.texts, first.reviews + second.reviews)
