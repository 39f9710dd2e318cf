"""The centre confirms a statement, or disputes lines of it; the operator answers and pays."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges
from paracloud.billing.entry import PAID_OUT, SETTLEMENT, Entry, payable
from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.billing.post import post
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import DisputeId, SettlementId, UsageId, new_uuid
from paracloud.kit.money import Money
from paracloud.settlement import store, store_disputes, store_lines
from paracloud.settlement.settled import Dispute, Settlement, SettlementState

LONGEST = 1000
SAID = 200
"""Of a reason, in a notice."""


async def confirm(session: AsyncSession, id_: SettlementId, *, person: str, now: datetime) -> Settlement:
    """Again: nothing changes. Conflict while a dispute waits for its answer."""
    found = await _locked(session, id_)
    if found.state in (SettlementState.CONFIRMED, SettlementState.PAID):
        return found
    if found.state is SettlementState.DISPUTED:
        raise Conflict("A dispute of it waits for its answer.", "该结算单尚有争议未答复。")
    return await _moved(
        session, found, {"state": SettlementState.CONFIRMED.value, "confirmed_by": person, "confirmed_at": now}
    )


async def open_dispute(
    session: AsyncSession, id_: SettlementId, usage: UsageId | None, *, reason: str, person: str, now: datetime
) -> Dispute:
    """A line, or, without a usage, what is on no line: a fee, what a contract adds, a job that is missing. The operator
    is told. Invalid without a reason; NotFound for a usage that is on no line of it; Conflict once it is confirmed, or
    where the same was disputed before."""
    found = await _locked(session, id_)
    if found.state in (SettlementState.CONFIRMED, SettlementState.PAID):
        raise Conflict("It is confirmed; nothing of it is disputed any more.", "该结算单已确认，不能再提出争议。")
    if not reason.strip() or len(reason) > LONGEST:
        raise Invalid("reason: say why.", "reason：请说明原因。", field="reason")
    if usage is not None and await store_lines.most_of(session, found.centre, found.period, usage) is None:
        raise NotFound("There is no such line.", "结算单中没有该明细。", field="usage")
    _require_new(await store_disputes.disputes(session, [id_]), usage, reason)
    new = Dispute(DisputeId(new_uuid()), id_, usage, reason, person, now, 0, None, None, None)
    await store_disputes.add(session, new)
    await tell(session, [_notice(found, new)])
    await _moved(session, found, {"state": SettlementState.DISPUTED.value})
    return new


async def answer_dispute(
    session: AsyncSession,
    id_: DisputeId,
    *,
    text: str,
    adjustment: Money,
    person: str,
    now: datetime,
    beyond_charge: bool = False,
) -> Settlement:
    """`adjustment`: what the centre gets besides for it, or, negative, less; posted in an entry of its own. More than
    the line's charge, or, without a line, than the whole statement, and less for a usage that was reversed, is Invalid
    unless `beyond_charge` says that it is meant. With the last answer the statement is the centre's to confirm
    again."""
    known = await store_disputes.dispute(session, id_)
    if known is None:
        raise NotFound("There is no such dispute.", "该争议不存在。", field="dispute")
    found = await _locked(session, known.settlement)
    open_ = {one.id: one for one in await store_disputes.disputes(session, [found.id]) if one.answer is None}
    if id_ not in open_:
        raise Conflict("It was answered before.", "该争议此前已答复。")
    if not text.strip() or len(text) > LONGEST:
        raise Invalid("answer: say why.", "answer：请说明理由。", field="answer")
    if adjustment.currency != found.currency:
        raise Invalid(f"The statement is in {found.currency}.", f"结算单币种为 {found.currency}。", field="adjustment")
    if not beyond_charge:
        await _require_within(session, found, known, adjustment)
    answered = {"answer": text, "answered_by": person, "answered_at": now, "adjusted_micro": adjustment.micro}
    await store_disputes.answer(session, id_, answered)
    postings = {payable(found.centre): adjustment.micro, SETTLEMENT: -adjustment.micro}
    entry = Entry(f"adjust:{id_}", "adjustment", found.currency, postings, str(found.id), text, person)
    await post(session, [entry], now=now)
    state = SettlementState.DISPUTED if len(open_) > 1 else SettlementState.STATED
    return await _moved(session, found, {"state": state.value, "adjusted_micro": found.adjusted + adjustment.micro})


async def pay(
    session: AsyncSession,
    id_: SettlementId,
    *,
    payment: str,
    person: str,
    now: datetime,
    from_centre: bool = False,
) -> Settlement:
    """`payment` is the transfer's own number: the same one again changes nothing. A statement of less than nothing is
    paid by the centre, which `from_centre` says. Conflict where it is not confirmed, was paid by another transfer, or
    is due the other way, and where that transfer paid another statement."""
    payment, found = payment.strip(), await _locked(session, id_)
    if found.state is SettlementState.PAID and found.payment == payment:
        return found
    if found.state is not SettlementState.CONFIRMED:
        raise Conflict(f"It is {found.state}, not confirmed.", f"该结算单状态为 {found.state}，尚不能付款。")
    if not payment:
        raise Invalid("payment: the transfer's number.", "payment：请填写付款编号。", field="payment")
    _require_direction(found, from_centre=from_centre)
    postings = {payable(found.centre): -found.total, PAID_OUT: found.total}
    entry = Entry(f"pay:{id_}", "payment", found.currency, postings, reference=str(id_), person=person)
    await post(session, [entry], now=now)
    paid = {"state": SettlementState.PAID.value, "paid_by": person, "paid_at": now, "payment": payment}
    try:
        async with session.begin_nested():
            return await _moved(session, found, paid)
    except IntegrityError as error:
        raise Conflict(
            f"The transfer {payment} paid another statement; give this one's own number.",
            f"付款编号 {payment} 已用于另一结算单；请填写本结算单的付款编号。",
            field="payment",
        ) from error


def _require_new(known: Sequence[Dispute], usage: UsageId | None, reason: str) -> None:
    """A line is disputed once; the statement as often as there is something else to say of it."""
    for one in known:
        if one.usage != usage or (usage is None and one.reason != reason):
            continue
        if one.answered_at is None:
            raise Conflict(
                "This is disputed already; wait for its answer.", "已就此提出争议，请等待答复。", field="usage"
            )
        at = f"{one.answered_at:%Y-%m-%d}"
        raise Conflict(
            f"This was disputed, and answered on {at}; see its answer on the statement.",
            f"此争议已于 {at} 答复；请在结算单中查看答复。",
            field="usage",
        )


async def _require_within(session: AsyncSession, found: Settlement, known: Dispute, adjustment: Money) -> None:
    if known.usage is None:
        most = max(abs(found.gross), abs(found.total))
    else:
        most = await store_lines.most_of(session, found.centre, found.period, known.usage) or 0
        await _require_not_taken_back(session, known.usage, adjustment)
    if abs(adjustment.micro) > most:
        charge = Money(most, found.currency)
        raise Invalid(
            f"adjustment: more than all that it is about, {charge}; if it is meant, say beyond_charge "
            "(--beyond-charge).",
            f"adjustment：超过争议所涉的全部金额 {charge}；如确需如此，请指定 beyond_charge（--beyond-charge）。",
            field="adjustment",
        )


async def _require_not_taken_back(session: AsyncSession, usage: UsageId, adjustment: Money) -> None:
    """A reversal takes the centre's share back by itself."""
    charge = (await charges.before(session, [usage])).get(usage)
    if adjustment.micro < 0 and charge is not None and charge.is_reversed:
        raise Invalid(
            "adjustment: the usage was reversed, and with that the centre's share taken back already; if less is meant "
            "besides, say beyond_charge (--beyond-charge).",
            "adjustment：该用量已冲销，超算中心的分成已随之退回；如仍需扣减，请指定 beyond_charge（--beyond-charge）。",
            field="adjustment",
        )


def _require_direction(found: Settlement, *, from_centre: bool) -> None:
    owed = Money(abs(found.total), found.currency)
    if found.total < 0 and not from_centre:
        raise Conflict(
            f"The centre owes {owed} {owed.currency}: once it has transferred that, book its transfer with from_centre "
            "(--from-centre).",
            f"该结算单应由超算中心退回 {owed} {owed.currency}：到账后请用 from_centre（--from-centre）登记付款。",
            field="from_centre",
        )
    if found.total >= 0 and from_centre:
        raise Conflict(
            f"The centre owes nothing of it: it gets {owed} {owed.currency}.",
            f"超算中心无需退款：该结算单应付超算中心 {owed} {owed.currency}。",
            field="from_centre",
        )


def _notice(of: Settlement, new: Dispute) -> Notice:
    """To the operator."""
    month, said = f"{of.period:%Y-%m}", new.reason[:SAID]
    what, zh_what = (f"usage {new.usage} of ", f"中的用量 {new.usage} ") if new.usage else ("", " ")
    en = (
        f"{of.centre} disputes {what}its statement of {month}: {said}. Answer it by "
        f"`admin answer-dispute {new.id} ANSWER`; all that waits: `admin settlements`."
    )
    zh = (
        f"{of.centre} 对 {month} 结算单{zh_what}提出争议：{said}。请用 "
        f"`admin answer-dispute {new.id} 答复` 答复；全部待办见 `admin settlements`。"
    )
    total = Money(of.total, of.currency)
    return Notice(NoticeKind.SETTLEMENT_DISPUTED, en, zh, total, new.opened_at, reference=f"{of.centre}/{month}")


async def _locked(session: AsyncSession, id_: SettlementId) -> Settlement:
    found = await store.lock(session, id_)
    if found is None:
        raise NotFound("There is no such statement.", "该结算单不存在。", field="settlement")
    return found


async def _moved(session: AsyncSession, found: Settlement, values: Mapping[str, object]) -> Settlement:
    await store.change(session, found.id, values)
    return await _locked(session, found.id)
