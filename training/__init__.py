"""Train, evaluate, deploy and run the sentiment model; packages stand on floors, see docs/architecture.md."""

import sys
from types import TracebackType

# What of ours is imported from the root: a missing one is a fault of the code, with a traceback.
OURS = ("bench", "chalice_app", "launcher", "static_site", "tools", "training", "vocab")


def explain_missing() -> None:
    """Install a hook that prints one sentence when a command lacks a library.

    Only for ``python -m``: while Python looks for its module, the flag is the program's name. Another program
    that imports this package keeps its own hook.
    """
    if sys.argv[:1] == ["-m"]:
        sys.excepthook = _hook


def sentence_of(error: BaseException) -> str | None:
    """Return the sentence for a missing library, or None for any other error.

    >>> sentence_of(ModuleNotFoundError(name="boto3"))
    'boto3 is missing here; `make help` lists commands that install what they need, and .venv/dev has it all'
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name or error.name.split(".")[0] in OURS:
        return None
    return (
        f"{error.name} is missing here;"
        " `make help` lists commands that install what they need, and .venv/dev has it all"
    )


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if sentence := sentence_of(error):
        print(sentence, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


explain_missing()
