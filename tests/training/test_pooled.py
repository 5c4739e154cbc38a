"""The pooled states of reviews: those that the head reads, the same in one process and in several."""

from pathlib import Path

import inference
import numpy as np
import pooled
import pytest
from onnx_head import read_head

TEXTS = [
    "A fine film, and I would see it again.",
    "",
    "zzqx qqzv",
    "Der Film ist nicht gut und auch sehr lang.",
]


def test_head_times_features_is_the_served_logit(package: Path, verdict: inference.Verdict) -> None:
    read = pooled.pool(TEXTS[:1], 1, package, workers=1)
    head = read_head((package / "model.onnx").read_bytes())
    logit = read.features[0].astype(np.float64) @ head.weights + head.bias
    served = verdict.read(TEXTS[0])[1].logit
    assert logit / verdict.card["temperature"] == pytest.approx(served, abs=1e-4)


def test_what_cannot_teach_carries_a_warning(package: Path) -> None:
    read = pooled.pool(TEXTS, len(TEXTS), package, workers=1)
    assert read.warnings.tolist() == ["", pooled.NO_TOKEN, pooled.UNKNOWN, pooled.NOT_ENGLISH]
    assert not read.features[1].any()


def test_several_processes_read_what_one_reads(made_package: Path) -> None:
    texts = [f"{TEXTS[number % len(TEXTS)]} {number}" for number in range(250)]
    one = pooled.pool(texts, len(texts), made_package, workers=1)
    two = pooled.pool(texts, len(texts), made_package, workers=2)
    assert one.features.tolist() == two.features.tolist()
    assert one.warnings.tolist() == two.warnings.tolist()
