"""Read policies for what AWS would refuse or nobody should allow, without a network.

cloudsplaining finds dangers: rights on everything, escalation, exfiltration, exposed credentials.
policy_sentry holds AWS's Service Authorization Reference: actions, resources, condition keys.
"""

import re
from collections.abc import Iterator
from typing import Any

from cloudsplaining.scan.policy_document import PolicyDocument
from policy_sentry.querying.actions import get_action_data

DANGERS = (
    "infrastructure_modification",
    "permissions_management_without_constraints",
    "allows_privilege_escalation",
    "allows_data_exfiltration_actions",
    "credentials_exposure",
    "service_wildcard",
    "contains_statement_using_not_action",
)


def dangers(policy: dict[str, Any]) -> list[tuple[str, str]]:
    """Return cloudsplaining's findings as pairs: the kind, and the action."""
    document = PolicyDocument(policy)
    return [(kind, str(found)) for kind in DANGERS for found in getattr(document, kind)]


def mistakes(policy: dict[str, Any]) -> Iterator[str]:
    """Yield what AWS does not know in a policy: an action, a resource of another form, a condition key."""
    for statement in policy["Statement"]:
        for action in _listed(statement["Action"]):
            service, name = action.split(":")
            data = get_action_data(service, name)
            rows = data[service] if data else []
            if not rows:
                yield f"AWS has no action {action}"
                continue
            forms = {row["resource_arn_format"] for row in rows}
            for resource in _listed(statement["Resource"]):
                if not any(_fits(resource, form) for form in forms):
                    yield f"{action} takes no resource {resource}"
            known = {key for row in rows for key in row["condition_keys"]}
            for key in _keys(statement):
                if key not in known and not key.startswith("aws:"):
                    yield f"{action} has no condition key {key}"


def _keys(statement: dict[str, Any]) -> Iterator[str]:
    for keys in statement.get("Condition", {}).values():
        yield from keys


def _fits(resource: str, form: str) -> bool:
    """Return whether a resource has a form such as arn:${Partition}:s3:::${BucketName}.

    A log group's ARN stands for its streams too. AWS's guide writes it with :* at its end.
    """
    if "*" in (resource, form):
        return resource == form
    pattern = re.sub(r"\\\$\\\{\w+\\\}", ".*", re.escape(form.split(":log-stream:")[0]))
    return re.fullmatch(pattern, resource) is not None


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
