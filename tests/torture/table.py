"""What an attack found, as the tables that `make torture` prints and writes to docs/torture.md."""

import platform
from collections.abc import Sequence
from typing import NamedTuple

from machine import describe

HEAD = """# Torture

Written by `make torture`, which ends with 1 when anything here failed.
"""


class Section(NamedTuple):
    """One attack: its title, what it does in a sentence, its table, and what failed, if anything."""

    title: str
    says: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    failed: Sequence[str] = ()


def text_of(section: Section) -> str:
    """Give a section as Markdown."""
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


def page_of(sections: Sequence[Section], minutes: float) -> str:
    """Give docs/torture.md: every section, and what they were run on."""
    texts = [text_of(section) for section in sections]
    return "\n".join(
        [HEAD, *texts, f"{minutes:.0f} minutes on {describe()}, Python {platform.python_version()}.", ""]
    )


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.1f}" if isinstance(value, float) else str(value).replace("|", "\\|")
