"""Score a file of reviews by the n-gram model, in one process.

python -m bench.nb_lr_bulk reviews.csv verdicts.csv
"""

import csv
import sys
from pathlib import Path

from bench import samples
from training.baselines import scorers

ROWS = 1_000


def main() -> None:
    source, out = map(Path, sys.argv[1:])
    score = scorers.nb_lr(samples.find().source).score
    csv.field_size_limit(sys.maxsize)
    with source.open(encoding="utf-8", newline="") as file:
        reviews = [row["review"] for row in csv.DictReader(file)]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "probability"])
        for start in range(0, len(reviews), ROWS):
            rows = reviews[start : start + ROWS]
            writer.writerows(zip(rows, score(rows), strict=True))


if __name__ == "__main__":
    main()
