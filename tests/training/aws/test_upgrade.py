"""An upgrade of a stage to another vocabulary: the function is asked all the while, and always answers."""

import base64
import hashlib
import io
import json
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.runtime import Runtime
from tests.support.stage import make, quiet
from training.aws import deploy, function, hosting, resources
from training.aws.cloud import Cloud
from training.endpoint import inference
from vocab import messages

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("chalice")]
# Before a fixture shortens it.
LAST_REQUEST_SECONDS = deploy.LAST_REQUEST_SECONDS

REVIEW = "The plot is thin. I loved the music!"
OLD = {"id": "verdict-old", "vocabulary": "b1041d6bee051825", "uncertain": [0.4, 0.6]}
# The message of a function before it sent the sentences' lengths.
OLD_MESSAGE: dict[str, Any] = {
    "vocabulary": OLD["vocabulary"],
    "reviews": [{"ids": [300, 301]}],
    "explain": True,
}
OLD_ANSWER = {"logit": 0.5, "probability": 0.622459, "bias": 0.0, "contributions": [0.25, 0.25]}
ASKED_AT_LEAST = 20


def old_endpoint(message: dict[str, Any]) -> dict[str, Any]:
    """Answer as the endpoint of before, which knows ids alone."""
    if message.get("describe"):
        return {"card": OLD}
    messages.check_vocabulary(message["vocabulary"], OLD_MESSAGE["vocabulary"])
    assert message == OLD_MESSAGE
    return {"model": OLD, "answers": [OLD_ANSWER]}


class Function:
    """The deployed function: its code, variables and rights are read from the account at each request."""

    def __init__(self, cloud: Cloud, zips: Path, model: inference.LoadedModel) -> None:
        self.cloud, self.zips, self.model = cloud, zips, model

    def ask(self) -> str:
        """Return the id of the model that answered a review. Fails as the function would."""
        functions = self.cloud.client("lambda")
        found = functions.get_function_configuration(FunctionName=self.cloud.stage.function)
        code = self.code(found["CodeSha256"])
        endpoint = found["Environment"]["Variables"]["ENDPOINT_NAME"]
        if str(function.ENDPOINT_FILE) in code.namelist():
            endpoint = json.loads(code.read(str(function.ENDPOINT_FILE)))["name"]
        role = self.cloud.stage.function_role
        rights = self.cloud.client("iam").get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"]
        allowed = rights["Statement"][0]["Resource"]
        assert self.cloud.stage.endpoint_arn(endpoint) in ([allowed] if type(allowed) is str else allowed)
        if "old.py" in code.namelist():
            answer = self.invoke(endpoint, json.dumps(OLD_MESSAGE).encode())
            assert json.loads(answer) == {"model": OLD, "answers": [OLD_ANSWER]}
            return str(OLD["id"])
        encoded = [self.model.vocabulary.encode(REVIEW)]
        request = messages.build_endpoint_request(encoded, self.model.vocabulary, "words")
        model, _ = messages.parse_endpoint_answer(self.invoke(endpoint, request), encoded, "words")
        messages.check_model_vocabulary(model, self.model.vocabulary.fingerprint)
        return model.id

    def invoke(self, endpoint: str, body: bytes) -> bytes:
        runtime = self.cloud.client("sagemaker-runtime")
        return bytes(runtime.invoke_endpoint(EndpointName=endpoint, Body=body)["Body"].read())

    def code(self, digest: str) -> zipfile.ZipFile:
        """Return the zip of this hash, as Lambda states it."""
        for path in self.zips.rglob("*.zip"):
            if base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode() == digest:
                return zipfile.ZipFile(path)
        raise AssertionError(f"no zip of {digest}")


class Caller(threading.Thread):
    """Send requests to the function again and again.

    ``answers`` holds the models' ids, ``moments`` when they came, ``failures`` what failed.
    """

    def __init__(self, asked: Function) -> None:
        super().__init__()
        self.asked = asked
        self.answers: list[str] = []
        self.moments: list[float] = []
        self.failures: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                self.answers.append(self.asked.ask())
                self.moments.append(time.monotonic())
            except Exception as error:  # any failure is a failed request
                self.failures.append(repr(error)[:300])


@pytest.fixture
def old_stage(cloud: Cloud, package: Path, runtime: Runtime, build_folder: Path) -> Function:
    """A stage as the version before deployed it: function, rights and endpoint."""
    make(cloud, package, "--site", "none")
    plan = deploy.plan_of(deploy.parse(["--memory", "2048"]))
    url = f"s3://{cloud.stage.bucket}/packages/old/model.tar.gz"
    runtime.others[url] = old_endpoint
    model = hosting.ensure_model(cloud, plan, url, "old", resources.ensure_endpoint_role(cloud))
    hosting.ensure_endpoint(cloud, "verdict-dev", hosting.ensure_config(cloud, plan, model), quiet)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as code:
        code.writestr("old.py", "")
    (build_folder / "old.zip").write_bytes(packed.getvalue())
    cloud.client("lambda").update_function_code(FunctionName="verdict-dev", ZipFile=packed.getvalue())
    return Function(cloud, build_folder, inference.model_fn(package))


def test_no_request_fails_while_a_stage_changes_to_another_vocabulary(
    cloud: Cloud, package: Path, old_stage: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert old_stage.ask() == OLD["id"]
    # A request that is on its way to the old endpoint takes this long at most.
    monkeypatch.setattr(deploy, "LAST_REQUEST_SECONDS", 2)
    delete, deleted = hosting.delete, []

    def delete_late(cloud: Cloud, endpoint: str, say: hosting.Say) -> None:
        deleted.append(time.monotonic())
        delete(cloud, endpoint, say)

    monkeypatch.setattr(hosting, "delete", delete_late)
    caller = Caller(old_stage)
    caller.start()
    try:
        made = make(cloud, package, "--site", "none")
        before = len(caller.answers)
        while len(caller.answers) < before + ASKED_AT_LEAST and not caller.failures:
            time.sleep(0.01)
    finally:
        caller.ended.set()
        caller.join()
    assert caller.failures == []
    new = inference.model_fn(package).identity.id
    assert made.endpoint == "verdict-dev-2"
    switch = caller.answers.index(new)
    assert set(caller.answers[:switch]) == {OLD["id"]} and set(caller.answers[switch:]) == {new}
    assert hosting.describe(cloud, "verdict-dev") is None
    assert deleted[0] - caller.moments[switch - 1] > 2


def test_the_last_requests_get_the_function_s_whole_time() -> None:
    config = json.loads((function.APP / ".chalice/config.json").read_text(encoding="utf-8"))
    assert LAST_REQUEST_SECONDS >= config["lambda_timeout"]
