"""Rehearse every step against a simulated AWS: deploy, page in a browser, batch, update, status, destroy.

    make rehearse            # or: python -m tests.support.rehearse --picture page.png
    VERDICT_REAL_AWS=1 make rehearse FLAGS=--real     # the same in your own account, as stage test: it costs
    python -m tests.support.rehearse --serve          # starts only the account, for another terminal

These parts are real: the package under its image's own start, Chalice's zip under AWS's Lambda emulator, the
commands of training/, a browser. Simulated are the account (moto), API Gateway, S3's website. As root, the
package's server runs in a serverless jail (jail.py): no rights, no network, nothing writable but /tmp.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from tests.support import containers, jail, lambda_zip
from tests.support.aws_server import AwsServer, check_loopback
from tests.support.functions import Functions
from tests.support.gateway import Gateway
from tests.support.lambda_emulator import LambdaEmulator
from tests.support.model import random_package
from tests.support.runtime import Runtime
from tests.support.stage import leftovers
from tests.support.transform import TransformServer
from training.aws import cloud as clouds
from training.aws import (
    deploy,
    destroy,
    function,
    function_package,
    hosting,
    images,
    inventory,
    lambda_calls,
    lambda_host,
    page,
    resources,
    status,
    update_model,
)
from training.aws import gateway as refusals
from training.aws.cloud import Cloud
from training.endpoint import inference

ROOT = Path(__file__).resolve().parents[2]

FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
REVIEW = "Not good at all. The plot is thin and the jokes fall flat, but I loved the music!"
BATCH = [
    "A lovely, warm film.",
    "",
    "Dull from beginning to end, and far too long.",
    'He said "no", twice.\nAwful.',
]


class Row(NamedTuple):
    """A step of the rehearsal, its result, and its seconds."""

    step: str
    result: str
    seconds: float


class Rehearsal:
    """The simulated account with all its servers, and the rows of the table."""

    def __init__(self, folder: Path, picture: Path | None) -> None:
        self.folder, self.picture = folder, picture
        self.rows: list[Row] = []
        self.stack = contextlib.ExitStack()
        self.lambda_: LambdaEmulator | None = None
        self.running: dict[str, Any] = {}  # the configuration of the function that runs
        try:
            self._start_servers()
        except BaseException:
            self.stop()
            raise

    def _start_servers(self) -> None:
        self.server = AwsServer(self.folder / "aws.log")
        self.stack.callback(self.server.stop)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(self.server.env)
        check_loopback(os.environ["AWS_ENDPOINT_URL"])
        self.runtime = Containers(self.folder)
        self.stack.callback(self.runtime.stop)
        os.environ["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] = self.runtime.url
        self.transforms = TransformServer(self.server.url, self.runtime.of_job, self.server.env)
        self.stack.callback(self.transforms.stop)
        self.functions = Functions(self.server.url, self._start_model)
        self.stack.callback(self.functions.stop)
        os.environ["AWS_ENDPOINT_URL_LAMBDA"] = self.functions.url
        self.cloud: Cloud = clouds.open_stage("dev")
        self.package = lambda_zip.build(self._toolchain(), self.folder / "zip")
        definition = json.loads((self.package / "sam.json").read_text(encoding="utf-8"))
        api = definition["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
        self.gateway = Gateway(api, self._invoke, refusals.responses(), throttle=refusals.THROTTLE)
        self.stack.callback(self.gateway.stop)
        self.options = deploy.parse(["--api-url", self.gateway.url + "/", "--memory", "3072"])

    def _toolchain(self) -> lambda_zip.Toolchain:
        image = lambda_zip.install_image(sys.executable, self.folder / "image")
        return lambda_zip.Toolchain("", sys.executable, image)

    def _invoke(self, event: dict[str, Any]) -> Any:
        """Send an event to the deployed function, which starts at its first event as on AWS."""
        description = self.cloud.client("lambda").get_function(FunctionName="verdict-dev")["Configuration"]
        keys = ("CodeSha256", "Environment", "Handler", "Timeout")
        configuration = {key: description[key] for key in keys}
        if self.lambda_ is None or configuration != self.running:
            if self.lambda_:
                self.lambda_.stop()
            self.lambda_, self.running = self._start(configuration), configuration
        return self.lambda_.invoke(event)

    def _start(self, configuration: dict[str, Any]) -> LambdaEmulator:
        zips = (function.ROOT / "build/dev/chalice_app/.chalice/deployments").glob("*.zip")
        (deployed,) = [path for path in zips if _code_hash(path) == configuration["CodeSha256"]]
        task = Path(tempfile.mkdtemp(dir=self.folder))
        shutil.unpack_archive(deployed, task)
        variables = configuration["Environment"]["Variables"]
        # On AWS none is set. Here the one that is set says where the model is.
        host = ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", self.runtime.url)
        if lambda_calls.is_alias(variables["ENDPOINT_NAME"]):
            host = ("AWS_ENDPOINT_URL_LAMBDA", self.functions.url)
        return LambdaEmulator(
            task,
            self.folder / "image",
            configuration["Handler"],
            self.folder / "lambda.log",
            seconds=configuration["Timeout"],
            **variables,
            **dict([host]),
        )

    def _start_model(self, task: Path) -> Callable[[dict[str, Any]], Any]:
        """Start a version of the model's function, with the Python that Lambda has for it."""
        tools = lambda_zip.runtime(function_package.PYTHON, Path(tempfile.mkdtemp(dir=self.folder)))
        log = self.folder / f"model-{task.name[:12]}.log"
        started = LambdaEmulator(
            task, tools.image, function_package.HANDLER, log, python=tools.python, **lambda_host.VARIABLES
        )
        self.stack.callback(started.stop)
        return started.invoke

    def stop(self) -> None:
        """End every server that this object started."""
        if self.lambda_:
            self.lambda_.stop()
        self.stack.close()

    def variables(self) -> dict[str, str]:
        """Return the variables that make another terminal's commands use this account."""
        return self.server.env | {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.runtime.url,
            "AWS_ENDPOINT_URL_SAGEMAKER": self.transforms.url,
            "AWS_ENDPOINT_URL_LAMBDA": self.functions.url,
            "DEPLOYED_API_URL": self.gateway.url + "/",
        }

    def step(self, name: str, action: Callable[[], str]) -> None:
        """Run a step and record its result."""
        print(f"== {name}", flush=True)
        began = time.monotonic()
        self.rows.append(Row(name, action(), time.monotonic() - began))
        print(f"   {self.rows[-1].result}", flush=True)

    # --- the steps ------------------------------------------------------------------------------

    def run(self) -> None:
        self.step("deploy", self.deploy)
        self.step("deploy again", self.deploy_again)
        self.step("page in a browser", self.browse)
        self.step("batch transform", self.batch)
        self.step("status", self.status)
        self.step("another model", self.update)
        self.step("model in a function", self.function)
        self.step("destroy", self.destroy)

    def deploy(self) -> str:
        self.deployed = deploy.deploy(self.cloud, self.options, _say)
        self.resources = inventory.find(self.cloud)
        model = inference.model_fn(self.options.model).identity.id
        return f"{len(self.resources)} resources created, model {model}"

    def deploy_again(self) -> str:
        again = deploy.deploy(self.cloud, self.options, _say)
        assert again == self.deployed, (again, self.deployed)
        found = {(resource.kind, resource.name) for resource in inventory.find(self.cloud)}
        assert found == {(resource.kind, resource.name) for resource in self.resources}
        return "nothing changed"

    def browse(self) -> str:
        from playwright.sync_api import expect, sync_playwright

        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        assert chromium, "chromium is not installed (or name it: CHROMIUM=/path)"
        with self.site() as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            faults: list[str] = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on(
                "console", lambda message: faults.append(message.text) if message.type == "error" else None
            )
            page.goto(url)
            page.locator("#review").fill(REVIEW)
            page.locator("#send").click()
            answered = page.locator("main#page[data-state=answer] #answer:not([data-stale])")
            expect(answered).to_be_visible(timeout=30_000)
            headline = page.locator("#verdict").inner_text()
            if self.picture:
                page.screenshot(path=str(self.picture))
            browser.close()
        assert faults == [], faults
        return f"{headline}, from {self.deployed.api_url}"

    def site(self) -> Any:
        """Return a context manager that serves the page and yields its URL."""
        return bucket_server(self.cloud)

    def batch(self) -> str:
        import csv

        source, out = self.folder / "reviews.csv", self.folder / "answers.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "review"], *enumerate(BATCH, 1)])
        rows = {}
        for backend, flags in (("transform", []), ("local", ["--local"])):
            env = self.batch_environment()
            command = [sys.executable, "-m", "training.jobs.batch", str(source), "--out", str(out), *flags]
            done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
            assert done.returncode == 1, done.stderr  # an empty review has no verdict
            rows[backend] = out.read_bytes()
            out.unlink()
        assert rows["transform"] == rows["local"], rows
        found = list(csv.DictReader(rows["local"].decode().splitlines(keepends=True)))
        return f"{len(found)} rows, equal to --local byte for byte: " + ", ".join(
            row["sentiment"] or row["error"] for row in found
        )

    def batch_environment(self) -> dict[str, str]:
        """Return the environment of a batch, with an account that runs transforms."""
        return {**os.environ, "AWS_ENDPOINT_URL_SAGEMAKER": self.transforms.url}

    def status(self) -> str:
        from datetime import UTC, datetime

        rows = status.rows(self.cloud, datetime.now(UTC))
        print(status.format_table(rows, datetime.now(UTC)))
        idle = sum(row["idle_hour"] for row in rows)
        assert idle == 0
        return f"{len(rows)} resources, ${idle:.2f} an hour while idle"

    def update(self) -> str:
        random_package(self.folder / "other")
        other = deploy.parse(["--model", str(self.folder / "other")])
        update_model.update(self.cloud, other, _say)
        update_model.update(self.cloud, self.options, _say)
        return "another model behind the endpoint, and back"

    def function(self) -> str:
        """Move the model from the endpoint into a Lambda function, and compare the answers."""
        before = self.ask()
        flags = ["--kind", "lambda", "--site", self.options.site]
        url = ["--api-url", self.options.api_url] if self.options.api_url else []
        self.deployed = deploy.deploy(self.cloud, deploy.parse([*flags, *url]), _say)
        after = self.ask()
        assert after == before, (before, after)
        return f"{self.deployed.model} answers with the endpoint's bytes"

    def ask(self) -> bytes:
        """Return the API's answer to a review, explained word by word."""
        body = json.dumps({"review": REVIEW, "explain": "words"}).encode()
        headers = {"Content-Type": "application/json", "X-Request-Id": "rehearsal"}
        url = self.deployed.api_url.rstrip("/") + "/v1/sentiment"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as response:
            return bytes(response.read())

    def destroy(self) -> str:
        count = destroy.destroy(self.cloud, _say)
        left = self.left()
        assert left == {}, left
        return f"{count} resources removed, nothing is left"

    def left(self) -> dict[str, Any]:
        """Return all resources that the account still has."""
        return leftovers(self.cloud)


class RealAccount(Rehearsal):
    """The same steps in the user's own account, in stage test, which must be empty."""

    def __init__(self, folder: Path, picture: Path | None) -> None:
        self.folder, self.picture = folder, picture
        self.rows = []
        self.stack, self.lambda_ = contextlib.ExitStack(), None
        self.cloud = clouds.open_stage("test")
        if inventory.find(self.cloud):
            sys.exit("rehearse: stage test has resources already; run `make destroy STAGE=test` first")
        os.environ["STAGE"] = "test"
        self.options = deploy.parse([])

    def run(self) -> None:
        """Run the steps, and remove everything even when one of them fails."""
        try:
            super().run()
        finally:
            destroy.destroy(self.cloud, _say)

    def site(self) -> Any:
        return contextlib.nullcontext(self.deployed.page_url)

    def batch_environment(self) -> dict[str, str]:
        return dict(os.environ)

    def left(self) -> dict[str, Any]:
        return {thing.kind: thing for thing in inventory.find(self.cloud)}


class Containers(Runtime):
    """SageMaker's runtime in front of the package's real server, one for each package."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._servers: dict[str, containers.Server] = {}
        self._starting = threading.Lock()

    def answer(self, endpoint: str, body: bytes, content_type: str) -> tuple[int, str, bytes, str]:
        self.calls.append(endpoint)
        try:
            server = self._server_of(endpoint)
        except ClientError:
            message = {"message": f"Endpoint {endpoint} of account 123456789012 not found."}
            return 400, "ValidationError", json.dumps(message).encode(), "application/json"
        status, data, kind = server.ask(body, content_type)
        if status == 200:
            return 200, "", data, kind
        failure = {"Message": "x", "OriginalStatusCode": status, "OriginalMessage": data.decode()}
        return 424, "ModelError", json.dumps(failure).encode(), "application/json"

    def of_job(self, body: bytes) -> bytes:
        """Answer a transform's lines by the running server."""
        server = next(iter(self._servers.values()))
        status, data, _ = server.ask(body, "application/jsonlines")
        assert status == 200, (status, data)
        return data

    def _server_of(self, endpoint: str) -> containers.Server:
        url = self.package_of(endpoint)
        with self._starting:
            if url not in self._servers:
                folder = Path(tempfile.mkdtemp(dir=self._folder))
                self._servers[url] = self._start(self.download(endpoint, folder), folder)
            return self._servers[url]

    def _start(self, tar: Path, folder: Path) -> containers.Server:
        """Start the default image's server, in a jail where one can be made."""
        name, reason = images.SERVING[0], jail.unavailable()
        if reason:
            print(f"   {reason}, so the endpoint runs without one")
            return containers.start(name, tar, folder)
        return jail.start(name, tar, folder)

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()
        super().stop()


@contextlib.contextmanager
def bucket_server(cloud: Cloud) -> Iterator[str]:
    """Serve the site's bucket as CloudFront would, with each object's own content type."""
    s3, bucket = cloud.client("s3"), cloud.stage.site_bucket

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = self.path.split("?")[0].lstrip("/") or "index.html"
            try:
                found = s3.get_object(Bucket=bucket, Key=key)
            except s3.exceptions.NoSuchKey:
                self.send_error(404)
                return
            data = found["Body"].read()
            self.send_response(200)
            self.send_header("Content-Type", found["ContentType"])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def _code_hash(path: Path) -> str:
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def _say(line: str) -> None:
    print(f"   {line}", flush=True)


def serve(rehearsal: Rehearsal) -> None:
    """Print how another terminal reaches the account, and keep it until Ctrl-C."""
    with bucket_server(rehearsal.cloud) as url:
        print("a simulated AWS account is ready; in another terminal:\n")
        for name, value in rehearsal.variables().items():
            print(f"export {name}={value}")
        print("\nThe API answers for stage dev; unset DEPLOYED_API_URL for another stage.")
        print(f"After `make deploy` the API is at {rehearsal.gateway.url}/, the page at {url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Rehearse everything against a simulated AWS.")
    parser.add_argument("--picture", type=Path, help="write a picture of the page's answer here (.png)")
    parser.add_argument("--real", action="store_true", help="in your own account; it costs some cents")
    parser.add_argument("--serve", action="store_true", help="only start the simulated account")
    options = parser.parse_args()
    if options.real and os.environ.get("VERDICT_REAL_AWS") != "1":
        sys.exit("rehearse: --real creates resources in your account; set VERDICT_REAL_AWS=1 to permit it")
    kind = RealAccount if options.real else Rehearsal
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        if not (options.serve or options.real):
            hurry(Path(folder))
        rehearsal = kind(Path(folder), options.picture)
        try:
            if options.serve:
                serve(rehearsal)
            else:
                rehearsal.run()
        finally:
            rehearsal.stop()
    if rehearsal.rows:
        print(f"\n{'step':20}{'seconds':>9}  result")
    for row in rehearsal.rows:
        print(f"{row.step:20}{row.seconds:>9.1f}  {row.result}")


def hurry(folder: Path) -> None:
    """Set waits to zero, since a simulated account needs none, and build outside the repository."""
    resources.ROLE_SECONDS = deploy.LAST_REQUEST_SECONDS = 0
    inventory.POLL_SECONDS = hosting.POLL_SECONDS = page.POLL_SECONDS = 0.1
    function.ROOT = folder / "root"


if __name__ == "__main__":
    main()
