"""Find what client and service share: in a wheel in _app/ beside this file, in a checkout where it lies."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

_HERE = Path(__file__).resolve().parent
_CARRIED = _HERE / "_app"
# In a wheel the modules have a prefix, so that nobody else's `vocab` or `training` is in the way.
ROOT = _CARRIED if _CARRIED.is_dir() else _HERE.parents[1]


def load(name: str) -> Any:
    """Import a module of the service by its place in the repository, as in ``training.endpoint.inference``.

    Raises ImportError when something that it needs is not installed.
    """
    prefix = f"{__package__}._app." if ROOT == _CARRIED else ""
    return importlib.import_module(prefix + name)


if TYPE_CHECKING:
    from vocab import messages as messages
    from vocab.messages import MessageError as MessageError
else:
    messages = load("vocab.messages")
    MessageError = messages.MessageError
