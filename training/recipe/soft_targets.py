"""Store the teachers' soft targets without the texts: small enough for the repository.

    python -m training.recipe.soft_targets --store FILE    # from distill.py's file to soft_targets.npz
    python -m training.recipe.soft_targets --out FILE      # from soft_targets.npz to a file like distill.py's

Restoring cuts the sentences anew from the archive. Their hash shows whether they are the sentences
that the teachers read. Restored targets equal the stored ones bit for bit.
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
from training.recipe.augment import Examples, SoftTargets
from vocab import vocabulary
from vocab.files import sha256, write_atomic

STORED = Path(__file__).with_name("soft_targets.npz")


class TargetsError(Exception):
    """The stored targets are missing, corrupt, or of other texts."""


def store(soft_targets: SoftTargets, path: Path) -> None:
    """Write targets and the hash of the sentences that they are for."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        teachers=json.dumps(soft_targets.teachers),
        unsup_targets=soft_targets.unsup.astype(np.float16),
        sentence_targets=soft_targets.sentences.targets.astype(np.float16),
        sentences_sha256=digest_of(soft_targets.sentences.ids),
    )
    write_atomic(path, buffer.getvalue())


def restore(path: Path, archive: str | None) -> SoftTargets:
    """Return the targets that ``store`` wrote, with their sentences.

    Raises TargetsError, dataset.DataError or vocabulary.VocabularyError.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            targets, expected = arrays["sentence_targets"], str(arrays["sentences_sha256"])
            unsup, teachers = arrays["unsup_targets"], json.loads(str(arrays["teachers"]))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise TargetsError(f"{path} holds no soft targets ({type(error).__name__})") from error
    data = dataset.load(dataset.find_archive(archive))
    ids = sentences.cut_all(data, vocabulary.load()).ids
    if digest_of(ids) != expected:
        raise TargetsError(
            f"{path} is of other sentences than this archive, vocabulary and code give;"
            " run `python -m training.recipe.distill`"
        )
    examples = Examples(ids, augment.whole(ids), targets.astype(np.float32))
    return SoftTargets(unsup.astype(np.float32), examples, teachers)


def digest_of(ids: Sequence[np.ndarray]) -> str:
    """Return the SHA-256 of texts as ids, int32 (tokens,) each, and of their lengths."""
    lengths = np.array([len(text) for text in ids], dtype=np.int32)
    return sha256(np.concatenate([lengths, *ids]).astype(np.int32).tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description="Store the teachers' soft targets, or restore them.")
    direction = parser.add_mutually_exclusive_group(required=True)
    direction.add_argument(
        "--store", type=Path, help="store the targets of this file, which distill.py wrote"
    )
    direction.add_argument(
        "--out", type=Path, help="restore the targets into this file, as distill.py writes it"
    )
    parser.add_argument(
        "--file",
        type=Path,
        default=STORED,
        help="file of the stored targets (default: training/recipe/soft_targets.npz)",
    )
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    try:
        if options.store:
            store(augment.load_soft_targets(options.store), options.file)
        else:
            augment.save_soft_targets(restore(options.file, options.archive), options.out)
    except OSError as error:
        sys.exit(f"soft_targets: a file can't be written or read ({error})")
    except (TargetsError, dataset.DataError, vocabulary.VocabularyError) as error:
        sys.exit(f"soft_targets: {error}")


if __name__ == "__main__":
    main()
