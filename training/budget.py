"""A monthly budget that writes to a person before a bill surprises them."""

from botocore.exceptions import ClientError
from cloud import Cloud, is_missing

# AWS Budgets has one address for all regions.
REGION = "us-east-1"
PERCENT = (50.0, 100.0)


def ensure(cloud: Cloud, email: str | None, dollars: float) -> bool:
    """Make the stage's budget, or change its amount; say whether one was asked for."""
    if not email:
        return False
    client, stage = cloud.client("budgets", REGION), cloud.stage
    budget = {
        "BudgetName": stage.prefix,
        "BudgetLimit": {"Amount": f"{dollars:.2f}", "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
    }
    remove(cloud)  # a subscriber can't be replaced in place
    client.create_budget(
        AccountId=stage.account,
        Budget=budget,
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
    )
    return True


def exists(cloud: Cloud) -> bool:
    """Say whether the stage has a budget."""
    try:
        cloud.client("budgets", REGION).describe_budget(
            AccountId=cloud.stage.account, BudgetName=cloud.stage.prefix
        )
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return True


def remove(cloud: Cloud) -> bool:
    """Remove the stage's budget; say whether there was one."""
    if not exists(cloud):
        return False
    cloud.client("budgets", REGION).delete_budget(
        AccountId=cloud.stage.account, BudgetName=cloud.stage.prefix
    )
    return True
