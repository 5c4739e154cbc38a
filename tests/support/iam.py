"""Decide by IAM policies as AWS does, and find which of a policy's rights a list of requests used.

The rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
This module knows what our policies contain: Allow and Deny, Action, Resource, and three condition operators.
Anything else raises NotImplementedError, so no element is passed over in silence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}


class Request(NamedTuple):
    """A call as IAM sees it: who calls, the action, the resource's ARN (or *), and condition keys by name."""

    caller: str
    action: str
    resource: str
    context: Mapping[str, str] = {}


class Right(NamedTuple):
    """One action on one resource, which a statement allows."""

    sid: str
    action: str
    resource: str


def decide(policies: Iterable[dict[str, Any]], request: Request) -> bool:
    """Return whether policies allow a request. A Deny wins, and without an Allow it is refused."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in policy["Statement"]
        if _matches(statement, request)
    }
    return "Allow" in effects and "Deny" not in effects


def rights(policy: dict[str, Any]) -> list[Right]:
    """Return each right of a policy. A log group's two ARNs, with :* and without, make one right.

    >>> rights({"Statement": [{"Sid": "A", "Effect": "Allow", "Action": ["x:B", "x:C"], "Resource": "*"}]})
    [Right(sid='A', action='x:B', resource='*'), Right(sid='A', action='x:C', resource='*')]
    """
    found = [
        Right(statement["Sid"], action, _one_spelling(resource))
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]
    return list(dict.fromkeys(found))


def used(policy: dict[str, Any], requests: Iterable[Request]) -> set[Right]:
    """Return the rights of a policy that allowed at least one of the requests."""
    return {
        Right(statement["Sid"], action, _one_spelling(resource))
        for request in requests
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if _matches({**statement, "Action": action, "Resource": resource}, request)
    }


def without(policy: dict[str, Any], right: Right) -> dict[str, Any]:
    """Return a policy that lacks one right, written as a statement for each of the others."""
    statements = [
        {**statement, "Action": action, "Resource": resource}
        for statement in policy["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if Right(statement["Sid"], action, _one_spelling(resource)) != right
    ]
    return policy | {"Statement": statements}


def _matches(statement: Mapping[str, Any], request: Request) -> bool:
    if strange := statement.keys() - ELEMENTS:
        raise NotImplementedError(f"a statement with {sorted(strange)}")
    return (
        any(_like(action.lower(), request.action.lower()) for action in _listed(statement["Action"]))
        and any(_like(resource, request.resource) for resource in _listed(statement["Resource"]))
        and all(_holds(*one, request.context) for one in _conditions(statement.get("Condition", {})))
    )


def _conditions(block: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in block.items():
        for key, values in keys.items():
            yield operator, key, _listed(values)


def _holds(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool:
    """Return whether a condition holds; a key that the request lacks fails it."""
    found = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator not in ("StringEquals", "StringLike", "Bool"):
        raise NotImplementedError(f"condition operator {operator}")
    if found is None:
        return False
    if operator == "StringLike":
        return any(_like(value, found) for value in values)
    return found in values


def _like(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern with IAM's * and ?."""
    parts = (".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _one_spelling(resource: str) -> str:
    return resource.removesuffix(":*") if ":logs:" in resource else resource


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
