"""Write the model's figures and the curl's true answer into README, from the card and the model.

    make readme

Replaces what stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "training")]

import inference  # noqa: E402

from vocab import contract  # noqa: E402

REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music!"
REQUEST_ID = "5f0c3f0e8c7d4c5f9a3be0f1d2a6b7c8"


def blocks(model: Path = inference.MODEL_FOLDER) -> dict[str, str]:
    """Give what README must say, by the name of its block."""
    verdict = inference.model_fn(model)
    card = verdict.card
    return {
        "answer": _answer(verdict),
        "figures": _figures(card),
        "app": _app(card),
        "behaviour": _behaviour(card),
    }


def fill(readme: str, parts: dict[str, str]) -> str:
    """Give README with each block's content replaced. Raises ValueError when a block is missing."""
    for name, content in parts.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        readme, count = pattern.subn(lambda match, new=content: match[1] + new + match[2], readme)
        if count != 1:
            raise ValueError(f"README needs one block {name!r}, has {count}")
    return readme


def _answer(verdict: inference.Verdict) -> str:
    encoded, scored = verdict.read(REVIEW)
    answer = contract.build_answer(encoded, scored, "sentences", verdict.model, REQUEST_ID)
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in answer.items()]
    return (
        "```console\n$ curl -s http://127.0.0.1:8000/v1/sentiment \\\n"
        "    -H 'Content-Type: application/json' \\\n"
        f"    -d '{json.dumps({'review': REVIEW})}'\n" + "{\n" + ",\n".join(lines) + "\n}\n```\n"
    )


def _figures(card: dict) -> str:
    rows = [
        "| split | reviews | accuracy | says positive or negative for | and is then right for | ECE |",
        "|---|---|---|---|---|---|",
    ]
    for split in ("test", "development"):
        found = card["metrics"][split]
        rows.append(
            f"| {split} | {found['reviews']:,} | {100 * found['accuracy']:.2f} %"
            f" | {100 * found['coverage']:.1f} % | {100 * found['accuracy_outright']:.2f} %"
            f" | {100 * found['ece']:.2f} % |"
        )
    rows.append(f"\nModel `{card['id']}`, {card['onnx_bytes'] / 1e6:.1f} MB.")
    return "\n".join(rows) + "\n"


def _app(card: dict) -> str:
    found = card["metrics"]["app"]
    return (
        f"{found['reviews']} test reviews by HTTP: {100 * found['accuracy']:.1f} % right,"
        f" {found['errors']} errors, {found['p50_ms']:.1f} ms a review at the median and"
        f" {found['p95_ms']:.1f} ms at the 95th percentile ({found['machine']}).\n"
    )


def _behaviour(card: dict) -> str:
    found = {name: rate for name, rate in card["metrics"]["behaviour"].items() if name != "command"}
    names = [name for name in found if name not in ("overall", "single sentences", "sarcasm")]
    rows = ["| of the half held back | right |", "|---|---|"]
    for name in ["single sentences", "overall", *sorted(names), "sarcasm"]:
        shown = {"overall": "short cases, all but sarcasm"}.get(name, name.replace("_", " "))
        rows.append(f"| {shown} | {100 * found[name]['held']:.1f} % |")
    return "\n".join(rows) + "\n"


def main() -> None:
    path = ROOT / "README.md"
    path.write_text(fill(path.read_text(encoding="utf-8"), blocks()), encoding="utf-8")


if __name__ == "__main__":
    main()
