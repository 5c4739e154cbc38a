"""List all that is shipped, with versions and licences, as CycloneDX (ECMA-424): one file for each thing.

    python -m tools.sbom           # writes build/sbom/*.cdx.json and prints the licences

The Lambda's zip and the endpoint's package carry what their requirements pin; the page carries the files of
static_site/vendor; the client's wheel carries the page, and needs what its pyproject.toml names.
"""

import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build/sbom"
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "MIT License": "MIT",
    "PSFL": "PSF-2.0",
}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


class SbomError(Exception):
    """Something that is shipped has no version or licence here."""


class Part(NamedTuple):
    """Something that is carried along: ``kind`` is pypi or npm, ``licence`` an SPDX expression."""

    name: str
    version: str
    licence: str
    kind: str = "pypi"
    sha256: str = ""


def shipped() -> dict[str, list[Part]]:
    """Give what is shipped, and what each carries. Raises SbomError."""
    page = vendored(ROOT / "static_site/vendor/vendor.json")
    client = tomllib.loads((ROOT / "client/pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "lambda": pinned(ROOT / "chalice_app/requirements.txt"),
        "endpoint": pinned(ROOT / "requirements/endpoint.txt"),
        "page": page,
        "client": [*needed(client["dependencies"]), *page],
    }


def pinned(path: Path) -> list[Part]:
    """Give what a requirements file pins. Raises SbomError."""
    found = _PIN.findall(path.read_text(encoding="utf-8"))
    return [Part(name, version, licence_of(name)) for name, version in found]


def vendored(path: Path) -> list[Part]:
    """Give the page's files that others wrote."""
    listed = json.loads(path.read_text(encoding="utf-8"))
    return [Part(one["package"], one["version"], one["licence"], "npm", one["sha256"]) for one in listed]


def needed(requirements: Iterable[str]) -> list[Part]:
    """Give what requirements bring, and what that needs, in the versions installed here. Raises SbomError."""
    names = sorted(set(_with_needs([Requirement(one) for one in requirements])))
    return [Part(name, _installed(name)["Version"], licence_of(name)) for name in names]


def licence_of(name: str) -> str:
    """Give a package's licence as an SPDX expression. Raises SbomError."""
    said = _installed(name)
    licence = str(said["License-Expression"] or said["License"] or "").strip()
    licence = SPDX.get(licence, licence)
    if not re.fullmatch(r"[A-Za-z0-9.+() -]{3,80}", licence):
        raise SbomError(f"{name} states no licence that is known here; add it to SPDX in tools/sbom.py")
    return licence


def bom_of(name: str, parts: Sequence[Part]) -> str:
    """Write a bill of materials; the same parts give the same text."""
    own = f"verdict-{name}"
    root = Component(name=own, type=ComponentType.APPLICATION, licenses=_licences("MIT"), bom_ref=own)
    bom = Bom(components=[_component(part) for part in parts], serial_number=_serial(name, parts))
    bom.metadata.component = root
    bom.register_dependency(root, bom.components)
    bill = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
    del bill["metadata"]["timestamp"]
    return json.dumps(bill, indent=2) + "\n"


def table(shipped: dict[str, list[Part]]) -> str:
    """Give what is carried as a table, by licence."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for thing, parts in shipped.items():
        for part in parts:
            rows.setdefault((part.licence, part.name, part.version), []).append(thing)
    return "\n".join(f"{key[0]:50} {key[1]:24} {key[2]:16} {', '.join(rows[key])}" for key in sorted(rows))


def main() -> None:
    try:
        found = shipped()
    except SbomError as error:
        sys.exit(f"sbom: {error}")
    OUT.mkdir(parents=True, exist_ok=True)
    for name, parts in found.items():
        path = OUT / f"{name}.cdx.json"
        path.write_text(bom_of(name, parts), encoding="utf-8")
    print(table(found))
    print(f"\n{OUT.relative_to(ROOT)}: {', '.join(f'{name}.cdx.json' for name in found)}")


def _with_needs(requirements: Sequence[Requirement]) -> Iterator[str]:
    for one in requirements:
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            yield one.name.lower().replace("_", "-")
            yield from _with_needs([Requirement(text) for text in metadata.requires(one.name) or []])


def _installed(name: str) -> Any:
    try:
        return metadata.metadata(name)
    except metadata.PackageNotFoundError as error:
        raise SbomError(f"{name} is not installed here; run it in the environment of `make test`") from error


def _component(part: Part) -> Component:
    group, _, name = part.name.rpartition("/")
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else []
    return Component(
        name=name,
        group=group or None,
        version=part.version,
        type=ComponentType.LIBRARY,
        licenses=_licences(part.licence),
        purl=PackageURL(part.kind, group or None, name, part.version),
        hashes=hashes,
        bom_ref=f"{part.kind}:{part.name}@{part.version}",
    )


def _licences(expression: str) -> list[Any]:
    return [LicenseFactory().make_from_string(expression)]


def _serial(name: str, parts: Sequence[Part]) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"verdict {name} {sorted(parts)}")


if __name__ == "__main__":
    main()
