"""A statement is confirmed or disputed line by line, and paid once."""

from datetime import date, timedelta

import pytest
from tests.paracloud.billing.builders import EAST, charged, metered, record, sound
from tests.paracloud.settlement.months import JULY, JUNE, balance, do, lines_in, stated

from paracloud.billing.close_period import close_period
from paracloud.billing.entry import PAID_OUT, payable
from paracloud.billing.reverse_usage import reverse_usage
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import (
    DisputeId,
    UsageId,
    new_uuid,
)
from paracloud.kit.money import Money
from paracloud.settlement.answer_settlement import answer_dispute, confirm, open_dispute, pay
from paracloud.settlement.people import lines_of, settlement_of
from paracloud.settlement.settled import SettlementState
from paracloud.settlement.state_settlements import state_settlements


async def test_a_statement_is_confirmed_and_paid_once(database, opened):
    (one,) = await stated(database)
    with pytest.raises(Conflict, match="stated, not confirmed"):
        await do(database, pay, one.id, payment="bank-1", person="op")
    for _ in range(2):
        confirmed = await do(database, confirm, one.id, person="east")
    assert confirmed.state is SettlementState.CONFIRMED
    for _ in range(2):
        paid = await do(database, pay, one.id, payment="bank-1", person="op")
    assert (paid.state, paid.payment) == (SettlementState.PAID, "bank-1")
    assert (await balance(database, payable(EAST)), await balance(database, PAID_OUT)) == (0, 30_864)
    with pytest.raises(Conflict):
        await do(database, pay, one.id, payment="bank-2", person="op")
    await sound(database)


async def test_a_transfer_pays_one_statement(database, opened):
    (june,) = await stated(database)
    july, august = date(2026, 7, 1), JULY + timedelta(days=40)
    fresh = record("9", ended_at=JULY, started_at=JULY, submitted_at=JULY)
    await charged(database, await metered(database, opened, fresh))
    async with database.begin() as session:
        await close_period(session, july, person="op", now=august)
        (other,) = await state_settlements(session, july, person="op", now=august)
    for one in (june, other):
        await do(database, confirm, one.id, person="east")
    await do(database, pay, june.id, payment="bank-1", person="op")
    with pytest.raises(Conflict, match="bank-1 paid another statement"):
        await do(database, pay, other.id, payment=" bank-1", person="op")
    assert await balance(database, payable(EAST)) == other.total
    await do(database, pay, other.id, payment="bank-2", person="op")
    await sound(database)


async def test_a_disputed_line_is_answered_and_adjusts_the_statement(database, opened):
    (one,) = await stated(database)
    async with database.begin() as session:
        first, second, _ = await lines_of(session, EAST, JUNE, day=None)
    both = [
        await do(database, open_dispute, one.id, of.usage, reason="节点时间有误", person="east")
        for of in (first, second)
    ]
    with pytest.raises(Conflict, match="disputed already"):
        await do(database, open_dispute, one.id, first.usage, reason="again", person="east")
    with pytest.raises(Conflict, match="waits for its answer"):
        await do(database, confirm, one.id, person="east")
    found = await do(database, answer_dispute, both[0].id, text="是", adjustment=Money(500), person="op")
    assert found.state is SettlementState.DISPUTED
    found = await do(database, answer_dispute, both[1].id, text="no", adjustment=Money(0), person="op")
    assert (found.state, found.adjusted, found.total) == (SettlementState.STATED, 500, 31_364)
    with pytest.raises(Conflict, match="answered before"):
        await do(database, answer_dispute, both[1].id, text="no", adjustment=Money(0), person="op")
    await do(database, confirm, one.id, person="east")
    with pytest.raises(Conflict, match="confirmed"):
        await do(database, open_dispute, one.id, first.usage, reason="late", person="east")
    await do(database, pay, one.id, payment="bank-1", person="op")
    assert (await balance(database, payable(EAST)), await balance(database, PAID_OUT)) == (0, 31_364)
    async with database.begin() as session:
        _, disputes = await settlement_of(session, EAST, JUNE)
    assert [(one.adjusted, one.answer) for one in disputes] == [(500, "是"), (0, "no")]
    await sound(database)


async def test_what_cannot_be_disputed_or_answered_is_refused(database, opened):
    (one,) = await stated(database)
    (usage,) = {usage.usage for usage in [(await lines_in(database))[0]]}
    with pytest.raises(Invalid):
        await do(database, open_dispute, one.id, usage, reason=" ", person="east")
    with pytest.raises(NotFound):
        await do(database, open_dispute, one.id, UsageId(new_uuid()), reason="x", person="east")
    with pytest.raises(NotFound):
        await do(database, answer_dispute, DisputeId(new_uuid()), text="x", adjustment=Money(0), person="op")
    made = await do(database, open_dispute, one.id, usage, reason="x", person="east")
    with pytest.raises(Invalid):
        await do(database, answer_dispute, made.id, text="x", adjustment=Money(1, "USD"), person="op")
    with pytest.raises(Invalid):
        await do(database, answer_dispute, made.id, text="", adjustment=Money(1), person="op")


async def test_what_the_centre_gets_is_not_booked_as_paid_by_it(database, opened):
    (one,) = await stated(database)
    await do(database, confirm, one.id, person="east")
    with pytest.raises(Conflict, match="owes nothing"):
        await do(database, pay, one.id, payment="bank-1", person="op", from_centre=True)


@pytest.mark.parametrize("micro", [13_718, -13_718, -9_999_999_000_000])
async def test_an_adjustment_of_more_than_the_charge_is_knowingly_made(database, opened, micro):
    (one,) = await stated(database)
    line = (await lines_in(database))[0]
    made = await do(database, open_dispute, one.id, line.usage, reason="x", person="east")
    more = {"text": "是", "adjustment": Money(micro), "person": "op"}
    with pytest.raises(Invalid, match=r"it is about, 0.013717; .*--beyond-charge"):
        await do(database, answer_dispute, made.id, **more)
    found = await do(database, answer_dispute, made.id, **more, beyond_charge=True)
    assert found.adjusted == micro
    with pytest.raises(Conflict, match="answered on 2026-07-02"):
        await do(database, open_dispute, one.id, line.usage, reason="again", person="east")
    await sound(database)


async def test_the_share_of_what_was_reversed_is_not_taken_back_twice_without_a_word(database, opened):
    (one,) = await stated(database)
    line = (await lines_in(database))[0]
    made = await do(database, open_dispute, one.id, line.usage, reason="x", person="east")
    async with database.begin() as session:
        await reverse_usage(session, line.usage, reason="x", person="op", now=JULY)
    less = {"text": "是", "adjustment": Money(-1), "person": "op"}
    with pytest.raises(Invalid, match=r"the usage was reversed, .*--beyond-charge") as refused:
        await do(database, answer_dispute, made.id, **less)
    assert (refused.value.field, "已冲销" in refused.value.zh) == ("adjustment", True)
    assert (await do(database, answer_dispute, made.id, **less, beyond_charge=True)).adjusted == -1
    await sound(database)


async def test_what_is_on_no_line_is_disputed_and_answered_like_a_line(database, opened):
    (one,) = await stated(database)
    made = await do(database, open_dispute, one.id, None, reason="缺少作业 4711", person="east")
    await do(database, open_dispute, one.id, None, reason="the fee is wrong", person="east")
    with pytest.raises(Conflict, match="wait for its answer"):
        await do(database, open_dispute, one.id, None, reason="缺少作业 4711", person="east")
    with pytest.raises(Conflict, match="waits for its answer"):
        await do(database, confirm, one.id, person="east")
    more = {"text": "是", "person": "op"}
    with pytest.raises(Invalid, match=r"it is about, 0\.041151"):
        await do(database, answer_dispute, made.id, adjustment=Money(41_152), **more)
    found = await do(database, answer_dispute, made.id, adjustment=Money(41_151), **more)
    assert (found.state, found.adjusted) == (SettlementState.DISPUTED, 41_151)
    with pytest.raises(Conflict, match="answered on 2026-07-02"):
        await do(database, open_dispute, one.id, None, reason="缺少作业 4711", person="east")
    await sound(database)
