"""Three-way reconciliation: nothing where all is well, and each planted difference by its cause and amount."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import ACCOUNT, EAST, NOW, charged, metered, record, world

from paracloud.billing import charges
from paracloud.billing.charge import charge
from paracloud.billing.charges import NewCharge
from paracloud.billing.check import check
from paracloud.billing.contract import Lent, add_contract, contracts_of
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.entry import OWNERS, Entry, payable, revenue, wallet
from paracloud.billing.mismatch import Cause
from paracloud.billing.period import month_of, open_periods
from paracloud.billing.post import post
from paracloud.billing.price import add_price, end_price
from paracloud.billing.rate import Price, rate
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse import reverse
from paracloud.billing.reverse_usage import reverse_usage
from paracloud.centres.centre import Owner
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import EntryId, OrganisationId, PriceVersionId, UnixAccount, UsageId, new_uuid
from paracloud.metering.collect import collect

DAY = timedelta(days=1)
START = NOW.replace(hour=0)
RUNS = [record(str(number), cores=number, elapsed_seconds=100 * number) for number in range(1, 5)]


@pytest.fixture
async def opened(database):
    return await world(database)


async def reconciled(database, opened, records, *, pinned=None, lent=None, since=NOW):
    lent = opened.lent if lent is None else lent
    async with database.begin() as session:
        return await reconcile(
            session, EAST, records, start=START, end=START + DAY, lent=lent, pinned=pinned or {}, since=since
        )


def amount(opened, one) -> int:
    return rate(one.cores * one.elapsed_seconds, 0, opened.price, 7500).amount.micro


def found(result) -> list[tuple[Cause, str, int]]:
    return [(one.cause, one.record_id, one.micro) for one in result.mismatches]


async def test_where_all_is_well_the_three_books_are_one(database, opened):
    await charged(database, await metered(database, opened, *RUNS))
    result = await reconciled(database, opened, RUNS)
    assert result.mismatches == ()
    assert result.records == 4
    assert result.accounted_micro == result.charged_micro == sum(amount(opened, one) for one in RUNS)
    shares = [rate(one.cores * one.elapsed_seconds, 0, opened.price, 7500).share.micro for one in RUNS]
    assert result.settled_micro == sum(shares)


async def test_what_other_accounts_did_at_the_centre_is_not_ours(database, opened):
    foreign = replace(RUNS[0], account=UnixAccount("someone"))
    assert (await reconciled(database, opened, [foreign])).records == 0


async def test_a_record_that_was_lost_is_not_metered(database, opened):
    await charged(database, await metered(database, opened, *RUNS[:3]))
    assert found(await reconciled(database, opened, RUNS)) == [(Cause.NOT_METERED, "4", -amount(opened, RUNS[3]))]


async def test_a_record_that_counts_twice_with_us_is_not_accounted(database, opened):
    twice = replace(RUNS[1], restart_count=1)
    await charged(database, await metered(database, opened, *RUNS, twice))
    assert found(await reconciled(database, opened, RUNS)) == [(Cause.NOT_ACCOUNTED, "2", amount(opened, twice))]


async def test_a_second_record_under_the_name_of_a_job_of_ours_is_found_until_a_person_decides(database, opened):
    """The centre tells it, so both books have it: the name alone shows that nobody asked for it."""
    name = "pc-" + "0123456789abcdef" * 2
    told = [*RUNS, record("9", name=name, cores=2), record("10", name=name[:-1], cores=2)]
    usages = await metered(database, opened, *told)
    await charged(database, usages)
    doubled = next(one.id for one in usages if one.name == name)
    result = await reconciled(database, opened, told)
    assert found(result) == [(Cause.DOUBLED, "9", amount(opened, told[4]))]
    async with database.begin() as session:
        await reverse_usage(session, doubled, reason="once", person="op", now=NOW)
    assert found(await reconciled(database, opened, told)) == []
    async with database.begin() as session:
        await decide_usage(session, doubled, opened.price.id, reason="by hand", person="op", now=NOW)
    assert found(await reconciled(database, opened, told)) == []


async def test_a_record_that_the_centre_changed_is_named_with_the_difference(database, opened):
    await charged(database, await metered(database, opened, *RUNS))
    longer = replace(RUNS[0], elapsed_seconds=400, ended_at=RUNS[0].ended_at)
    result = await reconciled(database, opened, [longer, *RUNS[1:]])
    assert found(result) == [(Cause.CHANGED, "1", amount(opened, RUNS[0]) - amount(opened, longer))]
    assert "elapsed_seconds 100 -> 400" in result.mismatches[0].en
    assert "elapsed_seconds 100 -> 400" in result.mismatches[0].zh


async def test_what_was_metered_and_not_charged_is_unrated_with_its_reason(database, opened):
    elsewhere = replace(RUNS[0], queue="nowhere")
    await charged(database, await metered(database, opened, elsewhere, *RUNS[1:]))
    await metered(database, opened, record("9"))
    (first, second) = (await reconciled(database, opened, [elsewhere, *RUNS[1:], record("9")])).mismatches
    assert (first.cause, first.micro) == (Cause.UNRATED, 0)
    assert "no price held for east/nowhere" in first.en
    assert (second.cause, second.micro) == (Cause.UNRATED, -amount(opened, record("9")))


async def test_a_wrong_price_is_found(database, opened):
    other = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal("9"), Decimal(0), "CNY")
    async with database.begin() as session:
        await end_price(session, opened.price.id, NOW + DAY, person="op", now=NOW)
        await add_price(session, EAST, "cpu", other, person="op", now=NOW, valid_from=NOW + DAY)
    await charged(database, await metered(database, opened, RUNS[0], job="job-1"), {"job-1": other.id})
    result = await reconciled(database, opened, [RUNS[0]], pinned={"job-1": opened.price.id})
    dear = rate(100, 0, other, 7500).amount.micro
    assert found(result) == [(Cause.WRONG_PRICE, "1", dear - amount(opened, RUNS[0]))]
    assert (await reconciled(database, opened, [RUNS[0]], pinned={"job-1": other.id})).mismatches == ()


async def forged(database, opened, *, amount_micro: int, share: int, posted: int) -> None:
    """A charge that billing would not make, with an entry that the database lets through: it balances."""
    (usage,) = await metered(database, opened, RUNS[0])
    postings = {wallet(opened.project): -amount_micro, payable(EAST): posted, revenue("general"): amount_micro - posted}
    async with database.begin() as session:
        (contract,) = await contracts_of(session, [EAST])
        periods = await open_periods(session, [month_of(NOW)])
        row = NewCharge(
            usage=usage.id, revision=1, period=periods[month_of(NOW)], project=opened.project, user=None,
            reference=None, price=opened.price.id, contract=contract.id, share_basis_points=7500,
            list_micro=amount_micro, volume_micro=None, amount_micro=amount_micro, package_micro=0, credit_micro=0,
            share_micro=share, owner_micro=0, dedication=None, currency="CNY", is_duplicate=False,
        )  # fmt: skip
        key = f"charge:{usage.id}:1"
        made = await post(session, [Entry(key, "charge", "CNY", postings, reference=str(usage.id))], now=NOW)
        await charges.add(session, [(row, made[key])], NOW)


async def test_a_wrong_amount_a_wrong_share_and_what_is_not_settled_are_found(database, opened):
    right = rate(100, 0, opened.price, 7500)
    whole, share = right.amount.micro, right.share.micro
    await forged(database, opened, amount_micro=whole, share=share + 5, posted=share + 5)
    assert found(await reconciled(database, opened, [RUNS[0]])) == [(Cause.WRONG_SHARE, "1", 5)]


@pytest.mark.parametrize(
    ("more", "share", "posted", "expected"),
    [(7, 0, 0, (Cause.WRONG_AMOUNT, "1", 7)), (0, 0, -3, (Cause.NOT_SETTLED, "1", -3))],
)
async def test_a_forged_charge_is_found(database, opened, more, share, posted, expected):
    right = rate(100, 0, opened.price, 7500)
    due = right.share.micro + share
    await forged(database, opened, amount_micro=right.amount.micro + more, share=due, posted=due + posted)
    assert found(await reconciled(database, opened, [RUNS[0]])) == [expected]


async def lent_out(database, opened, *, owner: int, posted: int, to: str | None = None) -> None:
    """A charge at nodes of which half goes to the centre and 30 % to who lends them out; `owner` is what it says of the
    latter, and `posted` what its entry gives to them, or to the project `to`."""
    (usage,) = await metered(database, opened, RUNS[0])
    async with database.begin() as session:
        organisation = (await session.execute(text("SELECT organisation_id FROM projects"))).scalar_one()
        lender = await create_project(session, OrganisationId(organisation), "邻组", now=NOW)
        await add_contract(
            session, EAST, 5000, person="op", now=START, valid_from=START - DAY, queue="cpu", lent=Lent(lender, 3000)
        )
        contract = next(one for one in await contracts_of(session, [EAST]) if one.queue == "cpu")
        right = rate(100, 0, opened.price, 5000)
        whole, share = right.amount.micro, right.share.micro
        periods = await open_periods(session, [month_of(NOW)])
        row = NewCharge(
            usage=usage.id, revision=1, period=periods[month_of(NOW)], project=opened.project, user=None,
            reference=None, price=opened.price.id, contract=contract.id, share_basis_points=5000, list_micro=whole,
            volume_micro=None, amount_micro=whole, package_micro=0, credit_micro=0, share_micro=share,
            owner_micro=owner, dedication=None, currency="CNY", is_duplicate=False,
        )  # fmt: skip
        gets = f"{OWNERS}{to or lender}"
        postings = {wallet(opened.project): -whole, payable(EAST): share, gets: posted}
        postings[revenue("general")] = whole - share - posted
        made = await post(session, [Entry(f"charge:{usage.id}:1", "charge", "CNY", postings)], now=NOW)
        await charges.add(session, [(row, made[f"charge:{usage.id}:1"])], NOW)


PART = "what a charge gives the centre and the lender is what its contract says"
POSTED = "the entry of a charge posts what the charge says"
TO_WHOM = "a lender's part is posted to whom the contract names"


@pytest.mark.parametrize(
    ("owner", "posted", "to", "expected", "checked"),
    [
        (1029, 1029, None, [], set()),
        (1036, 1036, None, [(Cause.WRONG_SHARE, "1", 7)], {PART}),
        (0, 0, None, [(Cause.WRONG_SHARE, "1", -1029)], {PART}),
        (1029, 1020, None, [(Cause.NOT_SETTLED, "1", -9)], {POSTED, TO_WHOM}),
        (1029, 1029, "somebody-else", [(Cause.NOT_SETTLED, "1", -1029)], {TO_WHOM}),
    ],
)
async def test_a_wrong_part_of_who_lent_the_nodes_is_found(database, opened, owner, posted, to, expected, checked):
    assert round(amount(opened, RUNS[0]) * 0.3) == 1029
    await lent_out(database, opened, owner=owner, posted=posted, to=to)
    assert found(await reconciled(database, opened, [RUNS[0]])) == expected
    async with database.begin() as session:
        assert {one.what for one in await check(session)} == checked


async def test_usage_of_another_project_than_the_account_is_lent_to_is_found(database, opened):
    """Not what was submitted before: the account was another's then."""
    async with database.begin() as session:
        (other,) = await session.scalars(text("SELECT id FROM organisations"))
        theirs = await create_project(session, OrganisationId(other), "邻组", now=NOW)
    await charged(database, await metered(database, opened, *RUNS))
    lent = {ACCOUNT: Owner(theirs, NOW)}
    wrong = [(Cause.WRONG_OWNER, one.record_id, amount(opened, one)) for one in RUNS]
    assert found(await reconciled(database, opened, RUNS, lent=lent)) == wrong
    later = {ACCOUNT: Owner(theirs, NOW + timedelta(seconds=1))}
    assert found(await reconciled(database, opened, RUNS, lent=later)) == []


async def test_what_a_person_took_back_is_no_difference(database, opened):
    usages = await metered(database, opened, *RUNS)
    await charged(database, usages)
    query = text("SELECT entry_id FROM charges WHERE usage_id = :id")
    async with database.begin() as session:
        entry = (await session.execute(query, {"id": usages[0].id})).scalar_one()
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=NOW)
    result = await reconciled(database, opened, RUNS)
    assert result.mismatches == ()
    assert result.accounted_micro == result.charged_micro == sum(amount(opened, one) for one in RUNS[1:])


async def taken_back(database, opened) -> UsageId:
    (usage,) = await metered(database, opened, RUNS[0])
    await charged(database, [usage])
    async with database.begin() as session:
        await reverse_usage(session, usage.id, reason="goodwill", person="op", now=NOW)
    return usage.id


async def test_what_was_taken_back_and_then_corrected_waits_for_a_word(database, opened):
    await taken_back(database, opened)
    longer = replace(RUNS[0], elapsed_seconds=400)
    assert await charged(database, await metered(database, opened, longer)) == [None]
    (one,) = (await reconciled(database, opened, [longer])).mismatches
    assert (one.cause, one.micro) == (Cause.UNRATED, -amount(opened, longer))
    assert "decide what it costs" in one.en


@pytest.mark.parametrize("is_waived", [False, True])
async def test_a_word_that_it_costs_nothing_hides_no_change_of_what_is_charged_for(database, opened, is_waived):
    usage = await taken_back(database, opened)
    if is_waived:
        async with database.begin() as session:
            await decide_usage(session, usage, None, reason="x", person="op", now=NOW)
    longer, same = replace(RUNS[0], elapsed_seconds=400), replace(RUNS[0], exit_code=1)
    assert found(await reconciled(database, opened, [longer])) == [(Cause.CHANGED, "1", -amount(opened, longer))]
    assert found(await reconciled(database, opened, [same])) == []


LOGGED = [replace(one, account=UnixAccount("wang")) for one in RUNS]
"""Of a Unix user whom the centre does not lend: they came from a log."""


async def imported(database, opened, *records) -> None:
    async with database.begin() as session:
        owners = {UnixAccount("wang"): opened.project}
        got = await collect(session, EAST, records, owners=owners, claims={}, now=NOW)
        await charge(session, got.new, pinned={}, now=NOW)


@pytest.mark.parametrize("lent", [{}, None])
async def test_history_that_the_centre_tells_agrees(database, opened, lent):
    await imported(database, opened, *LOGGED)
    result = await reconciled(database, opened, LOGGED, lent=lent)
    assert (result.mismatches, result.records, result.untold) == ((), 4, 0)
    assert result.accounted_micro == result.charged_micro == sum(amount(opened, one) for one in RUNS)


async def test_history_that_the_centre_lost_or_changed_is_found(database, opened):
    await imported(database, opened, *LOGGED)
    longer = replace(LOGGED[0], elapsed_seconds=400, memory_bytes=77)
    rounded = replace(LOGGED[1], memory_bytes=77)
    assert found(await reconciled(database, opened, [longer, rounded, LOGGED[2]])) == [
        (Cause.CHANGED, "1", amount(opened, LOGGED[0]) - amount(opened, longer)),
        (Cause.NOT_ACCOUNTED, "4", amount(opened, LOGGED[3])),
    ]


async def test_a_centre_that_shows_only_its_lent_accounts_loses_no_history(database, opened):
    await imported(database, opened, *LOGGED)
    lent = record("9")
    await charged(database, await metered(database, opened, lent))
    result = await reconciled(database, opened, [lent])
    assert (result.mismatches, result.records, result.untold) == ((), 1, 4)
    assert result.accounted_micro == amount(opened, lent)
    assert found(await reconciled(database, opened, [])) == [(Cause.NOT_ACCOUNTED, "9", amount(opened, lent))]


async def test_what_ended_before_the_centre_was_connected_need_not_be_told_any_more(database, opened):
    await imported(database, opened, *LOGGED)
    result = await reconciled(database, opened, LOGGED[:1], since=NOW + DAY)
    assert (result.mismatches, result.records, result.untold) == ((), 1, 3)


async def test_our_own_books_of_what_need_not_be_told_are_looked_at(database, owned, opened):
    await imported(database, opened, *LOGGED)
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        more = "UPDATE charges SET amount_micro = amount_micro + 5 FROM usage WHERE usage_id = id AND record_id = '2'"
        await session.execute(text(more))
    result = await reconciled(database, opened, [], since=NOW + DAY)
    assert found(result) == [(Cause.WRONG_AMOUNT, "2", 5)]


async def test_a_strangers_record_is_nobodys_whatever_else_the_centre_tells(database, opened):
    await imported(database, opened, *LOGGED)
    stranger = replace(RUNS[0], record_id="77", account=UnixAccount("someone"))
    result = await reconciled(database, opened, [*LOGGED, stranger])
    assert (result.mismatches, result.records) == ((), 4)
