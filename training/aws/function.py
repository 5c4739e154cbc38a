"""The Lambda and its API Gateway, by ``chalice deploy``; then what Chalice cannot set.

Chalice works on a copy of chalice_app/ under build/, whose config.json names our role, our tags and the
endpoint. What it has made before is read from AWS, so a lost .chalice/deployed/ loses nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from training.aws import gateway, hosting, slim
from training.aws.cloud import Cloud, CloudError, is_missing, tag_map
from training.aws.hosting import Say
from vocab.files import write_atomic

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "chalice_app"
CHALICE = (sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())")
CHALICE_SECONDS = 900
LEFT_OUT = "Could not install dependencies"
# Chalice names the API after the app, whatever the stage.
API_NAME = "verdict"
# What the function gets of whoever deploys it, where it is set.
HANDED_ON = ("AUTH", "API_KEYS", "FEEDBACK")


class Api(NamedTuple):
    """The deployed API: its id, its stage's name, and its URL, which ends with a slash."""

    id: str
    stage: str
    url: str


def stages() -> list[str]:
    """Give the stages that chalice_app/.chalice/config.json knows."""
    return list(_config()["stages"])


def deploy(
    cloud: Cloud, endpoint: str, role: str, say: Say, reserved: int | None = None, origin: str | None = None
) -> Api:
    """Deploy function and API, and set what Chalice leaves out. Raises CloudError."""
    hosting.ensure_log(cloud, cloud.stage.function_log)
    folder = build(cloud, endpoint, role, reserved, origin)
    say("chalice deploy")
    output = _run_chalice(folder, cloud)
    if LEFT_OUT in output:
        raise CloudError(
            "Chalice left packages out of the zip, so the function could not start; use a newer Python"
            f" (rm -rf .venv/run && make deploy PYTHON=python3.13):\n{output[-500:]}"
        )
    found = find_api(cloud)
    if found is None:
        raise CloudError(f"chalice deploy made no API:\n{output[-500:]}")
    finish(cloud, found, origin)
    return found


def build(
    cloud: Cloud, endpoint: str, role: str, reserved: int | None = None, origin: str | None = None
) -> Path:
    """Copy chalice_app/ with its links followed, and write the stage's config and what is deployed."""
    stage, config = cloud.stage, _config()
    if stage.name not in config["stages"]:
        raise CloudError(
            f"chalice_app/.chalice/config.json has no stage {stage.name},"
            f" it has {', '.join(config['stages'])}; add it there, or name one of those"
        )
    folder = ROOT / "build" / stage.name / "chalice_app"
    _clear(folder)
    leave_out = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "policy-*.json")
    shutil.copytree(APP, folder, ignore=leave_out, dirs_exist_ok=True)
    _slim(folder)
    own = config["stages"][stage.name]
    own.pop("iam_policy_file", None)
    own |= {"manage_iam_role": False, "iam_role_arn": role, "tags": stage.tags}
    own["environment_variables"] = {**own.get("environment_variables", {}), "ENDPOINT_NAME": endpoint}
    if origin:
        own["environment_variables"]["CORS_ORIGIN"] = origin
    own["environment_variables"] |= {name: os.environ[name] for name in HANDED_ON if os.environ.get(name)}
    if reserved is not None:
        own["reserved_concurrency"] = reserved
    write_json(folder / ".chalice" / "config.json", config)
    write_json(folder / ".chalice" / "deployed" / f"{stage.name}.json", deployed(cloud))
    return folder


def _slim(folder: Path) -> None:
    try:
        slim.slim(folder)
    except slim.SlimError as error:
        raise CloudError(str(error)) from error


def _clear(folder: Path) -> None:
    """Remove an earlier copy, but for the zips that Chalice names by a hash of what is in them."""
    kept = folder / ".chalice" / "deployments"
    for path in [*folder.glob("*"), *folder.glob(".chalice/*")]:
        if path == kept or path == kept.parent:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def deployed(cloud: Cloud) -> dict[str, Any]:
    """Give Chalice's own record of what it has made, as AWS tells it."""
    resources: list[dict[str, Any]] = []
    if describe(cloud):
        resources.append(
            {
                "name": "api_handler",
                "resource_type": "lambda_function",
                "lambda_arn": cloud.stage.function_arn,
            }
        )
    api = find_api(cloud)
    if api:
        resources.append(
            {
                "name": "rest_api",
                "resource_type": "rest_api",
                "rest_api_id": api.id,
                "rest_api_url": api.url,
            }
        )
    return {"resources": resources, "schema_version": "2.0", "backend": "api"}


def _run_chalice(folder: Path, cloud: Cloud) -> str:
    """Run chalice deploy and give what it printed. Raises CloudError."""
    command = [*CHALICE, "--project-dir", str(folder), "deploy", "--stage", cloud.stage.name]
    env = os.environ | {"AWS_DEFAULT_REGION": cloud.stage.region, "AWS_REGION": cloud.stage.region}
    try:
        ran = subprocess.run(
            command,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=CHALICE_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise CloudError(f"chalice deploy took longer than {CHALICE_SECONDS} s; run this again") from error
    if ran.returncode:
        raise CloudError(f"chalice deploy failed; its last lines:\n{ran.stdout[-1500:].rstrip()}")
    return ran.stdout


# --- what is there ------------------------------------------------------------------------------


def describe(cloud: Cloud) -> dict[str, Any] | None:
    """Give the stage's Lambda function, or None. Raises CloudError when one of its name is another's."""
    try:
        found = dict(cloud.client("lambda").get_function(FunctionName=cloud.stage.function))
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    if not cloud.stage.owns(tag_map(found.get("Tags"))):
        raise CloudError(
            f"function {cloud.stage.function} is there but has not this stage's tags; take another --stage,"
            " or remove it (`chalice delete`)"
        )
    return found


def endpoint_asked(cloud: Cloud) -> str | None:
    """Give the endpoint that the deployed function asks, or None."""
    found = describe(cloud)
    variables = (found or {}).get("Configuration", {}).get("Environment", {}).get("Variables", {})
    return variables.get("ENDPOINT_NAME")


def apis(cloud: Cloud) -> list[dict[str, Any]]:
    """Give the stage's APIs: tagged as ours, or untagged and calling our function and nothing else.

    Chalice makes an API without tags, and may be interrupted before we have tagged it.
    """
    client, found = cloud.client("apigateway"), []
    for page in client.get_paginator("get_rest_apis").paginate():
        for api in page["items"]:
            tags = tag_map(api.get("tags"))
            calls_us = not tags and api["name"] == API_NAME and _called(cloud, api["id"]) == {True}
            if cloud.stage.owns(tags) or calls_us:
                found.append(api)
    return found


def find_api(cloud: Cloud) -> Api | None:
    """Give the stage's API, the newest where an interrupted deploy left two."""
    found = sorted(apis(cloud), key=lambda api: str(api.get("createdDate", "")))
    if not found:
        return None
    name = _config()["stages"].get(cloud.stage.name, {}).get("api_gateway_stage", "api")
    domain = "amazonaws.com.cn" if cloud.stage.partition == "aws-cn" else "amazonaws.com"
    api_id = found[-1]["id"]
    return Api(api_id, name, f"https://{api_id}.execute-api.{cloud.stage.region}.{domain}/{name}/")


def _called(cloud: Cloud, api_id: str) -> set[bool]:
    """Say of an API's Lambda integrations whether they call our function; empty when it has none."""
    client, found = cloud.client("apigateway"), set()
    for page in client.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"]):
        for resource in page["items"]:
            for method in resource.get("resourceMethods", {}).values():
                uri = method.get("methodIntegration", {}).get("uri") or ""
                if uri:
                    found.add(f"{cloud.stage.function_arn}/" in uri)
    return found


# --- what Chalice cannot set --------------------------------------------------------------------


def finish(cloud: Cloud, api: Api, origin: str | None = None) -> None:
    """Tag the API, throttle it, and give gateway-made errors CORS and the API's own form."""
    client, stage = cloud.client("apigateway"), cloud.stage
    arn = f"arn:{stage.partition}:apigateway:{stage.region}::/restapis/{api.id}"
    client.tag_resource(resourceArn=arn, tags=stage.tags)
    for response in gateway.responses(origin or "*"):
        client.put_gateway_response(restApiId=api.id, **response)
    client.create_deployment(restApiId=api.id, stageName=api.stage, description="gateway responses")
    client.update_stage(
        restApiId=api.id,
        stageName=api.stage,
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": str(gateway.THROTTLE["rate"])},
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": str(gateway.THROTTLE["burst"])},
        ],
    )
    remove_older(cloud, api)


def remove_older(cloud: Cloud, api: Api) -> None:
    """Remove APIs that an interrupted deploy of this stage left beside the one in use."""
    for other in apis(cloud):
        if other["id"] != api.id:
            cloud.client("apigateway").delete_rest_api(restApiId=other["id"])


def write_json(path: Path, content: dict[str, Any]) -> None:
    write_atomic(path, (json.dumps(content, indent=2) + "\n").encode())


def _config() -> dict[str, Any]:
    return dict(json.loads((APP / ".chalice" / "config.json").read_text(encoding="utf-8")))
