"""A look at an account that does not show everything."""

import sys
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from training.aws import cloud as clouds
from training.aws import destroy, inventory, status
from training.aws.cloud import Cloud, CloudError, Stage
from training.aws.inventory import Resource

WORDS = "User: me is not authorized to perform: {} because no identity-based policy allows it"


def denied(action: str) -> ClientError:
    error = {"Code": "AccessDeniedException", "Message": WORDS.format(action)}
    return ClientError({"Error": error}, action.split(":")[1])


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A stage with one model, in an account that hides two kinds."""
    models = [Resource("model", "verdict-dev-1")]

    def none(cloud: Cloud) -> Iterator[Resource]:
        yield from ()

    def found(cloud: Cloud) -> Iterator[Resource]:
        yield from list(models)

    def hidden(cloud: Cloud) -> Iterator[Resource]:
        raise denied("budgets:ViewBudget")
        yield

    def remove(cloud: Cloud, resource: Resource, say: object) -> None:
        models.remove(resource)

    kinds = {kind: (none, remove) for kind in inventory.KINDS}
    monkeypatch.setattr(inventory, "KINDS", kinds | {"model": (found, remove), "budget": (hidden, remove)})
    monkeypatch.setattr(destroy, "remove_local_records", lambda cloud: None)
    cloud = Cloud(Stage("dev", "123456789012", "eu-west-1"), None)
    monkeypatch.setattr(clouds, "open_stage", lambda *_: cloud)
    return cloud


def hide_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(cloud: Cloud) -> Iterator[Resource]:
        raise denied("sagemaker:ListEndpoints")
        yield

    monkeypatch.setitem(inventory.KINDS, "endpoint", (hidden, lambda *_: None))


def test_a_kind_that_aws_hides_does_not_hide_the_others(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_endpoints(monkeypatch)
    seen = inventory.look(cloud)
    assert [resource.name for resource in seen.resources] == ["verdict-dev-1"]
    assert seen.blind() == ["endpoint"]
    first, second = seen.lines()
    assert first.startswith("not looked at: endpoint (your AWS user lacks the right sagemaker:ListEndpoints")
    assert second.endswith("; a stage has one only after a deploy with --budget-email")


def test_another_error_is_not_taken_for_a_refusal(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(cloud: Cloud) -> Iterator[Resource]:
        raise ClientError({"Error": {"Code": "InternalFailure", "Message": "x"}}, "ListModels")
        yield

    monkeypatch.setitem(inventory.KINDS, "model", (broken, lambda *_: None))
    with pytest.raises(ClientError):
        inventory.look(cloud)


def test_hidden_budgets_stop_neither_status_nor_destroy(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["status.py"])
    status.main()
    printed = capsys.readouterr()
    assert "verdict-dev-1" in printed.out and "status: not looked at: budget" in printed.err
    monkeypatch.setattr(sys, "argv", ["destroy.py", "--yes"])
    destroy.main()
    assert "removed 1 resources and checked again" in capsys.readouterr().out


def test_what_may_be_left_behind_a_refusal_ends_destroy_with_an_error(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hide_endpoints(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["destroy.py", "--yes"])
    with pytest.raises(SystemExit, match="removed 1 resources, but something may be left.*"):
        destroy.main()
    with pytest.raises(CloudError, match="not looked at: endpoint"):
        destroy.destroy(cloud, lambda line: None)
    monkeypatch.setattr(sys, "argv", ["status.py"])
    with pytest.raises(SystemExit, match="this is not all"):
        status.main()
