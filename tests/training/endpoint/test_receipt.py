"""The receipt of a promise is on the card of its own model, and of no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.model import random_package
from training.aws import package
from training.endpoint import inference, receipt

RECEIPT = {"wrong": 0.05, "threshold": 0.87}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The folder of a model with a receipt."""
    card = random_package(tmp_path)
    write(tmp_path, {**RECEIPT, "model": receipt.identity_of(card)})
    return tmp_path


def write(folder: Path, value: Any) -> None:
    (folder / "promise.json").write_text(json.dumps(value), encoding="utf-8")


def change_card(folder: Path, **fields: Any) -> None:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps({**card, **fields}), encoding="utf-8")


def test_the_card_shows_the_receipt(model: Path) -> None:
    assert inference.model_fn(model).card["promise"]["threshold"] == 0.87


def test_new_figures_on_the_card_leave_the_promise(model: Path) -> None:
    change_card(model, metrics={"test": {"accuracy": 0.9}})
    assert "promise" in inference.model_fn(model).card


@pytest.mark.parametrize("fields", [{"temperature": 1.25}, {"uncertain": [0.4, 0.6]}, {"id": "another"}])
def test_a_model_that_answers_otherwise_has_no_promise(model: Path, fields: dict[str, Any]) -> None:
    change_card(model, **fields)
    assert "promise" not in inference.model_fn(model).card


@pytest.mark.parametrize("text", ["", "[1]", '{"model": 1}', "{", "\xff", '{"wrong": NaN}', "[" * 200_000])
def test_a_damaged_receipt_is_left_out_and_the_model_serves(model: Path, text: str) -> None:
    (model / "promise.json").write_text(text, encoding="latin-1")
    assert "promise" not in inference.model_fn(model).card


def test_the_receipt_goes_with_the_model_into_a_package(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.tar.gz"
    package.build(model, out, ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1",))
    import tarfile

    with tarfile.open(out) as packed:
        assert set(packed.getnames()) == {"model.onnx", "model.json", "promise.json"}
