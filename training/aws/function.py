"""Deploy the Lambda and its API Gateway by ``chalice deploy``, then set what Chalice can't.

Chalice works on a copy of chalice_app/ under build/, whose config.json names our role, tags and endpoint.
Chalice's record of earlier deploys is built from AWS, so a lost .chalice/deployed/ loses nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
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
# The function's variables that a deploy's environment may change. Others' deploys keep them as they are.
SETTINGS = ("AUTH", "API_KEYS", "FEEDBACK", "CORS_ORIGIN", "COMPATIBLE")
# This value takes a setting away.
NONE = "none"
# AWS changes a function's code before its variables. In between, the endpoint that the zip names holds.
ENDPOINT_FILE = Path("chalicelib/endpoint.json")


class Api(NamedTuple):
    """The deployed API: its id, its stage's name, and its URL with a slash at the end."""

    id: str
    stage: str
    url: str


def stages() -> list[str]:
    """Return the stages in chalice_app/.chalice/config.json."""
    return list(_config()["stages"])


def settings(cloud: Cloud, env: Mapping[str, str]) -> dict[str, str]:
    """Return the function's settings: the environment's, and for unset ones those that are deployed.

    An empty variable counts as unset: `make` exports it so.
    """
    given = {name: env[name] for name in SETTINGS if env.get(name)}
    return {name: value for name, value in (deployed_settings(cloud) | given).items() if value != NONE}


def kept_settings(cloud: Cloud, env: Mapping[str, str]) -> list[str]:
    """Return the names of the deployed settings that the environment does not change."""
    return [name for name in deployed_settings(cloud) if not env.get(name)]


def deployed_settings(cloud: Cloud) -> dict[str, str]:
    """Return the settings of the deployed function."""
    deployed = variables(cloud)
    return {name: deployed[name] for name in SETTINGS if deployed.get(name)}


def deploy(
    cloud: Cloud,
    endpoint: str,
    role: str,
    say: Say,
    own: Mapping[str, str],
    reserved: int | None = None,
    kind: str = "serverless",
) -> Api:
    """Deploy function and API with Chalice, then set throttle, tags and errors; ``own`` are its settings.

    Raises CloudError.
    """
    hosting.ensure_log(cloud, cloud.stage.function_log)
    folder = build(cloud, endpoint, role, own, reserved, kind)
    say("chalice deploy")
    output = _run_chalice(folder, cloud)
    if LEFT_OUT in output:
        raise CloudError(
            "Chalice left packages out of the zip, so the function can't start; use a newer Python"
            f" (rm -rf .venv/run && make deploy PYTHON=python3.13):\n{output[-500:]}"
        )
    api = find_api(cloud)
    if api is None:
        raise CloudError(f"chalice deploy created no API:\n{output[-500:]}")
    finish(cloud, api, own.get("CORS_ORIGIN"))
    return api


def build(
    cloud: Cloud,
    endpoint: str,
    role: str,
    settings: Mapping[str, str],
    reserved: int | None = None,
    kind: str = "serverless",
) -> Path:
    """Copy chalice_app/ with its links followed; write the endpoint's file, config and record of deploys."""
    stage, config = cloud.stage, _config()
    if stage.name not in config["stages"]:
        raise CloudError(
            f"chalice_app/.chalice/config.json has no stage {stage.name},"
            f" only {', '.join(config['stages'])}; add it there, or use one of those"
        )
    folder = ROOT / "build" / stage.name / "chalice_app"
    _clear(folder)
    leave_out = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "policy-*.json")
    shutil.copytree(APP, folder, ignore=leave_out, dirs_exist_ok=True)
    _slim(folder)
    write_json(folder / ENDPOINT_FILE, {"kind": kind, "name": endpoint})
    own = config["stages"][stage.name]
    own.pop("iam_policy_file", None)
    own |= {"manage_iam_role": False, "iam_role_arn": role, "tags": stage.tags}
    fixed = {**own.get("environment_variables", {}), "ENDPOINT_NAME": endpoint}
    own["environment_variables"] = fixed | dict(settings)
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
    """Remove an earlier copy, without the zips: Chalice names them by a hash of their contents."""
    zips = folder / ".chalice" / "deployments"
    for path in [*folder.glob("*"), *folder.glob(".chalice/*")]:
        if path == zips or path == zips.parent:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def deployed(cloud: Cloud) -> dict[str, Any]:
    """Return Chalice's own record of its deploys, built from AWS."""
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
    """Run chalice deploy and return its output. Raises CloudError."""
    command = [*CHALICE, "--project-dir", str(folder), "deploy", "--stage", cloud.stage.name]
    env = os.environ | {"AWS_DEFAULT_REGION": cloud.stage.region, "AWS_REGION": cloud.stage.region}
    try:
        result = subprocess.run(
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
    if result.returncode:
        raise CloudError(f"chalice deploy failed; its last lines:\n{result.stdout[-1500:].rstrip()}")
    return result.stdout


# --- look-ups -----------------------------------------------------------------------------------


def describe(cloud: Cloud) -> dict[str, Any] | None:
    """Return the stage's Lambda function, or None. Raises CloudError when one of its name is not ours."""
    try:
        description = dict(cloud.client("lambda").get_function(FunctionName=cloud.stage.function))
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    if not cloud.stage.owns(tag_map(description.get("Tags"))):
        raise CloudError(
            f"function {cloud.stage.function} exists without this stage's tags; use another --stage,"
            " or remove it (`chalice delete`)"
        )
    return description


def variables(cloud: Cloud) -> dict[str, str]:
    """Return the deployed function's variables; empty without a function."""
    configuration = (describe(cloud) or {}).get("Configuration", {})
    return dict(configuration.get("Environment", {}).get("Variables", {}))


def endpoint_in_use(cloud: Cloud) -> str | None:
    """Return the endpoint that the deployed function calls, or None."""
    return variables(cloud).get("ENDPOINT_NAME")


def apis(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the stage's APIs: those with our tags, and those without tags that call only our function.

    Chalice creates an API without tags, and a deploy may be interrupted before it tags the API.
    """
    client, ours = cloud.client("apigateway"), []
    for page in client.get_paginator("get_rest_apis").paginate():
        for api in page["items"]:
            tags = tag_map(api.get("tags"))
            calls_us = not tags and api["name"] == API_NAME and _called(cloud, api["id"]) == {True}
            if cloud.stage.owns(tags) or calls_us:
                ours.append(api)
    return ours


def find_api(cloud: Cloud) -> Api | None:
    """Return the stage's API, or None; the newest where an interrupted deploy left two."""
    by_age = sorted(apis(cloud), key=lambda api: str(api.get("createdDate", "")))
    if not by_age:
        return None
    name = _config()["stages"].get(cloud.stage.name, {}).get("api_gateway_stage", "api")
    domain = "amazonaws.com.cn" if cloud.stage.partition == "aws-cn" else "amazonaws.com"
    api_id = by_age[-1]["id"]
    return Api(api_id, name, f"https://{api_id}.execute-api.{cloud.stage.region}.{domain}/{name}/")


def _called(cloud: Cloud, api_id: str) -> set[bool]:
    """Return, for an API's Lambda integrations, whether they call our function; empty without any."""
    client, results = cloud.client("apigateway"), set()
    for page in client.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"]):
        for resource in page["items"]:
            for method in resource.get("resourceMethods", {}).values():
                uri = method.get("methodIntegration", {}).get("uri") or ""
                if uri:
                    results.add(f"{cloud.stage.function_arn}/" in uri)
    return results


# --- settings that Chalice lacks ----------------------------------------------------------------


def finish(cloud: Cloud, api: Api, origin: str | None = None) -> None:
    """Tag the API, throttle it, and set the errors of API Gateway: CORS headers and our own form."""
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
    """Remove the APIs that an interrupted deploy of this stage left beside the one in use."""
    for other in apis(cloud):
        if other["id"] != api.id:
            cloud.client("apigateway").delete_rest_api(restApiId=other["id"])


def write_json(path: Path, content: dict[str, Any]) -> None:
    write_atomic(path, (json.dumps(content, indent=2) + "\n").encode())


def _config() -> dict[str, Any]:
    return dict(json.loads((APP / ".chalice" / "config.json").read_text(encoding="utf-8")))
