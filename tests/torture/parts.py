"""Run each attack of `make torture` and return its results as a section."""

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
# Time for atheris to start, to instrument the code and to end.
GUIDED_EXTRA_SECONDS = 120


def payloads(options: argparse.Namespace) -> Section:
    """Load every harmful pickle, with an ordinary unpickler and with the vocabulary's reader."""
    fired, refusals = _payloads("fire"), _payloads("refuse")
    failed = [name for name, has_mark in fired.items() if not has_mark]
    failed += [name for name, refusal in refusals.items() if refusal in ("run", "accepted")]
    by_opcode = sum("(it holds " in refusal for refusal in refusals.values())
    return Section(
        "Harmful pickles",
        "Each pickle replaces the vocabulary, and the card holds its hash. An ordinary unpickler runs the"
        " live ones. The vocabulary's reader refuses all, most of them before it interprets a byte.",
        ("payloads", "run by an ordinary unpickler", "run by ours", "refused", "refused by opcode"),
        [
            (
                len(refusals),
                sum(fired.values()),
                list(refusals.values()).count("run"),
                len(refusals) - len(failed),
                by_opcode,
            )
        ],
        failed,
    )


def fuzz(options: argparse.Namespace) -> Section:
    """Run mutated examples through every reader."""
    with tempfile.TemporaryDirectory() as folder:
        results = fuzzing.fuzz(Path(folder), options.cases, options.seed)
    return Section(
        "Changed bytes",
        f"Each case is a whole example with one to six changes, seed {options.seed}. A reader accepts it, or"
        " refuses it with its own error in one sentence.",
        ("reader", "cases", "accepted", "refused", "faults"),
        [_fuzz_row(result) for result in results],
        [f"{result.name}: {result.fault}" for result in results if result.fault],
    )


def _fuzz_row(result: fuzzing.FuzzResult) -> tuple[object, ...]:
    faults = int(bool(result.fault))
    return result.name, result.cases, result.accepted, result.cases - result.accepted - faults, faults


def guided(options: argparse.Namespace) -> Section:
    """Fuzz every reader by code coverage with atheris."""
    columns = ("reader", "cases", "faults")
    if importlib.util.find_spec("atheris") is None:
        return Section("Guided bytes", "Not run: atheris is not installed here.", columns, [])
    with tempfile.TemporaryDirectory() as folder:
        names = [reader.name for reader in readers(Path(folder))]
    results = [(name, *_guided(name, options.guided_seconds)) for name in names]
    return Section(
        "Guided bytes",
        f"atheris (libFuzzer) runs {options.guided_seconds} s for each reader, guided by code coverage.",
        columns,
        [(name, cases, int(bool(fault))) for name, cases, fault in results],
        [f"{name}: {fault}" for name, _, fault in results if fault],
    )


def api(options: argparse.Namespace) -> Section:
    """Run Schemathesis on the local app, with and without keys, and on the Lambda zip."""
    examples, seed, key = options.examples, options.seed, ("-H", f"X-Api-Key: {apis.KEY}")
    reports = {}
    with apis.local() as url:
        reports["`make run`"] = apis.check(url, examples, seed, *apis.IN_TIME)
    with apis.local(**apis.WITH_KEY) as url:
        reports["`make run AUTH=key`"] = apis.check(url, examples, seed + 1, *key, *apis.IN_TIME)
    reports["the Lambda zip"] = _zip(options)
    return Section(
        "The API by its document",
        "Schemathesis sends each route valid and invalid requests by the OpenAPI document, with all checks."
        " The zip runs under AWS's Lambda emulator behind a stand-in for API Gateway. The stand-in itself"
        " answers unknown methods.",
        ("service", "operations", "cases", "failures"),
        [(name, report.operations, report.cases, len(report.failures)) for name, report in reports.items()],
        [f"{name}: {failure}" for name, report in reports.items() for failure in report.failures],
    )


def _zip(options: argparse.Namespace) -> apis.CheckReport:
    excluded = ("--exclude-checks", apis.OF_THE_APP)
    try:
        with tempfile.TemporaryDirectory() as folder, apis.behind_gateway(Path(folder)) as url:
            return apis.check(url, options.examples, options.seed, *excluded, *apis.IN_TIME)
    except (EmulatorMissing, pytest.skip.Exception) as error:
        return apis.CheckReport(0, 0, [f"not run, {error}"])


def _payloads(action: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.torture.payloads", action, folder]
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
