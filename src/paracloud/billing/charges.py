"""Every query on charges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Uuid, any_, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.entry import payable
from paracloud.billing.rate import Stretch, stretched_again
from paracloud.billing.tables import ChargeRow, UnratedRow
from paracloud.kit.bulk import put_in, unnested
from paracloud.kit.identifiers import (
    CentreName,
    ContractId,
    DedicationId,
    EntryId,
    PriceVersionId,
    ProjectId,
    UsageId,
    UserId,
)

CHARGE = (
    ChargeRow.usage_id, ChargeRow.revision, ChargeRow.is_reversal, ChargeRow.period, ChargeRow.project_id,
    ChargeRow.user_id, ChargeRow.reference, ChargeRow.price_version_id, ChargeRow.contract_id,
    ChargeRow.share_basis_points, ChargeRow.list_micro, ChargeRow.volume_micro, ChargeRow.amount_micro,
    ChargeRow.package_micro, ChargeRow.credit_micro, ChargeRow.share_micro, ChargeRow.owner_micro,
    ChargeRow.dedication_id, ChargeRow.currency, ChargeRow.is_duplicate, ChargeRow.entry_id, ChargeRow.charged_at,
    ChargeRow.reason, ChargeRow.person, ChargeRow.dedicated_seconds, ChargeRow.volume_month,
)  # fmt: skip
SETTLED = text("""
    WITH wanted AS (SELECT usage_id, entry_id, contract_id, share_micro, owner_micro FROM charges
                     WHERE usage_id = ANY(:usages) AND entry_id IS NOT NULL),
         said AS (SELECT entry_id, sum(share_micro) AS share, sum(owner_micro) AS owner FROM charges
                   WHERE entry_id IN (SELECT entry_id FROM wanted) GROUP BY entry_id),
         posted AS (SELECT posting.entry_id, account.code, posting.micro FROM ledger_postings AS posting
                      JOIN ledger_accounts AS account ON account.id = posting.account_id
                       AND account.code LIKE 'payable:%'
                     WHERE posting.entry_id IN (SELECT entry_id FROM wanted))
    SELECT wanted.usage_id, sum(coalesce(centres.micro, 0) - said.share + wanted.share_micro) AS share,
           sum(coalesce(owners.micro, 0) - said.owner + wanted.owner_micro) AS owner
      FROM wanted JOIN said USING (entry_id) JOIN contracts AS contract ON contract.id = wanted.contract_id
      LEFT JOIN posted AS centres ON centres.entry_id = wanted.entry_id AND centres.code = :code
      LEFT JOIN posted AS owners ON owners.entry_id = wanted.entry_id
       AND owners.code = 'payable:owner/' || contract.owner_project_id
     GROUP BY wanted.usage_id
""").bindparams(bindparam("usages", type_=ARRAY(Uuid)))
"""Of the lender's part what went to whom the contract names."""


@dataclass(frozen=True, slots=True)
class Unrated:
    """Why a usage cannot be charged now."""

    reason_en: str
    reason_zh: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ledger has of a usage for its centre, and for who lent the nodes; micro-units."""

    share_micro: int
    owner_micro: int


@dataclass(frozen=True, slots=True)
class Before:
    """What a usage was charged together since it was charged first or, after a reversal, anew: by the revisions `first`
    to `revision`. `is_reversed`: that was taken back, and the amounts are what was left then. Amounts as in
    `tables.ChargeRow`; the terms are those of the newest of these charges. `month`: of the bill that the usage was on
    first, whose volume it counts in; `stretches`: of that volume, at a price with tiers, also when it is reversed.
    `dedicated_seconds`: those of the run that were on the customer's own nodes; None: none, or all, where that was not
    told apart."""

    price: PriceVersionId
    contract: ContractId
    dedication: DedicationId | None
    revision: int
    list_micro: int
    amount_micro: int
    credit_micro: int
    share_micro: int
    owner_micro: int
    is_reversed: bool
    month: date
    first: int = 1
    stretches: tuple[Stretch, ...] = ()
    dedicated_seconds: int | None = None

    def billed_of(self, elapsed_seconds: int) -> int:
        """The seconds of so long a run that were not on dedicated nodes."""
        if self.dedication is None:
            return elapsed_seconds
        return 0 if self.dedicated_seconds is None else elapsed_seconds - self.dedicated_seconds


@dataclass(frozen=True, slots=True)
class NewCharge:
    """A row of `charges` to be; `usage` and `revision` say of what."""

    usage: UsageId
    revision: int
    period: date
    project: ProjectId
    user: UserId | None
    reference: str | None
    price: PriceVersionId
    contract: ContractId
    share_basis_points: int
    list_micro: int
    volume_micro: int | None
    amount_micro: int
    package_micro: int
    credit_micro: int
    share_micro: int
    owner_micro: int
    dedication: DedicationId | None
    currency: str
    is_duplicate: bool
    dedicated_seconds: int | None = None
    is_reversal: bool = False
    reason: str | None = None
    person: str | None = None
    volume_month: date | None = None

    @property
    def wallet_micro(self) -> int:
        """What neither packages nor credits pay, less what came back of packages that are closed; nothing of a
        duplicate."""
        return 0 if self.is_duplicate else self.amount_micro - self.package_micro - self.credit_micro


EARLIER = (
    ChargeRow.usage_id, ChargeRow.revision, ChargeRow.is_reversal, ChargeRow.price_version_id, ChargeRow.contract_id,
    ChargeRow.dedication_id, ChargeRow.dedicated_seconds, ChargeRow.period, ChargeRow.volume_micro,
)  # fmt: skip
SUMMED = ("list_micro", "amount_micro", "credit_micro", "share_micro", "owner_micro")


async def before(session: AsyncSession, usages: Sequence[UsageId]) -> dict[UsageId, Before]:
    """By index, whatever the plan was made for: joined to a list of usages, it read the whole table for one of them."""
    query = (
        select(*EARLIER, *(getattr(ChargeRow, name) for name in SUMMED))
        .where(ChargeRow.usage_id == any_(bindparam("usages", list(usages), type_=ARRAY(Uuid))))
        .order_by(ChargeRow.usage_id, ChargeRow.revision, ChargeRow.is_reversal)
    )
    found: dict[UsageId, Before] = {}
    for row in (await session.execute(query)).all():
        usage = UsageId(row.usage_id)
        found[usage] = _after(found.get(usage), row)
    return found


def _after(known: Before | None, row: Row[*tuple[Any, ...]]) -> Before:
    """With one charge more; what follows a reversal begins anew."""
    is_anew = known is None or (known.is_reversed and not row.is_reversal)
    sums = {name: (0 if known is None or is_anew else getattr(known, name)) + getattr(row, name) for name in SUMMED}
    return Before(
        PriceVersionId(row.price_version_id),
        ContractId(row.contract_id),
        None if row.dedication_id is None else DedicationId(row.dedication_id),
        row.revision,
        is_reversed=row.is_reversal,
        month=row.period if known is None else known.month,
        first=row.revision if known is None or is_anew else known.first,
        stretches=_stretches(known, row),
        dedicated_seconds=row.dedicated_seconds,
        **sums,
    )


def _stretches(known: Before | None, row: Row[*tuple[Any, ...]]) -> tuple[Stretch, ...]:
    so_far = () if known is None else known.stretches
    if row.is_reversal or row.volume_micro is None:
        return so_far if row.is_reversal else ()
    new = Stretch(row.volume_micro, row.list_micro)
    if known is None or not known.is_reversed:
        return (*so_far, new)
    is_where_it_was = (
        known.price == row.price_version_id and so_far != () and so_far[0].volume_micro == row.volume_micro
    )
    return stretched_again(so_far, row.list_micro) if is_where_it_was else (new,)


async def settled(session: AsyncSession, usages: Sequence[UsageId], centre: CentreName) -> dict[UsageId, Settled]:
    """What is posted for these usages, reversals included; of one without an entry: absent. Of an entry that several
    charges share it is what that posts, less what the other charges say."""
    values = {"usages": list(usages), "code": payable(centre)}
    rows = (await session.execute(SETTLED, values)).all()
    return {UsageId(row.usage_id): Settled(int(row.share), int(row.owner)) for row in rows}


async def add(session: AsyncSession, rows: Sequence[tuple[NewCharge, EntryId | None]], now: datetime) -> None:
    """A second charge for the same revision of a usage violates the primary key: the transaction fails whole. What had
    been listed as unrated no longer is."""
    if not rows:
        return
    values = [
        (
            row.usage, row.revision, row.is_reversal, row.period, row.project, row.user, row.reference, row.price,
            row.contract, row.share_basis_points, row.list_micro, row.volume_micro, row.amount_micro,
            row.package_micro, row.credit_micro, row.share_micro, row.owner_micro, row.dedication, row.currency,
            row.is_duplicate, entry, now, row.reason, row.person, row.dedicated_seconds, row.volume_month,
        )
        for row, entry in rows
    ]  # fmt: skip
    await put_in(session, CHARGE, values)
    charged = unnested([UnratedRow.usage_id, UnratedRow.revision], [(row.usage, row.revision) for row, _ in rows])
    waited = (UnratedRow.usage_id == charged.c.usage_id) & (UnratedRow.revision <= charged.c.revision)
    await session.execute(delete(UnratedRow).where(waited).execution_options(synchronize_session=False))


async def of_entry(session: AsyncSession, entry: EntryId, usage: UsageId | None) -> list[NewCharge]:
    """What an entry posted, of one usage where that is named; two of them are enough to know that there are several."""
    query = select(*CHARGE).where(ChargeRow.entry_id == entry, ChargeRow.is_reversal.is_(False)).limit(2)
    if usage is not None:
        query = query.where(ChargeRow.usage_id == usage)
    return [_charge(row) for row in (await session.execute(query)).all()]


async def newest(session: AsyncSession, usages: Sequence[UsageId]) -> dict[UsageId, NewCharge]:
    """The last charge of each that is no reversal."""
    query = (
        select(*CHARGE)
        .ext(distinct_on(ChargeRow.usage_id))
        .where(
            ChargeRow.usage_id == any_(bindparam("usages", list(usages), type_=ARRAY(Uuid))),
            ChargeRow.is_reversal.is_(False),
        )
        .order_by(ChargeRow.usage_id, ChargeRow.revision.desc())
    )
    return {UsageId(row.usage_id): _charge(row) for row in (await session.execute(query)).all()}


def _charge(row: Row[*tuple[Any, ...]]) -> NewCharge:
    return NewCharge(
        UsageId(row.usage_id), row.revision, row.period, ProjectId(row.project_id),
        None if row.user_id is None else UserId(row.user_id), row.reference, PriceVersionId(row.price_version_id),
        ContractId(row.contract_id), row.share_basis_points, row.list_micro, row.volume_micro, row.amount_micro,
        row.package_micro, row.credit_micro, row.share_micro, row.owner_micro,
        None if row.dedication_id is None else DedicationId(row.dedication_id), row.currency, row.is_duplicate,
        row.dedicated_seconds, row.is_reversal, row.reason, row.person, row.volume_month,
    )  # fmt: skip
