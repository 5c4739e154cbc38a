"""Run the command `verdict`: a review, or a file of reviews, to verdicts.

    verdict "I loved it"                              one review
    verdict < review.txt                              one review from standard input
    verdict reviews.csv -o verdicts.csv               a file: .csv, .tsv, .jsonl, or .txt with a review a line
    verdict --format lines - < reviews                the same from standard input
    verdict reviews.csv --aspects film -o out.csv     the same, with what each says of story, acting, music
    verdict report reviews.csv -o report.html         what people say, and what moved it
    verdict serve                                     API and page on this machine
    verdict mcp                                       tools for assistants

Put a text or a file that equals a command's name after `--`.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from verdict_sentiment import __version__, files, mcp_server, programs, serve, show
from verdict_sentiment._packages import messages
from verdict_sentiment.backends import UsageError, add_flags, open_verdict
from verdict_sentiment.errors import BadAnswerError, RefusedError, UnavailableError, VerdictError
from verdict_sentiment.files import STANDARD, BatchError

FINE, FAILED, USAGE, UNAVAILABLE, BROKEN, INTERRUPTED = 0, 1, 2, 3, 4, 130
# A shell's status for a command whose reader has closed the pipe: 128 + SIGPIPE.
PIPE_CLOSED = 141
EPILOG = """\
exit status: 0 every review has a verdict; 1 a review, or some rows, have none; 2 the arguments or the file
can't be used; 3 the service refused the caller, failed or did not answer; 4 another failure on this machine,
such as a full disk; 130 interrupted.

commands: {commands} (`verdict COMMAND --help`)"""
# Statuses that concern the review itself. Other refusals concern the caller or the address.
REVIEW_STATUSES = (400, 413, 422)

# A text that equals one of these names is sent after `--`.
COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "serve": serve.main,
    "mcp": mcp_server.main,
    "report": programs.report,
    "adapt": programs.adapt,
    "promise": programs.promise,
    "compare": programs.compare,
    "suggest": programs.suggest,
    "feedback": programs.feedback,
    "watch": programs.watch,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and end with its exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    command = COMMANDS.get(words[0]) if words else None
    sys.exit(exit_status(lambda: command(words[1:]) if command else judge(words)))


def exit_status(work: Callable[[], int]) -> int:
    """Return the exit status of some work; print a failure as one sentence."""
    try:
        status = work()
        if sys.stdout:
            sys.stdout.flush()
        return status
    except UsageError as error:
        return _report(error, USAGE)
    except VerdictError as error:
        return _report(error, status_of(error))
    except BatchError as error:
        return _report(error, BROKEN)
    except BrokenPipeError:
        _forget_output()
        return PIPE_CLOSED
    except OSError as error:
        _forget_output()
        return _report(f"{error.filename or 'this machine'}: {error.strerror or error}", BROKEN)
    except KeyboardInterrupt:
        return _report("interrupted", INTERRUPTED)


def status_of(error: VerdictError) -> int:
    """Return the exit status for an error."""
    if isinstance(error, RefusedError) and error.status in REVIEW_STATUSES:
        return FAILED
    return UNAVAILABLE if isinstance(error, (RefusedError, UnavailableError, BadAnswerError)) else BROKEN


def judge(arguments: Sequence[str]) -> int:
    """Judge a text, a file or standard input, and return the exit status."""
    options = _parser().parse_args(arguments)
    if sys.stdout is None:
        raise UsageError("standard output is closed, so no verdict could be told")
    # Rows keep their own line breaks. A lone surrogate has no UTF-8, so it is escaped.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[union-attr]
    path = _file_of(options)
    if path is not None:
        return _judge_file(options, path)
    if options.what == [STANDARD] or (not options.what and options.format):
        with files.standard_input(options.format) as copy:
            return _judge_file(options, copy)
    return _judge_text(options, _text_of(options))


def _judge_text(options: argparse.Namespace, review: str) -> int:
    aspects = files.read_aspects(options)
    with open_verdict(options) as verdict:
        answer = verdict.sentiment(review, options.explain, aspects)
    print(messages.to_json(answer.to_message()).decode() if options.json else show.format_answer(answer))
    return FINE


def _judge_file(options: argparse.Namespace, path: Path) -> int:
    if options.explain != "none":
        raise UsageError("--explain is for one review; rows get their verdicts alone")
    try:
        judged, failed = files.judge(options, path)
    except VerdictError as error:
        return _report(f"{error}{files.resume_hint(options.out)}", status_of(error))
    except KeyboardInterrupt:
        return _report(f"interrupted{files.resume_hint(options.out)}", INTERRUPTED)
    if options.out != STANDARD:
        _report(f"{judged:,} rows, {failed:,} of them with an error, in {options.out}", FINE)
    return FAILED if failed else FINE


# --- arguments ----------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verdict",
        description=(__doc__ or "").replace("`", ""),
        epilog=EPILOG.format(commands=", ".join(COMMANDS)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what", nargs="*", help="a review, a file of reviews, or - for rows on standard input"
    )
    parser.add_argument("--text", help="a review, even if it looks like a file's name")
    parser.add_argument(
        "--explain", choices=messages.EXPLAIN, default="none", help="level of explanation (default none)"
    )
    parser.add_argument(
        "--aspects",
        metavar="LIST",
        help=f"judge aspects too: {', '.join(messages.SHIPPED)}, or a JSON file of terms",
    )
    parser.add_argument("--json", action="store_true", help="write the API's JSON; for rows, JSON lines")
    parser.add_argument(
        "-o", "--out", default=STANDARD, help="output of a file: .csv, .tsv, .jsonl (default -)"
    )
    parser.add_argument("--column", help="a file's column of reviews (default: the only one that fits)")
    parser.add_argument("--format", choices=files.rows.FORMATS, help="a file's format (default: by its name)")
    add_flags(parser)
    parser.add_argument("--version", action="version", version=f"verdict {__version__}")
    return parser


def _file_of(options: argparse.Namespace) -> Path | None:
    """Return the file to judge, or None. Raises UsageError for a file name without a file."""
    if len(options.what) > 1:
        raise UsageError(f"{len(options.what)} texts came, send one: put a review in quotes")
    if options.text is not None and options.what:
        raise UsageError("--text is the review; leave the other text or file out")
    name = options.what[0] if options.what else STANDARD
    if name == STANDARD:
        return None
    if os.path.isfile(name):
        return Path(name)
    if os.path.isdir(name):
        raise UsageError(f"{name!r} is a folder; name a file in it, or give a review of that name to --text")
    has_suffix = os.path.splitext(name)[1].lower() in files.rows.SUFFIXES and len(name.split()) == 1
    if has_suffix or options.format:
        raise UsageError(f"there is no file {name[:200]!r}; for a review that looks like a name, give --text")
    return None


def _text_of(options: argparse.Namespace) -> str:
    """Return the review from the arguments or from standard input. Raises UsageError."""
    if options.out != STANDARD or options.column:
        raise UsageError("-o and --column are for files of reviews; name one, or give --format for its rows")
    if options.text is not None:
        return str(options.text)
    if options.what:
        return str(options.what[0])
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError('nothing to judge; try: verdict "I loved it", or verdict --help')
    data = sys.stdin.buffer.read(messages.MAX_BODY_BYTES + 1)
    if len(data) > messages.MAX_BODY_BYTES:
        raise UsageError("standard input is longer than a review; for many reviews, give --format")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8 (byte {error.start}); send UTF-8") from error


def _report(error: object, status: int) -> int:
    print(f"verdict: {show.printable(str(error))}", file=sys.stderr)
    return status


def _forget_output() -> None:
    """Redirect standard output to the null device: Python flushes it at exit, which would fail again."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
