"""`verdict shadow` against Comprehend's and text-embeddings-inference's protocols on loopback."""

import csv
import errno
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import Served
from tests.support.other_services import OtherServices
from tests.support.service import Service
from tests.support.stack import free_ports
from verdict_sentiment import cli, programs
from verdict_sentiment.shadow import comprehend, files, kept

pytestmark = pytest.mark.slow

LOVELY = "A lovely, warm film that I would happily watch again with all of my friends, number {}."
DULL = "A dull, badly acted mess without a plot. I hated every single minute of it, number {}."
FRENCH = "Ce film est vraiment très mauvais, je ne le recommande à personne, et surtout pas à ma mère."


class Ran:
    """A finished command: its exit status and its output."""

    def __init__(self, status: object, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def other() -> Iterator[OtherServices]:
    running = OtherServices()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and an AWS user without credentials."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name == "TEI_API_KEY":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as end:
            cli.main(["shadow", *arguments])
        captured = capsys.readouterr()
        return Ran(end.value.code, captured.out, captured.err)

    return run


def save(rows: list[Any], name: str = "reviews.csv", header: tuple[str, ...] = ("id", "review")) -> str:
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return name


def texts(count: int) -> list[tuple[int, str]]:
    return [(number, (LOVELY, DULL)[number % 2].format(number)) for number in range(count)]


def written(name: str = "disagreements.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(Path(name).read_text(encoding="utf-8"), newline="")))


@pytest.mark.parametrize("against", ["comprehend", "tei"])
def test_services_that_agree_agree_on_every_row_and_nothing_is_claimed_beyond(
    run: Any, other: OtherServices, against: str
) -> None:
    ran = run(save(texts(60)), "--against", against, other.url)
    assert ran.status == 0, ran.err
    assert "60 of 60 rows compared\n" in ran.out
    assert re.search(r"rows that both call positive or negative +100\.0 % +94\.0 to 100\.0 +60\n", ran.out)
    assert ran.out.endswith("that they agree does not show that they are right.\n")
    assert written() == []
    assert [len(batch) for batch in other.texts] == [25, 25, 10]
    assert sorted(os.listdir()) == ["disagreements.csv", "reviews.csv"]


def test_disagreements_are_written_widest_apart_first_with_their_rows_and_scores(
    run: Any, other: OtherServices
) -> None:
    rows = [
        *texts(4),
        (4, "A film of two hours."),
        (5, "=dull() was the word, but no: a wonderful, moving film"),
    ]
    ran = run(save(rows), "--against", "comprehend", other.url, "-o", "apart.csv")
    assert ran.status == 0, ran.err
    first = written("apart.csv")[0]
    assert (first["row"], first["verdict"], first["other"], first["id"]) == ("6", "positive", "NEGATIVE", "5")
    assert first["review"] == "'" + rows[5][1]
    assert first["score_negative"] == "0.900000"
    assert float(first["gap"]) == pytest.approx(
        abs(float(first["verdict_probability"]) - float(first["other_probability"])), abs=1e-5
    )
    assert run("reviews.csv", "--against", "comprehend", other.url, "-o", "raw.csv", "--raw").status == 0
    assert written("raw.csv")[0]["review"] == rows[5][1]
    gaps = [float(row["gap"]) for row in written("apart.csv")]
    assert gaps == sorted(gaps, reverse=True)


def test_labels_say_who_is_right_and_the_sentence_says_how_sure_that_is(
    run: Any, other: OtherServices
) -> None:
    # The other service calls everything with "dull" negative.
    praise = [
        (n, f"Not dull at all: a wonderful and moving film, number {n}.", "positive") for n in range(30)
    ]
    name = save(
        [*praise, *((n, DULL.format(n), "negative") for n in range(30, 40))], header=("id", "review", "label")
    )
    ran = run(name, "--against", "comprehend", other.url, "--json")
    assert ran.status == 0, ran.err
    found = json.loads(ran.out)
    assert found["labels"]["theirs"]["hits"] == 10
    assert found["labels"]["only_theirs"] == 0
    assert found["labels"]["only_ours"] == found["labels"]["ours"]["hits"] - 10 > 5
    assert found["conclusion"].startswith(
        "On 40 labelled reviews, Verdict is right more often than Comprehend"
    )
    assert written()[0]["label"] == "positive"


def test_a_difference_that_may_be_chance_is_not_claimed(run: Any, other: OtherServices) -> None:
    rows = [(n, text, ("positive", "negative")[n % 2]) for n, text in texts(20)]
    ran = run(save(rows, header=("id", "review", "label")), "--against", "comprehend", other.url)
    assert "neither is right more often beyond chance" in ran.out
    assert "does not show that they are equally good" in ran.out


def test_one_row_is_compared_and_proves_nothing(run: Any, other: OtherServices) -> None:
    ran = run(save(texts(1)), "--against", "comprehend", other.url)
    assert ran.status == 0, ran.err
    assert "1 of 1 row compared" in ran.out and "2.5 to 100.0" in ran.out


def test_rows_that_can_t_be_compared_are_named_and_not_paid_for(run: Any, other: OtherServices) -> None:
    other.failed_items = lambda text: "INTERNAL_SERVER_ERROR" if "number 3." in text else None
    rows = [*texts(6), (6, "lovely " * 800), (7, FRENCH), (8, "<br>")]
    ran = run(save(rows), "--against", "comprehend", other.url, "--json")
    assert ran.status == 1
    found = json.loads(ran.out)
    assert (found["rows"], found["compared"]) == (9, 5)
    left_out = {name: count for name, count in found["left_out"].items() if count}
    assert left_out == {"too_long": 1, "not_english": 1, "verdict_error": 1, "other_error": 1}
    assert found["failures"] == {"INTERNAL_SERVER_ERROR": 1}
    sent = [text for batch in other.texts for text in batch]
    assert FRENCH not in sent and rows[6][1] not in sent
    assert found["cost"]["other"]["dollars"] == pytest.approx(0.0001 * 3 * found["compared"])


def test_rows_are_drawn_at_random_and_always_the_same(run: Any, other: OtherServices) -> None:
    save(texts(40))
    for _ in range(2):
        assert run("reviews.csv", "--against", "comprehend", other.url, "--rows", "9", "--force").status == 0
    assert (
        run(
            "reviews.csv", "--against", "comprehend", other.url, "--rows", "9", "--seed", "1", "--force"
        ).status
        == 0
    )
    first, again, others = other.texts
    assert len(first) == 9 and first == again != others
    assert first != [text for _, text in texts(9)]


@pytest.fixture(scope="module")
def own_routes() -> Iterator[str]:
    """Verdict's own API, which speaks both protocols."""
    (port,) = free_ports(1)
    command = (sys.executable, "-m", "chalice_app.local.rsgi_server", "--port", str(port))
    served = Served(*command, COMPATIBLE="comprehend,tei", API_PROCESSES="1")
    with httpx.Client(transport=httpx.HTTPTransport(retries=20), trust_env=False) as client:
        client.get(served.url + "/v1/openapi.json")
    yield served.url
    served.stop()


@pytest.mark.parametrize("against", ["comprehend", "tei"])
def test_verdict_agrees_with_itself_behind_the_other_s_protocol(
    run: Any, own_routes: str, against: str
) -> None:
    doubtful = ["It was good and it was bad.", "The seats were red.", "A lovely end, but the rest is dull."]
    rows = [*texts(40), *enumerate(doubtful, 40)]
    ran = run(save(rows), "--against", against, own_routes, "--json")
    assert ran.status == 0, ran.err
    found = json.loads(ran.out)["agreement"]
    assert found["strict"]["share"] == found["decided"]["share"] == 1.0
    assert found["strict"]["rows"] == 43 > found["decided"]["rows"] >= 40


# --- money --------------------------------------------------------------------------------------


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service on loopback is paid for, as Comprehend itself."""
    monkeypatch.setattr(comprehend, "is_loopback", lambda url: False)
    for name, value in (("ACCESS_KEY_ID", "AK"), ("SECRET_ACCESS_KEY", "s"), ("DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(f"AWS_{name}", value)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_spent_unasked(run: Any, other: OtherServices, paid: None) -> None:
    ran = run(save(texts(50)), "--against", "comprehend", other.url)
    assert ran.status == 2
    assert "50 reviews for Comprehend cost at most $0.0150" in ran.err
    assert "give --yes to spend it, or --rows N for fewer" in ran.err
    assert other.asked == 0
    assert os.listdir() == ["reviews.csv"]


def test_yes_spends_after_saying_how_much(run: Any, other: OtherServices, paid: None) -> None:
    ran = run(save(texts(50)), "--against", "comprehend", other.url, "--yes")
    assert ran.status == 0
    assert ran.err.startswith("verdict: 50 reviews for Comprehend cost at most $0.0150")
    assert other.asked == 2


@pytest.mark.parametrize(("typed", "asked", "status"), [("y\n", 1, 0), ("\n", 0, 1), ("", 0, 1)])
def test_a_terminal_is_asked(
    run: Any,
    other: OtherServices,
    paid: None,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    asked: int,
    status: int,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    ran = run(save(texts(5)), "--against", "comprehend", other.url)
    assert "Spend it? [y/N]" in ran.err
    assert (other.asked, ran.status) == (asked, status)
    assert Path("disagreements.csv").exists() == bool(asked)
    assert not Path("disagreements.csv.parts").exists()


def test_the_same_text_is_paid_for_once(run: Any, other: OtherServices, paid: None) -> None:
    ran = run(
        save([(n, LOVELY.format(1)) for n in range(60)]),
        "--against",
        "comprehend",
        other.url,
        "--yes",
        "--json",
    )
    assert "cost at most $0.0003" in ran.err
    assert [len(batch) for batch in other.texts] == [1]
    assert json.loads(ran.out)["compared"] == 60


# --- stopped and resumed ------------------------------------------------------------------------


def test_what_was_paid_for_is_kept_and_the_same_command_goes_on(
    run: Any, other: OtherServices, paid: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = 400, {"__type": "ExpiredTokenException", "Message": "x"}, {}
    other.fault = lambda number, texts: refused if number == 3 else None
    command = (save(texts(100)), "--against", "comprehend", other.url, "--yes")
    ran = run(*command)
    assert ran.status == 3
    assert "Comprehend refused the caller" in ran.err and "ExpiredTokenException" in ran.err
    assert "run the same command again to go on" in ran.err
    assert not Path("disagreements.csv").exists()
    ran = run(*command)
    assert ran.status == 0, ran.err
    assert "cost at most $0.0150 (50 answers are kept from before)" in ran.err
    sent = [text for batch in other.texts for text in batch]
    assert sorted(sent) == sorted(text for _, text in texts(100))
    assert sorted(os.listdir()) == ["disagreements.csv", "reviews.csv"]


def test_a_full_disk_keeps_what_was_paid_for(
    run: Any, other: OtherServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, kept_calls = kept.PartsFolder.keep, []

    def full(self: Any, number: int, data: bytes, ending: str = "jsonl") -> Path:
        if number == 2:
            raise OSError(errno.ENOSPC, "No space left on device", "disagreements.csv.parts")
        kept_calls.append(number)
        return keep(self, number, data, ending)

    with monkeypatch.context() as patch:
        patch.setattr(kept.PartsFolder, "keep", full)
        ran = run(save(texts(100)), "--against", "comprehend", other.url)
    assert ran.status == 4
    assert "No space left on device" in ran.err and "run the same command again" in ran.err
    assert not Path("disagreements.csv").exists()
    assert run("reviews.csv", "--against", "comprehend", other.url).status == 0
    assert [len(batch) for batch in other.texts] == [25] * 5


def test_a_disk_that_is_full_at_the_end_costs_no_second_call(
    run: Any, other: OtherServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_atomic", full)
        ran = run(save(texts(30)), "--against", "comprehend", other.url)
    assert ran.status == 4
    assert "run the same command again" in ran.err
    assert run("reviews.csv", "--against", "comprehend", other.url).status == 0
    assert len(other.texts) == 2


def test_a_stop_by_hand_says_how_to_go_on(
    run: Any, other: OtherServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = comprehend.Comprehend.ask

    def stop(self: Any, texts: list[str]) -> Any:
        if other.asked == 1:
            raise KeyboardInterrupt
        return ask(self, texts)

    monkeypatch.setattr(comprehend.Comprehend, "ask", stop)
    ran = run(save(texts(60)), "--against", "comprehend", other.url)
    assert ran.status == 130
    assert "interrupted; run the same command again to go on" in ran.err


# --- bad input ----------------------------------------------------------------------------------


def test_no_credentials_are_one_sentence(run: Any) -> None:
    ran = run(save(texts(5)), "--against", "comprehend", "--yes")
    assert ran.status == 2
    assert ran.err.startswith("verdict: no AWS credentials were found for Comprehend; run `aws configure`")
    assert ran.err.count("\n") == 1
    assert os.listdir() == ["reviews.csv"]


def test_without_the_libraries_the_extra_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "is_installed", lambda: False)
    ran = run(save(texts(5)), "--against", "comprehend")
    assert ran.status == 2
    assert "pip install 'verdict-sentiment[local]'" in ran.err and ran.err.count("\n") == 1


@pytest.mark.parametrize("against", ["comprehend", "tei"])
def test_a_service_that_is_down_is_one_sentence(
    run: Any, monkeypatch: pytest.MonkeyPatch, against: str
) -> None:
    monkeypatch.setattr(comprehend, "TRIES", 1)
    monkeypatch.setattr("training.shadow.predict_route.TRIES", 1)
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    ran = run(save(texts(5)), "--against", against, url)
    assert ran.status == 3
    assert f"did not answer at {url}" in ran.err and ran.err.count("\n") == 1
    assert os.listdir() == ["reviews.csv"]


def test_verdict_s_own_service_may_be_the_one_that_is_down(run: Any, other: OtherServices) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    ran = run(save(texts(5)), "--against", "tei", other.url, "--url", url, "--deadline", "1")
    assert ran.status == 3
    assert f"nothing answers at {url}" in ran.err
    assert other.asked == 0


@pytest.mark.parametrize("against", ["comprehend", "tei"])
def test_an_answer_that_trickles_in_ends_by_the_deadline(run: Any, against: str) -> None:
    service = Service()
    service.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
    service.trickles = b" "
    ran = run(save(texts(5)), "--against", against, service.url, "--deadline", "0.5")
    service.close()
    assert ran.status == 3
    assert "gave no answer within 0.5 s" in ran.err and ran.err.count("\n") == 1


def test_garbage_is_one_sentence(run: Any) -> None:
    service = Service()
    service.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
    ran = run(save(texts(5)), "--against", "tei", service.url)
    service.close()
    assert ran.status == 3
    assert "does the URL lead to its /predict?" in ran.err and ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--column", "nope"), "no column 'nope'"),
        (("--label", "nope"), "no column 'nope'"),
        (("--label", "id"), "labels"),
        (("-o", "reviews.csv"), "is the input"),
        (("-o", "out.jsonl"), "call it .csv"),
        (("-o", "old.csv"), "old.csv exists"),
        (("-o", "no/where.csv"), "there is no folder"),
    ],
)
def test_what_can_t_be_used_is_said_before_anything_is_asked(
    run: Any, other: OtherServices, flags: tuple[str, ...], sentence: str
) -> None:
    Path("old.csv").write_text("mine", encoding="utf-8")
    ran = run(save(texts(12)), "--against", "comprehend", other.url, *flags)
    assert ran.status == 2
    assert sentence in ran.err and ran.err.count("\n") == 1
    assert other.asked == 0
    assert Path("old.csv").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("", "is empty"), ("id,review\n", "holds no row"), ("id,other\n1,x\n", "no column of reviews")],
)
def test_a_file_without_reviews_is_one_sentence(
    run: Any, other: OtherServices, content: str, sentence: str
) -> None:
    Path("reviews.csv").write_text(content, encoding="utf-8")
    ran = run("reviews.csv", "--against", "comprehend", other.url)
    assert ran.status == 2
    assert sentence in ran.err and ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("missing.csv", "--against", "comprehend"), "there is no file 'missing.csv'"),
        (("reviews.csv", "--against", "tei"), "tei needs its URL"),
        (("reviews.csv", "--against", "tei", "127.0.0.1:80"), "must look like"),
        (("reviews.csv",), "--against"),
        (("reviews.csv", "--against", "azure"), "invalid choice"),
        (("reviews.csv", "--against", "comprehend", "--rows", "0"), "--rows must be 1 or more"),
        (("reviews.csv", "--against", "comprehend", "--other-hour", "1"), "--other-hour is for tei"),
    ],
)
def test_wrong_arguments_are_refused(run: Any, arguments: tuple[str, ...], sentence: str) -> None:
    save(texts(3))
    ran = run(*arguments)
    assert ran.status == 2
    assert sentence in ran.err


def test_labels_that_mean_nothing_are_not_used_unless_named(run: Any, other: OtherServices) -> None:
    name = save([(n, text, "abc"[n % 3]) for n, text in texts(6)], header=("id", "review", "label"))
    ran = run(name, "--against", "comprehend", other.url)
    assert ran.status == 0
    assert "labels: none used: labels are positive and negative" in ran.out
    ran = run(name, "--against", "comprehend", other.url, "--force", "--positive", "a", "--negative", "b,c")
    assert "On 6 labelled reviews" in ran.out


def test_the_other_machine_s_price_is_the_user_s(run: Any, other: OtherServices) -> None:
    command = (save(texts(6)), "--against", "tei", other.url, "--json", "--force")
    assert json.loads(run(*command).out)["cost"]["other"]["dollars"] is None
    cost = json.loads(run(*command, "--other-hour", "3.6", "--machine-hour", "7.2").out)["cost"]
    assert cost["other"]["dollars"] == pytest.approx(cost["other"]["seconds"] / 1000)
    assert cost["verdict"]["dollars"] == pytest.approx(cost["verdict"]["seconds"] / 500)
