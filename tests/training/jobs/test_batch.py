"""A batch on this machine: the endpoint's own answers in the file's order, after any interruption."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from training.endpoint import calibration, inference
from training.files import parts as batch_parts
from training.files import processes, resumable
from training.files import rows as batch_rows
from training.files.rows import Part
from training.jobs import batch
from vocab import messages

ROOT = Path(__file__).resolve().parents[3]
# Long, since others may use the machine; nothing that goes well waits for it.
WAIT_SECONDS = 300
COMMAND = ("-m", "training.jobs.batch")
# The same where processes can't fork.
SPAWNING = (
    "-c",
    "from training.files import pool; from training.jobs import batch; pool.can_fork = bool; batch.main()",
)
WORDS = "a lovely warm dull bad film with no plot and great actors that I did not hate at all".split()


def reviews(count: int) -> list[str]:
    """Return different reviews of 30 words."""
    return [" ".join(WORDS[(n * step + n // 7) % len(WORDS)] for step in range(30)) for n in range(count)]


def save(path: Path, texts: Iterable[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "review"], *(["same", text] for text in texts)])
    return path


def classify(path: Path, out: Path, *flags: str) -> bytes:
    batch.main([str(path), "--out", str(out), "--local", "--workers", "1", "--force", *flags])
    return out.read_bytes()


def start(path: Path, out: Path, *flags: str, command: Sequence[str] = COMMAND) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *command, str(path), "--out", str(out), "--local", *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A runner of tests in the background hands on an ignored SIGINT; a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def children_of(process: "subprocess.Popen[str]") -> list[int]:
    """Return the ids of a process's children, in order of their start."""
    try:
        ids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8")
    except OSError:  # it has ended
        return []
    return [int(child) for child in ids.split()]


def catches_ctrl_c(pid: int) -> bool:
    """Return whether a process already runs Python code that turns Ctrl-C into an exception."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:  # it has ended
        return False
    if b"spawn_main" not in command:  # it is still its parent's copy, or remains it
        return False
    (caught,) = re.findall(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return bool(int(caught, 16) & 1 << (signal.SIGINT - 1))


def wait_for(number: int, out: Path, process: "subprocess.Popen[str]") -> set[str]:
    """Wait for a number of parts; return their names."""
    folder = batch_parts.folder_of(out)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        names = {path.name for path in folder.glob("[0-9a-f]*.jsonl")}
        if len(names) >= number:
            return names
        time.sleep(0.005)
    raise AssertionError(f"no {number} parts: {process.communicate(timeout=WAIT_SECONDS)}")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Parts of three rows in this process."""
    whole = batch_rows.parts
    monkeypatch.setattr(resumable, "parts", lambda rows, *limits: whole(rows, most=3))
    yield


# --- the same answers ---------------------------------------------------------------------------


def test_each_row_gets_what_the_endpoint_answers(
    tmp_path: Path, model: inference.LoadedModel, small_parts: None
) -> None:
    texts = [
        *reviews(7),
        "",
        "<br>",
        "ein ganz wunderbarer Film, den ich sehr gerne gesehen habe",
    ]
    classify(save(tmp_path / "a.csv", texts), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["review"] for row in rows] == texts
    assert {row["id"] for row in rows} == {"same"}
    for text, row in zip(texts, rows, strict=True):
        body = messages.to_json({"id": 1, "review": text})
        answer = json.loads(processes.predict_lines(model, body))
        if "error" in answer:
            _, _, detail = row["detail"].partition(": ")  # the first part names the line
            assert (row["error"], detail) == (answer["error"]["code"], answer["error"]["detail"])
            assert (row["sentiment"], row["probability"], row["model"]) == ("", "", "")
        else:
            assert (row["sentiment"], float(row["probability"])) == (
                answer["sentiment"],
                answer["probability"],
            )
            assert row["reason"] == (answer["reason"] or "")
            assert row["warnings"] == ";".join(one["code"] for one in answer["warnings"])
            assert row["model"] == model.identity.id
    assert [row["error"] for row in rows[7:]] == ["no_token", "no_token", ""]
    assert (rows[9]["sentiment"], rows[9]["reason"]) == ("uncertain", "not_english")
    assert rows[9]["warnings"] == "not_english"


@pytest.mark.parametrize("aspects", [(), ("--aspects", "film")])
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_one_process_or_several_write_the_same_bytes(
    suffix: str, aspects: tuple[str, ...], tmp_path: Path
) -> None:
    path = save(tmp_path / "a.csv", reviews(600))
    one = classify(path, tmp_path / f"one.{suffix}", *aspects)
    process = start(path, tmp_path / f"two.{suffix}", "--workers", "2", *aspects)
    out, error = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, error) == (0, "")
    assert out == f"batch: 600 rows, 0 of them with an error, in {tmp_path}/two.{suffix}\n"
    assert (tmp_path / f"two.{suffix}").read_bytes() == one
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == [
        "a.csv",
        f"one.{suffix}",
        f"two.{suffix}",
    ]


def test_other_aspects_answer_all_parts_anew(
    tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(9)), tmp_path / "out.csv"
    whole = resumable.finish
    monkeypatch.setattr(resumable, "finish", lambda *given: [*given[1], 1 / 0])
    with pytest.raises(ZeroDivisionError):
        classify(path, out, "--aspects", "film")
    kept = {one.name for one in batch_parts.folder_of(out).glob("[0-9a-f]*.jsonl")}
    assert len(kept) == 3
    monkeypatch.setattr(resumable, "finish", whole)
    rows = list(csv.DictReader(classify(path, out, "--aspects", "product").decode().splitlines()))
    assert {row["aspect performance"] for row in rows} <= {*messages.SENTIMENTS, "not_mentioned"}
    assert "aspect acting" not in rows[0]


def test_a_batch_here_loads_none_of_aws_s_clients(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", reviews(1))
    code = "import sys; from training.jobs import batch; batch.main(); print('boto3' in sys.modules)"
    process = start(path, tmp_path / "out.csv", command=("-c", code))
    out, error = process.communicate(timeout=WAIT_SECONDS)
    assert (out.splitlines()[-1], error) == ("False", "")


def test_a_file_without_one_good_row_is_written_with_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"review": 1}\nhalf\n', encoding="utf-8")
    lines = classify(path, tmp_path / "out.jsonl").splitlines()
    assert [json.loads(one)["error"] for one in lines] == ["wrong_type", "malformed_json"]


def test_the_longest_reviews_fit_into_their_parts(tmp_path: Path) -> None:
    longest = "\U0001f600" * (messages.MAX_REVIEW_CHARACTERS - 5) + " good"
    texts = [longest] * 8 + [longest + "!"]
    classify(save(tmp_path / "a.csv", texts), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["error"] for row in rows] == [""] * 8 + ["too_long"]


def key_of(package: Path) -> str:
    return processes.model_key(inference.model_fn(package))


# --- stopped on the way -------------------------------------------------------------------------


def test_kill_9_loses_no_finished_part_and_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: Path
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(4000)), tmp_path / "out.csv"
    process = start(path, out, "--workers", "2")
    wait_for(2, out, process)
    tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    children = tasks.read_text(encoding="utf-8").split()
    process.kill()
    process.communicate(timeout=WAIT_SECONDS)
    assert not out.exists()
    assert len(children) >= 2
    deadline = time.monotonic() + WAIT_SECONDS
    while any(Path(f"/proc/{child}/cmdline").exists() for child in children):
        assert time.monotonic() < deadline, "a process outlives the command that started it"
        time.sleep(0.05)
    left = sorted(batch_parts.folder_of(out).glob("[0-9a-f]*.jsonl"))
    damaged = left[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    answered_parts: list[int] = []
    whole = processes.predict_parts

    def answered(parts: Iterable[Part], *rest: Any) -> Iterator[tuple[Part, bytes]]:
        for part, data in whole(parts, *rest):
            answered_parts.append(part.number)
            yield part, data

    monkeypatch.setattr(processes, "predict_parts", answered)
    resumed = classify(path, out)
    kept = {int(one.name.split("-")[1]) for one in left[1:]}
    assert answered_parts == [number for number in range(16) if number not in kept]
    assert not batch_parts.folder_of(out).exists()
    answered_parts.clear()
    assert classify(path, tmp_path / "anew.csv") == resumed
    assert answered_parts == list(range(16))


def test_ctrl_c_is_one_sentence_and_the_parts_stay(tmp_path: Path) -> None:
    path, out = save(tmp_path / "a.csv", reviews(4000)), tmp_path / "out.csv"
    process = start(path, out, "--workers", "2")
    names = wait_for(1, out, process)
    # A terminal sends it to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    output, error = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, output) == (130, "")
    assert error.startswith(
        "python -m training.jobs.batch: interrupted; run the same command again to go on ("
    )
    assert error.count("\n") == 1
    assert names <= {path.name for path in batch_parts.folder_of(out).iterdir()}
    assert not out.exists()


@pytest.mark.parametrize(
    ("command", "begins"), [(COMMAND, bool), (SPAWNING, catches_ctrl_c)], ids=["usual", "spawn"]
)
def test_ctrl_c_while_processes_begin_is_one_sentence(
    command: Sequence[str], begins: Callable[[int], bool], tmp_path: Path
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(4000)), tmp_path / "out.csv"
    process = start(path, out, "--workers", "2", command=command)
    deadline = time.monotonic() + WAIT_SECONDS
    while not any(map(begins, children_of(process))):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 130
    assert error.startswith("python -m training.jobs.batch: interrupted") and error.count("\n") == 1


def test_a_process_that_dies_is_one_sentence(tmp_path: Path) -> None:
    path, out = save(tmp_path / "a.csv", reviews(4000)), tmp_path / "out.csv"
    process = start(path, out, "--workers", "2")
    wait_for(1, out, process)
    os.kill(children_of(process)[-1], signal.SIGKILL)
    output, error = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, output) == (4, "")
    assert error.splitlines()[-1].startswith(
        "python -m training.jobs.batch: a process died, perhaps for want of memory; "
    )


def test_another_model_answers_all_parts_anew(
    tmp_path: Path, own_package: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(6)), tmp_path / "out.csv"
    first = key_of(own_package)
    card = json.loads((own_package / "model.json").read_text(encoding="utf-8"))
    for field in calibration.FIELDS:
        (own_package / "model.json").write_text(json.dumps(card | {field: 3.0}), encoding="utf-8")
        assert key_of(own_package) != first, field
    (own_package / "model.json").write_text(json.dumps(card | {"metrics": {"x": 1}}), encoding="utf-8")
    assert key_of(own_package) == first
    assert classify(path, out, "--model", str(own_package)) != classify(path, out)


def test_an_input_that_changes_meanwhile_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = save(tmp_path / "a.csv", reviews(5)), tmp_path / "out.csv"
    whole = processes.predict_parts

    def answered(parts: Iterable[Part], *rest: Any) -> Iterator[tuple[Part, bytes]]:
        yield from whole(parts, *rest)
        save(path, reviews(6)[1:])

    monkeypatch.setattr(processes, "predict_parts", answered)
    with pytest.raises(SystemExit, match="batch: .*a.csv was changed while it was read; run it again"):
        classify(path, out)
    assert not out.exists()


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("a.csv", "a.csv is the input; choose another --out"),
        ("x/../a.csv", "a.csv is the input; choose another --out"),
        ("out.txt", "out.txt would hold more than a text a line; call it .csv, .tsv or .jsonl"),
        ("folder.csv", "folder.csv is no file; choose another --out"),
        ("a.csv/out.csv", "there is no folder .*a.csv for the output; make it, or choose another --out"),
        ("typo/out.csv", "there is no folder .*typo for the output"),
    ],
)
def test_an_output_that_can_t_be_is_one_sentence(out: str, why: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", reviews(1))
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "x").mkdir()
    before = path.read_bytes()
    with pytest.raises(SystemExit, match=f"batch: .*{why}"):
        classify(path, tmp_path / out)
    assert path.read_bytes() == before and not (tmp_path / "typo").exists()


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="batch: /dev/null is no file"):
        classify(save(tmp_path / "a.csv", reviews(1)), Path("/dev/null"), "--format", "csv")


def test_a_broken_model_is_one_sentence(tmp_path: Path, own_package: Path) -> None:
    (own_package / "model.onnx").unlink()
    with pytest.raises(SystemExit, match="batch: .*model.onnx can't be read"):
        classify(save(tmp_path / "a.csv", reviews(1)), tmp_path / "out.csv", "--model", str(own_package))


def test_the_folder_of_a_transform_job_is_not_taken(tmp_path: Path) -> None:
    path, out = save(tmp_path / "a.csv", reviews(1)), tmp_path / "out.csv"
    batch_parts.folder_of(out).mkdir()
    (batch_parts.folder_of(out) / "job.json").write_text('{"name": "verdict-dev-batch-1"}', encoding="utf-8")
    with pytest.raises(SystemExit, match="belongs to a transform job; run that batch to its end"):
        classify(path, out)


@pytest.mark.parametrize("flags", [("--instances", "0"), ("--workers", "x"), ("--ray", "auto", "--local")])
def test_a_flag_that_makes_no_sense_is_shown_with_the_usage(
    flags: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        classify(save(tmp_path / "a.csv", reviews(1)), tmp_path / "out.csv", *flags)
    assert "usage: " in capsys.readouterr().err


# --- dry runs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (
            ("--local", "--workers", "2"),
            "here, 2 processes, about 0.0 minutes",
        ),
        (("--ray", "auto"), "on Ray at auto, about 0.0 core-minutes"),
        (
            ("--instances", "3", "--instance-type", "ml.m5.2xlarge"),
            "12 files of 0.0 MB in all, 3 x ml.m5.2xlarge, about 5 minutes (an estimate; 5 of",
        ),
    ],
)
def test_a_dry_run_says_what_would_be_done_and_touches_nothing(
    flags: tuple[str, ...],
    expected: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "_run_transform", lambda *_: pytest.fail("AWS was asked"))
    path = save(tmp_path / "a.csv", [*reviews(40), "x" * 50_001])
    batch.main([str(path), "--out", str(tmp_path / "out.csv"), "--dry-run", *flags])
    start = f"batch: 41 rows, 1 of which can't be read; {expected}"
    assert capsys.readouterr().out.startswith(start)
    assert sorted(one.name for one in tmp_path.iterdir() if one.name != "cache") == ["a.csv"]


def test_an_unknown_instance_type_is_one_sentence(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", reviews(1))
    with pytest.raises(SystemExit, match="batch: 'm5' is no instance type; give one like ml.c5.xlarge"):
        batch.main([str(path), "--out", str(tmp_path / "o.csv"), "--dry-run", "--instance-type", "m5"])


def test_an_output_that_exists_is_replaced_only_by_force(tmp_path: Path) -> None:
    path, out = save(tmp_path / "a.csv", reviews(2)), tmp_path / "out.csv"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit, match="out.csv exists; add --force to replace it, or choose"):
        batch.main([str(path), "--out", str(out), "--local"])
    assert out.read_text(encoding="utf-8") == "mine"
    assert batch.main([str(path), "--out", str(out), "--local", "--workers", "1", "--force"]) == 0
