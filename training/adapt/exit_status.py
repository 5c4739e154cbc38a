"""How a command on someone's own reviews ends: with a status, and with one sentence when it can't be done."""

import sys
from collections.abc import Callable

from training.adapt.features import PooledError
from training.adapt.onnx_head import HeadError
from training.endpoint import inference
from training.endpoint.model_folder import FolderError
from training.files.rows import BatchError

# Those of the command `verdict`.
FINE, REFUSED, USAGE, BROKEN, INTERRUPTED = 0, 1, 2, 4, 130


class CommandError(Exception):
    """Why something can't be done, in one sentence with the way out."""


# What a command refuses by a sentence of its own.
REFUSALS = (
    CommandError,
    BatchError,
    FolderError,
    HeadError,
    PooledError,
    inference.ModelFilesError,
    inference.VocabularyError,
)


def speaking(command: str, work: Callable[[], int]) -> int:
    """Do some work and give its status; where it can't be done, say why."""
    try:
        return work()
    except REFUSALS as error:
        return _say(command, error, BROKEN if isinstance(error, PooledError) else USAGE)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _say(command, f"{error.filename or 'this machine'}: {error.strerror or error}", BROKEN)
    except KeyboardInterrupt:
        return _say(command, "interrupted; nothing was written", INTERRUPTED)


def _say(command: str, sentence: object, status: int) -> int:
    print(f"{command}: {sentence}", file=sys.stderr)
    return status
