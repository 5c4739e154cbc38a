"""Host the model behind an endpoint: create it, update it without a failed request, test its answers."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from training.aws import gateway, images, lambda_calls, package
from training.aws.cloud import (
    Cloud,
    CloudError,
    code_of,
    is_denied,
    is_missing,
    once_visible,
    tag_list,
    tag_map,
)
from training.endpoint import inference
from vocab import messages
from vocab.files import sha256

# The first one is a new stage's. "lambda" is a function in place of an endpoint; lambda_host.py makes it.
KINDS = ("serverless", "realtime", "lambda")
# The memory sizes and the limit of serverless inference.
MEMORIES_MB, MAX_CONCURRENCY = (1024, 2048, 3072, 4096, 5120, 6144), 200
VARIANT = "AllTraffic"
# SageMaker's states of an endpoint. One that serves is never deleted to be created anew.
SERVING = ("InService", "Updating", "RollingBack", "SystemUpdating", "UpdateRollbackFailed")
CHANGING = ("Creating", "Updating", "RollingBack", "SystemUpdating", "Deleting")
DEAD = ("Failed", "OutOfService")
STUCK = "UpdateRollbackFailed"
STUCK_REMEDY = (
    "it still answers, by a mix of two configurations; AWS support can mend it, and `make deploy` creates"
    " another endpoint beside it, then deletes it"
)
# The time between two looks at an endpoint, and the longest wait.
POLL_SECONDS, WAIT_MINUTES = 10.0, 40
TAG_LOOKS = 3
# A sleeping serverless endpoint answers ModelNotReadyException until it has woken.
WAKE_SECONDS, WAKE_POLL_SECONDS = 180, 5.0
LOG_LINES = 15
# In probability. Processors round int8 differently; a wrong model differs by far more.
MAX_DIFFERENCE = 0.05
REVIEWS = (
    "A warm, funny film that never once felt too long. I would happily watch it again.",
    "The plot is thin and the jokes fall flat. I wanted to love it, and I walked out.",
    "Not bad at all!",
)
# Each worker loads the model, and serverless inference pays by memory.
ENVIRONMENT = {
    (image, "serverless"): {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"} for image in ("sklearn", "pytorch")
}

Say = Callable[[str], None]


class Plan(NamedTuple):
    """How a model is hosted: ``serverless``, ``realtime`` (by the hour) or ``lambda``, by KINDS."""

    kind: str = "serverless"
    image: str = images.SERVING[0]
    memory_mb: int = 3072
    # Requests at once. None: AWS granted a model's function no limit of its own.
    concurrency: int | None = 5
    instance_type: str = "ml.m5.large"
    instances: int = 1
    most_instances: int = 2
    # Autoscaling aims at this load of one instance.
    invocations_a_minute: int = 6000


# --- model and configuration --------------------------------------------------------------------


def ensure_model(cloud: Cloud, plan: Plan, package_url: str, package_sha256: str, role: str) -> str:
    """Create a package's SageMaker model unless it exists; return its name, a hash of all its parts."""
    container = {
        "Image": images.uri(plan.image, cloud.stage.region),
        "ModelDataUrl": package_url,
        "Environment": package.ENVIRONMENT.get(plan.image, {}) | ENVIRONMENT.get((plan.image, plan.kind), {}),
    }
    # Serverless inference has no isolation. With isolation no review can leave the container.
    return _ensure_model(cloud, container, package_sha256, plan.kind == "realtime", role)


def model_for_jobs(cloud: Cloud, model: str, role: str) -> str:
    """Create a copy of a model with another role, for a transform that reads and writes files by it."""
    description = cloud.client("sagemaker").describe_model(ModelName=model)
    if description["ExecutionRoleArn"] == role:
        return model
    container = {key: description["PrimaryContainer"][key] for key in ("Image", "ModelDataUrl")}
    container["Environment"] = description["PrimaryContainer"].get("Environment", {})
    # The package's folder is named by its SHA-256.
    digest = container["ModelDataUrl"].split("/")[-2]
    return _ensure_model(cloud, container, digest, bool(description.get("EnableNetworkIsolation")), role)


def _ensure_model(
    cloud: Cloud, container: dict[str, Any], package_sha256: str, isolated: bool, role: str
) -> str:
    name = f"{cloud.stage.prefix}-{_digest([container, package_sha256, isolated, role])}"
    sagemaker = cloud.client("sagemaker")
    if not _exists(lambda: sagemaker.describe_model(ModelName=name)):
        once_visible(
            lambda: sagemaker.create_model(
                ModelName=name,
                ExecutionRoleArn=role,
                PrimaryContainer=container,
                EnableNetworkIsolation=isolated,
                Tags=tag_list(cloud.stage.tags),
            )
        )
    return name


def ensure_config(cloud: Cloud, plan: Plan, model: str) -> str:
    """Create the endpoint configuration of a model and a plan unless it exists; return its name.

    It captures no requests.
    """
    variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": model, "InitialVariantWeight": 1.0}
    if plan.kind == "serverless":
        variant["ServerlessConfig"] = {
            "MemorySizeInMB": plan.memory_mb,
            "MaxConcurrency": plan.concurrency,
        }
    else:
        variant |= {"InstanceType": plan.instance_type, "InitialInstanceCount": plan.instances}
    name = f"{cloud.stage.prefix}-{_digest([variant])}"
    sagemaker = cloud.client("sagemaker")
    if not _exists(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name)):
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], Tags=tag_list(cloud.stage.tags)
        )
    return name


def _digest(parts: list[Any]) -> str:
    return sha256(json.dumps(parts, sort_keys=True).encode())[:12]


def _exists(describe: Callable[[], Any]) -> bool:
    try:
        describe()
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return True


def check_image(cloud: Cloud, image: str) -> None:
    """Check that an image is in the stage's region, and your own in its repository. Raises CloudError.

    Without the right to look, or in another account, nothing is known and nothing refused.
    """
    address = images.uri(image, cloud.stage.region)
    if not images.is_own(image):
        return
    try:
        cloud.client("ecr").describe_images(**images.place_of(image))
    except ClientError as error:
        if code_of(error) in ("ImageNotFoundException", "RepositoryNotFoundException"):
            raise CloudError(
                f"ECR has no image {address}; push it there first, see docs/deploy.md"
            ) from error
        if not is_denied(error):
            raise


# --- the endpoint -------------------------------------------------------------------------------


def describe(cloud: Cloud, endpoint: str) -> dict[str, Any] | None:
    """Return SageMaker's description of an endpoint, or None."""
    try:
        return dict(cloud.client("sagemaker").describe_endpoint(EndpointName=endpoint))
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def ensure_log(cloud: Cloud, group: str) -> None:
    """Create a tagged log group that expires after gateway.LOG_DAYS; AWS's own would keep lines for ever."""
    logs = cloud.client("logs")
    try:
        logs.create_log_group(logGroupName=group, tags=cloud.stage.tags)
    except ClientError as error:
        if code_of(error) != "ResourceAlreadyExistsException":
            raise
        arn = cloud.stage.log_arn(group)
        tags = logs.list_tags_for_resource(resourceArn=arn)["tags"]
        # A function or an endpoint of this name creates a log group by itself, without tags.
        if tags and not cloud.stage.owns(tags):
            raise CloudError(
                f"log group {group} exists without this stage's tags; use another --stage"
            ) from error
        logs.tag_resource(resourceArn=arn, tags=cloud.stage.tags)
    logs.put_retention_policy(logGroupName=group, retentionInDays=gateway.LOG_DAYS)


def ensure_endpoint(cloud: Cloud, endpoint: str, config: str, say: Say) -> None:
    """Make an endpoint serve a configuration, and wait for it. Raises CloudError with the log's last lines.

    An endpoint that is changing may finish first. A dead one is deleted and created anew.
    """
    sagemaker = cloud.client("sagemaker")
    ensure_log(cloud, cloud.stage.endpoint_log(endpoint))
    description = describe(cloud, endpoint)
    if description:
        check_owned(cloud, description)
        description = wait(cloud, endpoint, say, fail=False)
    if description and description["EndpointStatus"] == STUCK:
        raise CloudError(f"endpoint {endpoint} is {STUCK}: {STUCK_REMEDY}")
    if description and description["EndpointStatus"] in DEAD:
        reason = description.get("FailureReason", "AWS gave no reason")
        say(f"endpoint {endpoint} is {description['EndpointStatus']} ({reason}); it is created anew")
        delete(cloud, endpoint, say)
        description = None
    if description is None:
        tags = tag_list(cloud.stage.tags)
        once_visible(
            lambda: sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config, Tags=tags),
            say,
        )
    elif description["EndpointConfigName"] != config:
        once_visible(lambda: sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config), say)
    else:
        return
    description = wait(cloud, endpoint, say)
    if description and description["EndpointConfigName"] != config:
        raise CloudError(
            f"endpoint {endpoint} went back to its earlier model"
            f" ({description.get('FailureReason', 'no reason')});"
            + last_lines(cloud, cloud.stage.endpoint_log(endpoint))
        )


def put_in_service(cloud: Cloud, endpoint: str, config: str, loaded: inference.LoadedModel, say: Say) -> None:
    """Make an endpoint serve a configuration, and check its answers to our test reviews.

    After a wrong answer the endpoint goes back to its earlier configuration. Raises CloudError.
    """
    before = describe(cloud, endpoint)
    ensure_endpoint(cloud, endpoint, config, say)
    try:
        check_answers(cloud, endpoint, loaded)
    except CloudError as error:
        if not before or before["EndpointStatus"] != "InService" or before["EndpointConfigName"] == config:
            raise
        say(f"{error}; going back")
        ensure_endpoint(cloud, endpoint, before["EndpointConfigName"], say)
        raise CloudError(f"{error}; the endpoint serves its earlier model again") from error
    say(f"endpoint {endpoint}: its answers to {len(REVIEWS)} test reviews are correct")


def kind_of(cloud: Cloud, description: Mapping[str, Any]) -> str:
    """Return an endpoint's kind, by SageMaker's description of it.

    One that is being created, or never was, has no variants yet. Then its configuration counts.
    """
    variants = description.get("ProductionVariants")
    if not variants:
        config = cloud.client("sagemaker").describe_endpoint_config(
            EndpointConfigName=description["EndpointConfigName"]
        )
        variants = config["ProductionVariants"]
    serverless = any(variants[0].get(key) for key in ("CurrentServerlessConfig", "ServerlessConfig"))
    return "serverless" if serverless else "realtime"


def plan_of(cloud: Cloud, description: Mapping[str, Any]) -> Plan:
    """Return the plan of a running endpoint, by SageMaker's description of it. Raises CloudError."""
    sagemaker = cloud.client("sagemaker")
    try:
        config = sagemaker.describe_endpoint_config(EndpointConfigName=description["EndpointConfigName"])
        variant, now = config["ProductionVariants"][0], description["ProductionVariants"][0]
        image = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["Image"]
    except ClientError as error:
        if not is_missing(error):
            raise
        raise CloudError(
            f"a part of endpoint {description['EndpointName']} was deleted; `make deploy` creates it anew"
        ) from error
    plan = Plan(image=images.serving(image, cloud.stage.region))
    if "ServerlessConfig" in variant:
        memory, most = (variant["ServerlessConfig"][key] for key in ("MemorySizeInMB", "MaxConcurrency"))
        return plan._replace(kind="serverless", memory_mb=memory, concurrency=most)
    # Autoscaling may have changed the number of instances.
    instances = now.get("CurrentInstanceCount") or variant["InitialInstanceCount"]
    return plan._replace(kind="realtime", instance_type=variant["InstanceType"], instances=instances)


def check_owned(cloud: Cloud, description: Mapping[str, Any]) -> None:
    """Check that an endpoint of our name belongs to this stage. Raises CloudError.

    One without any tag is looked at again: those of a new endpoint may show late.
    """
    for looks in range(TAG_LOOKS):
        tags = cloud.client("sagemaker").list_tags(ResourceArn=description["EndpointArn"])["Tags"]
        if tags or looks == TAG_LOOKS - 1:
            break
        time.sleep(POLL_SECONDS)
    if not cloud.stage.owns(tag_map(tags)):
        raise CloudError(
            f"endpoint {description['EndpointName']} exists without this stage's tags; use another --stage"
        )


def wait(cloud: Cloud, endpoint: str, say: Say, fail: bool = True) -> dict[str, Any] | None:
    """Wait until an endpoint stops changing; return its description, or None when it no longer exists.

    Raises CloudError after WAIT_MINUTES and, with ``fail``, when the endpoint is not in service.
    """
    deadline, last = time.monotonic() + 60 * WAIT_MINUTES, ""
    while time.monotonic() < deadline:
        description = describe(cloud, endpoint)
        status = description["EndpointStatus"] if description else "gone"
        if status != last:
            say(f"endpoint {endpoint}: {status}")
            last = status
        if status not in CHANGING:
            if fail and status != "InService":
                reason = (description or {}).get("FailureReason", "AWS gave no reason")
                raise CloudError(
                    f"endpoint {endpoint} is {status}: {reason}; try another IMAGE"
                    f" ({', '.join(images.SERVING)}), or ENDPOINT_KIND=realtime"
                    + last_lines(cloud, cloud.stage.endpoint_log(endpoint))
                )
            return description
        time.sleep(POLL_SECONDS)
    raise CloudError(
        f"endpoint {endpoint} is still {last} after {WAIT_MINUTES} minutes; check it with `make status`,"
        " and run this again"
    )


def delete(cloud: Cloud, endpoint: str, say: Say) -> None:
    """Delete an endpoint and wait until it no longer exists."""
    cloud.client("sagemaker").delete_endpoint(EndpointName=endpoint)
    wait(cloud, endpoint, say, fail=False)


def last_lines(cloud: Cloud, group: str, job: str | None = None) -> str:
    """Return the last lines of a log group's newest stream, or of a job's, each after a line break.

    The text is empty when there is no log, or no right to read it.
    """
    logs = cloud.client("logs")
    newest: dict[str, Any] = {"orderBy": "LastEventTime", "descending": True}
    query = {"logStreamNamePrefix": f"{job}/"} if job else newest
    try:
        streams = logs.describe_log_streams(logGroupName=group, **query)["logStreams"]
        names = [stream["logStreamName"] for stream in streams]
        # A job's stream data-log is SageMaker's own, about requests.
        names = [name for name in names if not name.endswith("/data-log")] or names
        if not names:
            return ""
        events = logs.get_log_events(
            logGroupName=group, logStreamName=names[0], limit=LOG_LINES, startFromHead=False
        )["events"]
    except ClientError:
        return ""
    return "".join(f"\n  | {event['message'].rstrip()}" for event in events)


# --- requests -----------------------------------------------------------------------------------


def invoke(cloud: Cloud, endpoint: str, body: bytes) -> bytes:
    """Send a message to the endpoint, waiting while it wakes; return the answer. Raises CloudError.

    A name with a colon is that of the model's function, with an alias or a version.
    """
    if lambda_calls.is_alias(endpoint):
        try:
            return lambda_calls.invoke(cloud, endpoint, body)
        except CloudError as error:
            raise CloudError(f"{error}{last_lines(cloud, cloud.stage.model_log)}") from error
    runtime = cloud.client("sagemaker-runtime")
    deadline = time.monotonic() + WAKE_SECONDS
    while True:
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint, ContentType=messages.JSON, Accept=messages.JSON, Body=body
            )
            return bytes(answer["Body"].read())
        except ClientError as error:
            waking = code_of(error) in ("ModelNotReadyException", "ThrottlingException", "ServiceUnavailable")
            if code_of(error) == "ModelError":
                raise CloudError(
                    f"endpoint {endpoint} can't answer: {error.response.get('OriginalMessage', '')[:300]}"
                    + last_lines(cloud, cloud.stage.endpoint_log(endpoint))
                ) from error
            if not waking or time.monotonic() > deadline:
                raise
        time.sleep(WAKE_POLL_SECONDS)


def card_of(cloud: Cloud, endpoint: str) -> dict[str, Any]:
    """Return the card of the model that an endpoint serves. Raises CloudError."""
    try:
        return messages.parse_card(invoke(cloud, endpoint, messages.build_describe_request()))
    except messages.MessageError as error:
        raise CloudError(f"endpoint {endpoint}: {error.detail}") from error


def check_answers(cloud: Cloud, endpoint: str, loaded: inference.LoadedModel) -> None:
    """Compare the endpoint's answers to our test reviews with this machine's. Raises CloudError."""
    encoded = [loaded.vocabulary.encode(review) for review in REVIEWS]
    reply = invoke(cloud, endpoint, messages.build_endpoint_request(encoded, loaded.vocabulary, "words"))
    try:
        identity, scores = messages.parse_endpoint_answer(reply, encoded, "words")
    except messages.MessageError as error:
        raise CloudError(f"endpoint {endpoint}: {error.detail}") from error
    if identity.id != loaded.identity.id:
        raise CloudError(f"endpoint {endpoint} answers as {identity.id}, expected {loaded.identity.id}")
    for review, encoding, score in zip(REVIEWS, encoded, scores, strict=True):
        probability, expected = score.probability, loaded.score(encoding.ids, encoding.lengths).probability
        if abs(probability - expected) > MAX_DIFFERENCE:
            raise CloudError(
                f"endpoint {endpoint} answers {probability:.3f} to {review!r}, this machine {expected:.3f}"
            )


# --- autoscaling --------------------------------------------------------------------------------


def scaling_target(endpoint: str) -> dict[str, str]:
    """Return Application Auto Scaling's name for an endpoint's number of instances."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def ensure_scaling(cloud: Cloud, endpoint: str, plan: Plan) -> None:
    """Make a real-time endpoint grow and shrink with its load; remove that from a serverless one."""
    scaling = cloud.client("application-autoscaling")
    if plan.kind != "realtime" or plan.most_instances <= plan.instances:
        remove_scaling(cloud, endpoint)
        return
    target = scaling_target(endpoint)
    # AWS refuses Tags in a registration when the target exists, so they come in a call of their own:
    # https://github.com/terraform-aws-modules/terraform-aws-rds-aurora/pull/420
    registered = scaling.register_scalable_target(
        **target, MinCapacity=plan.instances, MaxCapacity=plan.most_instances
    )
    scaling.tag_resource(ResourceARN=registered["ScalableTargetARN"], Tags=cloud.stage.tags)
    scaling.put_scaling_policy(
        **target,
        PolicyName=endpoint,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": float(plan.invocations_a_minute),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleInCooldown": 300,
            "ScaleOutCooldown": 60,
        },
    )


def remove_scaling(cloud: Cloud, endpoint: str) -> bool:
    """Remove an endpoint's autoscaling; return whether there was any."""
    scaling, target = cloud.client("application-autoscaling"), scaling_target(endpoint)
    try:
        scaling.deregister_scalable_target(**target)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return True
