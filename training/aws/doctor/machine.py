"""Checks of this machine: its Python, the wheels that it can get, its free disk space."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from training.aws.cloud import CloudError
from training.aws.doctor.findings import FAIL, OK, WARN, Finding, last_line

# The glibc of Lambda's image for each Python, as Chalice 1.34 assumes it; later Pythons have the last one.
GLIBC = {(3, 10): (2, 26), (3, 11): (2, 26), (3, 12): (2, 34)}
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
# An environment keeps the Python that made it.
NEWER = "rm -rf .venv/run && make {} PYTHON=python3.13"
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# pip prints this when there is no wheel; any other message is a failure of pip itself.
NO_WHEEL = "No matching distribution found"
PIP_SECONDS = 180
NEEDED_BYTES, COMFORTABLE_BYTES = 500_000_000, 2_000_000_000

Pip = Callable[..., "subprocess.CompletedProcess[str]"]


def check_python(version: tuple[int, int]) -> Finding:
    """Check the Python: Chalice builds for the version that runs it, and each has its own glibc on Lambda."""
    name = f"Python {dotted(version)}"
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        supported = f"{dotted(OLDEST_PYTHON)} to {dotted(NEWEST_PYTHON)}"
        return Finding("python", FAIL, f"{name} is not supported ({supported} are)", NEWER.format("doctor"))
    glibc = glibc_of(version)
    if glibc < GLIBC[(3, 12)]:
        return Finding(
            "python",
            WARN,
            f"{name} on Lambda has glibc {dotted(glibc)}; Chalice skips newer wheels without an error",
            NEWER.format("deploy") + " (the wheels check shows whether a package is missing today)",
        )
    return Finding("python", OK, f"{name}, glibc {dotted(glibc)} on Lambda")


def run_pip(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a pip command. Raises subprocess.TimeoutExpired."""
    command = [sys.executable, "-m", "pip", arguments[0], "--quiet", "--disable-pip-version-check"]
    return subprocess.run(
        [*command, "--retries", "1", "--timeout", "20", *arguments[1:]],
        capture_output=True,
        text=True,
        timeout=PIP_SECONDS,
    )


def check_wheels(
    version: tuple[int, int], architecture: str, requirements: Path, pip: Pip = run_pip
) -> Finding:
    """Check that the package index has a wheel for everything in the zip, as Chalice looks for them."""
    target = f"Python {dotted(version)} on {architecture}"
    try:
        missing, count = missing_wheels(version, architecture, requirements, pip)
    except subprocess.TimeoutExpired:
        return Finding("wheels", WARN, f"the package index did not answer in {PIP_SECONDS} s", "try again")
    except CloudError as error:
        return Finding("wheels", WARN, f"pip can't look up the Lambda's packages: {error}")
    if missing:
        return Finding(
            "wheels",
            FAIL,
            f"the zip would lack {', '.join(missing)}: no wheel for {target} with glibc"
            f" {dotted(glibc_of(version))}",
            f"use a newer Python ({NEWER.format('deploy')}), or pin an older version in"
            " chalice_app/requirements.txt",
        )
    return Finding("wheels", OK, f"all {count} packages of the zip have a wheel for {target}")


def missing_wheels(
    version: tuple[int, int], architecture: str, requirements: Path, pip: Pip = run_pip
) -> tuple[list[str], int]:
    """Return the packages without a wheel for a Lambda, and the number of all packages.

    Chalice resolves for the Python that runs it, then wants exactly these versions for Lambda.
    Raises CloudError when pip can't resolve them, and subprocess.TimeoutExpired.
    """
    report = pip("install", "--dry-run", "--ignore-installed", "--report", "-", "-r", str(requirements))
    if report.returncode:
        raise CloudError(last_line(report.stderr))
    resolved = [package["metadata"] for package in json.loads(report.stdout)["install"]]
    pins = [f"{package['name']}=={package['version']}" for package in resolved]
    if not pins or _have_wheels(pins, version, architecture, pip):
        return [], len(pins)
    return [pin for pin in pins if not _have_wheels([pin], version, architecture, pip)], len(pins)


def _have_wheels(pins: Sequence[str], version: tuple[int, int], architecture: str, pip: Pip) -> bool:
    machine, (major, minor) = MACHINES[architecture], glibc_of(version)
    tags = [f"manylinux_{major}_{number}_{machine}" for number in range(minor, 4, -1)]
    tags += [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    with tempfile.TemporaryDirectory() as folder:
        download = pip(
            "download",
            "--no-deps",
            "--only-binary=:all:",
            # Without a third part pip assumes 3.11.0, which is too old for packages that need 3.11.5.
            f"--python-version={dotted(version)}.99",
            "--implementation=cp",
            *(f"--platform={tag}" for tag in tags),
            f"--dest={folder}",
            *pins,
        )
    if download.returncode and NO_WHEEL not in download.stderr:
        raise CloudError(last_line(download.stderr))
    return download.returncode == 0


def check_disk(folder: Path) -> Finding:
    """Check the free disk space: packages and wheels need room."""
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        return Finding("disk", FAIL, f"{free / 1e6:.0f} MB are free, a deploy needs 500", "free some space")
    level = WARN if free < COMFORTABLE_BYTES else OK
    return Finding("disk", level, f"{free / 1e9:.1f} GB are free")


def glibc_of(version: tuple[int, int]) -> tuple[int, int]:
    """Return the glibc of Lambda's image for a Python."""
    return GLIBC.get(version, GLIBC[max(GLIBC)])


def dotted(version: tuple[int, int]) -> str:
    """Return a version as text.

    >>> dotted((3, 13))
    '3.13'
    """
    return f"{version[0]}.{version[1]}"
