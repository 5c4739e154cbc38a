"""A file of labelled reviews in S3: found under the prefix that its owner names, put there, deleted again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from botocore.exceptions import ClientError

from training.aws import resources
from training.aws.cloud import Cloud, CloudError, code_of, is_missing

_PLACE = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
# A policy would take these for more than one name.
_OPEN = ("*", "?", "${")
# What stands for a folder in S3's console is no file.
_FOLDER = "/"
EXAMPLE = "s3://bucket/prefix/my.csv"


class Reviews(NamedTuple):
    """A file of reviews in S3: its place, its size, and the ARN of the KMS key that encrypts it, if any."""

    bucket: str
    key: str
    bytes: int
    kms_key: str | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> Path:
        """The file's name, without a folder."""
        return Path(Path(self.key).name)


def is_place(named: str) -> bool:
    """Say whether a place in S3 was named, rather than a file here."""
    return named.startswith("s3://")


def find(cloud: Cloud, named: str) -> Reviews:
    """Find the one file under an s3:// address. Raises CloudError, which says what is there instead."""
    bucket, prefix = _read(named)
    with _right("s3:ListBucket", bucket):
        _check_region(cloud, bucket)
        keys = _keys(cloud, bucket, prefix)
    if len(keys) != 1:
        raise CloudError(_not_one(named, prefix, keys))
    with _right("s3:GetObject", f"s3://{bucket}/{keys[0]}"):
        found = cloud.client("s3").head_object(Bucket=bucket, Key=keys[0])
    if not found["ContentLength"]:
        raise CloudError(f"s3://{bucket}/{keys[0]} is empty; put labelled reviews there")
    check_name(keys[0])
    return Reviews(bucket, keys[0], found["ContentLength"], found.get("SSEKMSKeyId"))


def check_name(name: str) -> None:
    """Refuse a name that a policy would take for more than one. Raises CloudError."""
    if any(sign in name for sign in _OPEN) or not name.isprintable():
        raise CloudError(f"a job can't be given a file with *, ? or ${{ in its name alone; rename {name!r}")


def put(cloud: Cloud, path: Path, folder: str) -> Reviews:
    """Put a file into a folder of the stage's bucket."""
    key = f"{folder}/{path.name}"
    resources.upload(cloud, path, key)
    return Reviews(cloud.stage.bucket, key, path.stat().st_size)


def digest_of(cloud: Cloud, reviews: Reviews) -> str | None:
    """Give the SHA-256 of a file that ``put`` put there; None of another's, or where it is gone."""
    try:
        found = cloud.client("s3").head_object(Bucket=reviews.bucket, Key=reviews.key)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    digest: str | None = found["Metadata"].get(resources.HASH)
    return digest


def delete(cloud: Cloud, folder: str) -> int:
    """Delete all that lies in a folder of the stage's bucket; give how many files that were."""
    s3, place = cloud.client("s3"), {"Bucket": cloud.stage.bucket, "ExpectedBucketOwner": cloud.stage.account}
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(**place, Prefix=f"{folder}/"):
        found = [{"Key": one["Key"]} for one in page.get("Contents", ())]
        if found:
            s3.delete_objects(**place, Delete={"Objects": found, "Quiet": True})
            count += len(found)
    return count


def _read(named: str) -> tuple[str, str]:
    """Give bucket and prefix. Raises CloudError."""
    found = _PLACE.fullmatch(named)
    if not found:
        raise CloudError(f"a file in S3 is named like {EXAMPLE}, got {named[:80]!r}")
    return found[1], found[2]


@contextmanager
def _right(action: str, on: str) -> Iterator[None]:
    """Say which right is missing, where S3 says no more than 403. Raises CloudError."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in ("403", "AccessDenied"):
            raise CloudError(
                f"your AWS user lacks the right {action} on {on}; add it and run this again"
            ) from error
        raise


def _check_region(cloud: Cloud, bucket: str) -> None:
    """SageMaker reads from its own region alone."""
    try:
        found = cloud.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if is_missing(error):
            raise CloudError(f"there is no bucket {bucket}; name one like {EXAMPLE}") from error
        raise
    headers = found["ResponseMetadata"]["HTTPHeaders"]
    region = found.get("BucketRegion") or headers.get("x-amz-bucket-region") or cloud.stage.region
    if region != cloud.stage.region:
        raise CloudError(
            f"bucket {bucket} is in {region}, and a job in {cloud.stage.region} reads from there alone; take"
            f" --region {region}, or copy the file"
        )


def _keys(cloud: Cloud, bucket: str, prefix: str) -> list[str]:
    """Give the first names that begin like that and are no folders."""
    found = cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for one in found.get("Contents", ()) if not one["Key"].endswith(_FOLDER)]


def _not_one(named: str, prefix: str, keys: list[str]) -> str:
    if not keys:
        return f"nothing lies under {named}; put a file of labelled reviews there"
    if prefix in keys:
        return (
            f"{len(keys) - 1:,} other names begin like {named}, and a job would be given those too; put the"
            " file under a prefix of its own"
        )
    return f"{len(keys):,} files or more lie under {named}; name one of them, like {EXAMPLE}"
