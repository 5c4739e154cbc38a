"""Build and unpack the Lambda zip for a Python and an architecture, and list its compiled files."""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support import containers
from tests.support.api import CHALICE
from tests.support.stack import ROOT
from training.aws import slim

MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}
SECONDS = 300


class Toolchain(NamedTuple):
    """A Python for a test run: ``python`` has Chalice, ``image`` is a folder with awslambdaric and boto3."""

    version: str
    python: str
    image: Path


def toolchain(version: str, folder: Path) -> Toolchain:
    """Build the environments for a zip; skip the test without that Python or a network."""
    python = containers.make_environment(folder / "venv", version, f"chalice=={pinned('chalice')}", "boto3")
    return Toolchain(version, str(python), install_image(python, folder / "image"))


def runtime(version: str, folder: Path) -> Toolchain:
    """Build the environment that runs a zip, without Chalice; skip the test without that Python."""
    python = containers.make_environment(folder / "venv", version)
    return Toolchain(version, str(python), install_image(python, folder / "image"))


def install_image(python: Path | str, folder: Path) -> Path:
    """Install the packages of Lambda's Python image into a folder, compiled as there; return the folder."""
    flags = ("--target", str(folder))
    containers.install(python, ("awslambdaric", "boto3"), *flags)
    return folder


def pinned(name: str) -> str:
    """Return the pinned version of a package in requirements/run.txt."""
    for line in (ROOT / "requirements/run.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}=="):
            return line.split("==")[1].split()[0]
    raise AssertionError(f"{name} is not pinned")


def build(tools: Toolchain, folder: Path, architecture: str = "x86_64", merge: bool = False) -> Path:
    """Run `chalice package` on a copy with the committed links; return its output folder."""
    ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalice_app", "vocab"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
    app = folder / "chalice_app"
    slim.slim(app)  # as `make deploy` does
    config = json.loads((app / ".chalice/config.json").read_text(encoding="utf-8"))
    (app / ".chalice/config.json").write_text(json.dumps(config | {"lambda_architecture": architecture}))
    template = ["--merge-template", "merge-template.json"] if merge else []
    done = subprocess.run(
        [tools.python, *CHALICE[1:], "package", "--stage", "dev", *template, "out"],
        cwd=app,
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"},  # Chalice refuses to package without one
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    # Chalice exits with 0 even when it leaves out a package.
    assert "Could not install dependencies" not in done.stdout + done.stderr
    return app / "out"


def unpack(package: Path, folder: Path) -> Path:
    """Unpack a package's zip; return the folder."""
    with zipfile.ZipFile(package / "deployment.zip") as file:
        file.extractall(folder)
    return folder


def libraries(package: Path) -> Iterator[tuple[str, str]]:
    """Yield each compiled file of a package's zip, with the machine in its ELF header."""
    with zipfile.ZipFile(package / "deployment.zip") as file:
        for name in file.namelist():
            if name.endswith(".so") or ".so." in name:
                header = file.read(name)[:20]
                assert header[:4] == b"\x7fELF", name
                machine = int.from_bytes(header[18:20], "little")
                yield name, MACHINES.get(machine, hex(machine))
