"""Fine-tuning: from the served network, near its start, packed again for serving."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.model import random_network
from tests.support.varied import varied
from training.adapt import adapt, deep
from training.adapt.deep import Review, Settings, to_review
from training.endpoint import inference, scoring
from training.endpoint.calibration import Calibration
from training.recipe import export
from vocab import vocabulary

PLAIN = Calibration(1.0, 1.0, 0.0)
WORDS = ("sturdy", "reliable", "quiet"), ("flimsy", "noisy", "leaking")


def rows(count: int) -> list[tuple[str, int]]:
    return [
        (f"I have lamp {n}. It is {WORDS[n % 2][n % 3]} as I see it; {varied(n)}.", 1 - n % 2)
        for n in range(count)
    ]


def reviews_of(texts: list[str]) -> list[Review]:
    words = vocabulary.load()
    return [to_review(words.encode(text)) for text in texts]


def served_sums(model: inference.LoadedModel, reviews: list[Review]) -> list[float]:
    """Return what the packed network makes of reviews, before any calibration."""
    rows = [(review.ids.tolist(), review.lengths.tolist()) for review in reviews]
    return [scoring.score(model.network, PLAIN, *row, "none").logit for row in rows]


def test_the_unpacked_network_answers_like_the_served_one(made_package: Path) -> None:
    network = deep.unpack((made_package / "model.onnx").read_bytes())
    model = inference.model_fn(made_package)
    reviews = reviews_of([text for text, _ in rows(20)])
    served = served_sums(model, reviews)
    assert deep.logits_of(network, reviews, PLAIN) == pytest.approx(served, abs=0.1)
    tokens, sentences = np.array([(len(one.ids), len(one.lengths)) for one in reviews]).T
    calibrated = model.calibration.apply(np.array(served), tokens, sentences)
    assert deep.logits_of(network, reviews, model.calibration) == pytest.approx(calibrated, abs=0.1)


def test_every_weight_of_a_network_comes_back_from_its_package() -> None:
    network = random_network(300, ngrams=256)
    unpacked = deep.unpack(export.quantize(export.to_onnx(network)))
    assert unpacked.size == network.size
    for name, trained in network.state_dict().items():
        value = (
            trained.clip(-export.MOST_INPUT, export.MOST_INPUT) if name.startswith("embedding") else trained
        )
        gap = (unpacked.state_dict()[name] - value).abs().max()
        assert gap <= value.abs().max() / 127, name


def test_the_published_network_unpacked_answers_like_the_served_one(package: Path) -> None:
    network = deep.unpack((package / "model.onnx").read_bytes())
    model = inference.model_fn(package)
    reviews = reviews_of(
        ["A warm, funny film that never once felt too long. Its middle part is a little dull."]
    )
    assert deep.logits_of(network, reviews, PLAIN) == pytest.approx(served_sums(model, reviews), abs=0.2)


def test_neighbours_change_no_logit(made_package: Path) -> None:
    network = deep.unpack((made_package / "model.onnx").read_bytes())
    reviews = reviews_of(["Short.", "A text that is very much longer than the short one. It goes on."])
    together = deep.logits_of(network, reviews, PLAIN)
    alone = [deep.logits_of(network, [one], PLAIN)[0] for one in reviews]
    assert together == pytest.approx(alone, abs=1e-5)


def test_tuning_learns_words_that_a_head_alone_was_not_given(made_package: Path) -> None:
    network = deep.unpack((made_package / "model.onnx").read_bytes())
    learned, fresh = rows(160), rows(240)[160:]
    labels = np.array([label for _, label in learned])
    deep.tune(network, reviews_of([text for text, _ in learned]), labels, PLAIN, Settings(rate=0.03))
    logits = deep.logits_of(network, reviews_of([text for text, _ in fresh]), PLAIN)
    assert np.mean((logits > 0) == [label == 1 for _, label in fresh]) > 0.9


def test_a_strong_pull_keeps_the_weights_where_they_started(made_package: Path) -> None:
    data = (made_package / "model.onnx").read_bytes()
    network, start = deep.unpack(data), deep.unpack(data)
    learned = rows(40)
    labels = np.array([label for _, label in learned])
    deep.tune(network, reviews_of([text for text, _ in learned]), labels, PLAIN, Settings(pull=1.0))
    moved = [
        float((one - other).detach().abs().max())
        for one, other in zip(network.parameters(), start.parameters(), strict=True)
    ]
    assert max(moved) < 0.01


def test_a_tuned_model_is_written_in_the_same_form_and_its_parts_add_up(
    made_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "my.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows(80)])
    arguments = ["my.csv", "--deep", "--force", "--model", str(made_package), "--workers", "1"]
    assert adapt.main(arguments) == 0
    model = inference.model_fn(tmp_path / "my-model")
    _, scored = model.predict(rows(1)[0][0], "words")
    assert scored.sentences and scored.words
    parts = [sentence.contribution for sentence in scored.sentences]
    assert len(parts) == 2
    assert scored.bias + sum(parts) == pytest.approx(scored.logit, abs=1e-5)
    assert scored.bias + sum(scored.words.contributions) == pytest.approx(scored.logit, abs=1e-5)
    base = json.loads((made_package / "model.json").read_text(encoding="utf-8"))
    assert model.card["base_model"] == base["id"] != model.card["id"]
    assert "fine-tuned" in model.card["adaptation"]["how"]
    assert model.card["adaptation"]["settings"]["epochs"] == Settings().epochs


def test_tuning_reads_logits_as_they_are_served(made_package: Path) -> None:
    # By a bias of -6 each review is a complaint at first; only tuning on calibrated logits can mend that.
    network = deep.unpack((made_package / "model.onnx").read_bytes())
    calibration = Calibration(1.0, 1.0, -6.0)
    text = "It is sturdy, says Frobisher of the lamp. " * 12
    reviews = reviews_of([text] * 64)
    before = deep.logits_of(network, reviews[:1], calibration)[0]
    deep.tune(network, reviews, np.ones(64), calibration, Settings(rate=0.03))
    assert before < -4 < deep.logits_of(network, reviews[:1], calibration)[0]


def test_without_torch_it_says_what_to_install(
    made_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(sys.modules["training.adapt"], "deep")
    monkeypatch.setitem(sys.modules, "training.adapt.deep", None)
    with (tmp_path / "my.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows(60)])
    assert adapt.main(["my.csv", "--deep", "--model", str(made_package), "--workers", "1"]) == 2
    assert "requirements/train.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["my.csv"]
