"""Install strict.py in a process that a test starts, once it imports botocore's validation."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

TARGET = "botocore.validate"


def _strict() -> ModuleType:
    """Load strict.py by its path: not every process has the repository on its path."""
    path = Path(__file__).resolve().parents[1] / "strict.py"
    spec = importlib.util.spec_from_file_location("verdict_strict", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != TARGET:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and isinstance(spec.loader, importlib.abc.Loader):
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                _strict().install()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder())
