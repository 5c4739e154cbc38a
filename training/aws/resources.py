"""A stage's buckets and roles: create them when missing, repair them when changed, upload files."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from training.aws import images, policies
from training.aws.cloud import (
    TAG_REGION,
    Cloud,
    CloudError,
    Stage,
    code_of,
    is_denied,
    is_missing,
    once_visible,
    tag_list,
    tag_map,
)
from vocab.files import sha256, sha256_of
from vocab.messages.feedback import Place, PlaceError, read_place

# The function may use a new right of its role after some seconds.
ROLE_SECONDS = 10
HASH = "sha256"
# The names of policies that let a role fetch an image of your own begin so.
IMAGE_POLICY = "image-"
TAG_IMAGE = "verdict:image"
PUBLIC_ACCESS = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
# S3 removes parts of broken uploads, and files of old batches, after so many days.
UPLOAD_DAYS, BATCH_DAYS = 2, 30
FOLDERS_THAT_EXPIRE = ("batch/", "training/", "adapt/")


def check_bucket(cloud: Cloud, bucket: str) -> dict[str, str] | None:
    """Return a bucket's tags when it is ours, None when its name is free. Raises CloudError.

    A bucket without tags is ours only if it is empty, as an interrupted deploy leaves it.
    """
    tags = bucket_tags(cloud, bucket)
    if tags is None or cloud.stage.owns(tags):
        return tags
    if tags or not is_empty(cloud, bucket):
        raise CloudError(
            f"bucket {bucket} exists without this stage's tags; use another --stage, or delete it"
        )
    return tags


def ensure_bucket(
    cloud: Cloud, bucket: str, policy: dict[str, Any] | None = None, public: bool = False
) -> None:
    """Create or repair a bucket: private, encrypted, TLS-only, tagged. Raises CloudError when it is not ours.

    ``policy`` replaces the default one, which only refuses plain HTTP; ``public`` permits a public policy.
    """
    s3 = cloud.client("s3")
    tags = check_bucket(cloud, bucket)
    if tags is None:
        place = {} if cloud.stage.region == "us-east-1" else {"LocationConstraint": cloud.stage.region}
        configuration = {"CreateBucketConfiguration": place} if place else {}
        once_visible(lambda: s3.create_bucket(Bucket=bucket, **configuration))
    tagging = {"TagSet": tag_list(cloud.stage.tags)}
    once_visible(lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging=tagging))
    access = {**PUBLIC_ACCESS, "BlockPublicPolicy": not public, "RestrictPublicBuckets": not public}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=access)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    document = policy or policies.of_bucket(cloud.stage, bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": _rules(bucket == cloud.stage.bucket)}
    )


def bucket_tags(cloud: Cloud, bucket: str) -> dict[str, str] | None:
    """Return a bucket's tags, or None when the name is free. Raises CloudError for another account's.

    An interrupted deploy leaves a bucket of our name and account without tags.
    """
    s3 = cloud.client("s3")
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=cloud.stage.account)
    except ClientError as error:
        if is_missing(error):
            return None
        if code_of(error) == "403":
            raise CloudError(
                f"bucket {bucket} belongs to another account, or you may not see it; use another --stage"
            ) from error
        raise
    try:
        return tag_map(s3.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except ClientError as error:
        if is_missing(error):
            return {}
        raise


def _rules(of_work: bool) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = [
        {
            "ID": "broken-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": UPLOAD_DAYS},
        }
    ]
    for prefix in FOLDERS_THAT_EXPIRE if of_work else ():
        rules.append(
            {
                "ID": f"old-{prefix.rstrip('/')}",
                "Status": "Enabled",
                "Filter": {"Prefix": prefix},
                "Expiration": {"Days": BATCH_DAYS},
            }
        )
    return rules


def is_empty(cloud: Cloud, bucket: str) -> bool:
    """Return whether a bucket holds no object."""
    return bool(cloud.client("s3").list_objects_v2(Bucket=bucket, MaxKeys=1)["KeyCount"] == 0)


def empty_bucket(cloud: Cloud, bucket: str) -> int:
    """Delete every object, version and unfinished upload of a bucket; return the number of objects."""
    s3, count = cloud.client("s3"), 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        if versions:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
            count += len(versions)
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for part in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=part["Key"], UploadId=part["UploadId"])
    return count


def ensure_role(cloud: Cloud) -> str:
    """Create the role of SageMaker's jobs and notebook, or repair its trust and rights; return its ARN."""
    trust = policies.trust(cloud.stage, "sagemaker")
    return _ensure_role(cloud, cloud.stage.role, trust, policies.of_sagemaker(cloud.stage))


def ensure_endpoint_role(cloud: Cloud) -> str:
    """Create the role of the endpoint's container, or repair it; return its ARN."""
    trust = policies.trust(cloud.stage, "sagemaker", own_account=True)
    return _ensure_role(cloud, cloud.stage.endpoint_role, trust, policies.of_endpoint(cloud.stage))


def ensure_adapt_role(cloud: Cloud) -> str:
    """Create the role of the jobs that adapt the model, with no right to read a file; return its ARN."""
    trust = policies.trust(cloud.stage, "sagemaker", own_account=True)
    return _ensure_role(cloud, cloud.stage.adapt_role, trust, policies.of_adaptations(cloud.stage))


def grant(cloud: Cloud, role: str, name: str, rights: dict[str, Any]) -> None:
    """Add rights to a role, under a name for ``revoke``."""
    cloud.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(rights))


def revoke(cloud: Cloud, role: str, name: str) -> None:
    """Remove the rights of that name from a role, if it has them."""
    try:
        cloud.client("iam").delete_role_policy(RoleName=role, PolicyName=name)
    except ClientError as error:
        if not is_missing(error):
            raise


def allow_image(cloud: Cloud, role: str, image: str) -> None:
    """Grant a role, by its name, the right to fetch your own image, and wait for it when it is new.

    Every role may fetch AWS's images already.
    """
    if not images.is_own(image):
        return
    iam, name = cloud.client("iam"), _image_policy(cloud.stage, image)
    known = iam.list_role_policies(RoleName=role)["PolicyNames"]
    iam.tag_role(RoleName=role, Tags=tag_list({TAG_IMAGE: name}))
    grant(cloud, role, name, policies.of_image(cloud.stage, image))
    if name not in known:
        time.sleep(ROLE_SECONDS)


def retire_images(cloud: Cloud, image: str) -> None:
    """Revoke the rights of endpoint and jobs to fetch other images of yours than this one.

    A tag says whether a role has any, so that other deploys need no right to list them. Who may not change
    them leaves them.
    """
    kept = _image_policy(cloud.stage, image) if images.is_own(image) else ""
    for role in (cloud.stage.endpoint_role, cloud.stage.role):
        try:
            _retire_images(cloud, role, kept)
        except ClientError as error:
            if not (is_missing(error) or is_denied(error)):
                raise


def _retire_images(cloud: Cloud, role: str, kept: str) -> None:
    iam = cloud.client("iam")
    if TAG_IMAGE not in tag_map(iam.get_role(RoleName=role)["Role"].get("Tags")):
        return
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    for name in names:
        if name.startswith(IMAGE_POLICY) and name != kept:
            revoke(cloud, role, name)
    if kept not in names:
        iam.untag_role(RoleName=role, TagKeys=[TAG_IMAGE])


def _image_policy(stage: Stage, image: str) -> str:
    """Return the name of the policy for an image's repository, of which any tag may be fetched."""
    (arn,) = images.repositories([image], stage.partition, stage.region)
    return IMAGE_POLICY + sha256(arn.encode())[:12]


def ensure_function_role(cloud: Cloud, *endpoints: str, settings: Mapping[str, str] | None = None) -> str:
    """Create the Lambda's role, which may call these endpoints, or repair it; return its ARN.

    ``settings`` are the function's, by default this environment's: they name the place of feedback.
    """
    trust = policies.trust(cloud.stage, "lambda")
    feedback = function_feedback(os.environ if settings is None else settings)
    rights = policies.of_function(cloud.stage, *endpoints, feedback=feedback)
    return _ensure_role(cloud, cloud.stage.function_role, trust, rights)


def ensure_model_role(cloud: Cloud) -> str:
    """Create the role of the function that holds the model, or repair it; return its ARN."""
    trust = policies.trust(cloud.stage, "lambda")
    return _ensure_role(cloud, cloud.stage.model_role, trust, policies.of_model_function(cloud.stage))


def function_feedback(env: Mapping[str, str]) -> Place | None:
    """Return the place in S3 where the Lambda stores feedback, or None. Raises CloudError for a folder."""
    try:
        place = read_place(env.get("FEEDBACK"))
    except PlaceError as error:
        raise CloudError(str(error)) from error
    if place and not place.bucket:
        raise CloudError("a function can't store feedback in a folder; set FEEDBACK to s3://bucket/prefix")
    return place


def _ensure_role(cloud: Cloud, name: str, trust_policy: dict[str, Any], rights: dict[str, Any]) -> str:
    iam, stage = cloud.client("iam"), cloud.stage
    trust = json.dumps(trust_policy)
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if not is_missing(error):
            raise
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=trust,
            Description=f"Verdict, stage {stage.name}",
            Tags=tag_list(stage.tags),
        )["Role"]
    else:
        check_role(stage, name, tag_map(role.get("Tags")))
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(rights))
    return str(role["Arn"])


def check_roles(cloud: Cloud, *more: str) -> None:
    """Check that each role, and ``more`` by name, is ours or its name is free. Raises CloudError."""
    for name in (cloud.stage.role, cloud.stage.endpoint_role, cloud.stage.function_role, *more):
        try:
            role = cloud.client("iam").get_role(RoleName=name)["Role"]
        except ClientError as error:
            if is_missing(error):
                continue
            raise
        check_role(cloud.stage, name, tag_map(role.get("Tags")))


def check_role(stage: Stage, name: str, tags: dict[str, str]) -> None:
    """Check that a role with these tags is this stage's, in this region. Raises CloudError."""
    region = tags.get(TAG_REGION, stage.region)
    if stage._replace(region=region).owns(tags) and region != stage.region:
        raise CloudError(
            f"stage {stage.name} is in region {region} already, and its roles are the account's; for"
            f" {stage.region} use another --stage, or destroy it in {region} (--region {region}) first"
        )
    if not stage.owns(tags):
        raise CloudError(f"role {name} exists without this stage's tags; use another --stage")


def upload(
    cloud: Cloud,
    path: Path,
    key: str,
    digest: str | None = None,
    progress: Callable[[int], object] | None = None,
) -> str:
    """Upload a file to the stage's bucket unless the same one is there; return its s3:// URL.

    The object's metadata holds the SHA-256, and the size must be equal, so half an upload never counts.
    ``progress`` gets the number of bytes of each part.
    """
    s3, bucket = cloud.client("s3"), cloud.stage.bucket
    digest = digest or sha256_of(path)
    if not is_there(cloud, key, digest, path.stat().st_size):
        extra = {"Metadata": {HASH: digest}, "ServerSideEncryption": "AES256"}
        s3.upload_file(str(path), bucket, key, ExtraArgs=extra, Callback=progress)
    return f"s3://{bucket}/{key}"


def is_there(cloud: Cloud, key: str, digest: str, size: int) -> bool:
    """Return whether the stage's bucket holds a file of this hash and size."""
    try:
        head = cloud.client("s3").head_object(Bucket=cloud.stage.bucket, Key=key)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return bool(head["Metadata"].get(HASH) == digest and head["ContentLength"] == size)
