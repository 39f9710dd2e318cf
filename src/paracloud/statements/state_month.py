"""A payer's statement of a month, and its lines; those of one job."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.entry import held, wallet
from paracloud.billing.period import begins, is_closed, month_after
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import EntryId, PackageId, PriceVersionId, ProjectId, UsageId
from paracloud.statements import store
from paracloud.statements.statement import (
    CORRECTION,
    REVERSAL,
    USAGE,
    Expired,
    Line,
    Movement,
    Payer,
    Statement,
    Sums,
    Taken,
    UnitPrices,
    Used,
    UsedBy,
)

CNY = "CNY"
FIRST = date(2000, 1, 1)


async def state_month(session: AsyncSession, payer: Payer, period: date, *, now: datetime) -> Statement:
    """As far as the month has come; final where it is closed. Invalid for a month that has not begun, or of the last
    century; Conflict where the payer's money is in more than one currency."""
    if period < FIRST:
        raise Invalid(f"month: of a year from {FIRST.year} on.", f"month：年份须不早于 {FIRST.year}。", field="month")
    if period > now.date():
        raise Invalid("month: it has not begun yet.", "month：该月尚未开始。", field="month")
    span = begins(period), begins(month_after(period))
    codes = [code(project) for project in payer.projects for code in (wallet, held)]
    sums = await store.sums(session, list(payer.projects), period)
    moved = await store.moved(session, codes, *span)
    balances = await store.balances(session, codes, *span)
    currency = _one_currency([row.currency for row in (*sums, *moved, *balances)])
    opening, closing = (sum(getattr(row, name) for row in balances) for name in ("opening", "closing"))
    movements = tuple(_movement(row) for row in moved)
    return Statement(
        payer=payer,
        period=period,
        issued_at=now,
        is_final=await is_closed(session, period),
        currency=currency,
        used=tuple(
            Used(row.project, row.product_line, row.centre, row.queue, _sums(row), _prices(row))
            for row in sums
            if not row.is_by_user
        ),
        by_user=tuple(UsedBy(row.project, row.who, _sums(row)) for row in sums if row.is_by_user),
        movements=movements,
        expired=tuple(_expired(row) for row in await store.expired(session, list(payer.projects), *span)),
        opening=opening,
        charged=closing - opening - sum(one.micro for one in movements),
        closing=closing,
    )


async def one_view(session: AsyncSession) -> None:
    """All that this transaction reads, sums and lines, is as of one moment. Before anything else in it."""
    await store.one_view(session)


async def lines_of(session: AsyncSession, payer: Payer, period: date) -> AsyncIterator[list[Line]]:
    """Every charge of the month, by pages."""
    async for page in store.lines(session, list(payer.projects), period):
        yield await _lines(session, page)


async def bill_of(session: AsyncSession, project: ProjectId, reference: str) -> list[Line]:
    """What one job was charged for: a line for each execution of each task, and for each later correction and reversal;
    empty where there is none."""
    return [
        line async for page in store.lines_of_job(session, project, reference) for line in await _lines(session, page)
    ]


async def _lines(session: AsyncSession, page: Sequence[Row[*tuple[Any, ...]]]) -> list[Line]:
    paid = [UsageId(row.usage_id) for row in page if row.package or row.credit]
    taken = await store.taken(session, paid) if paid else {}
    return [_line(row, taken.get(store.Key(row.usage_id, row.revision, row.is_reversal), ())) for row in page]


def _one_currency(found: list[str]) -> str:
    names = sorted(set(found)) or [CNY]
    if len(names) > 1:
        raise Conflict(
            f"The money is in {', '.join(names)}, and a statement is in one currency: take those of the projects.",
            f"资金涉及 {'、'.join(names)} 等多种货币，一份账单只能使用一种货币；请改为按课题组出具。",
        )
    return names[0]


def _sums(row: Row[*tuple[Any, ...]], jobs: int | None = None) -> Sums:
    return Sums(
        row.jobs if jobs is None else jobs,
        row.core_seconds,
        row.card_seconds,
        row.list,
        row.amount,
        row.package,
        row.credit,
    )


def _prices(row: Row[*tuple[Any, ...]]) -> UnitPrices:
    if row.core_least is None:
        return UnitPrices(None, None, row.has_rule)
    return UnitPrices((row.core_least, row.core_most), (row.card_least, row.card_most), row.has_rule)


def _movement(row: Row[*tuple[Any, ...]]) -> Movement:
    return Movement(
        EntryId(row.id), row.created_at, ProjectId(row.project_id), row.kind, row.of, row.reason, row.micro, row.is_cost
    )


def _expired(row: Row[*tuple[Any, ...]]) -> Expired:
    return Expired(
        EntryId(row.id), row.created_at, ProjectId(row.project_id), PackageId(row.package_id), row.name, row.unit,
        row.units, row.micro,
    )  # fmt: skip


def _line(row: Row[*tuple[Any, ...]], taken: Iterable[Row[*tuple[Any, ...]]]) -> Line:
    used = row.measured
    return Line(
        usage=UsageId(row.usage_id),
        revision=row.revision,
        kind=REVERSAL if row.is_reversal else USAGE if row.is_first else CORRECTION,
        project=ProjectId(row.project_id),
        user=row.who,
        job=row.reference,
        name=row.name,
        record=row.record_id,
        centre=row.centre,
        queue=used["queue"],
        product_line=row.product_line,
        state=used["native_state"],
        started_at=None if used["started_at"] is None else datetime.fromisoformat(used["started_at"]),
        ended_at=datetime.fromisoformat(used["ended_at"]),
        charged_at=row.charged_at,
        cores=row.cores,
        cards=row.cards,
        elapsed_seconds=row.seconds,
        sums=_sums(row, jobs=int(row.is_first and not row.is_reversal)),
        price=PriceVersionId(row.price_id),
        core_hour=None if row.has_rule else row.core_hour,
        card_hour=None if row.has_rule else row.card_hour,
        reason=row.reason,
        entry=None if row.entry_id is None else EntryId(row.entry_id),
        is_anew=row.is_anew,
        taken=tuple(Taken(PackageId(one.id), one.name, one.unit, one.units, one.micro) for one in taken),
    )
