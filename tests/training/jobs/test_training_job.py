"""Watch a job, report its failure, and refuse a network that is not whole."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from safetensors.numpy import save

from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from training.aws.cloud import Cloud, CloudError, Stage
from training.jobs import training_job
from vocab import vocabulary
from vocab.files import sha256

STAGE = Stage("dev", ACCOUNT, REGION)
NAME = "verdict-dev-train-20260102030405"


# --- a network that comes home --------------------------------------------------------------------


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The files of a whole network, 2 wide."""
    words = vocabulary.load()
    size = {"vocabulary": words.size, "embedding": 2, "hidden": 2}
    card = {"size": size, "vocabulary": words.fingerprint, "options": {"dry_run": False}}
    table = np.zeros((words.size, 2), np.float32)
    return {
        "network.safetensors": save({"embedding.weight": table, "head.bias": np.zeros(1, np.float32)}),
        "network.json": json.dumps(card).encode(),
    }


def packed(files: dict[str, bytes]) -> bytes:
    """Pack files as SageMaker packs a model folder."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def changed(files: dict[str, bytes], **card: Any) -> dict[str, bytes]:
    return files | {"network.json": json.dumps(json.loads(files["network.json"]) | card).encode()}


def test_a_whole_network_is_read_and_what_lies_beside_it_is_not(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(packed(files | {"checkpoint.pt": b"x", "../escape": b"x"}))
    assert training_job.unpack(path) == files
    assert training_job.check(files)["options"] == {"dry_run": False}


def test_half_an_archive_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    data = packed(files)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CloudError, match="model.tar.gz is no usable archive"):
        training_job.unpack(path)


def test_an_archive_without_a_network_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(packed({"network.json": files["network.json"]}))
    with pytest.raises(CloudError, match="model.tar.gz holds no network.safetensors"):
        training_job.unpack(path)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda files: files | {"network.json": b"{"}, "is corrupt"),
        (lambda files: files | {"network.json": b"[]"}, "is corrupt"),
        (lambda files: files | {"network.safetensors": files["network.safetensors"][:-4]}, "is corrupt"),
        (lambda files: files | {"network.safetensors": save({"x": np.zeros(1)})}, "is corrupt"),
        (lambda files: changed(files, vocabulary="0" * 16), "trained with vocabulary 0000000000000000"),
        (lambda files: changed(files, size={"vocabulary": 9, "embedding": 2}), "its card says"),
        (
            lambda files: (
                files
                | {
                    "network.safetensors": save(
                        {"embedding.weight": np.full((vocabulary.load().size, 2), np.nan, np.float32)}
                    )
                }
            ),
            "weights that are not finite numbers",
        ),
    ],
)
def test_a_network_that_is_not_whole_or_not_ours_is_refused(
    files: dict[str, bytes], spoil: Callable[[dict[str, bytes]], dict[str, bytes]], sentence: str
) -> None:
    with pytest.raises(CloudError, match=sentence):
        training_job.check(spoil(files))


# --- how a job ends -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (
            {"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError:\nno space"},
            f"{NAME} failed: AlgorithmError: no space; its log is in /aws/sagemaker/TrainingJobs",
        ),
        ({"TrainingJobStatus": "Failed"}, "AWS gave no reason"),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"},
            f"{NAME} ran out of time; give it a larger --max-run; resume it with --continue {NAME}",
        ),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxWaitTimeExceeded"},
            "waited too long for spot capacity; try --on-demand",
        ),
        ({"TrainingJobStatus": "Stopped", "SecondaryStatus": "Stopped"}, f"{NAME} was stopped"),
    ],
)
def test_a_job_that_brings_no_network_says_why_and_what_to_do(end: dict[str, str], sentence: str) -> None:
    with pytest.raises(CloudError) as error:
        training_job._check_end(NAME, end, f"; resume it with --continue {NAME}")
    assert sentence in str(error.value)


class FakeSageMaker:
    """Describes a job that goes through states, one a question."""

    def __init__(self, states: list[tuple[str, str]]) -> None:
        self.states = states

    def describe_training_job(self, TrainingJobName: str) -> dict[str, str]:
        status, secondary = self.states.pop(0)
        return {"TrainingJobName": TrainingJobName, "TrainingJobStatus": status, "SecondaryStatus": secondary}


class FakeLogs:
    """A log of one stream with one more line at each call, as CloudWatch pages it."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.calls = lines, 0

    def get_paginator(self, name: str) -> "FakeLogs":
        assert name == "describe_log_streams"
        return self

    def paginate(self, **query: str) -> list[dict[str, Any]]:
        assert query == {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": f"{NAME}/"}
        return [{"logStreams": [{"logStreamName": f"{NAME}/algo-1"}]}]

    def get_log_events(self, nextToken: str = "0", **query: Any) -> dict[str, Any]:
        at = int(nextToken)
        there = self.lines[at : at + 1] if self.calls % 2 == 0 else []
        self.calls += 1
        return {"events": [{"message": line} for line in there], "nextForwardToken": str(at + len(there))}


class FakeCloud:
    stage = STAGE

    def __init__(self, **clients: Any) -> None:
        self.clients = clients

    def client(self, service: str) -> Any:
        return self.clients[service]


def test_each_state_and_each_line_of_the_log_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_job, "POLL_SECONDS", 0)
    states = [
        ("InProgress", "Starting"),
        ("InProgress", "Starting"),
        ("InProgress", "Interrupted"),
        ("Completed", "Completed"),
    ]
    cloud = FakeCloud(sagemaker=FakeSageMaker(states), logs=FakeLogs(["one", "two", "three"]))
    lines: list[str] = []
    done = training_job.follow(cloud, NAME, lines.append)
    assert done["TrainingJobStatus"] == "Completed"
    assert [line for line in lines if not line.startswith("train-aws:")] == ["one", "two", "three"]
    assert [line for line in lines if line.startswith("train-aws:")] == [
        f"train-aws: {NAME} is Starting",
        f"train-aws: {NAME} was interrupted: its spot capacity was taken away; SageMaker starts it again",
        f"train-aws: {NAME} is Completed",
    ]


def test_the_bill_of_an_interrupted_job_is_said() -> None:
    assert (
        training_job.cost_of({"BillableTimeInSeconds": 7, "TrainingTimeInSeconds": 9})
        == "billed for 7 of 9 s"
    )
    assert training_job.cost_of({}) == ""


# --- on a simulated AWS ---------------------------------------------------------------------------


@pytest.fixture
def cloud(aws: AwsServer) -> Cloud:
    return Cloud(STAGE, boto3.session.Session())


def make_job(cloud: Cloud) -> str:
    """Record a job by hand; return its ARN."""
    bucket = STAGE.bucket
    cloud.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return cloud.client("sagemaker").create_training_job(
        TrainingJobName=NAME,
        AlgorithmSpecification={"TrainingImage": "x", "TrainingInputMode": "File"},
        RoleArn=STAGE.role_arn,
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/training"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        CheckpointConfig={"S3Uri": f"s3://{bucket}/training/{NAME}/checkpoints"},
    )["TrainingJobArn"]


def end(cloud: Cloud, arn: str, how: str) -> None:
    cloud.client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": "simulated:end", "Value": how}])


def test_a_running_job_can_be_stopped_once_and_then_gives_its_checkpoints(cloud: Cloud) -> None:
    make_job(cloud)
    with pytest.raises(CloudError, match="still runs, and two jobs can't share checkpoints"):
        training_job.checkpoints_of(cloud, NAME)
    training_job.stop(cloud, NAME)
    with pytest.raises(CloudError, match=r"has ended already \(Stopped\)"):
        training_job.stop(cloud, NAME)
    assert training_job.checkpoints_of(cloud, NAME) == f"s3://{STAGE.bucket}/training/{NAME}/checkpoints"


def test_a_failed_jobs_reason_reaches_the_user(cloud: Cloud) -> None:
    end(cloud, make_job(cloud), "Failed: AlgorithmError: no such archive")
    with pytest.raises(CloudError, match="failed: AlgorithmError: no such archive"):
        training_job.follow(cloud, NAME, lambda line: None)


def test_a_network_that_is_refused_leaves_the_old_one(
    cloud: Cloud, files: dict[str, bytes], tmp_path: Path
) -> None:
    end(cloud, make_job(cloud), "Completed")
    job = training_job.describe(cloud, NAME)
    with pytest.raises(CloudError, match="the job left no s3://"):
        training_job.download_network(cloud, job, tmp_path / "network")
    where = {"Bucket": STAGE.bucket, "Key": f"training/{NAME}/output/model.tar.gz"}
    data = packed(files)
    cloud.client("s3").put_object(**where, Body=data)
    network = training_job.download_network(cloud, job, tmp_path / "network")
    assert network.network_sha256 == sha256(files["network.safetensors"])
    assert network.archive_sha256 == sha256(data)
    cloud.client("s3").put_object(**where, Body=packed(changed(files, vocabulary="0" * 16)))
    with pytest.raises(CloudError, match="trained with vocabulary"):
        training_job.download_network(cloud, job, tmp_path / "network")
    assert {path.name: path.read_bytes() for path in (tmp_path / "network").iterdir()} == files
