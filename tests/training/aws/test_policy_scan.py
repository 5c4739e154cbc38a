"""Each policy as AWS's own reference and cloudsplaining read it: no finding without its reason here."""

import socket
from typing import Any

import pytest

from tests.support.policy_scan import dangers, mistakes
from tests.training.aws.test_policies import POLICIES

# The bucket's policy refuses only, and a trust policy has no resources.
READ = {name: policy for name, policy in POLICIES.items() if name not in ("bucket", "trust")}
EXPLAINED = {
    ("credentials_exposure", "ecr:GetAuthorizationToken"): (
        "SageMaker fetches images with this token; it opens only what PullImages names"
    )
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection."""

    def refuse(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", READ)
def test_nothing_dangerous_is_found_but_what_is_explained(name: str) -> None:
    assert set(dangers(READ[name])) <= EXPLAINED.keys()


def test_every_explanation_is_still_needed() -> None:
    assert {finding for policy in READ.values() for finding in dangers(policy)} == EXPLAINED.keys()


@pytest.mark.parametrize("name", READ)
def test_aws_knows_each_action_its_resource_and_its_condition(name: str) -> None:
    assert list(mistakes(READ[name])) == []


def statement(action: str, resource: str, **condition: dict[str, str]) -> dict[str, Any]:
    one = {"Sid": "A", "Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [one | ({"Condition": condition} if condition else {})]}


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        (statement("s3:GetObject", "*"), "allows_data_exfiltration_actions"),
        (statement("s3:*", "*"), "service_wildcard"),
        (statement("s3:DeleteObject", "*"), "infrastructure_modification"),
        (statement("iam:CreateAccessKey", "*"), "allows_privilege_escalation"),
    ],
    ids=str,
)
def test_a_danger_is_found(policy: dict[str, Any], kind: str) -> None:
    assert kind in {found for found, _ in dangers(policy)}


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (statement("s3:HeadObject", "arn:aws:s3:::a/b"), "AWS has no action s3:HeadObject"),
        (statement("s3:GetObject", "arn:aws:s3:::a"), "s3:GetObject takes no resource arn:aws:s3:::a"),
        (
            statement("s3:GetObject", "arn:aws:s3:::a/b", StringLike={"s3:prefix": "b"}),
            "s3:GetObject has no condition key s3:prefix",
        ),
    ],
    ids=str,
)
def test_what_aws_does_not_know_is_found(policy: dict[str, Any], sentence: str) -> None:
    assert list(mistakes(policy)) == [sentence]
