"""unused.py: what is deleted from installed libraries, and what stays."""

from pathlib import Path

import pytest

from training.aws import slim, unused

STEMMER = ("nltk/stem/porter.py", "nltk/stem/api.py")
NEEDED = (
    *STEMMER,
    "nltk-3.dist-info/licenses/LICENSE.txt",
    "botocore/data/endpoints.json",
    "botocore/data/s3/2006-03-01/service-2.json.gz",
    "botocore/data/sagemaker-runtime/2017-05-13/service-2.json.gz",
    "botocore/data/sts/2011-06-15/service-2.json.gz",
    "numpy/_core/multiarray.py",
    "onnxruntime/capi/onnxruntime_pybind11_state.so",
)
UNUSED = (
    "nltk/__init__.py",
    "nltk/parse/chart.py",
    "botocore/data/ec2/2016-11-15/service-2.json.gz",
    "botocore/data/s3control/2018-08-20/service-2.json.gz",
    "numpy/lib/tests/test_io.py",
    "onnxruntime/tools/symbolic_shape_infer.py",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of libraries, whose stemmer imports another module."""
    for name in (*NEEDED, *UNUSED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("some\n", encoding="utf-8")
    (tmp_path / STEMMER[0]).write_text("from nltk.stem.api import StemmerI\n", encoding="utf-8")
    return tmp_path


def test_only_what_a_request_needs_stays(folder: Path) -> None:
    assert unused.delete(folder) == len(UNUSED) * len("some\n")
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == set(NEEDED)


def test_no_empty_folder_stays(folder: Path) -> None:
    unused.delete(folder)
    assert all(any(path.iterdir()) for path in folder.rglob("*") if path.is_dir())


def test_a_folder_without_nltk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(slim.SlimError, match="nltk has no module nltk.stem.porter"):
        unused.delete(tmp_path)
