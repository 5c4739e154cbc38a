"""template.py: what `chalice package` merges is what a deploy sets, and the committed file is fresh."""

import json
import re
from typing import Any

import pytest
from chalice.package import TemplateDeepMerger

from training.aws import cloud, gateway, policies, template

MERGED = template.merge_template()
VALUES = {
    "Stage": "dev",
    "AWS::AccountId": "123456789012",
    "AWS::Region": "eu-west-1",
    "AWS::Partition": "aws",
}


def filled(part: Any) -> Any:
    """Fill in Fn::Sub as CloudFormation does."""
    if isinstance(part, dict) and part.keys() == {"Fn::Sub"}:
        return re.sub(r"\$\{([\w:]+)\}", lambda found: VALUES[found[1]], part["Fn::Sub"])
    if isinstance(part, dict):
        return {name: filled(value) for name, value in part.items()}
    return [filled(one) for one in part] if isinstance(part, list) else part


def test_the_committed_file_is_the_one_that_is_written() -> None:
    assert template.PATH.read_text(encoding="utf-8") == template.text(), "run python -m training.aws.template"


def test_rights_and_names_are_those_of_the_stage() -> None:
    stage = cloud.Stage("dev", "123456789012", "eu-west-1")
    resources = filled(MERGED["Resources"])
    (policy,) = resources["ApiHandlerRole"]["Properties"]["Policies"]
    assert policy["PolicyDocument"] == policies.of_function(stage)
    function = resources["APIHandler"]["Properties"]
    assert function["FunctionName"] == stage.function
    assert function["Environment"]["Variables"] == {"ENDPOINT_NAME": stage.endpoint}
    assert resources["FunctionLog"]["Properties"]["LogGroupName"] == stage.function_log


def test_the_log_is_there_before_the_function_and_kept_for_a_while() -> None:
    resources = MERGED["Resources"]
    assert resources["APIHandler"]["DependsOn"] == ["FunctionLog"]
    assert resources["FunctionLog"]["Properties"]["RetentionInDays"] == gateway.LOG_DAYS


def test_the_gateway_s_answers_and_throttle_are_a_deploy_s() -> None:
    api = MERGED["Resources"]["RestAPI"]["Properties"]
    carried = api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    assert [{"responseType": kind, **response} for kind, response in carried.items()] == gateway.responses()
    (setting,) = api["MethodSettings"]
    assert setting["ThrottlingRateLimit"] == gateway.THROTTLE["rate"]
    assert setting["ThrottlingBurstLimit"] == gateway.THROTTLE["burst"]


def test_a_budget_is_made_only_for_a_mail_address() -> None:
    assert MERGED["Parameters"]["BudgetMail"]["Default"] == ""
    assert MERGED["Resources"]["Budget"]["Condition"] == "HasBudgetMail"


@pytest.mark.parametrize("name", ["dev", "prod", "a", "a-1", "abcdefghijkl", "abcdefghijklm", "1a", "A", ""])
def test_the_stage_s_pattern_takes_what_a_deploy_takes(name: str) -> None:
    try:
        taken = bool(cloud.check_stage(name))
    except cloud.CloudError:
        taken = False
    assert bool(re.fullmatch(MERGED["Parameters"]["Stage"]["AllowedPattern"], name)) is taken


def test_merged_it_keeps_what_chalice_wrote() -> None:
    chalice = {
        "Resources": {
            "RestAPI": {
                "Type": "AWS::Serverless::Api",
                "Properties": {"DefinitionBody": {"paths": {"/": {}}}},
            },
            "APIHandler": {"Properties": {"Timeout": 25, "Environment": {"Variables": {"A": "1"}}}},
        }
    }
    merged = TemplateDeepMerger().merge(json.loads(template.text()), chalice)["Resources"]
    assert merged["RestAPI"]["Type"] == "AWS::Serverless::Api"
    assert merged["RestAPI"]["Properties"]["DefinitionBody"].keys() == {
        "paths",
        "x-amazon-apigateway-gateway-responses",
    }
    function = merged["APIHandler"]["Properties"]
    assert (function["Timeout"], function["Environment"]["Variables"].keys()) == (25, {"A", "ENDPOINT_NAME"})
