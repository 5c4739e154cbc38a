"""Fit a linear head to labelled reviews, near the head that it starts from, and evaluate it fairly.

A head of hundreds of numbers would memorise a few hundred reviews. So the fit minimises the sum of
-log P(label) plus strength / 2 * |weights - start|^2; the bias is free. Two changes of the weights of n-grams
take part by one factor each, see phrases.py. The weights of the sentences stay as they are. Cross-validation
chooses the strength, and an outer cross-validation evaluates the choice.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from training.adapt import phrases
from training.adapt.features import Inputs
from training.adapt.onnx_head import Head
from training.adapt.phrases import NOTHING, Change, Learned
from training.evaluation import metrics
from training.files.progress import with_bar

FOLDS = 5
# Strongest first. The strongest moves little but the bias; the weakest follows the reviews.
STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
# What holds the factors of changes near 0, and the bias: nearly free, but for reviews that are all alike.
FACTOR_COST, BIAS_COST = 1.0, 1e-6
# The fit to all reviews is better than those without a fold, so the temperature of their logits is too high
# for it. On VADER's product sentences and SemEval 2014's restaurant sentences this power of it fits best.
TEMPERATURE_POWER = 0.75
# Newton's method ends with the step that lowers the loss by less than this a review.
MIN_GAIN, MAX_STEPS, MAX_HALVINGS = 1e-6, 50, 20


class Data(NamedTuple):
    """Labelled reviews: what a head reads of them, labels 0 or 1 and groups, int (reviews,) each.

    A group is evaluated as a whole, by a head that has seen none of its reviews.
    """

    inputs: Inputs
    labels: np.ndarray
    groups: np.ndarray

    def take(self, rows: np.ndarray) -> "Data":
        """Return some rows, by number or by mask."""
        return Data(self.inputs.take(rows), self.labels[rows], self.groups[rows])


class FittedHead(NamedTuple):
    """A head and a change of n-grams' weights, with temperature, uncertain band, and the strength of the fit.

    The temperature divides logits that the base's calibration has calibrated already.
    """

    head: Head
    change: Change
    temperature: float
    band: tuple[float, float]
    strength: float

    def logits(self, inputs: Inputs) -> np.ndarray:
        """Return the logits of reviews before the temperature, float64 (reviews,)."""
        logits: np.ndarray = inputs.logits(self.head) + self.change.sums(inputs.ngrams)
        return logits

    def probabilities(self, inputs: Inputs) -> np.ndarray:
        """Return P(positive), float64 (reviews,), of reviews."""
        return metrics.probabilities_of(self.logits(inputs), self.temperature)


def fit(data: Data, start: Head, lexicon: Change = NOTHING) -> FittedHead:
    """Fit head, weights of n-grams, temperature and uncertain band, from a head to start at.

    Strength, temperature and band are chosen on held-out reviews. ``lexicon`` is that of phrases.py.
    """
    unseen = {strength: np.zeros(len(data.labels)) for strength in STRENGTHS}
    for seen, held in splits(data):
        part, rest = data.take(seen), data.inputs.take(held)
        learned = _learn(part, start, lexicon)
        sums = learned.sums_of(rest.ngrams)
        for strength, head, factors in _regularization_path(part, start, learned):
            unseen[strength][held] = rest.logits(head) + sums @ factors
    strength = min(STRENGTHS, key=lambda candidate: metrics.nll(unseen[candidate], data.labels))
    of_folds = metrics.fit_temperature(unseen[strength], data.labels)
    band = metrics.uncertain_band(metrics.probabilities_of(unseen[strength], of_folds), data.labels)
    temperature = round(of_folds**TEMPERATURE_POWER, 4)
    learned = _learn(data, start, lexicon)
    path = _regularization_path(data, start, learned)
    head, factors = next((head, factors) for tried, head, factors in path if tried == strength)
    return FittedHead(head, phrases.merge(learned.changes, factors), temperature, band, strength)


def cross_validate(data: Data, start: Head, lexicon: Change = NOTHING) -> tuple[np.ndarray, np.ndarray]:
    """Return P(positive), float64 (reviews,), and whether it lies outside the band, bool (reviews,).

    Each review is answered by a fit that has not seen it or its group.
    """
    probabilities, outright = np.zeros(len(data.labels)), np.zeros(len(data.labels), dtype=bool)
    for seen, held in with_bar(splits(data), "fitting", "fit", FOLDS):
        fitted = fit(data.take(seen), start, lexicon)
        probabilities[held] = fitted.probabilities(data.inputs.take(held))
        low, high = fitted.band
        outright[held] = (probabilities[held] <= low) | (probabilities[held] >= high)
    return probabilities, outright


def splits(data: Data) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield FOLDS pairs of masks, bool (reviews,): seen and held out."""
    folds = folds_of(data.labels, data.groups)
    for fold in range(FOLDS):
        yield folds != fold, folds == fold


def folds_of(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return each review's fold, int (reviews,); groups stay whole, and labels are spread evenly.

    The largest groups are placed first, each in the fold with fewest of its labels. The same data gives the
    same folds.
    """
    _, numbers = np.unique(groups, return_inverse=True)
    sizes = np.stack([np.bincount(numbers, labels == label) for label in (0, 1)], axis=1)
    drawn = np.random.default_rng(0).permutation(len(sizes))
    order = drawn[np.argsort(-sizes[drawn].sum(axis=1), kind="stable")]
    held, of_group = np.zeros((FOLDS, 2)), np.zeros(len(sizes), dtype=int)
    for group in order:
        crowded = (held * sizes[group]).sum(axis=1)
        of_group[group] = min(range(FOLDS), key=lambda fold: (crowded[fold], held[fold].sum()))
        held[of_group[group]] += sizes[group]
    folds: np.ndarray = of_group[numbers]
    return folds


def _learn(data: Data, start: Head, lexicon: Change) -> Learned:
    return phrases.learn(data.inputs.ngrams, data.labels, data.groups, data.inputs.logits(start), lexicon)


def _regularization_path(
    data: Data, start: Head, learned: Learned
) -> Iterator[tuple[float, Head, np.ndarray]]:
    """Yield the head of each strength, and the factor of each change, float64 (changes,).

    Each fit starts from the one before.
    """
    basis = _basis(data.inputs.values)
    columns = np.column_stack([data.inputs.values @ basis, learned.sums, data.inputs.weights])
    directions, changes = basis.shape[1], len(learned.changes)
    offset = data.inputs.logits(start)
    moved = np.zeros(columns.shape[1])
    for strength in STRENGTHS:
        costs = np.repeat([strength, FACTOR_COST, BIAS_COST], [directions, changes, 1])
        moved = _newton(columns, offset, data.labels, costs, moved)
        weights, factors, bias = np.split(moved, [directions, directions + changes])
        yield strength, Head(start.weights + basis @ weights, start.bias + float(bias[0])), factors


def _basis(values: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the reviews, float64 (pooled, directions); weights move within it."""
    reviews, width = values.shape
    if reviews >= width:
        return np.eye(width)
    return np.linalg.qr(values.T)[0]


def _newton(
    columns: np.ndarray, offset: np.ndarray, labels: np.ndarray, costs: np.ndarray, moved: np.ndarray
) -> np.ndarray:
    """Return the change from the start, float64 (columns,), by Newton's method; halve a step that overshoots.

    ``columns`` is float64 (reviews, columns), ``costs``, float64 (columns,), hold each near 0. ``offset``,
    float64 (reviews,), are the start's logits.
    """
    loss = _loss(columns, offset, labels, costs, moved)
    for _ in range(MAX_STEPS):
        probabilities = metrics.probabilities_of(offset + columns @ moved)
        slope = columns.T @ (probabilities - labels) + costs * moved
        step = np.linalg.solve(_curvature(columns, probabilities) + np.diag(costs), slope)
        for _ in range(MAX_HALVINGS):
            new_loss = _loss(columns, offset, labels, costs, moved - step)
            if new_loss <= loss:
                break
            step /= 2
        else:
            return moved
        moved, gain, loss = moved - step, loss - new_loss, new_loss
        if gain < MIN_GAIN * len(labels):
            return moved
    return moved


def _curvature(columns: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the loss's second derivatives, roughly, float64 (columns, columns)."""
    weights = np.sqrt(np.maximum(probabilities * (1 - probabilities), 1e-10))
    # float32 and a symmetric product take a quarter of the time, and a rough direction will do.
    scaled = (columns * weights[:, None]).astype(np.float32)
    curvature: np.ndarray = (scaled.T @ scaled).astype(np.float64)
    return curvature


def _loss(
    columns: np.ndarray, offset: np.ndarray, labels: np.ndarray, costs: np.ndarray, moved: np.ndarray
) -> float:
    surprise = metrics.log_losses(offset + columns @ moved, labels).sum()
    return float(surprise + (costs * moved**2).sum() / 2)
