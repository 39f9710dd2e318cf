"""A correction is a reversing entry, with a reason and a person; nothing is ever taken out of the ledger."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store, store_decisions
from paracloud.billing.charges import NewCharge
from paracloud.billing.dedication import dedications_of
from paracloud.billing.entry import ADJUSTMENT, WALLET, Entry
from paracloud.billing.fee import fee_month
from paracloud.billing.funding import require_left
from paracloud.billing.period import begins, month_after, open_periods
from paracloud.billing.post import post
from paracloud.billing.reason import require_reason
from paracloud.billing.reverse_usage import reverse_usage
from paracloud.billing.tables import EntryRow
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import EntryId, ProjectId, UsageId
from paracloud.kit.money import Money

FEE = "dedicated"
REVERSIBLE = frozenset({"top-up", "charge", FEE})
"""Holds and releases belong to a job's life; reversing one by hand would leave its hold and its account apart."""
INSTEAD = {
    "package": ("; end the package: `admin end-package`", "；请用 admin end-package 终止该资源包"),
    ADJUSTMENT: (
        "; adjust by the same amount with the opposite sign: `admin adjust`",
        "；请用 admin adjust 反向调整同等金额",
    ),
}
"""By what an entry's key begins with."""
ANYWAY = "; or reverse it `--anyway` (API: anyway)", "；或用 --anyway（API：anyway）强制冲销"
"""In English and Chinese."""


async def reverse(
    session: AsyncSession,
    id_: EntryId,
    *,
    reason: str,
    person: str,
    now: datetime,
    usage: UsageId | None = None,
    anyway: bool = False,
) -> EntryId | None:
    """The entry that does it; None where nothing was left to give back. NotFound; Conflict where it was reversed before
    or is of a kind that is not reversed; Invalid without a reason, or without the `usage` where the entry is the sum of
    several charges: one of them is reversed at a time, as by `reverse_usage`. A fee of dedicated nodes comes back
    whole, the centre's share with it, and is not due again; on the centre's settlement it is in the fee's month or,
    where that is closed, the first open one. NotEnoughFunds for a top-up that the wallet has no longer, within its
    credit line, and Conflict for the fee of nodes that are still the customer's: `anyway` takes these back."""
    require_reason(reason)
    found = await store.entry(session, id_)
    if found is None:
        raise NotFound("There is no such entry.", "分录不存在。")
    if found.kind not in REVERSIBLE:
        en, zh = INSTEAD.get(found.key.partition(":")[0], ("", ""))
        raise Conflict(f"An entry of kind {found.kind} is not reversed{en}.", f"{found.kind} 类分录不能冲销{zh}。")
    if found.kind == "charge":
        row = _the_one(await charges.of_entry(session, id_, usage))
        back = await reverse_usage(session, row.usage, reason=reason, person=person, now=now, charged=row.revision)
        return back.entry
    if found.kind == FEE and not anyway:
        await _require_given_up(session, found, now)
    periods = await open_periods(session, [fee_month(found.key)]) if found.kind == FEE else {}
    triples = await store.postings_of(session, id_)
    currency, postings = triples[0][1], {code: -micro for code, _, micro in triples}
    entry = Entry(f"reverse:{id_}", "reversal", currency, postings, found.reference, reason, person)
    if not anyway:
        await _require_left(session, entry)
    made = (await post(session, [entry], now=now)).get(entry.key)
    if made is None:
        raise _again()
    for period in periods.values():
        await store_decisions.keep_fee_reversal(session, id_, made, period)
    return made


async def _require_given_up(session: AsyncSession, fee: EntryRow, now: datetime) -> None:
    """What runs on dedicated nodes is free because of their fee."""
    if await store.posted(session, [f"reverse:{fee.id}"]):
        raise _again()
    (own,) = [one for one in await dedications_of(session, None) if str(one.id) == fee.reference]
    if now < begins(month_after(fee_month(fee.key))) and (own.valid_to is None or now < own.valid_to):
        end, (or_en, or_zh) = f"admin end-dedicated {own.id}", ANYWAY
        raise Conflict(
            f"The nodes would stay the customer's for nothing: end that first (`{end}`){or_en}.",
            f"节点将继续免费由该客户独占：请先结束独占（{end}）{or_zh}。",
        )


async def _require_left(session: AsyncSession, entry: Entry) -> None:
    """A payment may be taken back when it was spent, or is held for jobs."""
    accounts = await store.locked(session, dict.fromkeys(entry.postings, entry.currency))
    if await store.posted(session, [entry.key]):
        raise _again()
    for code, micro in entry.postings.items():
        if code.startswith(f"{WALLET}:") and micro < 0:
            project, wanted = ProjectId(UUID(code.partition(":")[2])), Money(-micro, entry.currency)
            await require_left(session, project, wanted, accounts[code].balance_micro, hint=ANYWAY)


def _again() -> Conflict:
    return Conflict("This entry was reversed before.", "该分录已被冲销。")


def _the_one(rows: Sequence[NewCharge]) -> NewCharge:
    if not rows:
        raise NotFound("There is no such charge in this entry.", "该分录中没有此费用。", field="usage")
    if len(rows) > 1:
        raise Invalid(
            "usage: this entry is the sum of several charges; say of which usage.",
            "usage：该分录为多笔费用之和，请指明用量编号。",
            field="usage",
        )
    return rows[0]
