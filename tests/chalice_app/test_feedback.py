"""Feedback is stored only when FEEDBACK is set, and deleted by its id."""

import csv
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from chalicelib import feedback_store
from tests.support.api import ApiResponse, InProcess, Served
from tests.support.aws_server import AwsServer
from tests.support.fake_runtime import FakeRuntime
from training.adapt import feedback_export as exporting
from vocab import messages
from vocab.messages.feedback import PlaceError, RecordError, from_bytes

JSON = {"Content-Type": "application/json"}
REVIEW = "My neighbour Frobisher laughed until it hurt."
SAID = {"review": REVIEW, "label": "positive", "model": "verdict-0123"}


def send(api: Any, **message: object) -> ApiResponse:
    answer = api.send("POST", "/v1/feedback", json.dumps(message).encode(), JSON)
    assert isinstance(answer, ApiResponse)
    return answer


@pytest.fixture
def folder(api: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the app's feedback, which the first record creates."""
    monkeypatch.setenv("FEEDBACK", str(tmp_path / "said"))
    return tmp_path / "said"


def kept_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


# --- keeping ------------------------------------------------------------------------------------


def test_nothing_is_kept_unless_it_is_switched_on(api: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEEDBACK", raising=False)
    answer = send(api, **SAID)
    assert (answer.status, answer.json()["code"]) == (404, "feedback_off")
    assert api.send("GET", "/v1/feedback").json() == {"enabled": False}


def test_a_review_and_its_right_label_are_kept(api: InProcess, folder: Path) -> None:
    answer = send(api, **SAID)
    assert answer.status == 201
    (path,) = kept_in(folder)
    record = from_bytes(path.read_bytes())
    assert record.id == answer.json()["id"]
    assert record.feedback == (REVIEW, "positive", "verdict-0123")
    assert api.send("GET", "/v1/feedback").json() == {"enabled": True}


def test_judging_a_review_keeps_nothing(api: InProcess, folder: Path) -> None:
    body = json.dumps({"review": REVIEW}).encode()
    assert api.send("POST", "/v1/sentiment", body, JSON).status == 200
    assert kept_in(folder) == []


def test_what_is_kept_is_for_its_owner_alone(api: InProcess, folder: Path) -> None:
    send(api, **SAID)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(kept_in(folder)[0].stat().st_mode) == 0o600


def test_feedback_asks_no_endpoint_and_is_not_in_the_log(
    api: InProcess, fake: FakeRuntime, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id = send(api, **SAID).json()["id"]
    assert api.send("DELETE", f"/v1/feedback/{id}").status == 200
    output = "".join(capsys.readouterr())
    assert fake.calls == []
    assert '"route":"/v1/feedback"' in output.replace(" ", "")
    assert "Frobisher" not in output and id not in output


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ({"review": REVIEW}, 400, "missing_field"),
        ({"label": "positive"}, 400, "missing_field"),
        ({"review": REVIEW, "label": "uncertain"}, 400, "bad_value"),
        ({"review": REVIEW, "label": 1}, 400, "bad_value"),
        ({"review": REVIEW, "label": "positive", "model": "../../x"}, 400, "bad_value"),
        ({"review": REVIEW, "label": "positive", "model": 7}, 400, "bad_value"),
        ({"review": REVIEW, "label": "positive", "name": "x"}, 400, "unknown_field"),
        ({"review": 7, "label": "positive"}, 400, "wrong_type"),
        ({"review": "  ", "label": "positive"}, 422, "no_token"),
        ({"review": "x" * 50_001, "label": "positive"}, 413, "too_long"),
    ],
)
def test_what_is_no_feedback_is_refused_and_not_kept(
    api: InProcess, folder: Path, message: dict[str, object], status: int, code: str
) -> None:
    answer = send(api, **message)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert b"Frobisher" not in answer.body
    assert kept_in(folder) == []


def test_a_text_alone_is_no_feedback(api: InProcess, folder: Path) -> None:
    answer = api.send("POST", "/v1/feedback", REVIEW.encode(), {"Content-Type": "text/plain"})
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_full_place_takes_no_more(api: InProcess, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_store, "MAX_RECORDS", 2)
    statuses = [send(api, **SAID).status for _ in range(3)]
    assert statuses == [201, 201, 503]
    assert len(kept_in(folder)) == 2


def test_a_full_disk_is_a_problem_and_leaves_nothing(
    api: InProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, f"No space left for {REVIEW}")

    monkeypatch.setattr("vocab.files.os.fsync", full)
    answer = send(api, **SAID)
    assert (answer.status, answer.json()["code"]) == (503, "feedback_unavailable")
    assert b"Frobisher" not in answer.body
    assert kept_in(folder) == []


def test_a_place_that_is_none_is_said_to_be_not_set_up(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDBACK", "https://example.com/said")
    answer = send(api, **SAID)
    assert (answer.status, answer.json()["code"]) == (500, "misconfigured")


def test_where_keys_are_wanted_feedback_wants_one(
    api: InProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH", "key")
    monkeypatch.setenv("API_KEYS", "0" * 64)
    assert send(api, **SAID).status == 401
    assert api.send("DELETE", f"/v1/feedback/{'0' * 32}").status == 401


# --- deleting -----------------------------------------------------------------------------------


def test_whoever_has_the_id_can_have_it_deleted(api: InProcess, folder: Path) -> None:
    first, second = (send(api, **SAID).json()["id"] for _ in range(2))
    answer = api.send("DELETE", f"/v1/feedback/{first}")
    assert (answer.status, answer.json()["deleted"]) == (200, True)
    assert [path.stem for path in kept_in(folder)] == [second]


def test_an_id_under_which_nothing_is_kept_is_a_404(api: InProcess, folder: Path) -> None:
    id = send(api, **SAID).json()["id"]
    assert api.send("DELETE", f"/v1/feedback/{id}").status == 200
    for unknown in (id, "0" * 32):
        answer = api.send("DELETE", f"/v1/feedback/{unknown}")
        assert (answer.status, answer.json()["code"]) == (404, "feedback_unknown")


@pytest.mark.parametrize("id", ["x", "A" * 32, "0" * 31, "..%2f..%2fetc", "0" * 33, "1" * 5_000])
def test_what_is_no_id_deletes_nothing(api: InProcess, folder: Path, id: str) -> None:
    send(api, **SAID)
    answer = api.send("DELETE", f"/v1/feedback/{id}")
    assert (answer.status, answer.json()["code"]) == (404, "feedback_unknown")
    assert len(kept_in(folder)) == 1


def odd_files(folder: Path, beside: Path) -> list[Path]:
    """Put a folder, a pipe and a link where records lie."""
    paths = [folder / f"{digit * 32}.json" for digit in "123"]
    paths[0].mkdir()
    os.mkfifo(paths[1])
    beside.write_text("mine", encoding="utf-8")
    paths[2].symlink_to(beside)
    return paths


def test_a_folder_a_pipe_or_a_link_is_nothing_that_was_kept(
    api: InProcess, folder: Path, tmp_path: Path
) -> None:
    send(api, **SAID)
    paths = odd_files(folder, tmp_path / "mine")
    for path in paths:
        answer = api.send("DELETE", f"/v1/feedback/{path.stem}")
        assert (answer.status, answer.json()["code"]) == (404, "feedback_unknown")
    assert all(os.path.lexists(path) for path in paths)


@pytest.mark.parametrize("kind", ["file", "pipe", "below a file"])
def test_a_place_that_can_not_hold_feedback_is_one_sentence(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.write_text("mine", encoding="utf-8")
    named = place / "below" if kind == "below a file" else place
    with pytest.raises(PlaceError, match=rf"^FEEDBACK is '{named}', which can't be used \(.+\)$"):
        feedback_store.check({"FEEDBACK": str(named)})


def test_a_place_is_made_at_the_start_and_a_bucket_is_not_asked(tmp_path: Path) -> None:
    feedback_store.check({"FEEDBACK": str(tmp_path / "a" / "b")})
    feedback_store.check({"FEEDBACK": "s3://my-bucket/verdict"})
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_an_id_is_answered_on_no_other_method(api: InProcess, folder: Path) -> None:
    answer = api.send("GET", f"/v1/feedback/{'0' * 32}")
    assert (answer.status, answer.headers["allow"]) == (405, "DELETE, OPTIONS")


def test_it_works_behind_the_launcher(fake: FakeRuntime, tmp_path: Path) -> None:
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url, FEEDBACK=str(tmp_path / "said"))
    try:
        id = send(served, **SAID).json()["id"]
        assert len(kept_in(tmp_path / "said")) == 1
        assert served.send("DELETE", f"/v1/feedback/{id}").status == 200
        assert kept_in(tmp_path / "said") == []
    finally:
        served.stop()


# --- taking out ---------------------------------------------------------------------------------


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_export_has_what_was_kept_as_adapt_reads_it(api: InProcess, folder: Path, tmp_path: Path) -> None:
    send(api, **SAID)
    send(api, review='Dull, "they" said,\nand long.', label="negative")
    out = tmp_path / "corrections.csv"
    assert exporting.main(["export", "--from", str(folder), "--out", str(out)]) == 0
    assert {(row["text"], row["label"]) for row in rows_of(out)} == {
        (REVIEW, "positive"),
        ('Dull, "they" said,\nand long.', "negative"),
    }
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_an_export_holds_no_formula(api: InProcess, folder: Path, tmp_path: Path) -> None:
    send(api, review="=HYPERLINK(1)", label="negative")
    exporting.main(["export", "--from", str(folder), "--out", str(tmp_path / "a.csv")])
    assert rows_of(tmp_path / "a.csv")[0]["text"] == "'=HYPERLINK(1)"


def test_half_a_character_does_not_keep_the_rest_from_being_exported(
    api: InProcess, folder: Path, tmp_path: Path
) -> None:
    send(api, review="broken \ud800 here", label="negative")
    send(api, review="whole", label="positive")
    out = tmp_path / "a.csv"
    assert exporting.main(["export", "--from", str(folder), "--out", str(out)]) == 0
    assert sorted(row["text"] for row in rows_of(out)) == ["broken ? here", "whole"]


def test_what_cannot_be_read_is_left_out_and_counted(
    api: InProcess, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    send(api, **SAID)
    (folder / f"{'0' * 32}.json").write_text("{}", encoding="utf-8")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    exporting.main(["export", "--from", str(folder), "--out", str(tmp_path / "a.csv")])
    assert "feedback: 1 review in " in capsys.readouterr().out
    assert len(rows_of(tmp_path / "a.csv")) == 1


def test_odd_files_are_named_and_neither_opened_nor_deleted(
    api: InProcess, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    send(api, **SAID)
    paths = odd_files(folder, tmp_path / "mine")
    assert exporting.main(["export", "--from", str(folder), "--out", str(tmp_path / "a.csv")]) == 0
    assert len(rows_of(tmp_path / "a.csv")) == 1
    errors = capsys.readouterr().err
    assert all(f"feedback: {path} is no file; it is left alone" in errors for path in paths)
    store = exporting.open_store(str(folder))
    assert exporting.delete(store, [path.stem for path in paths], every=False) == 0
    assert capsys.readouterr().err.count("is no file; it is left alone") == 3
    assert all(os.path.lexists(path) for path in paths)


def test_a_pipe_that_takes_a_record_s_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    assert exporting.open_store(str(tmp_path)).read("a.json") == b""


def test_a_record_that_nests_without_end_is_left_out() -> None:
    with pytest.raises(RecordError):
        from_bytes(b"[" * 100_000)


def test_everything_can_be_deleted(api: InProcess, folder: Path) -> None:
    for _ in range(3):
        send(api, **SAID)
    assert exporting.main(["delete", "--all", "--yes", "--from", str(folder)]) == 0
    assert kept_in(folder) == []


@pytest.mark.parametrize(
    "arguments", [["delete"], ["delete", "x"], ["delete", "--all", "0" * 32], ["export", "--out", "a.csv"]]
)
def test_what_is_not_clear_is_refused(
    api: InProcess, folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    send(api, **SAID)
    where = [] if arguments[0] == "export" else ["--from", str(folder)]
    if not where:
        arguments = [*arguments, "--from", "/nowhere/at/all"]
    assert exporting.main([*arguments, *where]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert len(kept_in(folder)) == 1


# --- a bucket -----------------------------------------------------------------------------------


def test_a_bucket_keeps_deletes_and_gives_out(
    api: InProcess, aws: AwsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import boto3

    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="said-here")
    monkeypatch.setenv("FEEDBACK", "s3://said-here/verdict")
    feedback_store._client.cache_clear()
    first, _ = (send(api, **SAID).json()["id"] for _ in range(2))
    assert [api.send("DELETE", f"/v1/feedback/{first}").status for _ in range(2)] == [200, 404]
    out = tmp_path / "a.csv"
    assert exporting.main(["export", "--from", "s3://said-here/verdict", "--out", str(out)]) == 0
    assert [row["text"] for row in rows_of(out)] == [REVIEW]
    feedback_store._client.cache_clear()


class Broken:
    """A client whose bucket is missing."""

    def put_object(self, **_: object) -> None:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "NoSuchBucket", "Message": REVIEW}}, "PutObject")


def test_a_bucket_that_fails_is_a_problem(api: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDBACK", "s3://said-here")
    monkeypatch.setattr(feedback_store, "_client", Broken)
    answer = send(api, **SAID)
    assert (answer.status, answer.json()["code"]) == (503, "feedback_unavailable")
    assert b"Frobisher" not in answer.body


class Conditional:
    """A client whose bucket holds nothing under the key, and tells so as S3 does where IfMatch asks."""

    def delete_object(self, **arguments: object) -> None:
        from botocore.exceptions import ClientError

        if arguments.get("IfMatch") == "*":
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "DeleteObject")


def test_a_bucket_tells_that_nothing_is_kept_under_an_id(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDBACK", "s3://said-here")
    monkeypatch.setattr(feedback_store, "_client", Conditional)
    answer = api.send("DELETE", f"/v1/feedback/{'0' * 32}")
    assert (answer.status, answer.json()["code"]) == (404, "feedback_unknown")


def test_the_messages_and_the_document_name_the_same_sides() -> None:
    assert messages.SIDES == ("positive", "negative")
