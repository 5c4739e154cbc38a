"""Name commands as a person types them: `make adapt` in a checkout, `verdict adapt` once installed.

The Makefile says in VERDICT_TYPED which target was typed.
"""

import os

# A wheel carries this package under a longer name.
INSTALLED = __name__.startswith("verdict_sentiment.")


def command(module: str) -> str:
    """Return the command that was typed to run a module: the make target, or the module itself."""
    return os.environ.get("VERDICT_TYPED") or f"python -m {module}"


def flag(name: str) -> str:
    """Return how to add a flag to the command that was typed.

    >>> flag("--force")
    '--force'
    """
    return f"FLAGS={name}" if _by_make() else name


def out(flag: str = "--out") -> str:
    """Return how the typed command names its output: make's OUT, where its target has one, or ``flag``.

    >>> out("-o")
    '-o'
    """
    has_out = os.environ.get("VERDICT_TYPED") in ("make batch", "make report")
    return "OUT" if has_out and flag == "--out" else flag


def choose(make: str, verdict: str) -> str:
    """Return the command to type next: make's where make was typed, otherwise the command `verdict`."""
    return make if _by_make() else verdict


def _by_make() -> bool:
    return os.environ.get("VERDICT_TYPED", "").startswith("make ")
