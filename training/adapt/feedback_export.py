"""Export people's corrections of verdicts as a CSV that adapt.py learns from, or delete them.

    python -m training.adapt.feedback_export export --out corrections.csv   # from the place in FEEDBACK
    python -m training.adapt.feedback_export delete ID                      # or --all, which asks

FEEDBACK names a folder or s3://bucket/prefix. The API writes feedback there and can't read it.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from training.adapt.exit_status import CommandError, run_command
from training.files.formulas import Writer, add_raw
from training.files.outputs import FORCE_HELP, check_new
from training.files.rows import to_bytes
from vocab import typed
from vocab.exit_status import FINE, NO
from vocab.files import is_file, write_atomic
from vocab.messages.feedback import ID, SUFFIX, Place, PlaceError, Record, RecordError, from_bytes, read_place

# What was typed, unless a caller says something else.
PROG = typed.command("training.adapt.feedback_export")
COLUMNS = ("text", "label", "model", "created", "id")
# Reviews may be personal: only the file's owner may read them.
FILE_MODE = 0o600
# Above the size of the longest review, 50,000 characters, with the fields around it.
MAX_RECORD_BYTES = 1_000_000
CONNECT_SECONDS, READ_SECONDS = 10, 30


class Store(Protocol):
    """A place that keeps records."""

    def names(self) -> list[str]:
        """Return the names of all records, in order."""

    def read(self, name: str) -> bytes:
        """Return a record's bytes."""

    def remove(self, name: str) -> None:
        """Delete a record."""


class Folder:
    """Records as files of a folder."""

    def __init__(self, place: Place) -> None:
        self._folder = Path(place.path)

    def names(self) -> list[str]:
        found = sorted(path for path in self._folder.iterdir() if _is_record(path.name))
        for path in found:
            if not is_file(path):
                print(f"feedback: {path} is no file; it is left alone", file=sys.stderr)
        return [path.name for path in found if is_file(path)]

    def read(self, name: str) -> bytes:
        # Neither follows a link, nor waits for a pipe, that took the file's place meanwhile.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with open(self._folder / name, "rb", opener=lambda path, _: os.open(path, flags)) as file:
            return file.read(MAX_RECORD_BYTES + 1)

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)


class Bucket:
    """Records as objects of an S3 bucket."""

    def __init__(self, place: Place, client: Any) -> None:
        self._place, self._client = place, client

    def names(self) -> list[str]:
        prefix = self._place.name_of("").removesuffix(SUFFIX)
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._place.bucket, Prefix=prefix
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return sorted(key for key in keys if _is_record(key.removeprefix(prefix)))

    def read(self, name: str) -> bytes:
        body = self._client.get_object(Bucket=self._place.bucket, Key=name)["Body"]
        with body:
            return bytes(body.read(MAX_RECORD_BYTES + 1))

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self._place.bucket, Key=name)


def open_store(address: str | None) -> Store:
    """Return the store at a folder or s3://bucket/prefix. Raises CommandError."""
    try:
        place = read_place(address)
    except PlaceError as error:
        raise CommandError(str(error)) from error
    if place is None:
        raise CommandError("no place is given; set FEEDBACK as for the API, or use --from")
    if place.bucket:
        return Bucket(place, _client())
    if not Path(place.path).is_dir():
        raise CommandError(f"{place.path} is no folder; use the folder in the API's FEEDBACK")
    return Folder(place)


def records(store: Store) -> Iterator[Record | None]:
    """Yield all records in order; None for one that can't be read."""
    for name in tqdm(store.names(), desc="reading", unit="review", disable=None):
        try:
            yield from_bytes(store.read(name))
        except RecordError:
            yield None


def export(store: Store, out: Path, raw: bool = False) -> int:
    """Write all feedback as CSV, oldest first; return the exit status.

    ``raw`` writes the cells without a guard against formulas. Raises OSError, or what botocore raises.
    """
    stored = list(records(store))
    readable = sorted((record for record in stored if record), key=lambda record: (record.created, record.id))
    text = io.StringIO(newline="")
    writer = Writer(text, raw)
    writer.writerow(COLUMNS)
    for record in readable:
        review, label, model = record.feedback
        writer.writerow([review, label, model, record.created, record.id])
    write_atomic(out, to_bytes(text.getvalue()), FILE_MODE)
    left_out = len(stored) - len(readable)
    print(
        f"feedback: {_reviews(len(readable))} in {out}"
        + (f"; {left_out:,} can't be read and are left out" if left_out else "")
    )
    if readable:
        print(
            "feedback: these reviews alone mislead a fit; add reviews that were not chosen by their verdicts"
        )
    return FINE


def delete(store: Store, ids: Sequence[str], every: bool, yes: bool = False) -> int:
    """Delete feedback by ids, or all of it; return the exit status.

    All of it is deleted only with ``yes``, or after a yes on the terminal. Raises CommandError for a
    malformed id, and without a terminal.
    """
    wrong = next((id for id in ids if not ID.fullmatch(id)), None)
    if wrong is not None or bool(ids) == every:
        raise CommandError("give ids of 32 hex digits, as the API and the export show them, or --all")
    names = store.names()
    chosen = names if every else [name for name in names if _id_of(name) in ids]
    if every and names and not (yes or confirmed(len(names))):
        print("feedback: nothing was deleted", file=sys.stderr)
        return NO
    for name in chosen:
        store.remove(name)
    print(f"feedback: {len(chosen):,} of {len(names):,} deleted")
    return FINE


def confirmed(count: int) -> bool:
    """Return whether a person wants all feedback deleted. Raises CommandError without a terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandError(f"--all deletes {_reviews(count)} for good; --yes does that without a question")
    try:
        return input(f"Delete {_reviews(count)} for good? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    if options.action == "export":
        check_new(options.out, options.force)
        return export(open_store(options.place), options.out, options.raw)
    return delete(open_store(options.place), options.ids, options.all, options.yes)


def _reviews(count: int) -> str:
    return f"{count:,} {'review' if count == 1 else 'reviews'}"


def _is_record(name: str) -> bool:
    return bool(ID.fullmatch(name.removesuffix(SUFFIX))) and name.endswith(SUFFIX)


def _id_of(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(SUFFIX)


def _client() -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise CommandError("s3:// needs boto3; run: pip install boto3") from error
    return boto3.client("s3", config=Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS))


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the command's parser, named ``prog`` in its help."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Export or delete people's corrections of verdicts."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    exporting = actions.add_parser("export", help="write feedback as a CSV that adapt learns from")
    exporting.add_argument("--out", "-o", type=Path, default=Path("corrections.csv"), help="the CSV")
    exporting.add_argument("--force", action="store_true", help=FORCE_HELP)
    add_raw(exporting)
    deleting = actions.add_parser("delete", help="delete some feedback, or all")
    deleting.add_argument("ids", nargs="*", help="ids to delete")
    deleting.add_argument("--all", action="store_true", help="delete all feedback, after a question")
    deleting.add_argument("--yes", action="store_true", help="delete all without the question")
    for action in (exporting, deleting):
        action.add_argument(
            "--from",
            dest="place",
            default=os.environ.get("FEEDBACK"),
            help="folder or s3://bucket/prefix (default: FEEDBACK)",
        )
    return parser


def parse(arguments: Sequence[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    return make_parser(prog).parse_args(arguments)


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command, named ``prog`` in its messages; return its exit status."""
    options = parse(arguments, prog)
    return run_command(prog, lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
