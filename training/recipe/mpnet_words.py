"""Store MPNet's vector of each stem, small enough for the repository: mpnet_words.safetensors.

    python -m training.recipe.mpnet_words              # ten minutes on two cores

A stem is read as its most frequent word in train and unsup reviews. The mean of the word's last states
is its vector. MPNet is all-mpnet-base-v2 as it was published, so no film review of ours has changed it.
The vectors lose all but their first principal components, and become int8.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save
from torch import nn
from tqdm import tqdm

from training.data import dataset
from training.recipe import mpnet_weights, transformer, word_vectors
from training.recipe.pretrain import uses_bf16
from training.recipe.transformer import TransformerError
from vocab import vocabulary
from vocab.files import write_atomic
from vocab.vocabulary import FIRST_KNOWN_ID, Vocabulary

BATCH = 256


def most_frequent(reviews: Iterable[str], words: Vocabulary) -> dict[str, tuple[str, int]]:
    """Return each stem's most frequent word in the reviews and that word's count, in the order of ids."""
    found: dict[str, tuple[str, int]] = {}
    stems = {number: stem for stem, number in words.stems.items()}
    for word, count in sorted(vocabulary.count_words(reviews).items()):
        number = words.id_of(word)
        if number >= FIRST_KNOWN_ID and count > found.get(stems[number], ("", 0))[1]:
            found[stems[number]] = (word, count)
    return dict(sorted(found.items(), key=lambda item: words.stems[item[0]]))


def embed(words: Sequence[str], folder: Path, device: torch.device) -> np.ndarray:
    """Return the mean of each word's last states, float32 (words, 768)."""
    encoder: nn.Module = mpnet_weights.encoder(folder)
    encoder.eval().to(device)
    encoded = transformer.tokenizer_of(folder).encode_batch(list(words))
    pieces = [np.array(one.ids, np.int32) for one in encoded]
    order = np.argsort([len(one) for one in pieces], kind="stable")
    parts = []
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=uses_bf16(device)):
        for start in tqdm(range(0, len(order), BATCH), desc="words", disable=None):
            ids, mask = transformer.padded([pieces[row] for row in order[start : start + BATCH]], device)
            states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            share = mask[:, :, None] / mask.sum(1)[:, None, None]
            parts.append((states * share).sum(1).cpu().numpy())
    return np.concatenate(parts)[order.argsort()]


def compress(vectors: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first components of unit vectors, centred, as int8 (words, COMPONENTS) and their scales.

    A component is its int8 times its scale, float32 (COMPONENTS,).
    """
    weights = word_vectors.weights_of(counts)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    units -= np.average(units, axis=0, weights=weights)
    components = word_vectors.principal(units, weights, word_vectors.COMPONENTS)
    scales = np.abs(components).max(axis=0) / 127
    return np.round(components / scales).astype(np.int8), scales.astype(np.float32)


def packed(stems: Iterable[str], vectors: np.ndarray, scales: np.ndarray) -> bytes:
    """Return the content of the stored file."""
    return save({"vectors": vectors, "scales": scales}, metadata={"stems": "\n".join(stems)})


def store(options: argparse.Namespace, device: torch.device) -> int:
    """Write the stored file; return the number of stems. Raises DataError or TransformerError."""
    folder = mpnet_weights.pretrained_folder(options.weights)
    data = dataset.load(dataset.find_archive(options.archive))
    found = most_frequent((review.text for review in [*data.train, *data.unsup]), vocabulary.load())
    words, counts = zip(*found.values(), strict=True)
    vectors, scales = compress(embed(words, folder, device), np.array(counts))
    write_atomic(options.out, packed(found, vectors, scales))
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description="Store MPNet's vector of each stem.")
    parser.add_argument("--out", type=Path, default=word_vectors.STORED, help="file to write")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--weights", type=Path, help="folder of your own download of all-mpnet-base-v2")
    options = parser.parse_args()
    try:
        count = store(options, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    except (dataset.DataError, TransformerError, vocabulary.VocabularyError) as error:
        sys.exit(f"mpnet_words: {error}")
    except OSError as error:
        sys.exit(f"mpnet_words: a file can't be written or read ({error})")
    print(f"mpnet_words: {count:,} stems in {options.out}")


if __name__ == "__main__":
    main()
