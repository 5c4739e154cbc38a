"""Take out what people said of verdicts, as a CSV that adapt.py learns from, and delete it.

    python -m training.adapt.feedback export --out corrections.csv     # from where FEEDBACK says
    python -m training.adapt.feedback delete ID                        # or --all

The API keeps such things where FEEDBACK names a folder or s3://bucket/prefix, and can't read them itself.
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

from training.adapt.exit_status import FINE, CommandError, speaking
from training.files.rows import harmless, written
from vocab.files import write_atomic
from vocab.messages.feedback import ID, SUFFIX, Place, PlaceError, Record, RecordError, from_bytes, read_place

COLUMNS = ("text", "label", "model", "created", "id")
# A review in it may be anybody's: for its owner alone.
FILE_MODE = 0o600
# A review of 50,000 characters has at most so many bytes, and something around it.
MAX_RECORD_BYTES = 1_000_000
CONNECT_SECONDS, READ_SECONDS = 10, 30


class Store(Protocol):
    """Where records are."""

    def names(self) -> list[str]:
        """Give the names of all records, in order."""

    def read(self, name: str) -> bytes:
        """Give a record's bytes."""

    def remove(self, name: str) -> None:
        """Delete a record."""


class Folder:
    """Records as files."""

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
    """Records as objects of S3."""

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


def open_store(named: str | None) -> Store:
    """Open the place that FEEDBACK names. Raises CommandError."""
    try:
        place = read_place(named)
    except PlaceError as error:
        raise CommandError(str(error)) from error
    if place is None:
        raise CommandError("no place is named; set FEEDBACK as for the API, or give --from")
    if place.bucket:
        return Bucket(place, _client())
    if not Path(place.path).is_dir():
        raise CommandError(f"{place.path} is no folder; name the one that the API's FEEDBACK names")
    return Folder(place)


def records(store: Store) -> Iterator[Record | None]:
    """Read all records, one after the other; None for what is none."""
    for name in tqdm(store.names(), desc="reading", unit="review", disable=None):
        try:
            yield from_bytes(store.read(name))
        except RecordError:
            yield None


def export(store: Store, out: Path) -> int:
    """Write all feedback as CSV, the oldest first. Raises OSError, or what botocore raises."""
    found = list(records(store))
    whole = sorted((one for one in found if one), key=lambda one: (one.created, one.id))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for record in whole:
        review, label, model = record.feedback
        writer.writerow([harmless(review), label, model, record.created, record.id])
    write_atomic(out, written(text.getvalue()), FILE_MODE)
    left_out = len(found) - len(whole)
    print(
        f"feedback: {len(whole):,} reviews in {out}"
        + (f"; {left_out:,} can't be read and are left out" if left_out else "")
    )
    if whole:
        print("feedback: alone they teach the contrary of the model; add reviews that no verdict chose")
    return FINE


def delete(store: Store, ids: Sequence[str], every: bool) -> int:
    """Delete feedback by its ids, or every one. Raises CommandError for an id that is none."""
    wrong = next((id for id in ids if not ID.fullmatch(id)), None)
    if wrong is not None or bool(ids) == every:
        raise CommandError("name ids of 32 hex digits, as the API and the export give them, or --all")
    names = store.names()
    chosen = names if every else [name for name in names if _id_of(name) in ids]
    for name in chosen:
        store.remove(name)
    print(f"feedback: {len(chosen):,} of {len(names):,} deleted")
    return FINE


def run(options: argparse.Namespace) -> int:
    """Do what the flags say, and give the exit status."""
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
        prog=prog, description="Take out or delete what people said of verdicts."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    exporting = actions.add_parser("export", help="write it as a CSV that adapt learns from")
    exporting.add_argument("--out", "-o", type=Path, default=Path("corrections.csv"), help="the CSV")
    deleting = actions.add_parser("delete", help="delete some of it, or all")
    deleting.add_argument("ids", nargs="*", help="what to delete")
    deleting.add_argument("--all", action="store_true", help="delete everything")
    for action in (exporting, deleting):
        action.add_argument(
            "--from",
            dest="place",
            default=os.environ.get("FEEDBACK"),
            help="folder or s3://bucket/prefix (default: FEEDBACK)",
        )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command, called ``prog``; give its exit status."""
    options = parse(arguments, prog)
    return speaking("feedback", lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
