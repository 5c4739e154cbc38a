"""A change of the kind of host takes away what the kind before needed."""

from pathlib import Path

import pytest

from tests.support.aws_server import AwsServer
from tests.support.faults import error
from tests.support.functions import Functions
from tests.support.stage import kinds, make, names
from training.aws import hosting, inventory, leftovers, resources
from training.aws.cloud import Cloud
from training.jobs import batch_transform

pytestmark = pytest.mark.slow

ENDPOINT, FUNCTION = ("--kind", "serverless", "--site", "none"), ("--kind", "lambda", "--site", "none")
ALIAS = "verdict-dev-model:live"


def test_a_function_leaves_the_endpoint_its_log_alone_and_an_endpoint_the_function(
    cloud: Cloud, functions: Functions, package: Path
) -> None:
    make(cloud, package, *ENDPOINT)
    first = names(inventory.find(cloud))
    batch = batch_transform.model_of(cloud)
    make(cloud, package, *FUNCTION)
    found = names(inventory.find(cloud))
    assert [name for kind, name in found if kind == "model"] == [batch]
    assert {name for kind, name in found if kind == "role"} == {
        "verdict-dev-function",
        "verdict-dev-model",
        "verdict-dev-sagemaker",
    }
    assert "endpoint config" not in kinds(cloud)
    assert ("log group", "/aws/sagemaker/Endpoints/verdict-dev") in found
    make(cloud, package, *ENDPOINT)
    back = set(names(inventory.find(cloud)))
    assert set(first) <= back
    assert ("role", "verdict-dev-model") not in back and ("model", batch) in back


def test_who_may_not_look_keeps_it_and_is_told_that_it_costs_nothing(cloud: Cloud, aws: AwsServer) -> None:
    role = resources.ensure_endpoint_role(cloud)
    url = f"s3://{cloud.stage.bucket}/packages/0/model.tar.gz"
    hosting.ensure_model(cloud, hosting.Plan(), url, "0", role)
    words = "User: me is not authorized to perform: sagemaker:ListModels"
    aws.fail(error("sagemaker", "ListModels", "AccessDeniedException", words))
    lines: list[str] = []
    leftovers.remove(cloud, ALIAS, lines.append)
    assert [line for line in lines if "at no cost" in line and "sagemaker:ListModels" in line]
    aws.fail()
    assert {"model", "role"} <= set(kinds(cloud))


def test_what_is_another_s_stays(cloud: Cloud) -> None:
    cloud.client("iam").create_role(RoleName=cloud.stage.endpoint_role, AssumeRolePolicyDocument="{}")
    leftovers.remove(cloud, ALIAS, [].append)
    assert cloud.client("iam").get_role(RoleName=cloud.stage.endpoint_role)
