"""A monthly budget that mails a person before the bill surprises them."""

import math
import re

from botocore.exceptions import ClientError

from training.aws.cloud import Cloud, CloudError, is_missing, tag_list, tag_map

# AWS Budgets has one endpoint for all regions.
REGION = "us-east-1"
PERCENT = (50.0, 100.0)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check(email: str | None, dollars: float) -> None:
    """Check a budget's address and amount. Raises CloudError."""
    if email is not None and not _EMAIL.fullmatch(email):
        raise CloudError(f"--budget-email must be an address such as you@example.com, got {email[:40]!r}")
    if not 0 < dollars < math.inf:
        raise CloudError(f"--budget-dollars must be more than 0, got {dollars}")


def ensure(cloud: Cloud, email: str | None, dollars: float) -> bool:
    """Create the stage's budget, or replace it; return whether there is an address to mail to.

    It watches the whole account's cost: AWS counts costs by tag only after a person enables that.
    Raises CloudError when a budget of our name is not ours.
    """
    check(email, dollars)
    if not email:
        return False
    client, stage = cloud.client("budgets", REGION), cloud.stage
    check_owned(cloud)
    remove(cloud)  # AWS can't replace a subscriber in place
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
    """Check that a budget of our name is ours. Raises CloudError."""
    if exists(cloud, ours=False) and not exists(cloud):
        name = cloud.stage.prefix
        raise CloudError(f"budget {name} exists without this stage's tags; delete or rename it")


def exists(cloud: Cloud, ours: bool = True) -> bool:
    """Return whether a budget of our name exists; with ``ours``, one with the stage's tags."""
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
    """Remove the stage's budget; return whether there was one."""
    if not exists(cloud):
        return False
    cloud.client("budgets", REGION).delete_budget(
        AccountId=cloud.stage.account, BudgetName=cloud.stage.prefix
    )
    return True
