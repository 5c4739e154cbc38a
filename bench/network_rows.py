"""Measure the network alone, with its explanation, beside the same in torch and fp32, and a transformer."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np

from bench import transformer_like
from bench.measuring import Contestant, Figure, Missing, side_by_side, summarise_turns
from bench.setting import Setting
from training.endpoint import inference
from training.endpoint.onnx_runtime import ort

PART = "network"
OURS, TRANSFORMER = "Verdict, ONNX int8", "DistilBERT's size, ONNX int8"
SAME = ("the same, ONNX fp32", "the same, torch fp32", "the same, torch int8")
NAMES = (OURS, *SAME, TRANSFORMER)
RANDOM = "random weights: the time is the same"


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield milliseconds a review of 230 tokens, one thread."""
    calls: dict[str, Callable[[list[int]], object]] = {OURS: inference.model_fn(inference.MODEL_FOLDER).score}
    with ExitStack() as stack:
        try:
            calls |= same_network()
        except Missing as error:
            yield from (Figure(PART, name, missing=str(error)) for name in SAME)
        try:
            calls[TRANSFORMER] = stack.enter_context(transformer_like.int8_process())
        except Missing as error:
            yield Figure(PART, TRANSFORMER, missing=str(error))
        contestants = {name: Contestant(call, setting.samples.ids) for name, call in calls.items()}
        times = side_by_side(contestants, setting.choose(6, 40))
    for name in calls:
        yield summarise_turns(PART, name, times[name], note="" if name == OURS else RANDOM)


def same_network() -> dict[str, Callable[[list[int]], object]]:
    """Return calls of the same network by name: ids of one review, int64 (tokens), to its explanation.

    Raises Missing without torch.
    """
    try:
        import torch

        from training.recipe import export
        from training.recipe.network import Network, Size
    except ImportError as error:
        raise Missing(f"{error.name} is not installed: pip install -r requirements/train.txt") from error
    torch.set_num_threads(1)
    card = inference.model_fn(inference.MODEL_FOLDER).card
    plain = Network(Size(**card["size"])).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its own quantization deprecated
        quantize: Callable[..., Any] = torch.ao.quantization.quantize_dynamic
        small = quantize(plain, {torch.nn.LSTM}, dtype=torch.qint8)
    session = _session(export.to_onnx(plain).SerializeToString())

    def fp32(ids: list[int]) -> object:
        return session.run(None, {"ids": np.array(ids, dtype=np.int64)})

    return dict(zip(SAME, (fp32, _in_torch(plain), _in_torch(small)), strict=True))


def _in_torch(network: Any) -> Callable[[list[int]], object]:
    import torch

    def explain(ids: list[int]) -> object:
        with torch.inference_mode():
            return network.explain(torch.tensor([ids]), torch.tensor([len(ids)]))

    return explain


def _session(model: bytes) -> ort.InferenceSession:
    """Open a graph as the endpoint does, with one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
