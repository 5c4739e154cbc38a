"""Build and unpack the Lambda zip for a Python and an architecture, and list its compiled files."""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.api import CHALICE
from tests.support.missing import skip_or_fail
from tests.support.stack import ROOT
from training.aws import slim

MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}
SECONDS = 300
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1")


class Toolchain(NamedTuple):
    """A Python for a test run: ``python`` has Chalice, ``image`` is a folder with awslambdaric and boto3."""

    version: str
    python: str
    image: Path


def interpreter(version: str) -> str | None:
    """Return a working interpreter of Python ``version``, from PATH or pyenv."""
    candidates = [shutil.which(f"python{version}"), "/usr/bin/python" + version]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, timeout=30).stdout.strip()
        candidates += [str(path) for path in Path(root).glob(f"versions/{version}.*/bin/python{version}")]
    return next((path for path in candidates if path and _runs(path)), None)


def _runs(path: str) -> bool:
    try:
        return not subprocess.run(
            [path, "-c", "import venv, ensurepip"], capture_output=True, timeout=30
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def toolchain(version: str, folder: Path) -> Toolchain:
    """Build the environments for a zip; skip the test without that Python or a network."""
    tools = runtime(version, folder)
    pip = [tools.python, *PIP]
    _run([*pip, "chalice==" + pinned("chalice"), "boto3"], "Chalice can't be installed")
    return tools


def runtime(version: str, folder: Path) -> Toolchain:
    """Build the environment that runs a zip, without Chalice; skip the test without that Python."""
    base_python = interpreter(version)
    if base_python is None:
        skip_or_fail(f"there is no Python {version} with venv")
    python = str(folder / "venv/bin/python")
    _run([base_python, "-m", "venv", str(folder / "venv")], "a venv can't be made")
    image = ["--target", str(folder / "image"), "awslambdaric", "boto3"]
    _run([python, *PIP, *image], "awslambdaric can't be installed")
    return Toolchain(version, python, folder / "image")


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


def _run(command: list[str], reason: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        skip_or_fail(f"{reason}: {done.stderr[-500:]}")
