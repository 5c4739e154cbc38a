"""README keeps to the code: its routes, variables, make targets and numbers are the real ones."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Give the text under a heading, up to the next one of the same rank."""
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert match, f"README has no section {title!r}"
    return match[1]


def first_column(text: str) -> set[str]:
    """Give what stands in backticks in the first column of a table."""
    return set(re.findall(r"^\| `([^`]+)` ", text, re.MULTILINE))


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def test_the_make_targets_are_the_makefile_s() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert {name.removeprefix("make ") for name in first_column(section("Commands"))} == targets


def test_the_routes_are_the_app_s() -> None:
    import app

    routes = {
        f"{method} {path}"
        for path, methods in app.app.routes.items()
        for method in methods
        if "{" not in path
    }
    listed = first_column(section("API"))
    assert listed
    assert listed <= routes
    assert {route for route in routes if "/v1/" in route and not route.startswith("HEAD")} <= listed


def test_the_variables_are_those_that_the_code_reads() -> None:
    read = set()
    pattern = re.compile(
        r"""environ(?:\.get\(|\[)\s*["']([A-Z][A-Z0-9_]+)["']|getenv\(\s*["']([A-Z][A-Z0-9_]+)["']"""
    )
    for path in tracked("*.py", ":!tests/support/*"):
        for groups in pattern.findall(path.read_text(encoding="utf-8")):
            read |= set(filter(None, groups))
    # Set by SageMaker, AWS or Chalice themselves, or by CI: nobody sets these by hand.
    given = {name for name in read if name.startswith(("SM_", "AWS_LAMBDA", "AWS_CHALICE"))}
    given |= {"CI", "PATH"}
    listed = first_column(section("Variables"))
    assert read - given <= listed
    for name in listed - read:
        used = [path for path in tracked("Makefile", "*.py", ".ci/run") if name in path.read_text("utf-8")]
        assert used, f"nothing reads {name}"


def test_links_to_files_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("split", ["development", "test"])
def test_the_figures_are_the_model_card_s(split: str) -> None:
    card = json.loads((ROOT / "training/model/model.json").read_text(encoding="utf-8"))
    figures = card["metrics"][split]
    row = re.search(rf"^\| {split} \|(.*)\|$", section("The model"), re.MULTILINE)
    assert row, f"README's table has no row {split!r}"
    reviews, accuracy, outright, coverage, ece = (cell.strip() for cell in row[1].split("|"))
    assert reviews == f"{figures['reviews']:,}"
    assert accuracy == f"{100 * figures['accuracy']:.2f} %"
    assert outright == f"{100 * figures['accuracy_outright']:.2f} %"
    assert coverage == f"{100 * figures['coverage']:.1f} %"
    assert ece == f"{100 * figures['ece']:.2f} %"


def test_the_curl_s_answer_is_what_the_model_says() -> None:
    import inference
    from vocab import contract

    block = re.search(r"```console\n(\$ curl.*?)```", README, re.DOTALL)
    assert block
    review = json.loads(re.search(r"-d '(\{.*?\})'", block[1]).group(1))["review"]  # type: ignore[union-attr]
    shown = json.loads(block[1][block[1].index("\n{") :])
    verdict = inference.model_fn(inference.MODEL_FOLDER)
    encoded, scored = verdict.read(review)
    answer = contract.build_answer(encoded, scored, "sentences", verdict.model, shown["request_id"])
    assert shown == answer
