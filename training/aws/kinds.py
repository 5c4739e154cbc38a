"""The kind of host that a stage has: a deploy without ENDPOINT_KIND keeps it."""

import argparse

from training.aws import function, hosting, lambda_calls
from training.aws.cloud import Cloud
from training.aws.hosting import Say


def in_use(cloud: Cloud) -> str | None:
    """Return the kind of the endpoint that the deployed function calls; None without an endpoint.

    A first deploy may have stopped before the function. Then the stage's endpoint counts.
    """
    endpoint = function.endpoint_in_use(cloud) or cloud.stage.endpoint
    if lambda_calls.is_alias(endpoint):
        return "lambda"
    description = hosting.describe(cloud, endpoint)
    return hosting.kind_of(cloud, description) if description else None


def keep(cloud: Cloud, options: argparse.Namespace, say: Say = print) -> argparse.Namespace:
    """Return the flags with a kind: the one given, else the one in use, else a new stage's."""
    if options.kind:
        return options
    found = in_use(cloud)
    if found:
        others = " or ".join(f"ENDPOINT_KIND={kind}" for kind in hosting.KINDS if kind != found)
        say(f"model: {found} as deployed before; {others} would change it")
    return argparse.Namespace(**{**vars(options), "kind": found or hosting.KINDS[0]})
