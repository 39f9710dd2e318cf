"""One tree for everything that can go wrong.

    ParacloudError
    ├── Refused            the request is at fault; the caller can change it (4xx)
    │   ├── Invalid        a value that no rule allows
    │   ├── Unauthenticated
    │   ├── Forbidden
    │   ├── NotFound       also: a thing of somebody else
    │   ├── Conflict       the thing is in a state that does not allow this
    │   ├── NotEnoughFunds
    │   ├── TooLarge
    │   └── Unsupported    the scheduler or centre cannot express it
    ├── Unreachable        the other side did not answer; try again, nothing is known
    ├── Broken             the other side answered something that we do not understand
    └── Fenced             another worker holds the lease now; stop, write nothing

An error says what to change, in English and Chinese. Status and code are class attributes, so an entrance
turns any of them into an answer without a table of its own.
"""

from collections.abc import Sequence
from typing import ClassVar, Self

EVIDENCE_LIMIT_BYTES = 2048


class ParacloudError(Exception):
    """Root of the tree. `en` and `zh` are whole sentences for people."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


class Refused(ParacloudError):
    """Nothing was changed; the caller can mend the request. `field` names the part at fault, where there is one."""

    status = 400
    code = "refused"

    def __init__(self, en: str, zh: str, *, field: str | None = None) -> None:
        super().__init__(en, zh)
        self.field = field

    def within(self, place: str) -> Self:
        """The same refusal, which now says in what part of the request: `place` comes before its texts and field."""
        self.en, self.zh = f"{place}: {self.en}", f"{place}：{self.zh}"
        self.field = place if self.field is None else f"{place}.{self.field}"
        return self


class Invalid(Refused):
    status = 422
    code = "invalid"


class Unauthenticated(Refused):
    status = 401
    code = "unauthenticated"


class Forbidden(Refused):
    status = 403
    code = "forbidden"


class NotFound(Refused):
    status = 404
    code = "not_found"


class Conflict(Refused):
    status = 409
    code = "conflict"


class NotEnoughFunds(Refused):
    """`missing_micro` says how much is missing, in micro-units of `currency`; None: it is not the caller's to know."""

    status = 402
    code = "not_enough_funds"

    def __init__(self, en: str, zh: str, *, missing_micro: int | None, currency: str) -> None:
        super().__init__(en, zh)
        self.missing_micro = missing_micro
        self.currency = currency


class TooLarge(Refused):
    status = 413
    code = "too_large"


class Unsupported(Refused):
    status = 422
    code = "unsupported"


class Unreachable(ParacloudError):
    """No answer, or only part of one: what was asked may or may not have happened."""

    status = 503
    code = "unreachable"


class Broken(ParacloudError):
    """An answer that is not understood. Keeps the command, its status and the first 2 KiB of evidence."""

    status = 502
    code = "broken"

    def __init__(
        self, en: str, zh: str, *, argv: Sequence[str] = (), exit_status: int | None = None, evidence: bytes = b""
    ) -> None:
        super().__init__(en, zh)
        self.argv = tuple(argv)
        self.exit_status = exit_status
        self.evidence = evidence[:EVIDENCE_LIMIT_BYTES]


class Fenced(ParacloudError):
    """The lease's fence is stale: its holder must stop at once and write nothing more."""

    status = 409
    code = "fenced"
