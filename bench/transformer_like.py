"""A transformer of DistilBERT's size with random weights: what it computes, not what it knows.

Six layers of 768, 12 heads, 3,072 inside. Its table has 1,000 rows, since looking one up takes the same
time among 30,522. Built once and kept in the cache folder.
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

ROWS, MOST_TOKENS = 1_000, 512
OPSET = 17


def network() -> Any:
    """Give it in torch. Raises Missing."""
    try:
        import torch
        from transformers import DistilBertConfig, DistilBertModel
    except ImportError as error:
        raise Missing(f"{error.name} is not installed: pip install -r requirements/bench.txt") from error
    torch.manual_seed(1)
    return DistilBertModel(DistilBertConfig(vocab_size=ROWS)).eval()


@contextmanager
def int8_apart() -> Iterator[Callable[[list[int]], object]]:
    """Give a call of its int8 graph in ONNX Runtime, in a process of its own. Raises Missing."""
    command = [sys.executable, "-m", "bench.network_apart", str(_int8_file())]
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
            run([1])  # a graph that can't be loaded shows here
            yield run
        finally:
            process.kill()
            with suppress(BrokenPipeError):
                to.close()


def pipeline() -> Callable[[str], object]:
    """Give what a pipeline of torch does with a review: pieces of words, the network. Raises Missing."""
    model, pieces = network(), _tokenizer()
    import torch

    def answer(review: str) -> object:
        ids = torch.tensor([pieces.encode(review).ids]) % ROWS
        with torch.inference_mode():
            return model(ids).last_hidden_state[0, 0, 0].item()

    return answer


@functools.cache
def _tokenizer() -> Any:
    """Give BERT's own tokenizer, out of the package that teaches the network."""
    try:
        from tokenizers import Tokenizer

        from training.recipe import transformer

        found = Tokenizer.from_file(str(transformer.pretrained_folder() / "tokenizer.json"))
    except (ImportError, transformer.TransformerError) as error:
        raise Missing(f"BERT's pieces of words are missing ({error})") from error
    found.enable_truncation(MOST_TOKENS)
    found.no_padding()
    return found


def _int8_file() -> Path:
    kept = cache.folder() / "bench" / "distilbert-size-int8.onnx"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            os.replace(_export(Path(folder)), kept)
    return kept


def _export(folder: Path) -> Path:
    model = network()
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain, small = folder / "plain.onnx", folder / "int8.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter without onnxscript is called old
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
