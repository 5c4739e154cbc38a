"""The strict check of requests, which the simulated account turns on: AWS would refuse these."""

import os
import subprocess
import sys
from typing import Any

import boto3
import pytest

from tests.support import strict

ROLE = "arn:aws:iam::123456789012:role/verdict-dev-endpoint"
SCRIPT = """
import boto3
boto3.client("sagemaker", region_name="eu-west-1").create_model(ModelName="a_b", ExecutionRoleArn="%s")
"""


def of(service: str, operation: str, **parameters: Any) -> list[str]:
    """Return the breaches of a request."""
    client = boto3.client(service, region_name="eu-west-1")
    shape = client.meta.service_model.operation_model(operation).input_shape
    return list(strict.breaches(parameters, shape, operation))


@pytest.mark.parametrize(
    "parameters, breach",
    [
        ({"ModelName": "verdict-dev-1", "ExecutionRoleArn": ROLE}, None),
        ({"ModelName": "verdict_dev"}, "CreateModel.ModelName is 'verdict_dev', the model says"),
        ({"ModelName": "a" * 64}, "CreateModel.ModelName is 64, the model says 0 to 63"),
        ({"ExecutionRoleArn": "a-role-that-is-no-arn"}, "CreateModel.ExecutionRoleArn is"),
        ({"Tags": [{"Key": "verdict:stage", "Value": "dev"}]}, None),
        ({"Tags": [{"Key": "a?", "Value": "dev"}]}, "CreateModel.Tags[0].Key is 'a?'"),
        ({"PrimaryContainer": {"Environment": {"1": "x"}}}, "Environment key '1' is '1'"),
        ({"PrimaryContainer": {"Mode": "Many"}}, "Mode is 'Many', the model says one of SingleModel"),
    ],
)
def test_a_breach_of_the_model_is_named(parameters: dict[str, Any], breach: str | None) -> None:
    found = of("sagemaker", "CreateModel", **parameters)
    assert found == [] if breach is None else breach in found[0]


def test_a_number_has_its_bounds() -> None:
    (found,) = of("sagemaker", "CreateTransformJob", MaxConcurrentTransforms=-1)
    assert "MaxConcurrentTransforms is -1" in found


def test_a_started_process_is_strict_too() -> None:
    env = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
    env["PYTHONPATH"] = os.pathsep.join([str(strict.PATH), os.environ["PYTHONPATH"]])
    command = [sys.executable, "-c", SCRIPT % ROLE]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert "StrictError: AWS would refuse this request: " in ran.stderr
