"""Commands are named as they are typed: by make, or by `verdict`."""

import pytest

from vocab import typed


def test_without_make_the_module_and_the_installed_command_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERDICT_TYPED", raising=False)
    assert typed.command("training.adapt.adapt") == "python -m training.adapt.adapt"
    assert typed.choose("make run", "verdict serve") == "verdict serve"
    assert typed.flag("--force") == "--force"
    assert typed.out() == "--out"


def test_by_make_its_targets_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_TYPED", "make adapt")
    assert typed.command("training.adapt.adapt") == "make adapt"
    assert typed.choose("make run", "verdict serve") == "make run"
    assert typed.flag("--force") == "FLAGS=--force"
    assert typed.out() == "--out"
    monkeypatch.setenv("VERDICT_TYPED", "make report")
    assert (typed.out(), typed.out("-o")) == ("OUT", "-o")
