"""Batch Transform on loopback, in front of moto: moto only records jobs, and this server runs them.

    python -m tests.support.transform AWS_URL [CONTAINER_URL]

It prints its own URL, for AWS_ENDPOINT_URL_SAGEMAKER. Without a container, the endpoint's hooks answer.
"""

import json
import os
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from tests.support import aws_side
from training.endpoint import inference
from training.files import processes

ANSWER_SECONDS = 120
MEGABYTE = 2**20

Answer = Callable[[bytes], bytes]


def hooks() -> Answer:
    """Return a container in this process: the endpoint's hooks with the published model."""
    model = inference.model_fn(inference.MODEL_FOLDER)
    return lambda body: processes.predict_lines(model, body)


def container(url: str) -> Answer:
    """Return a container that listens at a URL."""

    def answer(body: bytes) -> bytes:
        headers = {"Content-Type": "application/jsonlines", "Accept": "application/jsonlines"}
        request = urllib.request.Request(f"{url.rstrip('/')}/invocations", body, headers)
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
            return bytes(response.read())

    return answer


def execute(job: dict[str, Any], model: dict[str, Any], role: aws_side.Role, answer: Answer) -> None:
    """Run a job by its description and its model's, by the model's role.

    It reads the package and the job's files, sends these to the container, and writes the answers and a log.
    """
    container = model["PrimaryContainer"]
    log, stream = "/aws/sagemaker/TransformJobs", f"{job['TransformJobName']}/i-0"
    s3 = role.client("s3")
    if url := container.get("ModelDataUrl"):
        with tempfile.TemporaryDirectory() as folder:
            assert aws_side.fetch(s3, url, Path(folder)), f"{url} is empty"
    source, output = job["TransformInput"], job["TransformOutput"]
    strategy = (job["BatchStrategy"], source["SplitType"], output["AssembleWith"])
    assert strategy == ("MultiRecord", "Line", "Line"), strategy
    bucket, prefix = _place(source["DataSource"]["S3DataSource"]["S3Uri"])
    out_bucket, out_prefix = _place(output["S3OutputPath"])
    for key in _keys(s3, bucket, prefix):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        answers = [answer(records) for records in batches(body, job["MaxPayloadInMB"] * MEGABYTE)]
        name = f"{out_prefix.rstrip('/')}/{key.removeprefix(prefix).lstrip('/')}.out"
        s3.put_object(Bucket=out_bucket, Key=name, Body=b"".join(line + b"\n" for line in answers))
    aws_side.record_container(role, container["Image"], log, stream, ["the model answers"])


def batches(body: bytes, most: int) -> Iterator[bytes]:
    """Yield requests of as many lines as fit, as SageMaker does; a larger line fails."""
    lines: list[bytes] = []
    size = 0
    for line in body.splitlines(keepends=True):
        if len(line) > most:
            raise ValueError(f"a record of {len(line):,} bytes is larger than MaxPayloadInMB")
        if lines and size + len(line) > most:
            yield b"".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield b"".join(lines)


class TransformServer(ThreadingHTTPServer):
    """A proxy of SageMaker: it forwards everything to ``aws_url``, and runs transform jobs in the background.

    A job stays InProgress until ``allowed`` is set. ``requests`` holds the bodies of CreateTransformJob.
    """

    daemon_threads = True

    def __init__(self, aws_url: str, answer: Answer, env: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.aws_url, self.answer = aws_url, answer
        self.allowed = threading.Event()
        self.allowed.set()
        self.requests: list[dict[str, Any]] = []
        self.states: dict[str, tuple[str, str]] = {}
        self.url = f"http://127.0.0.1:{self.server_port}"
        session = boto3.session.Session(
            env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name=env["AWS_REGION"]
        )
        self.sagemaker = session.client("sagemaker", endpoint_url=aws_url)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def begin(self, request: dict[str, Any]) -> None:
        """Start a job that moto recorded."""
        self.requests.append(request)
        self.states[request["TransformJobName"]] = ("InProgress", "")
        threading.Thread(target=self._run, args=(request["TransformJobName"],), daemon=True).start()

    def _run(self, name: str) -> None:
        self.allowed.wait(ANSWER_SECONDS)
        job = self.sagemaker.describe_transform_job(TransformJobName=name)
        try:
            model = self.sagemaker.describe_model(ModelName=job["ModelName"])
            execute(job, model, aws_side.Role(model["ExecutionRoleArn"], self.aws_url), self.answer)
            self.states[name] = ("Completed", "")
        except Exception as error:
            self.states[name] = ("Failed", f"ClientError: {type(error).__name__}: {error}")

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.sagemaker.close()


class _Handler(BaseHTTPRequestHandler):
    server: TransformServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        action = self.headers.get("X-Amz-Target", "").split(".")[-1]
        status, answer, kind = self._forward(body)
        if status == 200 and action == "CreateTransformJob":
            self.server.begin(json.loads(body))
        if status == 200 and action == "DescribeTransformJob":
            job = json.loads(answer)
            state, reason = self.server.states.get(job["TransformJobName"], (job["TransformJobStatus"], ""))
            answer = json.dumps(job | {"TransformJobStatus": state, "FailureReason": reason}).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _forward(self, body: bytes) -> tuple[int, bytes, str]:
        headers = {
            key: value for key, value in self.headers.items() if key.lower() not in ("host", "connection")
        }
        request = urllib.request.Request(self.server.aws_url + self.path, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
                return response.status, response.read(), response.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), error.headers["Content-Type"] or "application/json"

    def log_message(self, format: str, *args: object) -> None:
        pass


def _place(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def _keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


def main() -> None:
    aws_url, *containers = sys.argv[1:]
    answer = container(containers[0]) if containers else hooks()
    server = TransformServer(aws_url, answer, dict(os.environ))
    print(server.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
