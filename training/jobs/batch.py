"""Classify a file of reviews, a row for each row: on SageMaker Batch Transform, here, or on a Ray cluster.

    python -m training.jobs.batch reviews.csv --out verdicts.csv --local            # this machine's cores
    python -m training.jobs.batch reviews.jsonl --out verdicts.jsonl --instances 4  # Batch Transform
    python -m training.jobs.batch reviews.csv --out verdicts.jsonl --ray auto       # Ray Data

CSV and TSV need a header, JSON lines are objects, .txt holds a review a line; blank lines are left out. The
output keeps every column and adds sentiment, reason (why it is uncertain), probability, warnings (codes, with
";" between) and model, or error and detail. With --aspects it adds three columns an aspect: its sentiment,
probability and contribution. All three backends run the endpoint's own hooks and write the same bytes. After
an interruption, the same command resumes.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from training.aws import flags
from training.endpoint import inference
from training.files import processes, ray_cluster, resumable
from training.files.aspects_flag import read_aspects
from training.files.formulas import add_raw
from training.files.outputs import FORCE_HELP
from training.files.parts import key_of, resume_hint
from training.files.processes import Hooks, model_key
from training.files.resumable import Done, Work, check_out
from training.files.rows import (
    BatchError,
    Count,
    add_format,
    check_writable,
    count,
    format_of,
    open_source,
    output_format,
)
from training.jobs.batch_plan import INSTANCE_TYPE, cores_of, file_bytes
from vocab import messages, typed
from vocab.exit_status import BROKEN, FINE, INTERRUPTED, NO, USAGE, Ended
from vocab.files import sha256_of

# SageMaker's machines take some minutes to start and load the image; this is an estimate.
START_MINUTES = 5
MAX_INSTANCES = 100


def run(options: argparse.Namespace, command: str = "batch") -> Done | None:
    """Run a batch; return None after a dry run.

    Raises BatchError, ModelFilesError, VocabularyError or OSError.
    """
    out = check_out(options.out, options.file, options.force)
    written_as = output_format(out)
    format = format_of(options.file, options.format)
    source = open_source(options.file, format, options.column, options.delimiter)
    check_writable(source, written_as)
    cores_of(options.instance_type)
    hooked = options.local or options.ray
    aspects = None if options.aspects is None else read_aspects(options.aspects)
    counted = count(source, not hooked, aspects)
    if options.dry_run:
        print(f"{command}: {describe(options, counted)}")
        return None
    work = Work(source, sha256_of(source.path), counted.sent, out, "", aspects=aspects, raw=options.raw)
    done = _run_hooks(options, work) if hooked else _run_transform(options, work, counted)
    print(f"{command}: {done.rows:,} rows, {done.failed:,} of them with an error, in {options.out}")
    return done


def describe(options: argparse.Namespace, counted: Count) -> str:
    """Return what a batch would do and roughly how long it takes, without a call to AWS."""
    rows = f"{counted.rows:,} rows, {counted.unread:,} of which can't be read"
    work = counted.sent * milliseconds(options.model) / 60_000
    if options.local:
        return f"{rows}; here, {options.workers} processes, about {work / options.workers:.1f} minutes"
    if options.ray:
        return f"{rows}; on Ray at {options.ray}, about {work:.1f} core-minutes"
    files = -(-counted.bytes // file_bytes(counted, options.instances))
    files = min(files, counted.sent)
    cores = options.instances * cores_of(options.instance_type)
    return (
        f"{rows}; {files} files of {counted.bytes / 1e6:,.1f} MB in all, {options.instances} x"
        f" {options.instance_type}, about {START_MINUTES + work / cores:.0f} minutes (an estimate;"
        f" {START_MINUTES} of them until the machines run)"
    )


def milliseconds(model: Path) -> float:
    """Return the card's measured milliseconds of one review on one core. Raises ModelFilesError."""
    card = inference.model_fn(model).card
    return float(card["metrics"].get("speed", {}).get("ms_median", 2.0))


# --- backends -----------------------------------------------------------------------------------


def _run_hooks(options: argparse.Namespace, work: Work) -> Done:
    with _open_hooks(options, work) as hooks:
        key = key_of("hooks", work.digest, work.source.column, hooks.key, aspects=work.aspects)
        work = work._replace(key=key)
        return resumable.run(work, hooks.predict)


def _open_hooks(options: argparse.Namespace, work: Work) -> AbstractContextManager[Hooks]:
    if options.local:
        return processes.open_hooks(options.model, options.workers, work.sent, work.aspects)
    key = model_key(inference.model_fn(options.model))
    return nullcontext(
        Hooks(
            key,
            lambda parts: ray_cluster.predict_parts(
                parts, options.model, options.ray, arguments=(work.aspects,)
            ),
        )
    )


def _run_transform(options: argparse.Namespace, work: Work, counted: Count) -> Done:
    from training.jobs import batch_transform  # imported late, because AWS's clients take half a second

    return batch_transform.run(work, counted, options)


# --- pieces -------------------------------------------------------------------------------------


def _positive(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not 1 <= value <= most:
            raise argparse.ArgumentTypeError(f"must be 1 to {most:,}, got {value}")
        return value

    return number


def add_backends(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose where the batch runs."""
    backends = parser.add_mutually_exclusive_group()
    backends.add_argument("--local", action="store_true", help="run on this machine")
    backends.add_argument("--ray", metavar="ADDRESS", help="run on a running Ray cluster: HOST:6379, or auto")
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--workers", type=_positive(1024), default=cores, help="processes of --local (default: cores)"
    )
    parser.add_argument(
        "--model", type=Path, default=inference.MODEL_FOLDER, help="model folder of --local and --ray"
    )
    flags.add_flags(parser)
    parser.add_argument("--instances", type=_positive(MAX_INSTANCES), default=1, help="machines (default 1)")
    parser.add_argument(
        "--instance-type",
        default=INSTANCE_TYPE,
        help=f"their type (default {INSTANCE_TYPE})",
    )
    parser.add_argument("--model-name", help="the SageMaker model (default: the stage's newest)")
    parser.add_argument(
        "--timeout-minutes", type=_positive(10_000), default=120, help="longest wait (default 120)"
    )


def run_or_exit(command: str, prog: str, options: argparse.Namespace) -> Done | None:
    """Run a batch; on an error, end the program ``prog`` with one sentence."""
    try:
        return run(options, command)
    except processes.DeadProcessError as error:
        raise Ended(f"{prog}: {error}", BROKEN) from error
    except (BatchError, inference.ModelFilesError, inference.VocabularyError) as error:
        raise Ended(f"{prog}: {error}", USAGE) from error
    except OSError as error:
        sentence = f"{error.filename or options.out}: {error.strerror or error}{resume_hint(options.out)}"
        raise Ended(f"{prog}: {sentence}", BROKEN) from error
    except KeyboardInterrupt:
        raise Ended(f"{prog}: interrupted{resume_hint(options.out)}", INTERRUPTED) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status. Raises SystemExit after an error."""
    prog = typed.command("training.jobs.batch")
    parser = argparse.ArgumentParser(prog=prog, description="Classify a file of reviews.")
    parser.add_argument("file", type=Path, help="CSV, TSV, JSON lines, or a review a line; UTF-8")
    parser.add_argument("--out", type=Path, required=True, help="the output: .csv, .tsv or .jsonl")
    parser.add_argument("--column", help="the review's column (default: review, text, comment, ...)")
    add_format(parser)
    add_raw(parser)
    parser.add_argument(
        "--aspects",
        metavar="LIST",
        help=f"judge aspects too: {', '.join(messages.SHIPPED)}, or a JSON file of terms",
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    add_backends(parser)
    done = run_or_exit("batch", prog, parser.parse_args(arguments))
    return NO if done and done.failed else FINE


if __name__ == "__main__":
    sys.exit(main())
