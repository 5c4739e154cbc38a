"""Write chalice_app/merge-template.json, which adds to `chalice package` what Chalice can't set.

    python -m training.aws.template             # then, from chalice_app/ (the stage is a parameter):
    chalice package --merge-template merge-template.json out

The merged template creates the API, the function and its log. Names, rights, limits and API Gateway's own
errors are those of a deploy. BudgetMail adds a budget. The endpoint is not in it.
"""

import argparse
import json
from typing import Any

from training.aws import cloud, gateway, policies
from vocab.files import write_atomic

PATH = gateway.APP / "merge-template.json"
# CloudFormation replaces these, so it computes the stage's names.
STAGE = cloud.Stage("${Stage}", "${AWS::AccountId}", "${AWS::Region}", "${AWS::Partition}")
# The same rule as cloud.check_stage.
STAGE_PATTERN = "^[a-z][a-z0-9-]{0,11}$"
BUDGET_DOLLARS = 20


def merge_template() -> dict[str, Any]:
    """Return the template to merge: its lists replace Chalice's, its mappings add to Chalice's."""
    return {
        "Parameters": parameters(),
        "Conditions": {
            "IsReserved": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ReservedConcurrency"}, 0]}]},
            "HasBudgetMail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "BudgetMail"}, ""]}]},
        },
        "Resources": {
            "RestAPI": {"Properties": api()},
            "APIHandler": {"DependsOn": ["FunctionLog"], "Properties": function()},
            "ApiHandlerRole": {"Properties": {"Policies": [policy()]}},
            "FunctionLog": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": _sub(STAGE.function_log), "RetentionInDays": gateway.LOG_DAYS},
            },
            "Budget": {
                "Type": "AWS::Budgets::Budget",
                "Condition": "HasBudgetMail",
                "Properties": budget(),
            },
        },
    }


def parameters() -> dict[str, Any]:
    """Return the template's parameters, which a person may set at each deploy."""
    return {
        "Stage": {
            "Type": "String",
            "Default": cloud.STAGE,
            "AllowedPattern": STAGE_PATTERN,
            "Description": "Which deployment: its function and its endpoint are named verdict-STAGE",
        },
        "ReservedConcurrency": {
            "Type": "Number",
            "Default": gateway.RESERVED_CONCURRENCY,
            "MinValue": 0,
            "Description": "How many copies of the function may run at once; 0 reserves none",
        },
        "BudgetMail": {
            "Type": "String",
            "Default": "",
            "Description": "Where to write when the account nears its budget; empty makes none",
        },
        "BudgetDollars": {
            "Type": "Number",
            "Default": BUDGET_DOLLARS,
            "MinValue": 1,
            "Description": "The account's budget a month, in US dollars",
        },
    }


def api() -> dict[str, Any]:
    """Return the API's own errors and its throttle.

    The errors stand in the API's definition, not beside it. So they belong to the stage's deployment, and a
    change to them creates a new one.
    """
    own = {
        response["responseType"]: {name: value for name, value in response.items() if name != "responseType"}
        for response in gateway.responses()
    }
    return {
        "DefinitionBody": {"x-amazon-apigateway-gateway-responses": own},
        "MethodSettings": [
            {
                "HttpMethod": "*",
                "ResourcePath": "/*",
                "ThrottlingRateLimit": gateway.THROTTLE["rate"],
                "ThrottlingBurstLimit": gateway.THROTTLE["burst"],
            }
        ],
    }


def function() -> dict[str, Any]:
    """Return the function's name, which its rights contain too, its endpoint and its execution limit."""
    return {
        "FunctionName": _sub(STAGE.function),
        "Environment": {"Variables": {"ENDPOINT_NAME": _sub(STAGE.endpoint)}},
        "ReservedConcurrentExecutions": {
            "Fn::If": ["IsReserved", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]
        },
    }


def policy() -> dict[str, Any]:
    """Return the function's rights; CloudFormation inserts account and region."""
    document = policies.of_function(STAGE)
    for statement in document["Statement"]:
        arns = statement["Resource"]
        statement["Resource"] = _sub(arns) if isinstance(arns, str) else [_sub(arn) for arn in arns]
    return {"PolicyName": "ApiHandlerRolePolicy", "PolicyDocument": document}


def budget() -> dict[str, Any]:
    """Return the account's monthly budget, with a mail at 80 % of it and one at a forecast beyond it."""
    return {
        "Budget": {
            "BudgetName": _sub(STAGE.prefix),
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": {"Ref": "BudgetDollars"}, "Unit": "USD"},
        },
        "NotificationsWithSubscribers": [_notification("ACTUAL", 80), _notification("FORECASTED", 100)],
    }


def _notification(kind: str, percent: int) -> dict[str, Any]:
    return {
        "Notification": {
            "NotificationType": kind,
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": percent,
            "ThresholdType": "PERCENTAGE",
        },
        "Subscribers": [{"SubscriptionType": "EMAIL", "Address": {"Ref": "BudgetMail"}}],
    }


def _sub(text: str) -> dict[str, str]:
    return {"Fn::Sub": text}


def text() -> str:
    """Return the file's text."""
    return json.dumps(merge_template(), indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write chalice_app/merge-template.json.")
    parser.parse_args()
    write_atomic(PATH, text().encode())
    print(f"template: wrote {PATH}")


if __name__ == "__main__":
    main()
