"""Fine-tuning: from the served network, near its start, packed again for serving."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.varied import varied
from training.adapt import adapt, deep
from training.adapt.deep import Settings
from training.endpoint import inference
from vocab import vocabulary

WORDS = ("sturdy", "reliable", "quiet"), ("flimsy", "noisy", "leaking")


def rows(count: int) -> list[tuple[str, int]]:
    return [
        (f"This lamp, number {n}, is {WORDS[n % 2][n % 3]} as I see it; {varied(n)}.", 1 - n % 2)
        for n in range(count)
    ]


def ids_of(texts: list[str]) -> list[np.ndarray]:
    words = vocabulary.load()
    return [np.array(words.encode_ids(text)) for text in texts]


def test_the_unpacked_network_answers_like_the_served_one(made_package: Path) -> None:
    network = deep.unpack((made_package / "model.onnx").read_bytes())
    model = inference.model_fn(made_package)
    texts = [text for text, _ in rows(20)]
    served = [model.predict(text)[1].logit * model.card["temperature"] for text in texts]
    assert deep.logits_of(network, ids_of(texts)) == pytest.approx(served, abs=0.2)


def test_the_published_network_unpacked_answers_like_the_served_one(package: Path) -> None:
    network = deep.unpack((package / "model.onnx").read_bytes())
    model = inference.model_fn(package)
    text = "A warm, funny film that never once felt too long, though its middle part is a little dull."
    served = model.predict(text)[1].logit * model.card["temperature"]
    assert deep.logits_of(network, ids_of([text]))[0] == pytest.approx(served, abs=0.2)


def test_padding_changes_no_logit(made_package: Path) -> None:
    network = deep.unpack((made_package / "model.onnx").read_bytes())
    ids = ids_of(["Short.", "A text that is very much longer than the short one beside it."])
    together = deep.logits_of(network, ids)
    alone = [deep.logits_of(network, [one])[0] for one in ids]
    assert together == pytest.approx(alone, abs=1e-5)


def test_tuning_learns_words_that_a_head_alone_was_not_given(made_package: Path) -> None:
    network = deep.unpack((made_package / "model.onnx").read_bytes())
    learned, fresh = rows(160), rows(240)[160:]
    labels = np.array([label for _, label in learned])
    deep.tune(network, ids_of([text for text, _ in learned]), labels, Settings(rate=0.03))
    logits = deep.logits_of(network, ids_of([text for text, _ in fresh]))
    assert np.mean((logits > 0) == [label == 1 for _, label in fresh]) > 0.9


def test_a_strong_pull_keeps_the_weights_where_they_started(made_package: Path) -> None:
    data = (made_package / "model.onnx").read_bytes()
    network, start = deep.unpack(data), deep.unpack(data)
    learned = rows(40)
    labels = np.array([label for _, label in learned])
    deep.tune(network, ids_of([text for text, _ in learned]), labels, Settings(pull=1.0))
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
    _, scored = model.predict(rows(1)[0][0])
    assert scored.bias + sum(scored.contributions) == pytest.approx(scored.logit, abs=1e-5)
    base = json.loads((made_package / "model.json").read_text(encoding="utf-8"))
    assert model.card["base_model"] == base["id"] != model.card["id"]
    assert "fine-tuned" in model.card["adaptation"]["how"]
    assert model.card["adaptation"]["settings"]["epochs"] == Settings().epochs


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
