"""Let docs/performance.md, README and the plots say what bench/results.json holds.

    python bench/publish.py

`make bench FLAGS=--publish` ends with it. Without results, all of them say what measures them.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("", "bench", "training", "docs")]

import fill_readme  # noqa: E402
import package  # noqa: E402
import plots  # noqa: E402
import scaling  # noqa: E402
import tables  # noqa: E402

from vocab.files import write_atomic  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"


def page_blocks(results: dict[str, Any] | None) -> dict[str, str]:
    """Give what docs/performance.md must say, by the name of its block."""
    if results is None:
        return dict.fromkeys((*tables.TITLES, "containers", "goals", "machine"), scaling.NOT_MEASURED)
    blocks = {part: tables.part_table(results, part) for part in tables.TITLES}
    blocks["containers"] = tables.container_table(json.loads(package.SERVERS.read_text(encoding="utf-8")))
    return blocks | {"goals": tables.goal_table(results), "machine": tables.machine_line(results)}


def main() -> None:
    results = fill_readme.read_bench()
    for page, blocks in ((PAGE, page_blocks(results)), (scaling.PAGE, scaling.blocks(results))):
        filled = fill_readme.fill(page.read_text(encoding="utf-8"), blocks)
        write_atomic(page, filled.encode())
    for path in plots.draw(results or {"figures": []}, PAGE.parent):
        print(path.relative_to(ROOT))
    fill_readme.main()


if __name__ == "__main__":
    main()
