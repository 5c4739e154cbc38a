"""The model in a Lambda function in place of an endpoint, from its deploy to its removal."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from chalicelib import endpoint, model_function
from tests.support.aws_server import AwsServer
from tests.support.faults import error
from tests.support.functions import Functions
from tests.support.model import random_package
from tests.support.runtime import Runtime
from tests.support.stage import kinds, leftovers, make, names, options, quiet
from training.aws import (
    deploy,
    destroy,
    function,
    hosting,
    inventory,
    lambda_host,
    policies,
    resources,
    status,
    update_model,
)
from training.aws.cloud import Cloud, CloudError
from training.endpoint import inference
from training.jobs import batch_transform
from vocab import messages

pytestmark = pytest.mark.slow

ALIAS, SECOND = "verdict-dev-model:live", "verdict-dev-model:live-2"
FLAGS = ("--kind", "lambda", "--site", "none")
WHOLE = sorted(["API", "bucket", "function", "log group", "log group", "model function", "role", "role"])


@pytest.fixture
def deployed(cloud: Cloud, functions: Functions, package: Path) -> deploy.Deployed:
    return make(cloud, package, *FLAGS)


@pytest.fixture
def hosted(
    cloud: Cloud, functions: Functions, package: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str, str]:
    """Alias, version and package: the model's function alone, as if the API's function called it."""
    made = deploy.host(cloud, options(package, *FLAGS), inference.model_fn(package), quiet)
    monkeypatch.setattr(function, "endpoint_in_use", lambda cloud: ALIAS)
    return made


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another model of the same vocabulary."""
    random_package(tmp_path / "other", seed=7)
    return tmp_path / "other"


def served(cloud: Cloud) -> str:
    return str(hosting.card_of(cloud, ALIAS)["id"])


def rights(cloud: Cloud, role: str) -> dict[str, Any]:
    return dict(cloud.client("iam").get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"])


# --- what is made -------------------------------------------------------------------------------


def test_a_deploy_puts_the_model_into_a_function_and_again_changes_nothing(
    cloud: Cloud, deployed: deploy.Deployed, package: Path
) -> None:
    assert (deployed.endpoint, deployed.model) == (ALIAS, "verdict-dev-model:1")
    assert kinds(cloud) == WHOLE
    found = cloud.client("lambda").get_function_configuration(FunctionName="verdict-dev-model", Qualifier="1")
    assert (found["Runtime"], found["MemorySize"], found["Timeout"]) == ("python3.13", 2048, 20)
    assert found["Architectures"] == ["x86_64"]
    assert found["Role"].endswith(":role/verdict-dev-model")
    assert function.endpoint_in_use(cloud) == ALIAS
    (log,) = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/verdict-dev-model")[
        "logGroups"
    ]
    assert log["retentionInDays"] == 30
    before = names(inventory.find(cloud))
    assert make(cloud, package, *FLAGS) == deployed
    assert names(inventory.find(cloud)) == before
    assert destroy.destroy(cloud, say=quiet) == len(WHOLE)
    assert leftovers(cloud) == {}


def test_each_function_has_the_rights_that_it_uses_alone(cloud: Cloud, deployed: deploy.Deployed) -> None:
    (call,) = [one for one in rights(cloud, "verdict-dev-function")["Statement"] if "Invoke" in str(one)]
    assert (call["Action"], call["Resource"]) == (
        "lambda:InvokeFunction",
        f"arn:aws:lambda:eu-west-1:{cloud.stage.account}:function:{ALIAS}",
    )
    assert rights(cloud, "verdict-dev-model") == policies.of_model_function(cloud.stage)
    (write,) = rights(cloud, "verdict-dev-model")["Statement"]
    assert write["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert write["Resource"].endswith(":log-group:/aws/lambda/verdict-dev-model:*")


@pytest.mark.parametrize("explain", ["none", "sentences", "words"])
def test_its_answers_have_the_endpoint_s_bytes(
    explain: str, cloud: Cloud, hosted: tuple[str, str, str], model: inference.LoadedModel
) -> None:
    encoded = [model.vocabulary.encode(review) for review in hosting.REVIEWS]
    message = messages.build_endpoint_request(encoded, model.vocabulary, explain)
    expected = inference.respond(message, messages.JSON, messages.JSON, model)
    assert model_function.invoke(cloud.client("lambda"), ALIAS, message, "r1") == expected.body


def test_status_counts_its_calls_and_it_costs_nothing_while_idle(
    cloud: Cloud, hosted: tuple[str, str, str]
) -> None:
    table = status.rows(cloud, datetime.now(UTC))
    (row,) = [row for row in table if row["kind"] == "model function"]
    assert (row["name"], row["invocations"], row["idle_hour"]) == ("verdict-dev-model", 0, 0)


# --- the limit of its cost ----------------------------------------------------------------------

# AWS's words to an account that may run 10 executions at once.
TOO_FEW = (
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
    " below its minimum value of [10]."
)


def test_it_has_the_limit_of_a_serverless_endpoint_and_another_model_keeps_it(
    cloud: Cloud, hosted: tuple[str, str, str], package: Path, other: Path
) -> None:
    assert lambda_host.limit_of(cloud) == 5
    deploy.host(cloud, options(package, *FLAGS, "--concurrency", "9"), inference.model_fn(package), quiet)
    assert lambda_host.limit_of(cloud) == 9
    update_model.update(cloud, options(other), quiet)
    assert lambda_host.limit_of(cloud) == 9


@pytest.mark.parametrize("before, instead", [(None, "have only the account's quota"), (3, "stay at most 3;")])
def test_an_account_that_can_t_limit_it_is_told_so_and_served(
    before: int | None, instead: str, cloud: Cloud, functions: Functions, aws: AwsServer, package: Path
) -> None:
    loaded, lines = inference.model_fn(package), list[str]()
    if before:
        flags = options(package, *FLAGS, "--concurrency", str(before))
        deploy.host(cloud, flags, loaded, quiet)
    aws.fail(error("lambda", "PutFunctionConcurrency", "InvalidParameterValueException", TOO_FEW))
    deploy.host(cloud, options(package, *FLAGS), loaded, lines.append)
    (line,) = [one for one in lines if "can't reserve 5 executions" in one]
    assert instead in line and "Service Quotas" in line
    assert lambda_host.limit_of(cloud) == before
    assert served(cloud) == loaded.identity.id


def test_another_refusal_of_the_limit_stops_the_deploy(
    cloud: Cloud, functions: Functions, aws: AwsServer, package: Path
) -> None:
    aws.fail(error("lambda", "PutFunctionConcurrency", "InvalidParameterValueException", "no such thing"))
    with pytest.raises(ClientError, match="no such thing"):
        deploy.host(cloud, options(package, *FLAGS), inference.model_fn(package), quiet)


# --- another model ------------------------------------------------------------------------------


def test_another_model_serves_and_the_one_before_comes_back_as_its_own_version(
    cloud: Cloud, hosted: tuple[str, str, str], package: Path, other: Path
) -> None:
    assert update_model.update(cloud, options(other), quiet) == "verdict-dev-model:2"
    assert served(cloud) == inference.model_fn(other).identity.id
    assert update_model.update(cloud, options(package), quiet) == "verdict-dev-model:1"
    assert served(cloud) == inference.model_fn(package).identity.id
    assert [one["Version"] for one in lambda_host.versions(cloud)] == ["1", "2"]


def test_a_version_that_answers_wrongly_never_serves(
    cloud: Cloud, hosted: tuple[str, str, str], functions: Functions, other: Path
) -> None:
    functions.failures["2"] = (200, "", {"status": 500, "body": '{"code": "model_failed"}'})
    with pytest.raises(CloudError, match="model_failed.*live serves version 1, as before"):
        update_model.update(cloud, options(other), quiet)
    assert lambda_host.version_of(cloud, ALIAS) == "1"


def test_requests_on_the_way_are_all_answered(
    cloud: Cloud, hosted: tuple[str, str, str], package: Path, other: Path
) -> None:
    known = {served(cloud), inference.model_fn(other).identity.id}
    found: set[str] = set()
    update_model.update(cloud, options(other), lambda line: found.add(served(cloud)))
    assert found and found <= known


def test_old_versions_are_deleted_and_the_one_that_serves_is_not(
    cloud: Cloud, hosted: tuple[str, str, str], package: Path, tmp_path: Path
) -> None:
    for seed in range(4):
        random_package(tmp_path / str(seed), seed=seed)
        update_model.update(cloud, options(tmp_path / str(seed)), quiet)
    assert [one["Version"] for one in lambda_host.versions(cloud)] == ["3", "4", "5"]
    assert lambda_host.version_of(cloud, ALIAS) == "5"


def test_another_vocabulary_gets_an_alias_of_its_own_and_the_first_is_removed(
    cloud: Cloud, deployed: deploy.Deployed, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "card_of", lambda *_: {"id": "verdict-x", "vocabulary": "0123456789abcdef"})
    with pytest.raises(CloudError, match="have 0123456789abcdef; run `make deploy`, which replaces both"):
        update_model.update(cloud, options(package), quiet)
    assert make(cloud, package, *FLAGS).endpoint == SECOND
    assert function.endpoint_in_use(cloud) == SECOND
    assert lambda_host.version_of(cloud, ALIAS) is None
    assert make(cloud, package, *FLAGS).endpoint == ALIAS


# --- from one kind to another -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["serverless", "realtime"])
def test_an_endpoint_gives_way_to_a_function_and_comes_back(
    kind: str, cloud: Cloud, functions: Functions, runtime: Runtime, package: Path
) -> None:
    flags = ("--kind", kind, "--site", "none")
    make(cloud, package, *flags)
    assert make(cloud, package, *FLAGS).endpoint == ALIAS
    assert "endpoint" not in kinds(cloud)
    assert "InvokeEndpoint" not in str(rights(cloud, "verdict-dev-function"))
    assert make(cloud, package, *flags).endpoint == "verdict-dev"
    assert "model function" not in kinds(cloud)
    assert "InvokeFunction" not in str(rights(cloud, "verdict-dev-function"))
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


def test_while_the_kind_changes_the_function_may_call_both(
    cloud: Cloud, functions: Functions, package: Path
) -> None:
    make(cloud, package, "--site", "none")
    seen: list[str] = []
    original = function.deploy

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append(str(rights(cloud, "verdict-dev-function")))
        return original(*args, **kwargs)

    with mock.patch.object(function, "deploy", watched):
        make(cloud, package, *FLAGS)
    assert "endpoint/verdict-dev" in seen[0] and f"function:{ALIAS}" in seen[0]


# --- stopped, refused, removed ------------------------------------------------------------------

STEPS = [
    (resources, "ensure_model_role"),
    (lambda_host, "upload"),
    (lambda_host, "ensure_version"),
    (lambda_host, "move"),
    (deploy, "allow_calls"),
]
CALLS = ["lambda.CreateFunction", "lambda.PublishVersion", "lambda.CreateAlias", "iam.CreateRole"]


@pytest.mark.parametrize("module, step", STEPS, ids=[step for _, step in STEPS])
def test_a_deploy_stopped_after_any_step_is_completed_by_the_next(
    module: Any, step: str, cloud: Cloud, functions: Functions, package: Path
) -> None:
    original = getattr(module, step)

    def stopped(*args: Any, **kwargs: Any) -> Any:
        original(*args, **kwargs)
        raise KeyboardInterrupt

    with mock.patch.object(module, step, stopped), pytest.raises(KeyboardInterrupt):
        make(cloud, package, *FLAGS)
    assert make(cloud, package, *FLAGS).endpoint == ALIAS
    assert kinds(cloud) == WHOLE
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


@pytest.mark.parametrize("call", CALLS)
def test_a_deploy_stopped_right_after_a_call_leaves_nothing_that_is_not_found(
    call: str, cloud: Cloud, functions: Functions, package: Path
) -> None:
    def stop(**_: Any) -> None:
        raise KeyboardInterrupt

    events = cloud.session.events
    events.register(f"after-call.{call}", stop)
    with pytest.raises(KeyboardInterrupt):
        make(cloud, package, *FLAGS)
    events.unregister(f"after-call.{call}", stop)
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


def test_another_s_function_of_our_name_is_refused_and_stays(
    cloud: Cloud, functions: Functions, package: Path
) -> None:
    make(cloud, package, *FLAGS)
    client = cloud.client("lambda")
    arn = client.get_function(FunctionName="verdict-dev-model")["Configuration"]["FunctionArn"]
    client.untag_resource(Resource=arn, TagKeys=list(cloud.stage.tags))
    with pytest.raises(CloudError, match="function verdict-dev-model exists without this stage's tags"):
        make(cloud, package, *FLAGS)
    destroy.destroy(cloud, say=quiet)
    assert [one["FunctionName"] for one in client.list_functions()["Functions"]] == ["verdict-dev-model"]


def test_a_stage_of_endpoints_needs_no_right_on_the_function(cloud: Cloud, functions: Functions) -> None:
    def refuse(**_: Any) -> None:
        error = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
        raise ClientError(error, "GetFunction")  # type: ignore[arg-type]

    cloud.session.events.register("before-call.lambda.GetFunction", refuse)
    lambda_host.retire(cloud, "verdict-dev", 0, quiet)


@pytest.mark.parametrize("memory", ["128", "20000"])
def test_memory_that_lambda_has_not_is_refused_before_anything_is_made(
    memory: str, cloud: Cloud, functions: Functions, package: Path
) -> None:
    with pytest.raises(CloudError, match="--memory must be 512 to 10240 MB"):
        deploy.deploy(cloud, options(package, *FLAGS, "--memory", memory), quiet)
    assert leftovers(cloud) == {}


def test_a_limit_of_nothing_is_refused_before_anything_is_made(
    cloud: Cloud, functions: Functions, package: Path
) -> None:
    with pytest.raises(CloudError, match="--concurrency must be 1 or more, got 0"):
        deploy.deploy(cloud, options(package, *FLAGS, "--concurrency", "0"), quiet)
    assert leftovers(cloud) == {}


def test_a_function_that_fails_is_quoted(
    cloud: Cloud, hosted: tuple[str, str, str], functions: Functions
) -> None:
    functions.failures["1"] = (200, "", {"status": 409, "body": '{"code": "vocabulary_mismatch"}'})
    with pytest.raises(CloudError, match="can't answer: .*vocabulary_mismatch"):
        hosting.card_of(cloud, ALIAS)


def test_without_a_function_there_is_nothing_to_update(
    cloud: Cloud, hosted: tuple[str, str, str], package: Path
) -> None:
    lambda_host.delete(cloud)
    with pytest.raises(CloudError, match=f"no endpoint {ALIAS} in eu-west-1; run `make deploy` first"):
        update_model.update(cloud, options(package), quiet)


# --- batches ------------------------------------------------------------------------------------


def test_a_batch_creates_a_sagemaker_model_of_what_the_function_serves(
    cloud: Cloud, hosted: tuple[str, str, str], other: Path
) -> None:
    update_model.update(cloud, options(other), quiet)
    name = batch_transform.model_of(cloud)
    assert batch_transform.model_of(cloud) == name
    described = cloud.client("sagemaker").describe_model(ModelName=name)
    assert described["ExecutionRoleArn"].endswith(":role/verdict-dev-sagemaker")
    bucket, _, key = described["PrimaryContainer"]["ModelDataUrl"].removeprefix("s3://").partition("/")
    assert bucket == cloud.stage.bucket and key.endswith("/model.tar.gz")
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


def test_a_zip_that_was_deleted_from_the_bucket_is_named(
    cloud: Cloud, hosted: tuple[str, str, str], tmp_path: Path
) -> None:
    resources.empty_bucket(cloud, cloud.stage.bucket)
    with pytest.raises(CloudError, match="function.zip was deleted; run `make deploy`"):
        lambda_host.model_in_use(cloud, ALIAS, tmp_path)


def test_the_app_and_the_deploy_call_the_kind_alike() -> None:
    assert endpoint.FUNCTION in hosting.KINDS
