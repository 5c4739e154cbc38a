"""IAM's enforcement for the simulated account: a role or a user may do what its policies allow, and no more.

moto has an enforcement of its own. Except for S3 it compares each policy with the resource "*", so it refuses
every right on a named resource. It also takes each condition for true. ``enforce`` keeps moto's places and
errors, and decides by tests/support/iam.py with the call's own resource and condition keys. The account's
owner, whose keys are "testing", may do everything. Signatures and bucket policies are not checked.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import (
    AccessDeniedError,
    AssumedRoleAccessKey,
    CreateAccessKeyFailure,
    S3AccessDeniedError,
    create_access_key,
)
from moto.moto_api._internal import urls as moto_urls
from moto.moto_api._internal.responses import MotoAPIResponse
from moto.s3.models import s3_backends

from tests.support import iam
from tests.support.iam import Request

# Every request of a role or a user since the account was last emptied, with its answer.
RECORD: list[tuple[Request, bool]] = []
# What IAM calls a service that signs by another name.
PREFIXES = {"monitoring": "cloudwatch"}
Param = Callable[[str], str]
Named = tuple[str, dict[str, str]]


def enforce() -> None:
    """Make moto decide by each caller's policies, and show the record at /moto-api/rights."""
    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = _normal  # type: ignore[method-assign]
    ActionAuthenticatorMixin._authenticate_and_authorize_s3_action = _s3  # type: ignore[method-assign]
    reset = MotoAPIResponse.reset_response

    def reset_response(self: Any, *args: Any) -> Any:
        RECORD.clear()
        return reset(self, *args)

    MotoAPIResponse.reset_response = reset_response  # type: ignore[method-assign]
    moto_urls.url_paths["{0}/moto-api/reset"] = moto_urls.response_instance.reset_response
    moto_urls.url_paths["{0}/moto-api/rights"] = _record


def _record(*_: Any) -> tuple[int, dict[str, str], str]:
    rows = [[*request[:3], dict(request.context), allowed] for request, allowed in RECORD]
    return 200, {}, json.dumps(rows)


def _normal(self: Any, resource: str = "*") -> None:
    service = PREFIXES.get(_scope(self)[3], _scope(self)[3])
    arn = f"arn:{self.partition}:{service}:{self.region}:{self.current_account}"
    name, context = NAMED.get(service, _unnamed)(arn, self._get_action(), lambda key: _param(self, key))
    _check(self, f"{service}:{self._get_action()}", name, context)


def _s3(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
    action = {"HeadBucket": "ListBucket"}.get(self._get_action(), self._get_action())
    place = f"{bucket_name}/{key_name}" if key_name else bucket_name
    context = (
        {"s3:prefix": self._get_param("prefix") or ""}
        if action == "ListBucket" and self.method == "GET"
        else {}
    )
    resource = f"arn:{self.partition}:s3:::{place}" if place else "*"
    _check(self, f"s3:{action}", resource, context)
    if action == "GetObject" and self.method == "GET" and (key := _key_of(self, bucket_name, key_name)):
        # S3 decrypts in the caller's name.
        via = {"kms:ViaService": f"s3.{self.region}.amazonaws.com"}
        _check(self, "kms:Decrypt", key, via)


def _key_of(self: Any, bucket: str | None, name: str | None) -> str | None:
    found = s3_backends[self.current_account][self.partition].head_object(bucket, name)
    return found.kms_key_id if found else None


def _scope(self: Any) -> list[str]:
    """Return the parts of the signature's scope: key, date, region, service."""
    found = re.search(r"Credential=([^,]+)", self.headers.get("Authorization", ""))
    return found[1].split("/") if found else ["", "", "", ""]


def _check(self: Any, action: str, resource: str, context: dict[str, str]) -> None:
    """Decide a request and record it. Raises moto's error when it is refused."""
    try:
        caller = create_access_key(self.current_account, self.partition, _scope(self)[0], self.headers)
    except CreateAccessKeyFailure:
        return  # the account's owner
    if action == "sts:GetCallerIdentity":
        return  # always allowed
    name = caller._owner_role_name if isinstance(caller, AssumedRoleAccessKey) else caller.arn
    request = Request(name, action, resource, {"aws:SecureTransport": "true", **context})
    allowed = iam.decide([_document(policy) for policy in caller.collect_policies()], request)
    RECORD.append((request, allowed))
    if not allowed and _scope(self)[3] == "s3":
        raise S3AccessDeniedError
    if not allowed:
        raise AccessDeniedError(user_arn=caller.arn, action=f"{action} on resource: {resource}")


def _document(policy: Any) -> dict[str, Any]:
    if isinstance(policy, dict):
        policy = policy["policy_document"]
    return dict(json.loads(policy if isinstance(policy, str) else policy.document))


def _param(self: Any, name: str) -> str:
    value = self._get_param(name)
    if value is None and self.parsed_url.path.startswith("/endpoints/"):
        value = self.parsed_url.path.split("/")[2]
    return str(value or "")


# --- the resource of a call, as AWS's Service Authorization Reference names it ---------------------


def _unnamed(arn: str, action: str, param: Param) -> Named:
    return "*", {}


def _of_logs(arn: str, action: str, param: Param) -> Named:
    """Return a log group with :*, as AWS's guide says for IAM, or a stream of it."""
    group = f"{arn}:log-group:{param('logGroupName')}"
    stream = action in ("PutLogEvents", "GetLogEvents")
    return (f"{group}:log-stream:{param('logStreamName')}" if stream else f"{group}:*"), {}


def _of_sagemaker(arn: str, action: str, param: Param) -> Named:
    kinds = {"InvokeEndpoint": "Endpoint", "StopNotebookInstance": "NotebookInstance"}
    if action not in kinds:
        return "*", {}
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kinds[action]).lower()
    return f"{arn}:{kind}/{param(kinds[action] + 'Name')}", {}


def _of_registry(arn: str, action: str, param: Param) -> Named:
    if action == "GetAuthorizationToken":
        return "*", {}
    account = param("registryId") or arn.rsplit(":", 1)[1]
    return f"{arn.rsplit(':', 1)[0]}:{account}:repository/{param('repositoryName')}", {}


def _of_metrics(arn: str, action: str, param: Param) -> Named:
    return "*", {"cloudwatch:namespace": param("Namespace")} if action == "PutMetricData" else {}


NAMED: dict[str, Callable[[str, str, Param], Named]] = {
    "logs": _of_logs,
    "sagemaker": _of_sagemaker,
    "ecr": _of_registry,
    "cloudwatch": _of_metrics,
}
