"""What moved a project's money between two days, line by line, with the balance after each."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.entry import held, wallet
from paracloud.billing.funding import credit_line
from paracloud.billing.tables import EntryRow
from paracloud.kit.identifiers import EntryId, ProjectId
from paracloud.kit.money import Money


@dataclass(frozen=True, slots=True)
class Balance:
    """`available` is what the wallet has, `held` is reserved for running and waiting jobs. `spendable`: what the wallet
    has above its credit line."""

    available: Money
    held: Money
    spendable: Money


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` is what the entry changed of available and held together: a hold nothing, a charge less than nothing."""

    entry: EntryId
    at: datetime
    kind: str
    reference: str | None
    reason: str | None
    amount: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """`opening` + the lines' amounts = `closing`."""

    project: ProjectId
    start: datetime
    end: datetime
    opening: Money
    lines: tuple[Line, ...]
    closing: Money


async def balance(session: AsyncSession, project: ProjectId) -> Balance:
    available = await store.balance(session, wallet(project))
    spendable = max(0, available + await credit_line(session, project))
    return Balance(Money(available), Money(await store.balance(session, held(project))), Money(spendable))


async def statement(session: AsyncSession, project: ProjectId, start: datetime, end: datetime) -> Statement:
    """Entries in [start, end); those that only move money between available and held are left out."""
    codes = [wallet(project), held(project)]
    opening = await store.sum_before(session, codes, start)
    changes: dict[EntryId, tuple[EntryRow, int]] = {}
    for row, _, micro in await store.lines(session, codes, start, end):
        _, before = changes.get(EntryId(row.id), (row, 0))
        changes[EntryId(row.id)] = (row, before + micro)
    running, lines = opening, []
    for id_, (row, micro) in changes.items():
        running += micro
        if micro:
            lines.append(Line(id_, row.created_at, row.kind, row.reference, row.reason, Money(micro), Money(running)))
    return Statement(project, start, end, Money(opening), tuple(lines), Money(running))
