"""A stage's bucket and role: made once, mended, refused when another's."""

import json
from pathlib import Path

import pytest

from tests.support.aws_server import AwsServer
from training.aws import cloud as clouds
from training.aws import policies, resources
from training.aws.cloud import Cloud, CloudError


@pytest.fixture
def cloud(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setattr(resources, "ROLE_SECONDS", 0)
    return clouds.open_stage("dev")


@pytest.mark.parametrize("times", [1, 2])
def test_a_bucket_is_private_encrypted_and_tagged_however_often_it_is_made(cloud: Cloud, times: int) -> None:
    s3, bucket = cloud.client("s3"), cloud.stage.bucket
    for _ in range(times):
        resources.ensure_bucket(cloud, bucket)
    assert resources.bucket_tags(cloud, bucket) == cloud.stage.tags
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert blocked == resources.PUBLIC_ACCESS
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policies.of_bucket(
        cloud.stage, bucket
    )
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == cloud.stage.region


def test_a_bucket_with_other_tags_is_refused_and_untouched(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.stage.bucket
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": cloud.stage.region})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "other"}]})
    with pytest.raises(CloudError, match="exists without this stage's tags"):
        resources.ensure_bucket(cloud, bucket)
    assert resources.bucket_tags(cloud, bucket) == {"team": "other"}


def test_a_bucket_left_without_tags_is_taken_up(cloud: Cloud) -> None:
    bucket = cloud.stage.bucket
    place = {"LocationConstraint": cloud.stage.region}
    cloud.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    resources.ensure_bucket(cloud, bucket)
    assert resources.bucket_tags(cloud, bucket) == cloud.stage.tags


@pytest.mark.parametrize("times", [1, 2])
def test_the_role_has_its_trust_its_rights_and_its_tags(cloud: Cloud, times: int) -> None:
    for _ in range(times):
        arn = resources.ensure_role(cloud)
    iam = cloud.client("iam")
    role = iam.get_role(RoleName=cloud.stage.role)["Role"]
    assert role["Arn"] == arn == cloud.stage.role_arn
    trusted = role["AssumeRolePolicyDocument"]
    assert trusted == policies.trust(cloud.stage, "sagemaker")
    assert cloud.stage.owns(clouds.tag_map(role["Tags"]))
    assert iam.list_role_policies(RoleName=cloud.stage.role)["PolicyNames"] == [cloud.stage.role]
    written = iam.get_role_policy(RoleName=cloud.stage.role, PolicyName=cloud.stage.role)
    assert written["PolicyDocument"] == policies.of_sagemaker(cloud.stage)


def test_the_endpoint_s_role_reads_packages_and_no_review(cloud: Cloud) -> None:
    resources.ensure_endpoint_role(cloud)
    iam, name = cloud.client("iam"), cloud.stage.endpoint_role
    (statement,) = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": cloud.stage.account}}
    written = iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"]
    assert written == policies.of_endpoint(cloud.stage)
    files = [one["Resource"] for one in written["Statement"] if "s3:GetObject" in one["Action"]]
    assert files == [f"arn:aws:s3:::{cloud.stage.bucket}/packages/*"]
    assert not any("s3:Put" in str(one["Action"]) for one in written["Statement"])


def test_the_function_s_role_may_ask_one_endpoint(cloud: Cloud) -> None:
    for endpoint in cloud.stage.endpoints:
        resources.ensure_function_role(cloud, endpoint)
    written = cloud.client("iam").get_role_policy(
        RoleName=cloud.stage.function_role, PolicyName=cloud.stage.function_role
    )["PolicyDocument"]
    assert written == policies.of_function(cloud.stage, "verdict-dev-2")
    assert written["Statement"][0]["Resource"].endswith(":endpoint/verdict-dev-2")


def test_while_the_function_changes_over_its_role_may_ask_both_endpoints(cloud: Cloud) -> None:
    resources.ensure_function_role(cloud, *cloud.stage.endpoints)
    written = cloud.client("iam").get_role_policy(
        RoleName=cloud.stage.function_role, PolicyName=cloud.stage.function_role
    )["PolicyDocument"]
    assert written["Statement"][0]["Resource"] == [*map(cloud.stage.endpoint_arn, cloud.stage.endpoints)]


def test_the_function_s_role_may_keep_feedback_where_that_is_switched_on(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDBACK", "s3://my-bucket/said")
    resources.ensure_function_role(cloud, cloud.stage.endpoint)
    written = cloud.client("iam").get_role_policy(
        RoleName=cloud.stage.function_role, PolicyName=cloud.stage.function_role
    )["PolicyDocument"]
    assert written["Statement"][-1]["Resource"] == "arn:aws:s3:::my-bucket/said/*.json"


@pytest.mark.parametrize("value", ["said", "https://my-bucket"])
def test_a_function_that_could_not_keep_feedback_is_not_deployed(value: str) -> None:
    with pytest.raises(CloudError, match="s3://bucket/prefix"):
        resources.function_feedback({"FEEDBACK": value})


def test_a_role_with_other_tags_is_refused_and_untouched(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_role(RoleName=cloud.stage.role, AssumeRolePolicyDocument="{}")
    with pytest.raises(CloudError, match="role verdict-dev-sagemaker exists without"):
        resources.ensure_role(cloud)
    assert iam.list_role_policies(RoleName=cloud.stage.role)["PolicyNames"] == []


def test_a_stage_lives_in_one_region(cloud: Cloud) -> None:
    resources.ensure_role(cloud)
    elsewhere = clouds.open_stage("dev", "us-east-1")
    for refused in (resources.ensure_role, resources.check_roles):
        with pytest.raises(CloudError, match="stage dev is in region eu-west-1 already"):
            refused(elsewhere)
    resources.check_roles(cloud)


def test_an_untagged_bucket_that_holds_something_is_refused_and_untouched(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.stage.bucket
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": cloud.stage.region})
    s3.put_object(Bucket=bucket, Key="mine.txt", Body=b"mine")
    with pytest.raises(CloudError, match="exists without this stage's tags"):
        resources.ensure_bucket(cloud, bucket)
    assert resources.bucket_tags(cloud, bucket) == {}
    assert s3.get_object(Bucket=bucket, Key="mine.txt")["Body"].read() == b"mine"


def test_a_file_is_sent_once_and_again_when_half_of_it_is_there(cloud: Cloud, tmp_path: Path) -> None:
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    path = tmp_path / "file"
    path.write_bytes(b"a model")
    s3, key = cloud.client("s3"), "packages/x/file"
    assert resources.upload(cloud, path, key) == f"s3://{cloud.stage.bucket}/{key}"
    first = s3.head_object(Bucket=cloud.stage.bucket, Key=key)
    resources.upload(cloud, path, key)
    assert s3.head_object(Bucket=cloud.stage.bucket, Key=key)["LastModified"] == first["LastModified"]
    s3.put_object(Bucket=cloud.stage.bucket, Key=key, Body=b"a mo", Metadata=first["Metadata"])
    resources.upload(cloud, path, key)
    assert s3.get_object(Bucket=cloud.stage.bucket, Key=key)["Body"].read() == b"a model"


def test_a_bucket_is_emptied_of_every_version_and_unfinished_upload(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.stage.bucket
    resources.ensure_bucket(cloud, bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="a", Body=body)
    s3.delete_object(Bucket=bucket, Key="a")
    s3.create_multipart_upload(Bucket=bucket, Key="b")
    assert resources.empty_bucket(cloud, bucket) == 3
    s3.delete_bucket(Bucket=bucket)
