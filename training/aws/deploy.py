"""Deploy a whole stage on AWS: the model behind an endpoint, the API, the page; then print their prices.

    python -m training.aws.deploy --stage dev
    python -m training.aws.deploy --stage dev --dry-run         # prints the plan and creates nothing
    python -m training.aws.deploy --stage prod --kind realtime --instance-type ml.c6i.large

Every run is safe, also after one that was stopped anywhere: each step first looks up what exists.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib import auth, compatible
from training.aws import (
    budget,
    function,
    gateway,
    hosting,
    images,
    inventory,
    kinds,
    lambda_calls,
    lambda_host,
    leftovers,
    package,
    page,
    prices,
    resources,
)
from training.aws import cloud as clouds
from training.aws.cloud import Cloud, CloudError
from training.aws.deploy_flags import parse as parse
from training.aws.deploy_flags import plan_of as plan_of
from training.aws.hosting import Plan, Say
from training.aws.steps import Steps
from training.endpoint import inference

API_SECONDS, API_POLL_SECONDS, REQUEST_SECONDS = 120, 5.0, 30
# The function's timeout: a request to its earlier endpoint is answered within this time.
LAST_REQUEST_SECONDS = 25
# What to do after Ctrl-C in any step.
THEN = "the same command goes on from there, `make destroy` removes what is made"


class Deployed(NamedTuple):
    """The result of a deploy: names, and the URLs that people use."""

    endpoint: str
    model: str
    package_sha256: str
    api_url: str
    page_url: str | None
    wants_key: bool = False


def deploy(cloud: Cloud, options: argparse.Namespace, say: Say = print) -> Deployed:
    """Deploy the stage, step by step. Raises CloudError, ModelFilesError and botocore's errors."""
    options = kinds.keep(cloud, options, say)
    stage, plan = cloud.stage, plan_of(options)
    step = Steps(say, THEN).step
    with step("checks"):
        loaded = check(cloud, options)
    say(f"stage {stage.name} in {stage.region}, account {stage.account}, model {loaded.identity.id}")
    with step("endpoint", "a new SageMaker endpoint takes AWS some minutes"):
        endpoint, model, digest = host(cloud, options, loaded, say)
        if plan.kind != "lambda":
            hosting.ensure_scaling(cloud, endpoint, plan)
    with step("function and API", "Chalice builds the zip and uploads it"):
        settings = settings_of(cloud, options, say)
        function_role = allow_calls(cloud, endpoint, settings)
        reserved = options.reserved_concurrency
        api = function.deploy(cloud, endpoint, function_role, say, settings, reserved, plan.kind)
    api_url = options.api_url or api.url
    with step("test review", f"the API may need up to {API_SECONDS} s to answer"):
        if not options.no_api_check:
            say(check_api(api_url, loaded))
    with step("clean up"):
        retire(cloud, endpoint, say)
        leftovers.remove(cloud, endpoint, say)
        resources.retire_images(cloud, plan.image)
        resources.ensure_function_role(cloud, endpoint, settings=settings)
    with step("page"):
        beside_url = options.beside_api_url
        site = options.site
        page_url = None if site == "none" else page.deploy(cloud, site, api_url, say, beside_url)
        page.retire(cloud, site, say)
    budget.ensure(cloud, options.budget_email, options.budget_dollars)
    wants_key = auth.read_hashes(settings) is not None
    return Deployed(endpoint, model, digest, api_url, page_url, wants_key)


def host(
    cloud: Cloud, options: argparse.Namespace, loaded: inference.LoadedModel, say: Say = print
) -> tuple[str, str, str]:
    """Put the model behind an endpoint; return the endpoint's and model's names and the package's SHA-256."""
    plan = plan_of(options)
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    if plan.kind == "lambda":
        alias = endpoint_for(cloud, loaded.identity.vocabulary, plan.kind, say)
        version, digest = lambda_host.host(
            cloud, alias, plan.memory_mb, options.model, loaded, say, plan.concurrency
        )
        return alias, version, digest
    role = resources.ensure_endpoint_role(cloud)
    resources.allow_image(cloud, cloud.stage.endpoint_role, plan.image)
    url, digest = put_package(cloud, options.model, plan, say)
    model = hosting.ensure_model(cloud, plan, url, digest, role)
    config = hosting.ensure_config(cloud, plan, model)
    endpoint = endpoint_for(cloud, loaded.identity.vocabulary, plan.kind, say)
    hosting.put_in_service(cloud, endpoint, config, loaded, say)
    return endpoint, model, digest


def check(cloud: Cloud, options: argparse.Namespace) -> inference.LoadedModel:
    """Load the model, and refuse what would fail later, before anything is created.

    Raises CloudError, ModelFilesError or VocabularyError.
    """
    stage, plan = cloud.stage, plan_of(options)
    if stage.name not in function.stages():
        raise CloudError(
            f"chalice_app/.chalice/config.json has no stage {stage.name},"
            f" only {', '.join(function.stages())}; add it there, or use one of those"
        )
    _check_memory(plan)
    _check_concurrency(plan.kind, options.concurrency)
    if plan.instances < 1:
        raise CloudError(f"--instances must be 1 or more, got {plan.instances}")
    settings = function.settings(cloud, os.environ)
    resources.function_feedback(settings)
    try:
        auth.read_hashes(settings)
        compatible.read_protocols(settings)
    except (auth.AuthError, compatible.CompatibleError) as error:
        raise CloudError(str(error)) from error
    budget.check(options.budget_email, options.budget_dollars)
    if options.budget_email:
        budget.check_owned(cloud)
    if plan.kind == "lambda":
        lambda_host.describe(cloud)
        resources.check_roles(cloud, stage.model_role)
    else:
        hosting.check_image(cloud, plan.image)
        resources.check_roles(cloud)
    resources.check_bucket(cloud, stage.bucket)
    if options.site != "none":
        resources.check_bucket(cloud, stage.site_bucket)
    function.describe(cloud)
    return inference.model_fn(options.model)


def _check_memory(plan: Plan) -> None:
    least, most = lambda_host.LEAST_MEMORY_MB, lambda_host.MOST_MEMORY_MB
    if plan.kind == "lambda" and not least <= plan.memory_mb <= most:
        raise CloudError(f"--memory must be {least} to {most} MB, got {plan.memory_mb}")
    if plan.kind != "lambda" and plan.memory_mb not in hosting.MEMORIES_MB:
        sizes = ", ".join(map(str, hosting.MEMORIES_MB))
        raise CloudError(f"--memory must be one of {sizes} MB, got {plan.memory_mb}")


def _check_concurrency(kind: str, concurrency: int) -> None:
    if kind == "lambda" and concurrency < 1:
        raise CloudError(f"--concurrency must be 1 or more, got {concurrency}")
    if kind != "lambda" and not 1 <= concurrency <= hosting.MAX_CONCURRENCY:
        raise CloudError(f"--concurrency must be 1 to {hosting.MAX_CONCURRENCY}, got {concurrency}")


def put_package(cloud: Cloud, model: Path, plan: Plan, say: Say) -> tuple[str, str]:
    """Pack a model and upload the package to the stage's bucket; return its s3:// URL and SHA-256."""
    with tempfile.TemporaryDirectory() as folder:
        packed = package.build(model, Path(folder) / "model.tar.gz", (plan.image,))
        key = f"packages/{packed.sha256}/model.tar.gz"
        url = resources.upload(cloud, packed.path, key, packed.sha256)
    say(f"package: {packed.bytes / 1e6:.1f} MB in {url}")
    return url, packed.sha256


def endpoint_for(cloud: Cloud, vocabulary: str, kind: str, say: Say) -> str:
    """Return the endpoint to deploy to: the one in use, or the other where it can't be changed in place.

    Ids of one vocabulary mean nothing to a model of another. AWS can't turn every endpoint into one of the
    other kind, and accepts no update of a stuck one. In these cases the function changes from one endpoint
    to the other without a failed request.
    """
    first, second = cloud.stage.model_aliases if kind == "lambda" else cloud.stage.endpoints
    current = function.endpoint_in_use(cloud) or first
    if lambda_calls.is_alias(current) != (kind == "lambda"):
        say(f"{current} is of another kind, so this deploy creates {first} beside it")
        return first
    description = _settled(cloud, current, say)
    if not description or description["EndpointStatus"] in hosting.DEAD:
        return current
    if description["EndpointStatus"] == hosting.STUCK:
        difference = f"is {hosting.STUCK}"
    elif kind != "lambda" and hosting.kind_of(cloud, description) != kind:
        difference = "is of another kind"
    elif hosting.card_of(cloud, current)["vocabulary"] != vocabulary:
        difference = "has another vocabulary"
    else:
        return current
    other = second if current == first else first
    say(f"endpoint {current} {difference}, so this deploy creates {other} beside it")
    return other


def _settled(cloud: Cloud, endpoint: str, say: Say) -> dict[str, Any] | None:
    """Return the description of an endpoint that has stopped changing, or None.

    For an alias of the model's function it holds the status alone. Raises CloudError.
    """
    if lambda_calls.is_alias(endpoint):
        exists = lambda_host.describe(cloud) and lambda_host.version_of(cloud, endpoint)
        return {"EndpointStatus": "InService"} if exists else None
    description = hosting.describe(cloud, endpoint)
    if description:
        hosting.check_owned(cloud, description)
        description = hosting.wait(cloud, endpoint, say, fail=False)
    return description


def settings_of(cloud: Cloud, options: argparse.Namespace, say: Say) -> dict[str, str]:
    """Return the function's settings, and print which of them stay as they were deployed."""
    env = {**os.environ, "CORS_ORIGIN": options.cors_origin or ""}
    kept = function.kept_settings(cloud, env)
    if kept:
        say(f"function: {', '.join(kept)} as deployed before; {kept[0]}=none would take {kept[0]} away")
    return function.settings(cloud, env)


def allow_calls(cloud: Cloud, endpoint: str, settings: Mapping[str, str]) -> str:
    """Allow the function an endpoint, and the one that it still calls; return its role's ARN."""
    current = function.endpoint_in_use(cloud)
    if current in (None, endpoint):
        return resources.ensure_function_role(cloud, endpoint, settings=settings)
    role = resources.ensure_function_role(cloud, endpoint, str(current), settings=settings)
    time.sleep(resources.ROLE_SECONDS)
    return role


def retire(cloud: Cloud, endpoint: str, say: Say) -> None:
    """Delete the stage's other endpoint, once the function's last requests to it are answered."""
    for other in cloud.stage.endpoints:
        description = hosting.describe(cloud, other) if other != endpoint else None
        if description:
            hosting.check_owned(cloud, description)
            say(f"endpoint {other} gets no more requests; it is deleted in {LAST_REQUEST_SECONDS} s")
            time.sleep(LAST_REQUEST_SECONDS)
            hosting.remove_scaling(cloud, other)
            hosting.delete(cloud, other, say)
    lambda_host.retire(cloud, endpoint, LAST_REQUEST_SECONDS, say)


def check_api(url: str, loaded: inference.LoadedModel) -> str:
    """Send the API a test review, compare its answer with this machine's, and return a sentence on it.

    Raises CloudError.
    """
    expected = loaded.predict(hosting.REVIEWS[0])[1].probability
    body = json.dumps({"review": hosting.REVIEWS[0]}).encode()
    headers = {"Content-Type": "application/json", "X-Api-Key": os.environ.get("API_KEY", "")}
    request = urllib.request.Request(url.rstrip("/") + "/v1/sentiment", body, headers)
    deadline = time.monotonic() + API_SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:
                answer = json.load(response)
            model_id, probability = answer["model"]["id"], answer["probability"]
            close = abs(probability - expected) <= hosting.MAX_DIFFERENCE
            if model_id == loaded.identity.id and close:
                return f"API: {url} answered a test review correctly"
            fault = f"{model_id} answers {probability:.3f}, this machine {expected:.3f}"
        except urllib.error.HTTPError as error:
            if error.code == 401 and not os.environ.get("API_KEY"):
                return f"API: {url} wants a key, so no review was sent; API_KEY would send one"
            fault = f"{error.code} {error.read(500).decode(errors='replace')}"
        except (OSError, ValueError, KeyError) as error:
            fault = str(error)
        if time.monotonic() > deadline:
            raise CloudError(f"the API at {url} does not answer correctly: {fault}")
        time.sleep(API_POLL_SECONDS)


def outline(cloud: Cloud, options: argparse.Namespace) -> str:
    """Return a text of what a deploy would create, a line a part."""
    stage, plan = cloud.stage, plan_of(options)
    lines = [
        f"bucket    {stage.bucket}",
        *_outline_of_model(cloud, plan),
        f"function  {stage.function} and its API",
        f"page      {'not deployed' if options.site == 'none' else f'{stage.site_bucket}, {options.site}'}",
        f"logs      {stage.function_log}, {_log_of_model(cloud, plan)}, kept {gateway.LOG_DAYS} days",
    ]
    seen = inventory.look(cloud)
    lines.append(f"this stage has {len(seen.resources)} resources already; a deploy keeps or updates them")
    lines += seen.lines()
    return "\n".join(lines)


def _outline_of_model(cloud: Cloud, plan: Plan) -> list[str]:
    stage = cloud.stage
    if plan.kind == "lambda":
        return [
            f"roles     {stage.model_role}, {stage.function_role}",
            f"model     {stage.model_function}"
            f" (Lambda, {plan.memory_mb} MB, at most {plan.concurrency} at once)",
        ]
    capacity = (
        f"serverless, {plan.memory_mb} MB, at most {plan.concurrency} at once"
        if plan.kind == "serverless"
        else f"{plan.instances} to {plan.most_instances} x {plan.instance_type}"
    )
    return [
        f"roles     {stage.endpoint_role}, {stage.function_role}",
        f"endpoint  {stage.endpoint} ({capacity})",
        f"image     {images.uri(plan.image, stage.region)}",
    ]


def _log_of_model(cloud: Cloud, plan: Plan) -> str:
    return cloud.stage.model_log if plan.kind == "lambda" else cloud.stage.endpoint_log(cloud.stage.endpoint)


def main() -> None:
    options = parse()
    with clouds.exit_on_error("deploy"):
        cloud = clouds.open_stage(options.stage, options.region)
        options = kinds.keep(cloud, options)
        warn(options)
        try:
            if options.dry_run:
                check(cloud, options)
                print(outline(cloud, options))
            else:
                deployed = deploy(cloud, options)
                print(ending(deployed, options))
        except (inference.ModelFilesError, inference.VocabularyError, package.PackageError) as error:
            sys.exit(f"deploy: {error}")
        plan = plan_of(options)
        if plan.kind == "lambda" and not options.dry_run:
            plan = plan._replace(concurrency=lambda_host.limit_of(cloud))
        print(prices.format_table(prices.of_plan(plan, options.site)))
        print(prices.bound(plan))


def ending(deployed: Deployed, options: argparse.Namespace) -> str:
    """Return the end of a deploy's output: the addresses, and what to do next."""
    stage = "" if options.stage == clouds.STAGE else f" STAGE={options.stage}"
    body = json.dumps({"review": hosting.REVIEWS[2]})
    url = deployed.api_url.rstrip("/")
    # A placeholder: no key belongs in a terminal's output.
    key = "-H 'X-Api-Key: YOUR_KEY' " if deployed.wants_key else ""
    return "\n".join(
        [
            "",
            f"API     {deployed.api_url}",
            f"page    {deployed.page_url or 'not deployed'}",
            f"try     curl -H 'Content-Type: application/json' {key}-d '{body}' {url}/v1/sentiment",
            f"next    `make status{stage}` shows requests and cost, `make destroy{stage}` removes all of it",
            "",
        ]
    )


def warn(options: argparse.Namespace) -> None:
    """Print warnings about the chosen image, page and endpoint."""
    patches = images.warning(options.image, date.today())
    if patches and options.kind != "lambda":
        print(f"warning: {patches}; the default image, {images.SERVING[0]}, still gets patches")
    if options.site == "website":
        print("warning: an S3 website has no TLS: others on the network can read and change the page")
    if options.site == "cloudfront" and options.beside_api_url.startswith("http://"):
        print("warning: the page has TLS and the second API has none: browsers will not call that API")
    if options.kind == "realtime":
        hour = prices.instance_hour(options.instance_type)
        cost = f"about ${24 * 30 * hour * options.instances:.0f} a month" if hour else "by the hour"
        print(f"warning: a real-time endpoint costs {cost} until `make destroy`, even while idle")


if __name__ == "__main__":
    main()
