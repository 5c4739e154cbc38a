"""`verdict adapt` and its kin: a model of your own, by the programs that the service is made with."""

import os
from collections.abc import Sequence
from importlib.util import find_spec

from verdict_sentiment._shared import load
from verdict_sentiment.local import INSTALL
from verdict_sentiment.ways import UsageError, is_installed


def adapt(arguments: Sequence[str]) -> int:
    """Fit the model to labelled reviews; return the exit status."""
    return _run("adapt", arguments)


def compare(arguments: Sequence[str]) -> int:
    """Compare two models on labelled reviews; return the exit status."""
    return _run("compare", arguments)


def suggest(arguments: Sequence[str]) -> int:
    """Suggest the reviews most worth labelling; return the exit status."""
    return _run("suggest", arguments)


def feedback(arguments: Sequence[str]) -> int:
    """Export or delete people's corrections of verdicts; return the exit status."""
    return _run("feedback", arguments, "feedback_export")


def watch(arguments: Sequence[str]) -> int:
    """Say how an API's traffic differs from what its model's card knows; give the exit status.

    Raises UsageError when it can't be said.
    """
    if not find_spec("prometheus_client"):
        raise UsageError("watch reads an API's counts; install it: pip install 'verdict-sentiment[serve]'")
    url, key = os.environ.get("VERDICT_URL"), os.environ.get("VERDICT_API_KEY")
    if url:
        os.environ["API_URL"] = url
    if key:
        os.environ["API_KEY"] = key
    try:
        load("training.evaluation.drift").main(arguments, prog="verdict watch")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            raise UsageError(ended.code) from ended
        return int(ended.code or 0)
    return 0


def _run(name: str, arguments: Sequence[str], module: str = "") -> int:
    """Run a program of the service. Raises UsageError when what it needs is not installed."""
    if not is_installed():
        raise UsageError(f"{name} reads reviews through the network itself; install it: {INSTALL}")
    status: int = load(f"training.adapt.{module or name}").main(arguments, prog=f"verdict {name}")
    return status
