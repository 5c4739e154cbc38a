"""Run the service's programs: the report on a file, and those for a model of your own."""

import argparse
import os
from collections.abc import Sequence
from importlib.util import find_spec

from verdict_sentiment._packages import load
from verdict_sentiment.backends import UsageError, is_installed
from verdict_sentiment.local import INSTALL

MODULES = {
    "report": "training.report.report",
    "adapt": "training.adapt.adapt",
    "promise": "training.adapt.promise",
    "compare": "training.adapt.compare",
    "suggest": "training.adapt.suggest",
    "feedback": "training.adapt.feedback_export",
    "watch": "training.evaluation.drift",
}


def parser_of(name: str) -> argparse.ArgumentParser | None:
    """Return a program's parser, or None when a requirement is not installed."""
    try:
        parser: argparse.ArgumentParser = load(MODULES[name]).make_parser(f"verdict {name}")
        return parser
    except ImportError:
        return None


def report(arguments: Sequence[str]) -> int:
    """Write the report on a file of reviews, and return the exit status."""
    return _run("report", arguments)


def adapt(arguments: Sequence[str]) -> int:
    """Fit the model to labelled reviews, and return the exit status."""
    return _run("adapt", arguments)


def promise(arguments: Sequence[str]) -> int:
    """Promise that at most so many answers are wrong, and return the exit status."""
    return _run("promise", arguments)


def compare(arguments: Sequence[str]) -> int:
    """Compare two models on labelled reviews, and return the exit status."""
    return _run("compare", arguments)


def shadow(arguments: Sequence[str]) -> int:
    """Compare Verdict with the service in use, and return the exit status. Raises UsageError."""
    if not is_installed():
        raise UsageError(f"shadow counts with what judges here; install it: {INSTALL}")
    from verdict_sentiment import shadow as command

    return command.main(arguments)


def shadow_parser() -> argparse.ArgumentParser | None:
    """Return the parser of `verdict shadow`, or None when a requirement is not installed."""
    try:
        from verdict_sentiment import shadow as command
    except ImportError:
        return None
    return command.make_parser()


def suggest(arguments: Sequence[str]) -> int:
    """Print the reviews most worth a label, and return the exit status."""
    return _run("suggest", arguments)


def feedback(arguments: Sequence[str]) -> int:
    """Export or delete people's feedback on verdicts, and return the exit status."""
    return _run("feedback", arguments)


def watch(arguments: Sequence[str]) -> int:
    """Compare an API's traffic with its model's test data, and return the exit status.

    Raises UsageError when a requirement is not installed, SystemExit when the two can't be compared.
    """
    if not find_spec("prometheus_client"):
        raise UsageError("watch reads an API's counts; install it: pip install 'verdict-sentiment[serve]'")
    url, key = os.environ.get("VERDICT_URL"), os.environ.get("VERDICT_API_KEY")
    if url:
        os.environ["API_URL"] = url
    if key:
        os.environ["API_KEY"] = key
    status: int = load(MODULES["watch"]).main(arguments, prog="verdict watch")
    return status


def _run(name: str, arguments: Sequence[str]) -> int:
    """Run a program of the service. Raises UsageError when a requirement is not installed."""
    if not is_installed():
        raise UsageError(f"{name} reads reviews through the network itself; install it: {INSTALL}")
    status: int = load(MODULES[name]).main(arguments, prog=f"verdict {name}")
    return status
