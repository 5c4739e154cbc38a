"""container.py: what the image starts, and with which model."""

from pathlib import Path

import pytest

from launcher import container


def test_without_an_argument_it_starts_the_app_for_many_callers() -> None:
    assert container.program([]) == ("run.py", "--serve")


def test_serve_starts_sagemaker_s_endpoint() -> None:
    assert container.program(["serve"]) == ("-m", "training.endpoint.container")


@pytest.mark.parametrize("arguments", [["train"], ["serve", "now"]], ids=str)
def test_other_arguments_are_refused_in_one_sentence(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        container.program(arguments)
    assert ended.value.code == (
        "verdict: the image takes no argument, or `serve` for SageMaker's endpoint,"
        f" got '{' '.join(arguments)}'"
    )


def test_a_mounted_model_is_taken(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}", encoding="utf-8")
    assert container.environment({"PATH": "/bin"}, tmp_path) == {"PATH": "/bin", "MODEL": str(tmp_path)}


def test_an_empty_or_missing_folder_leaves_the_image_s_own_model(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        assert container.environment({"PATH": "/bin"}, folder) == {"PATH": "/bin"}


def test_a_model_that_the_caller_names_comes_before_a_mounted_one(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}", encoding="utf-8")
    assert container.environment({"MODEL": "mine"}, tmp_path)["MODEL"] == "mine"


def test_a_mounted_folder_that_can_not_be_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(SystemExit, match=r"can't be read \(Permission denied\); let user \d+ read it"):
        container.environment({}, tmp_path)
