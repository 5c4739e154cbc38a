"""Build a transformer of DistilBERT's size with random weights, which takes the same time as trained ones.

Six layers of 768, 12 heads, 3,072 inside. Its table has 1,000 rows, since a lookup takes the same time among
30,522. The graph is built once, in the cache folder.
"""

import functools
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.measuring import Missing
from bench.setting import ROOT
from training.data import cache

ROWS, MAX_TOKENS = 1_000, 512
OPSET = 17
# Reads ids from standard input, and answers each line with a line.
PROCESS = "bench.network_process"


def network() -> Any:
    """Return the network in torch. Raises Missing."""
    try:
        import torch
        from transformers import DistilBertConfig, DistilBertModel
    except ImportError as error:
        raise Missing(f"{error.name} is not installed: pip install -r requirements/bench.txt") from error
    torch.manual_seed(1)
    model: Any = DistilBertModel(DistilBertConfig(vocab_size=ROWS))
    return model.eval()


@contextmanager
def int8_process() -> Iterator[Callable[[list[int]], object]]:
    """Yield a function that runs the int8 graph on ids, in a process of its own. Raises Missing."""
    command = [sys.executable, "-m", PROCESS, str(_int8_file())]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        to, back = process.stdin, process.stdout

        def run(ids: list[int]) -> object:
            with suppress(BrokenPipeError):
                print(json.dumps([number % ROWS for number in ids]), file=to, flush=True)
            if not back.readline():
                raise Missing("the transformer's process ended")
            return None

        try:
            run([1])  # a broken graph fails here
            yield run
        finally:
            process.kill()
            with suppress(BrokenPipeError):
                to.close()


def pipeline() -> Callable[[str], object]:
    """Return torch's pipeline for a review: word pieces, then the network. Raises Missing."""
    model, tokenizer = network(), _tokenizer()
    import torch

    def answer(review: str) -> object:
        ids = torch.tensor([tokenizer.encode(review).ids]) % ROWS
        with torch.inference_mode():
            return model(ids).last_hidden_state[0, 0, 0].item()

    return answer


@functools.cache
def _tokenizer() -> Any:
    """Return BERT's tokenizer, from the package of the network's teacher."""
    try:
        from tokenizers import Tokenizer

        from training.recipe import transformer

        tokenizer = Tokenizer.from_file(str(transformer.pretrained_folder() / "tokenizer.json"))
    except (ImportError, transformer.TransformerError) as error:
        raise Missing(f"BERT's pieces of words are missing ({error})") from error
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def _int8_file() -> Path:
    path = cache.folder() / "bench" / "distilbert-size-int8.onnx"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            os.replace(_export(Path(folder)), path)
    return path


def _export(folder: Path) -> Path:
    model = network()
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain, small = folder / "plain.onnx", folder / "int8.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls the exporter without onnxscript deprecated
        torch.onnx.export(
            model,
            (torch.ones((1, 8), dtype=torch.int64),),
            str(plain),
            input_names=["ids"],
            dynamic_axes={"ids": {1: "tokens"}},
            opset_version=OPSET,
            dynamo=False,
        )
    logging.getLogger().setLevel(logging.ERROR)
    quantize_dynamic(plain, small, weight_type=QuantType.QInt8)
    return small
