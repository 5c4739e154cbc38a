"""Host the model in a Lambda function of its own (ENDPOINT_KIND=lambda): versions, and an alias that serves.

The API's function calls an alias. A new model is a new version, which answers our test reviews before the
alias moves to it. So no request reaches an untested model, and going back is a change of the alias.
"""

import base64
import tempfile
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from training.aws import function_package, hosting, lambda_calls, prices, resources
from training.aws.cloud import (
    Cloud,
    CloudError,
    code_of,
    is_denied,
    is_missing,
    once_visible,
    tag_map,
    words_of,
)
from training.aws.hosting import Say
from training.aws.package import Package
from training.endpoint import inference
from vocab.files import sha256

# With this memory Lambda gives one whole core, on which the network computes a review.
MEMORY_MB = prices.WHOLE_CORE_MB
LEAST_MEMORY_MB, MOST_MEMORY_MB = 512, 10_240
# As long as the API's function waits.
TIMEOUT_SECONDS = 20
VARIABLES = {"ORT_DISABLE_TELEMETRY": "1"}
# AWS's word for what its refusal of a limit protects: the executions that all functions share.
_UNRESERVED = "UnreservedConcurrentExecution"
# Versions that stay: what serves, and some to go back to.
KEPT = 3


def describe(cloud: Cloud) -> dict[str, Any] | None:
    """Return the model's function, or None. Raises CloudError when one of its name is not ours."""
    name = cloud.stage.model_function
    try:
        description = dict(cloud.client("lambda").get_function(FunctionName=name))
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    if not cloud.stage.owns(tag_map(description.get("Tags"))):
        raise CloudError(f"function {name} exists without this stage's tags; use another --stage")
    return description


def version_of(cloud: Cloud, alias: str) -> str | None:
    """Return the version that an alias serves, or None without one."""
    function, _, name = alias.partition(":")
    try:
        found = cloud.client("lambda").get_alias(FunctionName=function, Name=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return str(found["FunctionVersion"])


def configuration(cloud: Cloud, target: str) -> dict[str, Any]:
    """Return the configuration of an alias's or a version's function."""
    return dict(cloud.client("lambda").get_function_configuration(FunctionName=target))


def host(
    cloud: Cloud,
    alias: str,
    memory_mb: int,
    model: Path,
    loaded: inference.LoadedModel,
    say: Say,
    concurrency: int | None = None,
) -> tuple[str, str]:
    """Put a model into the function, behind an alias; return its version's name and the zip's SHA-256.

    ``concurrency`` limits the executions at once of all versions; None leaves their limit as it is.

    Raises CloudError after a wrong answer to our test reviews. The alias then serves what it did before.
    """
    hosting.ensure_log(cloud, cloud.stage.model_log)
    role = resources.ensure_model_role(cloud)
    key, packed = upload(cloud, model)
    say(f"package: {packed.bytes / 1e6:.1f} MB in s3://{cloud.stage.bucket}/{key}")
    number = ensure_version(cloud, memory_mb, key, packed.sha256, role, say)
    if concurrency is not None:
        limit(cloud, concurrency, say)
    version = f"{cloud.stage.model_function}:{number}"
    before = version_of(cloud, alias)
    try:
        hosting.check_answers(cloud, version, loaded)
    except CloudError as error:
        stays = f"; {alias} serves version {before}, as before" if before else ""
        raise CloudError(f"{error}{stays}") from error
    if before != number:
        move(cloud, alias, number)
    prune(cloud)
    say(f"function {alias}: version {number}, whose answers to our test reviews are correct")
    return version, packed.sha256


def limit(cloud: Cloud, executions: int, say: Say) -> None:
    """Limit the function's executions at once. Lambda reserves them, which a new account's quota forbids.

    After such a refusal the function has the limit that it had before, or none.
    """
    client, name = cloud.client("lambda"), cloud.stage.model_function
    try:
        lambda_calls.patiently(
            lambda: client.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=executions
            )
        )
    except ClientError as error:
        if code_of(error) != "InvalidParameterValueException" or _UNRESERVED not in words_of(error):
            raise
        before = limit_of(cloud)
        instead = f"stay at most {before}" if before is not None else "have only the account's quota as limit"
        say(
            f"function {name}: the account can't reserve {executions} executions, so they {instead};"
            " raise Lambda's concurrent executions at Service Quotas, then deploy again"
        )


def limit_of(cloud: Cloud) -> int | None:
    """Return the function's limit of executions at once, or None without one."""
    reserved = (describe(cloud) or {}).get("Concurrency", {}).get("ReservedConcurrentExecutions")
    return None if reserved is None else int(reserved)


def retire(cloud: Cloud, endpoint: str, seconds: float, say: Say) -> None:
    """Delete the function that gets no more requests, or the alias, once ``seconds`` have passed.

    Who may not look for the function has none: a stage of endpoints needs no right on it. Another's function
    of our name stays.
    """
    try:
        if not describe(cloud):
            return
    except CloudError:
        return
    except ClientError as error:
        if not is_denied(error):
            raise
        return
    in_use = lambda_calls.is_alias(endpoint)
    others = [name for name in cloud.stage.model_aliases if name != endpoint and version_of(cloud, name)]
    if in_use and not others:
        return
    say(
        f"function {others[0] if others else cloud.stage.model_function} gets no more requests; it is"
        f" deleted in {seconds} s"
    )
    time.sleep(seconds)
    if not in_use:
        delete(cloud)
        return
    for name in others:
        function, _, alias = name.partition(":")
        cloud.client("lambda").delete_alias(FunctionName=function, Name=alias)


# --- versions -----------------------------------------------------------------------------------


def upload(cloud: Cloud, model: Path) -> tuple[str, Package]:
    """Pack a model and upload the zip to the stage's bucket; return its key there, and the package."""
    with tempfile.TemporaryDirectory() as folder:
        packed = function_package.build(model, Path(folder) / "function.zip")
        key = f"packages/{packed.sha256}/function.zip"
        resources.upload(cloud, packed.path, key, packed.sha256)
    return key, packed


def ensure_version(cloud: Cloud, memory_mb: int, key: str, digest: str, role: str, say: Say) -> str:
    """Return the version of the function that has this zip and memory; publish it unless it exists."""
    settings = {
        "Runtime": f"python{function_package.PYTHON}",
        "Handler": function_package.HANDLER,
        "Role": role,
        "MemorySize": memory_mb,
        "Timeout": TIMEOUT_SECONDS,
        "Environment": {"Variables": VARIABLES},
    }
    described, code = describe(cloud), code_hash(digest)
    if described:
        existing = [one["Version"] for one in versions(cloud) if _has(one, settings, code)]
        if existing:
            return str(existing[-1])
    place = {"S3Bucket": cloud.stage.bucket, "S3Key": key}
    client, name = cloud.client("lambda"), cloud.stage.model_function
    architectures = [function_package.ARCHITECTURE]
    if described is None:
        once_visible(
            lambda: client.create_function(
                FunctionName=name, Code=place, Architectures=architectures, Tags=cloud.stage.tags, **settings
            ),
            say,
        )
    else:
        lambda_calls.patiently(lambda: client.update_function_configuration(FunctionName=name, **settings))
        _wait(cloud)
        lambda_calls.patiently(
            lambda: client.update_function_code(FunctionName=name, Architectures=architectures, **place)
        )
    _wait(cloud)
    published = lambda_calls.patiently(lambda: client.publish_version(FunctionName=name, CodeSha256=code))
    _wait(cloud, published["Version"])
    return str(published["Version"])


def versions(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the function's published versions, the oldest first."""
    pages = cloud.client("lambda").get_paginator("list_versions_by_function")
    found = [
        one
        for page in pages.paginate(FunctionName=cloud.stage.model_function)
        for one in page["Versions"]
        if one["Version"] != "$LATEST"
    ]
    return sorted(found, key=lambda one: int(one["Version"]))


def code_hash(digest: str) -> str:
    """Return a SHA-256 in Lambda's form, base64."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def move(cloud: Cloud, alias: str, version: str) -> None:
    """Make an alias serve a version."""
    function, _, name = alias.partition(":")
    client, place = cloud.client("lambda"), {"FunctionName": function, "Name": name}
    if version_of(cloud, alias) is None:
        client.create_alias(**place, FunctionVersion=version)
    else:
        client.update_alias(**place, FunctionVersion=version)


def prune(cloud: Cloud) -> None:
    """Delete old versions that no alias serves, all but KEPT."""
    client, name = cloud.client("lambda"), cloud.stage.model_function
    serving = {version_of(cloud, alias) for alias in cloud.stage.model_aliases}
    for one in versions(cloud)[:-KEPT]:
        if one["Version"] not in serving:
            client.delete_function(FunctionName=name, Qualifier=one["Version"])


def delete(cloud: Cloud) -> None:
    """Delete the function with all its versions and aliases."""
    cloud.client("lambda").delete_function(FunctionName=cloud.stage.model_function)


def model_in_use(cloud: Cloud, alias: str, folder: Path) -> Path:
    """Fetch the model that an alias serves from the stage's bucket into a folder. Raises CloudError."""
    name = cloud.stage.model_function
    version = version_of(cloud, alias)
    if version is None:
        raise CloudError(f"function {name} has no alias {alias.partition(':')[2]}; run `make deploy`")
    digest = base64.b64decode(configuration(cloud, f"{name}:{version}")["CodeSha256"]).hex()
    key = f"packages/{digest}/function.zip"
    try:
        data = cloud.client("s3").get_object(Bucket=cloud.stage.bucket, Key=key)["Body"].read()
    except ClientError as error:
        if not is_missing(error):
            raise
        raise CloudError(f"s3://{cloud.stage.bucket}/{key} was deleted; run `make deploy`") from error
    if sha256(data) != digest:
        raise CloudError(f"s3://{cloud.stage.bucket}/{key} was changed; delete it and run `make deploy`")
    return function_package.unpack_model(data, folder)


def _has(version: dict[str, Any], settings: dict[str, Any], code: str) -> bool:
    parts = ("Runtime", "Handler", "Role", "MemorySize", "Timeout")
    return version["CodeSha256"] == code and all(version[part] == settings[part] for part in parts)


def _wait(cloud: Cloud, version: str | None = None) -> None:
    """Wait until the function, or a version of it, can be called and changed. Raises CloudError."""
    deadline = time.monotonic() + lambda_calls.WAIT_SECONDS
    name = cloud.stage.model_function + (f":{version}" if version else "")
    while True:
        found = configuration(cloud, name)
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if state == "Active" and update == "Successful":
            return
        reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason was given"
        if "Failed" in (state, update) or time.monotonic() > deadline:
            raise CloudError(
                f"function {cloud.stage.model_function} is {state}, its update {update}: {reason}"
            )
        time.sleep(lambda_calls.POLL_SECONDS)
