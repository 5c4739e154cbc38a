"""Find, upload and delete a file of labelled reviews in S3."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from botocore.exceptions import ClientError

from training.aws import resources
from training.aws.cloud import Cloud, CloudError, code_of, is_missing

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
# A policy reads these as patterns, so they would match several names.
_PATTERNS = ("*", "?", "${")
# S3's console makes an empty object with this ending for a folder.
_FOLDER = "/"
EXAMPLE = "s3://bucket/prefix/my.csv"


class Reviews(NamedTuple):
    """A file of reviews in S3: bucket, key, size, and the ARN of the KMS key that encrypts it, if any."""

    bucket: str
    key: str
    bytes: int
    kms_key: str | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> Path:
        """Return the file's name, without a folder."""
        return Path(Path(self.key).name)


def is_s3_address(address: str) -> bool:
    """Return whether an address is in S3, rather than a path on this machine."""
    return address.startswith("s3://")


def find(cloud: Cloud, address: str) -> Reviews:
    """Return the one file under an s3:// address. Raises CloudError for none or several."""
    bucket, prefix = _parse(address)
    with _permission("s3:ListBucket", bucket):
        _check_region(cloud, bucket)
        keys = _keys(cloud, bucket, prefix)
    if len(keys) != 1:
        raise CloudError(_not_one_sentence(address, prefix, keys))
    with _permission("s3:GetObject", f"s3://{bucket}/{keys[0]}"):
        head = cloud.client("s3").head_object(Bucket=bucket, Key=keys[0])
    if not head["ContentLength"]:
        raise CloudError(f"s3://{bucket}/{keys[0]} is empty; put labelled reviews there")
    check_name(keys[0])
    return Reviews(bucket, keys[0], head["ContentLength"], head.get("SSEKMSKeyId"))


def check_name(name: str) -> None:
    """Refuse a name that a policy would read as a pattern. Raises CloudError."""
    if any(sign in name for sign in _PATTERNS) or not name.isprintable():
        raise CloudError(f"a job can't be limited to a file with *, ? or ${{ in its name; rename {name!r}")


def put(cloud: Cloud, path: Path, folder: str) -> Reviews:
    """Upload a file to a folder of the stage's bucket; return it as reviews."""
    key = f"{folder}/{path.name}"
    resources.upload(cloud, path, key)
    return Reviews(cloud.stage.bucket, key, path.stat().st_size)


def digest_of(cloud: Cloud, reviews: Reviews) -> str | None:
    """Return the SHA-256 that ``put`` stored with a file; None without one, or if the file is gone."""
    try:
        head = cloud.client("s3").head_object(Bucket=reviews.bucket, Key=reviews.key)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    digest: str | None = head["Metadata"].get(resources.HASH)
    return digest


def delete(cloud: Cloud, folder: str) -> int:
    """Delete all files in a folder of the stage's bucket; return their number."""
    s3, place = cloud.client("s3"), {"Bucket": cloud.stage.bucket, "ExpectedBucketOwner": cloud.stage.account}
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(**place, Prefix=f"{folder}/"):
        objects = [{"Key": item["Key"]} for item in page.get("Contents", ())]
        if objects:
            s3.delete_objects(**place, Delete={"Objects": objects, "Quiet": True})
            count += len(objects)
    return count


def _parse(address: str) -> tuple[str, str]:
    """Return bucket and prefix. Raises CloudError."""
    match = _ADDRESS.fullmatch(address)
    if not match:
        raise CloudError(f"an address in S3 looks like {EXAMPLE}, got {address[:80]!r}")
    return match[1], match[2]


@contextmanager
def _permission(action: str, on: str) -> Iterator[None]:
    """Turn S3's bare 403 into a CloudError that names the missing permission."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in ("403", "AccessDenied"):
            raise CloudError(
                f"your AWS user lacks the permission {action} on {on}; add it and run this again"
            ) from error
        raise


def _check_region(cloud: Cloud, bucket: str) -> None:
    """Refuse a bucket of another region, which SageMaker can't read. Raises CloudError."""
    try:
        response = cloud.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if is_missing(error):
            raise CloudError(f"there is no bucket {bucket}; name one like {EXAMPLE}") from error
        raise
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    region = response.get("BucketRegion") or headers.get("x-amz-bucket-region") or cloud.stage.region
    if region != cloud.stage.region:
        raise CloudError(
            f"bucket {bucket} is in {region}, and a job in {cloud.stage.region} reads from its own region"
            f" alone; use --region {region}, or copy the file"
        )


def _keys(cloud: Cloud, bucket: str, prefix: str) -> list[str]:
    """Return the first keys that start with a prefix, without folders."""
    page = cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for item in page.get("Contents", ()) if not item["Key"].endswith(_FOLDER)]


def _not_one_sentence(address: str, prefix: str, keys: list[str]) -> str:
    if not keys:
        return f"there is no file under {address}; put a file of labelled reviews there"
    if prefix in keys:
        return (
            f"{len(keys) - 1:,} other names start with {address}, and the job could read those too; put the"
            " file under a prefix of its own"
        )
    return f"there are {len(keys):,} files or more under {address}; name one of them, like {EXAMPLE}"
