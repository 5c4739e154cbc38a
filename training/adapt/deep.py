"""Fine-tune the whole network on someone's own labelled reviews, with torch.

``adapt.py --deep`` runs it. It starts from the int8 weights of the served model.onnx, unpacked, so no other
file is needed. The reviews are few, so each weight stays near its start.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from tqdm import tqdm

from training.adapt.exit_status import CommandError
from training.adapt.head_fit import FOLDS, folds_of
from training.adapt.held_out import TunedModel
from training.endpoint import inference
from training.evaluation import metrics
from training.recipe import export
from training.recipe.network import Network, Size, draw_noise

# Reviews that both the trained and the packed network answer, and the largest difference of probability.
CHECK_REVIEWS = 200
MAX_PROBABILITY_GAP = 0.03


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


def unpack(data: bytes) -> Network:
    """Return the network of a model.onnx that export.py wrote; its int8 weights become float32."""
    initializers = onnx.load_from_string(data).graph.initializer
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in initializers}
    hidden = tensors["of_max"].shape[0] // 2
    table = tensors["rows"].astype(np.float32) * tensors["scales"]
    vocabulary, embedding = table.shape
    network = Network(Size(vocabulary, embedding, hidden))
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(table))
        head = np.concatenate([tensors["of_max"], tensors["of_mean"][:, 0]])
        network.head.weight.copy_(torch.from_numpy(head)[None])
        network.head.bias.copy_(torch.from_numpy(tensors["head_bias"].copy()))
        for direction, lstm in enumerate((network.forward_lstm, network.backward_lstm)):
            _unpack_lstm(lstm, tensors, direction)
    return network.eval()


def tune(network: Network, ids: Sequence[np.ndarray], labels: np.ndarray, settings: Settings) -> None:
    """Fine-tune a network in place; ``ids`` are int64 (tokens,) each, ``labels`` 0 or 1, int (reviews,)."""
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    start = [parameter.detach().clone() for parameter in network.parameters()]
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)
    steps = settings.epochs * -(-len(ids) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps, pct_start=0.2)
    network.train()
    for _ in range(settings.epochs):
        order = random.permutation(len(ids))
        for first in range(0, len(ids), settings.batch):
            rows = order[first : first + settings.batch]
            noise = draw_noise(
                network.size,
                len(rows),
                settings.embedding_dropout,
                settings.head_dropout,
                torch.device("cpu"),
            )
            logits = network(*padded([ids[row] for row in rows]), noise)
            loss = nn.functional.binary_cross_entropy_with_logits(
                logits, torch.from_numpy(labels[rows]).float()
            )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            _pull_back(network, start, settings.pull * optimizer.param_groups[0]["lr"] / settings.rate)
    network.eval()


def tune_all(
    data: bytes,
    ids: Sequence[np.ndarray],
    labels: np.ndarray,
    groups: np.ndarray,
    settings: Settings | None = None,
) -> TunedModel:
    """Fine-tune the network of a model.onnx on all reviews, and answer each by a fit without its fold.

    ``ids`` are int64 (tokens,) each, ``labels`` and ``groups`` int (reviews,). Raises CommandError when the
    packed int8 network strays from the trained one.
    """
    settings = settings or Settings()
    folds = folds_of(labels, groups)
    logits = np.zeros(len(labels))
    for fold in tqdm(range(FOLDS + 1), desc="tuning", unit="fit", disable=None):
        seen, held = np.flatnonzero(folds != fold).tolist(), np.flatnonzero(folds == fold).tolist()
        network = unpack(data)
        tune(network, [ids[row] for row in seen], labels[seen], settings)
        if held:  # after the last fold nothing is held out: that fit takes all reviews
            logits[held] = logits_of(network, [ids[row] for row in held])
    temperature, band = _calibrated(logits, labels)
    unseen, outright = _unseen(logits, labels, folds)
    logging.getLogger().setLevel(logging.ERROR)  # the packer's advice does not apply to our graph
    packed = export.quantize(export.to_onnx(network))
    _check_packed(packed, network, ids)
    method = "the whole network fine-tuned, from the base's int8 weights unpacked, then packed again"
    return TunedModel(packed, temperature, band, unseen, outright, method, settings._asdict())


def logits_of(network: Network, ids: Sequence[np.ndarray]) -> np.ndarray:
    """Return logits, float64 (reviews,), of reviews' ids, int64 (tokens,) each."""
    with torch.inference_mode():
        batches = [network(*padded(ids[first : first + 64])) for first in range(0, len(ids), 64)]
    return torch.cat(batches).double().numpy()


def padded(ids: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Return ids as one batch, int64 (reviews, tokens), padded at the end, and lengths, int64 (reviews,)."""
    rows = [torch.from_numpy(np.asarray(review, dtype=np.int64)) for review in ids]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])


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


def _check_packed(packed: bytes, network: Network, ids: Sequence[np.ndarray]) -> None:
    """Compare packed and trained network on some reviews. Raises CommandError when they differ too much."""
    sample = ids[:: max(1, len(ids) // CHECK_REVIEWS)]
    session = inference.load_session(packed, Path("the new model"))
    served = []
    for review in sample:
        contributions, bias = session.run(None, {"ids": review.astype(np.int64)})
        served.append(float(contributions.astype(np.float64).sum() + bias[0]))
    gaps = np.abs(
        metrics.probabilities_of(np.array(served)) - metrics.probabilities_of(logits_of(network, sample))
    )
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
        weight.copy_(_gates((packed.astype(np.float32) - zero) * scale))
    biases = (weights["bias_ih_l0"], weights["bias_hh_l0"])
    for bias, values in zip(biases, np.split(tensors["B"][direction], 2), strict=True):
        bias.copy_(_gates(values))


def _gates(weights: np.ndarray) -> Tensor:
    i, o, f, c = np.split(weights, 4, axis=-1)
    return torch.from_numpy(np.ascontiguousarray(np.concatenate([i, f, c, o], axis=-1).T))
