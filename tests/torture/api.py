"""The API by its own document: Schemathesis asks every route, rightly and wrongly, and checks each answer."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.gateway import Gateway
from tests.support.lambda_emulator import LambdaEmulator
from tests.support.lambda_zip import build, toolchain
from tests.support.stack import ROOT, Stack
from training.aws import gateway
from vocab.files import sha256

FOLDER = Path(__file__).resolve().parent
CONFIG, HOOKS = FOLDER / "schemathesis.toml", "tests.torture.schemathesis_hooks"
# In a long run, an answer that takes longer is a failure.
IN_TIME = ("--max-response-time", "10")
RUN_SECONDS = 3_600
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


KEY = "a key of this run alone"
WITH_KEY = {"AUTH": "key", "API_KEY": KEY, "API_KEYS": sha256(KEY.encode())}
# API Gateway answers methods that it does not know by itself, with its own 404.
OF_THE_APP = "unsupported_method"


class Checked(NamedTuple):
    """What Schemathesis says: operations and cases tried, and failures and errors by their titles."""

    operations: int
    cases: int
    failures: list[str]


def check(url: str, examples: int, seed: int, *flags: str) -> Checked:
    """Try so many cases an operation, twice: once for values, once for the edges of each schema."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--config-file", str(CONFIG), "run", f"{url}/v1/openapi.json", "--url", url),
            *("--checks", "all", "--continue-on-failure"),
            *("--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none"),
            *("--no-color", "--report", "json", "--report-json-path", str(report), *flags),
        ]
        env = os.environ | {"SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command,
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            errors="replace",
        )
        assert report.is_file(), (done.stdout + done.stderr)[-2_000:]
        return _read(json.loads(report.read_text(encoding="utf-8")), done.stdout)


def _read(report: dict[str, Any], said: str) -> Checked:
    found = [f"{one['title']} ({', '.join(one['operations'])})" for one in report["failures"]]
    found += [one["title"] for one in report["errors"]]
    if report["exit_code"] and not found:
        found = [f"it ended with {report['exit_code']}: {said[-300:]}"]
    return Checked(report["operations"]["tested"], report["test_cases"]["generated"], found)


# --- what is asked ------------------------------------------------------------------------------


@contextmanager
def local(**settings: str) -> Iterator[str]:
    """Run the whole app as `make run` does, unthrottled and with all that it can; give the API's URL."""
    with tempfile.TemporaryDirectory() as said:
        stack = Stack(**{"RATE_LIMIT": "off", "FEEDBACK": said, **settings})
        try:
            stack.wait_for("Verdict is ready")
            yield stack.api
        finally:
            stack.stop()


@contextmanager
def behind_gateway(folder: Path) -> Iterator[str]:
    """Build the Lambda zip and run it under AWS's emulator behind API Gateway's stand-in; give its URL."""
    tools = toolchain(VERSION, folder / "python")
    package = build(tools, folder)
    with zipfile.ZipFile(package / "deployment.zip") as file:
        file.extractall(folder / "task")
    sam = json.loads((package / "sam.json").read_text(encoding="utf-8"))
    definition = sam["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    with _endpoint() as endpoint, _function(tools, folder, endpoint) as function:
        front = Gateway(definition, function.invoke, gateway.responses())
        try:
            yield front.url
        finally:
            front.stop()


@contextmanager
def _endpoint() -> Iterator[str]:
    stack = Stack(ENDPOINT_NAME="verdict-dev")
    try:
        stack.wait_for("Verdict is ready")
        yield stack.endpoint_url
    finally:
        stack.stop()


@contextmanager
def _function(tools: Any, folder: Path, endpoint: str) -> Iterator[LambdaEmulator]:
    env = {"ENDPOINT_NAME": "verdict-dev", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint}
    function = LambdaEmulator(
        folder / "task", tools.image, "app.app", folder / "lambda.log", python=tools.python, **env
    )
    try:
        yield function
    finally:
        function.stop()
