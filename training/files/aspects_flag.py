"""Read the flag --aspects: the name of a shipped list, or a JSON file with the terms of each aspect."""

from pathlib import Path

from training.files.rows import BatchError
from vocab import messages
from vocab.aspect_lists import SHIPPED
from vocab.messages import AspectsValue, MessageError


def read_aspects(flag: str) -> AspectsValue:
    """Return the aspects that a flag names, checked. Raises BatchError."""
    if flag in SHIPPED:
        return flag
    try:
        value: AspectsValue = messages.parse_json(Path(flag).read_bytes(), "file")
        messages.parse_aspects(value)
        return value
    except OSError as error:
        raise BatchError(
            f"--aspects takes {', '.join(SHIPPED)} or a JSON file; {flag[:200]!r} can't be read:"
            f" {error.strerror}"
        ) from error
    except MessageError as error:
        example = '{"music": ["music", "score"]}'
        form = error.code in ("malformed_json", "not_utf8")
        reason = f"it is no JSON in UTF-8 like {example}" if form else error.detail
        raise BatchError(f"--aspects {flag[:200]}: {reason}") from error
