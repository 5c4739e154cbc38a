"""Exceptions: one for each reaction that a caller may have."""


class VerdictError(Exception):
    """A review or a call has no verdict.

    ``detail`` is a sentence for people and ``code`` a stable word for programs. ``status`` is the HTTP
    status, None without an answer. ``request_id`` finds the service's log line. ``retry_after`` is in
    seconds.
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


class RefusedError(VerdictError):
    """The service refused the request: send another review, key or address, not the same again."""


class UnavailableError(VerdictError):
    """The service did not answer, is busy, or failed; the same call may work later."""


class BadAnswerError(VerdictError):
    """The answer is malformed, so it gives no verdict."""
