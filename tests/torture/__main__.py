"""Run the long attacks on Verdict, print a table for each, and exit with 1 after any failure.

python -m tests.torture --write                # run all parts and write docs/torture.md
python -m tests.torture fuzz --cases 500       # run one part, shorter, and only print it
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
        start = time.monotonic()
        section = PARTS[name](options)
        failed = failed or bool(section.failed)
        print(text_of(section), flush=True)
        if options.write:
            page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
            minutes = (time.monotonic() - start) / 60
            write_atomic(PAGE, page_with(page, section, minutes).encode())
    sys.exit(failed)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the long attacks on Verdict.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument(
        "--write", action="store_true", help="write docs/torture.md; the load part needs a quiet machine"
    )
    parser.add_argument(
        "--cases", type=int, default=20_000, help="fuzz: cases for each reader (default: 20,000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="fuzz: the random seed (default: 1)")
    parser.add_argument(
        "--guided-seconds", type=int, default=30, help="guided: seconds for each reader (default: 30)"
    )
    parser.add_argument(
        "--examples", type=int, default=1_200, help="api: cases for each operation (default: 1,200)"
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="load: minutes of steady load (default: 10)"
    )
    parser.add_argument(
        "--seconds", type=int, default=20, help="load: seconds of every other step (default: 20)"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"unknown part {min(unknown)!r}; choose from {', '.join(PARTS)}")
    return options


if __name__ == "__main__":
    main()
