"""An output that exists stays, unless --force is given."""

from pathlib import Path

import pytest

from training.files.outputs import check_new
from training.files.rows import BatchError


def test_a_new_file_and_none_are_fine(tmp_path: Path) -> None:
    check_new(tmp_path / "new.csv", force=False)
    check_new(None, force=False)


def test_a_file_that_exists_is_named_with_the_flag_that_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch()
    with pytest.raises(BatchError, match="a.csv exists; add --force to replace it, or choose another -o$"):
        check_new(path, force=False, flag="-o")
    check_new(path, force=True)


def test_make_s_own_way_to_pass_the_flag_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_TYPED", "make report")
    (tmp_path / "a.csv").touch()
    with pytest.raises(BatchError, match="add FLAGS=--force to replace it"):
        check_new(tmp_path / "a.csv", force=False)


def test_a_link_to_nothing_exists_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(BatchError, match="a.csv exists"):
        check_new(tmp_path / "a.csv", force=False)


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_file_is_refused(force: bool, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="is no file; choose another --out"):
        check_new(tmp_path, force)
    with pytest.raises(BatchError, match="--out takes a file's name, and - is none"):
        check_new(Path("-"), force)


def test_a_missing_folder_is_named_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="there is no folder .*nowhere for the output; make it, or choose"):
        check_new(tmp_path / "nowhere/a.csv", force=True)
