"""A moto server with the calls that a deploy needs and moto 5.2.5 lacks; each function below adds one.

    python -m tests.support.moto_shim -H 127.0.0.1 -p 5055

The shim changes moto's internals, so requirements-dev.txt pins moto.
"""

import json
import sys
import time
from typing import Any
from urllib.parse import unquote

from moto.apigateway import urls
from moto.apigateway.models import APIGatewayBackend
from moto.apigateway.responses import APIGatewayResponse
from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.awslambda.models import LambdaStorage
from moto.awslambda.responses import LambdaResponse
from moto.budgets.responses import BudgetsResponse
from moto.cloudfront.models import Origin
from moto.core.responses import ActionResult, EmptyResult
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.responses import IamResponse
from moto.s3.exceptions import PreconditionFailed
from moto.s3.responses import S3Response
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from tests.support import moto_iam
from tests.support.aws_faults import Faulty

CODE_SECONDS = 0.5


def accept_swagger() -> None:
    """Accept Chalice's documents: Swagger 2.0, without a description, with mock integrations.

    moto accepts only OpenAPI 3, and it requires a description and an integration's type in capitals. It
    also requires a URI and a method where there is nothing to call.
    """
    put, imported = APIGatewayBackend.put_rest_api, APIGatewayBackend.import_rest_api
    arguments = APIGatewayBackend._build_integration_args

    def translated(document: dict[str, Any]) -> dict[str, Any]:
        result = {**document, "info": {"description": "", **document["info"]}}
        if result.pop("swagger", None):
            result["openapi"] = "3.0.1"
        return result

    def put_rest_api(self: Any, function_id: str, api_doc: dict, fail_on_warnings: bool, mode="merge"):
        return put(self, function_id, translated(api_doc), fail_on_warnings, mode=mode)

    def import_rest_api(self: Any, api_doc: dict, fail_on_warnings: bool):
        return imported(self, translated(api_doc), fail_on_warnings)

    def build_integration_args(self: Any, integration: dict[str, Any]) -> dict[str, Any]:
        values = arguments(self, integration)
        return values | {
            "integration_type": (values["integration_type"] or "").upper(),
            "uri": values["uri"] or "",
            "integration_method": values["integration_method"] or "",
        }

    APIGatewayBackend.put_rest_api = put_rest_api
    APIGatewayBackend.import_rest_api = import_rest_api
    APIGatewayBackend._build_integration_args = build_integration_args


def tag_apis() -> None:
    """Add TagResource, UntagResource and GetTags for APIs; moto tags an API only at its creation."""

    def tags_of(self: Any) -> dict[str, str]:
        return self.backend.get_rest_api(unquote(self.path).rsplit("/restapis/", 1)[1]).tags

    def tag_resource(self: Any) -> tuple[int, dict, str]:
        tags_of(self).update(json.loads(self.body)["tags"])
        return 204, {}, ""

    def untag_resource(self: Any) -> tuple[int, dict, str]:
        for key in self.querystring["tagKeys"]:
            tags_of(self).pop(key, None)
        return 204, {}, ""

    def get_tags(self: Any) -> str:
        return json.dumps({"tags": tags_of(self)})

    for function in (tag_resource, untag_resource, get_tags):
        setattr(APIGatewayResponse, function.__name__, function)
    urls.url_paths["{0}/tags/(?P<resource_arn>.+)$"] = APIGatewayResponse.dispatch


def keep_access_controls() -> None:
    """Store the access control of a distribution's origin; moto drops it."""
    original = Origin.__init__

    def init(self: Any, origin: dict[str, Any]) -> None:
        original(self, origin)
        self.origin_access_control_id = origin.get("OriginAccessControlId", "")

    Origin.__init__ = init  # type: ignore[method-assign]


def tag_budgets() -> None:
    """Store a budget's tags and list them; moto drops them."""
    create = BudgetsResponse.create_budget

    def create_budget(self: Any) -> Any:
        answer = create(self)
        request = json.loads(self.body)
        budget = self.backend.budgets[request["AccountId"]][request["Budget"]["BudgetName"]]
        budget.resource_tags = request.get("ResourceTags", [])
        return answer

    def list_tags_for_resource(self: Any) -> str:
        account, name = json.loads(self.body)["ResourceARN"].split(":")[4:6]
        budget = self.backend.budgets[account][name.removeprefix("budget/")]
        return json.dumps({"ResourceTags": getattr(budget, "resource_tags", [])})

    BudgetsResponse.create_budget = create_budget
    BudgetsResponse.list_tags_for_resource = list_tags_for_resource


def tag_lifecycles() -> None:
    """Store the tags of a notebook's lifecycle configuration, for ListTags; moto drops them."""
    respond = SageMakerResponse.create_notebook_instance_lifecycle_config
    find = SageMakerModelBackend._get_resource_from_arn

    def create(self: Any) -> Any:
        answer = respond(self)
        name = self._get_param("NotebookInstanceLifecycleConfigName")
        config = self.sagemaker_backend.notebook_instance_lifecycle_configurations[name]
        config.tags = self._get_param("Tags") or []
        return answer

    def find_lifecycles_too(self: Any, arn: str) -> Any:
        kind, name = arn.split(":")[-1].split("/")
        if kind == "notebook-instance-lifecycle-config":
            return self.notebook_instance_lifecycle_configurations[name]
        return find(self, arn)

    SageMakerResponse.create_notebook_instance_lifecycle_config = create
    SageMakerModelBackend._get_resource_from_arn = find_lifecycles_too


def allow_every_simulated_action() -> None:
    """Answer iam:SimulatePrincipalPolicy, which the SageMaker SDK calls before a job: allow everything."""

    def simulate_principal_policy(self: Any) -> ActionResult:
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": "*",
                "EvalDecision": "allowed",
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action in self._get_param("ActionNames", []) or []
        ]
        return ActionResult({"IsTruncated": False, "EvaluationResults": results})

    IamResponse.simulate_principal_policy = simulate_principal_policy


def leave_out_empty_structures() -> None:
    """Remove empty values from SageMaker's descriptions, as AWS does; the SDK's models refuse them."""

    def pruned(value: Any) -> Any:
        if isinstance(value, dict):
            parts = {key: pruned(part) for key, part in value.items()}
            return {key: part for key, part in parts.items() if part is not None and part != {}}
        return [pruned(part) for part in value] if isinstance(value, list) else value

    for name in ("describe_model", "describe_endpoint", "describe_endpoint_config"):
        original = getattr(SageMakerResponse, name)

        def described(self: Any, original: Any = original) -> ActionResult:
            return ActionResult(pruned(dict(original(self).result)))

        setattr(SageMakerResponse, name, described)


def update_endpoints() -> None:
    """Add UpdateEndpoint and StopTransformJob, which moto lacks."""

    def update_endpoint(self: Any) -> ActionResult:
        backend: SageMakerModelBackend = self.sagemaker_backend
        name, config = self._get_param("EndpointName"), self._get_param("EndpointConfigName")
        backend.describe_endpoint(name)
        endpoint = backend.endpoints[name]
        tags = list(endpoint.tags)
        updated = backend.create_endpoint(name, config, tags)
        updated.creation_time = endpoint.creation_time
        return ActionResult(updated.response_create)

    def stop_transform_job(self: Any) -> EmptyResult:
        self.sagemaker_backend.transform_jobs[
            self._get_param("TransformJobName")
        ].transform_job_status = "Stopped"
        return EmptyResult()

    SageMakerResponse.update_endpoint = update_endpoint
    SageMakerResponse.stop_transform_job = stop_transform_job


def tag_scalable_targets() -> None:
    """Add TagResource for autoscaling, and refuse tags of a target that exists already, as AWS does."""
    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_scalable_target(self: Any) -> str:
        names = (self._get_param("ResourceId"), self._get_param("ScalableDimension"))
        if self._get_param("Tags") and self.applicationautoscaling_backend._scalable_target_exists(*names):
            raise AWSValidationException(
                "The scalable target that you tried to tag already exists. To update tags on an existing"
                " scalable target, use the TagResource API."
            )
        return str(register(self))

    def tag_resource(self: Any) -> str:
        targets = self.applicationautoscaling_backend.targets.values()
        for target in (target for by_id in targets for target in by_id.values()):
            if target.arn == self._get_param("ResourceARN"):
                target.tags = self._get_param("Tags")
        return "{}"

    def list_tags_for_resource(self: Any) -> str:
        targets = self.applicationautoscaling_backend.targets.values()
        found = (target for by_id in targets for target in by_id.values())
        tags = [getattr(one, "tags", {}) for one in found if one.arn == self._get_param("ResourceARN")]
        return json.dumps({"Tags": tags[0]})

    ApplicationAutoScalingResponse.register_scalable_target = register_scalable_target
    ApplicationAutoScalingResponse.tag_resource = tag_resource
    ApplicationAutoScalingResponse.list_tags_for_resource = list_tags_for_resource


def take_plain_http_for_tls() -> None:
    """Ignore a statement that refuses plain HTTP: moto assumes that its condition holds, and refuses all."""
    original = IAMPolicyStatement.is_action_permitted

    def is_action_permitted(self: Any, *args: Any, **kwargs: Any) -> PermissionResult:
        if self._statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}:
            return PermissionResult.NEUTRAL
        return original(self, *args, **kwargs)

    IAMPolicyStatement.is_action_permitted = is_action_permitted


def keep_training_jobs() -> None:
    """Keep a training job running until a test ends it, and store all its arguments.

    moto completes a job at once, drops its environment, and replaces its metrics with its own. A test ends a
    job by the tag ``simulated:end``: a status, or "Failed: reason".
    """
    create, describe = SageMakerResponse.create_training_job, SageMakerResponse.describe_training_job

    def create_training_job(self: Any) -> ActionResult:
        metrics = list(self._get_param("AlgorithmSpecification").get("MetricDefinitions") or [])
        answer = create(self)
        job = self.sagemaker_backend.training_jobs[self._get_param("TrainingJobName")]
        job.environment = self._get_param("Environment") or {}
        job.algorithm_specification["MetricDefinitions"] = metrics
        job.training_job_status, job.secondary_status = "InProgress", "Training"
        return answer

    def describe_training_job(self: Any) -> ActionResult:
        job = self.sagemaker_backend.training_jobs.get(self._get_param("TrainingJobName"))
        for tag in job.tags if job else ():
            if tag["Key"] == "simulated:end":
                status, _, job.failure_reason = tag["Value"].partition(": ")
                job.training_job_status = job.secondary_status = status
        return describe(self)

    def stop_training_job(self: Any) -> EmptyResult:
        job = self.sagemaker_backend.training_jobs[self._get_param("TrainingJobName")]
        job.training_job_status = job.secondary_status = "Stopped"
        return EmptyResult()

    def delete_training_job(self: Any) -> EmptyResult:
        jobs, name = self.sagemaker_backend.training_jobs, self._get_param("TrainingJobName")
        if jobs[name].training_job_status in ("InProgress", "Stopping"):
            raise ValidationError(message=f"Training job {name} is in progress and can't be deleted.")
        del jobs[name]
        return EmptyResult()

    SageMakerResponse.delete_training_job = delete_training_job
    SageMakerResponse.create_training_job = create_training_job
    SageMakerResponse.describe_training_job = describe_training_job
    SageMakerResponse.stop_training_job = stop_training_job


def change_notebooks() -> None:
    """Add calls for notebook instances that moto lacks: update them and their scripts, return their URL."""

    def update_notebook_instance(self: Any) -> EmptyResult:
        notebook = self.sagemaker_backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
        if notebook.status != "Stopped":
            raise ValidationError(message=f"Status ({notebook.status}) not in ([Stopped, Failed]).")
        notebook.instance_type = self._get_param("InstanceType")
        return EmptyResult()

    def update_notebook_instance_lifecycle_config(self: Any) -> EmptyResult:
        name = self._get_param("NotebookInstanceLifecycleConfigName")
        config = self.sagemaker_backend.notebook_instance_lifecycle_configurations[name]
        config.on_create, config.on_start = self._get_param("OnCreate"), self._get_param("OnStart")
        return EmptyResult()

    def create_presigned_notebook_instance_url(self: Any) -> ActionResult:
        notebook = self.sagemaker_backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
        return ActionResult({"AuthorizedUrl": f"https://{notebook.url}?authToken=simulated"})

    SageMakerResponse.update_notebook_instance = update_notebook_instance
    SageMakerResponse.update_notebook_instance_lifecycle_config = update_notebook_instance_lifecycle_config
    SageMakerResponse.create_presigned_notebook_instance_url = create_presigned_notebook_instance_url


def update_code_slowly() -> None:
    """Delay a function's new code by a moment, as AWS does; its new variables come in a later call."""
    update = LambdaResponse.update_function_code

    def update_function_code(self: Any) -> Any:
        answer = update(self)
        time.sleep(CODE_SECONDS)
        return answer

    LambdaResponse.update_function_code = update_function_code


def number_versions_for_ever() -> None:
    """Number each version of a function by itself; moto counts those that are left."""
    publish = LambdaStorage.publish_version

    def publish_version(self: Any, name_or_arn: str, description: str = "") -> Any:
        entry = self._functions.get(name_or_arn, {"versions": []})
        left = entry["versions"]
        deleted = int(left[-1].version) - len(left) if left else 0
        left[:0] = [None] * deleted
        try:
            return publish(self, name_or_arn, description)
        finally:
            del entry["versions"][:deleted]

    LambdaStorage.publish_version = publish_version  # type: ignore[method-assign]


def tell_of_missing_objects() -> None:
    """Read `If-Match: *` of a deletion as the condition that there is an object, as S3 does."""
    delete = S3Response.delete_object

    def delete_object(self: Any) -> Any:
        if self.headers.get("If-Match") == "*":
            if not self.backend.get_object(self.bucket_name, self.parse_key_name()):
                raise PreconditionFailed("If-Match")
            self.headers = {name: value for name, value in self.headers.items() if name != "If-Match"}
        return delete(self)

    S3Response.delete_object = delete_object


accept_swagger()
tell_of_missing_objects()
tag_apis()
tag_budgets()
tag_lifecycles()
tag_scalable_targets()
keep_access_controls()
take_plain_http_for_tls()
allow_every_simulated_action()
leave_out_empty_structures()
update_endpoints()
keep_training_jobs()
change_notebooks()
update_code_slowly()
number_versions_for_ever()
moto_iam.enforce()

if __name__ == "__main__":
    from moto import server

    dispatcher = server.DomainDispatcherApplication
    server.DomainDispatcherApplication = lambda create: Faulty(dispatcher(create))  # type: ignore
    server.main(sys.argv[1:])
