"""Run a command on someone's own reviews: known errors become one sentence and an exit status."""

import sys
from collections.abc import Callable

from training.adapt.features import FeaturesError
from training.adapt.onnx_head import HeadError
from training.endpoint import inference
from training.endpoint.model_folder import FolderError
from training.files.processes import DeadProcessError
from training.files.rows import BatchError
from vocab.exit_status import BROKEN, INTERRUPTED, USAGE


class CommandError(Exception):
    """A command can't go on; the message is one sentence that says what to do instead."""


# Errors whose message is such a sentence.
REFUSALS = (
    CommandError,
    BatchError,
    FolderError,
    HeadError,
    FeaturesError,
    inference.ModelFilesError,
    inference.VocabularyError,
)


def run_command(command: str, work: Callable[[], int]) -> int:
    """Return the status of a command's work; report a known error as one sentence on stderr.

    ``command`` is what was typed, as in `verdict adapt`.
    """
    try:
        return work()
    except REFUSALS as error:
        died = isinstance(error, (FeaturesError, DeadProcessError))
        return _report(command, error, BROKEN if died else USAGE)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _report(command, f"{error.filename or 'this machine'}: {error.strerror or error}", BROKEN)
    except KeyboardInterrupt:
        return _report(command, "interrupted; nothing was written", INTERRUPTED)


def _report(command: str, sentence: object, status: int) -> int:
    print(f"{command}: {sentence}", file=sys.stderr)
    return status
