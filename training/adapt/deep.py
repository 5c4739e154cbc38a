"""Fine-tune the whole network on someone's own labelled reviews, with torch.

``adapt.py --deep`` runs it. It starts from what is served: the int8 weights of model.onnx, unpacked, so that
nothing else has to be kept or fetched. The reviews are few, so each weight is held near where it started.
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
from training.adapt.judge import Tuned
from training.endpoint import inference
from training.evaluation import metrics
from training.recipe import export
from training.recipe.network import Network, Size, draw_noise

# So many reviews are answered by both, the trained network and the packed one; and how far they may differ.
CHECK_REVIEWS = 200
MAX_PROBABILITY_GAP = 0.03


class Settings(NamedTuple):
    """How it is tuned: passes, reviews a step, the largest rate of learning, dropout, and the pull back."""

    epochs: int = 4
    batch: int = 16
    rate: float = 3e-3
    embedding_dropout: float = 0.2
    head_dropout: float = 0.3
    pull: float = 1e-2
    seed: int = 1


def unpack(data: bytes) -> Network:
    """Give the network of a model.onnx that export.py wrote, with int8 weights made float32."""
    found = {one.name: numpy_helper.to_array(one) for one in onnx.load_from_string(data).graph.initializer}
    hidden = found["of_max"].shape[0] // 2
    table = found["rows"].astype(np.float32) * found["scales"]
    network = Network(Size(*table.shape, hidden))
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(table))
        head = np.concatenate([found["of_max"], found["of_mean"][:, 0]])
        network.head.weight.copy_(torch.from_numpy(head)[None])
        network.head.bias.copy_(torch.from_numpy(found["head_bias"].copy()))
        for direction, lstm in enumerate((network.forward_lstm, network.backward_lstm)):
            _unpack_lstm(lstm, found, direction)
    return network.eval()


def tune(network: Network, ids: Sequence[np.ndarray], labels: np.ndarray, settings: Settings) -> None:
    """Fine-tune a network, in its place, on reviews' ids and labels 0 or 1."""
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
            loss.backward()
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
) -> Tuned:
    """Fine-tune the network of a model.onnx on all reviews; judge it by fits without a fifth of them each.

    Raises CommandError when int8 strays from what was trained.
    """
    settings = settings or Settings()
    folds = folds_of(labels, groups)
    logits = np.zeros(len(labels))
    for fold in tqdm(range(FOLDS + 1), desc="tuning", unit="fit", disable=None):
        seen, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        network = unpack(data)
        tune(network, [ids[row] for row in seen], labels[seen], settings)
        if len(held):  # behind the last fold nothing is held back: the fit on all reviews
            logits[held] = logits_of(network, [ids[row] for row in held])
    temperature, band = _calibrated(logits, labels)
    unseen, outright = _unseen(logits, labels, folds)
    logging.getLogger().setLevel(logging.ERROR)  # the packer's advice is for graphs made otherwise
    packed = export.quantize(export.to_onnx(network))
    _refuse_stray(packed, network, ids)
    how = "the whole network fine-tuned, from the base's int8 weights unpacked, then packed again"
    return Tuned(packed, temperature, band, unseen, outright, how, settings._asdict())


def logits_of(network: Network, ids: Sequence[np.ndarray]) -> np.ndarray:
    """Give logits, float64 (reviews,), of reviews' ids."""
    with torch.inference_mode():
        found = [network(*padded(ids[first : first + 64])) for first in range(0, len(ids), 64)]
    return torch.cat(found).double().numpy()


def padded(ids: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Give ids as one batch, int64 (reviews, tokens) with padding at the end, and lengths (reviews,)."""
    rows = [torch.from_numpy(np.asarray(one, dtype=np.int64)) for one in ids]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])


def _calibrated(logits: np.ndarray, labels: np.ndarray) -> tuple[float, tuple[float, float]]:
    """Give the temperature and the uncertain band of logits that are of reviews not seen."""
    temperature = metrics.fit_temperature(logits, labels)
    return temperature, metrics.uncertain_band(metrics.probabilities_of(logits, temperature), labels)


def _unseen(logits: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give P(positive) and whether it is outside the band, each fold's calibrated by the others."""
    probabilities, outright = np.zeros(len(labels)), np.zeros(len(labels), dtype=bool)
    for fold in range(FOLDS):
        held = folds == fold
        temperature, (low, high) = _calibrated(logits[~held], labels[~held])
        probabilities[held] = metrics.probabilities_of(logits[held], temperature)
        outright[held] = (probabilities[held] <= low) | (probabilities[held] >= high)
    return probabilities, outright


def _refuse_stray(packed: bytes, network: Network, ids: Sequence[np.ndarray]) -> None:
    some = ids[:: max(1, len(ids) // CHECK_REVIEWS)]
    session = inference.session_of(packed, Path("the new model"))
    served = []
    for one in some:
        contributions, bias = session.run(None, {"ids": one.astype(np.int64)})
        served.append(float(contributions.astype(np.float64).sum() + bias[0]))
    gaps = np.abs(
        metrics.probabilities_of(np.array(served)) - metrics.probabilities_of(logits_of(network, some))
    )
    if not np.quantile(gaps, 0.99) <= MAX_PROBABILITY_GAP:
        raise CommandError(
            "the packed network strays too far from the one that was trained; nothing was written"
        )


def _pull_back(network: Network, start: Sequence[Tensor], share: float) -> None:
    """Move each weight a share of the way back to where it started (L2-SP; Li et al., ICML 2018)."""
    with torch.no_grad():
        for parameter, home in zip(network.parameters(), start, strict=True):
            parameter.lerp_(home, share)


def _unpack_lstm(lstm: nn.LSTM, found: dict[str, np.ndarray], direction: int) -> None:
    """Fill an LSTM; ONNX's gates stand in the order i, o, f, c, torch's in i, f, g, o."""
    for name, weight in (("W", lstm.weight_ih_l0), ("R", lstm.weight_hh_l0)):
        packed, zero = found[f"{name}_quantized"][direction], found[f"{name}_zero_point"][direction]
        scale = found[f"{name}_scale"][direction]
        weight.copy_(_gates((packed.astype(np.float32) - zero) * scale))
    for bias, values in zip(
        (lstm.bias_ih_l0, lstm.bias_hh_l0), np.split(found["B"][direction], 2), strict=True
    ):
        bias.copy_(_gates(values))


def _gates(weights: np.ndarray) -> Tensor:
    i, o, f, c = np.split(weights, 4, axis=-1)
    return torch.from_numpy(np.ascontiguousarray(np.concatenate([i, f, c, o], axis=-1).T))
