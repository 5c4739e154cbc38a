"""Keep the other service's answers until the comparison is written: they cost money or time.

The folder OUT.parts/ holds them by the SHA-256 of their texts, never the texts. So the same command goes on
after a stop, a text is asked once however often it comes, and more rows cost only what is new.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from training.files.parts import LINES, PartsFolder, key_of, load_part, open_folder
from training.files.rows import BatchError
from training.shadow.services import Answer, Failure, Service

Call = tuple[float, int]


class KeptAnswers:
    """The answers by their texts' digests, and the calls: seconds and number of texts of each."""

    def __init__(self, parts: PartsFolder) -> None:
        """Load what earlier runs kept. Raises BatchError for another comparison's answers."""
        self._parts = parts
        self.answers: dict[bytes, Answer] = {}
        self.calls: list[Call] = []
        self._number = 0
        for path in sorted(parts.folder.glob(f"*-*-*.{LINES}")):
            if path.name.startswith("."):
                continue
            if not path.name.startswith(f"{parts.key}-"):
                raise BatchError(
                    f"{parts.folder} holds answers of another comparison; run that one to its end, delete the"
                    " folder, or choose another -o"
                )
            self._load(path)

    def keep(self, digests: Iterable[bytes], answers: Sequence[Answer | Failure], seconds: float) -> None:
        """Write a call's answers to the disk. A failed text is asked again by the next run."""
        new = {key: one for key, one in zip(digests, answers, strict=True) if isinstance(one, Answer)}
        lines = [json.dumps([seconds, len(answers)])]
        lines += [json.dumps([key.hex(), *answer]) for key, answer in new.items()]
        self._parts.keep(self._number, "\n".join(lines).encode())
        self._number += 1
        self.answers |= new
        self.calls.append((seconds, len(answers)))

    def _load(self, path: Path) -> None:
        self._number = max(self._number, int(path.name.split("-")[1]) + 1)
        try:
            call, *lines = load_part(path).decode().split("\n")
        except BatchError:  # damaged: its texts are asked again
            path.unlink()
            return
        seconds, count = json.loads(call)
        self.calls.append((seconds, count))
        for key, *answer in map(json.loads, lines):
            self.answers[bytes.fromhex(key)] = Answer(*answer)


@contextmanager
def open_kept(out: Path, service: Service) -> Iterator[KeptAnswers]:
    """Yield the answers kept beside an output, and forget them when the block ends without an error.

    Raises BatchError when another run or another comparison has them, OSError when the disk fails.
    """
    with open_folder(out, key_of("shadow", *service.key)) as parts:
        yield KeptAnswers(parts)


def digest_of(text: str) -> bytes:
    """Return the key of a text's answer."""
    return sha256(text.encode(errors="replace")).digest()
