"""Score a file of reviews by pandas and VADER, in one process, as a short script would.

python -m bench.vader_bulk reviews.csv verdicts.csv
"""

import sys

import pandas
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


def main() -> None:
    source, out = sys.argv[1:]
    frame = pandas.read_csv(source)
    score = SentimentIntensityAnalyzer().polarity_scores
    frame["compound"] = frame["review"].map(lambda review: score(review)["compound"])
    frame.to_csv(out, index=False)


if __name__ == "__main__":
    main()
