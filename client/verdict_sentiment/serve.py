"""`verdict serve`: endpoint, API and page on this machine, as `make serve` starts them."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from verdict_sentiment._shared import ROOT
from verdict_sentiment.ways import LIBRARIES, UsageError

# What the extra [serve] installs.
NEEDED = (*LIBRARIES, "chalice", "boto3", "prometheus_client", "granian")
EPILOG = """\
Ports come from the variables ENDPOINT_PORT (8090), API_PORT (8000) and PAGE_PORT (8080), with --beside from
BESIDE_ENDPOINT_PORT (8091) and BESIDE_API_PORT (8001) too. Ctrl-C stops all; what ends by itself is started
again."""


def main(arguments: Sequence[str]) -> int:
    """Become the runner of the three processes. Raises UsageError when something is not installed."""
    parser = argparse.ArgumentParser(
        prog="verdict serve",
        description="Start endpoint, API and page on this machine, and print where they are.",
        epilog=EPILOG,
    )
    parser.add_argument("--model", metavar="PATH", help="the model folder to serve (default: MODEL, or ours)")
    parser.add_argument(
        "--beside", metavar="PATH", help="a second model, set beside the first on the page (default: BESIDE)"
    )
    options = parser.parse_args(arguments)
    missing = [name for name in NEEDED if not find_spec(name)]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} can't be imported, which serving needs; run: pip install"
            " 'verdict-sentiment[serve]'"
        )
    env = dict(os.environ)
    for name, path in (("MODEL", options.model), ("BESIDE", options.beside)):
        if path is not None:
            env[name] = os.path.abspath(path)
    # In this process's place, so that a signal for the command is one for the runner.
    os.execve(sys.executable, [sys.executable, str(ROOT / "run.py"), "--serve"], env)
