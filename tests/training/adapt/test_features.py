"""Features of reviews: those that the head reads, equal in one process and in several."""

import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from training.adapt import features
from training.adapt.onnx_head import read_head
from training.endpoint import inference
from training.files import processes
from vocab import messages

TEXTS = [
    "A fine film, and I would see it again.",
    "",
    "zzqx qqzv",
    "Der Film ist nicht gut und auch sehr lang.",
]


def test_head_times_features_is_the_served_logit(package: Path, model: inference.LoadedModel) -> None:
    extracted = features.extract(TEXTS[:1], 1, package, workers=1)
    head = read_head((package / "model.onnx").read_bytes())
    logit = extracted.values[0].astype(np.float64) @ head.weights + head.bias
    served = model.predict(TEXTS[0])[1].logit
    assert logit / model.card["temperature"] == pytest.approx(served, abs=1e-4)


def test_what_cannot_teach_carries_a_warning(package: Path) -> None:
    extracted = features.extract(TEXTS, len(TEXTS), package, workers=1)
    assert extracted.unfit.tolist() == ["", features.NO_TOKEN, features.UNKNOWN, features.NOT_ENGLISH]
    assert not extracted.values[1].any()


def test_lengths_and_warnings_are_those_that_come_with_verdicts(
    package: Path, model: inference.LoadedModel
) -> None:
    extracted = features.extract(TEXTS, len(TEXTS), package, workers=1)
    encoded = [model.vocabulary.encode(text) for text in TEXTS]
    assert extracted.tokens.tolist() == [one.total for one in encoded]
    codes = [warning["code"] for one in encoded if one.ids for warning in messages.warnings_of(one)]
    assert extracted.flagged == {**Counter(codes), features.NO_TOKEN: 1}


def _hears_ctrl_c() -> bool:
    """Return whether Ctrl-C is unblocked in this process."""
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def _nothing(model: str) -> None:
    """Do nothing at a process's start."""


def test_no_process_hears_ctrl_c_not_even_while_it_starts() -> None:
    with processes.start_pool(2, _nothing, Path("model")) as pool:
        assert not pool.submit(_hears_ctrl_c).result()
    assert _hears_ctrl_c()


def test_several_processes_read_what_one_reads(made_package: Path) -> None:
    texts = [f"{TEXTS[number % len(TEXTS)]} {number}" for number in range(250)]
    one = features.extract(texts, len(texts), made_package, workers=1)
    two = features.extract(texts, len(texts), made_package, workers=2)
    assert one.values.tolist() == two.values.tolist()
    assert one.unfit.tolist() == two.unfit.tolist()
    assert one.tokens.tolist() == two.tokens.tolist()
    assert one.flagged == two.flagged
