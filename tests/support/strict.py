"""Refuse a parameter that AWS would refuse: botocore's models hold patterns, enums and maxima, unchecked.

``install`` does so in this process and in those that it starts later, by a sitecustomize.py on PYTHONPATH. A
breach is an AssertionError, which no command catches.
"""

import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import regex
except ModuleNotFoundError:  # in another environment; re can read most of the patterns
    import re as regex  # type: ignore[no-redef]

if TYPE_CHECKING:
    from botocore.model import Shape

PATH = Path(__file__).with_name("strict_site")


class StrictError(AssertionError):
    """A request that AWS would refuse."""


def install() -> None:
    """Check every request of every botocore client, here and in processes started from now on."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(PATH) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(PATH), *filter(None, paths)])
    # Not above: sitecustomize.py imports this module while botocore.validate is being imported.
    from botocore import validate

    original = validate.ParamValidator.validate
    if getattr(original, "strict", False):
        return

    def checked(self: Any, params: Any, shape: "Shape") -> Any:
        report = original(self, params, shape)
        if not report.has_errors():
            found = list(breaches(params, shape, shape.name))
            if found:
                raise StrictError("AWS would refuse this request: " + "; ".join(found))
        return report

    checked.strict = True  # type: ignore[attr-defined]
    validate.ParamValidator.validate = checked


def breaches(value: Any, shape: "Shape", name: str) -> Iterator[str]:
    """Yield a sentence for each pattern, enum, minimum or maximum of a model that a value breaks."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        for key, part in value.items():
            if key in shape.members:
                yield from breaches(part, shape.members[key], f"{name}.{key}")
        return
    if kind == "map" and isinstance(value, Mapping):
        yield from _of_size(len(value), shape, name)
        for key, part in value.items():
            yield from breaches(key, shape.key, f"{name} key {key!r}")
            yield from breaches(part, shape.value, f"{name}[{key!r}]")
        return
    if kind == "list" and isinstance(value, (list, tuple)):
        yield from _of_size(len(value), shape, name)
        for number, part in enumerate(value):
            yield from breaches(part, shape.member, f"{name}[{number}]")
        return
    if kind == "string" and isinstance(value, str):
        yield from _of_size(len(value), shape, name)
        yield from _of_text(value, shape, name)
    elif kind in ("integer", "long", "float", "double") and not isinstance(value, bool):
        yield from _of_size(value, shape, name)


def _of_size(size: float, shape: "Shape", name: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{name} is {size}, the model says {least} to {most}"


def _of_text(value: str, shape: "Shape", name: str) -> Iterator[str]:
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if enum and value not in enum:
        yield f"{name} is {value!r}, the model says one of {', '.join(enum)}"
    compiled = _compiled(pattern) if pattern else None
    if compiled and not compiled.fullmatch(value):
        yield f"{name} is {value[:80]!r}, the model says {pattern}"


@functools.cache
def _compiled(pattern: str) -> "regex.Pattern[str] | None":
    """Compile a model's pattern, which is Java's; None for the few that only Java can read."""
    try:
        return regex.compile(pattern)
    except regex.error:
        return None
