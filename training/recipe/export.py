"""Turn a trained network into the model package that serves: model.onnx and model.json.

    python -m training.recipe.export      # from the cache's network folder into training/endpoint/model/

The LSTM's weights become int8, and so do the table's rows, each with a scale of its own. Before
anything is written, the result is compared with torch on development reviews. Temperature, uncertain band
and the rule of mixed reviews are fitted there too, since the network has not trained on them.
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from tqdm import tqdm

from training.data import cache, dataset
from training.data import corpus as corpora
from training.endpoint import inference, ngram_weights, opinion
from training.endpoint.calibration import Calibration
from training.endpoint.model_folder import identity_of, write_package
from training.endpoint.packing import GAUGES
from training.endpoint.scoring import CODES, RESET, STATES, STEP, UNREAD
from training.endpoint.weighing import CONSTANTS
from training.evaluation import machine, metrics
from training.recipe import grades, opinion_fit, reproduce
from training.recipe.network import Network, Size, lstm_parameters
from training.recipe.train import predict
from vocab import text, vocabulary

OPSET = 18
# Inputs of the LSTM are clipped to this, 0.1 % of the table's rows among them. It sets int8's scale.
MOST_INPUT = 2.5
# What drives a gate fully open or shut: beyond 18, ONNX Runtime's sigmoid is flat.
DRIVE = 20.0
# What it does to the gates i, o, f, c. A reset closes all. The gauge takes in nothing and keeps what it has.
RESET_SIGNS, GAUGE_SIGNS = (-1, -1, -1, 0), (-1, 1, 1, 0)
LEAST_WEIGHT = 0.05  # a gate whose weights are all smaller than this is not driven all the way
# An initializer can't be an output itself; its name ends so, and an Identity hands it on.
CONSTANT = "_constant"
CHECK_REVIEWS = 1000
# The package is not written when int8 costs more than this.
MAX_PROBABILITY_GAP = 0.02  # 99th percentile over CHECK_REVIEWS
MAX_ACCURACY_GAP = 0.002  # five development reviews: three may turn by chance
MAX_SUM_GAP = 1e-5
# The power of a server core under load, with its share of memory and fans; assumed, not measured.
WATTS_A_CORE = 10
# The card's part that no training changes.
ABOUT: dict[str, Any] = {
    "language": ["en"],
    "license": "mit",
    "library_name": "onnx",
    "pipeline_tag": "text-classification",
    "tags": ["sentiment-analysis", "film-reviews", "lstm", "int8", "onnx", "calibrated"],
    "datasets": ["stanfordnlp/imdb"],
    "base_model": None,
    "intended_use": "English film reviews of a sentence or more; other texts in English work less well",
    "out_of_scope": [
        "other languages: a warning says when a text does not look English, and misses some",
        "other things than films: no figure here says how good it is there",
        "judging people, or deciding anything about them",
        "sarcasm, and what only the context of a text could tell",
    ],
    "limits": [
        "learned from IMDb reviews up to 2011 with 7 stars or more, or 4 or less",
        "short negations and sarcasm are harder for it than whole reviews",
        "a review of more than 400 tokens is read at its head and tail only",
        "it has two sides: a mixed review ends on one of them or is called uncertain",
    ],
}


class ExportError(Exception):
    """The trained network can't be used, or the exported one answers differently."""


def to_onnx(network: Network) -> onnx.ModelProto:
    """Build the serving graph: a grid of ids, as endpoint/packing.py makes it -> the states of each.

    ``ids`` is int64 (steps, rows), ``states`` float32 (steps, 2, rows, hidden + GAUGES). The constants that
    weigh sentences are outputs too, and so are the ids that the endpoint leaves out and the id of a reset;
    endpoint/scoring.py reads them.
    """
    constants = _weighing(network)
    constants[UNREAD] = np.array(network.size.unread, dtype=np.int64)
    constants[RESET] = np.array([network.size.vocabulary], dtype=np.int64)
    if len(network.ngrams.codes):
        constants |= {CODES: network.ngrams.codes, STEP: np.array([network.ngrams.step], dtype=np.float64)}
    hidden = network.size.hidden + GAUGES
    outputs: dict[str, list[int | str]] = {STATES: ["steps", 2, "rows", hidden]}
    outputs |= {f"{name}": list(value.shape) for name, value in constants.items()}
    types = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in constants.items()}
    graph = helper.make_graph(
        _nodes(hidden, list(constants)),
        "verdict",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["steps", "rows"])],
        [
            helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), shape)
            for name, shape in outputs.items()
        ],
        _tensors(_table(network) | _lstm_weights(network) | _gauge_states(hidden))
        + _tensors({f"{name}{CONSTANT}": value for name, value in constants.items()}),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _tensors(values: dict[str, np.ndarray]) -> list[onnx.TensorProto]:
    return [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in values.items()]


def _table(network: Network) -> dict[str, np.ndarray]:
    """Return the embedding table and what belongs to it, by name.

    A reset's row follows those of the vocabulary. ``drives`` are the extra inputs of the LSTM for a word and
    for a reset, which thus holds the largest inputs of both signs.
    """
    words = network.embedding.weight.detach().numpy().clip(-MOST_INPUT, MOST_INPUT)
    rows, scales = int8_rows(np.concatenate([words, np.zeros_like(words[:1])]))
    drives = np.stack([np.zeros(_drive_count(network), dtype=np.float32), MOST_INPUT * _signs(network)])
    return {
        "rows": rows,
        "scales": scales,
        "drives": drives,
        "last_word": np.array(len(words) - 1, dtype=np.int64),
        "zero": np.array([0], dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
    }


def _gauge_states(hidden: int) -> dict[str, np.ndarray]:
    """Return a row's first states, float32 (2, 1, hidden): the last two are at both ends, and stay there."""
    ends = np.zeros((2, 1, hidden), dtype=np.float32)
    ends[:, :, -GAUGES:] = 1, -1
    return {"gauge_h": ends, "gauge_c": 10 * ends}


def _weighing(network: Network) -> dict[str, np.ndarray]:
    """Return the constants that weigh sentences, as endpoint/weighing.py names them; layers as x @ weight."""
    layers = {
        "polarity": network.polarity,
        "see": network.see,
        "weigh": network.weigh,
        "weight": network.weight,
    }
    values = {
        f"{name}_{part}": np.ascontiguousarray(getattr(layer, part).detach().numpy().T)
        for name, layer in layers.items()
        for part in ("weight", "bias")
    }
    for name in ("polarity_weight", "weight_weight"):
        values[name] = values[name][:, 0]
    values["power"] = network.power.detach().numpy()
    return {name: values[name] for name in CONSTANTS}


def _nodes(hidden: int, constants: Sequence[str]) -> list[onnx.NodeProto]:
    """Return the graph's operations in order."""
    node = helper.make_node
    lstm = ["inputs", "W", "R", "B", "", "first_h", "first_c"]
    return [
        node("Gather", ["rows", "ids"], ["row"], axis=0),
        node("Cast", ["row"], ["row_float"], to=TensorProto.FLOAT),
        node("Gather", ["scales", "ids"], ["scale"], axis=0),
        node("Mul", ["row_float", "scale"], ["embedded"]),
        # 0 for a word, 1 for a reset.
        node("Sub", ["ids", "last_word"], ["after_words"]),
        node("Max", ["after_words", "zero"], ["kind"]),
        node("Gather", ["drives", "kind"], ["drive"], axis=0),
        node("Concat", ["embedded", "drive"], ["inputs"], axis=2),
        # Every row starts with the gauge's states.
        node("Shape", ["ids"], ["all_rows"], start=1, end=2),
        node("Concat", ["one", "all_rows", "one"], ["repeats"], axis=0),
        node("Tile", ["gauge_h", "repeats"], ["first_h"]),
        node("Tile", ["gauge_c", "repeats"], ["first_c"]),
        node("LSTM", lstm, [STATES], hidden_size=hidden, direction="bidirectional"),
        *(node("Identity", [f"{name}{CONSTANT}"], [name]) for name in constants),
    ]


def tensors_of(data: bytes) -> dict[str, np.ndarray]:
    """Return the tensors of a model.onnx by name."""
    return {one.name: numpy_helper.to_array(one) for one in onnx.load_from_string(data).graph.initializer}


def int8_rows(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int8 rows (vocabulary, embedding) and their scales, float32 (vocabulary, 1)."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, 1e-8).astype(np.float32)
    return np.round(table / scales).astype(np.int8), scales


def quantize(model: onnx.ModelProto) -> bytes:
    """Return the model with int8 weights in the LSTM, a scale for each gate's unit; the rest is unchanged."""
    # Imported here, after onnx_runtime.py has loaded ONNX Runtime with its reports and AMX off.
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, plain)
        quantize_dynamic(
            plain, small, op_types_to_quantize=["LSTM"], weight_type=QuantType.QInt8, per_channel=True
        )
        quantized = onnx.load(small)
    onnx.checker.check_model(quantized)
    data: bytes = quantized.SerializeToString()
    return data


def export(
    folder: Path, out: Path, archive: str | None, weights: Path | None = None, trial: bool = False
) -> dict[str, Any]:
    """Write the package of a trained network's folder, whole or not at all, and return its card.

    ``weights`` is the file of ngram_residual.py. A ``trial`` is written however far int8 strays from torch.
    Raises ExportError.
    """
    words = vocabulary.load()
    trained, network = read_network(folder, words.fingerprint)
    corpus = corpora.load(archive)
    development = corpus.development
    reviews = dataset.load(dataset.find_archive(archive)).development
    if weights:
        network.ngrams = ngram_weights.to_codes(_load_weights(weights))
    data = quantize(to_onnx(network))
    card: dict[str, Any] = {
        **identity_of(data),
        "vocabulary": words.fingerprint,
        "vocabulary_size": words.size,
        "max_tokens": text.MAX_TOKENS,
        **Calibration(1.0, 1.0, 0.0)._asdict(),
        opinion.FIELD: opinion.to_field(opinion.PLAIN.numbers),
        "uncertain": [0.5, 0.5],
    }
    with tempfile.TemporaryDirectory() as trial_folder:
        write_package(Path(trial_folder), data, card)
        served = inference.model_fn(trial_folder)
        sums, checks = compare_with_torch(network, served, development)
        short_sums, short_sizes, targets = score_short(served, reviews)
    if not trial:
        check_gaps(checks)
    sizes = np.array(
        [(len(one), len(two)) for one, two in zip(development.ids, development.lengths, strict=True)]
    )
    tokens, sentences = np.concatenate([sizes, short_sizes]).T
    calibration = metrics.fit_calibration(
        np.concatenate([sums, short_sums]),
        tokens,
        sentences,
        np.concatenate([development.labels, targets]),
        np.concatenate([weights_by_stars(development.stars, corpus.train.stars), np.ones(len(targets))]),
    )
    probabilities = metrics.probabilities_of(calibration.apply(sums, sizes[:, 0], sizes[:, 1]))
    band = metrics.uncertain_band(probabilities, development.labels)
    served = served._replace(calibration=calibration)
    numbers = opinion_fit.fit(served, reviews)
    card |= {
        **calibration._asdict(),
        opinion.FIELD: opinion.to_field(numbers),
        "uncertain": list(band),
        "created": time.strftime("%Y-%m-%d", time.gmtime()),
        "export": checks,
        **describe(trained, "make train-best" if trained.get("teachers") else "make train", folder),
        "metrics": {"development": development_metrics(probabilities, development.labels, band)},
    }
    write_package(out, data, card)
    return card


def _load_weights(path: Path) -> np.ndarray:
    """Load the weights of n-grams, float32 (columns,)."""
    with np.load(path, allow_pickle=False) as arrays:
        weights: np.ndarray = arrays["weights"]
    return weights


def development_metrics(
    probabilities: np.ndarray, labels: np.ndarray, band: tuple[float, float]
) -> dict[str, Any]:
    """Return the card's figures of the development split, from P(positive) and labels, (reviews,) each."""
    return {
        **metrics.summary(probabilities, labels, band),
        "command": "python -m training.evaluation.evaluate --split development",
    }


def read_network(folder: Path, fingerprint: str) -> tuple[dict[str, Any], Network]:
    """Load the card and the network that train.py wrote. Raises ExportError."""
    try:
        trained = json.loads((folder / "network.json").read_text(encoding="utf-8"))
        if trained["vocabulary"] != fingerprint:
            raise ExportError(
                f"{folder} was trained with vocabulary {trained['vocabulary']}, this code has"
                f" {fingerprint}; run `make train` again"
            )
        network = Network(Size(**trained["size"]))
        network.load_state_dict(load_file(folder / "network.safetensors"))
    except OSError as error:
        raise ExportError(
            f"{folder} holds no trained network ({error.strerror or error}); run `make train` first"
        ) from error
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ExportError(
            f"the network in {folder} is corrupt ({type(error).__name__}); run `make train` again"
        ) from error
    return trained, network.eval()


def compare_with_torch(
    network: Network, model: inference.LoadedModel, development: corpora.Split
) -> tuple[np.ndarray, dict[str, float]]:
    """Return the served model's logits, float64 (reviews,), and its gaps to the trained network.

    Raises ExportError when a logit is not finite.
    """
    served = np.zeros(len(development))
    sum_gap = 0.0
    columns = zip(development.ids, development.lengths, strict=True)
    for index, (ids, lengths) in enumerate(tqdm(columns, total=len(served), desc="comparing", disable=None)):
        scored = model.score(ids.tolist(), lengths.tolist(), "sentences")
        served[index] = scored.logit
        parts = [sentence.contribution for sentence in scored.sentences or []]
        sum_gap = max(sum_gap, abs(scored.bias + sum(parts) - scored.logit))
    trained, labels = predict(network, development, torch.device("cpu"))
    if not np.isfinite(served).all():
        raise ExportError("the network answers some review with no number; nothing written")
    gaps = np.abs(metrics.probabilities_of(served) - metrics.probabilities_of(trained))
    right = [float(((logits > 0) == (labels == 1)).mean()) for logits in (served, trained)]
    checks = {
        "reviews": len(served),
        "probability_gap_p99": float(np.quantile(gaps, 0.99)),
        "accuracy_int8": right[0],
        "accuracy_torch": right[1],
        "sum_gap": sum_gap,
    }
    return served, checks


def weights_by_stars(development: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return weights, float64 (reviews,), by which the development split has all labelled reviews' stars.

    The archive has as many positive as negative reviews, but some films have more of one kind. A split of
    whole films thus leans to a side, and the shift would learn that (post-stratification).

    :param development: the stars of the development reviews, int (reviews,)
    :param train: those of the train reviews, int (reviews,)
    """
    both = np.concatenate([development, train])
    shares = {
        stars: (both == stars).mean() / (development == stars).mean() for stars in {*development.tolist()}
    }
    return np.array([shares[stars] for stars in development.tolist()])


def score_short(
    model: inference.LoadedModel, reviews: Sequence[dataset.Review]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the graded sentences of development reviews give: sums, sizes and targets.

    Those without a side are left out. Sums and targets are (texts,); a target is 1 for praise, also for
    praise that is only implied, and 0 for a complaint. Sizes, int (texts, 2), count tokens and sentences.
    """
    rows = [row for row in grades.load(reviews) if row.grade]
    encoded = [model.vocabulary.encode(row.text) for row in rows]
    sums = np.array([model.score(one.ids, one.lengths).logit for one in encoded])
    targets = np.array([float(row.grade > 0) for row in rows])
    sizes = np.array([(len(one.ids), len(one.lengths)) for one in encoded], dtype=np.int64)
    return sums, sizes.reshape(-1, 2), targets


def check_gaps(checks: dict[str, Any]) -> None:
    """Raise ExportError when int8 strays too far from torch over CHECK_REVIEWS reviews or more."""
    if checks["reviews"] >= CHECK_REVIEWS and (
        checks["probability_gap_p99"] > MAX_PROBABILITY_GAP
        or checks["accuracy_torch"] - checks["accuracy_int8"] > MAX_ACCURACY_GAP
        or checks["sum_gap"] > MAX_SUM_GAP
    ):
        raise ExportError(f"the int8 network strays too far from the trained one: {checks}; nothing written")


def describe(trained: dict[str, Any], command: str, folder: Path) -> dict[str, Any]:
    """Return the card's part about the model's origin and purpose.

    Names and values follow Hugging Face's model cards, ``metrics`` aside:
    https://huggingface.co/docs/hub/model-cards#model-card-metadata
    """
    return {
        "architecture": (
            "embedding, a bidirectional LSTM over each sentence, max and mean pooling, a polarity and a"
            " weight for each sentence, their sum; weights of n-grams in the polarity; int8 ONNX"
        ),
        "size": trained["size"],
        **ABOUT,
        "data": {
            "name": "IMDb Large Movie Review Dataset v1.0 (Maas et al., ACL 2011)",
            "license": "the archive states none, and asks to cite its paper; the reviews are their writers'",
            "archive_sha256": trained["archive_sha256"],
            "reviews": trained["reviews"],
            "left_out_since_in_test": trained["left_out"],
            "development_split": "whole films, by a hash of their address",
        },
        "training": {
            "command": command,
            "options": trained["options"],
            "teachers": trained.get("teachers", []),
            "best": trained["best"],
            "classifier_seconds": trained["seconds"],
            "estimate": estimate(minutes_of(trained, folder), os.cpu_count() or 1),
        },
    }


def minutes_of(trained: dict[str, Any], folder: Path) -> dict[str, float]:
    """Return the minutes of each stage that led to a network, from reproduce.py's notes beside its folder.

    For a resumed stage, a note counts only the last part; a training's own card counts all. Without
    notes the last training counts alone.
    """
    minutes = {}
    for stage in reproduce.recipe(trained["options"].get("seed", 1), folder.parent):
        note, card = folder.parent / f"{stage.name}.json", stage.writes.with_name("network.json")
        if note.is_file() and not stage.name.startswith("package"):
            minutes[stage.name] = float(json.loads(note.read_text(encoding="utf-8"))["minutes"])
            if card.is_file():
                seconds = json.loads(card.read_text(encoding="utf-8"))["seconds"]
                minutes[stage.name] = max(minutes[stage.name], round(seconds / 60, 1))
    return minutes if folder.name in minutes else {folder.name: round(trained["seconds"] / 60, 1)}


def estimate(minutes: dict[str, float], cores: int) -> dict[str, Any]:
    """Estimate the energy of a training, in kWh, from its minutes and WATTS_A_CORE."""
    total = sum(minutes.values())
    return {
        "minutes": minutes,
        "minutes_total": round(total, 1),
        "machine": machine.describe(cores),
        "kwh": round(total / 60 * cores * WATTS_A_CORE / 1000, 3),
        "how": (
            f"an estimate: minutes on the clock, times all cores of the machine that packaged the model,"
            f" times {WATTS_A_CORE} W a core; other work at the same time is not taken out, a GPU not added"
        ),
    }


def _lstm_weights(network: Network) -> dict[str, np.ndarray]:
    """Return W, R and B of ONNX's LSTM, a row a direction.

    W is float32 (2, 4 x states, width + drives), R (2, 4 x states, states), B (2, 8 x states), where the
    gauge's states follow the hidden ones. ONNX orders the gates i, o, f, c; torch orders them i, f, g, o.
    """
    parts: dict[str, list[np.ndarray]] = {"W": [], "R": [], "B": []}
    for lstm in (network.forward_lstm, network.backward_lstm):
        weights = lstm_parameters(lstm)
        parts["W"].append(_with_gauges(_with_drives(_gates(weights.input), _signs(network))))
        recurrent = np.pad(_gates(weights.recurrent), ((0, 0), (0, GAUGES)))
        parts["R"].append(_with_gauges(recurrent))
        biases = (
            _with_gauges(_gates(weights.input_bias)[:, None], [DRIVE * sign for sign in GAUGE_SIGNS]),
            _with_gauges(_gates(weights.recurrent_bias)[:, None]),
        )
        parts["B"].append(np.concatenate(biases)[:, 0])
    return {name: np.stack(value) for name, value in parts.items()}


def _with_gauges(gates: np.ndarray, values: Sequence[float] = (0, 0, 0, 0)) -> np.ndarray:
    """Return the gates' parameters, (4 x hidden, ...), with rows for the gauge's states after each gate.

    :param values: what stands in these rows, a number a gate
    """
    parts = np.split(gates, 4)
    added = [np.full((GAUGES, gates.shape[1]), value, dtype=np.float32) for value in values]
    return np.concatenate([piece for pair in zip(parts, added, strict=True) for piece in pair])


def _with_drives(weights: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return an LSTM's input weights, (4 x hidden, width), with columns for the drives.

    Each weight is the largest of its row, so that int8's scale of the row stays the same.
    """
    most = np.abs(weights).max(axis=1)
    reset = np.repeat(RESET_SIGNS, len(most) // 4).astype(np.float32) * most
    return np.concatenate([weights, reset[:, None] * signs], axis=1)


def _signs(network: Network) -> np.ndarray:
    """Return the signs of a reset's drives, float32 (drives,): one after the other, so that both occur."""
    signs: np.ndarray = (-1.0) ** np.arange(_drive_count(network))
    return signs.astype(np.float32)


def _drive_count(network: Network) -> int:
    """Return how many inputs together reach DRIVE at every gate, 2 or more."""
    lstms = (network.forward_lstm, network.backward_lstm)
    least = min(float(lstm_parameters(lstm).input.detach().abs().amax(dim=1).min()) for lstm in lstms)
    return max(2, math.ceil(DRIVE / (MOST_INPUT * max(least, LEAST_WEIGHT))))


def _gates(weight: Tensor) -> np.ndarray:
    """Return a parameter, (4 x hidden, ...), with its gates in ONNX's order."""
    i, f, g, o = np.split(weight.detach().numpy(), 4)
    return np.concatenate([i, o, f, g])


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the model package of a trained network.")
    default = cache.folder() / "network"
    parser.add_argument(
        "--network",
        type=Path,
        default=default,
        help="folder that train.py wrote (default: the cache folder's network/)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=inference.MODEL_FOLDER,
        help="package folder (default: training/endpoint/model)",
    )
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--ngrams", type=Path, help="the file that ngram_residual.py wrote (.npz)")
    parser.add_argument("--trial", action="store_true", help="write it however far int8 strays from torch")
    options = parser.parse_args()
    try:
        card = export(options.network, options.out, options.archive, options.ngrams, options.trial)
    except OSError as error:
        sys.exit(f"export: {options.out} can't be written ({error.strerror}); what was there is still there")
    except (ExportError, dataset.DataError, vocabulary.VocabularyError, inference.ModelFilesError) as error:
        sys.exit(f"export: {error}")
    print(json.dumps({key: card[key] for key in ("id", "onnx_bytes", "temperature", "uncertain")}))
    print(json.dumps(card["export"]))
    print(json.dumps(card["metrics"]["development"]))


if __name__ == "__main__":
    main()
