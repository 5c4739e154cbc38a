"""Read the valences of English words, which a fit may add to the weights of n-grams.

    python -m training.adapt.lexicon          # writes valences.tsv anew; needed for a new vocabulary only

The lexicon is that of VADER (Hutto & Gilbert, ICWSM 2014), rated by ten people each from -4 to 4. It knows
words of everyday life that film reviews rarely have. The vocabulary's words are kept.
"""

import functools
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np

from training.adapt.phrases import NOTHING, Change
from training.endpoint import ngram_weights
from training.endpoint.inference import LoadedModel
from vocab import vocabulary
from vocab.files import write_atomic
from vocab.vocabulary import Vocabulary

VALENCES = Path(__file__).with_name("valences.tsv")
SOURCE = "vaderSentiment-3.3.2"


def read_lexicon(model: LoadedModel) -> Change:
    """Return the valences of words as a change of a model's table; empty for a model without one."""
    size = len(model.network.ngrams.codes)
    return _change_of(model.vocabulary, size) if size else NOTHING


@functools.lru_cache(maxsize=2)
def _change_of(words: Vocabulary, size: int) -> Change:
    """Return the mean valence of each id's words, for a table of ``size`` columns."""
    lines = VALENCES.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if not line.startswith("#")]
    known = [(words.id_of(word), float(valence)) for word, valence in pairs if word in words.words]
    ids, places = np.unique([number for number, _ in known], return_inverse=True)
    means = np.bincount(places, [valence for _, valence in known]) / np.bincount(places)
    singles = ngram_weights.hashes(ids)[0] & np.uint64(size - 1)
    columns, places = np.unique(singles.astype(np.int64), return_inverse=True)
    return Change(columns, np.bincount(places, means, len(columns)))


def text_of(source: Path, words: Vocabulary) -> str:
    """Return the file's text, from VADER's source distribution: its licence, and the words that we know."""
    with tarfile.open(source) as archive:
        licence, table = (
            archive.extractfile(f"{SOURCE}/{name}")
            for name in ("LICENSE.txt", "vaderSentiment/vader_lexicon.txt")
        )
        assert licence is not None and table is not None
        notice = licence.read().decode().splitlines()
        rows = [line.split("\t")[:2] for line in table.read().decode().splitlines()]
    head = [f"# Words and their mean valence, -4 to 4, from {SOURCE}, vader_lexicon.txt.", *notice]
    comments = [head[0], *(f"# {line}".rstrip() for line in head[1:])]
    kept = [f"{word}\t{valence}" for word, valence in rows if word.isalpha() and word in words.words]
    return "\n".join([*comments, *kept]) + "\n"


def main() -> None:
    from training.adapt import curve

    try:
        source = curve.fetch()
    except subprocess.SubprocessError as error:
        sys.exit(f"lexicon: {error}")
    write_atomic(VALENCES, text_of(source, vocabulary.load()).encode())


if __name__ == "__main__":
    main()
