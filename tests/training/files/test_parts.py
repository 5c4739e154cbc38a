"""What a batch keeps until its output is whole: parts under their hash, one run at a time, nothing left."""

from array import array
from pathlib import Path

import pytest

from training.files import parts
from training.files.rows import BatchError, Part, Prediction

KEY = "0123456789abcdef"


def part(number: int, *ids: int) -> Part:
    return Part(number, array("Q", ids), [""] * len(ids))


def answers(*ids: int) -> bytes:
    return b"\n".join(b'{"id":%d,"error":{"code":"no_token","detail":"d"}}' % number for number in ids)


def test_parts_are_found_again_in_the_order_of_their_rows(tmp_path: Path) -> None:
    with parts.open_folder(tmp_path / "out.csv", KEY) as kept:
        kept.save(part(1, 5, 6), answers(5, 6))
        kept.save(part(0, 2, 4), answers(2, 4))
        found = kept.paths()
        assert [sorted(parts.load_predictions(found[number])) for number in range(2)] == [[2, 4], [5, 6]]
        assert parts.is_whole(found[0], part(0, 2, 4))
        assert not parts.is_whole(found[0], part(0, 2, 3))


def test_answers_to_other_rows_are_not_kept(tmp_path: Path) -> None:
    with parts.open_folder(tmp_path / "out.csv", KEY) as kept:
        with pytest.raises(BatchError, match="row 2 did not come back"):
            kept.save(part(0, 0, 1), answers(0))
        assert kept.paths() == {}


def test_what_is_kept_comes_back_parsed(tmp_path: Path) -> None:
    with parts.open_folder(tmp_path / "out.csv", KEY) as kept:
        path, predictions = kept.save(part(0, 3), answers(3))
        assert predictions == parts.load_predictions(path) == {3: Prediction(error="no_token", detail="d")}


def test_a_damaged_part_is_noticed(tmp_path: Path) -> None:
    with parts.open_folder(tmp_path / "out.csv", KEY) as kept:
        kept.save(part(0, 1), answers(1))
        (path,) = kept.paths().values()
        path.write_bytes(path.read_bytes().replace(b"no_token", b"no_taken"))
        assert not parts.is_whole(path, part(0, 1))
        with pytest.raises(BatchError, match="is damaged; run it again"):
            parts.load_part(path)


def test_parts_of_another_input_or_model_are_not_taken(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with pytest.raises(ZeroDivisionError), parts.open_folder(out, KEY) as kept:
        kept.save(part(0, 1), answers(1))
        raise ZeroDivisionError
    with parts.open_folder(out, "f" * 16) as kept:
        assert kept.paths() == {}
        assert [path.name for path in kept.folder.iterdir()] == ["lock"]


def test_the_folder_stays_after_an_error_and_is_gone_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with pytest.raises(ZeroDivisionError), parts.open_folder(out, KEY) as kept:
        kept.write_job({"name": "x"})
        raise ZeroDivisionError
    with parts.open_folder(out, KEY) as kept:
        assert kept.read_job() == {"name": "x"}
        (kept.folder / ".job.json.k3x").write_bytes(b"half, from a run that was killed")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_ours_is_left_where_it_is(tmp_path: Path) -> None:
    with parts.open_folder(tmp_path / "out.csv", KEY) as kept:
        (kept.folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert [path.name for path in parts.folder_of(tmp_path / "out.csv").iterdir() if path.name != "lock"] == [
        "notes.txt"
    ]


def test_a_run_that_fails_before_anything_is_kept_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), parts.open_folder(tmp_path / "out.csv", KEY):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_with_the_same_output_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with parts.open_folder(out, KEY):
        with pytest.raises(BatchError, match="^another run is writing .*out.csv; wait for it, or"):
            with parts.open_folder(out, KEY):
                pass


def test_a_job_file_that_is_not_whole_is_one_sentence(tmp_path: Path) -> None:
    with parts.open_folder(tmp_path / "out.csv", KEY) as kept:
        assert kept.read_job() is None
        kept.job.write_text('{"na', encoding="utf-8")
        with pytest.raises(BatchError, match="job.json is not whole; delete it to start anew"):
            kept.read_job()


def test_an_output_is_there_only_once_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), parts.open_folder(out, KEY) as kept:
        with parts.open_output(kept, out) as file:
            file.write("half")
            raise ZeroDivisionError
    assert out.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [out]
    with parts.open_folder(out, KEY) as kept, parts.open_output(kept, out) as file:
        file.write("half a character: \ud800\r\n")
    assert out.read_bytes() == b"half a character: \\ud800\r\n"
