"""Install strict.py in a process that a test starts, once it imports botocore's validation."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType

TARGET = "botocore.validate"


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
                from tests.support import strict

                strict.install()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder())
