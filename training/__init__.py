"""Train, evaluate, deploy and run the sentiment model; packages stand on floors, see docs/architecture.md."""

import sys
from types import TracebackType

# What of ours is imported from the root: a missing one is a fault of the code, with a traceback.
OURS = ("bench", "chalice_app", "launcher", "static_site", "tools", "training", "vocab")


def explain_missing() -> None:
    """Install a hook that prints one sentence when a command lacks a library, or is interrupted as it starts.

    Only for ``python -m``: while Python looks for its module, the flag is the program's name. Another program
    that imports this package keeps its own hook.
    """
    if sys.argv[:1] == ["-m"]:
        sys.excepthook = _hook


def sentence_of(error: BaseException) -> str | None:
    """Return the sentence for a missing library or an interrupt, or None for any other error.

    >>> sentence_of(ModuleNotFoundError(name="boto3"))
    'this Python lacks boto3; run the command by make (`make help` lists them), or in .venv/dev'
    """
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if not isinstance(error, ModuleNotFoundError) or not error.name or error.name.split(".")[0] in OURS:
        return None
    return (
        f"this Python lacks {error.name}; run the command by make (`make help` lists them), or in .venv/dev"
    )


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if sentence := sentence_of(error):
        print(sentence, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


explain_missing()
