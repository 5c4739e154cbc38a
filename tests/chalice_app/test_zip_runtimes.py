"""The zip under each Python and architecture, AWS's own emulator, and a simulated API Gateway."""

import http.client
import importlib.util
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.api import Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.gateway import Gateway
from tests.support.lambda_emulator import EmulatorMissing, LambdaEmulator, emulator
from tests.support.lambda_runtime import LambdaRuntime, proxy_event
from tests.support.lambda_zip import Toolchain, build, libraries, toolchain, unpack
from tests.support.missing import skip_or_fail
from tests.support.stack import ROOT
from training.aws import gateway as own

pytestmark = pytest.mark.slow

PYTHONS = ("3.12", "3.13")
JSON = {"Content-Type": "application/json", "X-Request-Id": "golden"}
GOLDEN = json.loads((ROOT / "tests/golden/text.json").read_text(encoding="utf-8"))["cases"]
REVIEWS = [case["review"] for case in GOLDEN if case["tokens"]]
CANARY = "xylophonecanary"

CHECKOV = ROOT / ".venv/checkov/bin/checkov"
# What checkov misses in the merged template, and why it is missed on purpose.
EXPLAINED = {
    "CKV_AWS_73": "X-Ray costs by the request; the function's log line has each request's time and id",
    "CKV_AWS_76": "the gateway's access log stores callers' addresses; the function's log does not",
    "CKV_AWS_120": "the gateway caches no POST, and its cache costs by the hour",
    "CKV_AWS_116": "a dead letter queue is for events that nobody waits for; here a caller waits",
    "CKV_AWS_117": "the function calls SageMaker and S3 alone, over TLS; a VPC needs paid endpoints for both",
    "CKV_AWS_173": "variables hold no secret, and AWS encrypts them by its own key; API_KEYS are hashes",
    "CKV_AWS_158": "the log holds no review and no address, and AWS encrypts it by its own key",
}

# The function's time limit where it is to be passed; a start takes seconds of it on a busy machine.
SECONDS = 5


@pytest.fixture(scope="module", params=PYTHONS)
def tools(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    """A Python version that Lambda offers."""
    return toolchain(request.param, tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def package(tools: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of `chalice package --merge-template` for x86_64."""
    return build(tools, tmp_path_factory.mktemp("repo"), merge=True)


@pytest.fixture(scope="module")
def task(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(package, tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="module")
def local_api(local_endpoint: str) -> Iterator[Served]:
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=local_endpoint, ENDPOINT_NAME="verdict-dev")
    yield served
    served.stop()


@pytest.fixture(scope="module")
def golden(local_api: Served) -> dict[str, str]:
    """The local API's answer to each golden review."""
    return {
        review: local_api.send("POST", "/v1/sentiment", body_of(review).encode(), JSON).body.decode()
        for review in REVIEWS
    }


@pytest.fixture
def emulated(
    tools: Toolchain, task: Path, local_endpoint: str, tmp_path: Path
) -> Iterator[Callable[..., LambdaEmulator]]:
    """Start the zip under the emulator, with the test's timeout and variables."""
    try:
        emulator()
    except EmulatorMissing as error:
        skip_or_fail(str(error))
    running: list[LambdaEmulator] = []

    def start(seconds: int = 25, url: str = local_endpoint) -> LambdaEmulator:
        env = {"ENDPOINT_NAME": "verdict-dev", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url}
        log = tmp_path / "lambda.log"
        running.append(
            LambdaEmulator(task, tools.image, "app.app", log, python=tools.python, seconds=seconds, **env)
        )
        return running[-1]

    yield start
    for one in running:
        one.stop()


def body_of(review: str) -> str:
    return json.dumps({"review": review, "explain": "words"})


def ask(invoke: Callable[[dict[str, Any]], Any], review: str) -> Any:
    return invoke(proxy_event("POST", "/v1/sentiment", body_of(review), JSON))


def template(package: Path) -> dict[str, Any]:
    return dict(json.loads((package / "sam.json").read_text(encoding="utf-8")))


# --- built ---------------------------------------------------------------------------------------


def check_libraries(package: Path, version: str, architecture: str) -> None:
    machines = dict(libraries(package))
    assert machines, "regex has compiled parts"
    assert set(machines.values()) == {architecture}
    tags = {tag for name in machines for tag in re.findall(r"cpython-(\d+)", name)}
    assert tags == {version.replace(".", "")}


def test_its_compiled_parts_are_for_this_python(package: Path, tools: Toolchain) -> None:
    check_libraries(package, tools.version, "x86_64")
    function = template(package)["Resources"]["APIHandler"]["Properties"]
    assert function["Runtime"] == f"python{tools.version}"


def test_for_arm64_they_are_for_arm64(tools: Toolchain, tmp_path: Path) -> None:
    """This zip is built and inspected, but not run, which needs a machine of that kind."""
    package = build(tools, tmp_path, "arm64")
    check_libraries(package, tools.version, "arm64")
    assert template(package)["Resources"]["APIHandler"]["Properties"]["Architectures"] == ["arm64"]
    with zipfile.ZipFile(package / "deployment.zip") as file:
        assert {"app.py", "vocab/vocabulary.pkl"} <= set(file.namelist())


# --- run -----------------------------------------------------------------------------------------


def test_under_awslambdaric_golden_reviews_get_the_local_api_s_bytes(
    tools: Toolchain, task: Path, local_endpoint: str, golden: dict[str, str], tmp_path: Path
) -> None:
    env = {"ENDPOINT_NAME": "verdict-dev", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": local_endpoint}
    log = tmp_path / "lambda.log"
    function = LambdaRuntime(task, tools.image, "app.app", log, python=tools.python, **env)
    try:
        for review, expected in golden.items():
            assert ask(function.invoke, review)["body"] == expected
    finally:
        function.stop()


def test_under_the_emulator_golden_reviews_get_the_local_api_s_bytes(
    emulated: Callable[..., LambdaEmulator], golden: dict[str, str]
) -> None:
    function = emulated()
    for review, expected in golden.items():
        answer = ask(function.invoke, review)
        assert (answer["statusCode"], answer["body"]) == (200, expected)


def test_the_emulator_ends_a_function_that_takes_too_long(
    emulated: Callable[..., LambdaEmulator], fake: FakeRuntime
) -> None:
    function = emulated(seconds=SECONDS, url=fake.url)
    assert ask(function.invoke, "Lovely film")["statusCode"] == 200
    fake.queue(200, seconds=3 * SECONDS)
    assert f"timed out after {SECONDS}.00 seconds" in str(ask(function.invoke, "Lovely film"))
    # The next event finds the function started anew.
    assert ask(function.invoke, "Lovely film")["statusCode"] == 200


def test_behind_api_gateway_it_answers_and_breaks_off_in_our_form(
    package: Path, emulated: Callable[..., LambdaEmulator], fake: FakeRuntime, tmp_path: Path
) -> None:
    function = emulated(seconds=SECONDS, url=fake.url)
    definition = template(package)["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    front = Gateway(definition, function.invoke, own.responses())
    try:
        status, _, body = post(f"{front.url}/v1/sentiment", body_of(f"Lovely film, {CANARY} too"))
        assert (status, json.loads(body)["sentiment"]) == (200, "positive")
        fake.queue(200, seconds=3 * SECONDS)
        status, headers, body = post(f"{front.url}/v1/sentiment", body_of("Lovely film"))
        assert (status, json.loads(body)["code"]) == (502, "app_failed")
        assert headers["Access-Control-Allow-Origin"] == "*"
    finally:
        front.stop()
    assert CANARY not in (tmp_path / "lambda.log").read_text(encoding="utf-8")


def post(url: str, body: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("POST", parts.path, body.encode(), JSON)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


# --- the merged template -------------------------------------------------------------------------


def test_the_merged_template_carries_what_chalice_can_t_set(package: Path) -> None:
    resources = template(package)["Resources"]
    api = resources["RestAPI"]["Properties"]
    assert "/v1/sentiment" in api["DefinitionBody"]["paths"]
    carried = api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    assert carried.keys() == {response["responseType"] for response in own.responses()}
    assert api["MethodSettings"][0]["ThrottlingRateLimit"] == own.THROTTLE["rate"]
    function = resources["APIHandler"]["Properties"]
    assert (function["MemorySize"], function["Timeout"]) == (512, 25)
    assert function["FunctionName"] == {"Fn::Sub": "verdict-${Stage}"}


def test_cfn_lint_finds_nothing_in_the_merged_template(package: Path) -> None:
    if importlib.util.find_spec("cfnlint") is None:
        skip_or_fail("cfn-lint is not installed: pip install -r requirements/aws.txt")
    linted = subprocess.run(
        [sys.executable, "-c", "import sys; from cfnlint.runner import main; sys.exit(main())", "sam.json"],
        cwd=package,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (linted.returncode, linted.stdout) == (0, ""), linted.stderr


def test_checkov_finds_nothing_in_the_merged_template_but_what_is_explained(package: Path) -> None:
    if not CHECKOV.is_file():
        skip_or_fail("checkov is not installed: make .venv/checkov/.ready")
    # Whatever it may ask a server for goes nowhere.
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    flags = ("--framework", "cloudformation", "--skip-download", "--output", "json")
    checked = subprocess.run(
        [str(CHECKOV), "--file", "sam.json", *flags],
        cwd=package,
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
        timeout=240,
    )
    report = json.loads(checked.stdout)
    assert report["summary"]["passed"] > 0 and report["summary"]["parsing_errors"] == 0
    assert {found["check_id"] for found in report["results"]["failed_checks"]} == EXPLAINED.keys()
    assert "ProxyError" not in checked.stderr, "it called a server"
