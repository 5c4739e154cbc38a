"""The kind of host: a deploy without a choice keeps what is deployed, and says so."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.functions import Functions
from tests.support.stage import options, quiet
from training.aws import deploy, function, hosting, inventory, kinds
from training.aws.cloud import Cloud, Stage
from training.aws.doctor import __main__ as doctor

STAGE = Stage("dev", "123456789012", "eu-west-1")
VARIANTS: dict[str, dict[str, Any]] = {
    "serverless": {"VariantName": "AllTraffic", "ServerlessConfig": {"MemorySizeInMB": 2048}},
    "realtime": {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large"},
}
CHANGES = {
    "serverless": "ENDPOINT_KIND=realtime or ENDPOINT_KIND=lambda",
    "realtime": "ENDPOINT_KIND=serverless or ENDPOINT_KIND=lambda",
    "lambda": "ENDPOINT_KIND=serverless or ENDPOINT_KIND=realtime",
}


class Creating:
    """SageMaker with an endpoint that it is creating: there is a configuration, and no variant yet."""

    stage = STAGE

    def __init__(self, kind: str) -> None:
        self.variant = VARIANTS[kind]

    def client(self, service: str) -> "Creating":
        return self

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        return {"EndpointConfigName": "c", "EndpointStatus": "Creating"}

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        return {"ProductionVariants": [self.variant]}


@pytest.mark.slow
@pytest.mark.parametrize("kind", hosting.KINDS)
def test_a_deploy_without_a_kind_keeps_the_deployed_one(
    kind: str, cloud: Cloud, functions: Functions, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_KIND", "")  # as make exports it
    flags = ("--site", "none")
    first = deploy.deploy(cloud, options(package, *flags, "--kind", kind), quiet)
    lines: list[str] = []
    assert deploy.deploy(cloud, options(package, *flags), lines.append) == first
    assert f"model: {kind} as deployed before; {CHANGES[kind]} would change it" in lines
    assert kinds.in_use(cloud) == doctor.kind_of(cloud) == kind


@pytest.mark.parametrize("kind", VARIANTS)
def test_an_endpoint_that_is_being_created_has_its_configuration_s_kind(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function, "endpoint_in_use", lambda cloud: None)
    assert kinds.in_use(Creating(kind)) == kind
    assert inventory._endpoint_hour(Creating(kind), "verdict-dev") == (0 if kind == "serverless" else 0.115)


def test_a_kind_that_is_given_is_not_looked_up() -> None:
    lines: list[str] = []
    kept = kinds.keep(Cloud(STAGE, None), deploy.parse(["--kind", "realtime"]), lines.append)
    assert (kept.kind, lines) == ("realtime", [])


def test_a_new_stage_is_serverless_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "in_use", lambda cloud: None)
    lines: list[str] = []
    kept = kinds.keep(Cloud(STAGE, None), deploy.parse([]), lines.append)
    assert (kept.kind, lines) == ("serverless", [])


def test_the_doctor_without_an_account_looks_at_a_new_stage() -> None:
    assert doctor.kind_of(None) == "serverless"
