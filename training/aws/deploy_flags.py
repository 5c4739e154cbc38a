"""The flags of a deploy, and the hosting plan that they describe."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from static_site import serve
from training.aws import cloud as clouds
from training.aws import hosting, images, lambda_host, package, page
from training.aws.hosting import Plan
from training.endpoint import inference


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    environ = os.environ
    parser = argparse.ArgumentParser(description="Deploy the model, the API and the page on AWS.")
    clouds.add_flags(parser)
    add = parser.add_argument
    add_shared(parser)
    add(
        "--memory",
        type=int,
        help="memory in MB (default: measured for a serverless endpoint, see servers.json; 1769 for lambda)",
    )
    add("--instances", type=int, default=1, help="minimum number of instances (default 1)")
    add("--most-instances", type=int, default=2, help="maximum number, under load (default 2)")
    add(
        "--cors-origin",
        default=environ.get("CORS_ORIGIN") or None,
        help="origins whose pages may read answers (default: CORS_ORIGIN, or as deployed, or any)",
    )
    add("--budget-email", help="address for a mail when the month's cost nears --budget-dollars")
    add("--budget-dollars", type=float, default=20.0, help="the account's monthly budget (default 20)")
    add(
        "--api-url",
        default=environ.get("DEPLOYED_API_URL") or None,
        help="the API's URL when it is not API Gateway's (default: DEPLOYED_API_URL)",
    )
    add(
        "--beside-api-url",
        type=serve.optional_url,
        default=_beside_api_url(environ.get("BESIDE_API_URL") or ""),
        help="a second model's API, for example another stage's; the page compares the two"
        " (default: BESIDE_API_URL, or none)",
    )
    add("--no-api-check", action="store_true", help="don't send the API a test review at the end")
    options = parser.parse_args(arguments)
    check_choices("deploy", options)
    return options


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Add the flags that a deploy and its check beforehand share."""
    environ, add = os.environ, parser.add_argument
    add(
        "--model",
        type=Path,
        default=Path(environ.get("MODEL") or inference.MODEL_FOLDER),
        help="model folder (default: MODEL, or training/endpoint/model)",
    )
    add(
        "--kind",
        choices=hosting.KINDS,
        default=environ.get("ENDPOINT_KIND") or None,
        help="serverless and lambda are free while idle, realtime costs by the hour (default: ENDPOINT_KIND,"
        " or as deployed, or serverless)",
    )
    add(
        "--image",
        default=environ.get("IMAGE") or images.SERVING[0],
        help=f"the server's image: {', '.join(images.SERVING)}, or the address of your own in ECR"
        f" (default: IMAGE, or {images.SERVING[0]})",
    )
    add("--concurrency", type=int, default=5, help="requests at once, unless realtime (default 5)")
    add("--instance-type", default="ml.m5.large", help="for a realtime endpoint (default ml.m5.large)")
    add(
        "--site",
        choices=page.KINDS,
        default=environ.get("SITE") or "cloudfront",
        help="host of the page (default: SITE, or cloudfront)",
    )
    add("--reserved-concurrency", type=int, help="limit of function executions at once (default: none)")


def check_choices(command: str, options: argparse.Namespace) -> None:
    """Exit with one sentence when a variable names no choice."""
    clouds.check_choices(
        command,
        ENDPOINT_KIND=(options.kind or hosting.KINDS[0], hosting.KINDS),
        SITE=(options.site, page.KINDS),
    )
    if options.image not in images.SERVING and not images.is_own(options.image):
        sys.exit(
            f"{command}: IMAGE must be one of {', '.join(images.SERVING)}, or your own image's address like"
            f" {images.OWN_EXAMPLE}, got {options.image[:100]!r}"
        )


def _beside_api_url(value: str) -> str:
    """Return the variable's URL, or "" for none; exit with one sentence when it is no URL."""
    try:
        return serve.optional_url(value)
    except argparse.ArgumentTypeError as error:
        sys.exit(f"deploy: BESIDE_API_URL: {error}")


def plan_of(options: argparse.Namespace) -> Plan:
    """Return the hosting plan that the flags describe; without a kind, that of a new stage."""
    kind = options.kind or hosting.KINDS[0]
    needed = lambda_host.MEMORY_MB if kind == "lambda" else package.serverless_memory(options.image)
    return Plan(
        kind=kind,
        image=options.image,
        memory_mb=options.memory or needed,
        concurrency=options.concurrency,
        instance_type=options.instance_type,
        instances=options.instances,
        most_instances=max(options.instances, options.most_instances),
    )
