"""Run the command `verdict`: a review, or a file of reviews, to verdicts.

    verdict "I loved it"                              one review
    verdict < review.txt                              one review from standard input
    verdict reviews.csv -o verdicts.csv               a file: .csv, .tsv, .jsonl, or .txt with a review a line
    verdict --format lines - < reviews                the same from standard input
    verdict reviews.csv --aspects film -o out.csv     the same, with what each says of story, acting, music
    verdict --model my-model "I loved it"             by a model of your own

Put a text or a file that equals a command's name after `--`.
"""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from verdict_sentiment import __version__, completion, files, guess, mcp_server, programs, serve, show
from verdict_sentiment._packages import load, messages
from verdict_sentiment.backends import UsageError, add_flags, open_verdict
from verdict_sentiment.errors import BadAnswerError, RefusedError, UnavailableError, VerdictError
from verdict_sentiment.files import STANDARD, BatchError

if TYPE_CHECKING:
    from vocab import exit_status as statuses
else:
    statuses = load("vocab.exit_status")

DESCRIPTION = (__doc__ or "").replace("`", "").strip()
# Statuses that concern the review itself. Other refusals concern the caller or the address.
REVIEW_STATUSES = (400, 413, 422)


class Command(NamedTuple):
    """A command after `verdict`: its function, its line in the help, and its parser, for completion."""

    run: Callable[[Sequence[str]], int]
    line: str
    parser: completion.MakeParser


def _help(arguments: Sequence[str]) -> int:
    """Print the help of the command, or of one of its programs."""
    name = next(iter(arguments), None)
    if name is None:
        _parser().print_help()
        return statuses.FINE
    if name not in COMMANDS:
        raise UsageError(f"there is no command {name[:40]!r}; verdict --help lists them")
    return COMMANDS[name].run(["--help"])


def _completion(arguments: Sequence[str]) -> int:
    """Print the script with which a shell completes the command."""
    lines = {name: (command.line, command.parser) for name, command in COMMANDS.items()}
    return completion.print_script(arguments, _parser(text=False), lines)


def _program(name: str, run: Callable[[Sequence[str]], int], line: str) -> Command:
    return Command(run, line, lambda: programs.parser_of(name))


# The help lists them by these groups. A text that equals one of these names is sent after `--`.
GROUPS: dict[str, dict[str, Command]] = {
    "a service": {
        "serve": Command(serve.main, "start API and page on this machine", serve.make_parser),
        "mcp": Command(mcp_server.main, "offer verdicts to assistants as tools", mcp_server.make_parser),
        "watch": _program("watch", programs.watch, "compare a service's traffic with its model's test data"),
    },
    "a file of reviews": {
        "report": _program("report", programs.report, "write what people say, and what moved it"),
        "shadow": Command(programs.shadow, "compare Verdict with the service in use", programs.shadow_parser),
    },
    "a model of your own": {
        "adapt": _program("adapt", programs.adapt, "fit the model to your labelled reviews"),
        "compare": _program("compare", programs.compare, "compare two models on labelled reviews"),
        "promise": _program(
            "promise", programs.promise, "find how sure an answer must be to be rarely wrong"
        ),
        "suggest": _program("suggest", programs.suggest, "pick the reviews most worth a label"),
        "feedback": _program("feedback", programs.feedback, "export or delete people's corrections"),
    },
    "the command itself": {
        "completion": Command(_completion, "let bash, zsh or fish complete it", completion.make_parser),
        "help": Command(_help, "show this text, or a command's", lambda: None),
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and end with its exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    command = COMMANDS.get(words[0]) if words else None
    sys.exit(exit_status(lambda: command.run(words[1:]) if command else judge(words)))


def exit_status(work: Callable[[], int]) -> int:
    """Return the exit status of some work; print a failure as one sentence."""
    try:
        status = _finish(work)
        if sys.stdout:
            sys.stdout.flush()
        return status
    except UsageError as error:
        return report(error, statuses.USAGE)
    except VerdictError as error:
        return report(error, status_of(error))
    except BatchError as error:
        return report(error, statuses.BROKEN)
    except BrokenPipeError:
        _forget_output()
        return statuses.PIPE_CLOSED
    except OSError as error:
        _forget_output()
        return report(f"{error.filename or 'standard output'}: {error.strerror or error}", statuses.BROKEN)
    except KeyboardInterrupt:
        return report("interrupted", statuses.INTERRUPTED)


def _finish(work: Callable[[], int]) -> int:
    """Return the status of some work that may end by itself, as a parser does after its help.

    A library whose import is interrupted may raise an ImportError, which becomes KeyboardInterrupt again.
    """
    interrupted = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # a thread sets no handler
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)
    try:
        return work()
    except SystemExit as end:
        if sys.stdout:
            sys.stdout.flush()
        if end.code is None or isinstance(end.code, int):
            return end.code or statuses.FINE
        raise
    except ImportError as error:
        if interrupted:
            raise KeyboardInterrupt from error
        raise
    finally:
        with contextlib.suppress(ValueError):
            if signal.getsignal(signal.SIGINT) is interrupt:
                signal.signal(signal.SIGINT, signal.default_int_handler)


def status_of(error: VerdictError) -> int:
    """Return the exit status for an error."""
    if error.code == "model_unusable":
        return statuses.USAGE
    if isinstance(error, RefusedError) and error.status in REVIEW_STATUSES:
        return statuses.NO
    return (
        statuses.UNAVAILABLE
        if isinstance(error, (RefusedError, UnavailableError, BadAnswerError))
        else statuses.BROKEN
    )


def judge(arguments: Sequence[str]) -> int:
    """Judge a text, a file or standard input, and return the exit status."""
    options = _parser().parse_args(arguments)
    options.literal = "--" in arguments
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
    return statuses.FINE


def _judge_file(options: argparse.Namespace, path: Path) -> int:
    place = "standard output" if options.out == STANDARD else options.out
    try:
        judged, failed = files.judge(options, path)
    except VerdictError as error:
        return report(f"{error}{files.resume_hint(options.out)}", status_of(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}{files.resume_hint(options.out)}", place) from error
    except KeyboardInterrupt:
        return report(f"interrupted{files.resume_hint(options.out)}", statuses.INTERRUPTED)
    if options.out != STANDARD:
        report(f"{files.describe(judged, failed)}, in {options.out}", statuses.FINE)
    return statuses.NO if failed else statuses.FINE


# --- arguments ----------------------------------------------------------------------------------


def _parser(text: bool = True) -> argparse.ArgumentParser:
    """Return the parser of a text or file; without ``text`` its flags alone."""
    parser = argparse.ArgumentParser(
        prog="verdict",
        usage="verdict [options] TEXT | FILE | -\n       verdict COMMAND ...",
        description=f"{DESCRIPTION}\n\n{_commands()}",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if text:
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
    parser.add_argument("--force", action="store_true", help="replace an output that exists")
    parser.add_argument("--column", help="a file's column of reviews (default: the only one that fits)")
    files.rows.add_format(parser)
    files.formulas.add_raw(parser)
    add_flags(parser)
    parser.add_argument("--version", action="version", version=f"verdict {__version__}")
    return parser


def _commands() -> str:
    """Return a line a command, by groups."""
    lines = ["commands:"]
    for group, commands in GROUPS.items():
        lines += [f"  {group}", *(f"    {name:11} {command.line}" for name, command in commands.items())]
    return "\n".join(lines)


def _epilog() -> str:
    return "\n".join(["exit status:", *(f"  {code:4} {words}" for code, words in statuses.MEANINGS.items())])


def _file_of(options: argparse.Namespace) -> Path | None:
    """Return the file to judge, or None. Raises UsageError for a file name without a file."""
    if len(options.what) > 1:
        near = None if options.literal else guess.near_command(options.what[0], COMMANDS)
        guess.refuse_words(options.what, near)
    if options.text is not None and options.what:
        raise UsageError("--text is the review; leave the other text or file out")
    name = options.what[0] if options.what else STANDARD
    if name == STANDARD:
        return None
    if os.path.isfile(name):
        return Path(name)
    if os.path.isdir(name):
        raise UsageError(f"{name!r} is a folder; name a file in it, or give a review of that name to --text")
    if os.path.exists(name):
        raise UsageError(
            f"{name!r} is a pipe or a device; send its rows to standard input, with --format and -"
        )
    if options.format:
        raise UsageError(guess.no_file(name))
    guess.refuse_path(name)
    if not options.literal:
        guess.refuse_command(name, COMMANDS)
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


def report(error: object, status: int) -> int:
    """Print a sentence on standard error, and return the exit status."""
    print(f"verdict: {show.printable(str(error))}", file=sys.stderr)
    return status


def _forget_output() -> None:
    """Redirect standard output to the null device: Python flushes it at exit, which would fail again."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
