"""Run a batch on SageMaker Batch Transform: upload JSON lines to S3, start the job, read its answers.

The job's name is saved before anything is sent, so an interrupted command finds the same job when it runs
again. The reviews are deleted from S3 once the output is written or the job has failed.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from tqdm import tqdm

from training.aws import deploy, function, hosting, images, inventory, lambda_calls, lambda_host, resources
from training.aws.cloud import (
    Cloud,
    CloudError,
    is_missing,
    once_visible,
    open_stage,
    sentence_of,
    tag_list,
)
from training.aws.resources import HASH, bucket_tags, is_there
from training.files.parts import PartsFolder, key_of, open_folder
from training.files.resumable import Done, Work, finish
from training.files.rows import BatchError, Count, Prediction, Source, parse_predictions, to_line
from training.jobs.batch_plan import MAX_FILE_ROWS, Settings, cores_of, file_bytes
from vocab import messages, typed
from vocab.files import sha256
from vocab.messages import AspectsValue

# A megabyte of SageMaker is 2**20 bytes; the endpoint reads up to messages.MAX_ENDPOINT_BYTES.
MAX_PAYLOAD_MB = messages.MAX_ENDPOINT_BYTES // 2**20
# SageMaker refuses a job whose concurrent requests may be larger than this in all.
MAX_CONCURRENT_MB = 100
ANSWER_SECONDS, RETRIES = 600, 3
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0
LOG_GROUP = "/aws/sagemaker/TransformJobs"


def run(work: Work, counted: Count, options: argparse.Namespace) -> Done:
    """Run a batch by the flags of batch.py: its job, which may run already, and the output.

    Raises BatchError, also for what AWS answers, or OSError.
    """
    try:
        return _run(work, counted, options)
    except (NoRegionError, NoCredentialsError) as error:
        here = f"or judge the file here: {typed.flag('--local')}"
        raise BatchError(f"{sentence_of(error)}; {here}") from error
    except (CloudError, BotoCoreError, ClientError) as error:
        raise BatchError(sentence_of(error)) from error


def _run(work: Work, counted: Count, options: argparse.Namespace) -> Done:
    cloud = open_stage(options.stage, options.region)
    settings = Settings(options.instances, options.instance_type, options.model_name, options.timeout_minutes)
    chosen = (work.source.column, cloud.stage.bucket, settings.model_name or "")
    key = key_of("transform", work.digest, *chosen, aspects=work.aspects)
    with open_folder(work.out, key) as kept:
        if not counted.sent:
            return finish(work, (), kept)
        job = start(cloud, work, counted, kept, settings)
        if "done" not in job or not work.out.exists():
            wait(cloud, job, kept, settings.minutes)
            job["done"] = _fetch(cloud, job, work, kept)
            kept.write_job(job)
        clean(cloud, job)
        return Done(*job["done"])


def _fetch(cloud: Cloud, job: dict[str, Any], work: Work, kept: PartsFolder) -> Done:
    try:
        return finish(work, answers(cloud, job), kept)
    except BatchError as error:
        raise BatchError(
            f"{error} (transform job {job['name']}; delete {kept.folder} to start another)"
        ) from error


# --- plans --------------------------------------------------------------------------------------


def files_of(source: Source, most_bytes: int, aspects: AspectsValue | None = None) -> Iterator[bytes]:
    """Yield the rows as files of JSON lines; a file ends with the line that reaches a limit."""
    data, rows = bytearray(), 0
    for row in source.rows():
        if row.error:
            continue
        data += to_line(row.number, row.review, aspects) + b"\n"
        rows += 1
        if len(data) >= most_bytes or rows == MAX_FILE_ROWS:
            yield bytes(data)
            data, rows = bytearray(), 0
    if data:
        yield bytes(data)


def model_of(cloud: Cloud) -> str:
    """Return the model that the deployed endpoint serves, else the stage's newest, with the role of jobs.

    A model in a function has none on SageMaker, so one is created from it.

    Raises CloudError when the stage has no model.
    """
    sagemaker, endpoint = cloud.client("sagemaker"), function.endpoint_in_use(cloud)
    if endpoint and lambda_calls.is_alias(endpoint):
        return _model_of_function(cloud, endpoint)
    described = hosting.describe(cloud, endpoint) if endpoint else None
    if described:
        config = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
        model = config["ProductionVariants"][0]["ModelName"]
    else:
        model = newest_model(cloud)
    role = resources.ensure_role(cloud)
    address = sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["Image"]
    resources.allow_image(cloud, cloud.stage.role, images.serving(address, cloud.stage.region))
    return hosting.model_for_jobs(cloud, model, role)


def _model_of_function(cloud: Cloud, alias: str) -> str:
    """Create a SageMaker model of the model that a function serves, unless it exists; return its name."""
    with tempfile.TemporaryDirectory() as folder:
        model = lambda_host.model_in_use(cloud, alias, Path(folder))
        # The job runs on an instance, and isolates the container as a real-time endpoint does.
        plan = hosting.Plan(kind="realtime", image=images.SERVING[0])
        url, digest = deploy.put_package(cloud, model, plan, tqdm.write)
    return hosting.ensure_model(cloud, plan, url, digest, resources.ensure_role(cloud))


def newest_model(cloud: Cloud) -> str:
    """Return the name of the stage's newest model. Raises CloudError when it has none."""
    models = list(inventory.models(cloud))
    if not models:
        raise CloudError(
            f"stage {cloud.stage.name} has no model on SageMaker in {cloud.stage.region}; run `make deploy`"
            " first, or give one with --model-name"
        )
    return max(models, key=lambda model: model.made or datetime.min.replace(tzinfo=UTC)).name


# --- the job ------------------------------------------------------------------------------------


def start(cloud: Cloud, work: Work, counted: Count, kept: PartsFolder, settings: Settings) -> dict[str, Any]:
    """Start the transform job, or find the one that an earlier run started; return its description.

    Raises CloudError, BatchError, or what botocore raises.
    """
    job = kept.read_job()
    if job and _exists(cloud, job):
        if job["key"] != kept.key:
            raise BatchError(
                f"{kept.folder} belongs to another batch, transform job {job['name']}; finish that one,"
                " delete the folder, or choose another --out"
            )
        return job
    if bucket_tags(cloud, cloud.stage.bucket) is None:
        raise CloudError(
            f"stage {cloud.stage.name} has no bucket in {cloud.stage.region}; run `make deploy` first"
        )
    job = _plan_anew(cloud, _plan(cloud, counted, kept, settings), job)
    kept.write_job(job)
    job["files"] = _upload(cloud, work, job)
    kept.write_job(job)
    try:
        _create(cloud, job)
    except ClientError:
        if not _exists(cloud, job):  # the reviews wait for no job
            clean(cloud, job)
            kept.job.unlink(missing_ok=True)
            raise
    return job


def _plan_anew(cloud: Cloud, plan: dict[str, Any], earlier: dict[str, Any] | None) -> dict[str, Any]:
    """Return the plan, with the name of an earlier one where its uploaded files fit; else delete those."""
    if earlier is None:
        return plan
    if (earlier["key"], earlier["most_bytes"]) == (plan["key"], plan["most_bytes"]):
        return plan | {"name": earlier["name"]}
    clean(cloud, earlier)
    return plan


def wait(cloud: Cloud, job: dict[str, Any], kept: PartsFolder, minutes: int) -> None:
    """Wait until the job is complete. Raises CloudError when it fails or takes longer than ``minutes``."""
    deadline = time.monotonic() + 60 * minutes
    pause = FIRST_PAUSE_SECONDS
    with tqdm(total=job["files"], desc=job["name"], unit="file", disable=None) as bar:
        while True:
            described = cloud.client("sagemaker").describe_transform_job(TransformJobName=job["name"])
            status = described["TransformJobStatus"]
            bar.update(len(list(_objects(cloud, job, "out/"))) - bar.n)
            if status == "Completed":
                return
            if status in ("Failed", "Stopped"):
                raise _failed(cloud, job, kept, status, described.get("FailureReason") or "no reason given")
            if time.monotonic() > deadline:
                raise CloudError(
                    f"transform job {job['name']} is still {status} after {minutes} minutes; run the same"
                    " command again to wait longer"
                )
            time.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 1.5)


def answers(cloud: Cloud, job: dict[str, Any]) -> Iterator[dict[int, Prediction]]:
    """Yield the answers to each uploaded file, in order. Raises CloudError."""
    for number in range(job["files"]):
        key = f"{_prefix(job)}out/{_name(number)}.out"
        try:
            output = cloud.client("s3").get_object(**_place(cloud), Key=key)
        except ClientError as error:
            if not is_missing(error):
                raise
            raise CloudError(
                f"transform job {job['name']} left no s3://{cloud.stage.bucket}/{key}; see its"
                f" log in {LOG_GROUP}"
            ) from error
        yield parse_predictions(output["Body"].read())


def clean(cloud: Cloud, job: dict[str, Any]) -> None:
    """Delete the job's reviews and answers from S3."""
    keys = list(_objects(cloud, job, ""))
    for first in range(0, len(keys), 1000):
        objects = [{"Key": key} for key in keys[first : first + 1000]]
        cloud.client("s3").delete_objects(**_place(cloud), Delete={"Objects": objects, "Quiet": True})


def _plan(cloud: Cloud, counted: Count, kept: PartsFolder, settings: Settings) -> dict[str, Any]:
    return {
        "name": f"{cloud.stage.prefix}-batch-{datetime.now(UTC):%Y%m%d%H%M%S}",
        "key": kept.key,
        "model": settings.model_name or model_of(cloud),
        "instances": settings.instances,
        "instance_type": settings.instance_type,
        "most_bytes": file_bytes(counted, settings.instances),
        "files": 0,
    }


def _exists(cloud: Cloud, job: dict[str, Any]) -> bool:
    try:
        cloud.client("sagemaker").describe_transform_job(TransformJobName=job["name"])
        return True
    except ClientError as error:
        if is_missing(error):
            return False
        raise


def _upload(cloud: Cloud, work: Work, job: dict[str, Any]) -> int:
    """Upload the files that are not there yet; return the number of all files."""
    number = 0
    files = files_of(work.source, job["most_bytes"], work.aspects)
    for number, data in enumerate(tqdm(files, desc="uploading", unit="file", disable=None), 1):
        key, digest = f"{_prefix(job)}in/{_name(number - 1)}", sha256(data)
        if not is_there(cloud, key, digest, len(data)):
            cloud.client("s3").put_object(
                **_place(cloud),
                Key=key,
                Body=data,
                ContentType=messages.JSON_LINES,
                Metadata={HASH: digest},
                ServerSideEncryption="AES256",
            )
    return number


def _create(cloud: Cloud, job: dict[str, Any]) -> None:
    place = f"s3://{cloud.stage.bucket}/{_prefix(job)}"
    concurrent = min(cores_of(job["instance_type"]), MAX_CONCURRENT_MB // MAX_PAYLOAD_MB)
    request = {
        "TransformJobName": job["name"],
        "ModelName": job["model"],
        "MaxConcurrentTransforms": concurrent,
        "ModelClientConfig": {
            "InvocationsTimeoutInSeconds": ANSWER_SECONDS,
            "InvocationsMaxRetries": RETRIES,
        },
        "MaxPayloadInMB": MAX_PAYLOAD_MB,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{place}in/"}},
            "ContentType": messages.JSON_LINES,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"{place}out",
            "Accept": messages.JSON_LINES,
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": job["instance_type"], "InstanceCount": job["instances"]},
        "Tags": tag_list(cloud.stage.tags),
    }
    once_visible(lambda: cloud.client("sagemaker").create_transform_job(**request))


def _failed(cloud: Cloud, job: dict[str, Any], kept: PartsFolder, status: str, reason: str) -> CloudError:
    """Forget a failed job, so the next run starts another; return the error, with the end of its log."""
    lines = hosting.last_lines(cloud, LOG_GROUP, job["name"])
    clean(cloud, job)
    kept.job.unlink(missing_ok=True)
    return CloudError(
        f"transform job {job['name']} ended as {status} ({reason}); fix that and run it again{lines}"
    )


def _objects(cloud: Cloud, job: dict[str, Any], under: str) -> Iterator[str]:
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(**_place(cloud), Prefix=_prefix(job) + under):
        yield from (item["Key"] for item in page.get("Contents", ()))


def _place(cloud: Cloud) -> dict[str, str]:
    """Return the bucket and its expected owner; anyone can guess the bucket's name."""
    return {"Bucket": cloud.stage.bucket, "ExpectedBucketOwner": cloud.stage.account}


def _prefix(job: dict[str, Any]) -> str:
    return f"batch/{job['name']}/"


def _name(number: int) -> str:
    return f"part-{number:05d}.jsonl"
