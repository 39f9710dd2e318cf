"""Every query on settlements, but for what is below them (`store_lines`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.kit.identifiers import (
    CentreName,
    ContractId,
    ProjectId,
    SettlementId,
    UserId,
)
from paracloud.settlement.settled import Charged, ContractSums, Settlement, SettlementState
from paracloud.settlement.tables import CentrePersonRow, ContractSumsRow, SettlementRow

CHARGED = text("""
    SELECT usage.centre, charge.contract_id, charge.currency, count(*) AS charges,
           sum(charge.amount_micro)::bigint AS gross, sum(charge.share_micro)::bigint AS share,
           COALESCE(sum(charge.amount_micro) FILTER (WHERE of.is_late), 0)::bigint AS late_gross,
           COALESCE(sum(charge.share_micro) FILTER (WHERE of.is_late), 0)::bigint AS late_share,
           sum(charge.owner_micro)::bigint AS owner
      FROM charges AS charge JOIN usage ON usage.id = charge.usage_id
     CROSS JOIN LATERAL (
           SELECT (charge.revision > 1 OR charge.is_reversal)
                  AND EXISTS (SELECT 1 FROM charges AS earlier
                               WHERE earlier.usage_id = charge.usage_id AND earlier.period < charge.period) AS is_late
           ) AS of
     WHERE charge.period = :period GROUP BY 1, 2, 3
""")
LENT = text("""
    SELECT contract.owner_project_id AS project, charge.currency, sum(charge.owner_micro)::bigint AS micro
      FROM charges AS charge JOIN contracts AS contract ON contract.id = charge.contract_id
     WHERE charge.period = :period AND contract.owner_project_id IS NOT NULL
     GROUP BY 1, 2 HAVING sum(charge.owner_micro) <> 0
""")
FEES = text("""
    SELECT substr(account.code, 9) AS centre, account.currency, sum(posting.micro)::bigint AS micro
      FROM ledger_entries AS entry JOIN ledger_postings AS posting ON posting.entry_id = entry.id
      JOIN ledger_accounts AS account ON account.id = posting.account_id AND account.code LIKE 'payable:%'
     WHERE (entry.kind = 'dedicated' AND entry.key LIKE '%:' || :month)
        OR entry.id IN (SELECT reversal_id FROM fee_reversals WHERE period = CAST(:month || '-01' AS date))
     GROUP BY 1, 2 HAVING sum(posting.micro) <> 0
""")
PEOPLE = text("""
    SELECT person.centre, users.login FROM centre_people AS person JOIN users ON users.id = person.user_id
     WHERE CAST(:centre AS text) IS NULL OR person.centre = :centre ORDER BY 1, 2
""")


@dataclass(frozen=True, slots=True)
class Person:
    """Who speaks for a centre."""

    centre: CentreName
    login: str


async def charged(session: AsyncSession, period: date) -> dict[tuple[CentreName, str], dict[ContractId, Charged]]:
    """By centre and currency, then by contract."""
    found: dict[tuple[CentreName, str], dict[ContractId, Charged]] = {}
    for row in (await session.execute(CHARGED, {"period": period})).all():
        of = found.setdefault((CentreName(row.centre), row.currency), {})
        of[ContractId(row.contract_id)] = Charged(*row[3:])
    return found


async def lent(session: AsyncSession, period: date) -> list[tuple[ProjectId, str, int]]:
    """(owner, currency, micro-units) of nodes that were lent."""
    rows = (await session.execute(LENT, {"period": period})).all()
    return [(ProjectId(row.project), row.currency, row.micro) for row in rows]


async def fees(session: AsyncSession, period: date) -> dict[tuple[CentreName, str], int]:
    """What centres have of the month's fees of dedicated nodes, less what was taken back of fees."""
    rows = (await session.execute(FEES, {"month": f"{period:%Y-%m}"})).all()
    return {(CentreName(row.centre), row.currency): row.micro for row in rows}


async def add(session: AsyncSession, new: Settlement, person: str) -> bool:
    """False where the centre has its statement of the month already."""
    values = {
        "id": new.id, "centre": new.centre, "period": new.period, "currency": new.currency, "state": new.state.value,
        "charges": new.charges, "gross_micro": new.gross, "share_micro": new.share, "tiers_micro": new.tiers,
        "minimum_micro": new.minimum, "fixed_micro": new.fixed, "fees_micro": new.fees, "stated_by": person,
        "stated_at": new.stated_at,
    }  # fmt: skip
    adding = insert(SettlementRow).values(values).on_conflict_do_nothing().returning(SettlementRow.id)
    return (await session.execute(adding)).scalar_one_or_none() is not None


async def add_sums(session: AsyncSession, of: SettlementId, sums: Sequence[ContractSums]) -> None:
    """What each contract has of the statement."""
    rows = [
        {
            "settlement_id": of, "contract_id": one.contract, "charges": one.charged.count,
            "gross_micro": one.charged.gross, "share_micro": one.charged.share,
            "late_gross_micro": one.charged.late_gross, "late_share_micro": one.charged.late_share,
            "owner_micro": one.charged.owner, "tiers_micro": one.tiers, "minimum_micro": one.minimum,
            "fixed_micro": one.fixed,
        }
        for one in sums
    ]  # fmt: skip
    if rows:
        await session.execute(insert(ContractSumsRow), rows)


async def sums(session: AsyncSession, of: SettlementId) -> list[ContractSums]:
    query = select(ContractSumsRow).where(ContractSumsRow.settlement_id == of)
    return [
        ContractSums(
            ContractId(row.contract_id),
            Charged(
                row.charges, row.gross_micro, row.share_micro, row.late_gross_micro, row.late_share_micro,
                row.owner_micro,
            ),
            row.tiers_micro, row.minimum_micro, row.fixed_micro,
        )
        for row in (await session.scalars(query)).all()
    ]  # fmt: skip


async def settlements(
    session: AsyncSession, *, centre: CentreName | None = None, period: date | None = None
) -> list[Settlement]:
    query = select(SettlementRow).order_by(SettlementRow.period.desc(), SettlementRow.centre)
    if centre is not None:
        query = query.where(SettlementRow.centre == centre)
    if period is not None:
        query = query.where(SettlementRow.period == period)
    return [settlement(row) for row in (await session.scalars(query)).all()]


async def waiting(session: AsyncSession) -> list[Settlement]:
    """What waits for the operator, the oldest first: what is disputed, or confirmed and coming to something."""
    states = [SettlementState.DISPUTED.value, SettlementState.CONFIRMED.value]
    query = select(SettlementRow).where(SettlementRow.state.in_(states))
    rows = (await session.scalars(query.order_by(SettlementRow.period, SettlementRow.centre))).all()
    found = [settlement(row) for row in rows]
    return [one for one in found if one.total or one.state is SettlementState.DISPUTED]


async def lock(session: AsyncSession, id_: SettlementId) -> Settlement | None:
    query = select(SettlementRow).where(SettlementRow.id == id_).with_for_update()
    row = (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()
    return None if row is None else settlement(row)


async def change(session: AsyncSession, id_: SettlementId, values: Mapping[str, object]) -> None:
    changing = update(SettlementRow).where(SettlementRow.id == id_).values(**values)
    await session.execute(changing.execution_options(synchronize_session=False))


async def add_person(session: AsyncSession, user: UserId, centre: CentreName) -> None:
    adding = insert(CentrePersonRow).values(user_id=user, centre=centre)
    await session.execute(adding.on_conflict_do_nothing())


async def remove_person(session: AsyncSession, user: UserId, centre: CentreName) -> bool:
    """False where the user did not speak for it."""
    of = (CentrePersonRow.user_id == user) & (CentrePersonRow.centre == centre)
    taking = delete(CentrePersonRow).where(of).returning(CentrePersonRow.centre)
    return (await session.execute(taking)).scalar_one_or_none() is not None


async def people(session: AsyncSession, centre: CentreName | None) -> list[Person]:
    rows = (await session.execute(PEOPLE, {"centre": centre})).all()
    return [Person(CentreName(row.centre), row.login) for row in rows]


async def speaks_for(session: AsyncSession, user: UserId, centre: CentreName) -> bool:
    query = select(CentrePersonRow.centre).where(CentrePersonRow.user_id == user, CentrePersonRow.centre == centre)
    return (await session.execute(query)).scalar_one_or_none() is not None


def settlement(row: SettlementRow) -> Settlement:
    return Settlement(
        SettlementId(row.id), CentreName(row.centre), row.period, row.currency, SettlementState(row.state),
        row.charges, row.gross_micro, row.share_micro, row.tiers_micro, row.minimum_micro, row.fixed_micro,
        row.fees_micro, row.adjusted_micro, row.stated_at, row.confirmed_at, row.paid_at, row.payment,
    )  # fmt: skip
