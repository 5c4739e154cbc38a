"""Put another model behind the same endpoint without a pause, and go back if it fails.

    python -m training.aws.update_model --stage dev --model DIR

The command refuses a model of another vocabulary: it would misread the function's ids. Deploy again for
that; a deploy creates a second endpoint and switches to it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.aws import cloud as clouds
from training.aws import deploy, function, hosting, lambda_calls, lambda_host, package, resources
from training.aws.cloud import Cloud, CloudError
from training.aws.hosting import Say
from training.endpoint import inference


def update(cloud: Cloud, options: argparse.Namespace, say: Say = print) -> str:
    """Update the endpoint and return its new configuration's name. Raises CloudError after going back.

    A model in a function gets a new version, or an earlier one that has the same model.

    Memory or instances, image and autoscaling stay as they were deployed.
    """
    loaded, endpoint, description, serving = check(cloud, options, say)
    if lambda_calls.is_alias(endpoint):
        memory = int(description["MemorySize"])
        version, _ = lambda_host.host(cloud, endpoint, memory, options.model, loaded, say)
        same = serving["id"] == loaded.identity.id
        say(f"{endpoint}: {loaded.identity.id} {'serves already' if same else 'replaces ' + serving['id']}")
        return version
    plan = hosting.plan_of(cloud, description)
    role = resources.ensure_endpoint_role(cloud)
    resources.allow_image(cloud, cloud.stage.endpoint_role, plan.image)
    url, digest = deploy.put_package(cloud, options.model, plan, say)
    config = hosting.ensure_config(cloud, plan, hosting.ensure_model(cloud, plan, url, digest, role))
    if serving["id"] == loaded.identity.id and config == description["EndpointConfigName"]:
        say(f"endpoint {endpoint} serves {loaded.identity.id} already")
        return config
    hosting.put_in_service(cloud, endpoint, config, loaded, say)
    say(f"endpoint {endpoint}: {loaded.identity.id} replaces {serving['id']}")
    return config


def check(
    cloud: Cloud, options: argparse.Namespace, say: Say
) -> tuple[inference.LoadedModel, str, dict[str, Any], dict[str, Any]]:
    """Return the model here, the endpoint, SageMaker's description of it, and its model's card.

    Raises CloudError when the endpoint can't serve the model.
    """
    loaded = inference.model_fn(options.model)
    endpoint = function.endpoint_in_use(cloud) or cloud.stage.endpoint
    description = _describe(cloud, endpoint, say)
    serving = hosting.card_of(cloud, endpoint)
    if serving["vocabulary"] != loaded.identity.vocabulary:
        raise CloudError(
            f"the model in {options.model} has vocabulary {loaded.identity.vocabulary}, the endpoint and its"
            f" function have {serving['vocabulary']}; run `make deploy`, which replaces both"
        )
    return loaded, endpoint, description, serving


def _describe(cloud: Cloud, endpoint: str, say: Say) -> dict[str, Any]:
    """Return AWS's description of the endpoint or function, once it rests. Raises CloudError without one."""
    missing = CloudError(f"there is no endpoint {endpoint} in {cloud.stage.region}; run `make deploy` first")
    if lambda_calls.is_alias(endpoint):
        if not lambda_host.describe(cloud) or not lambda_host.version_of(cloud, endpoint):
            raise missing
        return lambda_host.configuration(cloud, endpoint)
    description = hosting.describe(cloud, endpoint)
    if description is None:
        raise missing
    hosting.check_owned(cloud, description)
    description = hosting.wait(cloud, endpoint, say, fail=False) or description
    if description["EndpointStatus"] == hosting.STUCK:
        raise CloudError(f"endpoint {endpoint} is {hosting.STUCK}: {hosting.STUCK_REMEDY}")
    return hosting.wait(cloud, endpoint, say) or description


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Put another model behind the deployed endpoint.")
    clouds.add_flags(parser)
    parser.add_argument(
        "--model",
        type=Path,
        default=Path(os.environ.get("MODEL") or inference.MODEL_FOLDER),
        help="model folder (default: MODEL, or training/endpoint/model)",
    )
    return parser.parse_args(arguments)


def main() -> None:
    options = parse()
    with clouds.exit_on_error("update-model"):
        cloud = clouds.open_stage(options.stage, options.region)
        try:
            if options.dry_run:
                loaded, endpoint, _, serving = check(cloud, options, print)
                print(f"{loaded.identity.id} would replace {serving['id']} behind endpoint {endpoint}")
                return
            update(cloud, options)
        except (inference.ModelFilesError, inference.VocabularyError, package.PackageError) as error:
            sys.exit(f"update-model: {error}")


if __name__ == "__main__":
    main()
