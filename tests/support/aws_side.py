"""What AWS's services do by our roles: fetch an image, list and read files, write logs and metrics.

moto has no such side. AWS lists the calls that SageMaker makes by an execution role, for CreateModel and
CreateTrainingJob, in "How to use SageMaker execution roles":
https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
Lambda's are those of AWSLambdaBasicExecutionRole:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

DENIED = ("AccessDenied", "AccessDeniedException", "403")
_IMAGE = re.compile(r"(\d+)\.dkr\.ecr\.([\w-]+)\.\S+?/([\w/-]+):(\S+)")


class Role:
    """A role that a service has assumed, with a client for each service."""

    def __init__(self, arn: str, url: str | None = None) -> None:
        self.url = url or os.environ["AWS_ENDPOINT_URL"]
        owner = boto3.client("sts", endpoint_url=self.url)
        keys = owner.assume_role(RoleArn=arn, RoleSessionName="service")["Credentials"]
        self.env = {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        self.session = boto3.session.Session(
            *self.env.values(), region_name=os.environ.get("AWS_REGION") or owner.meta.region_name
        )
        self.client = cache(self._client)

    def _client(self, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        return self.session.client(service, endpoint_url=self.url, config=config)


def record_container(role: Role, image: str, group: str, stream: str, lines: Sequence[str]) -> None:
    """Do what a container's run takes: fetch its image, write its lines and a metric.

    Raises ClientError when one of these is refused.
    """
    pull(role, image)
    write_job_log(role, group, stream, lines)
    kind = group.removeprefix("/aws/sagemaker/").split("/")[0]
    metric = {"MetricName": "CPUUtilization", "Value": 1.0}
    role.client("cloudwatch").put_metric_data(Namespace=f"/aws/sagemaker/{kind}", MetricData=[metric])


def pull(role: Role, image: str) -> None:
    """Fetch an image, which moto does not have: so each call must be permitted, and may fail otherwise."""
    found = _IMAGE.fullmatch(image)
    if not found:
        return  # a test's model without an image
    account, _, name, tag = found.groups()
    ecr, place = role.client("ecr"), {"registryId": account, "repositoryName": name}
    digest = "sha256:" + 64 * "0"
    calls = (
        lambda: ecr.get_authorization_token(),
        lambda: ecr.batch_check_layer_availability(**place, layerDigests=[digest]),
        lambda: ecr.batch_get_image(**place, imageIds=[{"imageTag": tag}]),
        lambda: ecr.get_download_url_for_layer(**place, layerDigest=digest),
    )
    for call in calls:
        try:
            call()
        except ClientError as error:
            if error.response["Error"]["Code"] in DENIED:
                raise


def write_log(role: Role, group: str, stream: str, lines: Sequence[str]) -> None:
    """Write lines to a stream; it and its group are made when they are missing."""
    _make(role.client("logs").create_log_group, logGroupName=group)
    write_stream(role, group, stream, lines)


def write_stream(role: Role, group: str, stream: str, lines: Sequence[str]) -> None:
    """Write lines to a stream of a group that exists; the stream is made when it is missing."""
    logs, place = role.client("logs"), {"logGroupName": group, "logStreamName": stream}
    _make(logs.create_log_stream, **place)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + at, "message": line} for at, line in enumerate(lines) if line]
    for start in range(0, len(events), 1000):
        logs.put_log_events(**place, logEvents=events[start : start + 1000])


def _make(create: Callable[..., object], **place: str) -> None:
    try:
        create(**place)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise


def write_job_log(role: Role, group: str, stream: str, lines: Sequence[str]) -> None:
    """Write lines to a stream as SageMaker does, which also looks its streams up."""
    write_log(role, group, stream, lines)
    role.client("logs").describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)


def fetch(s3: Any, uri: str, target: Path) -> list[Path]:
    """Download all objects whose names start with a URI; return their paths.

    A URI may be that of a folder, or of one file, which keeps its name in the target.
    """
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    files = [target / (key.removeprefix(prefix).lstrip("/") or Path(key).name) for key in keys]
    for key, file in zip(keys, files, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(file))
    return files
