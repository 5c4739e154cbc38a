"""Compare Verdict with the service in use on the same reviews: `verdict shadow`.

    verdict shadow reviews.csv --against comprehend -o disagreements.csv
    verdict shadow reviews.csv --against tei http://127.0.0.1:8080

Prints how often they agree, who is right where the file has labels, and the seconds and dollars of both.
Writes the reviews on which they differ. It says first what a paid service costs, and spends it after a yes.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verdict_sentiment import cli
from verdict_sentiment._packages import load
from verdict_sentiment.backends import UsageError, add_flags, open_backend
from verdict_sentiment.errors import UnavailableError, VerdictError
from verdict_sentiment.files import BatchError, as_usage, resume_hint
from verdict_sentiment.parallel import within

if TYPE_CHECKING:
    from training.files import formulas, labelled, resumable, rows
    from training.shadow import agreement, comprehend, kept, outcome, predict_route, prices, services, trial
    from vocab import exit_status as statuses
    from vocab import files
else:
    statuses, files = load("vocab.exit_status"), load("vocab.files")
    formulas = load("training.files.formulas")
    labelled, resumable, rows = (load(f"training.files.{name}") for name in ("labelled", "resumable", "rows"))
    agreement, comprehend, kept, outcome, predict_route, prices, services, trial = (
        load(f"training.shadow.{name}")
        for name in (
            "agreement",
            "comprehend",
            "kept",
            "outcome",
            "predict_route",
            "prices",
            "services",
            "trial",
        )
    )

COMPREHEND, TEI = "comprehend", "tei"
OUT = Path("disagreements.csv")
YES = ("y", "yes")


class Declined(Exception):
    """The caller does not want to spend the dollars."""


def main(arguments: Sequence[str]) -> int:
    """Run the command, and return the exit status. Raises UsageError."""
    options = _parse(arguments)
    hint = ""
    try:
        with as_usage():
            source, out = _prepare(options)
            numbered, labels = _labels(options, source)
        hint = str(out)
        with closing(_service(options)) as service:
            result = _compare(options, source, out, service, numbered, labels)
    except Declined:
        return cli.report("nothing was asked, and nothing spent", statuses.NO)
    except services.ServiceError as error:
        failure = UnavailableError(str(error), code=error.code)
        return cli.report(f"{failure}{resume_hint(hint)}", statuses.UNAVAILABLE)
    except services.SettingError as error:
        raise UsageError(str(error)) from error
    except VerdictError as error:
        return cli.report(f"{error}{resume_hint(hint)}", cli.status_of(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        name = error.filename or "this machine"
        return cli.report(f"{name}: {error.strerror or error}{resume_hint(hint)}", statuses.BROKEN)
    except KeyboardInterrupt:
        return cli.report(f"interrupted{resume_hint(hint)}", statuses.INTERRUPTED)
    if options.json:
        print(json.dumps(outcome.to_message(result), ensure_ascii=False))
    else:
        print("\n".join(outcome.lines(result)))
    cli.report(
        f"{result.disagreements:,} disagreements, the widest apart first, in {options.out}", statuses.FINE
    )
    return statuses.NO if any(result.left_out[reason] for reason in trial.FAULTS) else statuses.FINE


def _compare(
    options: argparse.Namespace,
    source: Any,
    out: Path,
    service: "services.Service",
    numbered: dict[int, int],
    labels: str,
) -> "outcome.Outcome":
    """Judge by both, write the disagreements, and return the comparison."""
    digest = files.sha256_of(source.path)
    with as_usage():
        plan = trial.plan(source, service, options.rows, options.seed)
    with ExitStack() as stack:
        with as_usage():
            answers = stack.enter_context(kept.open_kept(out, service))
        with open_backend(options, len(plan.numbers)) as backend:
            _consent(options, plan, service, answers)
            ask = partial(_asked, service, options.deadline)
            done = trial.run(plan, backend.judge, ask, answers, numbered, _units(options))
        if files.sha256_of(source.path) != digest:
            raise BatchError(f"{source.path} was changed while it was read; run it again")
        result = _outcome(options, plan, service, done, labels)
        apart = agreement.disagreements_of(done.pairs)
        digests = dict(zip((pair.number for pair in done.pairs), done.digests, strict=True))
        words = agreement.words_of(done.pairs, service.words)
        files.write_atomic(out, outcome.to_csv(source, apart, digests, words, options.raw))
    return result


def _asked(service: "services.Service", seconds: float, texts: Sequence[str]) -> "list[Any]":
    """Return the service's answers, or give up after so many seconds, even if its answer trickles in."""
    try:
        return within(seconds, lambda: service.ask(texts))
    except TimeoutError as error:
        raise services.ServiceError(
            f"{service.name} gave no answer within {seconds:.3g} s; try again, or give a longer --deadline",
            "unreachable",
        ) from error


def _outcome(
    options: argparse.Namespace,
    plan: "trial.Plan",
    service: "services.Service",
    done: "trial.Trial",
    labels: str,
) -> "outcome.Outcome":
    not_drawn = plan.rows - len(plan.numbers) - sum(map(len, plan.left_out.values()))
    left_out = trial.describe(done.left_out, not_drawn)
    if not done.pairs:
        sentence = f"{plan.source.path} has no review that both services answered; left out: {left_out}"
        if done.failures:
            raise UnavailableError(sentence, code=next(iter(done.failures)))
        raise UsageError(sentence)
    ours = sum(seconds for seconds, _ in done.our_calls)
    hour = prices.machine_hour() if options.machine_hour is None else options.machine_hour
    machine = prices.MACHINE if options.machine_hour is None else "your machine"
    return outcome.Outcome(
        name=service.name,
        model=done.pairs[0].ours.model,
        rows=plan.rows,
        compared=len(done.pairs),
        left_out={"not_drawn": not_drawn} | {reason: len(rows) for reason, rows in done.left_out.items()},
        left_out_text=left_out,
        failures=dict(done.failures),
        agreement=agreement.agreement_of(done.pairs, agreement.words_of(done.pairs, service.words)),
        rightness=agreement.rightness_of(done.pairs),
        labels=labels,
        disagreements=len(agreement.disagreements_of(done.pairs)),
        ours=outcome.cost_of(
            done.our_calls, prices.machine_dollars(ours, hour), f"{machine} at ${hour:g} an hour, while busy"
        ),
        theirs=_their_cost(options, done),
    )


def _their_cost(options: argparse.Namespace, done: "trial.Trial") -> "outcome.Cost":
    if options.against == COMPREHEND:
        dollars, source = prices.comprehend_dollars(done.units), prices.comprehend_source()
        return outcome.cost_of(done.their_calls, dollars, source)
    if options.other_hour is None:
        return outcome.cost_of(done.their_calls, None, None)
    seconds = sum(seconds for seconds, _ in done.their_calls)
    dollars = prices.machine_dollars(seconds, options.other_hour)
    source = f"its machine at ${options.other_hour:g} an hour, while busy"
    return outcome.cost_of(done.their_calls, dollars, source)


def _consent(
    options: argparse.Namespace, plan: "trial.Plan", service: "services.Service", answers: "kept.KeptAnswers"
) -> None:
    """Print what a paid service will cost, and wait for a yes. Raises Declined or UsageError."""
    if service.free:
        return
    dollars = prices.comprehend_dollars(trial.new_units(plan, answers, prices.comprehend_units))
    if not dollars:
        return
    earlier = f" ({len(answers.answers):,} answers are kept from before)" if answers.answers else ""
    cost = (
        f"{len(plan.numbers):,} reviews for {service.name} cost at most ${dollars:,.4f}{earlier},"
        f" by its {prices.comprehend_source()}"
    )
    if options.yes:
        cli.report(cost, statuses.FINE)
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{cost}; give --yes to spend it, or --rows N for fewer")
    print(f"verdict: {cost}. Spend it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in YES:
        raise Declined


def _units(options: argparse.Namespace) -> Any:
    return prices.comprehend_units if options.against == COMPREHEND else (lambda text: 0)


def _service(options: argparse.Namespace) -> "services.Service":
    """Return the other service. Raises SettingError."""
    if options.against == COMPREHEND:
        url = None if options.other is None else services.check_url(options.other)
        return comprehend.Comprehend(url, options.language, options.timeout)
    if options.other is None:
        raise services.SettingError("tei needs its URL, such as: --against tei http://127.0.0.1:8080")
    key = os.environ.get("TEI_API_KEY") or None
    sides = predict_route.parse_sides(options.sides)
    return predict_route.PredictRoute(options.other, key, options.timeout, sides)


def _prepare(options: argparse.Namespace) -> tuple[Any, Path]:
    """Return the source and the output's path. Raises BatchError or UsageError."""
    if not options.file.is_file():
        raise UsageError(
            f"there is no file {str(options.file)[:200]!r}; a pipe or folder can't be read twice"
        )
    format = rows.format_of(options.file, options.format)
    source = rows.open_source(options.file, format, options.column, options.delimiter)
    if options.out.suffix.lower() != ".csv":
        raise UsageError(f"{options.out} would hold CSV; call it .csv")
    return source, resumable.check_out(options.out, options.file, options.force, "-o")


def _labels(options: argparse.Namespace, source: Any) -> tuple[dict[int, int], str]:
    """Return the labels by row number, and a description. Raises BatchError if a column is named in vain."""
    label = options.label or labelled.label_column(source)
    if label is None:
        return (
            {},
            "none in this file, so this shows agreement and not who is right; name a column with --label",
        )
    try:
        sides = labelled.sides_of(options)
        read = labelled.read(
            source.path, source.column, label, None, source.format, sides, delimiter=options.delimiter
        )
    except BatchError as error:
        if options.label:
            raise
        return {}, f"none used: {error}"
    left_out = labelled.describe_left_out(read.counts)
    numbered = dict(zip(read.numbers.tolist(), read.labels.tolist(), strict=True))
    return numbered, labelled.describe(read) + (f"; not used: {left_out}" if left_out else "")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `verdict shadow`."""
    parser = argparse.ArgumentParser(
        prog="verdict shadow",
        description=(__doc__ or "").replace("`", ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="reviews: a file as the command reads them")
    parser.add_argument(
        "--against",
        choices=(COMPREHEND, TEI),
        required=True,
        help="the other service: Amazon Comprehend, or a text-embeddings-inference server",
    )
    parser.add_argument(
        "other", metavar="URL", nargs="?", help="where it answers (Comprehend: default your AWS region)"
    )
    parser.add_argument(
        "-o", "--out", type=Path, default=OUT, help="CSV of the disagreements (default %(default)s)"
    )
    parser.add_argument("--force", action="store_true", help="replace an output that exists")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument("--column", help="column of the text (default: review, text, comment, ...)")
    parser.add_argument("--label", help="column of the label (default: label, sentiment, stars, ...)")
    parser.add_argument("--positive", help="positive labels, with commas, if the command does not know them")
    parser.add_argument("--negative", help="negative labels; all others are left out")
    rows.add_format(parser)
    formulas.add_raw(parser)
    parser.add_argument("--rows", type=int, metavar="N", help="ask about N rows at random (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random rows (default %(default)s)")
    group = parser.add_argument_group("the other service")
    group.add_argument("--yes", action="store_true", help="spend what a paid service costs, unasked")
    group.add_argument("--language", default="en", help="language told to Comprehend (default %(default)s)")
    group.add_argument(
        "--sides", default="", metavar="LIST", help="what a tei server's labels mean: LABEL_0=negative,..."
    )
    group.add_argument("--other-hour", type=_dollars, metavar="D", help="dollars an hour of a tei machine")
    group.add_argument(
        "--machine-hour",
        type=_dollars,
        metavar="D",
        help=f"dollars an hour of Verdict's machine (default: a {prices.MACHINE})",
    )
    add_flags(parser, shared=False)  # one process, so that its seconds are those of a review
    parser.set_defaults(explain="none")
    return parser


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = make_parser()
    options = parser.parse_intermixed_args(arguments)
    labelled.check_flags(parser, options)
    if options.rows is not None and options.rows < 1:
        parser.error(f"--rows must be 1 or more, got {options.rows}")
    if options.other_hour is not None and options.against != TEI:
        parser.error("--other-hour is for tei; Comprehend has a list price")
    return options


def _dollars(text: str) -> float:
    value = float(text)
    if not 0 <= value < 100_000:
        raise argparse.ArgumentTypeError(f"must be dollars an hour, from 0 on, got {value:g}")
    return value
