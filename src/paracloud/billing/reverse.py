"""A correction is a reversing entry, with a reason and a person; nothing is ever taken out of the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store, store_decisions, store_paying
from paracloud.billing.charges import Before, NewCharge
from paracloud.billing.cover import Given, Unit, Use
from paracloud.billing.entry import (
    CREDITS,
    DUPLICATES,
    EXPIRED,
    OWNERS,
    PAYABLE,
    SHARED,
    WALLET,
    Entry,
    held,
    package,
    wallet,
)
from paracloud.billing.fee import fee_month
from paracloud.billing.funding import require_left
from paracloud.billing.period import open_periods
from paracloud.billing.post import post
from paracloud.billing.price import price_by_id
from paracloud.billing.reason import require_reason
from paracloud.billing.tables import EntryRow
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import EntryId, PackageId, ProjectId, UsageId
from paracloud.kit.money import Money

FEE = "dedicated"
REVERSIBLE = frozenset({"top-up", "charge", FEE})
"""Holds and releases belong to a job's life; reversing one by hand would leave its hold and its account apart."""
ANYWAY = "; or reverse it `--anyway` (API: anyway)", "；或用 --anyway（API：anyway）强制冲销"


async def reverse(
    session: AsyncSession,
    id_: EntryId,
    *,
    reason: str,
    person: str,
    now: datetime,
    usage: UsageId | None = None,
    anyway: bool = False,
) -> EntryId:
    """NotFound; Conflict where it was reversed before or is of a kind that is not reversed; Invalid without a reason,
    or without the `usage` where the entry is the sum of several charges: one of them is reversed at a time. Of a usage
    that was corrected since, all that it was charged is reversed, whichever of its entries is named: a part of it would
    give back what a correction gave back before. What is reversed is a charge of its own, less than nothing, in an open
    billing period. It goes back to where it was paid from: also what had been held for it to the wallet, hours to their
    package, while that is open. A fee of dedicated nodes comes back whole, the centre's share with it, and is not due
    again; on the centre's settlement it is in the fee's month or, where that is closed, the first open one.
    NotEnoughFunds for a top-up that the wallet has no longer, within its credit line: `anyway` takes it back."""
    require_reason(reason)
    found = await store.entry(session, id_)
    if found is None:
        raise NotFound("There is no such entry.", "分录不存在。")
    if found.kind not in REVERSIBLE:
        raise Conflict(f"An entry of kind {found.kind} is not reversed.", f"{found.kind} 类分录不能冲销。")
    if found.kind == "charge":
        row = _the_one(await charges.of_entry(session, id_, usage))
        return await _reverse_charge(session, found, row, reason, person, now)
    periods = await open_periods(session, [fee_month(found.key)]) if found.kind == FEE else {}
    triples = await store.postings_of(session, id_)
    currency, postings = triples[0][1], {code: -micro for code, _, micro in triples}
    key = f"reverse:{id_}"
    if not anyway:
        await _require_left(session, key, currency, postings)
    made = await _post(session, key, found, currency, postings, reason, person, now)
    for period in periods.values():
        await store_decisions.keep_fee_reversal(session, id_, made, period)
    return made


async def _require_left(session: AsyncSession, key: str, currency: str, postings: Mapping[str, int]) -> None:
    """A payment may be taken back when it was spent, or is held for jobs."""
    accounts = await store.locked(session, dict.fromkeys(postings, currency))
    if await store.posted(session, [key]):
        raise _again()
    for code, micro in postings.items():
        if code.startswith(f"{WALLET}:") and micro < 0:
            project, wanted = ProjectId(UUID(code.partition(":")[2])), Money(-micro, currency)
            await require_left(session, project, wanted, accounts[code].balance_micro, hint=ANYWAY)


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


async def _reverse_charge(
    session: AsyncSession, found: EntryRow, row: NewCharge, reason: str, person: str, now: datetime
) -> EntryId:
    periods = await open_periods(session, [row.period])
    await store.lock_accounts(session, {}, also=[wallet(row.project), held(row.project)])
    before = (await charges.before(session, [row.usage]))[row.usage]
    if before.is_reversed or row.revision < before.first:
        raise _again()
    shelf, of = await store_paying.lock_shelf(session, [row.project], (), [row.usage])
    given = of.get(row.usage, {})
    uses = [use for unit in Unit for use in shelf.give_back(given, sum(one.units for one in given.values()), unit)]
    codes = await store.posted_to(session, row.usage, before.first)
    less = replace(_less(row, before, given, uses), period=periods[row.period], reason=reason, person=person)
    await _less_volume(session, less)  # before the accounts that all share, as when it was charged
    postings = _postings(codes, less, uses)
    key = f"reverse:{found.id}:{row.usage}" if found.key.startswith(SHARED) else f"reverse:{found.id}"
    entry = await _post(session, key, found, less.currency, postings, reason, person, now)
    await charges.add(session, [(less, entry)], now)
    await store_paying.add_uses(session, [(less, uses)])
    await store_paying.put_back(session, shelf)
    return entry


def _less(row: NewCharge, before: Before, given: Mapping[PackageId, Given], uses: Sequence[Use]) -> NewCharge:
    """All that the usage was charged, under its newest revision. A package that is open takes its hours back at what
    they are worth there now, to the micro-unit its own account's part."""
    return replace(
        row,
        revision=before.revision,
        is_reversal=True,
        list_micro=-before.list_micro,
        amount_micro=sum(given[use.package].micro + use.worth_micro for use in uses) - before.amount_micro,
        package_micro=sum(use.micro for use in uses),
        credit_micro=-before.credit_micro,
        share_micro=-before.share_micro,
        owner_micro=-before.owner_micro,
    )


def _postings(codes: Collection[str], less: NewCharge, uses: Sequence[Use]) -> dict[str, int]:
    """What went to others comes back from them; the platform's own part is the rest."""
    postings = {wallet(less.project): -less.wallet_micro}
    for code in codes:
        if code.startswith(OWNERS):
            postings[code] = less.owner_micro
        elif code.startswith(PAYABLE):
            postings[code] = less.share_micro
        elif code == CREDITS:
            postings[code] = -less.credit_micro
        elif code == DUPLICATES:
            postings[code] = -less.share_micro - less.owner_micro
    for use in uses:
        postings[package(use.package)] = -use.micro
    own = next((code for code in codes if code.startswith("revenue:")), EXPIRED)
    postings[own] = -sum(postings.values())
    return postings


async def _less_volume(session: AsyncSession, less: NewCharge) -> None:
    if less.volume_micro is None:
        return
    price = (await price_by_id(session, less.price)).price
    organisation = price.organisation
    payer = f"organisation:{organisation}" if organisation is not None else f"project:{less.project}"
    key = (payer, less.price, less.period)
    volumes = await store_paying.lock_volumes(session, [key])
    await store_paying.put_volumes(session, {key: volumes[key] + less.list_micro})


async def _post(
    session: AsyncSession,
    key: str,
    found: EntryRow,
    currency: str,
    postings: dict[str, int],
    reason: str,
    person: str,
    now: datetime,
) -> EntryId:
    entry = Entry(key, "reversal", currency, postings, reference=found.reference, reason=reason, person=person)
    posted = await post(session, [entry], now=now)
    if not posted:
        raise _again()
    return posted[entry.key]


def _again() -> Conflict:
    return Conflict("This entry was reversed before.", "该分录已被冲销。")
