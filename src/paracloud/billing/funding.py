"""How a project pays when its wallet is empty: a credit line, and what happens to running jobs at its end."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypedDict

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.tables_paying import FundingRow
from paracloud.kit.errors import Invalid, NotEnoughFunds
from paracloud.kit.identifiers import ProjectId
from paracloud.kit.money import Money

SIGNALS = ("USR1", "USR2", "TERM", "INT", "HUP")
LONGEST_GRACE = timedelta(days=1)
SHORTEST_HOLD = timedelta(minutes=1)
MOST_LEVELS = 10
NOTHING = Money(0)


@dataclass(frozen=True, slots=True)
class Funding:
    """`line`: how far below nothing the wallet may go (postpaid). `hold`: how much of a job's time limit is reserved at
    once, and again while it runs; None: all of it. `warnings`: what is left when the project is told. When nothing is
    left, running jobs get the signal to write a checkpoint, and `grace` later they are stopped."""

    line: Money = NOTHING
    hold: timedelta | None = None
    warnings: tuple[Money, ...] = ()
    signal: str = "USR1"
    grace: timedelta = timedelta(minutes=10)


class Changes(TypedDict, total=False):
    """Of a Funding, what becomes another; the rest stays."""

    line: Money
    hold: timedelta | None
    warnings: tuple[Money, ...]
    signal: str
    grace: timedelta


async def funding_of(session: AsyncSession, project: ProjectId) -> Funding:
    row = (await session.execute(select(FundingRow).where(FundingRow.project_id == project))).scalar_one_or_none()
    return Funding() if row is None else _funding(row)


def _funding(row: FundingRow) -> Funding:
    return Funding(
        Money(row.credit_line_micro, row.currency),
        None if row.hold_seconds is None else timedelta(seconds=row.hold_seconds),
        tuple(Money(micro, row.currency) for micro in row.warn_micro),
        row.checkpoint_signal,
        timedelta(seconds=row.grace_seconds),
    )


async def credit_line(session: AsyncSession, project: ProjectId) -> int:
    """Micro-units that the wallet may be below nothing."""
    query = select(FundingRow.credit_line_micro).where(FundingRow.project_id == project)
    return (await session.execute(query)).scalar_one_or_none() or 0


async def require_left(
    session: AsyncSession, project: ProjectId, wanted: Money, balance_micro: int, *, hint: tuple[str, str] = ("", "")
) -> None:
    """NotEnoughFunds where taking this much from the wallet, which is locked and has `balance_micro`, would bring it
    below its credit line. What is held is not in it. `hint`, in English and Chinese: what else can be done."""
    left = Money(balance_micro + await credit_line(session, project), wanted.currency)
    if left.micro >= wanted.micro:
        return
    en, zh = hint
    raise NotEnoughFunds(
        f"{wanted} {wanted.currency} is to be taken, {left} is available: top up or raise the credit line first{en}.",
        f"拟扣除 {wanted} {wanted.currency}，可用 {left}：请先充值或提高授信额度{zh}。",
        missing_micro=wanted.micro - left.micro,
        currency=wanted.currency,
    )


async def set_funding(session: AsyncSession, project: ProjectId, wanted: Funding) -> None:
    """Invalid for what cannot be meant. A smaller line takes nothing back; it refuses what comes after."""
    _check(wanted)
    values = _values(project, wanted)
    adding = insert(FundingRow).values(values)
    await session.execute(adding.on_conflict_do_update(index_elements=["project_id"], set_=values))


async def change_funding(session: AsyncSession, project: ProjectId, changes: Changes) -> tuple[Funding, Funding]:
    """How it was and how it is now. Two changes at once come one after the other: neither undoes the other's."""
    adding = insert(FundingRow).values(_values(project, Funding()))
    await session.execute(adding.on_conflict_do_nothing())
    locking = select(FundingRow).where(FundingRow.project_id == project).with_for_update()
    before = _funding((await session.execute(locking)).scalar_one())
    after = replace(before, **changes)
    await set_funding(session, project, after)
    return before, after


def _values(project: ProjectId, wanted: Funding) -> dict[str, object]:
    return {
        "project_id": project,
        "credit_line_micro": wanted.line.micro,
        "currency": wanted.line.currency,
        "hold_seconds": None if wanted.hold is None else int(wanted.hold.total_seconds()),
        "warn_micro": sorted({one.micro for one in wanted.warnings}, reverse=True),
        "checkpoint_signal": wanted.signal,
        "grace_seconds": int(wanted.grace.total_seconds()),
    }


def _check(wanted: Funding) -> None:
    if wanted.line.micro < 0:
        raise Invalid("line: nothing or more.", "line：授信额度不得为负。", field="line")
    if wanted.hold is not None and wanted.hold < SHORTEST_HOLD:
        raise Invalid("hold: at least a minute.", "hold：至少一分钟。", field="hold")
    if wanted.signal not in SIGNALS:
        names = ", ".join(SIGNALS)
        raise Invalid(f"signal: one of {names}.", f"signal：可选 {names}。", field="signal")
    if not timedelta(0) <= wanted.grace <= LONGEST_GRACE:
        raise Invalid("grace: at most a day.", "grace：最长一天。", field="grace")
    if any(one.micro < 0 for one in wanted.warnings):
        raise Invalid(
            "warnings: a level is what is left, credit line included: nothing or more.",
            "warnings：提醒线为可用金额（含授信额度），不得为负。",
            field="warnings",
        )
    if len(wanted.warnings) > MOST_LEVELS or any(one.currency != wanted.line.currency for one in wanted.warnings):
        raise Invalid(
            f"warnings: at most {MOST_LEVELS} amounts in the currency of the line.",
            f"warnings：最多 {MOST_LEVELS} 个金额，币种须与授信额度一致。",
            field="warnings",
        )
