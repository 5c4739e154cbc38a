"""Features of reviews: what the head turns into the served logit, equal in one process and in several."""

import json
import os
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from training.adapt import features
from training.adapt.onnx_head import read_head
from training.endpoint import inference
from vocab import messages

TEXTS = [
    "A fine film, and I would see it again. The end is weak! Still, go.",
    "",
    "zzqx qqzv",
    "Der Film ist nicht gut und auch sehr lang.",
]


def test_head_times_features_is_the_served_logit(package: Path, model: inference.LoadedModel) -> None:
    extracted = features.extract(TEXTS[:1], 1, package, workers=1)
    head = read_head((package / "model.onnx").read_bytes())
    served = model.predict(TEXTS[0])[1].logit
    assert extracted.inputs.logits(head).tolist() == pytest.approx([served], abs=1e-5)


def test_short_and_long_reviews_get_the_calibration_of_their_length(own_package: Path) -> None:
    card = json.loads((own_package / "model.json").read_text(encoding="utf-8"))
    card |= {"temperature": 3.0, "short_temperature": 0.75, "shift": -0.5}
    (own_package / "model.json").write_text(json.dumps(card), encoding="utf-8")
    texts = ["Fine.", "A fine film, and I would see it again.", "It is a fine film of a fine time. " * 20]
    inputs = features.extract(texts, len(texts), own_package, workers=1).inputs
    model = inference.model_fn(own_package)
    served = [model.predict(text)[1] for text in texts]
    head = read_head((own_package / "model.onnx").read_bytes())
    assert inputs.logits(head).tolist() == pytest.approx([one.logit for one in served], abs=1e-5)
    assert inputs.biases.tolist() != pytest.approx([one.bias for one in served], abs=1e-2)  # n-grams add


def test_the_means_of_a_sentence_are_its_pooled_states(package: Path, model: inference.LoadedModel) -> None:
    text = "A fine film."
    means = features.extract([text], 1, package, workers=1).inputs.means
    ids = np.array(model.vocabulary.encode_ids(text), dtype=np.int64)
    (pooled,) = model.network.read(ids, np.array([len(ids)])).pooled
    assert means[0].tolist() == pytest.approx(pooled.tolist(), abs=1e-6)


def test_what_cannot_teach_carries_a_warning(package: Path) -> None:
    extracted = features.extract(TEXTS, len(TEXTS), package, workers=1)
    assert extracted.unfit.tolist() == ["", features.NO_TOKEN, features.UNKNOWN, features.NOT_ENGLISH]
    *numbers, ngrams = extracted.inputs
    assert not any(column[1].any() for column in numbers)
    assert not len(ngrams[1].columns)


def test_no_review_has_no_features(package: Path) -> None:
    extracted = features.extract([], 0, package, workers=1)
    assert [len(column) for column in extracted.inputs] == [0, 0, 0, 0]


def test_lengths_and_warnings_are_those_that_come_with_verdicts(
    package: Path, model: inference.LoadedModel
) -> None:
    extracted = features.extract(TEXTS, len(TEXTS), package, workers=1)
    encoded = [model.vocabulary.encode(text) for text in TEXTS]
    assert extracted.tokens.tolist() == [one.total for one in encoded]
    codes = [warning["code"] for one in encoded if one.ids for warning in messages.warnings_of(one)]
    assert extracted.flagged == {**Counter(codes), features.NO_TOKEN: 1}


def _die(model: object, texts: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_is_one_sentence(made_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_read", _die)
    with pytest.raises(features.FeaturesError, match="^a process died, perhaps for want of memory; "):
        features.extract(["A film."] * 250, 250, made_package, workers=2)


def test_several_processes_read_what_one_reads(made_package: Path) -> None:
    texts = [f"{TEXTS[number % len(TEXTS)]} {number}" for number in range(250)]
    one = features.extract(texts, len(texts), made_package, workers=1)
    two = features.extract(texts, len(texts), made_package, workers=2)
    for ours, theirs in zip(one.inputs[:3], two.inputs[:3], strict=True):
        assert ours.tolist() == theirs.tolist()
    for mine, other in zip(one.inputs.ngrams, two.inputs.ngrams, strict=True):
        assert mine.columns.tolist() == other.columns.tolist()
        assert mine.amounts.tolist() == other.amounts.tolist()
    assert one.unfit.tolist() == two.unfit.tolist()
    assert one.tokens.tolist() == two.tokens.tolist()
    assert one.flagged == two.flagged
