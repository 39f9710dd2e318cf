"""A person decides what a usage costs that no rule decides, with a reason: it is charged whole at a price version, or
it costs nothing. The decision is kept beside the usage; the charge is one like any other."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store, store_decisions
from paracloud.billing.charge import charge
from paracloud.billing.charges import Before
from paracloud.billing.decision import Decision
from paracloud.billing.entry import held, wallet
from paracloud.billing.period import month_of, open_periods
from paracloud.billing.price import price_by_id
from paracloud.billing.reason import require_reason
from paracloud.identity.overview import organisations_of
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import PriceVersionId, UsageId
from paracloud.kit.money import Money
from paracloud.metering.listing import lock_usage
from paracloud.metering.revise_again import revise_again
from paracloud.metering.usage import Usage

CURRENCY = Money(0).currency
"""Of a wallet that is opened to be locked."""


@dataclass(frozen=True, slots=True)
class Decided:
    """`amount_micro` is what was charged by the decision: 0 of a waiver, and of a duplicate. `is_new`: decided now, and
    not in the same words before."""

    decision: Decision
    amount_micro: int
    is_new: bool


async def decide_usage(
    session: AsyncSession, id_: UsageId, price: PriceVersionId | None, *, reason: str, person: str, now: datetime
) -> Decided:
    """`price` None: it costs nothing. The same person's same words again change nothing. NotFound; Invalid without a
    reason, or for a price of another centre or customer; Conflict for usage that is neither listed as unrated nor
    reversed whole nor (for a price) waived, while a charge of it stands, even of nothing, and where not even this price
    says what it costs."""
    require_reason(reason)
    usage = await lock_usage(session, id_)
    await open_periods(session, [month_of(usage.ended_at)])  # before the wallet, as whoever charges or closes does
    await _lock(session, usage)
    before = (await charges.before(session, [id_])).get(id_)
    said = await store_decisions.of_usage(session, id_)
    if (same := _again(usage, before, said, Decision(id_, usage.revision, price, reason, person, now))) is not None:
        return Decided(
            same, 0 if same.waives or usage.is_duplicate or before is None else before.amount_micro, is_new=False
        )
    await _require_open(session, usage, before, said, price)
    if price is not None:
        await _require_fitting(session, usage, price)
    is_taken = any(one.revision == usage.revision for one in said)
    if is_taken or (price is not None and before is not None and before.revision == usage.revision):
        usage = await revise_again(session, usage, now=now)
    new = Decision(id_, usage.revision, price, reason, person, now)
    await store_decisions.add(session, [new])
    return Decided(new, 0 if price is None else await _charge(session, usage, new, now), is_new=True)


async def _lock(session: AsyncSession, usage: Usage) -> None:
    """As whoever charges or reverses it does, before anything is read."""
    code = wallet(usage.project)
    if not await store.lock_accounts(session, {}, also=[code, held(usage.project)]):
        await store.lock_accounts(session, {code: CURRENCY})


def _again(usage: Usage, before: Before | None, said: list[Decision], new: Decision) -> Decision | None:
    """What holds now, where that is the same word."""
    last = next((one for one in reversed(said) if not one.is_carried), None)
    is_taken_back = before is not None and before.is_reversed and last is not None and not last.waives
    if last is None or is_taken_back or said[-1].revision < usage.revision:
        return None
    return last if (last.price, last.reason, last.person) == (new.price, new.reason, new.person) else None


async def _require_open(
    session: AsyncSession, usage: Usage, before: Before | None, said: list[Decision], price: PriceVersionId | None
) -> None:
    is_waived = any(
        one.waives and not one.is_carried and (before is None or one.revision >= before.revision) for one in said
    )
    is_waiting = await store_decisions.is_listed(session, usage.id)
    if is_waived and price is None and not is_waiting:
        raise Conflict(
            "It costs nothing already, by a person's word; `admin rate --price` charges it after all.",
            "该用量已由人工决定不收费；如需收费，请用 admin rate --price。",
            field="usage",
        )
    if before is None and not is_waived and not is_waiting:
        raise Conflict(
            "It waits for no price, and is charged by itself soon.",
            "该用量未列为未定价，稍后将自动计费。",
            field="usage",
        )
    if before is not None and not before.is_reversed:
        raise Conflict(
            f"What it was charged stands, even where that is nothing: `admin reverse-usage {usage.id}` first.",
            f"此前的计费仍然有效（金额为零亦然）：请先用 admin reverse-usage {usage.id} 冲销，再作决定。",
            field="usage",
        )


async def _require_fitting(session: AsyncSession, usage: Usage, price: PriceVersionId) -> None:
    version = await price_by_id(session, price)
    if version.centre != usage.key.centre:
        raise Invalid(
            f"price: it is one of {version.centre}, and the usage is at {usage.key.centre}; `admin prices` lists them.",
            f"price：该价格属于 {version.centre}，而用量在 {usage.key.centre}；可用 admin prices 查看。",
            field="price",
        )
    organisation = (await organisations_of(session, [usage.project]))[usage.project]
    own = version.price
    if own.project not in (None, usage.project) or own.organisation not in (None, organisation):
        raise Invalid(
            "price: it is another customer's own; choose one for everybody, or add this customer's.",
            "price：该价格为其他客户专属；请选择通用价格，或为该客户新增价格。",
            field="price",
        )


async def _charge(session: AsyncSession, usage: Usage, new: Decision, now: datetime) -> int:
    (charged,) = await charge(session, [usage], pinned={}, now=now, decided={usage.id: new})
    if charged.why is not None:
        en, zh = charged.why.reason_en, charged.why.reason_zh
        raise Conflict(f"It cannot be charged so: {en}.", f"不能这样计费：{zh}。", field="price")
    return charged.amount_micro or 0
