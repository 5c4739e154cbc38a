"""docs/security.md: each claim names a test, and each test exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"(tests/[\w/]+\.py)::(test_\w+)", PAGE)))


def rows(title: str) -> list[list[str]]:
    """Return a section's table as cells, without its head."""
    text = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_each_test_that_is_named_exists(file: str, test: str) -> None:
    assert re.search(rf"^def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "title",
    ["OWASP API Security Top 10 (2023)", "OWASP REST Security Cheat Sheet", "Files"],
)
def test_each_line_names_a_test(title: str) -> None:
    for cells in rows(title):
        assert len(cells) == 3
        assert re.fullmatch(r"(tests/[\w/]+\.py::test_\w+(, )?)+", cells[2]), cells[0]


def test_all_ten_risks_are_there() -> None:
    risks = [cells[0].split(" ", 1)[0] for cells in rows("OWASP API Security Top 10 (2023)")]
    assert risks == [f"API{number}" for number in range(1, 11)]
