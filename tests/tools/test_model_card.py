"""The model card's page: metadata that Hugging Face reads, and nothing that the card does not say."""

import re
from typing import Any

import pytest
import yaml

from tools import fill_docs, model_card
from training.endpoint import inference
from training.recipe import export

PARTS = {name: f"{name} block\n" for name in ("figures", *fill_docs.METRICS)}


@pytest.fixture
def card(tmp_path: Any) -> dict[str, Any]:
    """A card as export writes it, with a test split's figures."""
    trained = {
        "size": {"vocabulary": 30257, "embedding": 128, "hidden": 128},
        "archive_sha256": "a" * 64,
        "reviews": {"train": 22321},
        "left_out": {"train": 123},
        "options": {"seed": 1, "lr": 0.003},
        "best": {"epoch": 3},
        "seconds": 5400.0,
    }
    group = {"reviews": 9, "accuracy": 0.9, "ece": 0.02}
    return {
        "id": "verdict-0123456789ab",
        "onnx_sha256": "b" * 64,
        "onnx_bytes": 4_278_422,
        "vocabulary": "c" * 16,
        "vocabulary_size": 30257,
        "max_tokens": 400,
        "temperature": 0.9478,
        "short_temperature": 1.25,
        "shift": -0.0625,
        "uncertain": [0.3, 0.7],
        "created": "2026-11-24",
        **export.describe(trained, "make train-best", tmp_path / "student-1"),
        "metrics": {
            "test": {
                "accuracy": 0.93456,
                "brier": 0.05,
                "by_length": [{"tokens_from": 8, "tokens_to": 146, **group}],
                "by_negation": [
                    {"negators": "none", "per_100_tokens_from": 0.0, "per_100_tokens_to": 0.0, **group},
                    {"negators": "few", "per_100_tokens_from": 0.25, "per_100_tokens_to": 1.5, **group},
                ],
            },
            "seeds": {},
            "ablation": {},
            "peers": {},
        },
    }


def metadata(page: str) -> dict[str, Any]:
    match = re.match(r"---\n(.*?)\n---\n\n# ", page, re.DOTALL)
    assert match
    return yaml.safe_load(match[1])


def test_the_metadata_are_the_card_s_own(card: dict[str, Any]) -> None:
    fields = metadata(model_card.page(card, PARTS))
    for name in ("language", "license", "library_name", "pipeline_tag", "tags", "datasets"):
        assert fields[name] == card[name], name
    assert "base_model" not in fields  # there is none, and Hugging Face takes no null
    assert fields["metrics"] == ["accuracy", "brier_score"]
    index = fields["model-index"][0]
    assert index["name"] == card["id"]
    assert index["results"][0]["metrics"] == [
        {"type": "accuracy", "value": 0.9346},
        {"type": "brier_score", "value": 0.05},
    ]


def test_results_are_those_of_the_test_split_or_none(card: dict[str, Any]) -> None:
    card["metrics"] = {"development": {"accuracy": 0.9}}
    fields = metadata(model_card.page(card, PARTS))
    assert "model-index" not in fields
    assert fields["metrics"] == ["accuracy"]


def test_each_block_and_the_intended_use_stand_on_the_page(card: dict[str, Any]) -> None:
    page = model_card.page(card, PARTS)
    for part in PARTS.values():
        assert page.count(part) == 1
    for sentence in (card["intended_use"], card["data"]["license"], *card["limits"], *card["out_of_scope"]):
        assert sentence in page
    assert model_card.UNSTATED not in page


@pytest.mark.parametrize("title", model_card.OPTIONAL)
def test_a_section_that_takes_hours_to_measure_is_left_out_where_it_is_missing(
    title: str, card: dict[str, Any]
) -> None:
    before = model_card.page(card, PARTS)
    name = model_card.OPTIONAL[title]
    del card["metrics"][name]
    section = f"\n## {title}\n\n{PARTS[name]}"
    assert before.count(section) == 1
    assert model_card.page(card, PARTS) == before.replace(section, "")


def test_the_calibration_is_stated_at_both_ends(card: dict[str, Any]) -> None:
    assert (
        "| calibration | temperature 0.9478 and shift -0.0625 for a review of 80 tokens or more;"
        " temperature 1.25 and no shift for a text of at most 8; in between by the logarithm of the length;"
        " no shift for a single sentence |"
    ) in model_card.page(card, PARTS)


def test_time_and_energy_are_stated_as_an_estimate(card: dict[str, Any]) -> None:
    page = model_card.page(card, PARTS)
    cost = card["training"]["estimate"]
    assert "| student-1 | 90.0 minutes |" in page
    assert f"| together | 90.0 minutes on {cost['machine']} |" in page
    assert f"| energy, estimated | {cost['kwh']:.3f} kWh |" in page
    assert f"| how estimated | {cost['how']} |" in page


def test_teachers_are_named_with_their_weight(card: dict[str, Any]) -> None:
    assert "Teachers" not in model_card.page(card, PARTS)
    card["training"]["teachers"] = [{"name": "an oracle", "weight": 0.5, "development_accuracy": 0.9876}]
    assert "| an oracle | 0.50 | 98.76 % |" in model_card.page(card, PARTS)


def test_groups_are_named_by_length_and_by_negators(card: dict[str, Any]) -> None:
    page = model_card.page(card, PARTS)
    assert "| 8 to 146 tokens | 9 | 90.00 % | 2.00 % |" in page
    assert "| no negator | 9 |" in page
    assert "| few negators, 0.3 to 1.5 in 100 tokens | 9 |" in page


def test_an_older_card_names_its_gaps(card: dict[str, Any]) -> None:
    for key in ("library_name", "pipeline_tag", "tags", "datasets", "out_of_scope"):
        del card[key]
    del card["data"]["license"], card["training"]["estimate"], card["metrics"]["test"]["by_negation"]
    page = model_card.page(card, PARTS)
    assert page.count(model_card.UNSTATED) == 3
    assert "## By negation\n\nNot measured yet: `make evaluate`." in page
    assert set(metadata(page)) == {"language", "license", "metrics", "model-index"}


def test_the_committed_page_is_the_published_card_s() -> None:
    published = inference.model_fn(inference.MODEL_FOLDER).card
    written = fill_docs.PAGE.read_text(encoding="utf-8")
    assert written == model_card.page(published, fill_docs.blocks()), "run `python -m tools.fill_docs`"


def test_the_page_s_pictures_are_there(card: dict[str, Any]) -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", model_card.page(card, PARTS))
    assert len(pictures) == 3
    for target in pictures:
        assert (fill_docs.PAGE.parent / target).is_file(), target
