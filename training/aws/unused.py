"""Delete what no request needs from installed libraries; packages leave the same out.

    python -m training.aws.unused venv/lib/python3.13/site-packages        # in the Dockerfile

This module imports no library, so that it can delete files of any.
"""

import re
import sys
from pathlib import Path

from training.aws import slim

# Parts of ONNX Runtime that Python's inference never loads: 40 of 75 MB.
ONNX_RUNTIME = re.compile(
    r"onnxruntime/(backend|datasets|quantization|tools|transformers)/"
    r"|onnxruntime/capi/libonnxruntime\.so|regex/tests/|[^/]+\.data/"
)
NUMPY = re.compile(
    r"numpy/(_core/_simd\.|f2py|testing|distutils|.*tests|.*_examples|.*\.pyi$|.*\.a$)|[^/]+\.data/"
)
# botocore describes all of AWS in 28 MB. A server on one machine stores feedback in S3, by a role of STS, and
# may call an endpoint that a variable names.
SERVICES = ("s3", "sagemaker-runtime", "sts")
BOTOCORE = re.compile(rf"botocore/data/(?!({'|'.join(SERVICES)})/)[^/]+/")
LICENCE = re.compile(r"licen[cs]e|notice|authors|copying", re.IGNORECASE)


def delete(folder: Path) -> int:
    """Delete what no request needs from a folder of installed libraries; return the bytes deleted.

    Licences stay. Raises slim.SlimError when the folder has no NLTK.
    """
    stemmer, deleted = slim.modules(folder), 0
    for path in sorted(folder.rglob("*"), reverse=True):  # a folder comes after its files
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and (is_unused(name) or (name.startswith("nltk/") and path not in stemmer)):
            deleted += path.stat().st_size
            path.unlink()
    return deleted


def is_unused(name: str) -> bool:
    """Return whether no request needs a library's file, by its name below site-packages.

    >>> is_unused("numpy/f2py/crackfortran.py"), is_unused("botocore/data/s3/2006-03-01/waiters-2.json")
    (True, False)
    """
    return any(pattern.match(name) for pattern in (ONNX_RUNTIME, NUMPY, BOTOCORE))


if __name__ == "__main__":
    print(f"deleted {delete(Path(sys.argv[1])) / 1e6:.0f} MB that no request needs")
