"""Export people's corrections of verdicts as a CSV that adapt.py learns from, or delete them.

    python -m training.adapt.feedback_export export --out corrections.csv   # from the place in FEEDBACK
    python -m training.adapt.feedback_export delete ID                      # or --all

FEEDBACK names a folder or s3://bucket/prefix. The API writes feedback there and can't read it.
"""

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from training.adapt.exit_status import FINE, CommandError, run_command
from training.files.rows import escape_formula, to_bytes
from vocab.files import write_atomic
from vocab.messages.feedback import ID, SUFFIX, Place, PlaceError, Record, RecordError, from_bytes, read_place

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
        return sorted(path.name for path in self._folder.iterdir() if _is_record(path.name))

    def read(self, name: str) -> bytes:
        with (self._folder / name).open("rb") as file:
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


def export(store: Store, out: Path) -> int:
    """Write all feedback as CSV, oldest first; return the exit status.

    Raises OSError, or what botocore raises.
    """
    stored = list(records(store))
    readable = sorted((record for record in stored if record), key=lambda record: (record.created, record.id))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for record in readable:
        review, label, model = record.feedback
        writer.writerow([escape_formula(review), label, model, record.created, record.id])
    write_atomic(out, to_bytes(text.getvalue()), FILE_MODE)
    left_out = len(stored) - len(readable)
    print(
        f"feedback: {len(readable):,} reviews in {out}"
        + (f"; {left_out:,} can't be read and are left out" if left_out else "")
    )
    if readable:
        print(
            "feedback: these reviews alone mislead a fit; add reviews that were not chosen by their verdicts"
        )
    return FINE


def delete(store: Store, ids: Sequence[str], every: bool) -> int:
    """Delete feedback by ids, or all of it; return the exit status.

    Raises CommandError for a malformed id.
    """
    wrong = next((id for id in ids if not ID.fullmatch(id)), None)
    if wrong is not None or bool(ids) == every:
        raise CommandError("give ids of 32 hex digits, as the API and the export show them, or --all")
    names = store.names()
    chosen = names if every else [name for name in names if _id_of(name) in ids]
    for name in chosen:
        store.remove(name)
    print(f"feedback: {len(chosen):,} of {len(names):,} deleted")
    return FINE


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    store = open_store(options.place)
    if options.action == "export":
        return export(store, options.out)
    return delete(store, options.ids, options.all)


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


def parse(arguments: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=prog, description="Export or delete people's corrections of verdicts."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    exporting = actions.add_parser("export", help="write feedback as a CSV that adapt learns from")
    exporting.add_argument("--out", "-o", type=Path, default=Path("corrections.csv"), help="the CSV")
    deleting = actions.add_parser("delete", help="delete some feedback, or all")
    deleting.add_argument("ids", nargs="*", help="ids to delete")
    deleting.add_argument("--all", action="store_true", help="delete all feedback")
    for action in (exporting, deleting):
        action.add_argument(
            "--from",
            dest="place",
            default=os.environ.get("FEEDBACK"),
            help="folder or s3://bucket/prefix (default: FEEDBACK)",
        )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command, named ``prog`` in its help; return its exit status."""
    options = parse(arguments, prog)
    return run_command("feedback", lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
