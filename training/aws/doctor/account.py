"""Checks of the AWS account: rights, roles, buckets, the function, quotas. They change nothing."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from training.aws import cloud as clouds
from training.aws import function, policies, resources
from training.aws.cloud import Cloud, CloudError, Stage, tag_map
from training.aws.doctor.findings import FAIL, OK, WARN, Finding

# Lambda keeps this many concurrent executions for the account's other functions.
UNRESERVED = 100
# A new account has quotas of 0 for some of these: SageMaker's name for each, and the command that needs it.
JOB_QUOTAS = {
    "ml.c5.xlarge for transform job usage": "make batch",
    "ml.m5.xlarge for spot training job usage": "make train-aws",
    "ml.m5.xlarge for training job usage": "make train-aws FLAGS=--on-demand",
    "ml.t3.medium for notebook instance usage": "make notebook",
}


def check_account(cloud: Cloud) -> Finding:
    """Report the account and region of a deploy, and warn of a partition other than aws."""
    stage = cloud.stage
    if stage.partition != "aws":
        return Finding(
            "account",
            WARN,
            f"account {stage.account} is in partition {stage.partition}; the policies in .chalice/ name aws",
            "use make deploy, which writes its own policies, not a plain chalice deploy",
        )
    return Finding("account", OK, f"account {stage.account}, region {stage.region}")


def check_rights(cloud: Cloud, site: str = "cloudfront", kind: str = "serverless") -> Finding:
    """Check, by AWS's policy simulator, that the caller may do everything that a deploy does."""
    arn = find_principal(cloud)
    if arn.endswith(":root"):
        return Finding("rights", WARN, "you are the account's root, which has every right", "use a role")
    denied: list[str] = []
    for resource, actions in deploy_actions(cloud.stage, site, kind):
        answer = cloud.client("iam").simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=actions, ResourceArns=[resource]
        )
        results = answer["EvaluationResults"]
        denied += [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
    if denied:
        return Finding(
            "rights",
            FAIL,
            f"{arn} may not {', '.join(denied)}",
            "add these rights, or use another user",
        )
    return Finding("rights", OK, f"{arn} may do what a deploy does (organisation policies are not checked)")


def find_principal(cloud: Cloud) -> str:
    """Return the ARN of the user or role behind the caller, as IAM's simulator wants it.

    A session's ARN lacks its role's path, which those of Identity Center have. So IAM is asked for the role.
    """
    arn = principal_of(cloud.client("sts").get_caller_identity()["Arn"])
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind != "role":
        return arn
    try:
        return str(cloud.client("iam").get_role(RoleName=name)["Role"]["Arn"])
    except ClientError as error:
        if not (clouds.is_denied(error) or clouds.is_missing(error)):
            raise
        return arn


def principal_of(arn: str) -> str:
    """Return the user or role behind a caller: a session's ARN names its role.

    >>> principal_of("arn:aws:sts::1:assumed-role/Admin/me")
    'arn:aws:iam::1:role/Admin'
    """
    match = re.fullmatch(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    return f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}" if match else arn


def deploy_actions(
    stage: Stage, site: str = "cloudfront", kind: str = "serverless"
) -> list[tuple[str, list[str]]]:
    """Return the rights that a deploy needs: each resource, and the actions on it."""
    return [*_service_actions(stage), *_model_actions(stage, kind), *_page_actions(stage, site)]


def _model_actions(stage: Stage, kind: str) -> list[tuple[str, list[str]]]:
    """Return the rights on the model's function, which a stage of endpoints looks for alone."""
    name, role = stage.model_arn(stage.model_function), stage.role_arn_of(stage.model_role)
    if kind != "lambda":
        return [(name, ["lambda:GetFunction"])]
    return [
        (name, [f"lambda:{action}" for action in MODEL_ACTIONS]),
        (stage.model_arn(stage.model_aliases[0]), ["lambda:InvokeFunction"]),
        (role, ["iam:CreateRole", "iam:GetRole", "iam:PutRolePolicy", "iam:TagRole", "iam:PassRole"]),
    ]


# What a deploy and `make update-model` do with the model's function.
MODEL_ACTIONS = (
    "CreateAlias",
    "CreateFunction",
    "DeleteFunction",
    "GetAlias",
    "GetFunction",
    "GetFunctionConfiguration",
    "ListVersionsByFunction",
    "PublishVersion",
    "PutFunctionConcurrency",
    "TagResource",
    "UpdateAlias",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
)


def _page_actions(stage: Stage, site: str) -> list[tuple[str, list[str]]]:
    arn = f"arn:{stage.partition}"
    bucket = (
        f"{arn}:s3:::{stage.site_bucket}",
        ["s3:CreateBucket", "s3:DeleteBucketWebsite", "s3:PutBucketPolicy"],
    )
    if site == "none":
        return []
    if site == "website":
        return [bucket, (bucket[0], ["s3:PutBucketWebsite"])]
    return [
        bucket,
        (
            f"{arn}:cloudfront::{stage.account}:distribution/*",
            [
                "cloudfront:CreateDistribution",
                "cloudfront:ListTagsForResource",
                "cloudfront:TagResource",
                "cloudfront:CreateInvalidation",
            ],
        ),
        (
            "*",
            [
                "cloudfront:ListDistributions",
                "cloudfront:ListOriginAccessControls",
                "cloudfront:CreateOriginAccessControl",
            ],
        ),
    ]


def _service_actions(stage: Stage) -> list[tuple[str, list[str]]]:
    arn = f"arn:{stage.partition}"
    here = f"{stage.region}:{stage.account}"
    sagemaker = f"{arn}:sagemaker:{here}"
    bucket = [
        "s3:CreateBucket",
        "s3:ListBucket",
        "s3:GetBucketTagging",
        "s3:PutBucketPolicy",
        "s3:PutBucketTagging",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
    ]
    role = [
        "iam:CreateRole",
        "iam:GetRole",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:TagRole",
        "iam:PassRole",
    ]
    return [
        (f"{arn}:s3:::{stage.bucket}", bucket),
        (f"{arn}:s3:::{stage.bucket}/packages/x", ["s3:GetObject", "s3:PutObject"]),
        (stage.role_arn_of(stage.endpoint_role), role),
        (stage.role_arn_of(stage.function_role), role),
        (
            f"{sagemaker}:model/{stage.prefix}",
            ["sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:AddTags"],
        ),
        (
            f"{sagemaker}:endpoint-config/{stage.prefix}",
            ["sagemaker:CreateEndpointConfig", "sagemaker:DescribeEndpointConfig"],
        ),
        (
            stage.endpoint_arn(stage.endpoint),
            [
                "sagemaker:CreateEndpoint",
                "sagemaker:UpdateEndpoint",
                "sagemaker:DescribeEndpoint",
                "sagemaker:ListTags",
                "sagemaker:InvokeEndpoint",
            ],
        ),
        (
            stage.function_arn,
            [
                "lambda:CreateFunction",
                "lambda:DeleteFunctionConcurrency",
                "lambda:GetFunction",
                "lambda:GetPolicy",
                "lambda:ListTags",
                "lambda:TagResource",
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
            [
                "logs:CreateLogGroup",
                "logs:PutRetentionPolicy",
                "logs:ListTagsForResource",
                "logs:TagResource",
            ],
        ),
        ("*", ["application-autoscaling:DeregisterScalableTarget"]),
    ]


def check_roles(cloud: Cloud) -> list[Finding]:
    """Check that each role is ours or its name is free, and that the right service may use it."""
    stage = cloud.stage
    trusts = {
        stage.endpoint_role: policies.trust(stage, "sagemaker", own_account=True),
        stage.function_role: policies.trust(stage, "lambda"),
        stage.model_role: policies.trust(stage, "lambda"),
        stage.role: policies.trust(stage, "sagemaker"),
    }
    return [_check_role(cloud, name, trust) for name, trust in trusts.items()]


def _check_role(cloud: Cloud, name: str, trust: dict[str, Any]) -> Finding:
    check = f"role {name}"
    try:
        role = cloud.client("iam").get_role(RoleName=name)["Role"]
    except ClientError as error:
        if clouds.is_missing(error):
            return Finding(check, OK, "does not exist yet; a deploy creates it")
        raise
    try:
        resources.check_role(cloud.stage, name, tag_map(role.get("Tags")))
    except CloudError as error:
        return Finding(check, FAIL, str(error))
    service = trust["Statement"][0]["Principal"]["Service"]
    if role["AssumeRolePolicyDocument"] != trust:
        return Finding(
            check, WARN, f"its trust policy for {service} differs from ours", "a deploy repairs it"
        )
    return Finding(check, OK, f"is ours, and {service} may use it")


def check_buckets(cloud: Cloud) -> list[Finding]:
    """Check that each bucket is ours and in this region, or that its name is free."""
    return [_check_bucket(cloud, cloud.stage.bucket), _check_bucket(cloud, cloud.stage.site_bucket)]


def _check_bucket(cloud: Cloud, bucket: str) -> Finding:
    check = f"bucket {bucket}"
    try:
        tags = resources.check_bucket(cloud, bucket)
    except CloudError as error:
        return Finding(check, FAIL, str(error))
    if tags is None:
        return Finding(check, OK, "does not exist yet; a deploy creates it")
    region = cloud.client("s3").get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
    if region != cloud.stage.region:
        return Finding(check, FAIL, f"is in {region}, not in {cloud.stage.region}", f"use --region {region}")
    return Finding(check, OK, "is ours and in this region")


def check_function(cloud: Cloud) -> Finding:
    """Check that the function is ours, or that its name is free."""
    try:
        description = function.describe(cloud)
    except CloudError as error:
        return Finding("function", FAIL, str(error))
    name = cloud.stage.function
    return Finding("function", OK, f"{name} is ours" if description else f"{name} does not exist yet")


def check_quotas(cloud: Cloud, kind: str, instance_type: str, count: int) -> list[Finding]:
    """Check that SageMaker's quotas allow the endpoint, batches, trainings and the notebook."""
    quotas = list(_quotas(cloud, "sagemaker"))
    if kind == "lambda":
        return [Finding("quota", OK, "there is no endpoint, so none is needed"), *check_job_quotas(quotas)]
    return [check_endpoint_quota(quotas, kind, instance_type, count), *check_job_quotas(quotas)]


def check_job_quotas(quotas: Sequence[dict[str, Any]]) -> list[Finding]:
    """Check the quotas of the commands that a deploy does not need: one of 0 is a warning."""
    findings = []
    for subject, command in JOB_QUOTAS.items():
        for quota in quotas:
            if _is_quota(quota["QuotaName"], subject) and quota["Value"] < 1:
                sentence = f"{quota['QuotaName']!r} is 0, so `{command}` can't start"
                findings.append(
                    Finding("quota", WARN, sentence, "raise it at Service Quotas, or use another type")
                )
    return findings


def check_endpoint_quota(
    quotas: Sequence[dict[str, Any]], kind: str, instance_type: str, count: int
) -> Finding:
    """Check that SageMaker's quotas allow the endpoint: ``count`` concurrent requests or instances."""
    serverless = kind == "serverless"
    subject = "serverless endpoints" if serverless else f"{instance_type} for endpoint usage"
    quotas = [quota for quota in quotas if _is_quota(quota["QuotaName"], subject)]
    if not quotas:
        return Finding("quota", WARN, f"SageMaker lists no quota for {subject}", "look at Service Quotas")
    for quota in quotas:
        if quota["Value"] < (count if "oncurrency" in quota["QuotaName"] or not serverless else 1):
            return Finding(
                "quota",
                FAIL,
                f"{quota['QuotaName']!r} is {quota['Value']:g}, {count} are needed",
                "raise it at Service Quotas, or lower --concurrency",
            )
    return Finding("quota", OK, ", ".join(f"{quota['QuotaName']}: {quota['Value']:g}" for quota in quotas))


def _quotas(cloud: Cloud, service: str) -> Iterator[dict[str, Any]]:
    pages = cloud.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode=service)
    for page in pages:
        yield from page["Quotas"]


def _is_quota(name: str, subject: str) -> bool:
    """Check whether a quota has this subject: AWS identifies quotas by name, and the wording has grown."""
    return name.lower().endswith(subject.lower())


def check_concurrency(cloud: Cloud, reserved: int | None, model: int | None = None) -> Finding:
    """Check that Lambda can reserve this many concurrent executions, ``model`` of them for the model."""
    limit = cloud.client("lambda").get_account_settings()["AccountLimit"]
    free = limit.get("UnreservedConcurrentExecutions", limit["ConcurrentExecutions"])
    if reserved is not None and free - reserved < UNRESERVED:
        return Finding(
            "concurrency",
            FAIL,
            f"{reserved} executions can't be reserved: {free} are free, and {UNRESERVED} must stay free",
            "reserve none, or raise the limit at Service Quotas",
        )
    if model is not None and free - (reserved or 0) - model < UNRESERVED:
        return Finding(
            "concurrency",
            WARN,
            f"{model} executions can't be reserved for the model: {free} are free, and {UNRESERVED} must"
            " stay free",
            "a deploy goes on without that limit of its cost; raise the quota at Service Quotas",
        )
    if limit["ConcurrentExecutions"] < UNRESERVED:
        return Finding(
            "concurrency",
            WARN,
            f"this account runs at most {limit['ConcurrentExecutions']} function executions at once",
            "raise the limit at Service Quotas; none can be reserved",
        )
    return Finding("concurrency", OK, f"{free} function executions may run at once")
