"""A stage's own bucket and role, and files put there: made when missing, mended when changed."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from training.aws import policies
from training.aws.cloud import TAG_REGION, Cloud, CloudError, Stage, code_of, is_missing, tag_list, tag_map
from vocab.files import sha256_of
from vocab.messages.feedback import Place, PlaceError, read_place

# A role is known to other services some seconds after it was made.
ROLE_SECONDS = 10
HASH = "sha256"
PUBLIC_ACCESS = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
# What a broken upload or an old batch left is removed after so many days.
UPLOAD_DAYS, BATCH_DAYS = 2, 30
FOLDERS_THAT_EXPIRE = ("batch/", "training/", "adapt/")


def check_bucket(cloud: Cloud, bucket: str) -> dict[str, str] | None:
    """Give a bucket's tags when it is ours, None when its name is free. Raises CloudError.

    Without tags it is ours only as an interrupted deploy leaves it: empty.
    """
    tags = bucket_tags(cloud, bucket)
    if tags is None or cloud.stage.owns(tags):
        return tags
    if tags or not is_empty(cloud, bucket):
        raise CloudError(
            f"bucket {bucket} is there but has not this stage's tags; take another --stage, or delete it"
        )
    return tags


def ensure_bucket(
    cloud: Cloud, bucket: str, policy: dict[str, Any] | None = None, public: bool = False
) -> None:
    """Make a bucket private, encrypted, TLS-only and tagged. Raises CloudError when it is another's.

    ``policy`` replaces the one that only refuses plain HTTP; ``public`` lets a policy be for anybody.
    """
    s3 = cloud.client("s3")
    tags = check_bucket(cloud, bucket)
    if tags is None:
        place = {} if cloud.stage.region == "us-east-1" else {"LocationConstraint": cloud.stage.region}
        given = {"CreateBucketConfiguration": place} if place else {}
        s3.create_bucket(Bucket=bucket, **given)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_list(cloud.stage.tags)})
    access = {**PUBLIC_ACCESS, "BlockPublicPolicy": not public, "RestrictPublicBuckets": not public}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=access)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    written = policy or policies.of_bucket(cloud.stage, bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(written))
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": _rules(bucket == cloud.stage.bucket)}
    )


def bucket_tags(cloud: Cloud, bucket: str) -> dict[str, str] | None:
    """Give a bucket's tags, or None when there is none of that name. Raises CloudError when it is another's.

    An untagged bucket of our name and account was left by a deploy that was interrupted.
    """
    s3 = cloud.client("s3")
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=cloud.stage.account)
    except ClientError as error:
        if is_missing(error):
            return None
        if code_of(error) == "403":
            raise CloudError(
                f"bucket {bucket} belongs to another account, or you may not see it; take another --stage"
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
    """Say whether a bucket holds no object."""
    return cloud.client("s3").list_objects_v2(Bucket=bucket, MaxKeys=1)["KeyCount"] == 0


def empty_bucket(cloud: Cloud, bucket: str) -> int:
    """Delete every object, version and unfinished upload of a bucket; give how many objects there were."""
    s3, count = cloud.client("s3"), 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for one in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        if found:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
            count += len(found)
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for one in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
    return count


def ensure_role(cloud: Cloud) -> str:
    """Make the role of SageMaker's jobs and notebook, or mend its trust and rights; give its ARN."""
    trust = policies.trust(cloud.stage, "sagemaker")
    return _ensure_role(cloud, cloud.stage.role, trust, policies.of_sagemaker(cloud.stage))


def ensure_endpoint_role(cloud: Cloud) -> str:
    """Make the role of the endpoint's container, or mend it; give its ARN."""
    trust = policies.trust(cloud.stage, "sagemaker", own_account=True)
    return _ensure_role(cloud, cloud.stage.endpoint_role, trust, policies.of_endpoint(cloud.stage))


def ensure_adapt_role(cloud: Cloud) -> str:
    """Make the role of the jobs that adapt the model, which by itself reads no file; give its ARN."""
    trust = policies.trust(cloud.stage, "sagemaker", own_account=True)
    return _ensure_role(cloud, cloud.stage.adapt_role, trust, policies.of_adaptations(cloud.stage))


def grant(cloud: Cloud, role: str, name: str, rights: dict[str, Any]) -> None:
    """Give a role more rights, under a name by which they are taken away again."""
    cloud.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(rights))


def revoke(cloud: Cloud, role: str, name: str) -> None:
    """Take the rights of that name from a role; what is gone already is fine."""
    try:
        cloud.client("iam").delete_role_policy(RoleName=role, PolicyName=name)
    except ClientError as error:
        if not is_missing(error):
            raise


def ensure_function_role(cloud: Cloud, endpoint: str) -> str:
    """Make the Lambda's role, which may ask one endpoint, or mend it; give its ARN."""
    trust = policies.trust(cloud.stage, "lambda")
    rights = policies.of_function(cloud.stage, endpoint, function_feedback(os.environ))
    return _ensure_role(cloud, cloud.stage.function_role, trust, rights)


def function_feedback(env: Mapping[str, str]) -> Place | None:
    """Give the bucket in which the Lambda keeps feedback, if it shall. Raises CloudError for a folder."""
    try:
        place = read_place(env.get("FEEDBACK"))
    except PlaceError as error:
        raise CloudError(str(error)) from error
    if place and not place.bucket:
        raise CloudError("a function has no folder to keep feedback in; set FEEDBACK to s3://bucket/prefix")
    return place


def _ensure_role(cloud: Cloud, name: str, trusted: dict[str, Any], rights: dict[str, Any]) -> str:
    iam, stage = cloud.client("iam"), cloud.stage
    trust = json.dumps(trusted)
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
        time.sleep(ROLE_SECONDS)
    else:
        check_role(stage, name, tag_map(role.get("Tags")))
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(rights))
    return str(role["Arn"])


def check_roles(cloud: Cloud) -> None:
    """Raise CloudError when a role of our name is another's, or of this stage in another region."""
    for name in (cloud.stage.role, cloud.stage.endpoint_role, cloud.stage.function_role):
        try:
            role = cloud.client("iam").get_role(RoleName=name)["Role"]
        except ClientError as error:
            if is_missing(error):
                continue
            raise
        check_role(cloud.stage, name, tag_map(role.get("Tags")))


def check_role(stage: Stage, name: str, tags: dict[str, str]) -> None:
    """Raise CloudError when a role with these tags is another's, or of this stage in another region."""
    there = tags.get(TAG_REGION, stage.region)
    if stage._replace(region=there).owns(tags) and there != stage.region:
        raise CloudError(
            f"stage {stage.name} is in region {there} already, and its roles are the account's; for"
            f" {stage.region} take another --stage, or destroy it in {there} (--region {there}) first"
        )
    if not stage.owns(tags):
        raise CloudError(f"role {name} is there but has not this stage's tags; take another --stage")


def upload(
    cloud: Cloud,
    path: Path,
    key: str,
    digest: str | None = None,
    told: Callable[[int], object] | None = None,
) -> str:
    """Put a file into the stage's bucket unless the same one is there; give its s3:// URL.

    The SHA-256 goes with it as metadata, and the size must agree, so that half an upload is not taken
    for a whole one. ``told`` hears of each piece's bytes.
    """
    s3, bucket = cloud.client("s3"), cloud.stage.bucket
    digest = digest or sha256_of(path)
    if not is_there(cloud, key, digest, path.stat().st_size):
        extra = {"Metadata": {HASH: digest}, "ServerSideEncryption": "AES256"}
        s3.upload_file(str(path), bucket, key, ExtraArgs=extra, Callback=told)
    return f"s3://{bucket}/{key}"


def is_there(cloud: Cloud, key: str, digest: str, size: int) -> bool:
    """Say whether the stage's bucket holds a file of this hash and size."""
    try:
        found = cloud.client("s3").head_object(Bucket=cloud.stage.bucket, Key=key)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return bool(found["Metadata"].get(HASH) == digest and found["ContentLength"] == size)
