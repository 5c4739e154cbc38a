"""Run everything that works by a role under that role; count the rights that it has, and those that it used.

    python -m tests.support.rights           # prints the table
    python -m tests.support.rights --write   # and writes rights.json for tools/fill_docs.py

The code is that of a deploy, a request, a batch, a training, an adaptation and a notebook, in the simulated
account. tests/support/aws_side.py does what AWS does by a role. The work inside a job's container is not done
here: it can't reach AWS. tests/training/jobs/ does it, under the same roles.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from chalicelib import endpoint as app_endpoint
from chalicelib import feedback_store
from tests.support import aws_side, iam, stage, training_job
from tests.support.api import InProcess
from tests.support.aws_server import AwsServer
from tests.support.iam import Request, Right
from tests.support.runtime import Runtime
from tests.support.transform import TransformServer, hooks
from training.aws import cloud as clouds
from training.aws import deploy, hosting, images, resources
from training.aws.cloud import Cloud
from training.endpoint import inference
from training.jobs import adapt, batch, batch_transform, notebook_instance, reviews_s3, train
from vocab import messages
from vocab.files import write_atomic

RESULTS = Path(__file__).with_name("rights.json")
REVIEW = "Not good at all, but I loved the music!"
SHOP, KEY = "the-shop", "alias-of-the-shop"
# AWS's command, which a notebook instance has: the two calls that our scripts make with it.
AWS_COMMAND = f"""#!{sys.executable}
import boto3, os, sys
if sys.argv[1:3] == ["s3", "cp"]:
    bucket, _, key = sys.argv[-2].removeprefix("s3://").partition("/")
    boto3.client("s3").download_file(bucket, key, sys.argv[-1])
else:
    boto3.client("sagemaker").stop_notebook_instance(NotebookInstanceName=sys.argv[4])
"""


class Row(NamedTuple):
    """A role, all its rights, and those that were used."""

    role: str
    rights: list[Right]
    used: set[Right]

    def unused(self) -> list[Right]:
        return [right for right in self.rights if right not in self.used]


class Account:
    """A stage in the simulated account, with what runs by its roles; each method is one of them."""

    def __init__(self, cloud: Cloud, folder: Path, server: AwsServer, patch: pytest.MonkeyPatch) -> None:
        self.cloud, self.folder, self.server, self.patch = cloud, folder, server, patch
        self.names = {
            "function": cloud.stage.function_role,
            "endpoint": cloud.stage.endpoint_role,
            "sagemaker": cloud.stage.role,
            "adapt": cloud.stage.adapt_role,
            "model": cloud.stage.model_role,
        }

    def endpoint(self) -> None:
        """Deploy an endpoint, which loads its package and answers."""
        runtime = Runtime()
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
                options = stage.options(inference.MODEL_FOLDER)
                deploy.host(self.cloud, options, deploy.check(self.cloud, options))
        finally:
            runtime.stop()
        # The other images, and the endpoint's second name, which a new vocabulary takes.
        role, stage_ = aws_side.Role(resources.ensure_endpoint_role(self.cloud)), self.cloud.stage
        log = stage_.endpoint_log(stage_.endpoints[1])
        for image in images.SERVING:
            aws_side.record_container(
                role, images.uri(image, stage_.region), log, f"AllTraffic/{image}", ["-"]
            )

    def function(self) -> None:
        """Answer a review, keep a correction and delete it, and write the lines to the log."""
        s3 = self.cloud.client("s3")
        s3.create_bucket(
            Bucket="said", CreateBucketConfiguration={"LocationConstraint": self.cloud.stage.region}
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FEEDBACK", "s3://said/reviews")
            patch.setenv("ENDPOINT_NAME", self.cloud.stage.endpoint)
            role = aws_side.Role(resources.ensure_function_role(self.cloud, self.cloud.stage.endpoint))
            self._answer_of_endpoint()
            for name, value in role.env.items():
                patch.setenv(name, value)
            patch.delenv("VERDICT_LOCAL", raising=False)  # a local server in this process sets it
            patch.setattr(boto3, "DEFAULT_SESSION", None)  # it has the owner's keys
            for client in (app_endpoint._client, feedback_store._client):
                client.cache_clear()
            try:
                self._visit(InProcess())
            finally:
                for client in (app_endpoint._client, feedback_store._client):
                    client.cache_clear()
        # The Lambda service writes what the function prints. Plain `chalice deploy` makes no group before.
        aws_side.write_log(role, self.cloud.stage.function_log, "2026/11/29/[1]0a", ["{}"])

    def _visit(self, api: InProcess) -> None:
        kind = {"Content-Type": "application/json"}
        answer = api.send("POST", "/v1/sentiment", json.dumps({"review": REVIEW}).encode(), kind)
        assert answer.status == 200, answer.body
        said = {"review": REVIEW, "label": "positive", "model": answer.json()["model"]["id"]}
        kept = api.send("POST", "/v1/feedback", json.dumps(said).encode(), kind)
        assert kept.status == 201, kept.body
        gone = api.send("DELETE", f"/v1/feedback/{kept.json()['id']}")
        assert gone.status == 200, gone.body

    def _answer_of_endpoint(self) -> None:
        """Set the answer of moto's endpoint to what ours would answer REVIEW."""
        loaded = inference.model_fn(inference.MODEL_FOLDER)
        encoded = loaded.vocabulary.encode(REVIEW)
        body = messages.build_endpoint_request([encoded], loaded.vocabulary, "sentences")
        answer, _ = inference.output_fn(
            inference.predict_fn(inference.input_fn(body, messages.JSON), loaded), messages.JSON
        )
        text = answer.decode() if isinstance(answer, bytes) else answer
        results = [{"Body": text, "ContentType": messages.JSON}] * 2
        stage_ = self.cloud.stage
        request = urllib.request.Request(
            f"{self.server.url}/moto-api/static/sagemaker/endpoint-results",
            json.dumps({"account_id": stage_.account, "region": stage_.region, "results": results}).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).read()

    def model(self) -> None:
        """Write the log of the function that holds the model; a deploy makes the group."""
        stage_ = self.cloud.stage
        role = aws_side.Role(resources.ensure_model_role(self.cloud))
        hosting.ensure_log(self.cloud, stage_.model_log)
        aws_side.write_stream(role, stage_.model_log, "2026/11/29/[1]0a", ["{}"])

    def batch(self) -> None:
        """Judge a file by Batch Transform."""
        server = TransformServer(self.server.url, hooks(), self.server.env)
        source = self.folder / "reviews.csv"
        source.write_text(f'review\n"{REVIEW}"\n', encoding="utf-8")
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", server.url)
                patch.setattr(batch_transform, "FIRST_PAUSE_SECONDS", 0.05)
                batch.main([str(source), "--out", str(self.folder / "verdicts.csv")])
        finally:
            server.stop()
        # The other images, for a stage with one of them.
        role, region = aws_side.Role(self.cloud.stage.role_arn), self.cloud.stage.region
        for image in images.SERVING:
            aws_side.pull(role, images.uri(image, region))

    def training(self) -> None:
        """Start a training, which loses its machine once and goes on from its checkpoints."""
        archive = self.folder / train.ARCHIVE
        archive.write_bytes(b"reviews")
        options = train.parse(["--", "--dry-run"])
        job = train.start(self.cloud, train.plan_of(options, self.cloud.stage.region), archive)
        for start in ("first", "second"):
            self._run_job(job, start)

    def adaptation(self) -> None:
        """Adapt to a file in its owner's bucket, which the owner's own key encrypts."""
        s3, stage_ = self.cloud.client("s3"), self.cloud.stage
        key = f"arn:aws:kms:{stage_.region}:{stage_.account}:key/{KEY}"
        s3.create_bucket(Bucket=SHOP, CreateBucketConfiguration={"LocationConstraint": stage_.region})
        s3.put_object(
            Bucket=SHOP, Key="labels/my.csv", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
        )
        options = adapt.parse([f"s3://{SHOP}/labels/my.csv", "--yes"])
        reviews = reviews_s3.find(self.cloud, options.file)
        assert reviews.kms_key == key
        job = adapt.start(self.cloud, adapt.plan_of(options, stage_.region), options, reviews)
        self._run_job(job, "adaptation")

    def _run_job(self, job: str, name: str) -> None:
        """Run a job as SageMaker does, with a container that only leaves its files."""

        def leave_files(command: Any, folder: Path, hosts: Any, *_: Any) -> training_job.Ended:
            for path in ("model/network.json", "checkpoints/checkpoint.pt"):
                (folder / hosts[0] / "ml" / path).write_text("{}")
            return training_job.Ended(0, ["epoch 1"] * len(hosts), "")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training_job, "run", leave_files)
            done = training_job.execute(self.cloud.session, job, self.folder / name)
        assert done.status == 0

    def notebook(self) -> None:
        """Start a notebook instance: it gets the project, and stops itself when idle."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.addfile(tarfile.TarInfo("README.md"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(notebook_instance, "bundle", lambda say: packed.getvalue())
            patch.setattr(notebook_instance, "POLL_SECONDS", 0.05)
            notebook_instance.ensure(self.cloud, notebook_instance.parse([]), stage.quiet)
        role = aws_side.Role(self.cloud.stage.role_arn)
        url, digest = notebook_instance.put_bundle(self.cloud, packed.getvalue())
        scripts = notebook_instance.scripts(self.cloud, url, digest, 60)
        fakes = self.folder / "bin"
        fakes.mkdir()
        for name, text in (("aws", AWS_COMMAND), ("sudo", '#!/bin/bash\nshift 2; exec "$@"\n')):
            (fakes / name).write_text(text)
            (fakes / name).chmod(0o755)
        env = os.environ | role.env | {"PATH": f"{fakes}:{os.environ['PATH']}"}
        env["VERDICT_VOLUME"] = str(self.folder / "volume")
        _succeed(["bash", "-c", scripts["OnCreate"]], env)
        state = self.folder / "state"
        state.write_text("0.0")
        watch = [sys.executable, str(notebook_instance.SCRIPTS / "stop_when_idle.py"), "--minutes", "60"]
        watch += ["--instance", self.cloud.stage.notebook, "--region", self.cloud.stage.region]
        _succeed([*watch, "--state", str(state), "--jupyter", "http://127.0.0.1:9"], env)
        # The notebook service writes what the scripts print.
        log, stream = "/aws/sagemaker/NotebookInstances", f"{self.cloud.stage.notebook}/OnCreate"
        aws_side.write_job_log(role, log, stream, ["verdict: the project is there"])

    def rows(self) -> list[Row]:
        """Return each role with its rights and those that were used so far."""
        asked = [request for request, _ in self.server.rights_asked_for()]
        return [self._row(name, role, asked) for name, role in self.names.items()]

    def _row(self, name: str, role: str, asked: list[Request]) -> Row:
        own, policy = [request for request in asked if request.caller == role], self.policy(role)
        return Row(name, iam.rights(policy), iam.used(policy, own))

    def policy(self, role: str) -> dict[str, Any]:
        """Return all policies of a role as one."""
        client = self.cloud.client("iam")
        documents = [
            client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in client.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        return {"Statement": [part for document in documents for part in document["Statement"]]}

    def works(self) -> list[Callable[[], None]]:
        """Return everything that works by a role, in an order that works."""
        hosts = [self.endpoint, self.function, self.model]
        return [*hosts, self.batch, self.training, self.adaptation, self.notebook]


def _succeed(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def open_account(server: AwsServer, folder: Path, patch: pytest.MonkeyPatch) -> Account:
    """Empty the account, lead this process to it alone, and return its stage dev."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in server.env.items():
        patch.setenv(name, value)
    server.reset()
    stage.hurry(patch, folder)
    return Account(clouds.open_stage("dev"), folder, server, patch)


def summary(rows: list[Row]) -> list[dict[str, Any]]:
    """Return each role's number of rights, and of those that were used."""
    return [{"role": row.role, "rights": len(row.rights), "used": len(row.used)} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description="Count each role's rights and those that it uses.")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} for the docs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        server = AwsServer(Path(folder) / "aws.log")
        try:
            account = open_account(server, Path(folder), patch)
            for work in account.works():
                work()
            rows = account.rows()
        finally:
            server.stop()
    for row in rows:
        print(f"{row.role:12}{len(row.rights):4} rights,{len(row.used):4} used")
        for right in row.unused():
            print(f"            not used: {right.action} on {right.resource}")
    if options.write:
        write_atomic(RESULTS, (json.dumps(summary(rows), indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
