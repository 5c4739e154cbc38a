"""Checks of the repository: links, Chalice's settings, timeouts, the policy, the model, the image."""

import json
from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from training.aws import gateway, images
from training.aws.cloud import CloudError, Stage
from training.aws.doctor.findings import FAIL, OK, WARN, Finding
from training.endpoint import inference

APP = gateway.APP
ROOT = APP.parent
LINK = "chalice_app/vendor/vocab"
GATEWAY_SECONDS = 29
# The app needs 512 MB to start quickly; below this it hardly starts.
LEAST_MEMORY_MB = 256
# https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html names 21; AWS's SDK has no list.
SERVERLESS_REGIONS = frozenset(
    "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1"
    " ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3"
    " me-south-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2".split()
)


def read_config() -> dict[str, Any]:
    """Read Chalice's settings. Raises CloudError."""
    path = APP / ".chalice/config.json"
    try:
        config = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CloudError(f"{path} can't be read ({error}); restore it from git") from error
    if not isinstance(config.get("stages"), dict):
        raise CloudError(f"{path} has no stages; restore it from git")
    return config


def stage_settings(config: dict[str, Any], stage: str) -> dict[str, Any]:
    """Return the settings that hold for a stage: its own ones over the common ones."""
    return {**config, **config["stages"].get(stage, {})}


def check_links(root: Path) -> Finding:
    """Check that the Lambda's package links to vocab/, so that both packages encode by the same code."""
    link = root / LINK
    if link.resolve() != (root / "vocab").resolve():
        fault = "is not a link to vocab/" if link.exists() else "is missing"
        return Finding("links", FAIL, f"{LINK} {fault}", "git config core.symlinks true && git checkout -- .")
    return Finding("links", OK, f"{LINK} links to vocab/")


def check_stage(config: dict[str, Any], stage: str) -> Finding:
    """Check that Chalice knows the stage, and that its API type, rights and memory are ours."""
    file = "chalice_app/.chalice/config.json"
    if stage not in config["stages"]:
        stages = " or ".join(config["stages"])
        return Finding("stage", FAIL, f"{file} has no stage {stage}", f"add it, or use stage {stages}")
    settings = stage_settings(config, stage)
    if settings.get("api_gateway_endpoint_type") != "REGIONAL":
        return Finding("stage", FAIL, f"the API in {file} is not REGIONAL", "set api_gateway_endpoint_type")
    if settings.get("autogen_policy") is not False:
        return Finding(
            "stage", FAIL, f"{file} lets Chalice guess the function's rights", "set autogen_policy to false"
        )
    memory = settings.get("lambda_memory_size", 128)
    if memory < LEAST_MEMORY_MB:
        return Finding("stage", FAIL, f"the function gets {memory} MB", "set lambda_memory_size to 512")
    return Finding("stage", OK, f"{stage}, REGIONAL, {memory} MB")


def check_timeouts(config: dict[str, Any], stage: str) -> Finding:
    """Check that each timeout is longer than the one inside it: client, Lambda, API Gateway."""
    from chalicelib import endpoint

    client = endpoint.CONNECT_SECONDS + endpoint.READ_SECONDS + endpoint.RETRY_WITHIN_SECONDS
    lambda_seconds = stage_settings(config, stage).get("lambda_timeout", 60)
    order = f"client {client:g} s < Lambda {lambda_seconds} s < API Gateway {GATEWAY_SECONDS} s"
    if not client < lambda_seconds:
        return Finding(
            "timeouts",
            FAIL,
            f"not {order}: Lambda would end the function before it reports a slow endpoint",
            "lower READ_SECONDS in chalicelib/endpoint.py, or raise lambda_timeout",
        )
    if not lambda_seconds < GATEWAY_SECONDS:
        return Finding(
            "timeouts",
            FAIL,
            f"not {order}: API Gateway gives up first",
            "lower lambda_timeout in config.json",
        )
    return Finding("timeouts", OK, order)


def check_policy(folder: Path, config: dict[str, Any], stage: str) -> Finding:
    """Check that the committed policy lets the function call its endpoint and write its log."""
    own = config["stages"].get(stage, {})
    name = own.get("iam_policy_file", f"policy-{stage}.json")
    try:
        policy = json.loads((folder / name).read_text(encoding="utf-8"))
        allowed = [(_as_list(part["Action"]), _as_list(part["Resource"])) for part in policy["Statement"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Finding(
            "policy", FAIL, f"{name} can't be read ({type(error).__name__})", "restore it from git"
        )
    endpoint = own.get("environment_variables", {}).get("ENDPOINT_NAME", "")
    sample = Stage(stage, "123456789012", "eu-west-1")
    log = f"arn:{sample.partition}:logs:{sample.region}:{sample.account}:log-group:{sample.function_log}"
    needed = {
        "sagemaker:InvokeEndpoint": sample.endpoint_arn(endpoint),
        "logs:CreateLogStream": log,
        "logs:PutLogEvents": f"{log}:log-stream:x",
    }
    for action, arn in needed.items():
        if not any(action in actions and _covers(resources, arn) for actions, resources in allowed):
            return Finding(
                "policy",
                FAIL,
                f"{name} does not allow {action} on {arn}",
                f"add it there, or set ENDPOINT_NAME in config.json's stage {stage}",
            )
    return Finding("policy", OK, f"{name} allows endpoint {endpoint} and the function's log")


def check_model(folder: Path) -> Finding:
    """Check that the model's files match its card, and that it fits this vocabulary."""
    try:
        loaded = inference.model_fn(folder)
    except (inference.ModelFilesError, inference.VocabularyError) as error:
        return Finding("model", FAIL, str(error))
    return Finding("model", OK, f"{loaded.identity.id}, hashes and vocabulary agree")


def check_serverless(kind: str, region: str | None) -> Finding:
    """Check that serverless inference is known to be in the region; the image's table names more regions."""
    if kind != "serverless" or region is None:
        return Finding("serverless", OK, "not looked at: no region, or another kind of endpoint")
    if region not in SERVERLESS_REGIONS:
        return Finding(
            "serverless",
            WARN,
            f"we don't know whether {region} has serverless inference, {len(SERVERLESS_REGIONS)} others do",
            "if the deploy fails, use ENDPOINT_KIND=realtime or another region",
        )
    return Finding("serverless", OK, f"serverless inference is in {region}")


def check_image(name: str, region: str | None, today: date) -> Finding:
    """Check that AWS has the image in the region, and still patches it."""
    if region is None:
        return Finding("image", WARN, "no region is set", "set one with --region or AWS_REGION")
    try:
        address = images.uri(name, region)
    except CloudError as error:
        return Finding("image", FAIL, str(error))
    warning = images.warning(name, today)
    if warning:
        return Finding("image", WARN, warning, f"use IMAGE={images.SERVING[0]}")
    if images.is_own(name):
        return Finding("image", OK, f"{address}, your own")
    return Finding("image", OK, f"{address}, patched until {images.LAST_PATCH[name]}")


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _covers(resources: Sequence[str], arn: str) -> bool:
    return any(fnmatchcase(arn, resource) for resource in resources)
