"""Fine-tune the whole network on someone's own labelled reviews, with torch.

``adapt.py --deep`` runs it. It starts from the int8 weights of the served model.onnx, unpacked, so no other
file is needed. The reviews are few, so each weight stays near its start.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from training.adapt.exit_status import CommandError
from training.adapt.head_fit import FOLDS, folds_of
from training.adapt.held_out import TunedModel
from training.data.corpus import columns_of
from training.endpoint import inference, scoring
from training.endpoint.calibration import Calibration
from training.endpoint.ngram_weights import NgramWeights
from training.endpoint.packing import GAUGES
from training.endpoint.weighing import CONSTANTS
from training.evaluation import metrics
from training.recipe import export
from training.recipe.network import Network, Size, Texts, draw_noise
from training.recipe.train import to_texts
from vocab.vocabulary import EncodedReview

# Reviews that both the trained and the packed network answer, and the largest difference of probability.
CHECK_REVIEWS = 200
MAX_PROBABILITY_GAP = 0.03
CPU = torch.device("cpu")


class Settings(NamedTuple):
    """Hyperparameters of fine-tuning.

    ``rate`` is the largest learning rate, ``pull`` the share of the way back to its start that each weight
    moves at that rate.
    """

    epochs: int = 4
    batch: int = 16
    rate: float = 3e-3
    embedding_dropout: float = 0.2
    head_dropout: float = 0.3
    pull: float = 1e-2
    seed: int = 1


class Review(NamedTuple):
    """A review for the network: ids, int32 (tokens,), and tokens of each sentence, int32 (sentences,)."""

    ids: np.ndarray
    lengths: np.ndarray


def to_review(encoded: EncodedReview) -> Review:
    """Return an encoded review for the network."""
    return Review(*columns_of(encoded))


def unpack(data: bytes) -> Network:
    """Return the network of a model.onnx that export.py wrote; its int8 weights become float32."""
    tensors = export.tensors_of(data)
    constants = {name: tensors[f"{name}{export.CONSTANT}"] for name in CONSTANTS}
    table = (tensors["rows"].astype(np.float32) * tensors["scales"])[:-1]  # without the reset's row
    (vocabulary, embedding), (pooled, seen) = table.shape, constants["see_weight"].shape
    units = len(constants["weigh_bias"])
    unread = tensors.get(f"{scoring.UNREAD}{export.CONSTANT}", np.zeros(0, dtype=np.int64))
    size = Size(vocabulary, embedding, pooled // 4, seen, units, tuple(unread.tolist()))
    network = Network(size)
    codes, step = (tensors.get(f"{name}{export.CONSTANT}") for name in (scoring.CODES, scoring.STEP))
    if codes is not None and step is not None:
        network.ngrams = NgramWeights(codes, float(step[0]))
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(table))
        network.power.copy_(torch.from_numpy(constants["power"].copy()))
        for name in ("polarity", "see", "weigh", "weight"):
            weight, bias = (network.get_parameter(f"{name}.{part}") for part in ("weight", "bias"))
            weight.copy_(torch.from_numpy(constants[f"{name}_weight"].T.reshape(weight.shape).copy()))
            bias.copy_(torch.from_numpy(constants[f"{name}_bias"].copy()))
        for direction, lstm in enumerate((network.forward_lstm, network.backward_lstm)):
            _unpack_lstm(lstm, tensors, direction)
    return network.eval()


def tune(
    network: Network,
    reviews: Sequence[Review],
    labels: np.ndarray,
    calibration: Calibration,
    settings: Settings,
    bar: "tqdm[None] | None" = None,
) -> None:
    """Fine-tune a network in place, by its calibrated logits; ``labels`` are 0 or 1, int (reviews,).

    ``bar`` counts the reviews of all epochs.
    """
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    start = [parameter.detach().clone() for parameter in network.parameters()]
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)
    steps = settings.epochs * -(-len(reviews) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps, pct_start=0.2)
    network.train()
    for _ in range(settings.epochs):
        order = random.permutation(len(reviews))
        for first in range(0, len(reviews), settings.batch):
            rows = order[first : first + settings.batch]
            batch = [reviews[row] for row in rows]
            texts = _texts(batch)
            noise = draw_noise(network.size, texts, settings.embedding_dropout, settings.head_dropout)
            temperatures, biases = torch.tensor(
                [calibration.at(len(one.ids), len(one.lengths)) for one in batch]
            ).T
            logits = biases + network(texts, noise) / temperatures
            loss = nn.functional.binary_cross_entropy_with_logits(
                logits, torch.from_numpy(labels[rows]).float()
            )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            if bar is not None:
                bar.update(len(rows))
            _pull_back(network, start, settings.pull * optimizer.param_groups[0]["lr"] / settings.rate)
    network.eval()


def tune_all(
    data: bytes,
    reviews: Sequence[Review],
    labels: np.ndarray,
    groups: np.ndarray,
    calibration: Calibration,
    settings: Settings | None = None,
) -> TunedModel:
    """Fine-tune the network of a model.onnx on all reviews, and answer each by a fit without its fold.

    ``labels`` and ``groups`` are int (reviews,), ``calibration`` is the base's. Raises CommandError when
    the packed int8 network strays from the trained one.
    """
    settings = settings or Settings()
    folds = folds_of(labels, groups)
    logits = np.zeros(len(labels))
    # Each review is in all fits but one.
    total = settings.epochs * FOLDS * len(reviews)
    with tqdm(total=total, desc="tuning", unit="review", disable=None) as bar:
        for fold in range(FOLDS + 1):
            seen, held = np.flatnonzero(folds != fold).tolist(), np.flatnonzero(folds == fold).tolist()
            network = unpack(data)
            tune(network, [reviews[row] for row in seen], labels[seen], calibration, settings, bar)
            if held:  # after the last fold nothing is held out: that fit takes all reviews
                logits[held] = logits_of(network, [reviews[row] for row in held], calibration)
    temperature, band = _calibrated(logits, labels)
    unseen, outright = _unseen(logits, labels, folds)
    logging.getLogger().setLevel(logging.ERROR)  # the packer's advice does not apply to our graph
    packed = export.quantize(export.to_onnx(network))
    _check_packed(packed, network, reviews, calibration)
    method = "the whole network fine-tuned, from the base's int8 weights unpacked, then packed again"
    return TunedModel(packed, temperature, band, unseen, outright, method, settings._asdict())


def logits_of(network: Network, reviews: Sequence[Review], calibration: Calibration) -> np.ndarray:
    """Return calibrated logits, float64 (reviews,)."""
    sums = []
    with torch.inference_mode():
        for first in range(0, len(reviews), 64):
            sums.append(network(_texts(reviews[first : first + 64])))
    tokens, sentences = np.array([[len(one.ids), len(one.lengths)] for one in reviews]).T
    return calibration.apply(torch.cat(sums).double().numpy(), tokens, sentences)


def _texts(reviews: Sequence[Review]) -> Texts:
    return to_texts([review.ids for review in reviews], [review.lengths for review in reviews], CPU)


def _calibrated(logits: np.ndarray, labels: np.ndarray) -> tuple[float, tuple[float, float]]:
    """Return temperature and uncertain band of held-out logits, float64 (reviews,)."""
    temperature = metrics.fit_temperature(logits, labels)
    return temperature, metrics.uncertain_band(metrics.probabilities_of(logits, temperature), labels)


def _unseen(logits: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return P(positive), float64 (reviews,), and whether it lies outside the band, bool (reviews,).

    Each fold is calibrated by the others.
    """
    probabilities, outright = np.zeros(len(labels)), np.zeros(len(labels), dtype=bool)
    for fold in range(FOLDS):
        held = folds == fold
        temperature, (low, high) = _calibrated(logits[~held], labels[~held])
        probabilities[held] = metrics.probabilities_of(logits[held], temperature)
        outright[held] = (probabilities[held] <= low) | (probabilities[held] >= high)
    return probabilities, outright


def _check_packed(
    packed: bytes, network: Network, reviews: Sequence[Review], calibration: Calibration
) -> None:
    """Compare packed and trained network on some reviews. Raises CommandError when they differ too much."""
    sample = reviews[:: max(1, len(reviews) // CHECK_REVIEWS)]
    serving = inference.load_network(packed, Path("the new model"))
    served = [
        scoring.score(serving, calibration, review.ids.tolist(), review.lengths.tolist(), "none").probability
        for review in sample
    ]
    gaps = np.abs(served - metrics.probabilities_of(logits_of(network, sample, calibration)))
    if not np.quantile(gaps, 0.99) <= MAX_PROBABILITY_GAP:
        raise CommandError("the packed network strays too far from the trained one; nothing was written")


def _pull_back(network: Network, start: Sequence[Tensor], share: float) -> None:
    """Move each weight a share of the way back to its start (L2-SP; Li et al., ICML 2018)."""
    with torch.no_grad():
        for parameter, origin in zip(network.parameters(), start, strict=True):
            parameter.lerp_(origin, share)


def _unpack_lstm(lstm: nn.LSTM, tensors: dict[str, np.ndarray], direction: int) -> None:
    """Copy one direction's weights into an LSTM; ONNX orders gates i, o, f, c, torch i, f, g, o."""
    weights = dict(lstm.named_parameters())
    for name, weight in (("W", weights["weight_ih_l0"]), ("R", weights["weight_hh_l0"])):
        packed, zero = tensors[f"{name}_quantized"][direction], tensors[f"{name}_zero_point"][direction]
        scale = tensors[f"{name}_scale"][direction]
        own = packed[: weight.shape[1]]  # the reset's drives, or the gauge's states, come after
        weight.copy_(_gates((own.astype(np.float32) - zero) * scale))
    biases = (weights["bias_ih_l0"], weights["bias_hh_l0"])
    for bias, values in zip(biases, np.split(tensors["B"][direction], 2), strict=True):
        bias.copy_(_gates(values))


def _gates(weights: np.ndarray) -> Tensor:
    i, o, f, c = (gate[..., :-GAUGES] for gate in np.split(weights, 4, axis=-1))
    return torch.from_numpy(np.ascontiguousarray(np.concatenate([i, f, c, o], axis=-1).T))
