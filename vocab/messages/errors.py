"""The error of every message that can't be used."""


class MessageError(Exception):
    """A message that can't be used: HTTP ``status``, stable ``code``, ``detail`` in one sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
