"""Look, before a deploy, at everything that would break it, and say what to do.

    python -m training.aws.doctor --stage dev
    python -m training.aws.doctor --stage dev --zip         # builds the Lambda zip too and looks into it
    python -m training.aws.doctor --json

One line a finding: ok, warn or FAIL. Exit status 1 when one FAILs. Without credentials the checks of this
machine and of the code still run. Nothing is made or changed on AWS.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from botocore.exceptions import BotoCoreError, ClientError

from training.aws import cloud as clouds
from training.aws import function, gateway, hosting, images, policies, resources, slim
from training.aws.cloud import Cloud, CloudError, Stage, tag_map
from training.endpoint import inference

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "chalice_app"
LINKS = ("training/vocab", "chalice_app/vendor/vocab")
OK, WARN, FAIL = "ok", "warn", "FAIL"
# The glibc of Lambda's image of each Python, as Chalice 1.34 takes it; of any later one, the last.
GLIBC = {(3, 10): (2, 26), (3, 11): (2, 26), (3, 12): (2, 34)}
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
# An environment keeps the Python it was made with.
NEWER = "rm -rf .venv/run && make {} PYTHON=python3.13"
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# What pip says when there is no wheel; all else is a failure of its own.
NO_WHEEL = "No matching distribution found"
PIP_SECONDS, ZIP_SECONDS = 180, 600
GATEWAY_SECONDS = 29
# The app wants 512 MB to start quickly; below this it hardly starts.
LEAST_MEMORY_MB = 256
NEEDED_BYTES, COMFORTABLE_BYTES = 500_000_000, 2_000_000_000
MAX_ZIP_BYTES = 50_000_000
# Lambda leaves so many copies to the account's other functions.
UNRESERVED = 100
# A port that nobody listens on: the app's own errors are looked at without an endpoint.
NOWHERE = "http://127.0.0.1:9"


class Finding(NamedTuple):
    """What a check found: its name, ok, warn or FAIL, one sentence, and what to do about it."""

    check: str
    level: str
    sentence: str
    fix: str = ""

    def line(self) -> str:
        return f"{self.level:5}{self.check}: {self.sentence}" + (f"; {self.fix}" if self.fix else "")


Check = Callable[[], Finding | list[Finding]]


# --- this machine -------------------------------------------------------------------------------


def check_python(version: tuple[int, int]) -> Finding:
    """Chalice builds for the Python that runs it, and old ones have an old glibc on Lambda."""
    name = f"Python {version[0]}.{version[1]}"
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        known = f"{dotted(OLDEST_PYTHON)} to {dotted(NEWEST_PYTHON)}"
        return Finding("python", FAIL, f"{name} is not among {known}", NEWER.format("doctor"))
    glibc = glibc_of(version)
    if glibc < GLIBC[(3, 12)]:
        return Finding(
            "python",
            WARN,
            f"{name} on Lambda has glibc {dotted(glibc)}; Chalice leaves newer wheels out and says no error",
            NEWER.format("deploy") + " (the check of wheels says whether any is left out today)",
        )
    return Finding("python", OK, f"{name}, glibc {dotted(glibc)} on Lambda")


def check_wheels(version: tuple[int, int], architecture: str, requirements: Path) -> Finding:
    """Ask the package index for what the zip would carry, as Chalice does."""
    where = f"Python {dotted(version)} on {architecture}"
    try:
        missing, found = missing_wheels(version, architecture, requirements)
    except subprocess.TimeoutExpired:
        return Finding("wheels", WARN, f"the package index did not answer in {PIP_SECONDS} s", "try again")
    except CloudError as error:
        return Finding("wheels", WARN, f"the Lambda's packages can't be looked up: {error}")
    if missing:
        return Finding(
            "wheels",
            FAIL,
            f"the zip would lack {', '.join(missing)}: no wheel for {where} with glibc"
            f" {dotted(glibc_of(version))}",
            f"use a newer Python ({NEWER.format('deploy')}), or pin an older version in"
            " chalice_app/requirements.txt",
        )
    return Finding("wheels", OK, f"all {found} packages of the zip have a wheel for {where}")


def missing_wheels(version: tuple[int, int], architecture: str, requirements: Path) -> tuple[list[str], int]:
    """Give the packages that have no wheel for a Lambda, and how many packages there are.

    Chalice resolves for the Python that runs it and then wants each of these very versions for Lambda.
    Raises CloudError when they can't be resolved, subprocess.TimeoutExpired.
    """
    report = _pip("install", "--dry-run", "--ignore-installed", "--report", "-", "-r", str(requirements))
    if report.returncode:
        raise CloudError(_last_line(report.stderr))
    named = [one["metadata"] for one in json.loads(report.stdout)["install"]]
    wanted = [f"{one['name']}=={one['version']}" for one in named]
    if not wanted or _have_wheels(wanted, version, architecture):
        return [], len(wanted)
    return [one for one in wanted if not _have_wheels([one], version, architecture)], len(wanted)


def _have_wheels(wanted: Sequence[str], version: tuple[int, int], architecture: str) -> bool:
    machine, (major, minor) = MACHINES[architecture], glibc_of(version)
    tags = [f"manylinux_{major}_{one}_{machine}" for one in range(minor, 4, -1)]
    tags += [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    with tempfile.TemporaryDirectory() as folder:
        got = _pip(
            "download",
            "--no-deps",
            "--only-binary=:all:",
            # Without a third part pip takes 3.11.0, which is too old for what asks for 3.11.5.
            f"--python-version={dotted(version)}.99",
            "--implementation=cp",
            *(f"--platform={tag}" for tag in tags),
            f"--dest={folder}",
            *wanted,
        )
    if got.returncode and NO_WHEEL not in got.stderr:
        raise CloudError(_last_line(got.stderr))
    return got.returncode == 0


def _pip(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pip", arguments[0], "--quiet", "--disable-pip-version-check"]
    return subprocess.run(
        [*command, "--retries", "1", "--timeout", "20", *arguments[1:]],
        capture_output=True,
        text=True,
        timeout=PIP_SECONDS,
    )


def check_disk(folder: Path) -> Finding:
    """Packages and wheels need room."""
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        return Finding("disk", FAIL, f"{free / 1e6:.0f} MB are free, a deploy needs 500", "make room")
    level = WARN if free < COMFORTABLE_BYTES else OK
    return Finding("disk", level, f"{free / 1e9:.1f} GB are free")


# --- the code -----------------------------------------------------------------------------------


def check_links(root: Path) -> Finding:
    """Text to ids exists once, and both packages link to it."""
    for link in LINKS:
        if (root / link).resolve() != (root / "vocab").resolve():
            what = "is no link to vocab/" if (root / link).exists() else "is missing"
            return Finding(
                "links", FAIL, f"{link} {what}", "git config core.symlinks true && git checkout -- ."
            )
    return Finding("links", OK, "both packages link to vocab/")


def check_stage(config: dict[str, Any], stage: str) -> Finding:
    """Chalice knows the stage, and makes an API whose timeouts and rights are ours."""
    where = "chalice_app/.chalice/config.json"
    if stage not in config["stages"]:
        return Finding("stage", FAIL, f"{where} has no stage {stage}", f"add it, or name {names(config)}")
    settings = {**config, **config["stages"][stage]}
    if settings.get("api_gateway_endpoint_type") != "REGIONAL":
        return Finding("stage", FAIL, f"the API of {where} is not REGIONAL", "set api_gateway_endpoint_type")
    if settings.get("autogen_policy") is not False:
        return Finding(
            "stage", FAIL, f"{where} lets Chalice guess the function's rights", "set autogen_policy to false"
        )
    memory = settings.get("lambda_memory_size", 128)
    if memory < LEAST_MEMORY_MB:
        return Finding("stage", FAIL, f"the function gets {memory} MB", "set lambda_memory_size to 512")
    return Finding("stage", OK, f"{stage}, REGIONAL, {memory} MB")


def check_timeouts(config: dict[str, Any], stage: str) -> Finding:
    """Whoever waits must wait longer than who is waited for."""
    from chalicelib import endpoint

    client = endpoint.CONNECT_SECONDS + endpoint.READ_SECONDS + endpoint.RETRY_WITHIN_SECONDS
    lambda_seconds = {**config, **config["stages"].get(stage, {})}.get("lambda_timeout", 60)
    told = f"client {client:g} s < Lambda {lambda_seconds} s < API Gateway {GATEWAY_SECONDS} s"
    if not client < lambda_seconds:
        return Finding(
            "timeouts",
            FAIL,
            f"not {told}: the function would be ended before it can say that the endpoint is slow",
            "lower READ_SECONDS in chalicelib/endpoint.py, or raise lambda_timeout",
        )
    if not lambda_seconds < GATEWAY_SECONDS:
        return Finding(
            "timeouts", FAIL, f"not {told}: API Gateway gives up first", "lower lambda_timeout in config.json"
        )
    return Finding("timeouts", OK, told)


def check_policy(folder: Path, config: dict[str, Any], stage: str) -> Finding:
    """The committed policy lets the function ask the endpoint that its settings name, and write its log."""
    own = config["stages"].get(stage, {})
    name = own.get("iam_policy_file", f"policy-{stage}.json")
    try:
        policy = json.loads((folder / name).read_text(encoding="utf-8"))
        given = [(_listed(one["Action"]), _listed(one["Resource"])) for one in policy["Statement"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Finding("policy", FAIL, f"{name} can't be read ({type(error).__name__})", "git checkout it")
    endpoint = own.get("environment_variables", {}).get("ENDPOINT_NAME", "")
    place = Stage(stage, "123456789012", "eu-west-1")
    wanted = {
        "sagemaker:InvokeEndpoint": place.endpoint_arn(endpoint),
        "logs:CreateLogStream": _log_of(place),
        "logs:PutLogEvents": f"{_log_of(place)}:log-stream:x",
    }
    for action, arn in wanted.items():
        if not any(action in actions and _covers(resources, arn) for actions, resources in given):
            return Finding(
                "policy",
                FAIL,
                f"{name} does not allow {action} on {arn}",
                f"name it there, or set ENDPOINT_NAME in config.json's stage {stage}",
            )
    return Finding("policy", OK, f"{name} allows endpoint {endpoint} and the function's log")


def check_model(folder: Path) -> Finding:
    """The model's files are those that its card names, and fit this vocabulary."""
    try:
        verdict = inference.model_fn(folder)
    except (inference.ModelFilesError, inference.VocabularyError) as error:
        return Finding("model", FAIL, str(error))
    return Finding("model", OK, f"{verdict.model.id}, hashes and vocabulary agree")


def check_cors() -> Finding:
    """Every error of the app and of API Gateway may be read by the page."""
    from chalicelib import answers

    header = "access-control-allow-origin"
    try:
        bare = [str(status) for status, given in error_answers() if header not in given]
    except answers.OriginError as error:
        return Finding("cors", FAIL, str(error))
    for response in gateway.responses():
        names = {name.rsplit(".", 1)[-1].lower() for name in response["responseParameters"]}
        if header not in names:
            bare.append(response["responseType"])
    if bare:
        return Finding(
            "cors",
            FAIL,
            f"no CORS header on {', '.join(bare)}",
            "look at chalicelib/answers.py and gateway.py",
        )
    return Finding("cors", OK, "every error status of the app and of API Gateway carries its CORS header")


def error_answers() -> Iterator[tuple[int, set[str]]]:
    """Ask the app, in this process, for an answer of each error status; give status and header names."""
    from chalice.test import Client

    import app
    from chalicelib import answers

    kind = {"Content-Type": "application/json"}
    review = b'{"review": "A lovely film."}'
    asked: list[tuple[int, str, str, bytes, dict[str, str]]] = [
        (400, "POST", "/v1/sentiment", b"{", kind),
        (404, "GET", "/nowhere", b"", {}),
        (405, "DELETE", "/v1/sentiment", b"", {}),
        (413, "POST", "/v1/sentiment", b'{"review": "' + b"x" * 50_001 + b'"}', kind),
        (415, "POST", "/v1/sentiment", b"x", {"Content-Type": "text/csv"}),
        (422, "POST", "/v1/sentiment", b'{"review": " "}', kind),
        (503, "POST", "/v1/sentiment", review, kind),
    ]
    origin = {"Origin": answers.allowed_origins()[0]}
    with mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": NOWHERE, "AUTH": "none"}):
        client = Client(app.app, project_dir=str(APP)).http
        with tempfile.TemporaryFile("w") as nowhere, mock.patch.object(sys, "stdout", nowhere):
            for status, method, path, body, headers in asked:
                answer = client.request(method, path, headers=headers | origin, body=body)
                given = {name.lower() for name in answer.headers}
                yield answer.status_code, given if answer.status_code == status else set()


def check_image(name: str, region: str | None, today: date) -> Finding:
    """AWS keeps the image in the region, and still mends it."""
    if region is None:
        return Finding("image", WARN, "no region is set to look in", "name one with --region or AWS_REGION")
    try:
        address = images.uri(name, region)
    except CloudError as error:
        return Finding("image", FAIL, str(error))
    told = images.warning(name, today)
    if told:
        return Finding("image", WARN, told, "take IMAGE=ray" if name != "ray" else "look for a newer one")
    return Finding("image", OK, f"{address}, patched until {images.LAST_PATCH[name]}")


def check_zip(stage: str) -> Finding:
    """Build the zip as Chalice does and look for what the app imports."""
    with tempfile.TemporaryDirectory() as folder:
        # A copy: Chalice keeps what it builds in its project.
        copy = Path(folder) / "chalice_app"
        shutil.copytree(APP, copy, ignore=shutil.ignore_patterns("__pycache__", "deployments", "deployed"))
        try:
            slim.slim(copy)  # as a deploy does
        except slim.SlimError as error:
            return Finding("zip", FAIL, str(error))
        command = [*function.CHALICE, "--project-dir", str(copy), "package", "--stage", stage, folder]
        env = {"AWS_DEFAULT_REGION": "us-east-1"} | dict(os.environ)
        try:
            made = subprocess.run(command, env=env, capture_output=True, text=True, timeout=ZIP_SECONDS)
        except subprocess.TimeoutExpired:
            return Finding("zip", FAIL, f"chalice package took longer than {ZIP_SECONDS} s", "try again")
        if made.returncode:
            return Finding("zip", FAIL, f"chalice package failed: {_last_line(made.stderr)}")
        return look_into(Path(folder) / "deployment.zip", copy / "requirements.txt")


def look_into(path: Path, requirements: Path) -> Finding:
    """Say whether a zip holds the app, the vocabulary and every required package."""
    with zipfile.ZipFile(path) as file:
        found = file.namelist()
    installed = {_plain(name.split("-")[0]) for name in found if ".dist-info/" in name}
    missing = [name for name in required(requirements) if _plain(name) not in installed]
    ours = ("app.py", "chalicelib/endpoint.py", "vocab/text.py", "vocab/vocabulary.pkl")
    ours += ("nltk/stem/porter.py",)
    missing += [name for name in ours if name not in found]
    if missing:
        return Finding(
            "zip", FAIL, f"the zip lacks {', '.join(missing)}", "use a newer Python, look at the links"
        )
    size = path.stat().st_size
    if size > MAX_ZIP_BYTES:
        return Finding("zip", FAIL, f"the zip has {size / 1e6:.1f} MB, Lambda takes 50", "carry less")
    return Finding("zip", OK, f"{size / 1e6:.1f} MB with app, vocabulary and all required packages")


def required(requirements: Path) -> list[str]:
    """Give the names in a requirements file."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return [found[0] for line in lines if (found := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line))]


# --- AWS ----------------------------------------------------------------------------------------


def check_account(cloud: Cloud) -> Finding:
    """Say where a deploy would go."""
    stage = cloud.stage
    if stage.partition != "aws":
        return Finding(
            "account",
            WARN,
            f"account {stage.account} is in partition {stage.partition}; the policies in .chalice/ name aws",
            "use make deploy, which writes its own, not a bare chalice deploy",
        )
    return Finding("account", OK, f"account {stage.account}, region {stage.region}")


def check_rights(cloud: Cloud) -> Finding:
    """Ask AWS whether the caller may do what a deploy does."""
    arn = principal_of(cloud.client("sts").get_caller_identity()["Arn"])
    if arn.endswith(":root"):
        return Finding("rights", WARN, "you are the account's root, who may do all", "use a role instead")
    denied: list[str] = []
    for resource, actions in needed(cloud.stage):
        answer = cloud.client("iam").simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=actions, ResourceArns=[resource]
        )
        results = answer["EvaluationResults"]
        denied += [one["EvalActionName"] for one in results if one["EvalDecision"] != "allowed"]
    if denied:
        return Finding(
            "rights",
            FAIL,
            f"{arn} may not {', '.join(denied)}",
            "have these rights added, or take another user",
        )
    return Finding("rights", OK, f"{arn} may do what a deploy does (organisation policies not looked at)")


def principal_of(arn: str) -> str:
    """Give the user or role behind a caller: a session's ARN names its role.

    >>> principal_of("arn:aws:sts::1:assumed-role/Admin/me")
    'arn:aws:iam::1:role/Admin'
    """
    found = re.fullmatch(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}" if found else arn


def needed(stage: Stage) -> list[tuple[str, list[str]]]:
    """Give what a deploy asks of AWS: a resource, and the actions on it."""
    arn = f"arn:{stage.partition}"
    here = f"{stage.region}:{stage.account}"
    sagemaker = f"{arn}:sagemaker:{here}"
    bucket = [
        "s3:CreateBucket",
        "s3:ListBucket",
        "s3:PutBucketPolicy",
        "s3:PutBucketTagging",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
    ]
    role = ["iam:CreateRole", "iam:GetRole", "iam:PutRolePolicy", "iam:TagRole", "iam:PassRole"]
    return [
        (f"{arn}:s3:::{stage.bucket}", bucket),
        (f"{arn}:s3:::{stage.bucket}/packages/x", ["s3:GetObject", "s3:PutObject"]),
        (stage.role_arn_of(stage.endpoint_role), role),
        (stage.role_arn_of(stage.function_role), role),
        (f"{sagemaker}:model/{stage.prefix}", ["sagemaker:CreateModel", "sagemaker:AddTags"]),
        (f"{sagemaker}:endpoint-config/{stage.prefix}", ["sagemaker:CreateEndpointConfig"]),
        (
            stage.endpoint_arn(stage.endpoint),
            ["sagemaker:CreateEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
        ),
        (
            stage.function_arn,
            [
                "lambda:CreateFunction",
                "lambda:GetFunction",
                "lambda:UpdateFunctionCode",
                "lambda:UpdateFunctionConfiguration",
                "lambda:AddPermission",
            ],
        ),
        (
            f"{arn}:apigateway:{stage.region}::/restapis/x",
            ["apigateway:GET", "apigateway:POST", "apigateway:PUT", "apigateway:PATCH"],
        ),
        (
            f"{arn}:logs:{here}:log-group:{stage.function_log}",
            ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
        ),
    ]


def check_roles(cloud: Cloud) -> list[Finding]:
    """The roles are ours, or free."""
    stage = cloud.stage
    trusts = {
        stage.endpoint_role: policies.trust(stage, "sagemaker", own_account=True),
        stage.function_role: policies.trust(stage, "lambda"),
        stage.role: policies.trust(stage, "sagemaker"),
    }
    return [_check_role(cloud, name, trust) for name, trust in trusts.items()]


def _check_role(cloud: Cloud, name: str, trust: dict[str, Any]) -> Finding:
    check = f"role {name}"
    try:
        role = cloud.client("iam").get_role(RoleName=name)["Role"]
    except ClientError as error:
        if clouds.is_missing(error):
            return Finding(check, OK, "not there yet, a deploy makes it")
        raise
    try:
        resources.check_role(cloud.stage, name, tag_map(role.get("Tags")))
    except CloudError as error:
        return Finding(check, FAIL, str(error))
    service = trust["Statement"][0]["Principal"]["Service"]
    if role["AssumeRolePolicyDocument"] != trust:
        return Finding(check, WARN, f"is not trusted by {service} as it should be", "a deploy mends that")
    return Finding(check, OK, f"is ours and trusted by {service}")


def check_buckets(cloud: Cloud) -> list[Finding]:
    """The buckets are ours and in this region, or free."""
    return [_check_bucket(cloud, cloud.stage.bucket), _check_bucket(cloud, cloud.stage.site_bucket)]


def _check_bucket(cloud: Cloud, bucket: str) -> Finding:
    check = f"bucket {bucket}"
    try:
        tags = resources.check_bucket(cloud, bucket)
    except CloudError as error:
        return Finding(check, FAIL, str(error))
    if tags is None:
        return Finding(check, OK, "not there yet, a deploy makes it")
    place = cloud.client("s3").get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
    if place != cloud.stage.region:
        return Finding(check, FAIL, f"is in {place}, not in {cloud.stage.region}", f"--region {place}")
    return Finding(check, OK, "is ours and in this region")


def check_function(cloud: Cloud) -> Finding:
    """The function is ours, or its name is free."""
    try:
        found = function.describe(cloud)
    except CloudError as error:
        return Finding("function", FAIL, str(error))
    name = cloud.stage.function
    return Finding("function", OK, f"{name} is ours" if found else f"{name} is not there yet")


def check_endpoint_quota(cloud: Cloud, kind: str, instance_type: str, wanted: int) -> Finding:
    """SageMaker's quota has room for the endpoint."""
    serverless = kind == "serverless"
    named = "serverless endpoints" if serverless else f"{instance_type} for endpoint usage"
    found = [quota for quota in _quotas(cloud, "sagemaker") if _is_quota(quota["QuotaName"], named)]
    if not found:
        return Finding("quota", WARN, f"SageMaker names no quota for {named}", "look at Service Quotas")
    for quota in found:
        if quota["Value"] < (wanted if "oncurrency" in quota["QuotaName"] or not serverless else 1):
            return Finding(
                "quota",
                FAIL,
                f"{quota['QuotaName']!r} is {quota['Value']:g}, {wanted} are needed",
                "ask for more at Service Quotas, or choose less",
            )
    return Finding("quota", OK, ", ".join(f"{one['QuotaName']}: {one['Value']:g}" for one in found))


def _quotas(cloud: Cloud, service: str) -> Iterator[dict[str, Any]]:
    pages = cloud.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode=service)
    for page in pages:
        yield from page["Quotas"]


def _is_quota(name: str, wanted: str) -> bool:
    """Say whether a quota is the one meant: they are known by name, and the wording grew over time."""
    return name.lower().endswith(wanted.lower())


def check_copies(cloud: Cloud, reserved: int | None) -> Finding:
    """Lambda can reserve the copies that are asked for."""
    limit = cloud.client("lambda").get_account_settings()["AccountLimit"]
    free = limit.get("UnreservedConcurrentExecutions", limit["ConcurrentExecutions"])
    if reserved is not None and free - reserved < UNRESERVED:
        return Finding(
            "concurrency",
            FAIL,
            f"{free} copies are free and {UNRESERVED} must stay so, {reserved} can't be reserved",
            "reserve none, or ask for more at Service Quotas",
        )
    if limit["ConcurrentExecutions"] < UNRESERVED:
        return Finding(
            "concurrency",
            WARN,
            f"this account runs {limit['ConcurrentExecutions']} copies of functions at once",
            "ask for more at Service Quotas; none can be reserved",
        )
    return Finding("concurrency", OK, f"{free} copies of functions may run at once")


# --- all of it ----------------------------------------------------------------------------------


def local_checks(options: argparse.Namespace) -> Iterator[tuple[str, Check]]:
    """Give the checks that need no account, by name."""
    config, stage = read_config(), options.stage
    version = sys.version_info[:2]
    architecture = {**config, **config["stages"].get(stage, {})}.get("lambda_architecture", "x86_64")
    yield "python", lambda: check_python(version)
    yield "wheels", lambda: check_wheels(version, architecture, APP / "requirements.txt")
    yield "disk", lambda: check_disk(ROOT)
    yield "links", lambda: check_links(ROOT)
    yield "stage", lambda: check_stage(config, stage)
    yield "timeouts", lambda: check_timeouts(config, stage)
    yield "policy", lambda: check_policy(APP / ".chalice", config, stage)
    yield "model", lambda: check_model(options.model)
    yield "cors", check_cors
    yield "image", lambda: check_image(options.image, clouds.region_of(options.region), date.today())
    if options.zip:
        yield "zip", lambda: check_zip(stage)


def cloud_checks(cloud: Cloud, options: argparse.Namespace) -> Iterator[tuple[str, Check]]:
    """Give the checks that ask AWS, by name."""
    wanted = options.concurrency if options.kind == "serverless" else 1
    yield "account", lambda: check_account(cloud)
    yield "rights", lambda: check_rights(cloud)
    yield "role", lambda: check_roles(cloud)
    yield "bucket", lambda: check_buckets(cloud)
    yield "function", lambda: check_function(cloud)
    yield "quota", lambda: check_endpoint_quota(cloud, options.kind, options.instance_type, wanted)
    yield "concurrency", lambda: check_copies(cloud, options.reserved_concurrency)


def examine(options: argparse.Namespace) -> Iterator[Finding]:
    """Give every finding, one after the other."""
    for name, check in local_checks(options):
        yield from run(name, check)
    try:
        cloud = clouds.open_stage(options.stage, options.region)
    except (CloudError, BotoCoreError, ClientError) as error:
        yield Finding("account", FAIL, clouds.sentence_of(error))
        return
    for name, check in cloud_checks(cloud, options):
        yield from run(name, check)


def run(name: str, check: Check) -> list[Finding]:
    """Run a check; what AWS does not let us see is a warning."""
    try:
        found = check()
    except (CloudError, BotoCoreError, ClientError) as error:
        return [Finding(name, WARN, f"can't be checked: {clouds.sentence_of(error)}")]
    return found if isinstance(found, list) else [found]


def read_config() -> dict[str, Any]:
    """Read Chalice's settings. Raises CloudError."""
    path = APP / ".chalice/config.json"
    try:
        config = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CloudError(f"{path} can't be read ({error}); git checkout it") from error
    if not isinstance(config.get("stages"), dict):
        raise CloudError(f"{path} has no stages; git checkout it")
    return config


def glibc_of(version: tuple[int, int]) -> tuple[int, int]:
    """Give the glibc of Lambda's image of a Python."""
    return GLIBC.get(version, GLIBC[max(GLIBC)])


def dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def names(config: dict[str, Any]) -> str:
    return " or ".join(config["stages"])


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _covers(resources: Sequence[str], arn: str) -> bool:
    return any(fnmatchcase(arn, resource) for resource in resources)


def _log_of(stage: Stage) -> str:
    return f"arn:{stage.partition}:logs:{stage.region}:{stage.account}:log-group:{stage.function_log}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it printed nothing")[:300]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    environ = os.environ
    parser = argparse.ArgumentParser(description="Look for what would break a deploy.")
    add = parser.add_argument
    clouds.add_flags(parser)
    add("--json", action="store_true", help="print the findings as JSON")
    add("--zip", action="store_true", help="build the Lambda zip too and look into it (a minute)")
    add(
        "--model",
        type=Path,
        default=Path(environ.get("MODEL") or inference.MODEL_FOLDER),
        help="model folder (default: MODEL, or training/endpoint/model)",
    )
    add("--image", choices=images.SERVING, default=environ.get("IMAGE") or "ray", help="the server's image")
    add("--kind", choices=hosting.KINDS, default=environ.get("ENDPOINT_KIND") or "serverless")
    add("--instance-type", default="ml.m5.large", help="of a realtime endpoint (default ml.m5.large)")
    add("--concurrency", type=int, default=5, help="serverless requests at once (default 5)")
    add("--reserved-concurrency", type=int, help="copies of the function to reserve (default: none)")
    options = parser.parse_args(arguments)
    clouds.check_choices(
        parser, ENDPOINT_KIND=(options.kind, hosting.KINDS), IMAGE=(options.image, images.SERVING)
    )
    return options


def main() -> None:
    options = parse()
    with clouds.speaking("doctor"):
        clouds.check_stage(options.stage)
        found = []
        for finding in examine(options):
            found.append(finding)
            if not options.json:
                print(finding.line(), flush=True)
    if options.json:
        print(json.dumps([finding._asdict() for finding in found], indent=2))
    bad = sum(finding.level == FAIL for finding in found)
    if bad:
        sys.exit(f"doctor: {bad} of {len(found)} findings would break a deploy")


if __name__ == "__main__":
    main()
