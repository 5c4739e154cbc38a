"""Judge reviews and single sentences by the fine-tuned MPNet, the most doubtful ones first.

    python -m training.recipe.mpnet_logits --mpnet DIR --targets FILE --out FILE     # continues a stopped run

Earlier soft targets (distill.py's file) say what is doubtful: MPNet needs a sixth of a second for a review,
and where the other teachers are sure it would change little. All development reviews are judged, and all
labelled sentences, since they weigh the teachers. A text that is not judged has NaN.
"""

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import torch
from tqdm import tqdm

from training.data import dataset, sentences
from training.evaluation import behaviour
from training.recipe import augment, mpnet, mpnet_weights, transformer
from training.recipe.pretrain import keep_memory
from training.recipe.transformer import TransformerError
from vocab import vocabulary
from vocab.files import write_atomic

STORED = Path(__file__).with_name("mpnet_logits.npz")
# A review is doubtful while P(positive) is further than this from 0 and from 1.
DOUBT = 0.05
# Texts between two writes of the file.
CHUNK = 1024


class Logits(NamedTuple):
    """Hold MPNet's logits, float32, NaN where a text was not judged.

    ``development`` and ``unsup`` are (reviews,), ``labelled`` those sentences of the behaviour suite and
    ``sentences`` those of ``sentences.cut_all``, (sentences,).
    """

    development: np.ndarray
    labelled: np.ndarray
    unsup: np.ndarray
    sentences: np.ndarray


def save(logits: Logits, path: Path) -> None:
    """Write logits as float16."""
    buffer = io.BytesIO()
    columns = {name: column.astype(np.float16) for name, column in logits._asdict().items()}
    np.savez_compressed(buffer, **columns)
    write_atomic(path, buffer.getvalue())


def load(path: Path) -> Logits:
    """Load what ``save`` wrote. Raises TransformerError."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Logits(*(arrays[name].astype(np.float32) for name in Logits._fields))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise TransformerError(f"{path} holds no logits ({type(error).__name__})") from error


def plan(logits: Logits, targets: augment.SoftTargets) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what is left to judge, in chunks: a field of Logits and rows, int64, the most doubtful first."""
    doubt = {
        "development": np.zeros(len(logits.development)),
        "labelled": np.zeros(len(logits.labelled)),
        "sentences": np.abs(targets.sentences.targets - 0.5),
        "unsup": np.abs(targets.unsup - 0.5),
    }
    for name, distance in doubt.items():
        order = np.argsort(distance, kind="stable")
        if name == "unsup":
            order = order[distance[order] < 0.5 - DOUBT]
        left = order[np.isnan(getattr(logits, name)[order])]
        for start in range(0, len(left), CHUNK):
            yield name, left[start : start + CHUNK]


def judge(options: argparse.Namespace, device: torch.device) -> Logits:
    """Judge what is left, and write ``--out`` after each chunk. Raises TransformerError."""
    source = mpnet_weights.pretrained_folder(options.weights)
    model = mpnet.load(options.mpnet, source).to(device)
    data = dataset.load(dataset.find_archive(options.archive))
    targets = augment.load_soft_targets(options.targets)
    cut = sentences.cut_all(data, vocabulary.load())
    texts: dict[str, Sequence[str]] = {
        "development": [review.text for review in data.development],
        "labelled": [row["text"] for row in behaviour.load_sentences(data.development)],
        "unsup": [review.text for review in data.unsup],
        "sentences": cut.texts,
    }
    if (len(data.unsup), len(cut.texts)) != (len(targets.unsup), len(targets.sentences.targets)):
        raise TransformerError(f"{options.targets} was made from another archive")
    logits = load(options.out) if options.out.is_file() else _nothing(texts)
    chunks = list(plan(logits, targets))
    for name, rows in tqdm(chunks, desc="judging", disable=None):
        read = mpnet.tail if name in ("development", "unsup") else _sentence
        parts = mpnet.pieces([texts[name][row] for row in rows], source)
        getattr(logits, name)[rows] = transformer.logits(model, [read(part) for part in parts], device)
        save(logits, options.out)
    return logits


def _nothing(texts: dict[str, Sequence[str]]) -> Logits:
    return Logits(*(np.full(len(texts[name]), np.nan, dtype=np.float32) for name in Logits._fields))


def _sentence(parts: mpnet.Sentences) -> np.ndarray:
    return mpnet.marked([piece for part in parts for piece in part])


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge reviews and sentences by the fine-tuned MPNet.")
    parser.add_argument("--mpnet", type=Path, required=True, help="the folder that mpnet.py wrote")
    parser.add_argument("--targets", type=Path, required=True, help="earlier soft targets (.npz)")
    parser.add_argument("--out", type=Path, default=STORED, help=f"file to write (default {STORED.name})")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--weights", type=Path, help="folder of your own download of all-mpnet-base-v2")
    keep_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        logits = judge(parser.parse_args(), device)
    except (dataset.DataError, TransformerError, vocabulary.VocabularyError) as error:
        sys.exit(f"mpnet_logits: {error}")
    except OSError as error:
        sys.exit(f"mpnet_logits: a file can't be written or read ({error})")
    for name, column in logits._asdict().items():
        print(f"mpnet_logits: {int((~np.isnan(column)).sum()):,} of {len(column):,} {name}")


if __name__ == "__main__":
    main()
