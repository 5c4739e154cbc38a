"""Format the results of attacks as the tables of `make torture` and docs/torture.md."""

import platform
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from training.evaluation.machine import describe

HEAD = """# Torture

`make torture FLAGS=--write` writes this page, part by part. It exits with 1 after any failure.
"""


class Section(NamedTuple):
    """An attack's results: its title, its description, its table and its failures."""

    title: str
    description: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    failed: Sequence[str] = ()


def text_of(section: Section) -> str:
    """Return a section as Markdown."""
    lines = [
        f"## {section.title}",
        "",
        section.description,
        "",
        _row(section.columns),
        "|---" * len(section.columns) + "|",
    ]
    lines += [_row(row) for row in section.rows]
    lines += ["", "Failed: " + "; ".join(section.failed) if section.failed else "Nothing failed.", ""]
    return "\n".join(lines)


def page_with(page: str, section: Section, minutes: float) -> str:
    """Return the page with a section in its former place, or at the end, and with its machine."""
    machine = f"{minutes:.0f} minutes on {describe()}, Python {platform.python_version()}, {date.today()}."
    text = text_of(section).removeprefix("## ") + f"\n{machine}\n"
    _, *others = page.split("\n## ")
    sections = {other.partition("\n")[0]: other for other in others} | {section.title: text}
    return "\n## ".join([HEAD, *sections.values()])


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.1f}" if isinstance(value, float) else str(value).replace("|", "\\|")
