"""Without a service: the same answers byte for byte, and one-sentence errors."""

import asyncio
import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.client.test_client import REVIEWS, plain
from tests.support.command import ROOT, WAIT_SECONDS, start, verdict
from tests.support.stack import Stack, alive
from verdict_sentiment import AsyncVerdict, Explain, RefusedError, UnavailableError, Verdict, VerdictError
from verdict_sentiment.local import LocalService
from vocab import messages

pytestmark = pytest.mark.slow

MODEL = ROOT / "training/endpoint/model"
SECRET = "zanzibar-4711"


@pytest.fixture(scope="module")
def local() -> Iterator[Verdict]:
    with Verdict.local() as client:
        yield client


@pytest.fixture(scope="module")
def served(stack: Stack) -> Iterator[Verdict]:
    with Verdict(stack.api) as client:
        yield client


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_a_review_gets_the_service_s_answer(local: Verdict, served: Verdict, explain: Explain) -> None:
    for review in REVIEWS[::2]:
        assert plain(local.sentiment(review, explain)) == plain(served.sentiment(review, explain))


def test_asyncio_gets_the_same_answers_and_goes_on_beside_them(local: Verdict) -> None:
    async def reviews() -> AsyncIterator[str]:
        for review in REVIEWS * 60:
            yield review

    async def tick(times: list[float]) -> None:
        while True:
            times.append(time.monotonic())
            await asyncio.sleep(0)

    async def ask() -> tuple[list[str], int]:
        times: list[float] = []
        async with AsyncVerdict.local() as client:
            ticking = asyncio.create_task(tick(times))
            first = plain(await client.sentiment(REVIEWS[0], "words"))
            batch = [judged async for judged in client.batch(reviews(), "words", concurrency=2)]
            ticking.cancel()
            assert (await client.model(), await client.health()) == (local.model(), local.health())
        answers = [plain(judged.answer) if judged.answer else str(judged.error) for judged in batch]
        return [first, *answers], len(times)

    answers, ticks = asyncio.run(ask())
    blocking = local.batch(REVIEWS * 60, "words", concurrency=2)
    expected = [plain(judged.answer) if judged.answer else str(judged.error) for judged in blocking]
    assert answers == [plain(local.sentiment(REVIEWS[0], "words")), *expected]
    assert ticks > len(REVIEWS)


def test_a_call_s_own_timeout_holds_without_a_service(
    local: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    late = pytest.raises(UnavailableError, match=r"^no answer within 0\.1 s; ")

    async def ask() -> None:
        async with AsyncVerdict.local() as client:
            with late:
                await client.sentiment(REVIEWS[0], timeout=0.1)
            ended.set()  # asyncio waits for its threads

    assert local.sentiment(REVIEWS[0], timeout=60).sentiment == "positive"
    with pytest.raises(ValueError, match="^timeout must be seconds"):
        local.sentiment(REVIEWS[0], timeout=0)
    monkeypatch.setattr(LocalService, "_answer", lambda service, call: ended.wait())
    with late:
        local.sentiment(REVIEWS[0], timeout=0.1)
    asyncio.run(ask())


def test_nothing_keeps_feedback_here(local: Verdict) -> None:
    for call in (
        lambda: local.send_feedback("good", "positive"),
        lambda: local.delete_feedback("0" * 32),
    ):
        with pytest.raises(RefusedError, match="^nothing keeps feedback in this process") as caught:
            call()
        assert (caught.value.status, caught.value.code) == (404, "feedback_off")


def test_a_model_goes_on_after_a_fork(local: Verdict) -> None:
    expected = plain(local.sentiment(REVIEWS[0]))
    reading, writing = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(
        target=lambda: writing.send(plain(local.sentiment(REVIEWS[0])))
    )
    child.start()
    assert reading.poll(WAIT_SECONDS) and reading.recv() == expected
    child.join()


@pytest.mark.parametrize("review", ["", "<br>", "x" * 50_001, None])
def test_a_review_gets_the_service_s_refusal(local: Verdict, served: Verdict, review: Any) -> None:
    errors = []
    for client in (local, served):
        with pytest.raises(RefusedError) as caught:
            client.sentiment(review)
        errors.append((caught.value.status, caught.value.code, caught.value.detail))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("aspects", ["film", {"the plot": ["plot"], "music": ["music"], "odd": ["zzqx"]}])
def test_aspects_get_the_service_s_answers(local: Verdict, served: Verdict, aspects: Any) -> None:
    for review in REVIEWS[::2]:
        assert plain(local.sentiment(review, "words", aspects)) == plain(
            served.sentiment(review, "words", aspects)
        )
    batches = [list(client.batch(REVIEWS * 30, aspects=aspects)) for client in (local, served)]
    pairs = [
        [plain(judged.answer) if judged.answer else str(judged.error) for judged in batch]
        for batch in batches
    ]
    assert pairs[0] == pairs[1]
    first = batches[0][0].verdict().aspects
    assert first is not None and {aspect.sentiment for aspect in first} > {"not_mentioned"}


def test_a_batch_gets_the_service_s_answers(local: Verdict, served: Verdict) -> None:
    reviews = [(number % 3, review) for number, review in enumerate(REVIEWS * 25)]

    def answers(client: Verdict) -> list[Any]:
        return [
            (judged.index, judged.id, plain(judged.answer) if judged.answer else str(judged.error))
            for judged in client.batch(reviews, "words")
        ]

    assert answers(local) == answers(served)


def test_model_and_health_are_the_service_s(local: Verdict, served: Verdict) -> None:
    assert local.model() == served.model()
    assert local.health() == served.health()


def test_each_answer_has_an_id_of_its_own(local: Verdict) -> None:
    assert local.sentiment("good film").request_id != local.sentiment("good film").request_id


def test_a_model_that_can_t_be_used_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(VerdictError, match="model.json can't be read") as caught:
        Verdict.local(tmp_path)
    assert caught.value.code == "model_unusable"
    ran = verdict("good film", "--model", str(tmp_path))
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)
    shutil.copytree(MODEL, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(VerdictError, match="is not the file that model.json names"):
        Verdict.local(tmp_path)


def test_a_missing_package_is_named_with_its_install_command() -> None:
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from verdict_sentiment.cli import main\n"
        "main(sys.argv[1:])"
    )
    endings = []
    for where in ((), ("--local",)):
        process = subprocess.run(
            [sys.executable, "-c", code, "good film", *where],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(ROOT / "client")},
        )
        endings.append((process.returncode, process.stdout, process.stderr))
    assert endings == [
        (
            2,
            "",
            "verdict: no service is named; give --url or VERDICT_URL, or judge without one after pip install"
            " 'verdict-sentiment[local]'\n",
        ),
        (
            4,
            "",
            "verdict: onnxruntime is not installed, which judging without a service needs; run: pip install"
            " 'verdict-sentiment[local]' (not_installed)\n",
        ),
    ]


# --- the command --------------------------------------------------------------------------------


def test_the_command_needs_no_service(stack: Stack) -> None:
    text = REVIEWS[0]
    here, there = (
        json.loads(verdict(text, "--json", "--explain", "words", *where).out)
        for where in ((), ("--url", stack.api))
    )
    assert here | {"request_id": ""} == there | {"request_id": ""}


@pytest.mark.parametrize("where", [("--local",), ("--model", str(MODEL))])
def test_a_service_that_is_named_by_a_variable_can_be_left_out(where: tuple[str, ...]) -> None:
    assert verdict("a good film", *where, VERDICT_URL="http://127.0.0.1:1").status == 0


@pytest.mark.parametrize(
    ("suffix", "aspects"),
    [
        (".csv", ()),
        (".tsv", ()),
        (".jsonl", ()),
        (".csv", ("--aspects", "film")),
        (".jsonl", ("--aspects", "film")),
    ],
)
def test_a_file_s_bytes_are_the_same_here_by_url_and_by_make_batch(
    suffix: str, aspects: tuple[str, ...], stack: Stack, tmp_path: Path
) -> None:
    lines = [json.dumps({"n": number, "review": review}) for number, review in enumerate(REVIEWS * 60)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*lines, "[]", '{"review": 5}', "{"]), encoding="utf-8")
    outs = [tmp_path / f"{name}{suffix}" for name in ("here", "one", "url", "batch")]
    flags = (("--workers", "2"), ("--workers", "1"), ("--url", stack.api))
    for out, more in zip(outs, flags, strict=False):
        assert verdict(str(path), "-o", str(out), *more, *aspects).status == 1
    ran = subprocess.run(
        [sys.executable, "-m", "training.jobs.batch", str(path), "--out", str(outs[3]), "--local", *aspects],
        cwd=ROOT,
        capture_output=True,
    )
    assert ran.returncode == 1
    assert len({out.read_bytes() for out in outs}) == 1
    assert (b"aspect" in outs[0].read_bytes()) == bool(aspects)


def test_kill_9_leaves_no_process_and_loses_no_row(tmp_path: Path) -> None:
    path, out = tmp_path / "a.txt", tmp_path / "out.csv"
    path.write_text("\n".join(f"{number} {REVIEWS[0]}" for number in range(4000)), encoding="utf-8")
    running = start(str(path), "-o", str(out), "--workers", "2")
    deadline = time.monotonic() + WAIT_SECONDS
    while len(list(tmp_path.glob("out.csv.parts/[0-9a-f]*.jsonl"))) < 2:
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.005)
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text(encoding="utf-8").split()
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=WAIT_SECONDS)
    assert len(children) >= 2 and not out.exists()
    while any(alive(int(child)) for child in children):
        assert time.monotonic() < deadline, "a process outlives the command that started it"
        time.sleep(0.05)
    assert verdict(str(path), "-o", str(out)).status == 0
    numbers = [line.split(" ")[0] for line in out.read_text(encoding="utf-8").splitlines()[1:]]
    assert [number.strip('"') for number in numbers] == [str(number) for number in range(4000)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out.csv"]


def test_no_review_is_left_in_a_temporary_folder(tmp_path: Path) -> None:
    data = f"{SECRET} is a good film\n".encode() * 3
    ran = verdict("-", "--format", "lines", stdin=data, cwd=tmp_path, TMPDIR=str(tmp_path))
    assert ran.out.count(SECRET) == 3
    assert list(tmp_path.iterdir()) == []
