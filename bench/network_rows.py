"""Measure the network alone, with its explanation, beside the same in torch and fp32, and a transformer."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import transformer_like
from bench.measuring import Contestant, Figure, Missing, side_by_side, summarise_turns
from bench.samples import Ids
from bench.setting import Setting
from training.endpoint import inference, scoring
from training.endpoint.calibration import Calibration
from training.endpoint.scoring import SentenceNetwork

PART = "network"
OURS, TRANSFORMER = "Verdict, ONNX int8", "DistilBERT's size, ONNX int8"
SAME = ("the same, ONNX fp32", "the same, torch fp32", "the same, torch int8")
NAMES = (OURS, *SAME, TRANSFORMER)
RANDOM = "random weights: the time is the same"
UNCALIBRATED = Calibration(1.0, 1.0, 0.0)

Call = Callable[[Ids], object]


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield milliseconds a review of 230 tokens, one thread, with each sentence's contribution."""
    calls: dict[str, Call] = {OURS: _served(inference.model_fn(inference.MODEL_FOLDER).network)}
    with ExitStack() as stack:
        try:
            calls |= same_network()
        except Missing as error:
            yield from (Figure(PART, name, missing=str(error)) for name in SAME)
        try:
            run = stack.enter_context(transformer_like.int8_process())
            calls[TRANSFORMER] = lambda review: run(review.ids)
        except Missing as error:
            yield Figure(PART, TRANSFORMER, missing=str(error))
        contestants = {name: Contestant(call, setting.samples.ids) for name, call in calls.items()}
        times = side_by_side(contestants, setting.choose(6, 40))
    for name in calls:
        yield summarise_turns(PART, name, times[name], note="" if name == OURS else RANDOM)


def same_network() -> dict[str, Call]:
    """Return calls of the same network by name. Raises Missing without torch."""
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
    data = export.to_onnx(plain).SerializeToString()
    fp32 = _served(inference.load_network(data, Path(SAME[0])))
    return dict(zip(SAME, (fp32, _in_torch(plain), _in_torch(small)), strict=True))


def _served(network: SentenceNetwork) -> Call:
    """Return the endpoint's scoring, which also says what each sentence is alone and the rest without it."""

    def score(review: Ids) -> object:
        return scoring.score(network, UNCALIBRATED, review.ids, review.lengths, "sentences")

    return score


def _in_torch(network: Any) -> Call:
    import torch

    from training.recipe.network import Texts

    def read(review: Ids) -> object:
        columns = (review.ids, review.lengths, [len(review.lengths)])
        with torch.inference_mode():
            return network.read(Texts(*map(torch.tensor, columns)))

    return read
