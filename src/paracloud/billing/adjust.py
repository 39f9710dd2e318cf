"""Goodwill, and what is owed besides all charges: an amount with a reason, to the wallet or from it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.entry import ADJUSTMENT, ADJUSTMENTS, Entry, wallet
from paracloud.billing.funding import require_left
from paracloud.billing.post import post
from paracloud.billing.reason import require_reason
from paracloud.billing.top_up import HIGHEST
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import ProjectId
from paracloud.kit.money import Money


async def adjust(
    session: AsyncSession, project: ProjectId, amount: Money, *, key: str, reason: str, person: str, now: datetime
) -> bool:
    """More than nothing goes to the wallet, less is taken from it, never below its credit line. `key` is the
    adjustment's own number: the same one counts once, and False says that it had been counted. Conflict where that
    number belongs to another adjustment; NotEnoughFunds."""
    if not 0 < abs(amount.micro) <= HIGHEST.micro:
        raise Invalid(
            f"amount: other than 0, at most {HIGHEST} either way.",
            f"amount：不得为 0，且绝对值不超过 {HIGHEST}。",
            field="amount",
        )
    require_reason(reason)
    code, postings = wallet(project), {wallet(project): amount.micro, ADJUSTMENTS: -amount.micro}
    name = f"{ADJUSTMENT}:{key}"
    locked = await store.locked(session, {code: amount.currency, ADJUSTMENTS: amount.currency})
    if await store.posted(session, [name]):
        if await store.postings_by_key(session, name) != postings:
            raise Conflict(
                f"Adjustment {key} was counted before, with another amount or for another project.",
                f"调整 {key} 此前已入账，但金额或课题组不同。",
                field="key",
            )
        return False
    if amount.micro < 0:
        await require_left(session, project, Money(-amount.micro, amount.currency), locked[code].balance_micro)
    entry = Entry(name, ADJUSTMENT, amount.currency, postings, str(project), reason, person)
    return bool(await post(session, [entry], now=now, locked={of: one.id for of, one in locked.items()}))
