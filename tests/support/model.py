"""Networks and model packages small enough to make in a test, of random weights or almost ours."""

import json
from pathlib import Path
from typing import Any

from vocab import text, vocabulary

# Features by which a sentence is weighed, and hidden units of the weighing.
SEEN, WEIGHING = 6, 5
# Ids that it leaves out, unless a sentence holds no other.
UNREAD = (3, 7)


def random_network(
    rows: int, seed: int = 0, width: int = 8, hidden: int = 8, spread: float = 1.0, ngrams: int = 0
) -> Any:
    """Return a network.Network of ``rows`` ids whose sentences differ in weight; UNREAD are not read.

    At a ``spread`` of 1 a logit is often 1 or more from 0. ``ngrams`` is the columns of their table.
    """
    import numpy as np
    import torch

    from training.endpoint import ngram_weights
    from training.recipe.network import Network, Size

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Network(Size(rows, width, hidden, SEEN, WEIGHING, UNREAD))
        with torch.no_grad():
            network.embedding.weight[1:].normal_(std=1.0)
            network.polarity.weight.normal_(std=spread)
            network.polarity.bias.fill_(0.125)
            network.weight.weight.normal_(std=1.0)
            network.power.fill_(0.5)
    network.ngrams = ngram_weights.to_codes(np.random.default_rng(seed).normal(size=ngrams, scale=0.05))
    return network.eval()


def random_package(folder: Path, seed: int = 0, spread: float = 1.0) -> dict[str, Any]:
    """Write model.onnx and model.json of a random network with the shipped vocabulary; return the card."""
    from training.endpoint import model_folder, opinion
    from training.recipe import export

    words = vocabulary.load()
    data = export.quantize(export.to_onnx(random_network(words.size, seed, spread=spread, ngrams=512)))
    card = {
        **model_folder.identity_of(data),
        "vocabulary": words.fingerprint,
        "vocabulary_size": words.size,
        "max_tokens": text.MAX_TOKENS,
        "temperature": 1.5,
        "short_temperature": 1.25,
        "shift": 0.25,
        "opinion": opinion.to_field(opinion.PLAIN.numbers),
        "uncertain": [0.35, 0.65],
        "metrics": {},
    }
    model_folder.write_package(folder, data, card)
    return card


def leaning_package(folder: Path, by: float = 1.0) -> dict[str, Any]:
    """Write the published model with ``by`` added to each sentence's polarity; return its card."""
    from training.adapt.onnx_head import Head, read_head, with_head
    from training.endpoint import inference, model_folder

    network = (inference.MODEL_FOLDER / "model.onnx").read_bytes()
    head = read_head(network)
    data = with_head(network, Head(head.weights, head.bias + by))
    card = json.loads((inference.MODEL_FOLDER / "model.json").read_text(encoding="utf-8"))
    card |= model_folder.identity_of(data)
    model_folder.write_package(folder, data, card)
    return card
