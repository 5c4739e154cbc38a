"""Download and check the model of an adaptation job: whole, and made from the base that was sent."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from training.adapt.exit_status import CommandError
from training.adapt.held_out import OUTCOMES
from training.aws.cloud import Cloud, CloudError
from training.data.archives import ArchiveError, read_members
from training.endpoint import inference
from training.endpoint.model_folder import identity_of
from training.jobs import adapt_job
from training.jobs.training_job import Job, downloaded_archive
from vocab.files import sha256_of

MAX_CARD_BYTES, MAX_SENTENCE_BYTES = 10_000_000, 100_000
MEMBERS = {
    "model.onnx": inference.MAX_MODEL_BYTES,
    "model.json": MAX_CARD_BYTES,
    adapt_job.REFUSED: MAX_SENTENCE_BYTES,
}
# The job puts nothing else there; the archive's own blocks fit too.
MAX_ARCHIVE_BYTES = 2 * sum(MEMBERS.values())
SHOWN_CHARACTERS = 600


class JobResult(NamedTuple):
    """A job's network, its card, and the SHA-256 of the archive that held both."""

    network: bytes
    card: dict[str, Any]
    archive_sha256: str


def download_model(cloud: Cloud, job: Job, base: Mapping[str, Any], digest: str | None) -> JobResult:
    """Download and check a job's model.

    ``base`` is the card of its base, ``digest`` the SHA-256 of the reviews, if known.

    Raises CommandError with the job's sentence when it refused the reviews, CloudError when the model is not
    the one that the job should have made.
    """
    with downloaded_archive(cloud, job) as packed:
        try:
            files = {_plain(name): data for name, data in read_members(packed, _limit, MAX_ARCHIVE_BYTES)}
        except ArchiveError as error:
            raise CloudError(
                f"model.tar.gz is no usable archive ({error}); --attach the job again"
            ) from error
        archive = sha256_of(packed)
    if adapt_job.REFUSED in files:
        raise CommandError(_sentence(files[adapt_job.REFUSED]))
    if not {"model.onnx", "model.json"} <= files.keys():
        raise CloudError("the job left no model.onnx and model.json; its log says why")
    card = read_card(files["model.json"])
    check(files["model.onnx"], card, base, digest)
    return JobResult(files["model.onnx"], card, archive)


def read_card(data: bytes) -> dict[str, Any]:
    """Parse a card; check the parts that are printed. Raises CloudError."""
    try:
        card = dict(json.loads(data, parse_constant=_refuse))
        about = card["adaptation"]
        learned, rows = about["data"]["learned_from"], about["data"]["rows"]
        counts = [learned["reviews"], learned["positive"], *rows.values()]
        if not all(isinstance(count, int) for count in counts) or about["outcome"] not in OUTCOMES:
            raise ValueError
        if not isinstance(about["seconds"], (int, float)) or not _is_printable(about["sentence"]):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CloudError("the downloaded card is not that of an adaptation; start another job") from error
    return card


def check(network: bytes, card: Mapping[str, Any], base: Mapping[str, Any], digest: str | None) -> None:
    """Refuse a model of another base, other reviews or another network. Raises CloudError."""
    about = card["adaptation"]
    if about.get("base") != {"id": base["id"], "onnx_sha256": base["onnx_sha256"]}:
        raise CloudError(
            f"the downloaded model was not made from {base['id']}; name its base with --model, or start"
            " another job"
        )
    if digest not in (None, about["data"].get("sha256")):
        raise CloudError("the downloaded model was made from other reviews than were sent; start another job")
    if {name: card.get(name) for name in identity_of(network)} != identity_of(network):
        raise CloudError("the downloaded network is not the one that its card names; --attach the job again")


def _sentence(data: bytes) -> str:
    """Return why a job refused its reviews. Raises CloudError when it gave no reason."""
    try:
        sentence = json.loads(data)["sentence"]
    except (ValueError, KeyError, TypeError):
        sentence = None
    if not _is_printable(sentence):
        raise CloudError("the job refused the reviews and gave no reason; its log may say more")
    return str(sentence)


def _is_printable(sentence: object) -> bool:
    """Return whether this is safe to print: one short line without control characters."""
    return isinstance(sentence, str) and sentence.isprintable() and len(sentence) <= SHOWN_CHARACTERS


def _limit(name: str) -> int | None:
    return MEMBERS.get(_plain(name))


def _plain(name: str) -> str:
    return name.removeprefix("./")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
