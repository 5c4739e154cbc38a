"""Run `verdict serve`: API and page on this machine, as `make serve` does."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from verdict_sentiment._packages import ROOT
from verdict_sentiment.backends import LIBRARIES, UsageError, is_published

# The packages of the extra [serve].
REQUIRED = (*LIBRARIES, "chalice", "boto3", "prometheus_client", "granian")
PUBLISHED = ROOT / "training/endpoint/model"
EPILOG = """\
Ports come from the variables API_PORT (8000) and PAGE_PORT (8080), with --beside from BESIDE_API_PORT (8001)
too. Ctrl-C stops all; a process that ends by itself is restarted. A model that changed on disk is read after
a restart, or after kill -HUP of the api's process, whose id is printed."""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `verdict serve`."""
    parser = argparse.ArgumentParser(
        prog="verdict serve",
        description="Start API and page on this machine, and print their addresses.",
        epilog=EPILOG,
    )
    parser.add_argument("--model", metavar="PATH", help="the model folder to serve (default: MODEL, or ours)")
    parser.add_argument(
        "--beside",
        metavar="PATH",
        help="a second model, shown beside the first on the page (default: BESIDE)",
    )
    return parser


def main(arguments: Sequence[str]) -> int:
    """Replace this process by run.py. Raises UsageError when a requirement is not installed."""
    options = make_parser().parse_args(arguments)
    missing = [name for name in REQUIRED if not find_spec(name)]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} can't be imported, which serving needs; run: pip install"
            " 'verdict-sentiment[serve]'"
        )
    env = {**os.environ, "VERDICT_TYPED": "verdict serve"}
    for name, path in (("MODEL", options.model), ("BESIDE", options.beside)):
        if path is not None:
            env[name] = str(PUBLISHED if is_published(path) else os.path.abspath(path))
    # run.py replaces this process, so that it receives the command's signals.
    os.execve(sys.executable, [sys.executable, str(ROOT / "run.py"), "--serve"], env)
