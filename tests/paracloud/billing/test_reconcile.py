"""Three-way reconciliation: nothing where all is well, and each planted difference by its cause and amount."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import ACCOUNT, EAST, NOW, charged, metered, record
from tests.paracloud.billing.three_books import DAY, RUNS, amount, found, opened, reconciled

from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.mismatch import Cause
from paracloud.billing.price import add_price, end_price
from paracloud.billing.rate import Price, rate
from paracloud.billing.reverse import reverse
from paracloud.billing.reverse_usage import reverse_usage
from paracloud.centres.centre import Owner
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import EntryId, OrganisationId, PriceVersionId, UnixAccount, UsageId, new_uuid

__all__ = ["opened"]


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
