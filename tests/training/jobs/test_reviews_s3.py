"""A file of reviews in S3: the one under an address, in a bucket that a job can read, or an error."""

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from tests.support.own_reviews import rows, save
from training.aws.cloud import Cloud, CloudError, Stage
from training.jobs import reviews_s3
from vocab.files import sha256_of

STAGE = Stage("dev", ACCOUNT, REGION)
BUCKET = "the-shop"


@pytest.fixture
def cloud(aws: AwsServer) -> Cloud:
    """A cloud in which somebody has a bucket."""
    found = Cloud(STAGE, boto3.session.Session())
    found.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return found


def put(cloud: Cloud, *keys: str, body: bytes = b"text,label\n") -> None:
    for key in keys:
        cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def refused(cloud: Cloud, address: str) -> str:
    with pytest.raises(CloudError) as error:
        reviews_s3.find(cloud, address)
    return str(error.value)


@pytest.mark.parametrize("address", ["labels/", "labels", "labels/my.csv"])
def test_the_one_file_under_a_prefix_is_found_and_a_folder_s_mark_is_none(cloud: Cloud, address: str) -> None:
    put(cloud, "labels/", body=b"")
    put(cloud, "labels/my.csv")
    found = reviews_s3.find(cloud, f"s3://{BUCKET}/{address}")
    assert (found.uri, found.bytes, found.kms_key) == (f"s3://{BUCKET}/labels/my.csv", 11, None)
    assert found.name == Path("my.csv")


def test_what_is_not_one_file_is_said_in_a_sentence(cloud: Cloud) -> None:
    assert refused(cloud, f"s3://{BUCKET}/labels/").startswith(
        f"there is no file under s3://{BUCKET}/labels/"
    )
    put(cloud, "labels/a.csv", "labels/b.csv", "labels/b.csv.old")
    assert refused(cloud, f"s3://{BUCKET}/labels/").startswith("there are 3 files or more under")
    assert "1 other names start with" in refused(cloud, f"s3://{BUCKET}/labels/b.csv")
    put(cloud, "empty/my.csv", body=b"")
    assert refused(cloud, f"s3://{BUCKET}/empty/").endswith("is empty; put labelled reviews there")


def test_a_bucket_that_is_not_there_or_in_another_region_is_said_in_a_sentence(cloud: Cloud) -> None:
    assert refused(cloud, "s3://no-such-shop/labels").startswith("there is no bucket no-such-shop")
    elsewhere = cloud.client("s3", "us-west-2")
    place = {"LocationConstraint": "us-west-2"}
    elsewhere.create_bucket(Bucket="far-shop", CreateBucketConfiguration=place)
    message = refused(cloud, "s3://far-shop/labels")
    assert message.startswith(
        "bucket far-shop is in us-west-2, and a job in eu-west-1 reads from its own region alone"
    )
    assert "--region us-west-2" in message


@pytest.mark.parametrize(
    "key", ["labels/*.csv", "labels/a?.csv", "labels/${aws:username}.csv", "labels/a\tb.csv"]
)
def test_a_name_that_a_policy_would_take_for_several_is_refused(cloud: Cloud, key: str) -> None:
    put(cloud, key)
    assert refused(cloud, f"s3://{BUCKET}/labels/").startswith("a job can't be limited to a file with")


def test_the_key_that_encrypts_a_file_is_known(cloud: Cloud) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
    cloud.client("s3").put_object(
        Bucket=BUCKET, Key="labels/my.csv", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )
    assert reviews_s3.find(cloud, f"s3://{BUCKET}/labels/").kms_key == key


def test_what_was_put_has_its_hash_and_is_deleted_alone(cloud: Cloud, tmp_path: Path) -> None:
    s3, bucket = cloud.client("s3"), STAGE.bucket
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    file = save(tmp_path / "my.csv", rows(3))
    sent = reviews_s3.put(cloud, file, "training/run/reviews")
    assert sent.key == "training/run/reviews/my.csv"
    assert s3.get_object(Bucket=bucket, Key=sent.key)["Body"].read() == file.read_bytes()
    assert reviews_s3.digest_of(cloud, sent) == sha256_of(file)
    s3.put_object(Bucket=bucket, Key="training/run/reviews-of-others/my.csv", Body=b"x")
    assert reviews_s3.delete(cloud, "training/run/reviews") == 1
    assert reviews_s3.digest_of(cloud, sent) is None
    left = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert left == ["training/run/reviews-of-others/my.csv"]


@pytest.mark.parametrize("address", ["s3://", "s3://B/x", "s3://bucket", "s3://bucket/", "s3:/bucket/x"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    assert refused(Cloud(STAGE, None), address).startswith(
        "an address in S3 looks like s3://bucket/prefix/my.csv"
    )


class Denying:
    """S3 as it answers someone who lacks a right: 403, and no word more."""

    def __init__(self, denied: str) -> None:
        self.denied = denied

    def __getattr__(self, name: str) -> object:
        def answer(**_: object) -> dict[str, object]:
            if name == self.denied:
                raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, name)
            return {
                "ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": REGION}},
                "Contents": [{"Key": "labels/my.csv"}],
            }

        return answer


@pytest.mark.parametrize(
    ("denied", "right"),
    [
        ("head_bucket", f"s3:ListBucket on {BUCKET}"),
        ("list_objects_v2", f"s3:ListBucket on {BUCKET}"),
        ("head_object", f"s3:GetObject on s3://{BUCKET}/labels/my.csv"),
    ],
)
def test_a_missing_right_is_named(denied: str, right: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(STAGE, None)
    monkeypatch.setattr(cloud, "client", lambda service: Denying(denied))
    message = refused(cloud, f"s3://{BUCKET}/labels/")
    assert message == f"your AWS user lacks the permission {right}; add it and run this again"
