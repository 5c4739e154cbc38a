"""Measure frames, SQL and the classifier beside `verdict file.csv`, each a whole program on all cores.

    python -m bench.frames                    # reviews a second, and each one's share of the command's
    python -m bench.frames --only pandas reviews.csv out.csv       # one of them, on a file

Each reads a CSV, judges its column ``review`` and writes a CSV, start included. A busy machine is refused.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import measuring, samples
from bench.measuring import BusyError
from bench.processes import FailedError, watch
from bench.setting import ROOT
from training.data import dataset

COMMAND = "verdict file.csv"
# The least share of the command's rate that frames must reach.
GOAL = 0.9
TIMEOUT_SECONDS = 900


def judge_pandas(file: Path, out: Path) -> None:
    """Judge a file by pandas."""
    import pandas

    from verdict_sentiment.frames import judge

    judge(pandas.read_csv(file)).to_csv(out, index=False)


def judge_polars(file: Path, out: Path) -> None:
    """Judge a file by Polars."""
    import polars

    from verdict_sentiment.frames import judge

    judge(polars.read_csv(file)).write_csv(out)


def judge_duckdb(file: Path, out: Path) -> None:
    """Judge a file by DuckDB."""
    import duckdb

    from verdict_sentiment.duckdb import register_duckdb

    connection = duckdb.connect()
    register_duckdb(connection)
    columns = "*, verdict(review) AS sentiment, verdict_probability(review) AS probability"
    connection.read_csv(str(file)).create_view("reviews")
    connection.execute(f"COPY (SELECT {columns} FROM reviews) TO '{out}'")  # noqa: S608 - our own path


def judge_sklearn(file: Path, out: Path) -> None:
    """Judge a file by the scikit-learn classifier, as it is."""
    import pandas

    from verdict_sentiment.sklearn import VerdictClassifier

    frame = pandas.read_csv(file)
    classifier = VerdictClassifier(adapt=False).fit(["Good.", "Bad."], [1, 0])
    frame.assign(probability=classifier.predict_proba(frame["review"])[:, 1]).to_csv(out, index=False)


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "pandas": judge_pandas,
    "polars": judge_polars,
    "duckdb": judge_duckdb,
    "sklearn": judge_sklearn,
}


def measure(file: Path, count: int, rounds: int) -> dict[str, list[float]]:
    """Return the rates of command and ways, reviews a second, one a round. Raises FailedError."""
    rates: dict[str, list[float]] = {name: [] for name in (COMMAND, *WAYS)}
    for number in range(rounds):
        for name, found in rates.items():
            out = file.with_name(f"{name[:7]}-{number}.csv")
            command = ["bench.frames", "--only", name, str(file), str(out)]
            if name == COMMAND:
                command = ["verdict_sentiment", "--local", str(file), "-o", str(out), "--force"]
            found.append(count / watch([sys.executable, "-m", *command], TIMEOUT_SECONDS, ROOT).seconds)
    return rates


def report(rates: dict[str, list[float]]) -> str:
    """Return the middle rate of each way, and the middle of its shares of the command's rate."""
    lines = [f"{COMMAND:<18}{statistics.median(rates[COMMAND]):>8,.0f} reviews/s"]
    for name in WAYS:
        shares = [rate / command for rate, command in zip(rates[name], rates[COMMAND], strict=True)]
        share = statistics.median(shares)
        verdict = "" if share >= GOAL else f", less than {GOAL}"
        lines.append(
            f"{name:<18}{statistics.median(rates[name]):>8,.0f} reviews/s, {share:.2f} of it{verdict}"
        )
    return "\n".join(lines)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure frames, SQL and the classifier.")
    parser.add_argument("files", nargs="*", type=Path, help="with --only: the file to judge, and the output")
    parser.add_argument("--only", choices=WAYS, help="judge a file in this way, and measure nothing")
    parser.add_argument(
        "--reviews", type=int, default=15_000, help="reviews of the file (default %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default %(default)s)")
    parser.add_argument("--busy", action="store_true", help="measure on a busy machine too")
    options = parser.parse_args(arguments)
    if len(options.files) != (2 if options.only else 0):
        parser.error("--only takes a file and an output; without it there is none")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    if options.only:
        WAYS[options.only](*options.files)
        return
    try:
        if not options.busy:
            measuring.wait_until_quiet()
        with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder:
            reviews = samples.find().take(options.reviews)
            file = samples.write_csv(Path(folder, "reviews.csv"), reviews)
            print(report(measure(file, options.reviews, options.rounds)))
    except (BusyError, FailedError, dataset.DataError) as error:
        sys.exit(f"bench: {error}")


if __name__ == "__main__":
    main()
