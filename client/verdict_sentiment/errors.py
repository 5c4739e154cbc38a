"""Exceptions: one for each reaction that a caller may have.

VerdictError
├── RefusedError              send something else
│   └── UnauthorizedError     send another key (401, 403)
├── UnavailableError          try again later
│   └── RateLimitedError      try again after ``retry_after`` seconds, and less often (429)
└── BadAnswerError            no Verdict answers at this URL
"""

import copyreg
from typing import Any


class VerdictError(Exception):
    """A review or a call has no verdict.

    ``detail`` is a sentence for people and ``code`` a stable word for programs. ``status`` is the HTTP
    status, None without an answer. ``request_id`` finds the service's log line. ``retry_after`` is in
    seconds. Copies and pickles keep all of them.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.detail} ({self.code})"

    def __repr__(self) -> str:
        status = "" if self.status is None else f", status={self.status}"
        return f"{type(self).__name__}({self.detail!r}, code={self.code!r}{status})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own way calls the class with ``args`` alone, which lacks ``code``.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class RefusedError(VerdictError):
    """The service refused the request: send another review, key or address, not the same again."""


class UnauthorizedError(RefusedError):
    """The service refused the key, or wants one: HTTP 401 or 403."""


class UnavailableError(VerdictError):
    """The service did not answer, is busy, or failed; the same call may work later."""


class RateLimitedError(UnavailableError):
    """The caller sends too much: HTTP 429. The same call works after ``retry_after`` seconds."""


class BadAnswerError(VerdictError):
    """The answer is malformed, so it gives no verdict."""
