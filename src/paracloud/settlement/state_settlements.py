"""A closed month is stated to every centre that it concerns, and to whoever lent nodes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.contract import Contract, Month, contracts_of
from paracloud.billing.entry import SETTLEMENT, Entry, owner, payable, wallet
from paracloud.billing.period import is_closed
from paracloud.billing.post import post
from paracloud.centres.registry import all_centres
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import CentreName, SettlementId, new_uuid
from paracloud.settlement import store
from paracloud.settlement.settled import ContractSums, Settlement, SettlementState, part_of, sums_of

CURRENCY = "CNY"


async def state_settlements(session: AsyncSession, period: date, *, person: str, now: datetime) -> list[Settlement]:
    """Those that are new: each centre has one for a month. What its contracts add to the shares is posted with it; who
    lent nodes gets their part into the wallet. Conflict while the month is open."""
    if not await is_closed(session, period):
        raise Conflict(
            f"{period:%Y-%m} is open; close it first.", f"{period:%Y-%m} 尚未关账，请先关账。", field="month"
        )
    charged, fees = await store.charged(session, period), await store.fees(session, period)
    contracts: dict[CentreName, list[Contract]] = {}
    for one in await contracts_of(session, [centre.name for centre in await all_centres(session)]):
        contracts.setdefault(one.centre, []).append(one)
    agreed = {(name, CURRENCY) for name, found in contracts.items() if any(_is_due(one, period) for one in found)}
    made = []
    for centre, currency in sorted({*charged, *fees, *agreed}):
        of, known = charged.get((centre, currency), {}), contracts.get(centre, [])
        if currency != CURRENCY:
            known = [replace(one, month=Month()) for one in known if one.id in of]
        sums = sums_of(known, of, period)
        new = _settlement(centre, period, currency, sums, fees.get((centre, currency), 0), now)
        if await store.add(session, new, person):
            await store.add_sums(session, new.id, sums)
            made.append(new)
    entries = [_entry(one, person) for one in made]
    entries += [
        Entry(f"lent:{project}:{period:%Y-%m}", "lent", currency, {owner(project): -micro, wallet(project): micro})
        for project, currency, micro in await store.lent(session, period)
    ]
    await post(session, entries, now=now)
    return made


def _settlement(
    centre: CentreName, period: date, currency: str, sums: Sequence[ContractSums], fees: int, now: datetime
) -> Settlement:
    return Settlement(
        SettlementId(new_uuid()),
        centre,
        period,
        currency,
        SettlementState.STATED,
        charges=sum(one.charged.count for one in sums),
        gross=sum(one.charged.gross for one in sums),
        share=sum(one.charged.share for one in sums),
        tiers=sum(one.tiers for one in sums),
        minimum=sum(one.minimum for one in sums),
        fixed=sum(one.fixed for one in sums),
        fees=fees,
        adjusted=0,
        stated_at=now,
    )


def _is_due(one: Contract, period: date) -> bool:
    return bool(part_of(one, period)) and bool(one.month.minimum_micro or one.month.fixed_micro)


def _entry(one: Settlement, person: str) -> Entry:
    postings = {payable(one.centre): one.added, SETTLEMENT: -one.added}
    return Entry(f"settle:{one.id}", "settlement", one.currency, postings, reference=str(one.id), person=person)
