"""Put another model behind the same endpoint while it goes on answering, and take it back if it fails.

    python training/update_model.py --stage dev --model DIR

A model of another vocabulary is refused: the function would send it ids that mean nothing to it. For that,
deploy again; it makes a second endpoint and changes over.
"""

import argparse
import sys

import cloud as clouds
import deploy
import function
import hosting
import inference
import package
import resources
from cloud import Cloud, CloudError
from hosting import Say


def update(cloud: Cloud, options: argparse.Namespace, say: Say = print) -> str:
    """Update the endpoint and give its new configuration's name. Raises CloudError after going back."""
    verdict = inference.model_fn(options.model)
    endpoint = function.endpoint_asked(cloud) or cloud.stage.endpoint
    found = hosting.describe(cloud, endpoint)
    if found is None:
        raise CloudError(f"there is no endpoint {endpoint} in {cloud.stage.region}; run `make deploy` first")
    hosting.check_owned(cloud, found)
    found = hosting.wait(cloud, endpoint, say) or found
    serving = hosting.card_of(cloud, endpoint)
    if serving["vocabulary"] != verdict.model.vocabulary:
        raise CloudError(
            f"the model in {options.model} has vocabulary {verdict.model.vocabulary}, the endpoint and its"
            f" function have {serving['vocabulary']}; run `make deploy`, which changes both over"
        )
    before = found["EndpointConfigName"]
    plan = deploy.plan_of(options)
    role = resources.ensure_role(cloud)
    url, digest = deploy.put_package(cloud, options.model, plan, say)
    config = hosting.ensure_config(cloud, plan, hosting.ensure_model(cloud, plan, url, digest, role))
    if config == before:
        say(f"endpoint {endpoint} serves {verdict.model.id} already")
        return config
    # Autoscaling would fight an update that changes the number of instances.
    hosting.remove_scaling(cloud, endpoint)
    hosting.ensure_endpoint(cloud, endpoint, config, say)
    try:
        hosting.check_answers(cloud, endpoint, verdict)
    except CloudError as error:
        say(f"{error}; going back to {serving['id']}")
        hosting.ensure_endpoint(cloud, endpoint, before, say)
        raise CloudError(f"{error}; the endpoint serves {serving['id']} again") from error
    hosting.ensure_scaling(cloud, endpoint, plan)
    say(f"endpoint {endpoint}: {serving['id']} gave way to {verdict.model.id}")
    return config


def main() -> None:
    options = deploy.parse()
    with clouds.speaking("update-model"):
        cloud = clouds.open_stage(options.stage, options.region)
        try:
            if options.dry_run:
                verdict = inference.model_fn(options.model)
                print(f"{verdict.model.id} would be put behind endpoint {cloud.stage.endpoint}")
                return
            update(cloud, options)
        except (inference.ModelFilesError, inference.VocabularyError, package.PackageError) as error:
            sys.exit(f"update-model: {error}")


if __name__ == "__main__":
    main()
