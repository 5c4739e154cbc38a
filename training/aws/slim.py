"""Make the Lambda's zip small: of NLTK only its stemmer's modules, as they are, with its licence.

NLTK stays a requirement of the app (chalice_app/requirements.txt), and plain `chalice deploy` packs all of
it: 2 MB of the zip, with packages that only the rest of it needs. This works on a copy of chalice_app/.
"""

import ast
import importlib.metadata
import shutil
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "nltk"
STEMMER = "nltk.stem.porter"
# The requirements that only the rest of NLTK has a use for. The stemmer's own modules take regex.
DROPPED = (PACKAGE, "click", "cloudpickle", "defusedxml", "joblib", "tqdm")


class SlimError(Exception):
    """NLTK is not installed here, or is no longer made as this file takes for granted."""


def slim(app: Path) -> None:
    """Change a copy of chalice_app/: the stemmer's modules into vendor/, DROPPED out of the requirements.

    Where another version of NLTK is installed than the requirements pin, the copy stays as it is: app and
    endpoint have to stem alike. Raises SlimError.
    """
    try:
        installed = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise SlimError(f"{PACKAGE} is not installed: pip install -r requirements/run.txt") from error
    requirements = app / "requirements.txt"
    lines = requirements.read_text(encoding="utf-8").splitlines()
    if f"{PACKAGE}=={installed.version}" not in lines:
        return
    root = Path(str(installed.locate_file("")))
    for path in sorted(modules(root)):
        _copy(path, root, app / "vendor")
    for path in installed.files or ():
        if path.name.upper().startswith("LICENSE"):
            (app / "vendor" / PACKAGE / "LICENSE.txt").write_bytes(path.read_binary())
    kept = [line for line in lines if line.split("==")[0] not in DROPPED]
    requirements.write_text("\n".join(kept) + "\n", encoding="utf-8")


def modules(root: Path, name: str = STEMMER) -> set[Path]:
    """Give the files of a module of NLTK and of all that it imports of NLTK, packages' own starts left out.

    Raises SlimError when there is no such module.
    """
    found: dict[str, Path] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        path = root / f"{one.replace('.', '/')}.py"
        if one in found or not path.is_file():
            continue
        found[one] = path
        waiting += [named for named in imports(path) if named.split(".")[0] == PACKAGE]
    if name not in found:
        raise SlimError(f"{PACKAGE} has no module {name}")
    return set(found.values())


def imports(path: Path) -> Iterator[str]:
    """Give what a module imports when it is imported; what functions import comes later, or never."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _copy(path: Path, root: Path, vendor: Path) -> None:
    target = vendor / path.relative_to(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)
