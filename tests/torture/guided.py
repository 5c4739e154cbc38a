"""Fuzz one reader by code coverage with atheris (libFuzzer), until the time is up.

python -m tests.torture.guided "a batch as CSV" --seconds 60
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["vocab", "training.data.archives", "training.files.rows", "training.jobs.training_job"]
):
    from tests.torture.readers import Reader, readers

MAX_BYTES = 4_096


def run(reader: Reader, folder: Path, seconds: int) -> None:
    """Run libFuzzer on a reader; it ends the process, with a status other than 0 after a fault."""
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, example in enumerate(reader.examples):
        (corpus / str(number)).write_bytes(example[:MAX_BYTES])
    limits = [f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", "-rss_limit_mb=2048", "-timeout=10"]
    quiet = ["-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *limits, *quiet, str(corpus)], reader.accepts)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz one reader, guided by code coverage.")
    parser.add_argument("reader", help="the reader's name in readers.py")
    parser.add_argument("--seconds", type=int, default=60, help="how long to fuzz (default: 60)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        by_name = {reader.name: reader for reader in readers(Path(folder))}
        run(by_name[options.reader], Path(folder), options.seconds)


if __name__ == "__main__":
    main()
