"""README keeps to the code: its routes, variables, make targets and numbers are the real ones."""

import json
import re
import subprocess
from pathlib import Path

from tools import fill_docs

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Give the text under a heading, up to the next one of the same rank."""
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert match, f"README has no section {title!r}"
    return match[1]


def first_column(text: str) -> set[str]:
    """Give what stands in backticks in the first column of a table."""
    cells = re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


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

    served = {
        f"{method} {path}"
        for path in app.app.routes
        for method in app.allowed_methods(path)
        if method not in ("HEAD", "OPTIONS")
    }
    assert first_column(section("API")) == served


def test_the_variables_are_those_that_the_code_reads() -> None:
    read = set()
    pattern = re.compile(
        r"""environ(?:\.get\(|\[)\s*["']([A-Z][A-Z0-9_]+)["']|getenv\(\s*["']([A-Z][A-Z0-9_]+)["']"""
    )
    for path in [*tracked("*.py", ":!tests/*"), ROOT / "tests/conftest.py"]:
        for groups in pattern.findall(path.read_text(encoding="utf-8")):
            read |= set(filter(None, groups))
    # Set by SageMaker, AWS, Chalice, torchrun, CI or the code itself: nobody sets these by hand.
    given = {name for name in read if name.startswith(("SM_", "AWS_LAMBDA", "AWS_CHALICE"))}
    given |= {
        "CI",
        "PATH",
        "ORT_DISABLE_TELEMETRY",
        "PROMETHEUS_MULTIPROC_DIR",
        "SAGEMAKER_VALIDATE_ROLE",
        "RANK",
        "LOCAL_RANK",
        "WORLD_SIZE",
    }
    listed = first_column(section("Variables"))
    assert read - given <= listed
    for name in listed - read:
        used = [path for path in tracked("Makefile", "*.py", ".ci/run") if name in path.read_text("utf-8")]
        assert used, f"nothing reads {name}"


def test_nothing_waits_to_be_filled_in() -> None:
    assert not re.findall(r"@[A-Z_]+@|TODO|XXX", README)


def test_links_to_files_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_the_figures_and_the_answer_are_the_model_s() -> None:
    assert fill_docs.fill(README, fill_docs.blocks()) == README


def test_the_curl_says_what_it_answers() -> None:
    """The command in README, with its own JSON body, is what the answer below it belongs to."""
    body = re.search(r"-d '(\{.*?\})'", README)
    assert body
    assert json.loads(body[1]) == {"review": fill_docs.REVIEW}
    assert fill_docs.REVIEW == json.loads(re.search(r'"text": (".*")', README)[1])  # type: ignore[index]


def test_no_two_test_files_have_one_name() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
