"""Write docs/reference.md: every make target, every variable, every command, as Makefile and code have them.

python -m tools.reference              # --check compares, and ends with 1 when the page is stale
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.pages import table
from training.aws import images
from vocab.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference.md"
# Folders with commands and variables, and the one file beside them.
FOLDERS = (
    "bench",
    "chalice_app/chalicelib",
    "chalice_app/local",
    "client",
    "launcher",
    "static_site",
    "tools",
    "training",
    "vocab",
)
RUNNER = "run.py"
# The module with the defaults of the ports.
PORTS = "launcher/checks.py"
# Commands that AWS or another program starts, never a person.
STARTED = {
    "bench.network_process",
    "client.verdict_sentiment",
    "training.jobs.adapt_job",
    "training.jobs.notebook.stop_when_idle",
}
# Variables that SageMaker, Lambda, Chalice, torchrun, Prometheus or our own processes set for each other.
INTERNAL = {
    "AWS_CHALICE_CLI_MODE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "LOCAL_RANK",
    "ORT_DISABLE_TELEMETRY",
    "PATH",
    "PROMETHEUS_MULTIPROC_DIR",
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
    "RANK",
    "SAGEMAKER_VALIDATE_ROLE",
    "SM_CHANNEL_REVIEWS",
    "SM_CHANNEL_TRAIN",
    "SM_MODEL_DIR",
    "SM_OUTPUT_DIR",
    "VERDICT_COUNTS",
    "VERDICT_LIMIT_SECRET",
    "VERDICT_LOCAL",
    "VERDICT_TYPED",
    "WORLD_SIZE",
}


class Variable(NamedTuple):
    """What the reference says of a variable. Without a default of its own, the code's one is shown."""

    meaning: str
    default: str = ""


VARIABLES: dict[str, dict[str, Variable]] = {
    "On one machine": {
        "PAGE_PORT": Variable("port of the page: `make run PAGE_PORT=8081`"),
        "API_PORT": Variable("port of the API"),
        "ENDPOINT_PORT": Variable("port of the local endpoint of `make run`"),
        "LISTEN_HOST": Variable(
            "IPv4 address at which API and page listen; `0.0.0.0` is for containers, and opens them to the"
            " network",
            "`127.0.0.1`",
        ),
        "PUBLIC_API_URL": Variable(
            "the API's address for browsers, where a container or proxy changes it", "by `API_PORT`"
        ),
        "API_PROCESSES": Variable("processes of the API, by `make serve`", "one for each core, 4 at most"),
        "MODEL": Variable("folder of the model that is served or deployed", "`training/endpoint/model`"),
        "BESIDE": Variable("folder of a second model, with an API of its own", "none"),
        "BESIDE_API_PORT": Variable("port of the second model's API"),
        "BESIDE_ENDPOINT_PORT": Variable("port of the second model's endpoint"),
        "BESIDE_API_URL": Variable(
            "a second API that the page compares with its own; `BESIDE` sets it", "none"
        ),
        "ENDPOINT_NAME": Variable("name of the SageMaker endpoint; a deploy sets it"),
        "ENDPOINT_SECONDS": Variable(
            "seconds that the app waits for the endpoint's answer or the hooks' turn, 20 at most", "20"
        ),
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": Variable(
            "where boto3 sends InvokeEndpoint; `make run` sets it, `make serve` and AWS leave it unset",
            "loopback in local mode",
        ),
        "AWS_REGION": Variable(
            "region of the endpoint; local mode reads no AWS profile or file", "`us-east-1` in local mode"
        ),
        "AWS_DEFAULT_REGION": Variable("the same, when `AWS_REGION` is unset", "none"),
        "CORS_ORIGIN": Variable(
            "origins whose pages may read answers: `*`, or `https://host`, with commas between"
        ),
        "RATE_LIMIT": Variable("requests/seconds for each address of the local API, or `off`", "`10000/1`"),
        "AUTH": Variable("`none`, or `key`: most routes then need an API key"),
        "API_KEYS": Variable("SHA-256 of each key, with commas between; `make key` prints it", "none"),
        "COMPATIBLE": Variable(
            "protocols that the API speaks beside its own: `comprehend`, `tei`, or both with a comma between",
            "none",
        ),
        "FEEDBACK": Variable(
            "folder or `s3://bucket/prefix` for `POST /v1/feedback`; unset, nothing is kept", "none"
        ),
    },
    "For callers": {
        "API_URL": Variable("the API that the page, `make drift` and evaluate_app call", "by `API_PORT`"),
        "API_KEY": Variable(
            "key for `make drift`, evaluate_app and a deploy's check; `make run` needs none", "none"
        ),
        "VERDICT_URL": Variable("service that the command `verdict` calls", "none"),
        "VERDICT_API_KEY": Variable("key that the command `verdict` sends", "none"),
        "TEI_API_KEY": Variable("key that `verdict shadow --against tei` sends", "none"),
    },
    "On AWS": {
        "STAGE": Variable("deployment that the AWS commands work on"),
        "ENDPOINT_KIND": Variable(
            "where the model runs: `serverless`, `realtime` or `lambda`",
            "as deployed, or `serverless`",
        ),
        "IMAGE": Variable(
            "image of the endpoint: `sklearn`, `ray`, `pytorch`, or the address of your own in ECR",
            f"`{images.SERVING[0]}`",
        ),
        "SITE": Variable("host of the page: `cloudfront`, `website` or `none`"),
        "DEPLOYED_API_URL": Variable(
            "address of the deployed API, for example a domain of yours", "the API's own"
        ),
        "VERDICT_REAL_AWS": Variable(
            "`1` lets `make rehearse FLAGS=--real` work in your own account", "none"
        ),
    },
    "For make and for tests": {
        "FLAGS": Variable("more flags for a command", "none"),
        "FILE": Variable("the file for `make batch`, `make adapt` and `make adapt-aws`", "none"),
        "OUT": Variable("the output of `make batch`"),
        "TESTS": Variable("a part of the tests: `make test TESTS=tests/vocab`", "all"),
        "PYTHON": Variable("interpreter that environments are made with"),
        "IMDB_ARCHIVE": Variable("path of `aclImdb_v1.tar.gz`", "downloaded once"),
        "VERDICT_CACHE": Variable("folder of downloads and of kept trainings", "`~/.cache/verdict`"),
        "CHROMIUM": Variable("browser for the page's tests", "found on `PATH`"),
    },
}


class Use(NamedTuple):
    """A place in the code that reads a variable, with the code's default or None."""

    path: str
    default: str | None


def page() -> str:
    """Return the text of docs/reference.md."""
    return "\n".join(
        [
            "# Reference",
            "",
            "<!-- `python -m tools.reference` writes this page from the Makefile and the code. -->",
            "",
            "On this page: [make](#make), [variables](#variables), [other commands](#other-commands).",
            "",
            "## make",
            "",
            "`make help` prints these commands. Each makes its own environment in `.venv/`.",
            *_targets(),
            "",
            "## Variables",
            "",
            "Set a variable in the environment or after `make`: `make run API_PORT=9000`.",
            *_variables(),
            "",
            "## Other commands",
            "",
            "Run these from the repository's root in an environment of `make`. `.venv/dev` has all packages",
            "except those of `make bench` and `make torture`. `make check` makes it:",
            "",
            "```sh",
            ". .venv/dev/bin/activate",
            "python -m training.data.dataset",
            "```",
            "",
            "`--help` lists the flags of a command.",
            "",
            table(["command", "does"], [[f"`python -m {name}`", text] for name, text in commands().items()]),
        ]
    )


def targets(makefile: str) -> dict[str, dict[str, str]]:
    """Return each group's make targets with their texts.

    >>> targets("### Use\\n\\nrun: ready ## start it\\n\\t@run\\n")
    {'Use': {'run': 'start it'}}
    """
    groups: dict[str, dict[str, str]] = {}
    for group, name, text in re.findall(r"^(?:### (.+)|([a-z-]+):.*## (.+))$", makefile, re.MULTILINE):
        if group:
            groups[group] = {}
        else:
            groups[next(reversed(groups))][name] = text
    return groups


def commands() -> dict[str, str]:
    """Return each module that a person runs by `python -m`, with its docstring's first line."""
    found = {}
    for path in sources():
        text = path.read_text(encoding="utf-8")
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
        if '\nif __name__ == "__main__":' in text and name not in STARTED and path.name != RUNNER:
            docstring = ast.get_docstring(ast.parse(text)) or ""
            found[name] = docstring.split("\n")[0]
    return dict(sorted(found.items()))


def uses() -> dict[str, list[Use]]:
    """Return the places in the code that read each variable."""
    found: dict[str, list[Use]] = {}
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, default in _read_variables(tree):
            found.setdefault(name, []).append(Use(str(path.relative_to(ROOT)), default))
    return found


def sources() -> list[Path]:
    """Return the product's Python files."""
    files = [ROOT / RUNNER, ROOT / "chalice_app/app.py"]
    for folder in FOLDERS:
        files += (ROOT / folder).rglob("*.py")
    return sorted(path for path in files if "vendor" not in path.parts and "_app" not in path.parts)


def _targets() -> Iterator[str]:
    for group, texts in targets((ROOT / "Makefile").read_text(encoding="utf-8")).items():
        rows = [[f"`make {name}`", text] for name, text in texts.items()]
        yield from ("", f"### {group}", "", table(["command", "does"], rows).rstrip())


def _variables() -> Iterator[str]:
    found = uses()
    for group, variables in VARIABLES.items():
        rows = [
            [f"`{name}`", variable.default or _default(name, found), variable.meaning]
            for name, variable in variables.items()
        ]
        yield from ("", f"### {group}", "", table(["variable", "default", "meaning"], rows).rstrip())


def _default(name: str, found: dict[str, list[Use]]) -> str:
    """Return the code's or the Makefile's default. Raises ValueError when there is not exactly one."""
    defaults = {use.default for use in found.get(name, []) if use.default is not None}
    defaults |= _makefile_defaults(name) | _port_defaults(name)
    if len(defaults) != 1:
        raise ValueError(f"{name} has the defaults {sorted(defaults)} in the code; name one in VARIABLES")
    return f"`{defaults.pop()}`"


def _makefile_defaults(name: str) -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(rf"^{name} \?= (.+)$", makefile, re.MULTILINE))


def _port_defaults(name: str) -> set[str]:
    """Return the runner's default of a port."""
    return set(re.findall(rf'"{name}": (\d+)', (ROOT / PORTS).read_text(encoding="utf-8")))


def _read_variables(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Yield each variable that a module reads, with its default or None."""
    constants = _constants(tree)
    defaults = {
        id(node.values[0]): _text(node.values[1], constants)
        for node in ast.walk(tree)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)
    }
    for node in ast.walk(tree):
        key = _key(node)
        name = _text(key, constants) if key is not None else None
        if name and re.fullmatch(r"[A-Z][A-Z0-9_]+", name):
            yield name, defaults.get(id(node))


def _key(node: ast.AST) -> ast.expr | None:
    """Return the key by which an expression reads the environment, or None."""
    if isinstance(node, ast.Subscript) and _is_environment(node.value):
        return node.slice
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        if node.func.attr == "get" and _is_environment(node.func.value):
            return node.args[0]
        if node.func.attr == "getenv":
            return node.args[0]
    return None


def _is_environment(node: ast.expr) -> bool:
    return ast.unparse(node) in ("os.environ", "environ", "env", "self.env")


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return a module's own constants that are texts or numbers."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for name, value in _pairs(node.targets[0], node.value):
                if isinstance(value, ast.Constant) and isinstance(value.value, (str, int, float)):
                    found[name] = str(value.value)
    return found


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield each name that an assignment sets, with its value."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, part in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, part)
    elif isinstance(target, ast.Name):
        yield target.id, value


def _text(node: ast.expr, constants: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant):
        return None if node.value is None else str(node.value)
    return constants.get(node.id) if isinstance(node, ast.Name) else None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write docs/reference.md from the Makefile and the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 when it is stale")
    text = page()
    if not parser.parse_args(arguments).check:
        write_atomic(PAGE, text.encode())
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit("reference: docs/reference.md is stale; run python -m tools.reference")


if __name__ == "__main__":
    main()
