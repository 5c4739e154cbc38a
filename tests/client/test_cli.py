"""The command with a URL: texts and files, output, exit statuses."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.conftest import make_answer
from tests.support.command import COMMAND, WAIT_SECONDS, environment, start, verdict
from tests.support.service import Service, problem, reply
from tests.support.stack import Stack, free_ports
from verdict_sentiment import cli
from vocab import vocabulary
from vocab.exit_status import MEANINGS

pytestmark = pytest.mark.slow

GOOD = "A lovely, warm film that I would happily watch again with all of my friends."
BAD = "A dull, badly acted mess without a plot. I hated every single minute of it."


@pytest.fixture
def url(stack: Stack) -> str:
    return stack.api


def save(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


# --- one review ---------------------------------------------------------------------------------


def test_a_text_gets_its_verdict_in_a_line(url: str) -> None:
    ran = verdict(GOOD, "--url", url)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("positive  P(positive) = 0.9")
    assert ran.out.count("\n") == 1


def test_the_service_may_be_named_by_a_variable(url: str) -> None:
    assert verdict(BAD, VERDICT_URL=url).out.startswith("negative")


def test_warnings_are_shown(url: str) -> None:
    assert "  too_short: With so few words" in verdict("Not good.", "--url", url).out


def test_sentences_are_shown_alone_and_left_out(url: str) -> None:
    lines = verdict(f"{GOOD} {BAD}", "--url", url, "--explain", "sentences").out.splitlines()
    # A review of both sides may get a warning, if the model finds it mixed.
    _, *warnings, first, second, third = lines
    assert all(line.startswith("  mixed: ") for line in warnings)
    pattern = re.compile(r"  alone [ \d]{3} %, without it [ \d]{3} %  \S.*")
    assert all(map(pattern.fullmatch, (first, second, third)))
    assert first.endswith("friends.") and third.endswith("of it.")


def test_words_are_shown_with_their_contributions(url: str) -> None:
    lines = verdict(BAD, "--url", url, "--explain", "words").out.splitlines()
    words = [line for line in lines[1:] if re.match(r"  [+-]\d", line)]
    assert len(words) == len(vocabulary.load().encode(BAD).ids)
    assert any("without it " in line for line in words)


@pytest.mark.parametrize("explain", ["none", "words"])
def test_json_is_the_api_s_own(url: str, explain: str) -> None:
    response = httpx.post(f"{url}/v1/sentiment", json={"review": GOOD, "explain": explain})
    ran = verdict(GOOD, "--url", url, "--json", "--explain", explain)
    answer, expected = json.loads(ran.out), response.json()
    assert answer.pop("request_id") != expected.pop("request_id")
    assert list(answer.items()) == list(expected.items())


def test_aspects_are_shown_and_told(url: str, tmp_path: Path) -> None:
    review = "The music is lovely, but the plot is dull."
    lines = verdict(review, "--url", url, "--aspects", "film").out.splitlines()
    assert any(line.startswith("music: positive  P(positive) = 0.") for line in lines)
    assert lines[-1].startswith("not mentioned: ")
    path = save(tmp_path / "own.json", json.dumps({"music": ["music"]}))
    response = httpx.post(f"{url}/v1/sentiment", json={"review": review, "aspects": {"music": ["music"]}})
    ran = verdict(review, "--url", url, "--json", "--explain", "sentences", "--aspects", str(path))
    assert json.loads(ran.out) | {"request_id": ""} == response.json() | {"request_id": ""}


def test_aspects_that_are_none_are_one_sentence() -> None:
    ran = verdict(GOOD, "--url", "http://127.0.0.1:1", "--aspects", "films")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("verdict: --aspects takes film, product or a JSON file; 'films' can't be read")


def test_standard_input_is_one_review(url: str) -> None:
    ran = verdict("--url", url, stdin=f"\ufeff{BAD}\n\n{BAD}\n".encode())
    assert ran.out.startswith("negative")


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        (b"\xff\xfeg\x00o\x00", "standard input is not UTF-8 (byte 0); send UTF-8"),
        (b"caf\xe9", "standard input is not UTF-8 (byte 3); send UTF-8"),
        (b"x" * 1_000_001, "standard input is longer than a review; for many reviews, give --format"),
    ],
)
def test_a_standard_input_that_is_no_text_is_one_sentence(stdin: bytes, says: str) -> None:
    ran = verdict("--url", "http://127.0.0.1:1", stdin=stdin)
    assert (ran.status, ran.out, ran.err) == (2, "", f"verdict: {says}\n")


@pytest.mark.parametrize("review", ["", "<br>", " \n "])
def test_a_review_without_a_word_ends_with_one(url: str, review: str) -> None:
    ran = verdict("--text", review, "--url", url)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("verdict: review holds no word or sign")


def test_a_review_that_is_too_long_ends_with_one(url: str) -> None:
    ran = verdict("--url", url, stdin=b"x" * 50_001)
    assert ran.status == 1
    assert ran.err == (
        "verdict: review has 50,001 characters, at most 50,000 are read; send a shorter one (too_long)\n"
    )


# --- what was typed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("I", "loved", "it"), "3 texts came, send one: put a review in quotes"),
        (
            ("missing.csv",),
            "there is no file 'missing.csv'; did you mean a file in another folder? For a review, give",
        ),
        (
            ("missing", "--format", "csv"),
            "there is no file 'missing'; did you mean a file in another folder? For a review, give --text",
        ),
        (
            ("adpat",),
            "there is no command 'adpat'; did you mean verdict adapt? For a review, give --text adpat",
        ),
        (
            ("adpat", "my.csv"),
            "there is no command 'adpat'; did you mean verdict adapt? For a review, put it in quotes",
        ),
        (
            ("my missing reviews.csv",),
            "there is no file 'my missing reviews.csv'; did you mean a file in another folder? For a review,",
        ),
        (("help", "nosuch"), "there is no command 'nosuch'; verdict --help lists them"),
        (("--text", "a", "b"), "--text is the review; leave the other text or file out"),
        (("good", "-o", "out.csv"), "-o and --column are for files of reviews; name one, or give --format"),
        (("folder",), "'folder' is a folder; name a file in it, or give a review of that name to --text"),
        (("-",), "rows on standard input need --format csv, tsv, jsonl or lines"),
        (
            ("good", "--url", "localhost"),
            "the service's URL must look like https://api.example.com/stage;",
        ),
    ],
)
def test_arguments_that_make_no_sense_are_one_sentence(
    arguments: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    ran = verdict(*arguments, cwd=tmp_path, VERDICT_URL="http://127.0.0.1:1")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"verdict: {says}")
    assert ran.err.count("\n") == 1


def test_a_wrong_flag_ends_with_two() -> None:
    assert verdict("good", "--timeout", "0").status == 2
    assert verdict("good", "--url", "http://a", "--local").status == 2


def test_a_text_may_look_like_a_file(url: str, tmp_path: Path) -> None:
    save(tmp_path / "good", "x")
    assert verdict("--text", "good", "--url", url, cwd=tmp_path).status == 0
    assert verdict("--text", "great.csv", "--url", url, cwd=tmp_path).status == 0


def test_a_text_may_look_like_a_command(url: str) -> None:
    assert verdict("--text", "adpat", "--url", url).status == 0
    assert verdict("--url", url, "--", "adpat").status == 0


def test_help_says_how_it_ends() -> None:
    ran = verdict("--help")
    assert ran.status == 0
    for status, meaning in MEANINGS.items():
        assert f"  {status:4} {meaning}\n" in ran.out


def test_help_has_a_line_a_command() -> None:
    out = verdict("--help").out
    for name, command in cli.COMMANDS.items():
        assert f"    {name:11} {command.line}\n" in out


def test_help_may_be_asked_for_as_a_command() -> None:
    assert verdict("help").bytes == verdict("--help").bytes
    assert verdict("help", "serve").bytes == verdict("serve", "--help").bytes


# --- files --------------------------------------------------------------------------------------


def test_a_csv_gets_a_verdict_a_row(url: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", f'id,review\n1,"{GOOD}"\n2,<br>\n3,"{BAD}"\n')
    ran = verdict(str(path), "--url", url, "-o", "out.csv", cwd=tmp_path)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "verdict: 3 rows, 1 of them with an error, in out.csv\n"
    rows = rows_of((tmp_path / "out.csv").read_bytes())
    assert [(row["id"], row["sentiment"], row["error"]) for row in rows] == [
        ("1", "positive", ""),
        ("2", "", "no_token"),
        ("3", "negative", ""),
    ]
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "out.csv"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", f"id\treview\n1\t{GOOD}\n2\t{BAD}\n"),
        ("a.jsonl", f'{{"id": 1, "review": "{GOOD}"}}\n{{"review": "{BAD}"}}\n'),
        ("a.txt", f"{GOOD}\n\n{BAD}\n"),
        ("a.CSV", f'\ufeffreview\r\n"{GOOD}"\r\n"{BAD}"\r\n'),
    ],
)
def test_every_format_is_read(name: str, content: str, url: str, tmp_path: Path) -> None:
    path = save(tmp_path / name, content)
    ran = verdict(str(path), "--url", url)
    assert ran.status == 0
    assert [row["sentiment"] for row in rows_of(ran.bytes)] == ["positive", "negative"]
    lines = verdict(str(path), "--url", url, "--json").out.splitlines()
    assert [json.loads(line)["sentiment"] for line in lines] == ["positive", "negative"]


def test_rows_may_come_on_standard_input(url: str) -> None:
    data = f"{GOOD}\n{BAD}\n".encode()
    for arguments in (("-",), ()):
        ran = verdict(*arguments, "--format", "lines", "--url", url, stdin=data)
        assert [row["sentiment"] for row in rows_of(ran.bytes)] == ["positive", "negative"]


def test_standard_output_gets_the_bytes_of_a_file(url: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", "review\n" + f'"{GOOD}"\n"{BAD}"\n"caf\u00e9, \U0001f3ac"\n' * 90)
    assert verdict(str(path), "--url", url, "-o", str(tmp_path / "out.csv")).status == 0
    assert verdict(str(path), "--url", url).bytes == (tmp_path / "out.csv").read_bytes()


def test_a_file_is_explained_by_a_service_and_by_the_model_here_alike(url: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", f'review;id\n"{GOOD} {BAD} So; so.";1\n"";2\n')
    told = {}
    for name, where in (("service", ("--url", url)), ("here", ("--local",))):
        ran = verdict(str(path), *where, "--explain", "words", "--json", "--delimiter", ";")
        assert ran.status == 1
        told[name] = [json.loads(line) for line in ran.out.splitlines()]
    assert told["service"] == told["here"]
    first, second = told["here"]
    assert {"text", "sentences", "words", "bias"} <= first.keys()
    assert second["detail"].startswith("line 3: ")
    (row, _) = rows_of(verdict(str(path), "--url", url, "--explain", "sentences").bytes)
    assert row["strongest positive sentence"] and row["strongest negative sentence"]


def test_a_pipe_is_neither_a_file_nor_a_review(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "reviews")
    ran = verdict("reviews", "--local", cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("verdict: 'reviews' is a pipe or a device; ")


def test_an_import_that_is_interrupted_is_an_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error
        return 0

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        assert cli.exit_status(work) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "verdict: interrupted\n"


def test_a_file_that_exists_is_replaced_only_by_force(url: str, tmp_path: Path) -> None:
    path, out = save(tmp_path / "a.txt", GOOD), save(tmp_path / "out.csv", "mine")
    ran = verdict(str(path), "--url", url, "-o", "out.csv", cwd=tmp_path)
    assert (ran.status, out.read_text("utf-8")) == (2, "mine")
    assert ran.err == "verdict: out.csv exists; add --force to replace it, or choose another -o\n"
    ran = verdict(str(path), "--url", url, "-o", "out.csv", "--force", cwd=tmp_path)
    assert (ran.status, ran.err) == (0, "verdict: 1 row, 0 of them with an error, in out.csv\n")
    assert len(rows_of(out.read_bytes())) == 1


def test_two_fitting_columns_need_a_choice(url: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", f"id,text,comment\n1,{BAD},fine\n".replace(", badly", " badly"))
    ran = verdict(str(path), "--url", url)
    assert ran.status == 2
    assert "more than one column that may hold reviews: 'text', 'comment'; name one with --column" in ran.err
    assert rows_of(verdict(str(path), "--url", url, "--column", "text").bytes)[0]["sentiment"] == "negative"


def test_a_file_without_a_column_of_reviews_has_its_columns_listed(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", "id,opinion\n1,x\n")
    ran = verdict(str(path), "--url", "http://127.0.0.1:1")
    assert ran.status == 2
    assert ran.err.endswith("has no column of reviews; it has 'id', 'opinion'; name one with --column\n")


def test_a_file_without_a_header_repeats_no_review(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", f'"{BAD}"\n"{GOOD}"\n')
    ran = verdict(str(path), "--url", "http://127.0.0.1:1")
    assert ran.status == 2
    assert "dull" not in ran.err
    assert "it has (75 characters); name one with --column" in ran.err


HOSTILE = {
    "half of UTF-16": ("review\ngood film\n".encode("utf-16")[:-1], "is not UTF-16, as its first bytes say"),
    "latin-1": ("review\ncaf\u00e9 film\n".encode("latin-1"), "is not UTF-8 (near its start)"),
    "latin-1, later": (
        ("review\n" + "good film\n" * 5_000 + "caf\u00e9\n").encode("latin-1"),
        "is not UTF-8 (after line 4,",
    ),
    "empty": (b"", "is empty; give a file with a header and a review"),
    "mark only": (b"\xef\xbb\xbf", "is empty; give a file with a header and a review"),
    "header only": (b"review\n", "holds no row; give a file with a review"),
    "open quote": (b'review\n"good\n', "is no CSV at line"),
    "one endless line": (b"review\n" + b"x" * 10_000_001, "has a line 2 of over 10,000,000 characters"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_can_t_be_read_is_one_sentence(kind: str, tmp_path: Path) -> None:
    content, says = HOSTILE[kind]
    path = save(tmp_path / "a.csv", content)
    ran = verdict(str(path), "--url", "http://127.0.0.1:1", "-o", str(tmp_path / "out.csv"))
    assert (ran.status, ran.out) == (2, "")
    assert says in ran.err
    assert ran.err.count("\n") == 1
    assert os.listdir(tmp_path) == ["a.csv"]


def test_odd_rows_get_their_own_errors_and_the_others_their_verdicts(url: str, tmp_path: Path) -> None:
    rows = [
        "\ufeffid,review",
        f'1,"{GOOD}"',
        "2",
        "3,a,b",
        f'4,"{"x" * 1_000_000}"',
        f'5,"\x00{BAD}\x00"',
        "6,",
    ]
    path = save(tmp_path / "a.csv", "\n".join(rows) + "\n")
    ran = verdict(str(path), "--url", url)
    assert (ran.status, ran.err) == (1, "")
    outcomes = [(row["id"], row["sentiment"] or row["error"]) for row in rows_of(ran.bytes)]
    assert outcomes == [
        ("1", "positive"),
        ("2", "malformed_csv"),
        ("3", "malformed_csv"),
        ("4", "too_long"),
        ("5", "negative"),
        ("6", "no_token"),
    ]


def test_no_cell_is_a_formula(service: Service, tmp_path: Path) -> None:
    model = {"id": "=model", "vocabulary": "v", "uncertain": [0.4, 0.6]}
    answer = make_answer(warnings=[{"code": "@x", "detail": "y"}])
    del answer["model"], answer["request_id"]
    service.say(reply(200, model))
    service.say(reply(200, {"answers": [{"id": 0} | answer], "model": model, "request_id": "r"}))
    path = save(tmp_path / "a.csv", "review\n=1+1 good film\n")
    (row,) = rows_of(verdict(str(path), "--url", service.url).bytes)
    assert (row["review"], row["model"], row["warnings"]) == ("'=1+1 good film", "'=model", "'@x")


# --- a service that is not there ----------------------------------------------------------------


def test_a_service_that_is_not_there_ends_with_three(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    path = save(tmp_path / "a.csv", "review\ngood film\n")
    for arguments in (("good film",), (str(path), "-o", str(tmp_path / "out.csv"))):
        ran = verdict(*arguments, "--url", f"http://127.0.0.1:{port}", "--deadline", "0.2")
        assert (ran.status, ran.out) == (3, "")
        assert ran.err.startswith(f"verdict: nothing answers at http://127.0.0.1:{port}; is the service")
        assert ran.err.count("\n") == 1
    assert os.listdir(tmp_path) == ["a.csv"]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_service_that_refuses_the_caller_ends_with_three(service: Service, status: int) -> None:
    service.say(problem(status, "some_code", "what to do"))
    ran = verdict("good film", "--url", service.url, VERDICT_API_KEY="k")
    assert (ran.status, ran.err) == (3, "verdict: what to do (some_code)\n")
    assert service.asked[0].headers["x-api-key"] == "k"


def test_a_service_s_words_do_not_steer_the_terminal(service: Service) -> None:
    service.say(problem(403, "some_code", "wait\x1b[2J a\nminute"))
    ran = verdict("good film", "--url", service.url)
    assert ran.err == "verdict: wait [2J a minute (some_code)\n"


# --- an output that can't be written ------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_one_sentence(url: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.txt", GOOD)
    for argument in (GOOD, str(path)):
        with open("/dev/full", "wb") as full:
            running = start(argument, "--url", url, stdout=full)
            _, err = running.communicate(timeout=WAIT_SECONDS)
        assert (running.returncode, err) == (4, b"verdict: standard output: No space left on device\n")


def test_a_full_disk_names_the_file_and_what_is_kept(url: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.txt", f"{GOOD}\n{BAD}\n")
    # No file may grow past this limit, as on a full disk; the first parts of 100 rows still fit.
    path.write_text(f"{GOOD}\n" * 1000, encoding="utf-8")
    ran = subprocess.run(
        ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh", *COMMAND, "a.txt", "--url", url, "-o", "out.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
    )
    assert (ran.returncode, ran.stdout) == (4, "")
    assert ran.stderr.splitlines()[-1] == (
        "verdict: out.csv: File too large; run the same command again to go on (out.csv.parts holds what is"
        " done)"
    )
    assert verdict("a.txt", "--url", url, "-o", "out.csv", cwd=tmp_path).status == 0
    assert len(rows_of((tmp_path / "out.csv").read_bytes())) == 1000


def test_a_closed_standard_output_is_one_sentence() -> None:
    process = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *COMMAND, "good film", "--url", "http://127.0.0.1:1"],
        capture_output=True,
        env=environment(),
    )
    assert (process.returncode, process.stderr) == (
        2,
        b"verdict: standard output is closed, so no verdict could be told\n",
    )


def test_a_closed_standard_input_is_one_sentence() -> None:
    for flags, says in (((), "nothing to judge; "), (("--format", "lines"), "standard input is closed; ")):
        process = subprocess.run(
            ["sh", "-c", '"$@" <&-', "sh", *COMMAND, *flags, "--url", "http://127.0.0.1:1"],
            capture_output=True,
            env=environment(),
        )
        assert (process.returncode, process.stdout) == (2, b"")
        assert process.stderr.startswith(f"verdict: {says}".encode())
        assert process.stderr.count(b"\n") == 1


def test_rows_on_standard_input_that_can_t_be_read_are_called_so() -> None:
    ran = verdict("--format", "lines", "--url", "http://127.0.0.1:1", stdin="caf\u00e9".encode("latin-1"))
    assert (ran.status, ran.err) == (
        2,
        "verdict: standard input is not UTF-8 (near its start); save it as UTF-8 and run this again\n",
    )


def test_a_reader_that_goes_away_is_no_traceback(url: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.txt", f"{GOOD}\n" * 3000)
    running = start(str(path), "--url", url)
    assert running.stdout and running.stderr
    running.stdout.readline()
    running.stdout.close()
    assert running.wait(WAIT_SECONDS) == 141
    assert running.stderr.read() == b""
    running.stderr.close()


# --- stopped ------------------------------------------------------------------------------------


def wait_for_parts(number: int, out: Path, running: Any) -> None:
    folder = out.with_name(out.name + ".parts")
    deadline = time.monotonic() + WAIT_SECONDS
    while len(list(folder.glob("[0-9a-f]*.jsonl"))) < number:
        assert time.monotonic() < deadline and running.poll() is None, running.communicate()
        time.sleep(0.005)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_stopped_it_goes_on_and_no_row_is_lost_or_doubled(
    number: signal.Signals, status: int, url: str, tmp_path: Path
) -> None:
    rows = [f'{row},"film {row} is {GOOD if row % 2 else BAD}"' for row in range(2500)]
    path, out = save(tmp_path / "a.csv", "\n".join(["id,review", *rows])), tmp_path / "out.csv"
    running = start(str(path), "--url", url, "-o", str(out))
    wait_for_parts(2, out, running)
    running.send_signal(number)
    _, err = running.communicate(timeout=WAIT_SECONDS)
    assert running.returncode == status
    assert not out.exists()
    if number == signal.SIGINT:
        assert err.decode().startswith("verdict: interrupted; run the same command again to go on (")
        assert err.count(b"\n") == 1
    parts = {part.name for part in out.with_name("out.csv.parts").glob("[0-9a-f]*.jsonl")}
    assert 2 <= len(parts) < 25
    assert verdict(str(path), "--url", url, "-o", str(out)).status == 0
    assert [row["id"] for row in rows_of(out.read_bytes())] == [str(row) for row in range(2500)]
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "out.csv"]
    assert verdict(str(path), "--url", url).bytes == out.read_bytes()


def test_a_service_that_goes_away_leaves_the_finished_rows(service: Service, tmp_path: Path) -> None:
    answer = make_answer()
    model = answer.pop("model")
    del answer["request_id"]
    answers = [{"id": number} | answer for number in range(100)]
    service.say(reply(200, model), reply(200, {"answers": answers, "model": model, "request_id": "r"}))
    service.say(problem(500, "internal", "a fault"))
    path, out = save(tmp_path / "a.txt", "good film\n" * 150), tmp_path / "out.csv"
    ran = verdict(str(path), "--url", service.url, "-o", str(out))
    assert ran.status == 3
    assert ran.err.startswith("verdict: a fault (internal); run the same command again to go on (")
    service.say(reply(200, model), reply(200, {"answers": answers[:50], "model": model, "request_id": "r"}))
    assert verdict(str(path), "--url", service.url, "-o", str(out)).status == 0
    assert len(rows_of(out.read_bytes())) == 150
