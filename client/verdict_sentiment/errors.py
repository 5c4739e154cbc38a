"""Why there is no verdict: one exception for each thing that a caller can do about it."""


class VerdictError(Exception):
    """A review, or a call, without a verdict.

    ``detail`` is a sentence for people and ``code`` a stable word for programs. ``status`` is HTTP's, None
    when no answer came. ``request_id`` finds the service's log line; ``retry_after`` is in seconds.
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
    """What was sent can't be judged: another review, key or address is needed, not another try."""


class UnavailableError(VerdictError):
    """The service did not answer, has too much to do, or failed; the same call may well work later."""


class BadAnswerError(VerdictError):
    """What came back is not in the agreed form, so no verdict is taken from it."""
