"""The check of the Lambda's zip: built as Chalice builds it, with everything that the app imports."""

import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from training.aws import function, gateway, slim
from training.aws.doctor.findings import FAIL, OK, Finding, last_line

BUILD_SECONDS = 600
MAX_BYTES = 50_000_000
OURS = ("app.py", "chalicelib/endpoint.py", "vocab/text.py", "vocab/vocabulary.pkl", "nltk/stem/porter.py")


def check_zip(stage: str) -> Finding:
    """Build the zip in a copy of the app, because Chalice keeps its builds in the project, and check it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "chalice_app"
        leave_out = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
        shutil.copytree(gateway.APP, copy, ignore=leave_out)
        try:
            slim.slim(copy)  # as a deploy does
        except slim.SlimError as error:
            return Finding("zip", FAIL, str(error))
        command = [*function.CHALICE, "--project-dir", str(copy), "package", "--stage", stage, folder]
        env = {"AWS_DEFAULT_REGION": "us-east-1"} | dict(os.environ)
        try:
            result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            return Finding("zip", FAIL, f"chalice package took longer than {BUILD_SECONDS} s", "try again")
        if result.returncode:
            return Finding("zip", FAIL, f"chalice package failed: {last_line(result.stderr)}")
        return check_contents(Path(folder) / "deployment.zip", copy / "requirements.txt")


def check_contents(path: Path, requirements: Path) -> Finding:
    """Check that a zip holds the app, the vocabulary and every required package, and is not too large."""
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
    installed = {_normalized(name.split("-")[0]) for name in names if ".dist-info/" in name}
    missing = [name for name in required(requirements) if _normalized(name) not in installed]
    missing += [name for name in OURS if name not in names]
    if missing:
        return Finding(
            "zip",
            FAIL,
            f"the zip lacks {', '.join(missing)}",
            "use a newer Python, and look at chalice_app/vendor",
        )
    size = path.stat().st_size
    if size > MAX_BYTES:
        return Finding(
            "zip", FAIL, f"the zip has {size / 1e6:.1f} MB, Lambda takes 50", "remove a requirement"
        )
    return Finding("zip", OK, f"{size / 1e6:.1f} MB with app, vocabulary and all required packages")


def required(requirements: Path) -> list[str]:
    """Return the names in a requirements file."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return [match[0] for line in lines if (match := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line))]


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
