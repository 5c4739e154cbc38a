"""The result of a check: ok, warn or FAIL, with a sentence and a remedy."""

from collections.abc import Callable
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from training.aws import cloud as clouds
from training.aws.cloud import CloudError

OK, WARN, FAIL = "ok", "warn", "FAIL"


class Finding(NamedTuple):
    """The result of a check: the check's name, a level, one sentence, and a remedy."""

    check: str
    level: str
    sentence: str
    fix: str = ""

    def line(self) -> str:
        """Return the finding as the command prints it.

        >>> Finding("disk", FAIL, "it is full", "make room").line()
        'FAIL disk: it is full; make room'
        """
        return f"{self.level:5}{self.check}: {self.sentence}" + (f"; {self.fix}" if self.fix else "")


Check = Callable[[], Finding | list[Finding]]


def run_check(name: str, check: Check) -> list[Finding]:
    """Run a check. An AWS call that fails becomes a warning, since it proves no fault."""
    try:
        result = check()
    except (CloudError, BotoCoreError, ClientError) as error:
        return [Finding(name, WARN, f"this check could not run: {clouds.sentence_of(error)}")]
    return result if isinstance(result, list) else [result]


def last_line(text: str) -> str:
    """Return the last line of a program's output that is not blank, at most 300 characters of it.

    >>> last_line("collecting\\nERROR: no index\\n\\n")
    'ERROR: no index'
    """
    lines = (line for line in reversed(text.splitlines()) if line.strip())
    return next(lines, "it printed nothing")[:300]
