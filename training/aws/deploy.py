"""Put all of it on AWS: the model behind an endpoint, the API in front of it, the page, and what they cost.

    python -m training.aws.deploy --stage dev
    python -m training.aws.deploy --stage dev --dry-run         # says what would be made
    python -m training.aws.deploy --stage prod --kind realtime --instance-type ml.c6i.large

It can be run twice, and again after it was stopped anywhere: each step looks first at what is there.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from training.aws import (
    budget,
    function,
    gateway,
    hosting,
    images,
    inventory,
    package,
    page,
    prices,
    resources,
)
from training.aws import cloud as clouds
from training.aws.cloud import Cloud, CloudError
from training.aws.hosting import Plan, Say
from training.endpoint import inference

API_SECONDS, API_POLL_SECONDS, REQUEST_SECONDS = 120, 5.0, 30


class Deployed(NamedTuple):
    """What a deploy made: names, and the URLs that people use."""

    endpoint: str
    model: str
    package_sha256: str
    api_url: str
    page_url: str | None


def deploy(cloud: Cloud, options: argparse.Namespace, say: Say = print) -> Deployed:
    """Take every step. Raises CloudError, ModelFilesError, or what botocore raises."""
    stage, plan = cloud.stage, plan_of(options)
    loaded = check(cloud, options)
    say(f"stage {stage.name} in {stage.region}, account {stage.account}, model {loaded.identity.id}")
    endpoint, model, digest = host(cloud, options, loaded, say)
    hosting.ensure_scaling(cloud, endpoint, plan)
    function_role = resources.ensure_function_role(cloud, endpoint)
    api = function.deploy(
        cloud, endpoint, function_role, say, options.reserved_concurrency, options.cors_origin
    )
    api_url = options.api_url or api.url
    if not options.no_api_check:
        check_api(api_url, loaded)
        say(f"API: a review of our own went through {api_url}")
    retire(cloud, endpoint, say)
    beside_url = options.beside_api_url
    page_url = None if options.site == "none" else page.deploy(cloud, options.site, api_url, say, beside_url)
    page.retire(cloud, options.site, say)
    budget.ensure(cloud, options.budget_email, options.budget_dollars)
    return Deployed(endpoint, model, digest, api_url, page_url)


def host(
    cloud: Cloud, options: argparse.Namespace, loaded: inference.LoadedModel, say: Say = print
) -> tuple[str, str, str]:
    """Put the model behind an endpoint; give the endpoint's name, the model's, and the package's SHA-256."""
    plan = plan_of(options)
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    role = resources.ensure_endpoint_role(cloud)
    url, digest = put_package(cloud, options.model, plan, say)
    model = hosting.ensure_model(cloud, plan, url, digest, role)
    config = hosting.ensure_config(cloud, plan, model)
    endpoint = endpoint_for(cloud, loaded.identity.vocabulary, plan.kind, say)
    hosting.put_in_service(cloud, endpoint, config, loaded, say)
    return endpoint, model, digest


def check(cloud: Cloud, options: argparse.Namespace) -> inference.LoadedModel:
    """Load the model, and refuse what would fail later, before anything is made.

    Raises CloudError, ModelFilesError or VocabularyError.
    """
    stage, plan = cloud.stage, plan_of(options)
    if stage.name not in function.stages():
        raise CloudError(
            f"chalice_app/.chalice/config.json has no stage {stage.name},"
            f" it has {', '.join(function.stages())}; add it there, or name one of those"
        )
    if plan.memory_mb not in hosting.MEMORIES_MB:
        sizes = ", ".join(map(str, hosting.MEMORIES_MB))
        raise CloudError(f"--memory must be one of {sizes} MB, got {plan.memory_mb}")
    if not 1 <= plan.concurrency <= hosting.MOST_CONCURRENT:
        raise CloudError(f"--concurrency must be 1 to {hosting.MOST_CONCURRENT}, got {plan.concurrency}")
    if plan.instances < 1:
        raise CloudError(f"--instances must be 1 or more, got {plan.instances}")
    resources.function_feedback(os.environ)
    budget.check(options.budget_email, options.budget_dollars)
    if options.budget_email:
        budget.check_owned(cloud)
    images.uri(plan.image, stage.region)
    resources.check_roles(cloud)
    resources.check_bucket(cloud, stage.bucket)
    if options.site != "none":
        resources.check_bucket(cloud, stage.site_bucket)
    function.describe(cloud)
    return inference.model_fn(options.model)


def put_package(cloud: Cloud, model: Path, plan: Plan, say: Say) -> tuple[str, str]:
    """Pack a model and put it into the stage's bucket; give its s3:// URL and its SHA-256."""
    with tempfile.TemporaryDirectory() as folder:
        packed = package.build(model, Path(folder) / "model.tar.gz", (plan.image,))
        key = f"packages/{packed.sha256}/model.tar.gz"
        url = resources.upload(cloud, packed.path, key, packed.sha256)
    say(f"package: {packed.bytes / 1e6:.1f} MB in {url}")
    return url, packed.sha256


def endpoint_for(cloud: Cloud, vocabulary: str, kind: str, say: Say) -> str:
    """Give the endpoint to deploy to: the one in use, or the other one when it can't be changed in place.

    Ids of one vocabulary mean nothing to a model of the other, and AWS does not turn every kind of endpoint
    into the other; so the function changes over from one endpoint to the other at once.
    """
    first, second = cloud.stage.endpoints
    used = function.endpoint_asked(cloud) or first
    found = hosting.describe(cloud, used)
    if not found or found["EndpointStatus"] != "InService":
        return used
    hosting.check_owned(cloud, found)
    if hosting.kind_of(found) != kind:
        differs = "is of another kind"
    elif hosting.card_of(cloud, used)["vocabulary"] != vocabulary:
        differs = "has another vocabulary"
    else:
        return used
    other = second if used == first else first
    say(f"endpoint {used} {differs}, so {other} is made beside it")
    return other


def retire(cloud: Cloud, endpoint: str, say: Say) -> None:
    """Delete the stage's other endpoint, which nobody asks any more."""
    for other in cloud.stage.endpoints:
        found = hosting.describe(cloud, other) if other != endpoint else None
        if found:
            hosting.check_owned(cloud, found)
            hosting.remove_scaling(cloud, other)
            hosting.delete(cloud, other, say)


def check_api(url: str, loaded: inference.LoadedModel) -> None:
    """Send a review of our own through the API and compare with the model here. Raises CloudError."""
    expected = loaded.predict(hosting.REVIEWS[0])[1].probability
    body = json.dumps({"review": hosting.REVIEWS[0]}).encode()
    headers = {"Content-Type": "application/json", "X-Api-Key": os.environ.get("API_KEY", "")}
    request = urllib.request.Request(url.rstrip("/") + "/v1/sentiment", body, headers)
    deadline, told = time.monotonic() + API_SECONDS, ""
    while True:
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as answer:
                found = json.load(answer)
            close = abs(found["probability"] - expected) <= hosting.LARGEST_GAP
            if found["model"]["id"] == loaded.identity.id and close:
                return
            told = f"{found['model']['id']} gives {found['probability']:.3f}, this machine {expected:.3f}"
        except urllib.error.HTTPError as error:
            told = f"{error.code} {error.read(500).decode(errors='replace')}"
        except (OSError, ValueError, KeyError) as error:
            told = str(error)
        if time.monotonic() > deadline:
            raise CloudError(f"the API at {url} does not answer as it should: {told}")
        time.sleep(API_POLL_SECONDS)


def plan_of(options: argparse.Namespace) -> Plan:
    """Give the plan that the flags ask for."""
    return Plan(
        kind=options.kind,
        image=options.image,
        memory_mb=options.memory or package.serverless_memory(options.image),
        concurrency=options.concurrency,
        instance_type=options.instance_type,
        instances=options.instances,
        most_instances=max(options.instances, options.most_instances),
    )


def outline(cloud: Cloud, options: argparse.Namespace) -> str:
    """Say what a deploy would make."""
    stage, plan = cloud.stage, plan_of(options)
    how = (
        f"serverless, {plan.memory_mb} MB, at most {plan.concurrency} at once"
        if plan.kind == "serverless"
        else f"{plan.instances} to {plan.most_instances} x {plan.instance_type}"
    )
    lines = [
        f"bucket    {stage.bucket}",
        f"roles     {stage.endpoint_role}, {stage.function_role}",
        f"endpoint  {stage.endpoint} ({how})",
        f"image     {images.uri(plan.image, stage.region)}",
        f"function  {stage.function} and its API",
        f"page      {'not deployed' if options.site == 'none' else f'{stage.site_bucket}, {options.site}'}",
        f"logs      {stage.function_log}, {stage.endpoint_log(stage.endpoint)}, kept {gateway.LOG_DAYS} days",
    ]
    there = len(inventory.find(cloud))
    lines.append(f"already there of this stage: {there} things, which stay or are changed")
    return "\n".join(lines)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    environ = os.environ
    parser = argparse.ArgumentParser(description="Put model, API and page on AWS.")
    clouds.add_flags(parser)
    add = parser.add_argument
    add(
        "--model",
        type=Path,
        default=Path(environ.get("MODEL") or inference.MODEL_FOLDER),
        help="model folder (default: MODEL, or training/endpoint/model)",
    )
    add(
        "--kind",
        choices=hosting.KINDS,
        default=environ.get("ENDPOINT_KIND") or "serverless",
        help="serverless costs nothing when idle, realtime costs by the hour (default: ENDPOINT_KIND)",
    )
    add(
        "--image",
        choices=images.SERVING,
        default=environ.get("IMAGE") or "ray",
        help="the server's image (default: IMAGE, or ray)",
    )
    add("--memory", type=int, help="serverless memory in MB (default: what servers.json measured)")
    add("--concurrency", type=int, default=5, help="serverless requests at once (default 5)")
    add("--instance-type", default="ml.m5.large", help="of a realtime endpoint (default ml.m5.large)")
    add("--instances", type=int, default=1, help="least instances (default 1)")
    add("--most-instances", type=int, default=2, help="most instances, by load (default 2)")
    add("--site", choices=page.KINDS, default=environ.get("SITE") or "cloudfront", help="the page's host")
    add("--reserved-concurrency", type=int, help="the most copies of the function at once (default: none)")
    add("--cors-origin", help="the origins whose pages may read answers (default: any)")
    add("--budget-email", help="who is told when the month's cost nears --budget-dollars")
    add("--budget-dollars", type=float, default=20.0, help="the account's monthly budget (default 20)")
    add(
        "--api-url",
        default=environ.get("DEPLOYED_API_URL") or None,
        help="where the API is reached, when not at its own URL (default: DEPLOYED_API_URL)",
    )
    add(
        "--beside-api-url",
        type=page.serve.optional_url,
        default=environ.get("BESIDE_API_URL") or "",
        help="a second model's API, another stage's say, which the page sets beside its own"
        " (default: BESIDE_API_URL, or none)",
    )
    add("--no-api-check", action="store_true", help="don't ask the API a review at the end")
    options = parser.parse_args(arguments)
    clouds.check_choices(
        parser,
        ENDPOINT_KIND=(options.kind, hosting.KINDS),
        IMAGE=(options.image, images.SERVING),
        SITE=(options.site, page.KINDS),
    )
    return options


def main() -> None:
    options = parse()
    with clouds.speaking("deploy"):
        cloud = clouds.open_stage(options.stage, options.region)
        warn(options)
        try:
            if options.dry_run:
                check(cloud, options)
                print(outline(cloud, options))
            else:
                made = deploy(cloud, options)
                print(f"\nAPI   {made.api_url}\npage  {made.page_url or 'not deployed'}\n")
        except (inference.ModelFilesError, inference.VocabularyError, package.PackageError) as error:
            sys.exit(f"deploy: {error}")
        print(prices.lay_out(prices.of_plan(plan_of(options), options.site)))


def warn(options: argparse.Namespace) -> None:
    """Say what a person should know before it is deployed."""
    told = images.warning(options.image, date.today())
    if told:
        print(f"warning: {told}; the default image, ray, still gets them")
    if options.site == "website":
        print("warning: an S3 website has no TLS: anybody on the way can read and change the page")
    if options.site == "cloudfront" and options.beside_api_url.startswith("http://"):
        print("warning: the page has TLS and the API beside its own has none: browsers will not ask it")
    if options.kind == "realtime":
        hour: Any = prices.instance_hour(options.instance_type)
        cost = f"about ${24 * 30 * hour * options.instances:.0f} a month" if hour else "by the hour"
        print(f"warning: a real-time endpoint costs {cost} until `make destroy`, asked or not")


if __name__ == "__main__":
    main()
