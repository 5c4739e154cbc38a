"""A batch on SageMaker: its requests, one job despite interruptions, and nothing left in S3."""

import contextlib
import json
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import transform
from tests.support.aws_server import AwsServer
from tests.support.transform import TransformServer
from tests.training.jobs.test_batch import ROOT, WAIT_SECONDS, classify, reviews, save
from training.aws import cloud as clouds
from training.aws import resources
from training.aws.cloud import Cloud
from training.files import parts
from training.files.rows import Part
from training.jobs import batch, batch_plan, batch_transform

MODEL = "verdict-dev-model"


# --- plans --------------------------------------------------------------------------------------


def test_a_request_fits_into_what_the_endpoint_reads_and_what_sagemaker_takes() -> None:
    from vocab import messages

    assert batch_transform.MAX_PAYLOAD_MB * 2**20 <= messages.MAX_ENDPOINT_BYTES
    assert batch_transform.MAX_PAYLOAD_MB >= 1


@pytest.mark.parametrize("count", [1, 7, 8, 100, 1001])
def test_files_hold_each_line_once_in_order(count: int, tmp_path: Path) -> None:
    source = batch.open_source(save(tmp_path / "a.csv", reviews(count)), "csv")
    files = list(batch_transform.files_of(source, batch_plan.file_bytes(batch.count(source, sized=True), 2)))
    lines = [json.loads(line) for data in files for line in data.splitlines()]
    assert [line["id"] for line in lines] == list(range(count))
    assert [line["review"] for line in lines] == reviews(count)
    assert all(data.endswith(b"\n") for data in files)
    assert min(count, 5) <= len(files) <= 8


def test_a_simulated_transform_puts_as_many_lines_into_a_request_as_fit() -> None:
    assert list(transform.batches(b"aa\nbb\ncccc\nd", 6)) == [b"aa\nbb\n", b"cccc\nd"]
    assert list(transform.batches(b"aaa\nbbb\n", 4)) == [b"aaa\n", b"bbb\n"]
    with pytest.raises(ValueError, match="larger than MaxPayloadInMB"):
        list(transform.batches(b"aaaaa\n", 4))


# --- a simulated account ------------------------------------------------------------------------


@pytest.fixture
def cloud(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A stage with its bucket, its role and a model."""
    monkeypatch.setattr(resources, "ROLE_SECONDS", 0)
    opened = clouds.open_stage("dev")
    place = {"LocationConstraint": opened.stage.region}
    opened.client("s3").create_bucket(Bucket=opened.stage.bucket, CreateBucketConfiguration=place)
    resources.ensure_role(opened)
    add_model(opened, MODEL)
    yield opened


def add_model(cloud: Cloud, name: str, tags: dict[str, str] | None = None) -> None:
    cloud.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=cloud.stage.role_arn,
        PrimaryContainer={"Image": "image"},
        Tags=clouds.tag_list(cloud.stage.tags if tags is None else tags),
    )


@pytest.fixture
def jobs(aws: AwsServer, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[TransformServer]:
    """SageMaker's address, where transform jobs are done."""
    server = TransformServer(aws.url, transform.hooks(), aws.env)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", server.url)
    monkeypatch.setattr(batch_transform, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(batch_transform, "LONGEST_PAUSE_SECONDS", 0.2)
    yield server
    server.stop()


def send(path: Path, out: Path, *flags: str) -> bytes:
    batch.main([str(path), "--out", str(out), "--force", *flags])
    return out.read_bytes()


def refused(path: Path, out: Path, *flags: str) -> str:
    with pytest.raises(SystemExit) as ended:
        send(path, out, *flags)
    return str(ended.value)


def keys(cloud: Cloud) -> list[str]:
    listed = cloud.client("s3").list_objects_v2(Bucket=cloud.stage.bucket)
    return [one["Key"] for one in listed.get("Contents", ())]


def until(true: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


HOSTILE = [*reviews(40), "", "<br>", "é\u2028\U0001f600 wonderful", "x" * 50_001, '"quoted",\r\nline', "=1+1"]


# --- a whole batch ------------------------------------------------------------------------------


@pytest.mark.parametrize("aspects", [(), ("--aspects", "film")])
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_transform_writes_the_same_bytes_as_this_machine(
    suffix: str, aspects: tuple[str, ...], tmp_path: Path, jobs: TransformServer, cloud: Cloud
) -> None:
    path = save(tmp_path / "a.csv", HOSTILE)
    sent = send(path, tmp_path / f"sent.{suffix}", *aspects)
    assert sent == classify(path, tmp_path / f"here.{suffix}", *aspects)
    assert (b"aspect" in sent) == bool(aspects)
    assert keys(cloud) == []
    assert not parts.folder_of(tmp_path / f"sent.{suffix}").exists()
    assert len(jobs.requests) == 1


def test_the_job_says_how_lines_are_sent_and_joined(
    tmp_path: Path, jobs: TransformServer, cloud: Cloud
) -> None:
    jobs.allowed.clear()
    path = save(tmp_path / "a.csv", reviews(50))
    running = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "training.jobs.batch",
            str(path),
            *("--out", str(tmp_path / "out.csv"), "--instances", "2", "--instance-type", "ml.m5.24xlarge"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: jobs.requests)
    (request,) = jobs.requests
    name = request["TransformJobName"]
    sent = cloud.client("s3").head_object(Bucket=cloud.stage.bucket, Key=f"batch/{name}/in/part-00000.jsonl")
    files = keys(cloud)
    jobs.allowed.set()
    _, error = running.communicate(timeout=WAIT_SECONDS)
    assert (running.returncode, error) == (0, "")
    assert name.startswith("verdict-dev-batch-") and len(name) == len("verdict-dev-batch-20260101000000")
    place = f"s3://{cloud.stage.bucket}/batch/{name}"
    assert request == {
        "TransformJobName": name,
        "ModelName": MODEL,
        "MaxConcurrentTransforms": 33,
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 600, "InvocationsMaxRetries": 3},
        "MaxPayloadInMB": 3,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{place}/in/"}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"{place}/out",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.24xlarge", "InstanceCount": 2},
        "Tags": clouds.tag_list(cloud.stage.tags),
    }
    assert sent["ServerSideEncryption"] == "AES256"
    assert files == [f"batch/{name}/in/part-{number:05d}.jsonl" for number in range(8)]


def test_the_newest_model_of_the_stage_is_taken_and_no_other_s(cloud: Cloud) -> None:
    assert batch_transform.newest_model(cloud) == MODEL
    add_model(cloud, "verdict-dev-newer")
    add_model(cloud, "verdict-dev-two-model", {"verdict:project": "verdict", "verdict:stage": "dev-two"})
    add_model(cloud, "verdict-development", dict(cloud.stage.tags))
    add_model(cloud, "verdict-dev-untagged", {})
    assert batch_transform.newest_model(cloud) == "verdict-dev-newer"


def test_a_model_can_be_named(tmp_path: Path, jobs: TransformServer, cloud: Cloud) -> None:
    add_model(cloud, "mine")
    send(save(tmp_path / "a.csv", reviews(2)), tmp_path / "out.csv", "--model-name", "mine")
    assert jobs.requests[0]["ModelName"] == "mine"


def test_rows_that_can_t_be_sent_alone_need_no_job(tmp_path: Path, jobs: TransformServer) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"review": 5}\n', encoding="utf-8")
    assert json.loads(send(path, tmp_path / "out.jsonl"))["error"] == "wrong_type"
    assert jobs.requests == []


# --- stopped on the way -------------------------------------------------------------------------


def test_kill_9_while_waiting_and_the_next_run_waits_for_the_same_job(
    tmp_path: Path, jobs: TransformServer, cloud: Cloud
) -> None:
    jobs.allowed.clear()
    path, out = save(tmp_path / "a.csv", HOSTILE), tmp_path / "out.csv"
    running = subprocess.Popen(
        [sys.executable, "-m", "training.jobs.batch", str(path), "--out", str(out)], cwd=ROOT
    )
    until(lambda: jobs.requests)
    running.kill()
    running.wait(WAIT_SECONDS)
    # A newer model does not change a job that has started.
    add_model(cloud, "verdict-dev-newer")
    jobs.allowed.set()
    assert send(path, out) == classify(path, tmp_path / "here.csv")
    assert [request["ModelName"] for request in jobs.requests] == [MODEL]
    assert keys(cloud) == []


@pytest.mark.parametrize("step", ["is_there", "_create", "answers", "clean", "wait"])
def test_stopped_at_any_step_the_next_run_ends_with_one_job_and_nothing_left(
    step: str, tmp_path: Path, jobs: TransformServer, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(20)), tmp_path / "out.csv"
    calls = iter(range(100))

    def stop(*given: Any) -> Any:
        # The second file of an upload, and the first call of all else.
        if step == "is_there" and next(calls) == 0:
            return False
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(batch_transform, step, stop)
        assert refused(path, out).startswith(
            "python -m training.jobs.batch: interrupted; run the same command again to go on ("
        )
    assert out.exists() == (step == "clean")
    assert parts.folder_of(out).exists()
    # A started job keeps its machines. One that does not exist is planned anew, with other files.
    assert send(path, out, "--instances", "3") == classify(path, tmp_path / "here.csv")
    assert len(jobs.requests) == 1
    started = step not in ("is_there", "_create")
    assert jobs.requests[0]["TransformResources"]["InstanceCount"] == (1 if started else 3)
    assert keys(cloud) == []
    assert not parts.folder_of(out).exists()


def test_another_input_does_not_take_a_running_job_s_place(
    tmp_path: Path, jobs: TransformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(3)), tmp_path / "out.csv"
    with monkeypatch.context() as patched:
        patched.setattr(batch_transform, "wait", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        refused(path, out)
    save(path, reviews(4))
    assert "belongs to another batch, transform job verdict-dev-batch-" in refused(path, out)
    assert len(jobs.requests) == 1


# --- failures -----------------------------------------------------------------------------------


def test_a_job_that_fails_is_told_with_its_log_and_forgotten(
    tmp_path: Path, jobs: TransformServer, cloud: Cloud
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(3)), tmp_path / "out.csv"
    logs, answer = cloud.client("logs"), jobs.answer

    def fail(body: bytes) -> bytes:
        stream = f"{jobs.requests[-1]['TransformJobName']}/i-0123"
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=batch_transform.LOG_GROUP)
        for name in (f"{stream}/data-log", stream):
            logs.create_log_stream(logGroupName=batch_transform.LOG_GROUP, logStreamName=name)
        events = [{"timestamp": int(time.time() * 1000), "message": "No module named 'onnxruntime'\n"}]
        logs.put_log_events(logGroupName=batch_transform.LOG_GROUP, logStreamName=stream, logEvents=events)
        raise ValueError("the container answers nothing")

    jobs.answer = fail
    output = refused(path, out)
    name = jobs.requests[0]["TransformJobName"]
    assert output == (
        f"python -m training.jobs.batch: transform job {name} ended as Failed (ClientError: ValueError:"
        " the container answers nothing); fix that and run it again\n  | No module named 'onnxruntime'"
    )
    assert keys(cloud) == []
    jobs.answer = answer
    # A job's name has its second in it.
    until(lambda: f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}" not in name)
    assert send(path, out) == classify(path, tmp_path / "here.csv")
    assert len({request["TransformJobName"] for request in jobs.requests}) == 2


def test_a_job_that_aws_refuses_leaves_no_review_and_another_type_counts_next_time(
    tmp_path: Path, jobs: TransformServer, cloud: Cloud, aws: AwsServer
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(3)), tmp_path / "out.csv"
    limit = "The account-level service limit 'ml.c5.xlarge for transform job usage' is 0 Instances"
    rule = {"service": "sagemaker", "operation": "CreateTransformJob", "code": "ResourceLimitExceeded"}
    aws.fail(rule | {"message": limit})
    assert limit in refused(path, out)
    assert keys(cloud) == []
    aws.fail()
    send(path, out, "--instance-type", "ml.m5.xlarge")
    assert jobs.requests[0]["TransformResources"]["InstanceType"] == "ml.m5.xlarge"


def test_a_row_that_does_not_come_back_is_one_sentence(tmp_path: Path, jobs: TransformServer) -> None:
    answer = jobs.answer
    jobs.answer = lambda body: answer(body).split(b"\n", 1)[-1]
    output = refused(save(tmp_path / "a.csv", reviews(9)), tmp_path / "out.csv")
    assert output.startswith("python -m training.jobs.batch: row 1 has no answer; ")
    assert "(transform job verdict-dev-batch-" in output and "to start another)" in output
    assert not (tmp_path / "out.csv").exists()


def test_an_answer_file_that_is_missing_is_one_sentence(
    tmp_path: Path, jobs: TransformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transform, "execute", lambda *_: None)
    output = refused(save(tmp_path / "a.csv", reviews(1)), tmp_path / "out.csv")
    assert " left no s3://verdict-dev-" in output and output.endswith(
        "see its log in /aws/sagemaker/TransformJobs"
    )


def test_waiting_ends_and_the_next_run_goes_on(
    tmp_path: Path, jobs: TransformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.allowed.clear()
    path, out = save(tmp_path / "a.csv", reviews(3)), tmp_path / "out.csv"
    with monkeypatch.context() as patched:
        patched.setattr(batch_transform.time, "monotonic", iter(range(0, 10**6, 61)).__next__)
        output = refused(path, out, "--timeout-minutes", "1")
    assert " is still InProgress after 1 minutes; run the same command again to wait longer" in output
    jobs.allowed.set()
    send(path, out)
    assert len(jobs.requests) == 1


def test_a_stage_without_model_or_bucket_is_one_sentence(tmp_path: Path, aws: AwsServer) -> None:
    path = save(tmp_path / "a.csv", reviews(1))
    output = refused(path, tmp_path / "out.csv")
    assert output.startswith(
        "python -m training.jobs.batch: stage dev has no bucket in eu-west-1; run `make deploy` first"
    )
    opened = clouds.open_stage("dev")
    place = {"LocationConstraint": opened.stage.region}
    opened.client("s3").create_bucket(Bucket=opened.stage.bucket, CreateBucketConfiguration=place)
    output = refused(path, tmp_path / "out.csv")
    said = "python -m training.jobs.batch: stage dev has no model on SageMaker"
    assert output.startswith(f"{said} in eu-west-1; run `make deploy` first")


def test_without_a_region_the_way_without_aws_is_named(
    tmp_path: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    output = refused(save(tmp_path / "a.csv", reviews(1)), tmp_path / "out.csv")
    here = "or judge the file here: --local"
    assert f"no AWS region is set; set one with --region or AWS_REGION; {here}" in output


def test_a_kept_part_is_not_taken_for_a_job(tmp_path: Path) -> None:
    with parts.open_folder(tmp_path / "out.csv", "0" * 16) as kept:
        kept.save(Part(0, array("Q", [0]), [""]), b'{"id":0,"error":{"code":"no_token","detail":"d"}}')
        assert kept.read_job() is None
