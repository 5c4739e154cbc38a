"""The container image, really built and run: read-only, without root, for one machine and for SageMaker."""

import hashlib
import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import image
from tests.support.image import Container, Image
from tests.support.model import leaning_package
from tests.support.stack import ROOT, Stack
from training.aws import package
from training.endpoint import golden, inference
from vocab.messages import JSON

pytestmark = [pytest.mark.slow, pytest.mark.long]

API, PAGE, ENDPOINT = 8000, 8080, 8080
MAX_BYTES = 250_000_000
SENTIMENT = "/v1/sentiment"
# A user id as SageMaker may choose one, which the image does not know.
ANY_USER = "54321:54321"
REVIEWS = (
    "A warm, funny film that never once felt too long. I would happily watch it again.",
    "The plot is thin and the jokes fall flat. Still, I loved the music!",
    "<br />Not bad at all &mdash; unputdownable, overhyped, unwatchably gorgeous.",
    "Der Film war leider nicht gut.",
)
BATCH = {"reviews": [{"id": str(number), "review": review} for number, review in enumerate(REVIEWS)]}
REQUESTS = (
    *(("POST", SENTIMENT, json.dumps({"review": one, "explain": "words"}).encode()) for one in REVIEWS),
    ("POST", f"{SENTIMENT}/batch", json.dumps(BATCH).encode()),
    ("GET", "/v1/model", None),
    ("GET", "/v1/openapi.json", None),
)
# Debian 12 and later, Amazon Linux 2023 and Ubuntu 22.04 have this glibc or a newer one.
ARM = ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built once."""
    with image.built(tmp_path_factory.mktemp("image")) as made:
        yield made


@pytest.fixture(scope="module")
def app(made: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """`docker run verdict`."""
    running = Container(made, tmp_path_factory.mktemp("app") / "log")
    try:
        running.wait(API, SENTIMENT, body_of(REVIEWS[0]))
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def endpoint(made: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """`docker run verdict serve`, as a user whom the image does not know."""
    running = Container(made, tmp_path_factory.mktemp("endpoint") / "log", "serve", user=ANY_USER)
    try:
        running.wait(ENDPOINT, "/invocations", golden.GOLDEN)
        yield running
    finally:
        running.stop()


def body_of(review: str) -> bytes:
    return json.dumps({"review": review, "explain": "words"}).encode()


def health(container: Container, made: Image) -> int:
    """Return the exit status of the image's own health check."""
    kind, *command = made.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    return container.run(*command).returncode


# --- the image ----------------------------------------------------------------------------------


def test_it_is_small(made: Image, capsys: pytest.CaptureFixture[str]) -> None:
    size = made.bytes()
    with capsys.disabled():
        print(f"\nimage: {size / 1e6:.0f} MB, the sum of the sizes of all its files with the base's")
    assert size <= MAX_BYTES


def test_it_has_no_pip_no_torch_and_nothing_of_the_build(made: Image) -> None:
    libraries = {path.name for path in made.root.rglob("*-packages/*")}
    assert "onnxruntime" in libraries
    assert not libraries & {"pip", "setuptools", "torch", "uvloop"}
    assert not (made.root / "opt/verdict/training/aws").exists()
    pip = made.root / "etc/pip.conf"
    assert not pip.exists() or not pip.read_bytes()


def test_its_user_is_not_root(made: Image) -> None:
    assert made.config["User"] == "10001:10001"


def test_every_library_has_a_wheel_for_arm64(tmp_path: Path) -> None:
    platforms = [flag for tag in ARM for flag in ("--platform", tag)]
    files = ["-r", "requirements/image.txt", "-c", "requirements/constraints.txt"]
    flags = ["--dry-run", "--no-deps", "--only-binary=:all:", "--target", str(tmp_path), "--report", "-"]
    version = ["--implementation", "cp", "--python-version", "3.13"]
    found = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", *flags, *version, *platforms, *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=package.PIP_SECONDS,
    )
    assert found.returncode == 0, found.stderr
    wheels = [one["download_info"]["url"] for one in json.loads(found.stdout)["install"]]
    assert any("aarch64" in wheel for wheel in wheels)
    assert all("x86_64" not in wheel for wheel in wheels)


# --- compose.yaml -------------------------------------------------------------------------------


def composed(**variables: str) -> dict[str, Any]:
    """Return compose.yaml's service, with variables of the shell in their places or else the defaults."""
    # Compose parses the file first.
    text = json.dumps(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8")))
    default = re.compile(r"\$\{(\w+):-([^${}]*)\}")
    while default.search(text):  # the innermost first
        text = default.sub(lambda found: variables.get(found[1]) or found[2], text)
    return dict(json.loads(text)["services"]["verdict"])


def test_compose_publishes_to_loopback_alone() -> None:
    assert composed()["ports"] == ["127.0.0.1:8000:8000", "127.0.0.1:8080:8080"]
    assert composed(API_PORT="9000", PAGE_PORT="9001")["ports"] == [
        "127.0.0.1:9000:8000",
        "127.0.0.1:9001:8080",
    ]


def test_compose_gives_the_container_no_rights_and_a_read_only_root() -> None:
    service = composed()
    assert service["read_only"] is True and service["tmpfs"] == "/tmp"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


# --- the app ------------------------------------------------------------------------------------


def test_its_first_answer_comes_soon(app: Container, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nimage: the app's first answer after {app.first:.1f} s")
    assert app.first < image.START_SECONDS


def test_its_answers_are_those_of_make_serve(app: Container) -> None:
    stack = Stack("--serve")
    try:
        stack.wait_for("Verdict is ready")
        own = int(stack.ports["API_PORT"])
        for method, path, body in REQUESTS:
            status, answer, _ = app.ask(method, API, path, body, X_Request_Id="same")
            assert (status, answer) == ask(own, method, path, body), path
            assert status == 200
    finally:
        stack.stop()


def ask(port: int, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
    """Return status and body of an answer on this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": JSON, "X-Request-Id": "same"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_counts_for_prometheus(app: Container) -> None:
    status, body, _ = app.ask("GET", API, "/v1/metrics")
    assert status == 200 and b"verdict_" in body


def test_a_key_closes_the_api_and_not_its_health(made: Image, tmp_path: Path) -> None:
    keys = hashlib.sha256(b"a key").hexdigest()
    running = Container(made, tmp_path / "log", AUTH="key", API_KEYS=keys, API_PROCESSES="1")
    try:
        running.wait_for_line("Verdict is ready")
        assert running.ask("POST", API, SENTIMENT, body_of(REVIEWS[0]))[0] == 401
        assert health(running, made) == 0
    finally:
        assert running.stop() in (0, 143)


def test_its_page_calls_the_api_where_the_host_publishes_it(app: Container) -> None:
    status, page, headers = app.ask("GET", PAGE, "/")
    assert status == 200 and b"<textarea" in page
    assert "connect-src 'self' http://127.0.0.1:8000;" in headers["content-security-policy"]
    assert b'API_URL = "http://127.0.0.1:8000"' in app.ask("GET", PAGE, "/config.js")[1]


def test_with_compose_s_variables_the_page_calls_the_published_port(made: Image, tmp_path: Path) -> None:
    pairs = [pair.partition("=") for pair in composed(API_PORT="9000")["environment"]]
    variables = {name: value for name, given, value in pairs if given}
    running = Container(made, tmp_path / "log", **variables)
    try:
        running.wait(API, SENTIMENT, body_of(REVIEWS[0]))
        assert b'API_URL = "http://127.0.0.1:9000"' in running.ask("GET", PAGE, "/config.js")[1]
        assert health(running, made) == 0
    finally:
        assert running.stop() in (0, 143)


def test_its_health_check_passes(app: Container, made: Image) -> None:
    assert health(app, made) == 0


def test_a_health_check_fails_where_nothing_answers(made: Image, tmp_path: Path) -> None:
    running = Container(made, tmp_path / "log", "serve", MODEL="/nowhere")
    try:
        assert health(running, made) == 1
    finally:
        running.stop(signal.SIGKILL)


def test_it_can_write_to_tmp_alone(app: Container) -> None:
    assert app.run("touch", "/tmp/file").returncode == 0
    for place in ("/file", "/opt/verdict/file", "/var/tmp/file", "/etc/file"):
        assert app.run("touch", place).returncode != 0, place


def test_it_runs_without_root_s_rights(app: Container) -> None:
    status = Path(f"/proc/{app.pid}/status").read_text(encoding="utf-8")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {"10001"}
    assert int(fields["CapEff"], 16) == 0


def test_its_s3_client_needs_nothing_that_was_deleted(app: Container) -> None:
    code = "import boto3; [boto3.client(name, region_name='eu-west-1') for name in ('s3', 'sts')]"
    done = app.run("python", "-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_sigterm_ends_it(app: Container) -> None:
    assert app.stop() in (0, 143)


# --- SageMaker's endpoint -----------------------------------------------------------------------


def test_its_first_invocation_is_answered_soon(
    endpoint: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nimage: the endpoint's first answer after {endpoint.first:.1f} s")
    assert endpoint.first < image.START_SECONDS


def test_the_endpoint_answers_a_ping(endpoint: Container) -> None:
    assert endpoint.ask("GET", ENDPOINT, "/ping")[:2] == (200, b"")


def test_the_endpoint_gives_the_hooks_bytes(endpoint: Container) -> None:
    expected = inference.respond(golden.GOLDEN, JSON, JSON, inference.model_fn(inference.MODEL_FOLDER))
    status, body, headers = endpoint.ask("POST", ENDPOINT, "/invocations", golden.GOLDEN, Accept=JSON)
    assert (status, body, headers["content-type"]) == (200, expected.body, JSON)


def test_the_endpoint_is_healthy(endpoint: Container, made: Image) -> None:
    assert health(endpoint, made) == 0


def test_a_mounted_model_replaces_the_image_s_own(made: Image, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    leaning_package(folder, by=16.0)
    tmp_path.chmod(0o755)
    running = Container(made, tmp_path / "log", "serve", user=ANY_USER, model=folder)
    try:
        running.wait(ENDPOINT, "/invocations", golden.GOLDEN)
        card = json.loads(running.ask("POST", ENDPOINT, "/invocations", b'{"describe": true}')[1])["card"]
        assert card["id"] == json.loads((folder / "model.json").read_text(encoding="utf-8"))["id"]
        assert card["id"] != inference.model_fn(inference.MODEL_FOLDER).identity.id
    finally:
        assert running.stop() in (0, 143)


def test_an_unknown_argument_is_refused(made: Image, tmp_path: Path) -> None:
    running = Container(made, tmp_path / "log", "train")
    assert running.stop(signal.SIGCONT) == 1
    assert running.log.startswith("verdict: the image takes no argument, or `serve`")


def test_sigterm_ends_the_endpoint(endpoint: Container) -> None:
    assert endpoint.stop() in (0, 143)
