"""Put another model behind the same endpoint while it goes on answering, and take it back if it fails.

    python -m training.aws.update_model --stage dev --model DIR

A model of another vocabulary is refused: the function would send it ids that mean nothing to it. For that,
deploy again; it makes a second endpoint and changes over.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.aws import cloud as clouds
from training.aws import deploy, function, hosting, package, resources
from training.aws.cloud import Cloud, CloudError
from training.aws.hosting import Say
from training.endpoint import inference


def update(cloud: Cloud, options: argparse.Namespace, say: Say = print) -> str:
    """Update the endpoint and give its new configuration's name. Raises CloudError after going back.

    Everything but the model stays as it was deployed: memory or instances, image, autoscaling.
    """
    model, endpoint, found, serving = check(cloud, options, say)
    plan = hosting.plan_of(cloud, found)
    role = resources.ensure_endpoint_role(cloud)
    url, digest = deploy.put_package(cloud, options.model, plan, say)
    config = hosting.ensure_config(cloud, plan, hosting.ensure_model(cloud, plan, url, digest, role))
    if serving["id"] == model.identity.id and config == found["EndpointConfigName"]:
        say(f"endpoint {endpoint} serves {model.identity.id} already")
        return config
    hosting.put_in_service(cloud, endpoint, config, model, say)
    say(f"endpoint {endpoint}: {serving['id']} gave way to {model.identity.id}")
    return config


def check(
    cloud: Cloud, options: argparse.Namespace, say: Say
) -> tuple[inference.LoadedModel, str, dict[str, Any], dict[str, Any]]:
    """Give the model here, the endpoint, SageMaker's description of it, and the card that it serves.

    Raises CloudError when the model can't go behind that endpoint.
    """
    model = inference.model_fn(options.model)
    endpoint = function.endpoint_asked(cloud) or cloud.stage.endpoint
    found = hosting.describe(cloud, endpoint)
    if found is None:
        raise CloudError(f"there is no endpoint {endpoint} in {cloud.stage.region}; run `make deploy` first")
    hosting.check_owned(cloud, found)
    found = hosting.wait(cloud, endpoint, say) or found
    serving = hosting.card_of(cloud, endpoint)
    if serving["vocabulary"] != model.identity.vocabulary:
        raise CloudError(
            f"the model in {options.model} has vocabulary {model.identity.vocabulary}, the endpoint and its"
            f" function have {serving['vocabulary']}; run `make deploy`, which changes both over"
        )
    return model, endpoint, found, serving


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
    with clouds.speaking("update-model"):
        cloud = clouds.open_stage(options.stage, options.region)
        try:
            if options.dry_run:
                model, endpoint, _, serving = check(cloud, options, print)
                print(f"{model.identity.id} would follow {serving['id']} behind endpoint {endpoint}")
                return
            update(cloud, options)
        except (inference.ModelFilesError, inference.VocabularyError, package.PackageError) as error:
            sys.exit(f"update-model: {error}")


if __name__ == "__main__":
    main()
