"""The zip of `chalice package` starts under a real awslambdaric and answers with a real endpoint."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CHALICE
from tests.support.lambda_runtime import LambdaRuntime, proxy_event
from tests.support.lambda_zip import install_image
from tests.support.stack import ROOT

pytestmark = pytest.mark.slow

MAX_ZIP_BYTES = 8_000_000
JSON = {"Content-Type": "application/json"}
CANARY = "xylophonecanary"


@pytest.fixture(scope="module")
def runtime_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of Lambda's Python image: awslambdaric and boto3."""
    return install_image(sys.executable, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def package(runtime_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of `chalice package`, from a copy with the committed links.

    It asks for ``runtime_packages`` first: without a package index these tests are skipped.
    """
    copy = tmp_path_factory.mktemp("repo")
    leave_out = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalice_app", "vocab"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=leave_out)
    assert (copy / "chalice_app/vendor/vocab").is_symlink()
    made = subprocess.run(
        [*CHALICE, "package", "--stage", "dev", "out"],
        cwd=copy / "chalice_app",
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"},  # it refuses to package without one
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert made.returncode == 0, made.stderr
    # Chalice exits with 0 when it leaves a package out.
    assert "Could not install dependencies" not in made.stdout + made.stderr
    return copy / "chalice_app/out"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "lambda.log"


@pytest.fixture(scope="module")
def function(
    package: Path,
    runtime_packages: Path,
    local_endpoint: str,
    log: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LambdaRuntime]:
    """The unpacked zip, running as a Lambda in front of the local endpoint."""
    task = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(package / "deployment.zip") as file:
        file.extractall(task)
    env = template(package)["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    running = LambdaRuntime(
        task, runtime_packages, "app.app", log, **env, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=local_endpoint
    )
    yield running
    running.stop()


def template(package: Path) -> dict[str, Any]:
    return dict(json.loads((package / "sam.json").read_text(encoding="utf-8")))


def test_the_zip_holds_what_it_needs_and_no_more(package: Path) -> None:
    path = package / "deployment.zip"
    assert path.stat().st_size < MAX_ZIP_BYTES
    with zipfile.ZipFile(path) as file:
        names = set(file.namelist())
    assert {"app.py", "vocab/vocabulary.pkl", "vocab/vocabulary.json", "chalicelib/endpoint.py"} <= names
    assert any(name.startswith("nltk/stem/porter") for name in names)
    assert any(name.startswith("bs4/") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert not tops & {
        "numpy",
        "torch",
        "onnxruntime",
        "boto3",
        "botocore",
        "tests",
        "training",
        "local",
        "launcher",
        "prometheus_client",
    }


def test_the_function_is_made_as_configured(package: Path) -> None:
    resources = template(package)["Resources"]
    function = resources["APIHandler"]["Properties"]
    assert (function["MemorySize"], function["Timeout"]) == (512, 25)
    assert function["Environment"] == {"Variables": {"ENDPOINT_NAME": "verdict-dev"}}
    (policy,) = resources["ApiHandlerRole"]["Properties"]["Policies"]
    written = (ROOT / "chalice_app/.chalice/policy-dev.json").read_text(encoding="utf-8")
    assert policy["PolicyDocument"] == json.loads(written)


def test_a_review_gets_a_verdict(function: LambdaRuntime, log: Path) -> None:
    body = json.dumps({"review": f"Not good at all, {CANARY} aside. The <b>music</b> was lovely!"})
    answer = function.invoke(proxy_event("POST", "/v1/sentiment", body, JSON))
    assert answer["statusCode"] == 200
    verdict = json.loads(answer["body"])
    assert verdict["sentiment"] in ("positive", "negative", "uncertain")
    assert len(verdict["sentences"]) == 2
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"
    logged = log.read_text(encoding="utf-8")
    assert verdict["request_id"] in logged
    assert CANARY not in logged


def test_the_compatible_route_answers(function: LambdaRuntime) -> None:
    answer = function.invoke(proxy_event("POST", "/", "Lovely film", {"content-type": "text/plain"}))
    assert (answer["statusCode"], answer["body"] in ("1.0", "0.0")) == (200, True)


def test_a_batch_is_answered_as_each_review_alone(function: LambdaRuntime, log: Path) -> None:
    reviews = [{"id": 1, "review": "Not good at all."}, {"review": " "}, {"review": f"A joy, {CANARY}!"}]
    answer = function.invoke(
        proxy_event("POST", "/v1/sentiment/batch", json.dumps({"reviews": reviews}), JSON)
    )
    first, bad, last = json.loads(answer["body"])["answers"]
    assert (answer["statusCode"], first.pop("id"), bad["error"]["code"]) == (200, 1, "no_token")
    for verdict, review in ((first, reviews[0]), (last, reviews[2])):
        body = json.dumps({"review": review["review"], "explain": "none"})
        alone = json.loads(function.invoke(proxy_event("POST", "/v1/sentiment", body, JSON))["body"])
        assert verdict == {name: alone[name] for name in verdict}
    assert CANARY not in log.read_text(encoding="utf-8")


def test_health_and_model_answer(function: LambdaRuntime) -> None:
    health = function.invoke(proxy_event("GET", "/v1/health"))
    assert (health["statusCode"], json.loads(health["body"])["status"]) == (200, "ok")
    assert "uncertain" in json.loads(function.invoke(proxy_event("GET", "/v1/model"))["body"])


def test_metrics_are_lines_for_cloudwatch_and_no_route(function: LambdaRuntime, log: Path) -> None:
    answer = function.invoke(proxy_event("GET", "/v1/metrics"))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "not_found")
    function.invoke(proxy_event("POST", "/v1/sentiment", '{"review": "A joy."}', JSON))
    lines = log.read_text(encoding="utf-8").splitlines()
    messages = [json.loads(line) for line in lines if line.startswith('{"_aws"')]
    assert (messages[-1]["Function"], messages[-1]["Reviews"]) == ("verdict-dev", 1)


def test_errors_are_problems_there_too(function: LambdaRuntime) -> None:
    answer = function.invoke(proxy_event("POST", "/v1/sentiment", "{", JSON))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "malformed_json")
    unknown = proxy_event("GET", "/{proxy+}")
    unknown["pathParameters"] = {"proxy": "a/b/c"}
    answer = function.invoke(unknown)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "not_found")
    answer = function.invoke(proxy_event("DELETE", "/v1/sentiment"))
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "POST, OPTIONS")


def test_the_document_names_the_stage_as_its_server(function: LambdaRuntime) -> None:
    answer = function.invoke(proxy_event("GET", "/v1/openapi.json"))
    assert json.loads(answer["body"])["servers"] == [{"url": "/api"}]
