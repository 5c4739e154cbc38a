"""What an attack found, as the tables that `make torture` prints and writes to docs/torture.md."""

import platform
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from training.evaluation.machine import describe

HEAD = """# Torture

Written by `make torture FLAGS=--write`, part by part. The command ends with 1 when anything failed.
"""


class Section(NamedTuple):
    """One attack: its title, what it does in a sentence, its table, and what failed, if anything."""

    title: str
    says: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    failed: Sequence[str] = ()


def text_of(section: Section) -> str:
    """Return a section as Markdown."""
    lines = [
        f"## {section.title}",
        "",
        section.says,
        "",
        _row(section.columns),
        "|---" * len(section.columns) + "|",
    ]
    lines += [_row(row) for row in section.rows]
    lines += ["", "Failed: " + "; ".join(section.failed) if section.failed else "Nothing failed.", ""]
    return "\n".join(lines)


def page_with(page: str, section: Section, minutes: float) -> str:
    """Return docs/torture.md with a section in the place that it had, or at the end, and what it ran on."""
    on = f"{minutes:.0f} minutes on {describe()}, Python {platform.python_version()}, {date.today()}."
    text = text_of(section).removeprefix("## ") + f"\n{on}\n"
    _, *others = page.split("\n## ")
    kept = {other.partition("\n")[0]: other for other in others} | {section.title: text}
    return "\n## ".join([HEAD, *kept.values()])


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.1f}" if isinstance(value, float) else str(value).replace("|", "\\|")
