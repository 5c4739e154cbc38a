"""Check the API against its OpenAPI document with Schemathesis, by valid and invalid requests."""

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
# In a long run, slower answers are failures.
IN_TIME = ("--max-response-time", "10")
RUN_SECONDS = 3_600
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

KEY = "a key for this run"
WITH_KEY = {"AUTH": "key", "API_KEY": KEY, "API_KEYS": sha256(KEY.encode())}
# API Gateway itself answers unknown methods with a 404.
OF_THE_APP = "unsupported_method"


class CheckReport(NamedTuple):
    """A Schemathesis report: the number of operations and cases, and the titles of failures and errors."""

    operations: int
    cases: int
    failures: list[str]


def check(url: str, examples: int, seed: int, *flags: str) -> CheckReport:
    """Run ``examples`` cases for each operation twice: for values, and for the edges of each schema."""
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
        return _summarize(json.loads(report.read_text(encoding="utf-8")), done.stdout)


def _summarize(report: dict[str, Any], output: str) -> CheckReport:
    failures = [f"{item['title']} ({', '.join(item['operations'])})" for item in report["failures"]]
    failures += [error["title"] for error in report["errors"]]
    if report["exit_code"] and not failures:
        failures = [f"Schemathesis exited with {report['exit_code']}: {output[-300:]}"]
    return CheckReport(report["operations"]["tested"], report["test_cases"]["generated"], failures)


# --- the APIs -----------------------------------------------------------------------------------


@contextmanager
def local(**settings: str) -> Iterator[str]:
    """Run the whole app as `make run` does, with feedback and without a rate limit; yield the API's URL."""
    with tempfile.TemporaryDirectory() as feedback:
        stack = Stack(**{"RATE_LIMIT": "off", "FEEDBACK": feedback, **settings})
        try:
            stack.wait_for("Verdict is ready")
            yield stack.api
        finally:
            stack.stop()


@contextmanager
def behind_gateway(folder: Path) -> Iterator[str]:
    """Run the Lambda zip under AWS's emulator behind API Gateway's stand-in; yield its URL."""
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
