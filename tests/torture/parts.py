"""The attacks of `make torture`, each run to its end and told as a section of a page."""

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.lambda_emulator import EmulatorMissing
from tests.support.stack import ROOT
from tests.torture import api as apis
from tests.torture import fuzz as fuzzing
from tests.torture.readers import readers
from tests.torture.table import Section

PAYLOAD_SECONDS = 300
# What atheris takes to start, instrument and end.
GUIDED_EXTRA_SECONDS = 120


def payloads(options: argparse.Namespace) -> Section:
    """Have every harmful pickle fired, and refused."""
    fired, refused = _payloads("fire"), _payloads("refuse")
    failed = [name for name, left in fired.items() if not left]
    failed += [name for name, told in refused.items() if told in ("run", "taken")]
    named = sum("(it holds " in told for told in refused.values())
    return Section(
        "Harmful pickles",
        "Each payload takes the vocabulary's place, with a valid hash in its card. An ordinary unpickler runs"
        " the live ones. The vocabulary's reader refuses all, most before it interprets a byte.",
        ("payloads", "run by an ordinary unpickler", "run by ours", "refused", "by the opcode's name"),
        [
            (
                len(refused),
                sum(fired.values()),
                list(refused.values()).count("run"),
                len(refused) - len(failed),
                named,
            )
        ],
        failed,
    )


def fuzz(options: argparse.Namespace) -> Section:
    """Try changed examples on every reader."""
    with tempfile.TemporaryDirectory() as folder:
        told = fuzzing.fuzz(Path(folder), options.cases, options.seed)
    return Section(
        "Changed bytes",
        f"Whole examples with one to six changes each, seed {options.seed}. A reader takes an example or"
        " refuses it in one sentence, by its own error.",
        ("reader", "cases", "taken", "refused", "faults"),
        [
            (one.name, one.cases, one.taken, one.cases - one.taken - bool(one.fault), int(bool(one.fault)))
            for one in told
        ],
        [f"{one.name}: {one.fault}" for one in told if one.fault],
    )


def guided(options: argparse.Namespace) -> Section:
    """Let atheris choose the bytes, reader by reader."""
    says = f"atheris (libFuzzer) for {options.guided_seconds} s a reader, guided by the code that is reached."
    columns = ("reader", "cases", "faults")
    if importlib.util.find_spec("atheris") is None:
        return Section("Guided bytes", "Not run: atheris is not installed here.", columns, [])
    with tempfile.TemporaryDirectory() as folder:
        names = [reader.name for reader in readers(Path(folder))]
    told = [(name, *_guided(name, options.guided_seconds)) for name in names]
    failed = [f"{name}: {fault}" for name, _, fault in told if fault]
    return Section(
        "Guided bytes",
        says,
        columns,
        [(name, cases, int(bool(fault))) for name, cases, fault in told],
        failed,
    )


def api(options: argparse.Namespace) -> Section:
    """Let Schemathesis ask every route: locally, with keys, and the Lambda zip as behind API Gateway."""
    told, key = {}, ("-H", f"X-Api-Key: {apis.KEY}")
    with apis.local() as url:
        told["`make run`"] = apis.check(url, options.examples, options.seed, *apis.IN_TIME)
    with apis.local(**apis.WITH_KEY) as url:
        told["`make run AUTH=key`"] = apis.check(url, options.examples, options.seed + 1, *key, *apis.IN_TIME)
    told["the Lambda zip"] = _zip(options)
    return Section(
        "The API by its document",
        "Schemathesis sends valid and invalid requests by the OpenAPI document to every route, with all"
        " checks. The zip runs under AWS's Lambda emulator behind a stand-in for API Gateway. The stand-in"
        " answers unknown methods by itself.",
        ("service", "operations", "cases", "failures"),
        [(name, one.operations, one.cases, len(one.failures)) for name, one in told.items()],
        [f"{name}: {failure}" for name, one in told.items() for failure in one.failures],
    )


def _zip(options: argparse.Namespace) -> apis.Checked:
    left_out = ("--exclude-checks", apis.OF_THE_APP)
    try:
        with tempfile.TemporaryDirectory() as folder, apis.behind_gateway(Path(folder)) as url:
            return apis.check(url, options.examples, options.seed, *left_out, *apis.IN_TIME)
    except (EmulatorMissing, pytest.skip.Exception) as error:
        return apis.Checked(0, 0, [f"not run, {error}"])


def _payloads(what: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.torture.payloads", what, folder]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PAYLOAD_SECONDS, check=True
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _guided(name: str, seconds: int) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.torture.guided", name, "--seconds", str(seconds)]
    limit = seconds + GUIDED_EXTRA_SECONDS
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, errors="replace")
    cases = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    fault = "" if done.returncode == 0 else (done.stdout + done.stderr)[-300:]
    return int(cases[1]) if cases else 0, fault
