"""A person ends a package before its time: what it has left of its price goes back to the wallet. A credit, which was
given for nothing, is withdrawn."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store, store_paying
from paracloud.billing.cover import Package, Unit
from paracloud.billing.entry import PACKAGE_END, Entry, package, wallet
from paracloud.billing.post import post
from paracloud.billing.reason import require_reason
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import PackageId
from paracloud.kit.money import Money

SHOWN = 5


async def end_package(session: AsyncSession, id_: PackageId, *, reason: str, person: str, now: datetime) -> Money:
    """What the wallet got back. NotFound; Conflict where it has ended, and, as it does not expire then either, while
    units of it wait for jobs that were accepted. What is given back of its charges later goes to the wallet."""
    require_reason(reason)
    known = await store_paying.whose(session, id_)
    if known is None:
        raise NotFound("There is no such package or credit.", "该资源包或试用金不存在。", field="package")
    project, currency = known
    await store.lock_accounts(session, {wallet(project): currency})
    shelf, _ = await store_paying.lock_shelf(session, [project], ())
    found = shelf.packages.get(id_)
    if found is None:
        raise Conflict("It has ended before.", "该资源包此前已终止。", field="package")
    if found.reserved:
        raise await _waiting(session, found)
    rest = 0 if found.unit is Unit.MICRO else found.price_micro - found.worth(found.used)
    postings = {package(id_): -rest, wallet(found.project): rest}
    entry = Entry(f"end:{id_}", PACKAGE_END, found.currency, postings, str(id_), reason, person)
    await post(session, [entry], now=now)
    await store_paying.close_package(session, id_, now)
    await store_paying.keep_end(session, found, rest, reason=reason, person=person, now=now)
    return Money(rest, found.currency)


async def _waiting(session: AsyncSession, found: Package) -> Conflict:
    jobs = await store_paying.waiting_for(session, found.id)
    named = ", ".join(jobs[:SHOWN]) + (" …" if len(jobs) > SHOWN else "")
    return Conflict(
        f"{len(jobs)} accepted jobs wait for a part of it: {named}. End it when they have ended, or cancel them.",
        f"有 {len(jobs)} 个已接受的作业预留了其中一部分：{named}。请待作业结束或取消后再终止。",
        field="package",
    )
