"""Start what our container image is asked for: the whole app, or by `serve` SageMaker's endpoint alone.

    docker run verdict                  # API and page, as `make serve` starts them
    docker run verdict serve            # SageMaker's words: /ping and /invocations on port 8080

A model in /opt/ml/model, where SageMaker unpacks one, replaces the image's own. So does the variable MODEL.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher.checks import ROOT

MODEL_FOLDER = Path("/opt/ml/model")
# What Python runs, by the arguments of `docker run`.
PROGRAMS = {
    (): ("run.py", "--serve"),
    ("serve",): ("-m", "training.endpoint.container"),
}


def program(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return what Python runs for the arguments of `docker run`. Raises SystemExit for others.

    >>> program(["serve"])
    ('-m', 'training.endpoint.container')
    """
    found = PROGRAMS.get(tuple(arguments))
    if found is None:
        given = " ".join(arguments)[:40]
        sys.exit(f"verdict: the image takes no argument, or `serve` for SageMaker's endpoint, got {given!r}")
    return found


def environment(env: Mapping[str, str], folder: Path = MODEL_FOLDER) -> dict[str, str]:
    """Return the program's environment: with the mounted model's folder as MODEL, unless it is empty.

    Raises SystemExit for a folder that can't be read.
    """
    try:
        mounted = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        sys.exit(f"verdict: {folder} can't be read ({error.strerror}); let user {os.getuid()} read it")
    return ({"MODEL": str(folder)} if mounted else {}) | dict(env)


def main() -> None:
    words = program(sys.argv[1:])
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, *words], environment(os.environ))  # noqa: S606


if __name__ == "__main__":
    main()
