"""Count words in the train and unsup reviews and write vocab/vocabulary.pkl and .json.

    python -m training.data.build_vocab

Only train and unsup reviews are counted, never the test or development split.
"""

import argparse
import sys
from pathlib import Path

from training.data import dataset
from vocab import vocabulary


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the vocabulary from train and unsup reviews.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--max-stems", type=int, default=30_000, help="most stems (default 30,000)")
    parser.add_argument("--min-count", type=int, default=4, help="fewest occurrences of a word (default 4)")
    parser.add_argument("--out", type=Path, default=vocabulary.VOCABULARY, help="path of the pickle to write")
    arguments = parser.parse_args()
    try:
        data = dataset.load(dataset.find_archive(arguments.archive))
    except dataset.DataError as error:
        sys.exit(f"build_vocab: {error}")
    reviews = [review.text for review in data.train + data.unsup]
    stems, words = vocabulary.build(vocabulary.count_words(reviews), arguments.max_stems, arguments.min_count)
    source = f"{len(reviews):,} train and unsup reviews of the IMDb Large Movie Review Dataset v1.0"
    try:
        fingerprint = vocabulary.save(arguments.out, stems, words, source)
    except OSError as error:
        sys.exit(f"build_vocab: {arguments.out} can't be written ({error.strerror})")
    print(f"{arguments.out}: {len(stems):,} stems, {len(words):,} words, fingerprint {fingerprint}")


if __name__ == "__main__":
    main()
