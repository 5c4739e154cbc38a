"""README and docs keep to the code: routes, variables, commands, numbers, links and plain sentences."""

import ast
import json
import re
import shlex
import subprocess
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib import problems
from tests.support.prose import sentences, words
from tests.support.stack import Stack
from tools import fill_docs, reference
from training.moved import MODULES
from verdict_sentiment import cli
from vocab.exit_status import MEANINGS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = reference.PAGE.read_text(encoding="utf-8")
# Pages of plain sentences; the model's card is data, and the reference holds lines of the code.
WRITTEN = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "client/README.md",
    "docs/adapt.md",
    "docs/api.md",
    "docs/architecture.md",
    "docs/cli.md",
    "docs/deploy.md",
    "docs/design-page.md",
    "docs/evaluation.md",
    "docs/frames.md",
    "docs/performance.md",
    "docs/report.md",
    "docs/shadow.md",
    "docs/scaling.md",
    "docs/security.md",
    "docs/torture.md",
    "training/evaluation/cases/aspects/README.md",
    "training/evaluation/cases/behaviour/README.md",
    "training/evaluation/cases/languages/README.md",
    "training/evaluation/cases/opinion/README.md",
    "training/recipe/lessons/README.md",
]
PAGES = [*WRITTEN, "docs/model-card.md", "docs/reference.md"]
# Pages about the present; the changelog names former commands and paths too.
PRESENT = [name for name in PAGES if name != "CHANGELOG.md"]
MOST_WORDS = 25
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)(?=[\s`.,;:)]|$)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """Return the text under a heading, up to the next one of the same rank."""
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text_of(page), re.DOTALL | re.MULTILINE)
    assert match, f"{page} has no section {title!r}"
    return match[1]


def first_column(text: str) -> set[str]:
    """Return the code spans in the first column of a table."""
    cells = re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def code_of(page: str) -> Iterator[str]:
    """Yield a page's lines in code blocks, and its code spans, without the map's table of former commands."""
    text = text_of(page).split("## Former make commands")[0]
    for block in re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.replace("\\\n", " ").splitlines()
    yield from (span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", _without_blocks(text)))


def _without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE))


# --- the whole of each page ---------------------------------------------------------------------


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200


def test_each_page_is_listed_here_and_in_readme() -> None:
    docs = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")}
    assert docs <= set(PAGES)
    assert docs <= set(re.findall(r"\]\((docs/[a-z-]+\.md)\)", README))


@pytest.mark.parametrize("page", WRITTEN)
def test_a_sentence_has_at_most_25_words(page: str) -> None:
    long = [sentence for sentence in sentences(text_of(page)) if words(sentence) > MOST_WORDS]
    assert not long


@pytest.mark.parametrize("page", PAGES)
def test_nothing_waits_to_be_filled_in(page: str) -> None:
    assert not re.findall(r"@[A-Z_]+@|TODO|XXX", text_of(page))


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", _without_blocks(text_of(page))):
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", _without_blocks(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# --- commands -----------------------------------------------------------------------------------


def test_the_make_targets_are_the_makefile_s() -> None:
    listed = first_column(section("docs/reference.md", "make"))
    assert {name.removeprefix("make ") for name in listed} == make_targets()


@pytest.mark.parametrize("page", PRESENT)
def test_a_make_command_that_a_page_names_exists(page: str) -> None:
    named = {name for code in code_of(page) for name in MAKE.findall(code)}
    assert named <= make_targets() | {"help"}


@pytest.mark.parametrize("page", PRESENT)
def test_a_module_that_a_page_runs_exists_and_knows_the_flags(page: str) -> None:
    flags = {
        flag
        for path in reference.sources()
        for flag in re.findall(r'"(--[a-z-]+|-[a-z])"', path.read_text("utf-8"))
    }
    for code in code_of(page):
        match = re.search(r"python3? -m ([a-z_.]+)(.*)", code.split("#")[0])
        if match and match[1] not in ("venv", "pip"):
            path = ROOT / match[1].replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), code
            assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", match[2])) <= flags, code


@pytest.mark.parametrize("page", PRESENT)
def test_a_command_of_verdict_that_a_page_names_exists(page: str) -> None:
    for code in code_of(page):
        match = re.match(r"verdict ([a-z]+)(?:\s|$)", code)
        assert not match or match[1] in cli.COMMANDS, code


def test_every_command_of_verdict_is_explained() -> None:
    listed = first_column(text_of("docs/cli.md"))
    assert {f"verdict {name}" for name in cli.COMMANDS} <= listed


def test_the_exit_statuses_are_the_commands_own() -> None:
    listed = re.findall(r"^\| (\d+) \| (.*) \|$", section("docs/cli.md", "Exit statuses"), re.MULTILINE)
    assert {int(number): meaning for number, meaning in listed} == MEANINGS


def test_a_folder_that_a_page_activates_is_an_environment_of_make() -> None:
    known = set(re.findall(r"\.venv/([a-z]+)", text_of("Makefile")))
    for page in PRESENT:
        for name in re.findall(r"\.venv/([a-z]+)", text_of(page)):
            assert name in known, (page, name)


# --- variables ----------------------------------------------------------------------------------


def test_the_reference_is_the_code_s() -> None:
    assert reference.page() == REFERENCE, "run python -m tools.reference"


def test_the_variables_are_those_that_the_code_reads() -> None:
    read = set(reference.uses())
    pattern = re.compile(
        r"""environ(?:\.get\(|\[)\s*["']([A-Z][A-Z0-9_]+)["']|getenv\(\s*["']([A-Z][A-Z0-9_]+)["']"""
    )
    for path in [*tracked("*.py", ":!tests/*"), ROOT / "tests/conftest.py"]:
        for groups in pattern.findall(path.read_text(encoding="utf-8")):
            read |= set(filter(None, groups))
    listed = first_column(section("docs/reference.md", "Variables"))
    assert listed == {name for group in reference.VARIABLES.values() for name in group}
    assert read - reference.INTERNAL <= listed
    for name in listed - read:
        used = [path for path in tracked("Makefile", "*.py", ".ci/run") if name in path.read_text("utf-8")]
        assert used, f"nothing reads {name}"


def test_a_variable_of_our_own_processes_is_still_read() -> None:
    assert reference.INTERNAL <= set(reference.uses())


@pytest.mark.parametrize("page", PRESENT)
def test_a_variable_that_a_page_sets_is_in_the_reference(page: str) -> None:
    listed = first_column(section("docs/reference.md", "Variables"))
    for code in code_of(page):
        for name in re.findall(r"(?<![\w-])([A-Z][A-Z_]+)=", code):
            assert name in listed, code


# --- the API ------------------------------------------------------------------------------------


def test_the_routes_are_the_app_s() -> None:
    import app

    served = {
        f"{method} {path}"
        for path in app.app.routes
        for method in app.allowed_methods(path)
        if method not in ("HEAD", "OPTIONS")
    }
    assert first_column(section("docs/api.md", "Routes")) == served


def test_the_codes_are_the_app_s() -> None:
    codes = set(re.findall(r"`([a-z0-9_]+)`", "".join(_second_column(section("docs/api.md", "Errors")))))
    assert codes
    assert codes <= set(problems.TITLES)
    # The endpoint's own failures stand in the OpenAPI document.
    left = set(problems.TITLES) - codes
    assert all("endpoint" in code or code.startswith(("app_", "vocabulary_", "forbidden")) for code in left)


def _second_column(text: str) -> list[str]:
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    return [row[2] for row in rows[1:]]


# Those to other protocols are sent by tests/chalice_app/compatible/test_compatible_docs.py.
CURLS = [
    (page, line)
    for page in ("README.md", "docs/api.md")
    for line in code_of(page)
    if line.lstrip("$ ").startswith("curl ") and "/predict" not in line
]


@pytest.mark.parametrize(("page", "command"), CURLS)
def test_a_curl_is_answered(page: str, command: str, stack: Stack) -> None:
    """Each command's request, sent to the running app."""
    parts = shlex.split(command.lstrip("$ "))
    after = list(zip(parts, parts[1:], strict=False))
    headers = dict(value.split(": ") for flag, value in after if flag == "-H")
    body = next(value for flag, value in after if flag in ("-d", "--data-binary"))
    data = "id,review\n1,I loved it!\n" if body.startswith("@") else body
    url = next(part for part in parts if part.startswith("http")).replace("http://127.0.0.1:8000", stack.api)
    with urllib.request.urlopen(urllib.request.Request(url, data.encode(), headers)) as response:
        answer = json.load(response)
    assert answer["request_id"]
    assert response.status == 200


def test_the_answer_in_readme_is_the_app_s(stack: Stack) -> None:
    printed = json.loads(re.search(r"^\{$.*?^\}$", README, re.DOTALL | re.MULTILINE)[0])  # type: ignore[index]
    data = json.dumps({"review": fill_docs.REVIEW}).encode()
    request = urllib.request.Request(f"{stack.api}/v1/sentiment", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    assert answer.keys() == printed.keys()
    # Int8 products differ a little by processor.
    assert answer["probability"] == pytest.approx(printed["probability"], abs=0.01)
    for key in ("sentiment", "reason", "warnings", "text", "bias", "model"):
        assert answer[key] == printed[key]
    for sentence, shown in zip(answer["sentences"], printed["sentences"], strict=True):
        assert sentence == pytest.approx(shown, abs=0.05)


# --- generated blocks ---------------------------------------------------------------------------


def test_the_curl_says_what_it_answers() -> None:
    """The command in README, with its own JSON body, belongs to the answer below it."""
    body = re.search(r"-d '(\{.*?\})'", README)
    assert body
    assert json.loads(body[1]) == {"review": fill_docs.REVIEW}
    assert fill_docs.REVIEW == json.loads(re.search(r'"text": (".*")', README)[1])  # type: ignore[index]


# --- the map ------------------------------------------------------------------------------------


def test_each_path_of_the_map_exists() -> None:
    named = re.findall(
        r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|toml|md))`",
        text_of("docs/architecture.md").split("## Former make commands")[0],
    )
    parents = (ROOT, ROOT / "chalice_app", ROOT / "static_site")  # as the map's tables name their parts
    assert [name for name in named if not any((parent / name).exists() for parent in parents)] == []


def test_the_map_has_rows_enough() -> None:
    assert len(_rows(section("docs/architecture.md", "Where do I change"))) >= 25


def test_each_name_of_the_map_is_in_its_file() -> None:
    """A row's second cell names a file, and perhaps constants and functions in it."""
    missing = []
    for row in _rows(section("docs/architecture.md", "Where do I change")):
        paths = re.findall(r"`([\w./-]+\.(?:py|js|css|json|toml|html))`", row[1])
        text = "".join(text_of(path) for path in paths)
        names = re.findall(r"`([A-Za-z_]\w+)`", row[1])
        missing += [(row[0], name) for name in names if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_the_floors_are_those_that_import_linter_holds() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    held = {
        name.strip(): len(layers) - index for index, layer in enumerate(layers) for name in layer.split("|")
    }
    rows = _rows(section("docs/architecture.md", "Floors"))
    drawn = {
        row[1].strip("`/").replace("chalice_app/chalicelib", "chalicelib").replace("/", "."): int(row[0])
        for row in rows
    }
    assert drawn == held


def test_each_moved_file_is_where_the_map_says() -> None:
    moved = _rows(section("docs/architecture.md", "Moved files"))
    assert len(moved) > 80
    for old, new in moved:
        assert not (ROOT / old.strip("`")).exists(), old
        assert (ROOT / new.strip("`")).exists(), new


def test_the_map_and_the_former_scripts_agree() -> None:
    new_of = {
        old.strip("`"): new.strip("`") for old, new in _rows(section("docs/architecture.md", "Moved files"))
    }
    for name, module in MODULES.items():
        path = f"training/{module.replace('.', '/')}"
        assert new_of[f"training/{name}.py"] in (f"{path}.py", f"{path}/")


def _rows(text: str) -> list[list[str]]:
    """Return the rows of all tables under a heading, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    heads = {index for index, line in enumerate(lines) if line.startswith("|---")}
    return [row for index, row in enumerate(cells) if index not in heads and index + 1 not in heads]


# --- the tests themselves -----------------------------------------------------------------------


def test_each_python_example_can_be_read() -> None:
    for page in PAGES:
        for block in re.findall(r"^```python\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE):
            ast.parse(block)
