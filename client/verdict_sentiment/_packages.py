"""Import the service's packages: in a wheel from _app/ beside this file, in a checkout from the root."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

_HERE = Path(__file__).resolve().parent
_CARRIED = _HERE / "_app"
# A wheel prefixes the packages, so that they never clash with another `vocab` or `training`.
ROOT = _CARRIED if _CARRIED.is_dir() else _HERE.parents[1]


def load(name: str) -> Any:
    """Import a module of the service by its name in the repository, such as ``training.endpoint.inference``.

    Raises ImportError when a requirement of the module is not installed.
    """
    prefix = f"{__package__}._app." if ROOT == _CARRIED else ""
    return importlib.import_module(prefix + name)


if TYPE_CHECKING:
    from vocab import messages as messages
    from vocab.messages import MessageError as MessageError
else:
    messages = load("vocab.messages")
    MessageError = messages.MessageError
