"""Old logs, from a file to the ledger: what each record costs, and what is new of a log that comes again."""

import lzma
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    ACCOUNT,
    CORE_HOUR,
    EAST,
    NOW,
    charged,
    left,
    metered,
    record,
    sound,
)
from tests.paracloud.dialects.log_lines import PBS, grid, sacct
from tests.paracloud.history.old_logs import COST, rows, stored, taken_in

from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.dialects.slurm.history import COLUMNS
from paracloud.history.imported import By, ImportState
from paracloud.history.request import faults_of
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import OrganisationId, PriceVersionId, new_uuid


@pytest.mark.parametrize("hours", [8, -5.5])
async def test_a_log_in_its_centres_local_times_counts_nothing_that_was_collected_again(
    database, opened, tmp_path, hours
):
    """As sacct writes it, unless it is asked otherwise."""
    told = record("71", submitted_at=NOW, started_at=NOW, ended_at=NOW + timedelta(hours=1), elapsed_seconds=3600)
    off = timedelta(hours=hours)
    await charged(database, await metered(database, opened, told))
    times = {name: f"{at + off:%Y-%m-%dT%H:%M:%S}" for name, at in
             (("Submit", NOW), ("Start", NOW), ("End", NOW + timedelta(hours=1)))}  # fmt: skip
    same = {"User": ACCOUNT, "Elapsed": "01:00:00", "NNodes": "2", "NCPUS": "4", "AllocTRES": "cpu=4,mem=1G,node=2"}
    owners = {ACCOUNT: opened.project}
    refused = await taken_in(database, tmp_path, sacct(**times, **same), owners)
    assert (refused.state, (await stored(database))[:2]) == (ImportState.REFUSED, (1, 1))
    assert f"not UTC: job 71 is known, and {hours:+g} hours away" in refused.reason_en
    again = sacct(**{name: at + f"{'+' if hours > 0 else '-'}{abs(int(hours)):02d}{'30' if hours % 1 else '00'}"
                     for name, at in times.items()}, **same)  # fmt: skip
    zoned = await taken_in(database, tmp_path, again, owners)
    assert (zoned.state, zoned.known + zoned.corrected, (await stored(database))[0]) == (ImportState.DONE, 1, 1)


@pytest.mark.parametrize("packed", [False, True])
async def test_a_log_is_metered_rated_and_posted(database, opened, tmp_path, packed):
    content = (rows(7) + sacct(JobID="3.batch")).encode()
    done = await taken_in(database, tmp_path, lzma.compress(content) if packed else content, {"lin": opened.project})
    assert (done.state, done.reason_en) == (ImportState.DONE, None)
    assert (done.lines, done.records, done.done, done.new) == (8, 7, 7, 7)
    assert dict(done.left_out) == {"step": 1}
    assert await stored(database) == (7, 7, 1)
    assert await left(database, opened) == 10**12 - 7 * COST
    await sound(database)


async def test_the_same_log_again_adds_nothing_and_a_longer_one_only_what_is_new(database, opened, tmp_path):
    owners = {"lin": opened.project}
    await taken_in(database, tmp_path, rows(5), owners)
    again = await taken_in(database, tmp_path, rows(5), owners)
    assert (again.new, again.known) == (0, 5)
    longer = await taken_in(database, tmp_path, rows(8) + rows(1), owners)
    assert (longer.new, longer.known) == (3, 6)
    assert await stored(database) == (8, 8, 2)
    await sound(database)


async def test_what_ends_after_the_log_was_handed_in_is_not_taken_in(database, opened, tmp_path):
    """It would open a month of the future, and be in every budget that has begun."""
    owners, ahead = {"lin": opened.project}, {"Start": "2126-06-01T08:00:00", "End": "2126-06-02T08:00:00"}
    refused = await taken_in(database, tmp_path, rows(2) + rows(1, 2, **ahead), owners)
    assert (refused.state, refused.faults) == (ImportState.REFUSED, 1)
    async with database.begin() as session:
        (fault,) = await faults_of(session, refused.id)
    assert (fault.line, fault.en) == (3, "its end 2126-06-02T08:00:00Z is after the log was handed in")
    mended = await taken_in(database, tmp_path, rows(2) + rows(1, 2, **ahead), owners, accept_faults=True)
    assert (mended.state, mended.new) == (ImportState.DONE, 2)
    await sound(database)


async def test_a_record_that_changed_is_corrected_and_posts_the_difference(database, opened, tmp_path):
    owners = {"lin": opened.project}
    await taken_in(database, tmp_path, rows(2), owners)
    shorter = {"End": "2026-06-01T20:10:00", "Elapsed": "12:00:00"}
    changed = await taken_in(database, tmp_path, rows(1, **shorter) + rows(1, 1), owners)
    assert (changed.new, changed.corrected, changed.known) == (0, 1, 1)
    assert await left(database, opened) == 10**12 - COST - round(COST / 2)
    await sound(database)


def narrow(content: str, *without: str) -> str:
    """The same log with a header, and without these columns."""
    kept = [at for at, name in enumerate(COLUMNS) if name not in without]
    lines = ["|".join(COLUMNS), *content.splitlines()]
    return "".join("|".join(line.split("|")[at] for at in kept) + "\n" for line in lines)


async def test_a_log_that_says_less_takes_nothing_away(database, opened, tmp_path):
    owners = {"lin": opened.project}
    suspended = {"Elapsed": "20:00:00", "QOS": "urgent", "ExitCode": "1:9"}
    await taken_in(database, tmp_path, rows(3, **suspended), owners)
    before = await left(database, opened)
    few = rows(3, **suspended)
    refused = await taken_in(database, tmp_path, narrow(few, "AllocTRES"), owners)
    assert (refused.state, "not understood" in refused.reason_en) == (ImportState.REFUSED, True)
    less = await taken_in(database, tmp_path, narrow(few, "QOS", "ExitCode", "NodeList", "Elapsed"), owners)
    assert (less.state, less.corrected, less.known) == (ImportState.DONE, 0, 3)
    later = narrow(rows(3, End="2026-06-02T09:10:00"), "QOS", "ExitCode", "NodeList", "Elapsed")
    changed = await taken_in(database, tmp_path, later, owners)
    assert (changed.corrected, await left(database, opened) < before) == (3, True)
    async with database.begin() as session:
        query = text("SELECT DISTINCT qos, exit_code, exit_signal, node_list, gpus, elapsed_seconds FROM usage")
        assert (await session.execute(query)).all() == [("urgent", 1, 9, "n[1-2]", 8, 25 * 3600)]
    await sound(database)


LICENSED = "billing=64,cpu=64,gres/gpu=8,license/matlab=3,mem=256G,node=2"


async def test_licences_of_an_old_log_are_never_free_and_their_change_is_a_correction(database, opened, tmp_path):
    owners = {"lin": opened.project}
    plain = await taken_in(database, tmp_path, rows(2) + rows(1, 2, AllocTRES=LICENSED), owners)
    assert (plain.new, plain.unrated) == (3, 1)
    assert await left(database, opened) == 10**12 - 2 * COST
    units = {"sum": [{"resource": "cores"}, {"resource": "licence.matlab", "weight": "2"}]}
    rule = read_rule({"units": units, "free": ["nodes", "memory_bytes", "gpus"]})
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(0), None, "CNY", rule)
    async with database.begin() as session:
        await add_price(session, EAST, "soft", price, person="op", now=NOW, valid_from=NOW - timedelta(days=1))
    before = await left(database, opened)
    ruled = await taken_in(database, tmp_path, rows(1, 9, Partition="soft", AllocTRES=LICENSED), owners)
    assert (ruled.new, ruled.unrated) == (1, 0)
    assert await left(database, opened) == before - (64 + 3 * 2) * 24 * 10**6
    fewer = LICENSED.replace("matlab=3", "matlab=1")
    changed = await taken_in(database, tmp_path, rows(1, 9, Partition="soft", AllocTRES=fewer), owners)
    assert changed.corrected == 1
    assert await left(database, opened) == before - (64 + 1 * 2) * 24 * 10**6
    await sound(database)


async def test_what_the_platform_submitted_itself_is_not_taken_from_a_log(database, opened, tmp_path):
    content = rows(2) + rows(1, 5, JobName="pc-" + "0" * 32)
    done = await taken_in(database, tmp_path, content, {"lin": opened.project})
    assert (done.new, dict(done.left_out)) == (2, {"ours": 1})


async def test_accounts_are_mapped_where_one_user_works_for_several_projects(database, opened, tmp_path):
    async with database.begin() as session:
        query = text("SELECT organisation_id FROM projects")
        organisation = OrganisationId((await session.execute(query)).scalar_one())
        other = await create_project(session, organisation, "邻组", now=NOW)
    owners = {"physics": opened.project, "chemistry": other}
    content = rows(2) + rows(3, 10, Account="chemistry")
    done = await taken_in(database, tmp_path, content, owners, by=By.ACCOUNT)
    assert (done.state, done.new) == (ImportState.DONE, 5)
    async with database.begin() as session:
        query = text("SELECT count(*) FROM usage GROUP BY project_id ORDER BY 1")
        assert list((await session.scalars(query)).all()) == [2, 3]
    await sound(database)


async def test_usage_without_a_price_is_stored_listed_and_counted(database, opened, tmp_path):
    done = await taken_in(database, tmp_path, rows(3, Partition="new"), {"lin": opened.project})
    assert (done.state, done.new, done.unrated) == (ImportState.DONE, 3, 3)
    assert await stored(database) == (3, 0, 0)


async def test_a_log_of_grid_engine_is_taken_in(database, opened, tmp_path):
    content = "".join(grid(job_number=str(number), qname="cpu", category="NONE") for number in range(3))
    done = await taken_in(database, tmp_path, content, {"lin": opened.project}, format="gridengine")
    assert (done.state, done.reason_en, done.new) == (ImportState.DONE, None, 3)
    await sound(database)


@pytest.mark.parametrize(
    ("format_", "lines"),
    [
        ("sacct", [sacct(JobID="71_[1-3]"), sacct(JobID="71_4", JobIDRaw="72")]),
        ("gridengine", [grid(task_number=str(task), qname="cpu", category="NONE") for task in (1, 2, 3, 4)]),
        ("pbs", [PBS.replace("88[4]", f"88[{task}]").replace("=workq", "=cpu") for task in (1, 2, 3, 4)]),
    ],
)
async def test_every_task_of_an_array_is_charged_once(database, opened, tmp_path, format_, lines):
    owners = {"lin": opened.project}
    done = await taken_in(database, tmp_path, "".join(lines), owners, format=format_)
    assert (done.records, done.new, done.corrected, done.known) == (4, 4, 0, 0)
    assert (await stored(database))[:2] == (4, 4)
    again = await taken_in(database, tmp_path, "".join(reversed(lines)), owners, format=format_)
    assert (again.new, again.corrected, again.known) == (0, 0, 4)
    await sound(database)


async def test_history_is_charged_by_its_quality_of_service(database, opened, tmp_path):
    dear = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, 10 * CORE_HOUR, Decimal(2), "CNY", qos="urgent")
    async with database.begin() as session:
        await add_price(session, EAST, "cpu", dear, person="op", now=NOW, valid_from=NOW - timedelta(days=1))
    await taken_in(database, tmp_path, rows(1, QOS="urgent") + rows(1, 1), {"lin": opened.project})
    async with database.begin() as session:
        query = text("SELECT price_version_id FROM charges JOIN usage ON usage.id = usage_id WHERE qos = 'urgent'")
        assert (await session.scalars(query)).all() == [dear.id]
