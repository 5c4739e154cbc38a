"""A stage in a simulated account, for the tests of every command that works on one."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws_server import AwsServer
from tests.support.chalice_calls import make_api
from tests.support.functions import Functions
from tests.support.runtime import Runtime
from tests.support.shortcuts import SITE, shortcuts
from training.aws import cloud as clouds
from training.aws import (
    deploy,
    function,
    function_package,
    hosting,
    inventory,
    lambda_calls,
    page,
    resources,
)
from training.aws import package as packages
from training.aws.cloud import Cloud
from training.aws.policies import JOBS

RUN_CHALICE = function._run_chalice
# The resources of a deploy with a page behind CloudFront, by kind.
WHOLE = sorted(
    ["API", "access control", "bucket", "bucket", "distribution", "endpoint", "endpoint config", "function"]
    + ["log group", "log group", "model", "role", "role"]
)


@pytest.fixture(scope="session")
def build_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Chalice's zips, shared by tests: building a zip takes seconds, and a hash names it."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture
def runtime(aws: AwsServer, build_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """SageMaker's runtime. Commands don't wait, pack no libraries, and make the API without Chalice."""
    hurry(monkeypatch, build_folder)
    monkeypatch.setattr(function, "_run_chalice", make_api)
    running = Runtime()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", running.url)
    yield running
    running.stop()


@pytest.fixture
def chalice(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run Chalice itself in a deploy."""
    monkeypatch.setattr(function, "_run_chalice", RUN_CHALICE)


@pytest.fixture
def whole_site(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Upload all files of the page in a deploy."""
    monkeypatch.setattr(page, "SITE", SITE)


def hurry(patch: pytest.MonkeyPatch, build_folder: Path) -> None:
    """Make commands wait for nothing, pack no libraries, upload few pages, and build in a folder."""
    patch.setattr(resources, "ROLE_SECONDS", 0)
    patch.setattr(deploy, "LAST_REQUEST_SECONDS", 0)
    for module in (hosting, inventory, page):
        patch.setattr(module, "POLL_SECONDS", 0.01)
    patch.setattr(hosting, "WAKE_POLL_SECONDS", 0.01)
    patch.setattr(packages, "wheels", lambda *_: {})
    patch.setattr(function, "ROOT", build_folder)
    for module, name, value in shortcuts(build_folder):
        patch.setattr(module, name, value)


@pytest.fixture
def cloud(runtime: Runtime) -> Cloud:
    """Stage dev, without resources."""
    return clouds.open_stage("dev")


@pytest.fixture
def functions(aws: AwsServer, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    """Lambda, which answers calls of the model's function. The zip carries no libraries."""
    monkeypatch.setattr(lambda_calls, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(function_package, "libraries", dict)
    running = Functions(aws.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", running.url)
    yield running
    running.stop()


def options(package: Path, *flags: str) -> argparse.Namespace:
    """Return a deploy's flags."""
    return deploy.parse(["--model", str(package), "--memory", "2048", "--no-api-check", *flags])


def make(cloud: Cloud, package: Path, *flags: str) -> deploy.Deployed:
    """Deploy without output."""
    return deploy.deploy(cloud, options(package, *flags), say=quiet)


def quiet(line: str) -> None:
    """Print nothing."""


def kinds(cloud: Cloud) -> list[str]:
    return sorted(resource.kind for resource in inventory.find(cloud))


def names(resources: list[inventory.Resource]) -> list[tuple[str, str]]:
    return [(resource.kind, resource.name) for resource in resources]


# SageMaker makes these groups for the jobs of a whole account, so no stage removes them.
SHARED_LOGS = [f"/aws/sagemaker/{jobs}" for jobs in JOBS]


def leftovers(cloud: Cloud) -> dict[str, Any]:
    """Return all resources of the account, by service, without the inventory's help."""
    sagemaker = cloud.client("sagemaker")
    scaling = cloud.client("application-autoscaling")
    budgets = cloud.client("budgets", "us-east-1")
    by_service = {
        "buckets": cloud.client("s3").list_buckets()["Buckets"],
        "roles": cloud.client("iam").list_roles()["Roles"],
        "functions": cloud.client("lambda").list_functions()["Functions"],
        "apis": cloud.client("apigateway").get_rest_apis()["items"],
        "distributions": cloud.client("cloudfront").list_distributions()["DistributionList"].get("Items"),
        "controls": cloud.client("cloudfront")
        .list_origin_access_controls()["OriginAccessControlList"]
        .get("Items"),
        "logs": [
            group
            for group in cloud.client("logs").describe_log_groups()["logGroups"]
            if group["logGroupName"] not in SHARED_LOGS
        ],
        "endpoints": sagemaker.list_endpoints()["Endpoints"],
        "configs": sagemaker.list_endpoint_configs()["EndpointConfigs"],
        "models": sagemaker.list_models()["Models"],
        "notebooks": sagemaker.list_notebook_instances()["NotebookInstances"],
        # The inventory, for once: moto can't list these.
        "lifecycles": list(inventory.KINDS["lifecycle config"][0](cloud)),
        "targets": scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"],
        "budgets": budgets.describe_budgets(AccountId=cloud.stage.account)["Budgets"],
    }
    return {service: found for service, found in by_service.items() if found}
