"""The policies of roles and buckets, with each action and each resource written out.

Some actions have no resource in AWS. Their resource is "*", and a condition narrows it where possible.
"""

from collections.abc import Iterable
from typing import Any

from training.aws import images
from training.aws.cloud import Stage
from vocab.messages.feedback import Place

VERSION = "2012-10-17"
# SageMaker's jobs read and write under these prefixes of the stage's bucket.
READ = ("packages", "data", "training", "batch", "notebook")
WRITTEN = ("training", "batch")
# The jobs' log groups belong to the account; a job's streams start with its name.
JOBS = ("TrainingJobs", "TransformJobs", "NotebookInstances")
# AWS lists what SageMaker needs of a role: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
# `python -m tests.support.rights` shows which right is used.
PULLING = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
LOGGING = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]


def trust(stage: Stage, service: str, own_account: bool = False) -> dict[str, Any]:
    """Return the trust policy of a role that an AWS service uses.

    With ``own_account`` the service may use it only on behalf of this account. See
    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html, which covers
    inference and jobs but not notebooks.
    """
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    if own_account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": stage.account}}
    return _policy(**statement)


def of_endpoint(stage: Stage) -> dict[str, Any]:
    """Return the rights of the endpoint's container: its package and its log, no reviews and no data."""
    bucket = f"arn:{stage.partition}:s3:::{stage.bucket}"
    logs = [log for name in stage.endpoints for log in _log(stage, stage.endpoint_log(name))]
    return {
        "Version": VERSION,
        "Statement": [
            _allow("ReadPackages", "s3:GetObject", f"{bucket}/packages/*"),
            _allow("FindPackages", "s3:ListBucket", bucket),
            _allow("WriteLogs", LOGGING, logs),
            *_of_container(stage, images.SERVING),
        ],
    }


def of_image(stage: Stage, image: str) -> dict[str, Any]:
    """Return the right to fetch your own image, by its address."""
    return _policy(**_allow("PullOwnImage", PULLING, _repositories(stage, [image])))


def of_sagemaker(stage: Stage) -> dict[str, Any]:
    """Return the rights of training jobs, transforms and the notebook: their files, their logs."""
    bucket = f"arn:{stage.partition}:s3:::{stage.bucket}"
    notebook = (
        f"arn:{stage.partition}:sagemaker:{stage.region}:{stage.account}:notebook-instance/{stage.notebook}"
    )
    logs = [log for kind in JOBS for log in _log(stage, f"/aws/sagemaker/{kind}")]
    return {
        "Version": VERSION,
        "Statement": [
            _allow("ReadFiles", "s3:GetObject", [f"{bucket}/{prefix}/*" for prefix in READ]),
            _allow("WriteFiles", "s3:PutObject", [f"{bucket}/{prefix}/*" for prefix in WRITTEN]),
            _allow("ListFiles", "s3:ListBucket", bucket),
            _allow("WriteLogs", LOGGING, logs),
            # An unused notebook stops itself.
            _allow("StopOwnNotebook", "sagemaker:StopNotebookInstance", notebook),
            *_of_container(stage, images.QUERIES),
        ],
    }


def of_adaptations(stage: Stage) -> dict[str, Any]:
    """Return the rights of every job that adapts the model: write a log, fetch an image, read no file."""
    logs = _log(stage, "/aws/sagemaker/TrainingJobs")
    return {
        "Version": VERSION,
        "Statement": [_allow("WriteLogs", LOGGING, logs), *_of_container(stage, ("training",))],
    }


def of_adaptation(
    stage: Stage, folder: str, bucket: str, key: str, kms_key: str | None = None
) -> dict[str, Any]:
    """Return the rights of one such job: its own folder of the stage's bucket, and one file of reviews.

    ``kms_key`` is the ARN of the file's encryption key, where the owner has a key of their own.
    """
    own, theirs = (f"arn:{stage.partition}:s3:::{name}" for name in (stage.bucket, bucket))
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{stage.region}.amazonaws.com"}}
    return {
        "Version": VERSION,
        "Statement": [
            _allow("ReadReviews", "s3:GetObject", f"{theirs}/{key}"),
            _allow("FindReviews", "s3:ListBucket", theirs, {"StringLike": {"s3:prefix": f"{key}*"}}),
            *([_allow("DecryptReviews", "kms:Decrypt", kms_key, through_s3)] if kms_key else ()),
            _allow("UseOwnFolder", ["s3:GetObject", "s3:PutObject"], f"{own}/{folder}/*"),
            _allow("ListOwnFolder", "s3:ListBucket", own, {"StringLike": {"s3:prefix": f"{folder}/*"}}),
        ],
    }


def _of_container(stage: Stage, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the rights to fetch images by their names in images.py, and to write metrics."""
    return [
        _allow(
            "PullImages",
            PULLING,
            _repositories(stage, names),
        ),
        # These two actions have no resource in AWS.
        _allow("EnterRegistry", "ecr:GetAuthorizationToken", "*"),
        _allow(
            "WriteMetrics",
            "cloudwatch:PutMetricData",
            "*",
            {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        ),
    ]


def _repositories(stage: Stage, names: Iterable[str]) -> list[str]:
    return images.repositories(names, stage.partition, stage.region)


def _log(stage: Stage, group: str) -> list[str]:
    """Return both ARNs of a log group: AWS's reference writes it without :*, its guide to IAM with it."""
    arn = f"arn:{stage.partition}:logs:{stage.region}:{stage.account}:log-group:{group}"
    return [arn, f"{arn}:*"]


def of_function(stage: Stage, *endpoints: str, feedback: Place | None = None) -> dict[str, Any]:
    """Return the rights of the Lambda: call one endpoint, write one log, and store feedback in a place.

    While the Lambda changes from one endpoint to the other, it may call both. An endpoint's name with a colon
    is an alias of the function that holds the model.
    """
    log = f"arn:{stage.partition}:logs:{stage.region}:{stage.account}:log-group:{stage.function_log}"
    return {
        "Version": VERSION,
        "Statement": [
            *_of_calls(stage, endpoints or (stage.endpoint,)),
            _allow(
                "WriteOwnLog",
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                [log, f"{log}:*"],
            ),
            *_of_feedback(stage, feedback),
        ],
    }


def _of_calls(stage: Stage, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the rights to call endpoints and aliases of the model's function."""
    endpoints = [stage.endpoint_arn(name) for name in names if ":" not in name]
    aliases = [stage.model_arn(name) for name in names if ":" in name]
    calls = (
        ("AskOneEndpoint", "sagemaker:InvokeEndpoint", endpoints),
        ("AskOneFunction", "lambda:InvokeFunction", aliases),
    )
    return [_allow(sid, action, arns if arns[1:] else arns[0]) for sid, action, arns in calls if arns]


def of_model_function(stage: Stage) -> dict[str, Any]:
    """Return the rights of the function that holds the model: to write its log, which a deploy creates."""
    return _policy(
        **_allow(
            "WriteOwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], _log(stage, stage.model_log)[1]
        )
    )


def _of_feedback(stage: Stage, place: Place | None) -> list[dict[str, Any]]:
    """Return the rights to write and delete feedback; the API can't read it."""
    if place is None:
        return []
    records = f"arn:{stage.partition}:s3:::{place.bucket}/{place.name_of('*')}"
    return [_allow("KeepFeedback", ["s3:PutObject", "s3:DeleteObject"], records)]


def of_bucket(stage: Stage, bucket: str, *more: dict[str, Any]) -> dict[str, Any]:
    """Return a bucket's policy: it refuses requests without TLS, and ``more`` statements may allow some."""
    arn = f"arn:{stage.partition}:s3:::{bucket}"
    refuse = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": VERSION, "Statement": [refuse, *more]}


def _policy(**statement: Any) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": [statement]}


def _allow(
    sid: str, action: str | list[str], resource: str | list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})
