"""List every shipped component with version and licence, as CycloneDX (ECMA-424), a file a product.

    python -m tools.sbom           # writes build/sbom/*.cdx.json and prints the licences

The Lambda's zip and the endpoint's package contain their pinned requirements. The page contains the files of
static_site/vendor. The client's wheel contains the page, and requires the packages of its pyproject.toml.
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
    """A shipped component has no known version or licence."""


class Part(NamedTuple):
    """A shipped component: ``kind`` is pypi or npm, ``licence`` an SPDX expression."""

    name: str
    version: str
    licence: str
    kind: str = "pypi"
    sha256: str = ""


def shipped() -> dict[str, list[Part]]:
    """Return each product's components. Raises SbomError."""
    page = vendored(ROOT / "static_site/vendor/vendor.json")
    client = tomllib.loads((ROOT / "client/pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "lambda": pinned(ROOT / "chalice_app/requirements.txt"),
        "endpoint": pinned(ROOT / "requirements/endpoint.txt"),
        "page": page,
        "client": [*required(client["dependencies"]), *page],
    }


def pinned(path: Path) -> list[Part]:
    """Return the pinned packages of a requirements file. Raises SbomError."""
    pins = _PIN.findall(path.read_text(encoding="utf-8"))
    return [Part(name, version, licence_of(name)) for name, version in pins]


def vendored(path: Path) -> list[Part]:
    """Return the page's third-party files."""
    files = json.loads(path.read_text(encoding="utf-8"))
    return [Part(file["package"], file["version"], file["licence"], "npm", file["sha256"]) for file in files]


def required(requirements: Iterable[str]) -> list[Part]:
    """Return requirements and their dependencies, in the versions installed here. Raises SbomError."""
    names = sorted(set(_with_dependencies(map(Requirement, requirements))))
    return [Part(name, _installed(name)["Version"], licence_of(name)) for name in names]


def licence_of(name: str) -> str:
    """Return a package's licence as an SPDX expression. Raises SbomError."""
    fields = _installed(name)
    licence = str(fields["License-Expression"] or fields["License"] or "").strip()
    licence = SPDX.get(licence, licence)
    if not re.fullmatch(r"[A-Za-z0-9.+() -]{3,80}", licence):
        raise SbomError(f"{name} states no licence that is known here; add it to SPDX in tools/sbom.py")
    return licence


def bom_of(name: str, parts: Sequence[Part]) -> str:
    """Return a bill of materials; the same parts give the same text."""
    own = f"verdict-{name}"
    root = Component(name=own, type=ComponentType.APPLICATION, licenses=_licences("MIT"), bom_ref=own)
    bom = Bom(components=[_component(part) for part in parts], serial_number=_serial(name, parts))
    bom.metadata.component = root
    bom.register_dependency(root, bom.components)
    bill = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
    del bill["metadata"]["timestamp"]
    return json.dumps(bill, indent=2) + "\n"


def table(shipped: dict[str, list[Part]]) -> str:
    """Return the components as a table, by licence."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for product, parts in shipped.items():
        for part in parts:
            rows.setdefault((part.licence, part.name, part.version), []).append(product)
    return "\n".join(f"{key[0]:50} {key[1]:24} {key[2]:16} {', '.join(rows[key])}" for key in sorted(rows))


def main() -> None:
    try:
        bills = shipped()
    except SbomError as error:
        sys.exit(f"sbom: {error}")
    OUT.mkdir(parents=True, exist_ok=True)
    for name, parts in bills.items():
        path = OUT / f"{name}.cdx.json"
        path.write_text(bom_of(name, parts), encoding="utf-8")
    print(table(bills))
    print(f"\n{OUT.relative_to(ROOT)}: {', '.join(f'{name}.cdx.json' for name in bills)}")


def _with_dependencies(requirements: Iterable[Requirement]) -> Iterator[str]:
    for requirement in requirements:
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name.lower().replace("_", "-")
            yield from _with_dependencies(map(Requirement, metadata.requires(requirement.name) or []))


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
