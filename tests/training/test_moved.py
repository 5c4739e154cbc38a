"""moved.py: a former path names its new command, and nothing else is stopped."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import ROOT
from training.moved import MODULES, hint


@pytest.mark.parametrize("name", MODULES)
def test_a_former_script_names_a_module_that_exists_and_runs(name: str) -> None:
    assert not (ROOT / "training" / f"{name}.py").exists()
    module = f"training.{MODULES[name]}"
    assert hint(f"training/{name}.py") == f"training/{name}.py has moved; run: python -m {module}"
    found = importlib.util.find_spec(f"{module}.__main__" if _is_package(module) else module)
    assert found is not None and found.origin is not None
    assert 'if __name__ == "__main__":' in Path(found.origin).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "script", ["", "-m", "deploy.py", "other/deploy.py", "training/mine.py", "training/deploy"]
)
def test_any_other_script_is_left_alone(script: str) -> None:
    assert hint(script) is None


def test_python_stops_with_one_sentence_and_status_2(tmp_path: Path) -> None:
    # As verdict.pth does: before the script is looked for.
    (tmp_path / "sitecustomize.py").write_text("import training.moved\n", encoding="utf-8")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "training/deploy.py"], env=env, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == "training/deploy.py has moved; run: python -m training.aws.deploy\n"
    assert done.stdout == ""


def test_the_environments_import_it() -> None:
    assert "__import__('training.moved')" in (ROOT / "Makefile").read_text(encoding="utf-8")


def _is_package(module: str) -> bool:
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.submodule_search_locations is not None
