"""Who speaks for a centre, and what they see of its statements."""

from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.contract import Contract, contracts_of
from paracloud.billing.period import begins
from paracloud.centres.registry import get_centre
from paracloud.identity.caller import Caller
from paracloud.identity.overview import user_named
from paracloud.kit.errors import Forbidden, Invalid, NotFound
from paracloud.kit.identifiers import CentreName
from paracloud.settlement import store, store_disputes, store_lines
from paracloud.settlement.settled import ContractSums, Dispute, Settlement
from paracloud.settlement.store import Person
from paracloud.settlement.store_lines import FIRST, Day, Key, Line

PAGE = 500
FIRST_YEAR, LAST_YEAR = 2000, 2199


async def let_speak(session: AsyncSession, login: str, centre: CentreName) -> None:
    """NotFound for an unknown user or centre."""
    user = await user_named(session, login)
    await get_centre(session, centre)
    await store.add_person(session, user, centre)


async def silence(session: AsyncSession, login: str, centre: CentreName) -> None:
    """From the next request on the user no longer speaks for the centre. NotFound where that was not so."""
    if not await store.remove_person(session, await user_named(session, login), centre):
        raise NotFound(f"{login} does not speak for {centre}.", f"{login} 不是 {centre} 的代表。", field="login")


async def people_of(session: AsyncSession, centre: CentreName | None = None) -> list[Person]:
    """Who speaks for the centre, or for any, by centre and login."""
    return await store.people(session, centre)


async def require_seen(session: AsyncSession, caller: Caller, centre: CentreName) -> None:
    """NotFound, as for a centre that is none, where the caller neither speaks for it nor is the operator; Forbidden for
    the operator's tokens without the scope."""
    caller.reads()
    if caller.operates or await store.speaks_for(session, caller.user, centre):
        return
    if caller.is_operator:
        caller.require_operator()
    raise NotFound("There is no such centre, or it is not yours.", "超算中心不存在，或不属于您。", field="centre")


async def require_speaker(session: AsyncSession, caller: Caller, centre: CentreName) -> None:
    """May answer for the centre: Forbidden for the operator, who only sees its statements."""
    caller.require_writer()
    await require_seen(session, caller, centre)
    if not await store.speaks_for(session, caller.user, centre):
        raise Forbidden(
            "Only who speaks for the centre confirms or disputes its statement; `admin centre-people` lists who does.",
            "仅超算中心的代表可确认或提出异议；可用 admin centre-people 查看代表。",
        )


async def settlement_of(session: AsyncSession, centre: CentreName, period: date) -> tuple[Settlement, list[Dispute]]:
    found = await store.settlements(session, centre=centre, period=period)
    if not found:
        raise NotFound("There is no statement of this month.", "该月份没有结算单。", field="month")
    return found[0], await store_disputes.disputes(session, [found[0].id])


async def contracts_in(session: AsyncSession, of: Settlement) -> list[tuple[Contract, ContractSums]]:
    """What was agreed, and what it came to in the statement, the contract for all queues first: enough to reckon the
    statement again."""
    agreed = {one.id: one for one in await contracts_of(session, [of.centre])}
    found = [(agreed[one.contract], one) for one in await store.sums(session, of.id)]
    return sorted(found, key=lambda one: (one[0].queue or "", one[0].valid_from))


async def settlements_of(
    session: AsyncSession, *, centre: CentreName | None = None, period: date | None = None
) -> list[Settlement]:
    """The newest month first."""
    return await store.settlements(session, centre=centre, period=period)


async def waiting(
    session: AsyncSession, period: date | None = None
) -> tuple[list[Settlement], list[tuple[Dispute, Settlement]]]:
    """For the operator, over all centres: statements that are disputed, or confirmed and to be paid, and the disputes
    without an answer; of a month all its statements."""
    found = await (store.waiting(session) if period is None else store.settlements(session, period=period))
    return found, await store_disputes.open_disputes(session, period)


async def days_of(session: AsyncSession, centre: CentreName, period: date) -> list[Day]:
    return await store_lines.days(session, centre, period)


async def lines_of(
    session: AsyncSession, centre: CentreName, period: date, *, day: date | None, after: Key = FIRST
) -> list[Line]:
    """The next PAGE of the month's charges, or of those of the usage that ended on a day (UTC)."""
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid("day: a day that can have charges.", "day：请填写有效的日期。", field="day")
    if day is None:
        span = begins(date(FIRST_YEAR, 1, 1)), begins(date(LAST_YEAR, 1, 1))
    else:
        start = begins(day)
        span = start, start + timedelta(days=1)
    return await store_lines.lines(session, centre, period, span, after=after, limit=PAGE)
