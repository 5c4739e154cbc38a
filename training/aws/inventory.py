"""Everything of a stage that is on AWS: found by its tags and names, and removed, kind by kind.

What AWS lets us tag is ours by its tags alone. The rest is named: an API without tags is ours when it
calls our function and nothing else, a role without tags when our function has it, an empty bucket
without tags when it has our name with the account's number in it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from training.aws import budget, function, hosting, page, prices, resources
from training.aws.cloud import Cloud, CloudError, is_missing, tag_map
from training.aws.hosting import Say

POLL_SECONDS, WAIT_MINUTES = 10.0, 20
# A job that has ended can't be deleted, and costs nothing.
RUNNING = ("InProgress", "Stopping")


class Thing(NamedTuple):
    """One thing on AWS: what it is, its name, its state, when it was made, and its price while idle."""

    kind: str
    name: str
    state: str = ""
    made: datetime | None = None
    idle_hour: float = 0.0
    note: str = ""


Finder = Callable[[Cloud], Iterator[Thing]]
Remover = Callable[[Cloud, Thing, Say], None]


def find(cloud: Cloud) -> list[Thing]:
    """Give everything of the stage, in the order in which it can be removed."""
    return [thing for finder, _ in KINDS.values() for thing in finder(cloud)]


def remove(cloud: Cloud, thing: Thing, say: Say) -> None:
    """Remove one thing; what is gone already is fine. Raises CloudError or what botocore raises."""
    try:
        KINDS[thing.kind][1](cloud, thing, say)
    except ClientError as error:
        if not is_missing(error):
            raise


# --- API and function ---------------------------------------------------------------------------


def _find_apis(cloud: Cloud) -> Iterator[Thing]:
    for api in function.apis(cloud):
        yield Thing("API", api["id"], made=api.get("createdDate"))


def _remove_api(cloud: Cloud, thing: Thing, say: Say) -> None:
    # AWS lets an account delete one API in half a minute.
    deadline = time.monotonic() + 60 * WAIT_MINUTES
    while True:
        try:
            cloud.client("apigateway").delete_rest_api(restApiId=thing.name)
            return
        except ClientError as error:
            busy = error.response["Error"]["Code"] == "TooManyRequestsException"
            if not busy or time.monotonic() > deadline:
                raise
        time.sleep(POLL_SECONDS)


def _find_function(cloud: Cloud) -> Iterator[Thing]:
    try:
        found = function.describe(cloud)
    except CloudError:  # another's
        return
    if found:
        made = _moment(found["Configuration"].get("LastModified"))
        yield Thing("function", cloud.stage.function, found["Configuration"].get("State", ""), made)


def _remove_function(cloud: Cloud, thing: Thing, say: Say) -> None:
    cloud.client("lambda").delete_function(FunctionName=thing.name)


def _find_roles(cloud: Cloud) -> Iterator[Thing]:
    """Our own roles, and the one that a plain ``chalice deploy`` made for our function."""
    iam, stage = cloud.client("iam"), cloud.stage
    try:
        used = (function.describe(cloud) or {}).get("Configuration", {}).get("Role", "")
    except CloudError:
        used = ""
    names = (stage.function_role, stage.prefix, stage.endpoint_role, stage.adapt_role, stage.role)
    for name in dict.fromkeys(names):
        try:
            role = iam.get_role(RoleName=name)["Role"]
        except ClientError as error:
            if is_missing(error):
                continue
            raise
        tags = tag_map(role.get("Tags"))
        if stage.owns(tags) or (not tags and role["Arn"] == used):
            yield Thing("role", name, made=role.get("CreateDate"))


def _remove_role(cloud: Cloud, thing: Thing, say: Say) -> None:
    iam = cloud.client("iam")
    for policy in iam.list_role_policies(RoleName=thing.name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=thing.name, PolicyName=policy)
    for policy in iam.list_attached_role_policies(RoleName=thing.name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=thing.name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=thing.name)


# --- page ---------------------------------------------------------------------------------------


def _find_distributions(cloud: Cloud) -> Iterator[Thing]:
    for one in page.distributions(cloud):
        yield Thing("distribution", one["Id"], one["Status"], note=one["DomainName"])


def _remove_distribution(cloud: Cloud, thing: Thing, say: Say) -> None:
    page.remove_distribution(cloud, thing.name, say)


def _find_controls(cloud: Cloud) -> Iterator[Thing]:
    for one in page.access_controls(cloud):
        yield Thing("access control", one["Id"], note=one["Name"])


def _remove_control(cloud: Cloud, thing: Thing, say: Say) -> None:
    page.remove_access_control(cloud, thing.name)


# --- endpoint, models, jobs ---------------------------------------------------------------------


def _find_endpoints(cloud: Cloud) -> Iterator[Thing]:
    for one in _listed(cloud, "list_endpoints", "Endpoints", "Endpoint"):
        try:
            hour = _endpoint_hour(cloud, one["EndpointName"])
        except ClientError as error:  # deleted meanwhile, or its configuration is
            if not is_missing(error):
                raise
            hour = 0.0
        yield Thing("endpoint", one["EndpointName"], one["EndpointStatus"], one["CreationTime"], hour)


def _endpoint_hour(cloud: Cloud, endpoint: str) -> float:
    """Give what an endpoint costs an hour, asked or not; NaN where the table lacks the instance."""
    sagemaker, hour = cloud.client("sagemaker"), 0.0
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    counts = {one["VariantName"]: one.get("CurrentInstanceCount", 1) for one in found["ProductionVariants"]}
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    for variant in config["ProductionVariants"]:
        if "InstanceType" in variant:
            price = prices.instance_hour(variant["InstanceType"])
            count = counts.get(variant["VariantName"], 1)
            hour += float("nan") if price is None else price * count
    return hour


def _remove_endpoint(cloud: Cloud, thing: Thing, say: Say) -> None:
    hosting.remove_scaling(cloud, thing.name)
    if thing.state == "Creating":  # AWS deletes no endpoint that is being made
        hosting.wait(cloud, thing.name, say, fail=False)
    hosting.delete(cloud, thing.name, say)


def _find_configs(cloud: Cloud) -> Iterator[Thing]:
    for one in _listed(cloud, "list_endpoint_configs", "EndpointConfigs", "EndpointConfig"):
        yield Thing("endpoint config", one["EndpointConfigName"], made=one["CreationTime"])


def _remove_config(cloud: Cloud, thing: Thing, say: Say) -> None:
    cloud.client("sagemaker").delete_endpoint_config(EndpointConfigName=thing.name)


def models(cloud: Cloud) -> Iterator[Thing]:
    """Give the stage's models."""
    for one in _listed(cloud, "list_models", "Models", "Model"):
        yield Thing("model", one["ModelName"], made=one["CreationTime"])


def _remove_model(cloud: Cloud, thing: Thing, say: Say) -> None:
    cloud.client("sagemaker").delete_model(ModelName=thing.name)


def _find_transforms(cloud: Cloud) -> Iterator[Thing]:
    return _find_jobs(cloud, "Transform")


def _stop_transform(cloud: Cloud, thing: Thing, say: Say) -> None:
    sagemaker = cloud.client("sagemaker")
    _stop_job("Transform", sagemaker.describe_transform_job, sagemaker.stop_transform_job, thing)


def _find_trainings(cloud: Cloud) -> Iterator[Thing]:
    return _find_jobs(cloud, "Training")


def _stop_training(cloud: Cloud, thing: Thing, say: Say) -> None:
    sagemaker = cloud.client("sagemaker")
    _stop_job("Training", sagemaker.describe_training_job, sagemaker.stop_training_job, thing)


def _find_jobs(cloud: Cloud, kind: str) -> Iterator[Thing]:
    for one in _listed(cloud, f"list_{kind.lower()}_jobs", f"{kind}JobSummaries", f"{kind}Job"):
        state = one[f"{kind}JobStatus"]
        if state in RUNNING:
            yield Thing(f"{kind.lower()} job", one[f"{kind}JobName"], state, one["CreationTime"])


def _stop_job(
    kind: str, describe: Callable[..., dict[str, Any]], stop: Callable[..., Any], thing: Thing
) -> None:
    named = {f"{kind}JobName": thing.name}
    if thing.state == "InProgress":
        stop(**named)
    _wait_while(lambda: describe(**named)[f"{kind}JobStatus"] in RUNNING, thing)


def _find_notebooks(cloud: Cloud) -> Iterator[Thing]:
    for one in _listed(cloud, "list_notebook_instances", "NotebookInstances", "NotebookInstance"):
        hour = prices.instance_hour(one.get("InstanceType", "")) if _runs(one) else 0.0
        name, status = one["NotebookInstanceName"], one["NotebookInstanceStatus"]
        price = float("nan") if hour is None else hour
        yield Thing("notebook", name, status, one["CreationTime"], price)


def _runs(notebook: Mapping[str, Any]) -> bool:
    return notebook["NotebookInstanceStatus"] not in ("Stopped", "Failed", "Deleting")


def _remove_notebook(cloud: Cloud, thing: Thing, say: Say) -> None:
    sagemaker = cloud.client("sagemaker")

    def state() -> str:
        found = sagemaker.describe_notebook_instance(NotebookInstanceName=thing.name)
        return str(found["NotebookInstanceStatus"])

    _wait_while(lambda: state() in ("Pending", "Updating", "Stopping"), thing)
    if state() == "InService":
        sagemaker.stop_notebook_instance(NotebookInstanceName=thing.name)
        _wait_while(lambda: state() not in ("Stopped", "Failed"), thing)
    sagemaker.delete_notebook_instance(NotebookInstanceName=thing.name)
    try:
        _wait_while(lambda: bool(state()), thing)
    except ClientError as error:
        if not is_missing(error):
            raise


def _find_lifecycles(cloud: Cloud) -> Iterator[Thing]:
    sagemaker, name = cloud.client("sagemaker"), cloud.stage.notebook
    try:
        found = sagemaker.describe_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=name
        )
    except ClientError as error:
        if is_missing(error):
            return
        raise
    arn = found["NotebookInstanceLifecycleConfigArn"]
    if cloud.stage.owns(tag_map(sagemaker.list_tags(ResourceArn=arn)["Tags"])):
        yield Thing("lifecycle config", name, made=found.get("CreationTime"))


def _remove_lifecycle(cloud: Cloud, thing: Thing, say: Say) -> None:
    cloud.client("sagemaker").delete_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=thing.name
    )


def _listed(cloud: Cloud, operation: str, key: str, kind: str) -> Iterator[dict[str, Any]]:
    """Give what a list call of SageMaker finds that has both our name and our tags."""
    sagemaker, prefix = cloud.client("sagemaker"), cloud.stage.prefix
    for found in sagemaker.get_paginator(operation).paginate(NameContains=prefix):
        for one in found[key]:
            # NameContains finds verdict-dev in verdict-device too.
            if not f"{one[f'{kind}Name']}-".startswith(f"{prefix}-"):
                continue
            try:
                tags = sagemaker.list_tags(ResourceArn=one[f"{kind}Arn"])["Tags"]
            except ClientError as error:
                if is_missing(error):
                    continue
                raise
            if cloud.stage.owns(tag_map(tags)):
                yield one


# --- logs, buckets, budget ----------------------------------------------------------------------


def _find_logs(cloud: Cloud) -> Iterator[Thing]:
    logs, stage = cloud.client("logs"), cloud.stage
    for group in (stage.function_log, *map(stage.endpoint_log, stage.endpoints)):
        for found in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            if found["logGroupName"] != group:
                continue
            if stage.owns(logs.list_tags_log_group(logGroupName=group)["tags"]):
                kept = found.get("retentionInDays")
                note = f"kept {kept} days" if kept else "kept for ever"
                yield Thing("log group", group, made=_moment(found.get("creationTime")), note=note)


def _remove_log(cloud: Cloud, thing: Thing, say: Say) -> None:
    cloud.client("logs").delete_log_group(logGroupName=thing.name)


def _find_buckets(cloud: Cloud) -> Iterator[Thing]:
    for bucket in (cloud.stage.site_bucket, cloud.stage.bucket):
        try:
            if resources.check_bucket(cloud, bucket) is not None:
                yield Thing("bucket", bucket)
        except CloudError:  # another's
            continue


def _remove_bucket(cloud: Cloud, thing: Thing, say: Say) -> None:
    count = resources.empty_bucket(cloud, thing.name)
    if count:
        say(f"bucket {thing.name}: {count} objects deleted")
    cloud.client("s3").delete_bucket(Bucket=thing.name)


def _find_budget(cloud: Cloud) -> Iterator[Thing]:
    if budget.exists(cloud):
        yield Thing("budget", cloud.stage.prefix)


def _remove_budget(cloud: Cloud, thing: Thing, say: Say) -> None:
    budget.remove(cloud)


# --- the kinds, in the order of their removal ---------------------------------------------------

# A role or an API without tags is known by the function, so the function goes after them.
KINDS: dict[str, tuple[Finder, Remover]] = {
    "API": (_find_apis, _remove_api),
    "distribution": (_find_distributions, _remove_distribution),
    "access control": (_find_controls, _remove_control),
    "transform job": (_find_transforms, _stop_transform),
    "training job": (_find_trainings, _stop_training),
    "notebook": (_find_notebooks, _remove_notebook),
    "lifecycle config": (_find_lifecycles, _remove_lifecycle),
    "endpoint": (_find_endpoints, _remove_endpoint),
    "endpoint config": (_find_configs, _remove_config),
    "model": (models, _remove_model),
    "role": (_find_roles, _remove_role),
    "function": (_find_function, _remove_function),
    "log group": (_find_logs, _remove_log),
    "bucket": (_find_buckets, _remove_bucket),
    "budget": (_find_budget, _remove_budget),
}


def _wait_while(busy: Callable[[], bool], thing: Thing) -> None:
    deadline = time.monotonic() + 60 * WAIT_MINUTES
    while busy():
        if time.monotonic() > deadline:
            raise CloudError(
                f"{thing.kind} {thing.name} is still busy after {WAIT_MINUTES} minutes; run this again"
            )
        time.sleep(POLL_SECONDS)


def _moment(value: str | int | None) -> datetime | None:
    """Read a time as Lambda (ISO 8601) or CloudWatch (milliseconds) gives it."""
    if value is None:
        return None
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000).astimezone()
    return datetime.fromisoformat(value.replace("+0000", "+00:00"))
