"""Make a stage's function and API as `chalice deploy` does, in a few calls and without a zip.

A test that is not about Chalice puts ``make_api`` in its place: Chalice takes seconds of each deploy.
"""

import json
from pathlib import Path

from training.aws import function
from training.aws.cloud import Cloud

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def make_api(folder: Path, cloud: Cloud) -> str:
    """Make the function and the API of a stage, as Chalice does by the configuration in a folder."""
    text = (folder / ".chalice" / "config.json").read_text(encoding="utf-8")
    own = json.loads(text)["stages"][cloud.stage.name]
    name, variables = cloud.stage.function, {"Variables": own["environment_variables"]}
    lambda_, gateway = cloud.client("lambda"), cloud.client("apigateway")
    if function.describe(cloud):
        lambda_.update_function_configuration(FunctionName=name, Environment=variables)
    else:
        lambda_.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=own["iam_role_arn"],
            Handler="app.app",
            Code={"ZipFile": EMPTY_ZIP},
            Environment=variables,
            Tags=cloud.stage.tags,
        )
    if function.find_api(cloud) is None:
        api = gateway.create_rest_api(name=function.API_NAME)["id"]
        (root,) = gateway.get_resources(restApiId=api)["items"]
        method = {"restApiId": api, "resourceId": root["id"], "httpMethod": "GET"}
        gateway.put_method(**method, authorizationType="NONE")
        path = f"arn:aws:apigateway:{cloud.stage.region}:lambda:path/2015-03-31/functions"
        uri = f"{path}/{cloud.stage.function_arn}/invocations"
        gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
        gateway.create_deployment(restApiId=api, stageName="api")
    return ""
