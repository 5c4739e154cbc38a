"""Which installed distributions a list of requirements brings, to hide all others from a program."""

import re
from importlib.metadata import requires


def plain(name: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: list[str]) -> set[str]:
    """Return the plain names of these distributions and of all that they require."""
    found: set[str] = set()
    waiting = [plain(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            wanted = requires(name) or []
        except ModuleNotFoundError:
            continue
        waiting += [plain(re.split(r"[^\w.-]", line)[0]) for line in wanted if "extra ==" not in line]
    return found
