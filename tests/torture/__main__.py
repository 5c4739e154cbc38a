"""Attack Verdict for long, print a table for each attack, and end with 1 when anything failed.

python -m tests.torture --write                # all of it, and docs/torture.md
python -m tests.torture fuzz --cases 500       # one part, shorter, printed alone
"""

import argparse
import sys
import time
from collections.abc import Callable

from tests.support.stack import ROOT
from tests.torture import parts
from tests.torture.stress import stress
from tests.torture.table import Section, page_with, text_of
from vocab.files import write_atomic

PAGE = ROOT / "docs/torture.md"
PARTS: dict[str, Callable[[argparse.Namespace], Section]] = {
    "payloads": parts.payloads,
    "fuzz": parts.fuzz,
    "guided": parts.guided,
    "api": parts.api,
    "load": stress,
}


def main() -> None:
    options = parse()
    failed = False
    for name in options.parts or PARTS:
        began = time.monotonic()
        section = PARTS[name](options)
        failed = failed or bool(section.failed)
        print(text_of(section), flush=True)
        if options.write:
            page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
            minutes = (time.monotonic() - began) / 60
            write_atomic(PAGE, page_with(page, section, minutes).encode())
    sys.exit(failed)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Attack Verdict for long.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument(
        "--write", action="store_true", help="write it into docs/torture.md; load wants a quiet machine"
    )
    parser.add_argument("--cases", type=int, default=20_000, help="fuzz: cases a reader (default: 20,000)")
    parser.add_argument("--seed", type=int, default=1, help="fuzz: which cases (default: 1)")
    parser.add_argument(
        "--guided-seconds", type=int, default=30, help="guided: seconds a reader (default: 30)"
    )
    parser.add_argument(
        "--examples", type=int, default=1_200, help="api: cases an operation, and some more (default: 1,200)"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="load: of steady load (default: 10)")
    parser.add_argument("--seconds", type=int, default=20, help="load: of every other part (default: 20)")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"there is no part {min(unknown)!r}; choose from {', '.join(PARTS)}")
    return options


if __name__ == "__main__":
    main()
