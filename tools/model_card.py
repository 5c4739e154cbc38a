"""Lay out the model's card as a Hugging Face model card: YAML metadata, then sections for readers.

    python -m tools.fill_docs          # writes docs/model-card.md, by fill_docs.py

All content comes from training/endpoint/model/model.json. Fields: https://huggingface.co/docs/hub/model-cards.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from training.endpoint import calibration

# The card's fields that Hugging Face defines under the same names.
FIELDS = ("language", "license", "library_name", "pipeline_tag", "tags", "datasets", "base_model")
# Our figures, and their names at Hugging Face.
METRICS = {"accuracy": "accuracy", "brier": "brier_score"}
UNSTATED = "This card does not say; the next export writes it."
# Sections that a card without their metric leaves out. Measuring them takes hours or several trainings.
OPTIONAL = {"Seeds": "seeds", "What each part is worth": "ablation", "Beside other programs": "peers"}


def page(card: dict[str, Any], parts: dict[str, str]) -> str:
    """Return the whole page. ``parts`` are the blocks of figures by name."""
    training, data = card["training"], card["data"]
    sections = {
        "Model": _rows(
            {
                "architecture": card["architecture"],
                "size": ", ".join(
                    f"{name} {number:,}" for name, number in card["size"].items() if name != "unread"
                ),
                "file": f"{card['onnx_bytes']:,} bytes, SHA-256 `{card['onnx_sha256']}`",
                "vocabulary": f"`{card['vocabulary']}`, {card['vocabulary_size']:,} ids",
                "reads at most": f"{card['max_tokens']} tokens",
                "calibration": _calibration(card),
                "uncertain between": " and ".join(map(str, card["uncertain"])),
                "created": card["created"],
                "licence": card["license"],
            }
        ),
        "Intended use": f"{card['intended_use']}\n",
        "Out of scope": _bullets(card.get("out_of_scope")),
        "Limits": _bullets(card["limits"]),
        "Data": _rows(
            {
                "name": data["name"],
                "licence": data.get("license", UNSTATED),
                "archive": f"SHA-256 `{data['archive_sha256']}`",
                "reviews": _counts(data["reviews"]),
                "left out, since in test": _counts(data["left_out_since_in_test"]),
                "development split": data["development_split"],
            }
        ),
        "Training": f"`{training['command']}`\n\n{_cost(training)}\n{_teachers(training)}"
        f"{_options(training['options'])}",
        "Figures": parts["figures"] + _plots(),
        "By length": _groups(
            card, "by_length", lambda row: f"{row['tokens_from']} to {row['tokens_to']} tokens"
        ),
        "By negation": _groups(card, "by_negation", _density),
        "Seeds": parts["seeds"],
        "What each part is worth": parts["ablation"],
        "Short cases and single sentences": parts["behaviour"],
        "Explanations": parts["faithfulness"] + "\n" + parts["planted"],
        "Reasons of an uncertain verdict": parts["opinion"],
        "Aspects": parts["aspects"],
        "Other languages": parts["warnings"],
        "Beside other programs": parts["peers"],
        "Speed": parts["speed"] + "\n" + parts["app"],
    }
    body = "\n".join(
        f"## {title}\n\n{text}"
        for title, text in sections.items()
        if title not in OPTIONAL or OPTIONAL[title] in card["metrics"]
    )
    return (
        f"---\n{front_matter(card)}---\n\n# {card['id']}\n\n"
        "<!-- `python -m tools.fill_docs` writes this page from training/endpoint/model/model.json. -->\n\n"
        + body
    )


def _calibration(card: dict[str, Any]) -> str:
    """Return what the network's sum is divided by and shifted by, at both ends of the lengths."""
    return (
        f"temperature {card['temperature']} and shift {card['shift']} for a review of {calibration.LONG}"
        f" tokens or more; temperature {card['short_temperature']} and no shift for a text of at most"
        f" {calibration.SHORT}; in between by the logarithm of the length; no shift for a single sentence"
    )


def front_matter(card: dict[str, Any]) -> str:
    """Return the metadata as YAML, without absent fields."""
    metadata = {name: card[name] for name in FIELDS if card.get(name)}
    measured = card["metrics"].get("test") or card["metrics"].get("development") or {}
    metadata["metrics"] = [name for key, name in METRICS.items() if key in measured]
    if "test" in card["metrics"]:
        metadata["model-index"] = [_results(card)]
    return "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in metadata.items())


def _results(card: dict[str, Any]) -> dict[str, Any]:
    """Return the test split's figures in the form of Papers with Code's model index."""
    test = card["metrics"]["test"]
    return {
        "name": card["id"],
        "results": [
            {
                "task": {"type": "text-classification", "name": "Sentiment analysis"},
                "dataset": {
                    "type": "stanfordnlp/imdb",
                    "name": card["data"]["name"],
                    "split": "test",
                },
                "metrics": [
                    {"type": name, "value": round(test[key], 4)}
                    for key, name in METRICS.items()
                    if key in test
                ],
            }
        ],
    }


def _rows(cells: dict[str, str]) -> str:
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in cells.items())


def _bullets(sentences: Iterable[str] | None) -> str:
    return "".join(f"- {sentence}\n" for sentence in sentences or [UNSTATED])


def _counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())


def _teachers(training: dict[str, Any]) -> str:
    """Return the table of teachers, with weight and accuracy of each."""
    rows = training.get("teachers")
    if not rows:
        return ""
    return (
        "Teachers, whose weighted logits are the soft targets; none of them is served:\n\n"
        "| teacher | weight | development accuracy, alone |\n|---|---|---|\n"
        + "".join(
            f"| {row['name']} | {row['weight']:.2f} | {100 * row['development_accuracy']:.2f} % |\n"
            for row in rows
        )
        + "\n"
    )


def _options(options: dict[str, Any]) -> str:
    text = json.dumps(options, indent=2)
    return f"Options of the last training:\n\n```json\n{text}\n```\n"


def _cost(training: dict[str, Any]) -> str:
    cost = training.get("estimate")
    if not cost:
        return f"{UNSTATED}\n"
    stages = {name: f"{minutes:.1f} minutes" for name, minutes in cost["minutes"].items()}
    total = {
        "together": f"{cost['minutes_total']:.1f} minutes on {cost['machine']}",
        "energy, estimated": f"{cost['kwh']:.3f} kWh",
        "how estimated": cost["how"],
    }
    return _rows(stages | total)


def _groups(card: dict[str, Any], key: str, name_of: Callable[[dict[str, Any]], str]) -> str:
    """Return a table of groups of reviews, of the first split with such groups."""
    for split in ("test", "development"):
        rows = card["metrics"].get(split, {}).get(key)
        if rows:
            lines = [
                f"| {name_of(row)} | {row['reviews']:,} | {100 * row['accuracy']:.2f} %"
                f" | {100 * row['ece']:.2f} % |\n"
                for row in rows
            ]
            return f"| {split} split | reviews | accuracy | ECE |\n|---|---|---|---|\n" + "".join(lines)
    return "Not measured yet: `make evaluate`.\n"


def _density(row: dict[str, Any]) -> str:
    if row["negators"] == "none":
        return "no negator"
    # A half goes up, as on the model's page.
    least, most = (row[f"per_100_tokens_{end}"] + 1e-9 for end in ("from", "to"))
    return f"{row['negators']} negators, {least:.1f} to {most:.1f} in 100 tokens"


def _plots() -> str:
    return (
        "\n![How often it is right, by how sure it is](reliability.svg)\n"
        "![How often it is right on the surest reviews](risk-coverage.svg)\n"
        "![What it gets wrong, by length](errors-by-length.svg)\n"
    )
