"""Money comes in."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.entry import CASH, Entry, wallet
from paracloud.billing.post import post
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import ProjectId
from paracloud.kit.money import Money

HIGHEST = Money(10**9 * 10**6)


async def top_up(
    session: AsyncSession, project: ProjectId, amount: Money, *, key: str, person: str, now: datetime
) -> bool:
    """`key` is the payment's own number: the same payment counts once, and False says that it had been counted.
    Conflict where that number belongs to another payment, or to one that was taken back."""
    if not 0 < amount.micro <= HIGHEST.micro:
        raise Invalid(
            f"amount: more than 0, at most {HIGHEST}.", f"amount：必须大于 0 且不超过 {HIGHEST}。", field="amount"
        )
    postings = {CASH: -amount.micro, wallet(project): amount.micro}
    entry = Entry(f"top-up:{key}", "top-up", amount.currency, postings, reference=str(project), person=person)
    is_new = bool(await post(session, [entry], now=now))
    if not is_new and await store.postings_by_key(session, entry.key) != postings:
        raise Conflict(
            f"Payment {key} was counted before, with another amount or for another project.",
            f"付款 {key} 此前已入账，但金额或课题组不同。",
            field="key",
        )
    if not is_new and await store.is_reversed(session, entry.key):
        raise Conflict(
            f"Payment {key} was counted before, and taken back. If it came in again, book it under another number.",
            f"付款 {key} 此前已入账并被冲销；如再次到账，请用另一编号登记。",
            field="key",
        )
    return is_new
