"""Each role by itself: what works by it has every right that it needs, and no right is without use."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support import aws_side, iam, rights
from tests.support import stage as stages
from tests.support.aws_server import AwsServer
from tests.support.iam import Request, Right
from tests.support.runtime import Runtime
from training.aws import policies, resources
from training.aws.cloud import Cloud, Stage, open_stage
from training.aws.doctor import account
from training.endpoint import inference

# The SageMaker SDK warns about its own modules when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

# --- deciding as IAM does ------------------------------------------------------------------------

BUCKET = "arn:aws:s3:::b"
READ = {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/data/*"}
LIST = {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": BUCKET}
PREFIX = {"Condition": {"StringLike": {"s3:prefix": "data/*"}}}
DENY = {"Sid": "No", "Effect": "Deny", "Action": "s3:*", "Resource": f"{BUCKET}/data/secret?"}


def decide(*statements: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    request = Request(
        "me", action, resource, {key.replace("_", ":"): value for key, value in context.items()}
    )
    return iam.decide([{"Statement": [statement]} for statement in statements], request)


@pytest.mark.parametrize(
    ("resource", "allowed"),
    [(f"{BUCKET}/data/a/b", True), (f"{BUCKET}/datab", False), (BUCKET, False), (f"{BUCKET}/data/", True)],
)
def test_a_right_holds_for_its_resource_alone(resource: str, allowed: bool) -> None:
    assert decide(READ, action="s3:GetObject", resource=resource) is allowed


def test_a_right_holds_for_its_action_alone_in_any_case() -> None:
    assert decide(READ, action="S3:getobject", resource=f"{BUCKET}/data/a")
    assert not decide(READ, action="s3:PutObject", resource=f"{BUCKET}/data/a")


def test_a_deny_wins() -> None:
    assert not decide(READ, DENY, action="s3:GetObject", resource=f"{BUCKET}/data/secret1")
    assert decide(READ, DENY, action="s3:GetObject", resource=f"{BUCKET}/data/secret12")


def test_a_condition_on_what_the_request_lacks_or_has_otherwise_fails() -> None:
    question = {"action": "s3:ListBucket", "resource": BUCKET}
    assert decide(LIST, **question)
    assert not decide(LIST | PREFIX, **question)
    assert not decide(LIST | PREFIX, **question, s3_prefix="other/")
    assert decide(LIST | PREFIX, **question, s3_prefix="data/x")


@pytest.mark.parametrize(
    "change", [{"NotResource": BUCKET}, {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}], ids=str
)
def test_what_the_simulation_does_not_know_is_never_passed_over(change: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        decide(LIST | change, action="s3:ListBucket", resource=BUCKET)


def test_a_right_is_used_by_a_request_that_it_allows() -> None:
    policy = {"Statement": [READ, LIST | PREFIX]}
    requests = [Request("me", "s3:GetObject", f"{BUCKET}/data/a"), Request("me", "s3:ListBucket", BUCKET)]
    assert iam.used(policy, requests) == {Right("Read", "s3:GetObject", f"{BUCKET}/data/*")}


def test_the_two_arns_of_a_log_group_are_one_right() -> None:
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:/a"
    one = {"Sid": "Log", "Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": [group, f"{group}:*"]}
    (right,) = iam.rights({"Statement": [one]})
    request = Request("me", "logs:PutLogEvents", f"{group}:log-stream:s")
    assert iam.used({"Statement": [one]}, [request]) == {right}
    assert not iam.decide([iam.without({"Statement": [one]}, right)], request)


def test_a_function_calls_one_alias_of_the_model_s_function() -> None:
    stage = Stage("dev", "123456789012", "eu-west-1")
    live, other = stage.model_aliases
    policy = policies.of_function(stage, live)
    for alias, allowed in ((live, True), (other, False), (stage.model_function, False)):
        request = Request("me", "lambda:InvokeFunction", stage.model_arn(alias))
        assert iam.decide([policy], request) is allowed, alias


# --- the simulated account enforces it -----------------------------------------------------------


@pytest.fixture
def cloud(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Stage dev with its bucket and a file."""
    monkeypatch.setattr(resources, "ROLE_SECONDS", 0)
    opened = open_stage("dev")
    resources.ensure_bucket(opened, opened.stage.bucket)
    opened.client("s3").put_object(Bucket=opened.stage.bucket, Key="packages/a", Body=b"a")
    opened.client("s3").put_object(Bucket=opened.stage.bucket, Key="data/a", Body=b"a")
    return opened


def refusal(call: Any, *args: Any, **keywords: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(*args, **keywords)
    return f"{error.value.response['Error']['Code']}: {error.value.response['Error']['Message']}"


def test_a_role_reads_what_its_policy_names_and_nothing_beside(aws: AwsServer, cloud: Cloud) -> None:
    s3 = aws_side.Role(resources.ensure_endpoint_role(cloud)).client("s3")
    bucket = cloud.stage.bucket
    assert s3.get_object(Bucket=bucket, Key="packages/a")["Body"].read() == b"a"
    assert refusal(s3.get_object, Bucket=bucket, Key="data/a").startswith("AccessDenied")
    assert refusal(s3.put_object, Bucket=bucket, Key="packages/a", Body=b"").startswith("AccessDenied")
    assert [allowed for _, allowed in aws.rights_asked_for()] == [True, False, False]


def test_a_refusal_names_the_right_as_aws_does(cloud: Cloud) -> None:
    role = aws_side.Role(resources.ensure_endpoint_role(cloud))
    words = refusal(role.client("logs").create_log_group, logGroupName="/aws/lambda/other")
    assert "is not authorized to perform: logs:CreateLogGroup on resource: arn:aws:logs:eu-west-1:" in words


def test_a_metric_of_another_namespace_is_refused(cloud: Cloud) -> None:
    client = aws_side.Role(resources.ensure_endpoint_role(cloud)).client("cloudwatch")
    data = [{"MetricName": "a", "Value": 1.0}]
    client.put_metric_data(Namespace="/aws/sagemaker/Endpoints", MetricData=data)
    assert "cloudwatch:PutMetricData" in refusal(
        client.put_metric_data, Namespace="AWS/Billing", MetricData=data
    )


def test_a_role_calls_one_endpoint(cloud: Cloud) -> None:
    client = aws_side.Role(resources.ensure_function_role(cloud, "verdict-dev")).client("sagemaker-runtime")
    client.invoke_endpoint(EndpointName="verdict-dev", Body=b"{}")
    assert "sagemaker:InvokeEndpoint" in refusal(
        client.invoke_endpoint, EndpointName="verdict-prod", Body=b"{}"
    )


def test_a_key_decrypts_only_for_the_job_that_may_use_it(cloud: Cloud) -> None:
    s3, key = cloud.client("s3"), "arn:aws:kms:eu-west-1:123456789012:key/0a1b"
    s3.put_object(
        Bucket=cloud.stage.bucket,
        Key="data/own",
        Body=b"a",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key,
    )
    arn = resources.ensure_adapt_role(cloud)
    place = (cloud.stage, "adapt/one", cloud.stage.bucket, "data/own")
    for key_of_policy, readable in ((None, False), (key, True)):
        resources.grant(cloud, cloud.stage.adapt_role, "one", policies.of_adaptation(*place, key_of_policy))
        read = aws_side.Role(arn).client("s3").get_object
        if readable:
            assert read(Bucket=cloud.stage.bucket, Key="data/own")["Body"].read() == b"a"
        else:
            assert "AccessDenied" in refusal(read, Bucket=cloud.stage.bucket, Key="data/own")


def test_the_owner_may_do_everything_and_is_not_recorded(aws: AwsServer, cloud: Cloud) -> None:
    boto3.client("logs").create_log_group(logGroupName="mine")
    assert aws.rights_asked_for() == []


# --- everything that works by a role -------------------------------------------------------------


class Ran:
    """What all roles did: the rows of the table, and each request with its answer."""

    def __init__(self, account: rights.Account) -> None:
        for work in account.works():
            work()
        self.rows = account.rows()
        self.asked = account.server.rights_asked_for()
        self.policies = {name: account.policy(role) for name, role in account.names.items()}
        self.roles = account.names


@pytest.fixture(scope="module")
def ran(aws_server: AwsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with pytest.MonkeyPatch.context() as patch:
        yield Ran(rights.open_account(aws_server, Path(tmp_path_factory.mktemp("rights")), patch))


@pytest.mark.slow
def test_no_role_lacks_a_right(ran: Ran) -> None:
    assert [request for request, allowed in ran.asked if not allowed] == []
    assert {request.caller for request, _ in ran.asked} == set(ran.roles.values())


@pytest.mark.slow
def test_no_role_has_a_right_that_nothing_uses(ran: Ran) -> None:
    assert [right for row in ran.rows for right in row.unused()] == []


@pytest.mark.slow
def test_without_any_right_that_is_used_some_request_is_refused(ran: Ran) -> None:
    for row in ran.rows:
        own = [request for request, _ in ran.asked if request.caller == ran.roles[row.role]]
        for right in row.used:
            less = iam.without(ran.policies[row.role], right)
            assert not all(iam.decide([less], request) for request in own), right


@pytest.mark.slow
def test_the_docs_table_is_what_was_counted(ran: Ran) -> None:
    written = json.loads(rights.RESULTS.read_text(encoding="utf-8"))
    assert written == rights.summary(ran.rows), "run python -m tests.support.rights --write"


# --- the user who deploys --------------------------------------------------------------------------

# moto's names of calls that IAM names otherwise: API Gateway's rights are HTTP's verbs.
IAM_NAMES = {"cloudfront:CreateDistributionWithTags": "cloudfront:CreateDistribution"}
VERBS = {"Create": "POST", "Import": "POST", "Get": "GET", "Put": "PUT", "Update": "PATCH", "Tag": "PUT"}


def named(action: str) -> str:
    service, _, call = action.partition(":")
    verbs = [verb for start, verb in VERBS.items() if call.startswith(start)]
    return f"{service}:{verbs[0]}" if service == "apigateway" else IAM_NAMES.get(action, action)


@pytest.mark.slow
def test_doctor_asks_for_every_right_that_a_deploy_uses(
    cloud: Cloud, aws: AwsServer, build_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}
    iam_client = cloud.client("iam")
    arn = iam_client.create_user(UserName="deployer")["User"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam_client.put_user_policy(UserName="deployer", PolicyName="all", PolicyDocument=document)
    key = iam_client.create_access_key(UserName="deployer")["AccessKey"]
    runtime = Runtime()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
    stages.hurry(monkeypatch, build_folder)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    try:
        for _ in range(2):
            stages.make(open_stage("dev"), inference.MODEL_FOLDER)
    finally:
        runtime.stop()
    used = {named(request.action) for request, _ in aws.rights_asked_for() if request.caller == arn}
    asked = {action for _, actions in account.deploy_actions(cloud.stage) for action in actions}
    assert len(used) > 30
    assert used - asked - {"sts:AssumeRole"} == set()  # SageMaker's simulation takes roles by these keys
