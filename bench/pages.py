"""Fill the generated blocks of README and docs, and write Markdown tables.

A block stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``, on any page.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from vocab.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"(<!-- ([\w-]+) -->\n)(.*?)(<!-- /\2 -->)", re.DOTALL)


def paths() -> list[Path]:
    """Return the pages that may have blocks."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def read_blocks(page: str) -> dict[str, str]:
    """Return the content of a page's blocks by name.

    >>> read_blocks("<!-- speed -->\\n1 ms\\n<!-- /speed -->")
    {'speed': '1 ms\\n'}
    """
    return {match[2]: match[3] for match in _BLOCK.finditer(page)}


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """Return a page with new content in those of its blocks that are given.

    >>> fill("<!-- speed -->\\n1 ms\\n<!-- /speed -->", {"speed": "2 ms\\n"})
    '<!-- speed -->\\n2 ms\\n<!-- /speed -->'
    """
    return _BLOCK.sub(lambda match: match[1] + blocks.get(match[2], match[3]) + match[4], page)


def write(blocks: Mapping[str, str], pages: Iterable[Path] | None = None) -> None:
    """Fill blocks on every page that has them. Raises ValueError for a block that no page has."""
    texts = {path: path.read_text(encoding="utf-8") for path in pages or paths()}
    present = {name for text in texts.values() for name in read_blocks(text)}
    if missing := sorted(blocks.keys() - present):
        raise ValueError(f"no page has a block {missing[0]!r}")
    for path, text in texts.items():
        filled = fill(text, blocks)
        if filled != text:
            write_atomic(path, filled.encode())


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [f"| {' | '.join(cells)} |\n" for cells in (head, *rows)]
    return "".join([lines[0], f"|{'---|' * len(head)}\n", *lines[1:]])


def percent(share: float | None, decimals: int = 1) -> str:
    """Return a share of 0..1 in percent, or a dash for None."""
    return "–" if share is None else f"{100 * share:.{decimals}f} %"


def not_measured(command: str) -> str:
    """Return the sentence for a missing figure, with the command that measures it."""
    return f"Not measured yet: `{command}`.\n"
