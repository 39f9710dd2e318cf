"""Every query on holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Uuid, bindparam, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.tables import HoldRow
from paracloud.billing.tables_notices import ExtensionRow
from paracloud.kit.bulk import unnested
from paracloud.kit.identifiers import ProjectId, UserId
from paracloud.kit.money import Money

ADD_HOLD = text("""
    INSERT INTO holds (reference, project_id, user_id, ceiling_micro, amount_micro, captured_micro, currency)
    VALUES (:reference, :project, :user, :ceiling, :micro, 0, :currency)
    ON CONFLICT DO NOTHING RETURNING reference
""").bindparams(bindparam("project", type_=Uuid), bindparam("user", type_=Uuid))
HOLD = (
    HoldRow.reference, HoldRow.project_id, HoldRow.amount_micro, HoldRow.captured_micro, HoldRow.currency,
    HoldRow.released_at, HoldRow.user_id,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as it is while its row is locked."""

    project: ProjectId
    amount_micro: int
    captured_micro: int
    currency: str
    is_released: bool
    user: UserId | None = None


async def add_hold(
    session: AsyncSession, reference: str, project: ProjectId, micro: int, ceiling: Money, user: UserId | None
) -> bool:
    """`micro` is what the wallet gives. False where the reference has a hold already."""
    whose = {"reference": reference, "project": project, "user": user}
    values = {**whose, "micro": micro, "ceiling": ceiling.micro, "currency": ceiling.currency}
    return (await session.execute(ADD_HOLD, values)).scalar_one_or_none() is not None


async def has_hold(session: AsyncSession, reference: str) -> bool:
    query = select(HoldRow.reference).where(HoldRow.reference == reference)
    return (await session.execute(query)).scalar_one_or_none() is not None


async def extension(session: AsyncSession, reference: str, until_seconds: int) -> int | None:
    """Micro-units that this extension added; None where there was none."""
    query = select(ExtensionRow.amount_micro).where(
        ExtensionRow.reference == reference, ExtensionRow.until_seconds == until_seconds
    )
    return (await session.execute(query)).scalar_one_or_none()


async def extend(
    session: AsyncSession, reference: str, until_seconds: int, micro: int, *, ceiling_micro: int, now: datetime
) -> None:
    """The hold's row is locked; `micro` more are from the wallet, and the job can cost `ceiling_micro` more."""
    values = {"reference": reference, "until_seconds": until_seconds, "amount_micro": micro, "created_at": now}
    await session.execute(insert(ExtensionRow).values(values))
    grown = {"amount_micro": HoldRow.amount_micro + micro, "ceiling_micro": HoldRow.ceiling_micro + ceiling_micro}
    larger = update(HoldRow).where(HoldRow.reference == reference).values(grown)
    await session.execute(larger.execution_options(synchronize_session=False))


async def ceiling(session: AsyncSession, reference: str) -> int | None:
    """Micro-units that the job can cost at most, whoever pays; None where it has no hold."""
    query = select(HoldRow.ceiling_micro).where(HoldRow.reference == reference)
    return (await session.execute(query)).scalar_one_or_none()


async def enlarge(session: AsyncSession, reference: str, micro: int, ceiling_micro: int) -> None:
    """The hold's row is locked."""
    values = {"amount_micro": micro, "ceiling_micro": ceiling_micro}
    changing = update(HoldRow).where(HoldRow.reference == reference).values(values)
    await session.execute(changing.execution_options(synchronize_session=False))


async def holders(session: AsyncSession, references: Sequence[str]) -> dict[ProjectId, str]:
    """Whose these holds are, and in which currency: what must be locked before the holds themselves."""
    query = select(HoldRow.project_id, HoldRow.currency).where(HoldRow.reference.in_(references)).distinct()
    return {ProjectId(project): currency for project, currency in (await session.execute(query)).all()}


async def lock_holds(session: AsyncSession, references: Sequence[str]) -> dict[str, Hold]:
    """Always after the accounts that they belong to."""
    query = select(*HOLD).where(HoldRow.reference.in_(references)).order_by(HoldRow.reference).with_for_update()
    return {
        row.reference: Hold(
            ProjectId(row.project_id),
            row.amount_micro,
            row.captured_micro,
            row.currency,
            row.released_at is not None,
            None if row.user_id is None else UserId(row.user_id),
        )
        for row in (await session.execute(query)).all()
    }


async def capture(session: AsyncSession, captured_micro: Mapping[str, int]) -> None:
    """Set what each hold has given so far; the table refuses more than its amount."""
    if captured_micro:
        new = unnested([HoldRow.reference, HoldRow.captured_micro], list(captured_micro.items()))
        statement = (
            update(HoldRow).where(HoldRow.reference == new.c.reference).values(captured_micro=new.c.captured_micro)
        )
        await session.execute(statement.execution_options(synchronize_session=False))


async def close_holds(session: AsyncSession, references: Sequence[str], now: datetime) -> None:
    statement = update(HoldRow).where(HoldRow.reference.in_(references)).values(released_at=now)
    await session.execute(statement.execution_options(synchronize_session=False))
