"""A monthly budget that writes to a person before a bill surprises them."""

import math
import re

from botocore.exceptions import ClientError

from training.aws.cloud import Cloud, CloudError, is_missing, tag_list, tag_map

# AWS Budgets has one address for all regions.
REGION = "us-east-1"
PERCENT = (50.0, 100.0)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check(email: str | None, dollars: float) -> None:
    """Raise CloudError when no budget can be made of these."""
    if email is not None and not _EMAIL.fullmatch(email):
        raise CloudError(f"--budget-email must be an address like you@example.com, got {email[:40]!r}")
    if not 0 < dollars < math.inf:
        raise CloudError(f"--budget-dollars must be more than 0, got {dollars}")


def ensure(cloud: Cloud, email: str | None, dollars: float) -> bool:
    """Make the stage's budget, or make it anew when it has changed; say whether one was asked for.

    It watches the whole account's cost: AWS knows costs by tag only once a person has switched that on.
    Raises CloudError when a budget of our name is another's.
    """
    check(email, dollars)
    if not email:
        return False
    client, stage = cloud.client("budgets", REGION), cloud.stage
    check_owned(cloud)
    remove(cloud)  # a subscriber can't be replaced in place
    client.create_budget(
        AccountId=stage.account,
        Budget={
            "BudgetName": stage.prefix,
            "BudgetLimit": {"Amount": f"{dollars:.2f}", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
        NotificationsWithSubscribers=[
            {
                "Notification": {
                    "NotificationType": "ACTUAL",
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": percent,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [{"SubscriptionType": "EMAIL", "Address": email}],
            }
            for percent in PERCENT
        ],
        ResourceTags=tag_list(stage.tags),
    )
    return True


def check_owned(cloud: Cloud) -> None:
    """Raise CloudError when a budget of our name is another's."""
    if exists(cloud, ours=False) and not exists(cloud):
        name = cloud.stage.prefix
        raise CloudError(f"budget {name} is there but has not this stage's tags; delete or rename it")


def exists(cloud: Cloud, ours: bool = True) -> bool:
    """Say whether there is a budget of our name; with ``ours``, one that carries the stage's tags."""
    client, stage = cloud.client("budgets", REGION), cloud.stage
    try:
        client.describe_budget(AccountId=stage.account, BudgetName=stage.prefix)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    arn = f"arn:{stage.partition}:budgets::{stage.account}:budget/{stage.prefix}"
    return not ours or stage.owns(tag_map(client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]))


def remove(cloud: Cloud) -> bool:
    """Remove the stage's budget; say whether there was one."""
    if not exists(cloud):
        return False
    cloud.client("budgets", REGION).delete_budget(
        AccountId=cloud.stage.account, BudgetName=cloud.stage.prefix
    )
    return True
