"""A correction is a reversing entry, with a reason and a person; nothing is ever taken out of the ledger."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.entry import Entry
from paracloud.billing.post import post
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import EntryId

REVERSIBLE = frozenset({"top-up", "charge"})
"""Holds and releases belong to a job's life; reversing one by hand would leave its hold and its account apart."""


async def reverse(session: AsyncSession, id_: EntryId, *, reason: str, person: str, now: datetime) -> EntryId:
    """NotFound; Conflict where it was reversed before or is of a kind that is not reversed; Invalid without a reason.
    A reversed charge goes back to the wallet, also what had been held for it."""
    if not reason.strip():
        raise Invalid("reason: say why.", "reason：请说明原因。", field="reason")
    found = await store.entry(session, id_)
    if found is None:
        raise NotFound("There is no such entry.", "分录不存在。")
    if found.kind not in REVERSIBLE:
        raise Conflict(f"An entry of kind {found.kind} is not reversed.", f"{found.kind} 类分录不能冲销。")
    postings: dict[str, int] = {}
    currency = ""
    for code, currency, micro in await store.postings_of(session, id_):  # noqa: B007  # one currency an entry
        back = code.replace("held:", "wallet:", 1) if code.startswith("held:") else code
        postings[back] = postings.get(back, 0) - micro
    entry = Entry(
        f"reverse:{id_}", "reversal", currency, postings, reference=found.reference, reason=reason, person=person
    )
    posted = await post(session, [entry], now=now)
    if not posted:
        raise Conflict("This entry was reversed before.", "该分录已被冲销。")
    return posted[entry.key]
