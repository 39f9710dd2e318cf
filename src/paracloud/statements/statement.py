"""What a payer was charged for in a month, and what moved its money: values only. Amounts are micro-units of the
statement's one currency, times are whole seconds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from paracloud.kit.identifiers import EntryId, PackageId, PriceVersionId, ProjectId, UsageId

CORRECTION, REVERSAL, USAGE = "correction", "reversal", "usage"


class PayerKind(StrEnum):
    ORGANISATION = "organisation"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose statement it is: `projects` by name are all that it covers."""

    kind: PayerKind
    id: UUID
    name: str
    organisation: str
    organisation_id: UUID
    projects: Mapping[ProjectId, str]


@dataclass(frozen=True, slots=True)
class Sums:
    """`list` is before volume tiers and without what packages paid, `amount` what it costs, of which packages, credits
    and, with the rest, the wallet pay. `jobs` counts executions that were charged for the first time."""

    jobs: int = 0
    core_seconds: int = 0
    card_seconds: int = 0
    list: int = 0
    amount: int = 0
    package: int = 0
    credit: int = 0

    @property
    def wallet(self) -> int:
        return self.amount - self.package - self.credit


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """The least and the most that an hour costs by the prices of these charges; None where a charging rule says what
    each of them costs, which `has_rule` says of some."""

    core_hour: tuple[Decimal, Decimal] | None
    card_hour: tuple[Decimal, Decimal] | None
    has_rule: bool


@dataclass(frozen=True, slots=True)
class Used:
    project: str
    product_line: str
    centre: str
    queue: str
    sums: Sums
    prices: UnitPrices


@dataclass(frozen=True, slots=True)
class UsedBy:
    """`user` is a login; of old logs the account at the centre."""

    project: str
    user: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Movement:
    """An entry other than a charge that changed what the payer has. `of` names what it is about, such as a package;
    `is_cost` is false of what was paid in or back."""

    entry: EntryId
    at: datetime
    project: ProjectId
    kind: str
    of: str | None
    reason: str | None
    micro: int
    is_cost: bool


@dataclass(frozen=True, slots=True)
class Expired:
    """The part of a package's price that was never used, on the day that it expired."""

    entry: EntryId
    at: datetime
    project: ProjectId
    package: PackageId
    name: str
    unit: str
    units: int
    micro: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What one charge took from a package or a credit (negative: gave back), and the part of its price that it is."""

    package: PackageId
    name: str
    unit: str
    units: int
    micro: int


@dataclass(frozen=True, slots=True)
class Line:
    """One charge. Seconds are what it adds: those of a correction are a difference, those of a reversal negative; of
    what `is_anew`, after a reversal, all. `entry` None: it moved nothing. `core_hour` and `card_hour` None: a charging
    rule said what it costs."""

    usage: UsageId
    revision: int
    kind: str
    project: ProjectId
    user: str
    job: str | None
    name: str
    record: str
    centre: str
    queue: str
    product_line: str
    state: str
    started_at: datetime | None
    ended_at: datetime
    charged_at: datetime
    cores: int
    cards: int
    elapsed_seconds: int
    sums: Sums
    price: PriceVersionId
    core_hour: Decimal | None
    card_hour: Decimal | None
    reason: str | None
    entry: EntryId | None
    is_anew: bool = False
    taken: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A month (UTC) by its first day. `used` and `by_user` are the same charges, summed twice: those of the billing
    month. `opening` + the movements + `charged` = `closing`: what was posted in the month's days, which a late charge
    is in the next of."""

    payer: Payer
    period: date
    issued_at: datetime
    is_final: bool
    currency: str
    used: tuple[Used, ...]
    by_user: tuple[UsedBy, ...]
    movements: tuple[Movement, ...]
    expired: tuple[Expired, ...]
    opening: int
    charged: int
    closing: int

    @property
    def number(self) -> str:
        """What people call it by: the month, and the end of the payer's id, which is random."""
        return f"{self.period:%Y%m}-{self.payer.id.hex[-8:].upper()}"

    @property
    def total(self) -> Sums:
        return total(one.sums for one in self.used)


def total(sums: Iterable[Sums]) -> Sums:
    whole = [0] * 7
    for one in sums:
        each = (one.jobs, one.core_seconds, one.card_seconds, one.list, one.amount, one.package, one.credit)
        whole = [so_far + more for so_far, more in zip(whole, each, strict=True)]
    return Sums(*whole)
