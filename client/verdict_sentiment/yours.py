"""`verdict adapt` and its kin: a model of your own, by the programs that the service is made with."""

from collections.abc import Sequence

from verdict_sentiment._shared import load
from verdict_sentiment.local import INSTALL
from verdict_sentiment.ways import UsageError, is_installed


def adapt(arguments: Sequence[str]) -> int:
    """Fit the model to labelled reviews; give the exit status."""
    return _run("adapt", arguments)


def compare(arguments: Sequence[str]) -> int:
    """Set two models side by side on labelled reviews; give the exit status."""
    return _run("compare", arguments)


def _run(name: str, arguments: Sequence[str]) -> int:
    """Run a program of the service. Raises UsageError when what it needs is not installed."""
    if not is_installed():
        raise UsageError(f"{name} reads reviews through the network itself; install it: {INSTALL}")
    status: int = load(f"training.{name}").main(arguments, prog=f"verdict {name}")
    return status
