"""The generated reference: it reads the Makefile and the code, and notices when the page is stale."""

import ast
import doctest
from pathlib import Path

import pytest

from tests.support import prose
from tools import reference


def test_the_examples_of_the_docstrings_hold() -> None:
    for module in (reference, prose):
        found = doctest.testmod(module)
        assert found.attempted and not found.failed


def test_targets_stand_in_their_groups() -> None:
    makefile = "### Use\n\nrun: x ## start it\n\nhidden: y\n\n### Build\n\ntrain-best: ## train\n"
    assert reference.targets(makefile) == {"Use": {"run": "start it"}, "Build": {"train-best": "train"}}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('os.environ.get("A_B") or "dev"', ("A_B", "dev")),
        ('os.environ["A_B"]', ("A_B", None)),
        ("env.get(NAME) or PORT", ("A_B", "8000")),
        ('os.environ.get("A_B", "x")', ("A_B", None)),
        ('environ.get("A_B") or None', ("A_B", None)),
    ],
)
def test_a_variable_is_read_with_its_default(code: str, found: tuple[str, str | None]) -> None:
    tree = ast.parse(f'NAME, PORT = "A_B", 8000\nvalue = {code}\n')
    assert list(reference._read_variables(tree)) == [found]


def test_other_mappings_are_no_environment() -> None:
    assert list(reference._read_variables(ast.parse('card.get("A_B"), env.get("lower"), row["A_B"]'))) == []


def test_a_variable_of_two_defaults_is_named() -> None:
    uses = {"A_B": [reference.Use("a.py", "1"), reference.Use("b.py", "2")]}
    with pytest.raises(ValueError, match=r"A_B has the defaults \['1', '2'\]"):
        reference._default("A_B", uses)


def test_commands_are_modules_that_a_person_runs() -> None:
    commands = reference.commands()
    assert "training.aws.deploy" in commands and "tools.reference" in commands
    assert not reference.STARTED & set(commands)
    assert all(commands.values())


def test_a_stale_page_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "PAGE", tmp_path / "reference.md")
    with pytest.raises(SystemExit, match="docs/reference.md is stale; run python -m tools.reference"):
        reference.main(["--check"])
    reference.main([])
    reference.main(["--check"])


def test_a_long_sentence_is_seen_wherever_it_stands() -> None:
    long = " ".join(["word"] * 26)
    for page in (f"{long}.", f"- {long}", f"Short. {long}; more", f"See [{long}](x.md)."):
        assert max(map(prose.words, prose.sentences(page))) >= 26, page
    for page in (f"```sh\n{long}\n```", f"| {long} |", f"<!-- a -->\n{long}\n<!-- /a -->", f"# {long}"):
        assert not list(prose.sentences(page)), page
