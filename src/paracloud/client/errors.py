"""What the server said, as one exception."""


class ApiError(Exception):
    """A problem document. `status` 0: no answer came at all."""

    def __init__(self, status: int, code: str, en: str, zh: str, field: str | None = None) -> None:
        super().__init__(en)
        self.status, self.code, self.en, self.zh, self.field = status, code, en, zh, field
