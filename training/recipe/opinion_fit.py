"""Fit the rule that tells mixed reviews, and texts without an opinion, from plain verdicts.

It learns from the open half of training/evaluation/cases/opinion. These texts are short, so development
reviews stand for long ones: those of 1, 2, 9 or 10 stars as plain, those of 4 or 7 as partly mixed. No film
of the held half is among them.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from training.data.dataset import Review
from training.endpoint import weighing
from training.endpoint.inference import LoadedModel
from training.endpoint.opinion import FEATURES, KINDS
from training.endpoint.scoring import logits_of_parts
from training.evaluation.opinion import load_cases

# The kinds of the cases' labels; a plain verdict has none.
KIND_OF = {"mixed": "mixed", "no_opinion": "none", "unclear": "unclear"}
PLAIN_STARS, MIXED_STARS = (1, 2, 9, 10), (4, 7)
# What the reviews weigh together, in cases: plain ones, and those of MIXED_STARS as mixed and as plain.
PLAIN_WEIGHT, MIXED_WEIGHT, MIXED_AS_PLAIN_WEIGHT = 24.0, 10.0, 6.0
# The penalty on the squares of the numbers, for features of mean 0 and deviation 1.
PENALTY = 3.0


def fit(model: LoadedModel, development: Sequence[Review]) -> np.ndarray:
    """Return the numbers of an OpinionRule for a model whose calibration is fitted."""
    return fit_rule(*examples(model, development))


def examples(model: LoadedModel, development: Sequence[Review]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the rule learns from: features, kinds and weights.

    Features are float64 (examples, FEATURES), kinds int (examples,) with 0 for a plain verdict and 1 and
    more for those of KINDS, weights float64 (examples,).
    """
    rows = list(_examples(model, development))
    features, kinds, weights = zip(*rows, strict=True)
    return np.array(features), np.array(kinds), np.array(weights)


def fit_rule(features: np.ndarray, kinds: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fit a softmax regression with a penalty on its numbers, float64 (KINDS, FEATURES).

    The arguments are what ``examples`` returns.
    """
    from scipy.optimize import minimize  # imported here, since only export needs it

    mean, deviation = features[:, :-1].mean(axis=0), np.maximum(features[:, :-1].std(axis=0), 1e-6)
    scaled = np.column_stack([(features[:, :-1] - mean) / deviation, features[:, -1]])
    rows = np.arange(len(kinds))
    classes = len(KINDS) + 1

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        numbers = flat.reshape(classes, FEATURES)
        scores = scaled @ numbers.T
        scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
        gradient = np.exp(scores)
        gradient[rows, kinds] -= 1
        penalty = numbers * (PENALTY * (np.arange(FEATURES) < FEATURES - 1))
        value = -(weights * scores[rows, kinds]).sum() + (penalty * numbers).sum() / 2
        return float(value), ((weights[:, None] * gradient).T @ scaled + penalty).ravel()

    found = minimize(loss, np.zeros(classes * FEATURES), jac=True, method="L-BFGS-B").x
    numbers = found.reshape(classes, FEATURES)
    numbers = numbers[1:] - numbers[0]
    numbers[:, :-1] /= deviation
    numbers[:, -1] -= numbers[:, :-1] @ mean
    rounded: np.ndarray = np.round(numbers, 4)
    return rounded


def _examples(model: LoadedModel, development: Sequence[Review]) -> Iterator[tuple[np.ndarray, int, float]]:
    cases = load_cases(development)
    for case in cases:
        if case["half"] == "open":
            kind = KIND_OF.get(case["label"])
            yield read(model, case["text"]), 0 if kind is None else 1 + KINDS.index(kind), 1.0
    named = {case["review"] for case in cases if case["half"] == "held" and "review" in case}
    held = {review.film for review in development if review.name in named}
    seen = [review for review in development if review.film not in held]
    groups = (
        (PLAIN_STARS, 0, PLAIN_WEIGHT),
        (MIXED_STARS, 1 + KINDS.index("mixed"), MIXED_WEIGHT),
        (MIXED_STARS, 0, MIXED_AS_PLAIN_WEIGHT),
    )
    for stars, number, weight in groups:
        reviews = [review for review in seen if review.stars in stars]
        for review in reviews:
            yield read(model, review.text), number, weight / len(reviews)


def read(model: LoadedModel, text: str) -> np.ndarray:
    """Return the features of a text, float64 (FEATURES,)."""
    encoded = model.vocabulary.encode(text)
    ids, lengths = np.array(encoded.ids, dtype=np.int64), np.array(encoded.lengths, dtype=np.int64)
    network, calibration = model.network, model.calibration
    reading = network.read(ids, lengths)
    alone = weighing.contributions_alone(network.weighing, network.understand(reading))
    logits = logits_of_parts(network, calibration, ids, encoded.lengths, alone)
    pulls = weighing.pulls_of(network.weighing, reading.states)
    whole = model.score(encoded.ids, encoded.lengths).logit
    return network.rule.features_of(logits, whole, ids, pulls)
