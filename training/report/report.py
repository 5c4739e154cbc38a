"""Write the report over a file of reviews: what people say, by time, group and aspect, and what moved it.

    python -m training.report.report reviews.csv -o report.html --json report.json

Nothing is uploaded. The HTML is one file that works without a network. A stopped run goes on where it was.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple

from training.adapt.adapt import adapt
from training.adapt.doubts import write_doubts
from training.adapt.exit_status import CommandError, run_command
from training.endpoint import inference
from training.endpoint.inference import LoadedModel
from training.endpoint.model_folder import path_of
from training.files import labelled
from training.files.formulas import add_raw
from training.files.labelled import Labelled
from training.files.outputs import FORCE_HELP
from training.files.parts import key_of, open_folder, resume_hint
from training.files.processes import model_key
from training.files.progress import with_bar
from training.files.resumable import check_out
from training.files.rows import BatchError, Source, add_format, format_of, open_source, to_bytes
from training.report import asking, aspects, columns, dates, figures, judging, page, quotes, shown, table
from training.report.asking import Question
from training.report.columns import Reader
from training.report.dates import NO_DATE
from training.report.figures import File, NoTextError, Wish
from training.report.judging import Judge
from vocab import typed
from vocab.aspect_lists import SHIPPED
from vocab.exit_status import FINE, INTERRUPTED
from vocab.files import sha256_of, write_together

# What was typed, unless a caller says something else.
PROG = typed.command("training.report.report")
# A report quotes reviews, which may be personal: only its owner may read it.
FILE_MODE = 0o600
MAX_WORKERS = 1024


class Output(NamedTuple):
    """The files to write; at least one of them is named."""

    html: Path | None
    json: Path | None

    @property
    def main(self) -> Path:
        """Return the file beside which finished parts are kept."""
        path = self.html or self.json
        assert path is not None
        return path


def run(options: argparse.Namespace) -> int:
    """Write the report. Raises CommandError, BatchError, ModelFilesError, VocabularyError or OSError."""
    output = _output(options)
    format = format_of(options.file, options.format)
    source = open_source(options.file, format, options.column, options.delimiter)
    digest = sha256_of(source.path)
    found = columns.find(source, options.date, options.group, options.dates)
    since = _since(options, found)
    _check_between(options.between, found)
    labels = _read_labelled(options, found.group)
    model = inference.model_fn(options.model)
    chosen, aspects_from = aspects.choose(options.aspects, source, model.vocabulary)
    wish = Wish(tuple(aspect.name for aspect in chosen), aspects_from, since, options.between)
    question = asking.question_of(chosen, found.rows)
    report = None
    with open_folder(output.main, _key(question, digest, source, model)) as saved:
        reader = Reader(source, found)
        with _open_judge(options, question, model, found.rows) as judge:
            paths = judging.judge_file(reader.rows(), found.rows, judge, saved)
        with suppress(NoTextError):  # nothing to go on with, so no part is kept
            report = _report(source, found, reader, wish, paths, model)
            if sha256_of(source.path) != digest:
                raise BatchError(f"{source.path} was changed while it was read; run it again")
            write_together(_contents(report, output), FILE_MODE)
    if report is None:
        raise CommandError(f"{options.file} has no row with a text that could be judged")
    _print_summary(report, output)
    if labels is not None:
        _write_doubts(labels, options)
    return FINE


def _key(question: Question, digest: str, source: Source, model: LoadedModel) -> str:
    """Return the key of everything that the answers depend on; dates, groups and sides change none."""
    code = [Path(str(module.__file__)) for module in (asking, table, quotes)]
    asked = json.dumps(question)
    return key_of("report", digest, source.column, model_key(model), asked, *map(sha256_of, code))


def _report(
    source: Source,
    found: columns.Columns,
    reader: Reader,
    wish: Wish,
    paths: Sequence[Path],
    model: LoadedModel,
) -> dict[str, Any]:
    """Return the whole report from the kept answers. Raises NoTextError or BatchError."""

    def tables() -> Iterator[table.Table]:
        return map(judging.load, with_bar(paths, "counting", "part"))

    names = {"review": source.column, "date": found.date, "group": found.group}
    file = File(source.path.name, found.rows, names, reader.dates(), reader.groups(), reader.names())
    report = figures.report_of(file, wish, tables, model.identity.id)
    return report | {"rows": shown.rows_of(report, file, source, tables, model)}


def _open_judge(
    options: argparse.Namespace, question: Question, model: LoadedModel, rows: int
) -> AbstractContextManager[Judge]:
    if options.ray:
        return nullcontext(judging.judge_by_ray(question, options.model, options.ray))
    return judging.open_judge(question, options.model, model, options.workers, rows)


def _output(options: argparse.Namespace) -> Output:
    """Return the files to write. Raises CommandError or BatchError."""
    if options.out is None and options.json is None:
        raise CommandError("name a file for the report: -o report.html, --json report.json, or both")
    if (
        options.out is not None
        and options.json is not None
        and options.out.resolve() == options.json.resolve()
    ):
        raise CommandError("-o and --json name the same file; the first is HTML, the second JSON")
    named = (("-o", options.out), ("--json", options.json))
    return Output(*(path and check_out(path, options.file, options.force, flag) for flag, path in named))


def _since(options: argparse.Namespace, found: columns.Columns) -> int | None:
    """Return the day of --since. Raises CommandError."""
    if options.since is None:
        return None
    day = dates.parse(options.since)
    if day.dmy == NO_DATE or day.dmy != day.mdy:
        raise CommandError("--since takes a date like 2026-05-03")
    if found.date is None:
        raise CommandError(
            "--since compares by date, and the file has no column of dates; name one with --date"
        )
    return day.dmy


def _check_between(between: Sequence[str] | None, found: columns.Columns) -> None:
    """Raise CommandError when the file lacks a group that is to be compared."""
    if between is None:
        return
    if found.group is None:
        raise CommandError(
            "--between compares two groups, and the file has no column of groups; name one with --group"
        )
    for name in between:
        if name not in found.groups:
            known = ", ".join(repr(group[:40]) for group in sorted(found.groups)[:6])
            raise CommandError(f"{found.group!r} has no group {name[:40]!r}; it has {known or 'none'}")
    if between[0] == between[1]:
        raise CommandError("--between compares two groups, and both are the same; name another")


def _contents(report: dict[str, Any], output: Output) -> dict[Path, bytes]:
    contents = {}
    if output.html:
        contents[output.html] = page.to_html(report).encode()
    if output.json:
        contents[output.json] = to_bytes(json.dumps(report, ensure_ascii=False) + "\n")
    return contents


def _print_summary(report: dict[str, Any], output: Output) -> None:
    overall, judged = report["overall"], report["file"]["judged"]
    low, high = overall["interval"]
    rows = f"{judged:,} {'row' if judged == 1 else 'rows'}"
    print(f"report: {rows}, net score {overall['net']:+.1f} ({low:+.1f} to {high:+.1f})")
    for notice in report["notices"]:
        print(f"report: {notice['detail']}")
    if report["moved"]:
        print(f"report: {_moved_most(report['moved'], report['comparison'])}")
    print(f"report: wrote {' and '.join(str(path) for path in output if path)}")


def _moved_most(moved: Sequence[dict[str, Any]], comparison: dict[str, Any]) -> str:
    """Return what moved the net score most, in points: the first cause that chance alone hardly makes."""
    before, after = comparison["before"]["net"], comparison["after"]["net"]
    difference = comparison["net"]["difference"]
    for cause in moved:
        if cause["clear"] and cause["kind"] != "rest" and cause["net_effect"] * difference > 0:
            return (
                f"{cause['name']} moved it most, by {cause['net_effect']:+.1f} points; in all it went from"
                f" {before:+.1f} to {after:+.1f}"
            )
    return f"from {before:+.1f} to {after:+.1f}; no cause moved it by more than chance could"


def _read_labelled(options: argparse.Namespace, group: str | None) -> Labelled | None:
    """Read the labels that --doubts examines; None without it. Raises BatchError."""
    if options.doubts is None:
        return None
    check_out(options.doubts, options.file, options.force, "--doubts")
    return labelled.read(
        options.file, options.column, group=group, format=options.format, delimiter=options.delimiter
    )


def _write_doubts(rows: Labelled, options: argparse.Namespace) -> None:
    """Write the labels that fits without them dispute. Raises what ``adapt`` raises."""
    doubts = adapt(rows, options.model, options.workers).doubts
    write_doubts(options.doubts, rows, doubts, options.raw)
    print(
        f"report: {len(doubts):,} of {len(rows.numbers):,} labels look wrong, most doubtful first, in"
        f" {options.doubts}"
    )


def _workers(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"must lie from 1 to {MAX_WORKERS}, got {value}")
    return value


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the command's parser, named ``prog`` in its help."""
    parser = argparse.ArgumentParser(prog=prog, description="Write a report over a file of reviews.")
    parser.add_argument("file", type=Path, help="reviews: CSV, TSV, .xlsx, JSON lines, or a review a line")
    parser.add_argument("-o", "--out", type=Path, help="the report as one HTML file")
    parser.add_argument("--json", type=Path, help="the report's figures as JSON")
    parser.add_argument("--doubts", type=Path, help="labels that look wrong, as CSV, of a file with labels")
    parser.add_argument("--column", help="column of the text (default: review, text, comment, ...)")
    parser.add_argument("--date", metavar="COLUMN", help="column of dates (default: date, created_at, ...)")
    parser.add_argument(
        "--group", metavar="COLUMN", help="column of groups (default: film, product, store, ...)"
    )
    parser.add_argument("--dates", choices=dates.ORDERS, help="what comes first in 3/4/2026: day or month")
    sides = parser.add_mutually_exclusive_group()
    sides.add_argument("--since", metavar="DATE", help="compare from this date on with what came before")
    sides.add_argument("--between", nargs=2, metavar=("A", "B"), help="compare group B with group A")
    parser.add_argument(
        "--aspects",
        metavar="LIST",
        help=f"{', '.join(SHIPPED)}, a JSON file of names and terms, or none (default: what the file fits)",
    )
    add_format(parser)
    add_raw(parser)
    parser.add_argument("--model", type=path_of, default=inference.MODEL_FOLDER, help="folder of the model")
    parser.add_argument("--ray", metavar="ADDRESS", help="judge on a running Ray cluster: HOST:6379, or auto")
    parser.add_argument(
        "--workers", type=_workers, default=os.cpu_count() or 1, help="processes (default: cores)"
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    return parser


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command, named ``prog`` in its messages; return its exit status."""
    options = make_parser(prog).parse_args(arguments)
    return run_command(prog, lambda: _run(options, prog))


def _run(options: argparse.Namespace, prog: str) -> int:
    """Run the command; one that was stopped says how to go on. Raises what ``run`` raises."""
    out = options.out or options.json
    try:
        return run(options)
    except OSError as error:
        hint = resume_hint(out) if out else ""
        raise OSError(error.errno, f"{error.strerror}{hint}", error.filename or str(out)) from error
    except KeyboardInterrupt:
        print(f"{prog}: interrupted{resume_hint(out) if out else ''}", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
