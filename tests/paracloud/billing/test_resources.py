"""Licences, GPU slices and what else a centre counts: charged by a rule, free by a word, and never by silence."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import ACCOUNT, EAST, NOW, World, charged, metered, record, sold, sound, world
from tests.paracloud.dialects.slurm.golden import NONCE, dialect

from paracloud.billing.cover import Unit
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.issue_receipts import issue_receipts, receipt_keys, receipts_page
from paracloud.billing.mismatch import Cause
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price, most, rate, rate_work
from paracloud.billing.receipt import Signer, end_line, header_line, receipt_line, verify
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse import reverse
from paracloud.billing.rule import LISTED, Unrated, Worked, in_chinese, units
from paracloud.billing.rule_text import read_rule
from paracloud.dialects.resources import frozen
from paracloud.identity.product_line import ProductLine
from paracloud.kit.command import Completed
from paracloud.kit.identifiers import EntryId, PriceVersionId, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.usage import require_possible

SOLVER, HOUR, DAY = "solver", timedelta(hours=1), timedelta(days=1)
RULE = {
    "units": {
        "sum": [
            {"resource": "cores", "weight": "0.36"},
            {"resource": "licence.matlab", "weight": "3.6"},
            {"resource": "gpu_slices.nvidia_a100_3g.20gb", "weight": "7.2"},
        ]
    },
    "free": ["nodes", "memory_bytes", "resource.fpga"],
}
ALLOCATED = (
    "cpu=8,mem=16G,node=1,billing=8,energy=12,gres/gpu=2,gres/gpu:nvidia_a100_3g.20gb=2,gres/fpga=1,license/matlab=3,"
    "fs/disk=5"
)
"""For 100 s: 8 cores for 0.08 yuan, 3 licences for 0.3 and 2 slices for 0.4."""
AT = int(NOW.timestamp())
SACCT = f"7|7|{ACCOUNT}|{SOLVER}|COMPLETED|0:0|{AT}|{AT}|{AT + 100}|100|8|1|{{tres}}|n1|normal|melt"
SIGNER = Signer(bytes(range(32)))


def accounted(tres: str = ALLOCATED):
    row = SACCT.format(tres=tres).replace("|", NONCE) + "\n"
    return dialect().account_of(("7",)).parse(Completed(0, row.encode(), b""))


async def priced(database, rule: dict | None, queue: str = SOLVER) -> Price:
    hours, read = ((Decimal("0.36"), Decimal("36")), None) if rule is None else ((Decimal(0), None), read_rule(rule))
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, *hours, "CNY", read)
    async with database.begin() as session:
        await add_price(session, EAST, queue, price, person="op", now=NOW, valid_from=NOW - DAY)
    return price


async def reasons(database) -> list[tuple[str, str]]:
    async with database.begin() as session:
        rows = (await session.execute(text("SELECT reason_en, reason_zh FROM unrated_usage ORDER BY usage_id"))).all()
    return [(en, zh) for en, zh in rows]


async def bodies(database, opened: World) -> list[dict]:
    """Of all receipts, verified as the file that a customer gets."""
    async with database.begin() as session:
        await issue_receipts(session, SIGNER, opened.project, now=NOW)
        page = await receipts_page(session, opened.project, 1)
        header = header_line(str(opened.project), await receipt_keys(session, SIGNER))
    lines = [header, *map(receipt_line, page), end_line(SIGNER, header, len(page), page[-1].hash)]
    assert verify([line.encode() for line in lines]).count == len(page)
    return [json.loads(one.text) for one in page]


async def reconciled(database, opened: World, records):
    start = NOW.replace(hour=0)
    async with database.begin() as session:
        return await reconcile(
            session, EAST, records, start=start, end=start + DAY, lent=opened.lent, pinned={}, since=NOW
        )


async def test_what_the_centre_says_was_allocated_is_charged_by_the_rule(database):
    opened = await world(database)
    await priced(database, RULE)
    (usage,) = await metered(database, opened, *accounted())
    assert usage.gpus == 0
    assert await charged(database, [usage]) == [80_000 + 300_000 + 400_000]
    assert await metered(database, opened, *accounted()) == []
    await sound(database)


async def test_a_licence_is_not_free_because_a_price_says_nothing_of_it_and_a_person_decides(database):
    opened = await world(database)
    await priced(database, None)
    (usage,) = await metered(database, opened, *accounted("cpu=8,node=1,license/matlab=3"))
    assert await charged(database, [usage]) == [None]
    ((en, zh),) = await reasons(database)
    assert en == (
        "the price says nothing of licence.matlab (the operator adds a version with a charging rule that charges it, "
        "or names it under `free` where it is free)"
    )
    assert zh == "该价格未涵盖许可证 matlab（请运营者新增含计费规则的版本：对其计费；如免费，须列入 free）"
    await sound(database)
    by_rule = await priced(database, RULE, "elsewhere")
    async with database.begin() as session:
        made = await decide_usage(session, usage.id, by_rule.id, reason="as agreed", person="op", now=NOW)
    assert made.amount_micro == 380_000
    assert await reasons(database) == []
    await sound(database)


@pytest.mark.parametrize("had", ["gres/gpu:1g.5gb=1", "gres/fpga=1", "bb/cray=1G", "quantum/qpu=1"])
async def test_no_other_resource_is_free_under_a_plain_price_either_nor_taken_from_a_package(database, had):
    opened = await world(database)
    await priced(database, None)
    paid = [await sold(database, opened, unit=unit, price="0") for unit in (Unit.CORE_SECOND, Unit.CARD_SECOND)]
    usages = await metered(database, opened, *accounted(f"cpu=8,node=1,{had}"))
    assert await charged(database, usages) == [None]
    async with database.begin() as session:
        assert set(await session.scalars(text("SELECT used FROM packages"))) == {0}
    assert len(paid) == 2
    await sound(database)


async def test_what_a_rule_neither_charges_nor_frees_is_unrated(database):
    opened = await world(database)
    await priced(database, RULE)
    assert await charged(database, await metered(database, opened, *accounted("cpu=8,license/ansys=1"))) == [None]
    assert await reasons(database) == [("the rule says nothing of licence.ansys", "计费规则未涵盖许可证 ansys")]


async def test_what_is_not_listed_was_not_had(database):
    opened = await world(database)
    await priced(database, RULE)
    assert await charged(database, await metered(database, opened, *accounted("cpu=8,mem=1G,node=1"))) == [80_000]


async def test_a_source_that_tells_no_resources_is_charged_by_no_rule_that_needs_them(database):
    opened = await world(database)
    await priced(database, RULE)
    await priced(database, None, "plain")
    silent = [record(queue, queue=queue, unsaid=frozenset({"resources"})) for queue in (SOLVER, "plain")]
    assert await charged(database, await metered(database, opened, *silent)) in ([None, 40_000], [40_000, None])
    ((en, _),) = await reasons(database)
    assert en == "licence.matlab is charged, and the centre's accounting does not tell it"


GRID_ENGINE = frozenset({"qos", "nodes", "memory_bytes", "resources"})


@pytest.mark.parametrize(
    ("units", "missing"),
    [
        ({"max": [{"resource": "cores"}, {"resource": "memory_bytes", "per": "GiB"}]}, "memory_bytes"),
        ({"resource": "nodes", "weight": "128"}, "nodes"),
    ],
)
async def test_what_a_log_does_not_tell_is_not_charged_as_nothing_or_as_one(database, units, missing):
    opened = await world(database)
    await priced(database, {"units": units, "free": ["cores", "nodes", "memory_bytes"]})
    (usage,) = await metered(database, opened, record("1", queue=SOLVER, cores=128, unsaid=GRID_ENGINE))
    assert await charged(database, [usage]) == [None]
    assert await reasons(database) == [
        (
            f"{missing} is charged, and the centre's accounting does not tell it",
            f"按{in_chinese(missing)}计费，但超算中心的记账数据未提供该值",
        )
    ]
    (told,) = await metered(database, opened, record("1", queue=SOLVER, cores=128, nodes=2, memory_bytes=2**38))
    (amount,) = await charged(database, [told])
    assert amount
    await sound(database)


async def test_a_changed_number_of_licences_is_found_and_corrected(database):
    opened = await world(database)
    await priced(database, RULE)
    await charged(database, await metered(database, opened, *accounted()))
    fewer = accounted(ALLOCATED.replace("matlab=3", "matlab=1"))
    found = await reconciled(database, opened, fewer)
    ((cause, micro, en),) = [(one.cause, one.micro, one.en) for one in found.mismatches]
    assert (cause, micro, en) == (Cause.CHANGED, 200_000, "the centre has changed licence.matlab 3 -> 1")
    (usage,) = await metered(database, opened, *fewer)
    assert usage.revision == 2
    assert await charged(database, [usage]) == [-200_000]
    await sound(database)


async def test_of_many_changes_the_first_are_named(database):
    opened = await world(database)
    names = [f"l{number:02}" for number in range(30)]
    await priced(database, RULE | {"free": [*RULE["free"], *(f"licence.{name}" for name in names)]})
    await charged(database, await metered(database, opened, *accounted("cpu=8")))
    told = accounted("cpu=8," + ",".join(f"license/{name}=1" for name in names))
    (one,) = (await reconciled(database, opened, told)).mismatches
    assert (one.cause, one.micro) == (Cause.CHANGED, 0)
    assert one.en.endswith(f"licence.l{LISTED - 1:02} 0 -> 1, …")


async def test_what_came_to_cost_nobody_knows_what_is_found_too(database):
    opened = await world(database)
    await priced(database, RULE)
    await charged(database, await metered(database, opened, *accounted("cpu=8")))
    (one,) = (await reconciled(database, opened, accounted("cpu=8,license/ansys=1"))).mismatches
    assert (one.cause, one.en) == (Cause.UNRATED, "the rule says nothing of licence.ansys")


async def test_a_licence_that_the_centre_tells_later_makes_the_usage_wait(database):
    opened = await world(database)
    await priced(database, None)
    assert await charged(database, await metered(database, opened, *accounted("cpu=8,node=1"))) == [80_000]
    assert await charged(database, await metered(database, opened, *accounted("cpu=8,node=1,license/a=1"))) == [None]
    await sound(database)


async def test_a_receipt_says_what_there_was_besides_and_reads_as_ever_where_there_was_nothing(database):
    opened = await world(database)
    await priced(database, RULE)
    await charged(database, await metered(database, opened, *accounted()))
    await charged(database, await metered(database, opened, record("8", queue=SOLVER)))
    told, plain = sorted(await bodies(database, opened), key=lambda one: one["record"])
    had = {"gpu_slices.nvidia_a100_3g.20gb": 2, "licence.matlab": 3, "resource.fpga": 1}
    assert told["resources"] == had
    assert "resources" not in plain
    figures = {name: told[name] for name in ("cores", "nodes", "gpus", "memory_bytes")} | told["resources"]
    again = units(read_rule(told["rule"]), Worked(figures, told["elapsed_seconds"]))
    assert int(again * 10**6) == int(told["list_micro"])


async def test_a_receipt_of_a_revision_of_before_resources_were_kept_is_issued(database, owned):
    opened = await world(database)
    await charged(database, await metered(database, opened, record()))
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE usage_revisions SET measured = measured - 'resources'"))
    (one,) = await bodies(database, opened)
    assert "resources" not in one


async def test_a_person_word_stands_where_the_revision_before_did_not_say_resources(database, owned):
    opened = await world(database)
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    async with database.begin() as session:
        (entry,) = await session.scalars(text("SELECT entry_id FROM charges"))
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=NOW)
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE usage_revisions SET measured = measured - 'resources'"))
    assert await charged(database, await metered(database, opened, record(node_list="n9"))) == []
    had = frozen({"licence.matlab": 1})
    assert await charged(database, await metered(database, opened, record(node_list="n9", resources=had))) == [None]


async def test_on_nodes_that_are_paid_by_the_month_resources_cost_nothing(database):
    opened = await world(database)
    nodes = Dedication(new_dedication_id(), opened.project, EAST, "cpu", 2, Money(0), 0, NOW - DAY, None)
    async with database.begin() as session:
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
    had = record("1", resources=frozen({"gpu_slices.1g.5gb": 1}))
    assert await charged(database, await metered(database, opened, had)) == [0]


def test_a_price_without_resources_costs_what_it_did():
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal("0.1"), Decimal(2), "CNY")
    had = {"cores": 4, "nodes": 2, "gpus": 1, "memory_bytes": 1 << 30}
    assert rate_work(Worked(had, 100), price, 7500) == rate(400, 100, price, 7500)
    assert rate_work(Worked(had | {"licence.a": 0}, 100), price, 7500) == rate(400, 100, price, 7500)


def test_the_most_that_a_licence_can_cost_is_known_by_a_rule_alone():
    rule, plain = (
        Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(0), Decimal(0), "CNY", one)
        for one in (read_rule(RULE), None)
    )
    upper = {"cores": 1, "nodes": 1, "gpus": 0, "memory_bytes": 0, "licence.matlab": 2}
    assert most(upper, HOUR, timedelta(0), rule).amount.micro == 360_000 + 2 * 3_600_000
    assert most({**upper, "licence.matlab": 0}, HOUR, timedelta(0), rule).amount.micro == 360_000
    with pytest.raises(Unrated, match=r"nothing of licence\.matlab"):
        most(upper, HOUR, timedelta(0), plain)


def test_a_reason_lists_so_many_names_and_no_more():
    rule = read_rule({"units": {"resource": "cores"}})
    had = {"cores": 1, **{f"licence.l{number:02}": 1 for number in range(64)}}
    with pytest.raises(Unrated) as why:
        units(rule, Worked(had, 1))
    assert why.value.en.endswith(f"licence.l07 and {64 - LISTED} more")
    assert why.value.zh.endswith("许可证 l07等 64 种资源")
    require_possible(record(resources=frozen({name: 1 for name in had if name != "cores"})))
