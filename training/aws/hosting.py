"""The model behind its endpoint: made, updated without a failed request, asked a review before it counts."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from training.aws import gateway, images, package
from training.aws.cloud import Cloud, CloudError, code_of, is_missing, tag_list, tag_map
from training.endpoint import inference
from vocab import messages
from vocab.files import sha256

KINDS = ("serverless", "realtime")
# What serverless inference offers.
MEMORIES_MB, MOST_CONCURRENT = (1024, 2048, 3072, 4096, 5120, 6144), 200
VARIANT = "AllTraffic"
# A wait asks this often, and no longer than this.
POLL_SECONDS, WAIT_MINUTES = 10.0, 40
# A serverless endpoint that sleeps answers ModelNotReadyException until it has woken.
WAKE_SECONDS, WAKE_POLL_SECONDS = 180, 5.0
LOG_LINES = 15
# Another processor rounds int8 otherwise; a wrong model differs by far more.
LARGEST_GAP = 0.05
REVIEWS = (
    "A warm, funny film that never once felt too long. I would happily watch it again.",
    "The plot is thin and the jokes fall flat. I wanted to love it, and I walked out.",
    "Not bad at all!",
)
# Each of TorchServe's workers loads the model, and serverless inference pays by memory.
LEAN = {("pytorch", "serverless"): {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}}

Say = Callable[[str], None]


class Plan(NamedTuple):
    """How a model is hosted. ``serverless`` costs nothing when idle; ``realtime`` costs by the hour."""

    kind: str = "serverless"
    image: str = "ray"
    memory_mb: int = 3072
    concurrency: int = 5
    instance_type: str = "ml.m5.large"
    instances: int = 1
    most_instances: int = 2
    # A target for autoscaling: what one instance answers a minute.
    invocations_a_minute: int = 6000


class Hosted(NamedTuple):
    """What serves: endpoint, its configuration, its model, and the file in S3 that it comes from."""

    endpoint: str
    config: str
    model: str


# --- model and configuration --------------------------------------------------------------------


def ensure_model(cloud: Cloud, plan: Plan, package_url: str, package_sha256: str, role: str) -> str:
    """Give the SageMaker model of a package; its name is made of all that it consists of."""
    container = {
        "Image": images.uri(plan.image, cloud.stage.region),
        "ModelDataUrl": package_url,
        "Environment": package.ENVIRONMENT[plan.image] | LEAN.get((plan.image, plan.kind), {}),
    }
    # Serverless inference knows no isolation; where there is one, no review can leave the container.
    return _ensure_model(cloud, container, package_sha256, plan.kind == "realtime", role)


def model_for_jobs(cloud: Cloud, model: str, role: str) -> str:
    """Give a model that is another one but for its role: a transform reads and writes files by it."""
    found = cloud.client("sagemaker").describe_model(ModelName=model)
    if found["ExecutionRoleArn"] == role:
        return model
    container = {key: found["PrimaryContainer"][key] for key in ("Image", "ModelDataUrl")}
    container["Environment"] = found["PrimaryContainer"].get("Environment", {})
    # The package's SHA-256 is the folder that it lies in.
    digest = container["ModelDataUrl"].split("/")[-2]
    return _ensure_model(cloud, container, digest, bool(found.get("EnableNetworkIsolation")), role)


def _ensure_model(
    cloud: Cloud, container: dict[str, Any], package_sha256: str, isolated: bool, role: str
) -> str:
    name = f"{cloud.stage.prefix}-{_digest([container, package_sha256, isolated, role])}"
    sagemaker = cloud.client("sagemaker")
    if not _exists(lambda: sagemaker.describe_model(ModelName=name)):
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=role,
            PrimaryContainer=container,
            EnableNetworkIsolation=isolated,
            Tags=tag_list(cloud.stage.tags),
        )
    return name


def ensure_config(cloud: Cloud, plan: Plan, model: str) -> str:
    """Give the endpoint configuration of a model and a plan; it keeps no copy of what is asked."""
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


# --- the endpoint -------------------------------------------------------------------------------


def describe(cloud: Cloud, endpoint: str) -> dict[str, Any] | None:
    """Give SageMaker's description of an endpoint, or None."""
    try:
        return dict(cloud.client("sagemaker").describe_endpoint(EndpointName=endpoint))
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def ensure_log(cloud: Cloud, group: str) -> None:
    """Make a log group, tagged, that forgets after gateway.LOG_DAYS; AWS's own would keep all for ever."""
    logs = cloud.client("logs")
    try:
        logs.create_log_group(logGroupName=group, tags=cloud.stage.tags)
    except ClientError as error:
        if code_of(error) != "ResourceAlreadyExistsException":
            raise
        tags = logs.list_tags_log_group(logGroupName=group)["tags"]
        # Without tags it is what a function or an endpoint of this very name made by itself.
        if tags and not cloud.stage.owns(tags):
            raise CloudError(
                f"log group {group} is there but has not this stage's tags; take another --stage"
            ) from error
        logs.tag_log_group(logGroupName=group, tags=cloud.stage.tags)
    logs.put_retention_policy(logGroupName=group, retentionInDays=gateway.LOG_DAYS)


def ensure_endpoint(cloud: Cloud, endpoint: str, config: str, say: Say) -> None:
    """Let an endpoint serve a configuration and wait until it does. Raises CloudError with its log's end.

    An endpoint under way is waited for first; a failed one is deleted and made anew.
    """
    sagemaker = cloud.client("sagemaker")
    ensure_log(cloud, cloud.stage.endpoint_log(endpoint))
    found = describe(cloud, endpoint)
    if found:
        check_owned(cloud, found)
        found = wait(cloud, endpoint, say, fail=False)
    if found and found["EndpointStatus"] != "InService":
        say(f"endpoint {endpoint} is {found['EndpointStatus']}; it is deleted and made anew")
        delete(cloud, endpoint, say)
        found = None
    if found is None:
        sagemaker.create_endpoint(
            EndpointName=endpoint, EndpointConfigName=config, Tags=tag_list(cloud.stage.tags)
        )
    elif found["EndpointConfigName"] != config:
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    else:
        return
    found = wait(cloud, endpoint, say)
    if found and found["EndpointConfigName"] != config:
        raise CloudError(
            f"endpoint {endpoint} went back to its earlier model ({found.get('FailureReason', 'no reason')});"
            + last_lines(cloud, cloud.stage.endpoint_log(endpoint))
        )


def put_in_service(cloud: Cloud, endpoint: str, config: str, model: inference.LoadedModel, say: Say) -> None:
    """Let an endpoint serve a configuration and ask it our own reviews.

    Answers them wrongly, and it goes back to what it served before. Raises CloudError.
    """
    before = describe(cloud, endpoint)
    ensure_endpoint(cloud, endpoint, config, say)
    try:
        check_answers(cloud, endpoint, model)
    except CloudError as error:
        if not before or before["EndpointStatus"] != "InService" or before["EndpointConfigName"] == config:
            raise
        say(f"{error}; going back")
        ensure_endpoint(cloud, endpoint, before["EndpointConfigName"], say)
        raise CloudError(f"{error}; the endpoint serves what it served before again") from error
    say(f"endpoint {endpoint}: {len(REVIEWS)} reviews of our own answered as here")


def kind_of(found: Mapping[str, Any]) -> str:
    """Give an endpoint's kind from SageMaker's description of it."""
    return "serverless" if found["ProductionVariants"][0].get("CurrentServerlessConfig") else "realtime"


def plan_of(cloud: Cloud, found: Mapping[str, Any]) -> Plan:
    """Give the plan by which an endpoint is hosted, from SageMaker's description of it."""
    sagemaker = cloud.client("sagemaker")
    try:
        config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        variant, now = config["ProductionVariants"][0], found["ProductionVariants"][0]
        image = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["Image"]
    except ClientError as error:
        if not is_missing(error):
            raise
        raise CloudError(
            f"what endpoint {found['EndpointName']} is made of was deleted; `make deploy` makes it anew"
        ) from error
    names = [name for name in images.SERVING if images.uri(name, cloud.stage.region) == image]
    plan = Plan(image=names[0] if names else images.SERVING[0])
    if "ServerlessConfig" in variant:
        memory, most = (variant["ServerlessConfig"][key] for key in ("MemorySizeInMB", "MaxConcurrency"))
        return plan._replace(kind="serverless", memory_mb=memory, concurrency=most)
    # As many instances as its load has brought it to.
    instances = now.get("CurrentInstanceCount") or variant["InitialInstanceCount"]
    return plan._replace(kind="realtime", instance_type=variant["InstanceType"], instances=instances)


def check_owned(cloud: Cloud, found: Mapping[str, Any]) -> None:
    """Raise CloudError when an endpoint of our name is not of this stage."""
    tags = cloud.client("sagemaker").list_tags(ResourceArn=found["EndpointArn"])["Tags"]
    if not cloud.stage.owns(tag_map(tags)):
        raise CloudError(
            f"endpoint {found['EndpointName']} is there but has not this stage's tags; take another --stage"
        )


def wait(cloud: Cloud, endpoint: str, say: Say, fail: bool = True) -> dict[str, Any] | None:
    """Wait until an endpoint rests, and give its description, None when it is gone.

    Raises CloudError when the time is up or, with ``fail``, when it ends otherwise than in service.
    """
    deadline, last = time.monotonic() + 60 * WAIT_MINUTES, ""
    while time.monotonic() < deadline:
        found = describe(cloud, endpoint)
        status = found["EndpointStatus"] if found else "gone"
        if status != last:
            say(f"endpoint {endpoint}: {status}")
            last = status
        if not status.endswith("ing"):
            if fail and status != "InService":
                reason = (found or {}).get("FailureReason", "no reason was given")
                raise CloudError(
                    f"endpoint {endpoint} is {status}: {reason}"
                    + last_lines(cloud, cloud.stage.endpoint_log(endpoint))
                )
            return found
        time.sleep(POLL_SECONDS)
    raise CloudError(
        f"endpoint {endpoint} is still {last} after {WAIT_MINUTES} minutes; look at it with `make status`,"
        " and run this again"
    )


def delete(cloud: Cloud, endpoint: str, say: Say) -> None:
    """Delete an endpoint and wait until it is gone."""
    cloud.client("sagemaker").delete_endpoint(EndpointName=endpoint)
    wait(cloud, endpoint, say, fail=False)


def last_lines(cloud: Cloud, group: str, job: str | None = None) -> str:
    """Give the last lines of a log group's newest stream, or of a job's, each on a line of its own.

    Empty when there is no log, or no right to it.
    """
    logs = cloud.client("logs")
    which = {"logStreamNamePrefix": f"{job}/"} if job else {"orderBy": "LastEventTime", "descending": True}
    try:
        found = logs.describe_log_streams(logGroupName=group, **which)["logStreams"]
        # A job's stream data-log is SageMaker's own, about requests.
        streams = [one["logStreamName"] for one in found]
        streams = [name for name in streams if not name.endswith("/data-log")] or streams
        if not streams:
            return ""
        events = logs.get_log_events(
            logGroupName=group, logStreamName=streams[0], limit=LOG_LINES, startFromHead=False
        )["events"]
    except ClientError:
        return ""
    return "".join(f"\n  | {event['message'].rstrip()}" for event in events)


# --- asking it ----------------------------------------------------------------------------------


def ask(cloud: Cloud, endpoint: str, body: bytes) -> bytes:
    """Send a message to the endpoint, and wait for one that wakes. Raises CloudError."""
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
    """Give the card of the model that an endpoint serves. Raises CloudError."""
    try:
        return messages.parse_card(ask(cloud, endpoint, messages.build_describe_request()))
    except messages.MessageError as error:
        raise CloudError(f"endpoint {endpoint}: {error.detail}") from error


def check_answers(cloud: Cloud, endpoint: str, model: inference.LoadedModel) -> None:
    """Ask the endpoint our own reviews and compare with the model here. Raises CloudError."""
    encoded = [model.vocabulary.encode(review) for review in REVIEWS]
    reply = ask(cloud, endpoint, messages.build_endpoint_request(encoded, model.vocabulary, explain=True))
    try:
        named, scores = messages.parse_endpoint_answer(reply, encoded, explain=True)
    except messages.MessageError as error:
        raise CloudError(f"endpoint {endpoint}: {error.detail}") from error
    if named.id != model.identity.id:
        raise CloudError(f"endpoint {endpoint} answers as {named.id}, expected {model.identity.id}")
    for review, one, got in zip(REVIEWS, encoded, scores, strict=True):
        expected = model.score(one.ids).probability
        if abs(got.probability - expected) > LARGEST_GAP:
            raise CloudError(
                f"endpoint {endpoint} gives {got.probability:.3f} for {review!r}, this machine {expected:.3f}"
            )


# --- autoscaling --------------------------------------------------------------------------------


def scaling_target(endpoint: str) -> dict[str, str]:
    """Give what Application Auto Scaling calls an endpoint's number of instances."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def ensure_scaling(cloud: Cloud, endpoint: str, plan: Plan) -> None:
    """Let a real-time endpoint grow and shrink with its load; take that away from a serverless one."""
    scaling = cloud.client("application-autoscaling")
    if plan.kind != "realtime" or plan.most_instances <= plan.instances:
        remove_scaling(cloud, endpoint)
        return
    target = scaling_target(endpoint)
    scaling.register_scalable_target(
        **target, MinCapacity=plan.instances, MaxCapacity=plan.most_instances, Tags=cloud.stage.tags
    )
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
    """Take an endpoint's autoscaling away; say whether there was any."""
    scaling, target = cloud.client("application-autoscaling"), scaling_target(endpoint)
    try:
        scaling.deregister_scalable_target(**target)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return True
