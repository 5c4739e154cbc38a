"""The teachers' answers without the texts: small enough for the repository, so that nobody has to ask again.

    python -m training.recipe.soft_targets --keep FILE     # from a file of distill.py to training/recipe/soft_targets.npz
    python -m training.recipe.soft_targets --out FILE      # from training/recipe/soft_targets.npz to a file as distill.py writes it

The sentences are cut anew from the archive, and their hash says whether they are the ones that were
answered for. What comes back is what was kept, bit for bit.
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from training.data import dataset, sentences
from training.recipe import augment
from training.recipe.augment import Examples, Taught
from vocab import vocabulary
from vocab.files import sha256, write_atomic

KEPT = Path(__file__).with_name("soft_targets.npz")


class TargetsError(Exception):
    """The kept targets are missing, corrupt, or of other texts."""


def keep(taught: Taught, kept: Path) -> None:
    """Write targets and the hash of the sentences that they are for."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        teachers=json.dumps(taught.teachers),
        unsup_targets=taught.unsup.astype(np.float16),
        sentence_targets=taught.sentences.targets.astype(np.float16),
        sentences_sha256=digest_of(taught.sentences.ids),
    )
    write_atomic(kept, buffer.getvalue())


def restore(kept: Path, archive: str | None) -> Taught:
    """Give what ``keep`` was given. Raises TargetsError, dataset.DataError, vocabulary.VocabularyError."""
    try:
        with np.load(kept, allow_pickle=False) as arrays:
            targets, expected = arrays["sentence_targets"], str(arrays["sentences_sha256"])
            unsup, teachers = arrays["unsup_targets"], json.loads(str(arrays["teachers"]))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise TargetsError(f"{kept} holds no kept targets ({type(error).__name__})") from error
    data = dataset.load(dataset.find_archive(archive))
    ids = sentences.cut_all(data, vocabulary.load()).ids
    if digest_of(ids) != expected:
        raise TargetsError(
            f"{kept} answers for other sentences than this archive, vocabulary and code give; run distill.py"
        )
    return Taught(unsup.astype(np.float32), Examples(ids, targets.astype(np.float32)), teachers)


def digest_of(ids: Sequence[np.ndarray]) -> str:
    """Give the SHA-256 of texts as ids, and of where each ends."""
    lengths = np.array([len(one) for one in ids], dtype=np.int32)
    return sha256(np.concatenate([lengths, *ids]).astype(np.int32).tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep the teachers' answers, or take them from there.")
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--keep", type=Path, help="the file of distill.py whose targets to keep")
    ways.add_argument("--out", type=Path, help="the file to write, as distill.py does")
    parser.add_argument(
        "--kept", type=Path, default=KEPT, help="the kept targets (training/recipe/soft_targets.npz)"
    )
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    try:
        if options.keep:
            keep(augment.load_taught(options.keep), options.kept)
        else:
            augment.save_taught(restore(options.kept, options.archive), options.out)
    except OSError as error:
        sys.exit(f"targets: a file can't be written or read ({error})")
    except (TargetsError, dataset.DataError, vocabulary.VocabularyError) as error:
        sys.exit(f"targets: {error}")


if __name__ == "__main__":
    main()
