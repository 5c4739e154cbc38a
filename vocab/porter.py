"""NLTK's own Porter stemmer without the rest of NLTK, whose package takes 0.3 s and 40 MB to import."""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# The packages above nltk.stem.porter, outermost first: each one's start imports all of it.
PACKAGES = ("nltk", "nltk.stem")
_LOCK = threading.Lock()


def load() -> Any:
    """Give a PorterStemmer. Raises ModuleNotFoundError where NLTK is not installed.

    Who imports NLTK afterwards gets all of it, as if nothing had been.
    """
    with _LOCK:
        if PACKAGES[0] in sys.modules:
            return _import()
        with _hollow_packages():
            return _import()


def _import() -> Any:
    return importlib.import_module("nltk.stem.porter").PorterStemmer()


@contextmanager
def _hollow_packages() -> Iterator[None]:
    """Let modules of PACKAGES be found while the packages' own code does not run."""
    try:
        for name in PACKAGES:
            found = find_spec(name)
            if found is None or found.submodule_search_locations is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            package = ModuleType(name)
            package.__path__ = list(found.submodule_search_locations)
            sys.modules[name] = package
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGES[0]]:
            del sys.modules[name]
