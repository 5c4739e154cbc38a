"""Fit a linear head to labelled reviews, held near the head that it starts from, and judge it fairly.

A head of 513 numbers would learn a few hundred reviews by heart. So the distance to the weights it starts
from costs: least is sum of -log P(label) + strength / 2 * |weights - start|^2; the bias is free. How much
it costs is chosen by cross-validation, and what that promises is judged by another one around it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from training.adapt.onnx_head import Head
from training.evaluation import metrics

FOLDS = 5
# From "take the reviews' word" to "keep the head, move its bias": of the fit's loss, strongest first.
STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
# A step of Newton's method that brings less than this much of the loss is the last.
MIN_GAIN, MAX_STEPS, MAX_HALVINGS = 1e-6, 50, 20


class Data(NamedTuple):
    """Labelled reviews: features float64 (reviews, features), labels 0 or 1 and groups, int (reviews,).

    Reviews of a group are judged together by a head that has seen none of them.
    """

    features: np.ndarray
    labels: np.ndarray
    groups: np.ndarray

    def take(self, rows: np.ndarray) -> "Data":
        """Give these rows, by number or by mask."""
        return Data(self.features[rows], self.labels[rows], self.groups[rows])


class Fitted(NamedTuple):
    """A head with what it takes to serve it, and the strength by which it is held."""

    head: Head
    temperature: float
    band: tuple[float, float]
    strength: float

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Give P(positive), float64 (reviews,)."""
        return metrics.probabilities_of(logits_of(features, self.head), self.temperature)


def logits_of(features: np.ndarray, head: Head) -> np.ndarray:
    """Give logits, float64 (reviews,)."""
    return features @ head.weights + head.bias


def fit(data: Data, start: Head) -> Fitted:
    """Fit head, temperature and uncertain band; ``start`` is a head of calibrated logits.

    Strength, temperature and band are fitted to reviews that the head in question has not seen.
    """
    unseen = {strength: np.zeros(len(data.labels)) for strength in STRENGTHS}
    for seen, held in splits(data):
        for strength, head in _path(data.take(seen), start):
            unseen[strength][held] = logits_of(data.features[held], head)
    strength = min(STRENGTHS, key=lambda one: metrics.nll(unseen[one], data.labels))
    temperature = metrics.fit_temperature(unseen[strength], data.labels)
    probabilities = metrics.probabilities_of(unseen[strength], temperature)
    band = metrics.uncertain_band(probabilities, data.labels)
    return Fitted(dict(_path(data, start))[strength], temperature, band, strength)


def cross_validate(data: Data, start: Head) -> tuple[np.ndarray, np.ndarray]:
    """Give P(positive), float64 (reviews,), and whether it lies outside the band, by fits without them."""
    probabilities, outright = np.zeros(len(data.labels)), np.zeros(len(data.labels), dtype=bool)
    for seen, held in splits(data):
        fitted = fit(data.take(seen), start)
        probabilities[held] = fitted.probabilities(data.features[held])
        low, high = fitted.band
        outright[held] = (probabilities[held] <= low) | (probabilities[held] >= high)
    return probabilities, outright


def splits(data: Data) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give FOLDS pairs of masks (reviews,): seen and held back."""
    folds = folds_of(data.labels, data.groups)
    for fold in range(FOLDS):
        yield folds != fold, folds == fold


def folds_of(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Give each review's fold, int (reviews,): groups stay whole, and labels are spread evenly.

    The largest groups are placed first, each where fewest of its labels are; the same data, the same folds.
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
    return of_group[numbers]


def _path(data: Data, start: Head) -> Iterator[tuple[float, Head]]:
    """Give the head of each strength, each found from the one before."""
    basis = _basis(data.features)
    inputs = np.column_stack([data.features @ basis, np.ones(len(data.labels))])
    offset = logits_of(data.features, start)
    moved = np.zeros(inputs.shape[1])
    for strength in STRENGTHS:
        moved = _newton(inputs, offset, data.labels, strength, moved)
        yield strength, Head(start.weights + basis @ moved[:-1], start.bias + moved[-1])


def _basis(features: np.ndarray) -> np.ndarray:
    """Give directions (features, directions) that hold all reviews: the weights move along no other."""
    reviews, width = features.shape
    if reviews >= width:
        return np.eye(width)
    return np.linalg.qr(features.T)[0]


def _newton(
    inputs: np.ndarray, offset: np.ndarray, labels: np.ndarray, strength: float, moved: np.ndarray
) -> np.ndarray:
    """Give what to add to the start, (inputs,), by Newton's method; a step that overshoots is halved."""
    costs = np.full(inputs.shape[1], strength)
    costs[-1] = 1e-6  # the bias is all but free; not quite, for reviews that are all alike
    loss = _loss(inputs, offset, labels, costs, moved)
    for _ in range(MAX_STEPS):
        probabilities = metrics.probabilities_of(offset + inputs @ moved)
        slope = inputs.T @ (probabilities - labels) + costs * moved
        step = np.linalg.solve(_curvature(inputs, probabilities) + np.diag(costs), slope)
        for _ in range(MAX_HALVINGS):
            found = _loss(inputs, offset, labels, costs, moved - step)
            if found <= loss:
                break
            step /= 2
        else:
            return moved
        moved, gain, loss = moved - step, loss - found, found
        if gain < MIN_GAIN * len(labels):
            return moved
    return moved


def _curvature(inputs: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Give the loss's second derivatives, (inputs, inputs); a step in a roughly right direction will do."""
    weights = np.sqrt(np.maximum(probabilities * (1 - probabilities), 1e-10))
    # Half the digits, and a matrix times itself: a quarter of the time.
    scaled = (inputs * weights[:, None]).astype(np.float32)
    return (scaled.T @ scaled).astype(np.float64)


def _loss(
    inputs: np.ndarray, offset: np.ndarray, labels: np.ndarray, costs: np.ndarray, moved: np.ndarray
) -> float:
    surprise = metrics.surprises(offset + inputs @ moved, labels).sum()
    return float(surprise + (costs * moved**2).sum() / 2)
