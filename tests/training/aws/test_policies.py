"""policies.py and chalice_app/.chalice/policy-*.json: each right is written out, and no more is allowed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from training.aws import cloud, images, policies
from vocab.messages.feedback import Place

CHALICE = Path(__file__).resolve().parents[3] / "chalice_app/.chalice"
STAGES = ("dev", "prod", "test")
STAGE = cloud.Stage("dev", "123456789012", "eu-west-1")
# AWS knows no resource for these; the second is narrowed by a condition.
NO_RESOURCE = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}
NAMESPACE = {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}}


FOLDER, KEY = "adapt/verdict-dev-adapt-0a1b2c", "labels/my.csv"
KMS_KEY = f"arn:aws:kms:{STAGE.region}:{STAGE.account}:key/0a1b"
ADAPTATION = policies.of_adaptation(STAGE, FOLDER, "the-shop", KEY, KMS_KEY)


def committed(name: str) -> dict[str, Any]:
    return dict(json.loads((CHALICE / f"policy-{name}.json").read_text(encoding="utf-8")))


def all_policies() -> dict[str, dict[str, Any]]:
    written = {
        "sagemaker": policies.of_sagemaker(STAGE),
        "endpoint": policies.of_endpoint(STAGE),
        "own image": policies.of_image(STAGE, images.OWN_EXAMPLE),
        "function": policies.of_function(STAGE),
        "function that calls a function": policies.of_function(STAGE, STAGE.model_aliases[0]),
        "model function": policies.of_model_function(STAGE),
        "bucket": policies.of_bucket(STAGE, STAGE.bucket),
        "trust": policies.trust(STAGE, "sagemaker"),
        "adaptations": policies.of_adaptations(STAGE),
        "adaptation": ADAPTATION,
    }
    return written | {f"policy-{name}.json": committed(name) for name in STAGES}


POLICIES = all_policies()


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def faults(policy: dict[str, Any], open_region: bool = False) -> Iterator[str]:
    """Return what a policy allows too widely; with ``open_region`` account and region may be any."""
    for statement in policy["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        if statement.keys() & {"NotAction", "NotResource", "NotPrincipal"}:
            yield "it allows all but something"
            continue
        if statement.get("Principal", "") in ("*", {"AWS": "*"}):
            yield "it allows anybody"
        actions = listed(statement["Action"])
        yield from (f"action {action}" for action in actions if "*" in action or "?" in action)
        for resource in listed(statement.get("Resource", [])):
            yield from resource_faults(resource, actions, statement.get("Condition"), open_region)


def resource_faults(resource: str, actions: list[str], condition: Any, open_region: bool) -> Iterator[str]:
    if resource == "*":
        if len(actions) != 1 or actions[0] not in NO_RESOURCE:
            yield f"resource * for {actions}"
        elif actions[0] == "cloudwatch:PutMetricData" and condition != NAMESPACE:
            yield "metrics of any namespace"
        return
    parts = resource.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        yield f"{resource} is no ARN"
        return
    place = parts[1:3] if open_region else parts[1:5]
    if any("*" in part or "?" in part for part in place):
        yield f"partition, service, region or account is open in {resource}"
    # A name may end open (the files under a prefix, the logs of a group), but is never open from its start.
    name = re.sub(r"[:/]\*$", "", parts[5])
    if "*" in name or "?" in name or name in ("log-group", "endpoint", "repository"):
        yield f"the name is open in {resource}"


@pytest.mark.parametrize("name", POLICIES)
def test_nothing_is_allowed_too_widely(name: str) -> None:
    assert list(faults(POLICIES[name], open_region=name.endswith(".json"))) == []


@pytest.mark.parametrize(
    "change",
    [
        {"Action": "*"},
        {"Action": ["s3:*"]},
        {"Action": "s3:Get*"},
        {"Resource": "*"},
        {"Resource": "arn:aws:s3:::*"},
        {"Resource": "arn:aws:sagemaker:*:123456789012:endpoint/verdict-dev"},
        {"Resource": "arn:aws:sagemaker:eu-west-1:*:endpoint/verdict-dev"},
        {"Resource": "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/*"},
        {"Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:*"},
        {"Resource": ["arn:aws:s3:::verdict-dev/data/*", "arn:aws:s3:::verdict-*/data/*"]},
        {"Resource": "verdict-dev"},
        {"NotAction": "s3:GetObject"},
        {"Principal": "*"},
        {"Action": "cloudwatch:PutMetricData", "Resource": "*"},
        {"Action": ["ecr:GetAuthorizationToken", "s3:GetObject"], "Resource": "*"},
    ],
    ids=str,
)
def test_what_is_too_wide_is_seen(change: dict[str, Any]) -> None:
    good = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::verdict-dev/data/*"}
    assert list(faults({"Statement": [good]})) == []
    assert list(faults({"Statement": [good | change]})) != []


@pytest.mark.parametrize("name", STAGES)
def test_the_function_s_policy_is_the_committed_one_with_account_and_region(name: str) -> None:
    text = json.dumps(committed(name)).replace(":*:*:", ":eu-west-1:123456789012:")
    assert json.loads(text) == policies.of_function(STAGE._replace(name=name))


def test_only_the_committed_policies_leave_account_and_region_open() -> None:
    assert all(list(faults(committed(name))) != [] for name in STAGES)


def test_nobody_reaches_a_bucket_without_tls() -> None:
    (refuse,) = policies.of_bucket(STAGE, "verdict-b")["Statement"]
    assert (refuse["Effect"], refuse["Principal"], refuse["Action"]) == ("Deny", "*", "s3:*")
    assert refuse["Resource"] == ["arn:aws:s3:::verdict-b", "arn:aws:s3:::verdict-b/*"]
    assert refuse["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_jobs_write_only_where_results_go() -> None:
    write = next(one for one in POLICIES["sagemaker"]["Statement"] if one["Sid"] == "WriteFiles")
    assert listed(write["Action"]) == ["s3:PutObject"]
    assert write["Resource"] == [
        f"arn:aws:s3:::{STAGE.bucket}/training/*",
        f"arn:aws:s3:::{STAGE.bucket}/batch/*",
    ]


def test_jobs_that_adapt_have_no_right_on_a_file_by_their_role_alone() -> None:
    assert "s3:" not in json.dumps(POLICIES["adaptations"])
    assert "notebook" not in json.dumps(POLICIES["adaptations"])


def test_a_job_that_adapts_reads_one_file_of_reviews_and_its_own_folder_alone() -> None:
    statements = {one["Sid"]: one for one in ADAPTATION["Statement"]}
    own = f"arn:aws:s3:::{STAGE.bucket}"
    assert {
        sid: one["Resource"] for sid, one in statements.items() if "s3:GetObject" in listed(one["Action"])
    } == {
        "ReadReviews": f"arn:aws:s3:::the-shop/{KEY}",
        "UseOwnFolder": f"{own}/{FOLDER}/*",
    }
    assert [sid for sid, one in statements.items() if "s3:PutObject" in listed(one["Action"])] == [
        "UseOwnFolder"
    ]
    names = {
        one["Resource"]: one["Condition"]["StringLike"]["s3:prefix"]
        for one in statements.values()
        if one["Action"] == "s3:ListBucket"
    }
    assert names == {"arn:aws:s3:::the-shop": f"{KEY}*", own: f"{FOLDER}/*"}


def test_a_key_decrypts_for_a_job_that_adapts_through_s3_alone_and_only_where_there_is_one() -> None:
    (decrypt,) = [one for one in ADAPTATION["Statement"] if one["Action"] == "kms:Decrypt"]
    assert decrypt["Resource"] == KMS_KEY
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    assert "kms" not in json.dumps(policies.of_adaptation(STAGE, FOLDER, "the-shop", KEY))


def test_a_role_is_taken_by_its_service_alone() -> None:
    (statement,) = policies.trust(STAGE, "lambda")["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"


def test_in_another_partition_every_arn_is_there() -> None:
    stage = cloud.Stage("dev", "123456789012", "cn-north-1", "aws-cn")
    for policy in (policies.of_sagemaker(stage), policies.of_endpoint(stage), policies.of_function(stage)):
        for statement in policy["Statement"]:
            resources = listed(statement["Resource"])
            assert all(one == "*" or one.startswith("arn:aws-cn:") for one in resources)


def test_a_function_may_put_and_delete_feedback_where_it_is_kept_and_not_read_it() -> None:
    policy = policies.of_function(STAGE, feedback=Place("said", "my-bucket"))
    (statement,) = [one for one in policy["Statement"] if one["Sid"] == "KeepFeedback"]
    assert statement["Action"] == ["s3:PutObject", "s3:DeleteObject"]
    assert statement["Resource"] == f"arn:{STAGE.partition}:s3:::my-bucket/said/*.json"


def test_without_feedback_a_function_has_no_right_on_a_bucket() -> None:
    assert "s3:" not in json.dumps(policies.of_function(STAGE))
