"""Import NLTK's Porter stemmer without the rest of NLTK, which takes 0.3 s and 40 MB to import."""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# The packages above nltk.stem.porter, outermost first. Each __init__ imports the whole package.
PACKAGES = ("nltk", "nltk.stem")
_LOCK = threading.Lock()


def load() -> Any:
    """Return a PorterStemmer. Raises ModuleNotFoundError where NLTK is not installed.

    A later `import nltk` still imports the whole package.
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
    """Make the modules of PACKAGES importable without running the packages' own code."""
    try:
        for name in PACKAGES:
            spec = find_spec(name)
            if spec is None or spec.submodule_search_locations is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            package = ModuleType(name)
            package.__path__ = list(spec.submodule_search_locations)
            sys.modules[name] = package
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGES[0]]:
            del sys.modules[name]
