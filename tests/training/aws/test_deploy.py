"""A deploy against a simulated AWS: complete, unchanged by a second run, and removed whole.

Chalice itself runs where a test asks for the fixture ``chalice``.
"""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.model import random_package
from tests.support.runtime import Runtime
from tests.support.stage import WHOLE, kinds, leftovers, make, names, options, quiet
from training.aws import cloud as clouds
from training.aws import (
    deploy,
    destroy,
    function,
    gateway,
    hosting,
    inventory,
    page,
    policies,
    resources,
    status,
)
from training.aws.cloud import Cloud, CloudError
from training.endpoint import inference

pytestmark = [pytest.mark.slow, pytest.mark.long]


NOW = datetime(2026, 11, 25, tzinfo=UTC)


# --- what is made -------------------------------------------------------------------------------


@pytest.mark.usefixtures("chalice", "whole_site")
def test_a_deploy_is_read_back_as_promised_and_again_changes_nothing(cloud: Cloud, package: Path) -> None:
    first = make(cloud, package)
    assert kinds(cloud) == WHOLE
    check_endpoint(cloud, first)
    check_function(cloud, first)
    check_api(cloud, first)
    check_page(cloud, first)
    before = inventory.find(cloud)
    again = make(cloud, package)
    assert again == first
    assert names(inventory.find(cloud)) == names(before)
    assert destroy.destroy(cloud, say=quiet) == len(WHOLE)
    assert inventory.find(cloud) == []
    assert leftovers(cloud) == {}


def check_endpoint(cloud: Cloud, made: deploy.Deployed) -> None:
    sagemaker = cloud.client("sagemaker")
    found = sagemaker.describe_endpoint(EndpointName="verdict-dev")
    assert found["EndpointStatus"] == "InService"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    (variant,) = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "InstanceType" not in variant
    assert not config.get("DataCaptureConfig")
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["ExecutionRoleArn"].endswith(":role/verdict-dev-endpoint")
    container = model["PrimaryContainer"]
    assert container["Image"].endswith(
        ".dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    )
    assert container["ModelDataUrl"] == (
        f"s3://{cloud.stage.bucket}/packages/{made.package_sha256}/model.tar.gz"
    )
    logs = cloud.client("logs")
    for group in ("/aws/lambda/verdict-dev", "/aws/sagemaker/Endpoints/verdict-dev"):
        (described,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        assert described["retentionInDays"] == gateway.LOG_DAYS


def check_function(cloud: Cloud, made: deploy.Deployed) -> None:
    found = cloud.client("lambda").get_function(FunctionName="verdict-dev")
    assert cloud.stage.owns(found["Tags"])
    configured = found["Configuration"]
    assert configured["Environment"]["Variables"] == {"ENDPOINT_NAME": "verdict-dev"}
    assert configured["Timeout"] == 25
    assert configured["Role"].endswith(":role/verdict-dev-function")
    iam = cloud.client("iam")
    written = iam.get_role_policy(RoleName="verdict-dev-function", PolicyName="verdict-dev-function")
    assert written["PolicyDocument"] == policies.of_function(cloud.stage)
    assert {role["RoleName"] for role in iam.list_roles()["Roles"]} == {
        "verdict-dev-function",
        "verdict-dev-endpoint",
    }


def check_api(cloud: Cloud, made: deploy.Deployed) -> None:
    client = cloud.client("apigateway")
    (api,) = client.get_rest_apis()["items"]
    assert made.api_url == f"https://{api['id']}.execute-api.eu-west-1.amazonaws.com/api/"
    assert cloud.stage.owns(api["tags"])
    set_there = {
        one["responseType"]: one for one in client.get_gateway_responses(restApiId=api["id"])["items"]
    }
    for response in gateway.responses():
        found = set_there[response["responseType"]]
        assert found["responseParameters"] == response["responseParameters"]
        assert found["responseTemplates"] == response["responseTemplates"]
    stage = client.get_stage(restApiId=api["id"], stageName="api")
    throttled = stage["methodSettings"]["*/*"]
    assert throttled["throttlingBurstLimit"] == gateway.THROTTLE["burst"]
    assert throttled["throttlingRateLimit"] == gateway.THROTTLE["rate"]


def check_page(cloud: Cloud, made: deploy.Deployed) -> None:
    assert made.page_url and made.page_url.startswith("https://")
    s3, bucket = cloud.client("s3"), cloud.stage.site_bucket
    config = s3.get_object(Bucket=bucket, Key="config.js")
    assert made.api_url.rstrip("/") in config["Body"].read().decode()
    assert config["ContentType"].startswith("text/javascript")
    origin = made.api_url.removesuffix("/api/")
    names = {one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert "index.html" in names and "serve.py" not in names
    for name in names:
        if name.endswith(".html"):
            html = s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode()
            assert f"connect-src &#x27;self&#x27; {origin};" in html
    (distribution,) = page.distributions(cloud)
    config = cloud.client("cloudfront").get_distribution_config(Id=distribution["Id"])["DistributionConfig"]
    (origin,) = config["Origins"]["Items"]
    assert origin["OriginAccessControlId"] == page.access_controls(cloud)[0]["Id"]
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    allowed = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert [one["Condition"]["StringEquals"]["AWS:SourceArn"] for one in allowed] == [distribution["ARN"]]
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == (
        resources.PUBLIC_ACCESS
    )


# --- other ways to host -------------------------------------------------------------------------


def test_a_real_time_endpoint_grows_with_its_load_and_goes_back_to_serverless(
    cloud: Cloud, package: Path
) -> None:
    make(cloud, package, "--kind", "realtime", "--instance-type", "ml.m5.large", "--site", "none")
    sagemaker, scaling = cloud.client("sagemaker"), cloud.client("application-autoscaling")
    config = sagemaker.describe_endpoint(EndpointName="verdict-dev")["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 1)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)
    (row,) = [row for row in status.rows(cloud, NOW) if row["kind"] == "endpoint"]
    assert row["idle_hour"] == pytest.approx(0.115)
    made = make(cloud, package, "--kind", "serverless", "--site", "none")
    assert made.endpoint == function.endpoint_in_use(cloud) == "verdict-dev-2"
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    (row,) = [row for row in status.rows(cloud, NOW) if row["kind"] == "endpoint"]
    assert (row["name"], row["idle_hour"]) == ("verdict-dev-2", 0)
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


def test_a_website_is_public_and_a_budget_is_made_for_who_asks(cloud: Cloud, package: Path) -> None:
    made = make(cloud, package, "--site", "website", "--budget-email", "owner@example.com")
    assert made.page_url == f"http://{cloud.stage.site_bucket}.s3-website.eu-west-1.amazonaws.com/"
    (budget,) = cloud.client("budgets", "us-east-1").describe_budgets(AccountId=cloud.stage.account)[
        "Budgets"
    ]
    assert budget["BudgetLimit"]["Amount"] == "20.00"
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


# --- another vocabulary -------------------------------------------------------------------------


def test_who_deploys_hands_on_whether_a_key_is_wanted_and_the_hashes_alone(
    cloud: Cloud, build_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"AUTH": "key", "API_KEYS": "ab" * 32, "API_KEY": "verdict_secret"}.items():
        monkeypatch.setenv(name, value)
    own = function.settings(cloud, os.environ)
    text = (function.build(cloud, "verdict-dev", "role", own) / ".chalice/config.json").read_text()
    variables = json.loads(text)["stages"]["dev"]["environment_variables"]
    assert variables == {"ENDPOINT_NAME": "verdict-dev", "AUTH": "key", "API_KEYS": "ab" * 32}
    assert "verdict_secret" not in text


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"AUTH": "key"}, "API_KEYS must hold the SHA-256 of each key"),
        ({"AUTH": "key", "API_KEYS": "abc"}, "API_KEYS must hold the SHA-256 of each key"),
        ({"AUTH": "foo"}, "AUTH must be none or key, got 'foo'"),
        ({"COMPATIBLE": "openai"}, "COMPATIBLE must be none, or one or several of comprehend, tei"),
    ],
)
def test_keys_and_protocols_that_the_app_would_refuse_are_refused_before_anything_is_created(
    env: dict[str, str], words: str, cloud: Cloud, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CloudError, match=words):
        deploy.deploy(cloud, options(package), quiet)
    assert leftovers(cloud) == {}


def test_another_vocabulary_gets_an_endpoint_of_its_own_and_the_first_is_removed(
    cloud: Cloud, package: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(cloud, package, "--site", "none")
    monkeypatch.setattr(hosting, "card_of", lambda cloud, endpoint: {"vocabulary": "0123456789abcdef"})
    made = make(cloud, package, "--site", "none")
    assert made.endpoint == "verdict-dev-2"
    assert function.endpoint_in_use(cloud) == "verdict-dev-2"
    endpoints = cloud.client("sagemaker").list_endpoints()["Endpoints"]
    assert [one["EndpointName"] for one in endpoints] == ["verdict-dev-2"]
    written = cloud.client("iam").get_role_policy(
        RoleName="verdict-dev-function", PolicyName="verdict-dev-function"
    )
    assert written["PolicyDocument"]["Statement"][0]["Resource"].endswith("endpoint/verdict-dev-2")
    assert make(cloud, package, "--site", "none").endpoint == "verdict-dev"
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


# --- mischief -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("chalice")
def test_an_api_that_chalice_left_untagged_is_found_and_another_s_is_not(cloud: Cloud, package: Path) -> None:
    make(cloud, package, "--site", "none")
    client = cloud.client("apigateway")
    (api,) = client.get_rest_apis()["items"]
    arn = f"arn:aws:apigateway:eu-west-1::/restapis/{api['id']}"
    client.untag_resource(resourceArn=arn, tagKeys=list(cloud.stage.tags))
    other = client.create_rest_api(name="verdict")
    assert [one["id"] for one in function.apis(cloud)] == [api["id"]]
    destroy.destroy(cloud, say=quiet)
    assert [one["id"] for one in client.get_rest_apis()["items"]] == [other["id"]]


def test_what_is_another_s_is_refused_and_never_touched(cloud: Cloud, package: Path) -> None:
    iam = cloud.client("iam")
    iam.create_role(RoleName=cloud.stage.role, AssumeRolePolicyDocument="{}")
    sagemaker = cloud.client("sagemaker")
    container = {"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/m:1"}
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=cloud.stage.role_arn, PrimaryContainer=container)
    sagemaker.create_endpoint_config(
        EndpointConfigName="other",
        ProductionVariants=[{"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large"}],
    )
    for name in ("verdict-dev", "verdict-device"):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="other")
    with pytest.raises(CloudError, match="role verdict-dev-sagemaker exists without"):
        make(cloud, package)
    destroy.destroy(cloud, say=quiet)
    iam.delete_role(RoleName=cloud.stage.role)
    with pytest.raises(CloudError, match="endpoint verdict-dev exists without"):
        make(cloud, package)
    destroy.destroy(cloud, say=quiet)
    left = leftovers(cloud)
    assert sorted(left) == ["configs", "endpoints", "models"]
    assert len(left["endpoints"]) == 2


@pytest.mark.usefixtures("chalice")
def test_a_stage_whose_things_were_deleted_by_hand_is_mended_and_removed(cloud: Cloud, package: Path) -> None:
    make(cloud, package)
    sagemaker = cloud.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="verdict-dev")
    cloud.client("lambda").delete_function(FunctionName="verdict-dev")
    cloud.client("logs").delete_log_group(logGroupName="/aws/lambda/verdict-dev")
    make(cloud, package)
    assert kinds(cloud) == WHOLE
    for model in sagemaker.list_models()["Models"]:
        sagemaker.delete_model(ModelName=model["ModelName"])
    cloud.client("lambda").delete_function(FunctionName="verdict-dev")
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


@pytest.mark.usefixtures("chalice")
def test_two_stages_share_an_account_and_only_one_is_removed(cloud: Cloud, package: Path) -> None:
    other = clouds.open_stage("prod")
    make(cloud, package, "--site", "none")
    make(other, package, "--site", "none")
    before = names(inventory.find(other))
    destroy.destroy(cloud, say=quiet)
    assert names(inventory.find(other)) == before
    destroy.destroy(other, say=quiet)
    assert leftovers(cloud) == {}


@pytest.mark.usefixtures("chalice")
def test_a_lost_laptop_loses_nothing(cloud: Cloud, package: Path, build_folder: Path) -> None:
    first = make(cloud, package, "--site", "none")
    shutil.rmtree(build_folder / "build")
    assert make(cloud, package, "--site", "none").api_url == first.api_url
    shutil.rmtree(build_folder / "build")
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


def test_a_stage_in_another_region_is_neither_seen_nor_touched(cloud: Cloud, package: Path) -> None:
    make(cloud, package, "--budget-email", "owner@example.com")
    before = names(inventory.find(cloud))
    elsewhere = clouds.open_stage("dev", "us-east-1")
    with pytest.raises(CloudError, match="stage dev is in region eu-west-1 already"):
        make(elsewhere, package)
    assert inventory.find(elsewhere) == []
    assert destroy.destroy(elsewhere, quiet) == 0
    assert names(inventory.find(cloud)) == before
    assert len(cloud.client("s3").list_buckets()["Buckets"]) == 2
    destroy.destroy(cloud, quiet)
    assert leftovers(cloud) == {}


def test_another_s_log_of_our_name_is_refused_and_stays(cloud: Cloud, package: Path) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=cloud.stage.function_log, tags={"team": "other"})
    with pytest.raises(CloudError, match="log group /aws/lambda/verdict-dev exists without"):
        make(cloud, package, "--site", "none")
    destroy.destroy(cloud, quiet)
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == [
        cloud.stage.function_log
    ]


def test_another_s_budget_and_lifecycle_of_our_name_stay(cloud: Cloud, package: Path) -> None:
    budgets, sagemaker = cloud.client("budgets", "us-east-1"), cloud.client("sagemaker")
    limit = {"Amount": "999", "Unit": "USD"}
    budget = {"BudgetName": "verdict-dev", "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    budgets.create_budget(AccountId=cloud.stage.account, Budget=budget)
    name = {"NotebookInstanceLifecycleConfigName": cloud.stage.notebook}
    sagemaker.create_notebook_instance_lifecycle_config(**name)
    with pytest.raises(CloudError, match="budget verdict-dev exists without this stage's tags"):
        make(cloud, package, "--site", "none", "--budget-email", "owner@example.com")
    destroy.destroy(cloud, quiet)
    assert len(budgets.describe_budgets(AccountId=cloud.stage.account)["Budgets"]) == 1
    assert sagemaker.describe_notebook_instance_lifecycle_config(**name)


def test_a_page_that_is_up_stays_readable_through_another_deploy(cloud: Cloud, package: Path) -> None:
    make(cloud, package)
    written: list[str] = []
    cloud.session.events.register(
        "before-call.s3.PutBucketPolicy", lambda params, **_: written.append(str(params["body"]))
    )
    fresh = clouds.Cloud(cloud.stage, cloud.session)
    make(fresh, package)
    site = [policy for policy in written if cloud.stage.site_bucket in policy]
    assert site and all("OneDistributionReads" in policy for policy in site)
    destroy.destroy(cloud, quiet)


def test_another_host_or_none_takes_the_page_s_first_one_away(cloud: Cloud, package: Path) -> None:
    make(cloud, package)
    make(cloud, package, "--site", "website")
    assert page.distributions(cloud) == page.access_controls(cloud) == []
    assert cloud.client("s3").get_bucket_website(Bucket=cloud.stage.site_bucket)["IndexDocument"]
    make(cloud, package)
    assert len(page.distributions(cloud)) == 1
    blocked = cloud.client("s3").get_public_access_block(Bucket=cloud.stage.site_bucket)
    assert blocked["PublicAccessBlockConfiguration"] == resources.PUBLIC_ACCESS
    made = make(cloud, package, "--site", "none")
    assert made.page_url is None
    assert resources.bucket_tags(cloud, cloud.stage.site_bucket) is None
    assert page.distributions(cloud) == []
    destroy.destroy(cloud, quiet)
    assert leftovers(cloud) == {}


def test_a_deleted_configuration_is_made_anew_even_for_another_kind(cloud: Cloud, package: Path) -> None:
    make(cloud, package, "--site", "none")
    sagemaker = cloud.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName="verdict-dev")["EndpointConfigName"]
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    with pytest.raises(CloudError, match="a part of endpoint .* was deleted; `make deploy` creates it anew"):
        hosting.plan_of(cloud, sagemaker.describe_endpoint(EndpointName="verdict-dev"))
    made = make(cloud, package, "--site", "none", "--kind", "realtime")
    assert made.endpoint == "verdict-dev-2"
    destroy.destroy(cloud, quiet)
    assert leftovers(cloud) == {}


# --- what is refused before anything is made ------------------------------------------------------


@pytest.mark.parametrize(
    "flags, sentence",
    [
        (["--memory", "999999"], "--memory must be one of 1024, 2048, .* MB, got 999999"),
        (["--concurrency", "0"], "--concurrency must be 1 to 200, got 0"),
        (["--kind", "realtime", "--instances", "0"], "--instances must be 1 or more, got 0"),
        (["--budget-email", "nonsense"], "--budget-email must be an address such as you@example.com"),
        (
            ["--budget-email", "a@b.example", "--budget-dollars", "nan"],
            "--budget-dollars must be more than 0",
        ),
        (["--budget-email", "a@b.example", "--budget-dollars", "-3"], "must be more than 0, got -3.0"),
    ],
)
def test_flags_that_would_fail_later_are_refused_at_once(
    flags: list[str], sentence: str, cloud: Cloud, package: Path
) -> None:
    with pytest.raises(CloudError, match=sentence):
        make(cloud, package, *flags)
    with pytest.raises(CloudError, match=sentence):
        deploy.check(cloud, options(package, *flags))
    assert leftovers(cloud) == {}


# --- what goes wrong ----------------------------------------------------------------------------


def test_a_failed_endpoint_is_said_with_its_log_and_made_anew_by_the_next_deploy(
    cloud: Cloud, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe = hosting.describe
    failed = {"EndpointStatus": "Failed", "FailureReason": "the container did not pass the ping"}

    def described(cloud: Cloud, endpoint: str) -> Any:
        found = describe(cloud, endpoint)
        return {**found, **failed} if found else None

    make(cloud, package, "--site", "none")
    logs, group = cloud.client("logs"), cloud.stage.endpoint_log("verdict-dev")
    later = int(datetime.now(UTC).timestamp() * 1000) + 60_000  # after what the endpoint itself writes
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    logs.put_log_events(
        logGroupName=group,
        logStreamName="one",
        logEvents=[{"timestamp": later, "message": "no module named onnxruntime"}],
    )
    monkeypatch.setattr(hosting, "describe", described)
    with pytest.raises(CloudError) as failure:
        hosting.wait(cloud, "verdict-dev", quiet)
    remedy = "; try another IMAGE (sklearn, ray, pytorch), or ENDPOINT_KIND=realtime"
    assert f"did not pass the ping{remedy}" in str(failure.value)
    assert "no module named onnxruntime" in str(failure.value)
    lines: list[str] = []
    monkeypatch.setattr(hosting, "describe", Once(described, describe))
    deploy.deploy(cloud, options(package, "--site", "none"), lines.append)
    assert any("is created anew" in line for line in lines)


class Once:
    """The first function for the fifth and sixth call, the second one for the others."""

    def __init__(self, first: Any, second: Any) -> None:
        self.calls, self.first, self.second = 0, first, second

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return (self.first if 5 <= self.calls <= 6 else self.second)(*args)


def test_an_endpoint_that_answers_wrongly_stops_the_deploy(
    cloud: Cloud, package: Path, runtime: Runtime, tmp_path: Path
) -> None:
    random_package(tmp_path / "other")
    runtime._models.clear()
    wrong = inference.model_fn(tmp_path / "other")
    runtime.model_of = lambda endpoint: wrong  # type: ignore[method-assign]
    with pytest.raises(CloudError, match="answers as verdict-.*, expected verdict-"):
        make(cloud, package)


def test_a_waking_endpoint_is_waited_for_and_a_broken_one_is_not(
    cloud: Cloud, package: Path, runtime: Runtime
) -> None:
    runtime.failures["verdict-dev"] = (
        424,
        "ModelError",
        {"Message": "x", "OriginalStatusCode": 500, "OriginalMessage": '{"code": "model_failed"}'},
    )
    with pytest.raises(CloudError, match='can\'t answer: {"code": "model_failed"}'):
        make(cloud, package)
    waking = (530, "ModelNotReadyException", {"Message": "not ready"})
    runtime.failures["verdict-dev"] = waking
    calls = len(runtime.calls)
    original = runtime.answer

    def answer(*args: Any) -> Any:
        if len(runtime.calls) >= calls + 3:
            runtime.failures.clear()
        return original(*args)

    runtime.answer = answer  # type: ignore[method-assign]
    make(cloud, package)


def test_an_unknown_stage_is_refused_before_anything_is_made(runtime: Runtime, package: Path) -> None:
    other = clouds.open_stage("other")
    with pytest.raises(CloudError, match="has no stage other, only dev, prod, test; add it there"):
        make(other, package)
    assert leftovers(other) == {}


def test_a_refused_call_names_the_missing_right(cloud: Cloud, package: Path) -> None:
    def refuse(**_: Any) -> None:
        message = (
            "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sagemaker:CreateModel"
            " on resource: arn:aws:sagemaker:eu-west-1:123456789012:model/verdict-dev-1"
        )
        raise boto3.exceptions.botocore.exceptions.ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": message}}, "CreateModel"
        )

    cloud.session.events.register("before-call.sagemaker.CreateModel", refuse)
    with pytest.raises(SystemExit) as ended, clouds.exit_on_error("deploy"):
        make(cloud, package)
    assert str(ended.value) == (
        "deploy: your AWS user lacks the right sagemaker:CreateModel on"
        " arn:aws:sagemaker:eu-west-1:123456789012:model/verdict-dev-1; add it and run this again"
    )
