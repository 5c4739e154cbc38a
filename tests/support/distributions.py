"""List the installed distributions behind some requirements, to hide all others from a program."""

import re
from importlib.metadata import requires


def canonical_name(name: str) -> str:
    """Return a distribution's name as package indexes compare it.

    >>> canonical_name("Typing_Extensions")
    'typing-extensions'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: list[str]) -> set[str]:
    """Return the canonical names of these distributions and of all their requirements."""
    names_seen: set[str] = set()
    waiting = [canonical_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in names_seen:
            continue
        names_seen.add(name)
        try:
            requirements = requires(name) or []
        except ModuleNotFoundError:
            continue
        waiting += [
            canonical_name(re.split(r"[^\w.-]", line)[0]) for line in requirements if "extra ==" not in line
        ]
    return names_seen
