"""Old logs, from a file to the ledger: checked whole, stored once, gone on with where a worker was killed."""

import asyncio
import lzma
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    ACCOUNT,
    CORE_HOUR,
    EAST,
    NOW,
    World,
    charged,
    left,
    metered,
    record,
    sound,
    world,
)
from tests.paracloud.dialects.test_history import PBS, grid, sacct
from tests.paracloud.jobs.world import StillClock

from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.dialects.slurm.history import COLUMNS
from paracloud.history import carry_out, store, sums
from paracloud.history.carry_out import carry_out_next
from paracloud.history.imported import OTHERS, By, Import, ImportState, Unmapped
from paracloud.history.request import Wanted, faults_of, get_import, request_import
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Broken, Invalid, NotFound, Unreachable
from paracloud.kit.identifiers import BlobId, CentreName, OrganisationId, PriceVersionId, ProjectId, new_uuid

LOG = BlobId("0" * 64)
COST = round(64 * 86400 * 0.123456789 * 10**6 / 3600) + 8 * 24 * 2 * 10**6


@pytest.fixture
async def opened(database) -> World:
    return await world(database, "1000000")


def rows(count: int, start: int = 0, **changes: str) -> str:
    return "".join(
        sacct(JobID=str(number), JobIDRaw=str(number), Submit="2026-06-01T08:00:00", **changes)
        for number in range(start, start + count)
    )


async def taken_in(database, folder, content: str | bytes, owners, clock=None, **changes) -> Import:
    (folder / "log").write_bytes(content.encode() if isinstance(content, str) else content)
    wanted = Wanted(LOG, "old.log", EAST, "sacct", By.USER, owners)
    async with database.begin() as session:
        new = await request_import(session, replace(wanted, **changes), person="op", now=NOW)
    assert await carry_out_next(database, clock or StillClock(NOW), lambda _: folder / "log")
    return await now(database, new)


async def now(database, of: Import) -> Import:
    async with database.begin() as session:
        return await get_import(session, of.id)


async def stored(database) -> tuple[int, int, int]:
    async with database.begin() as session:
        query = text("SELECT (SELECT count(*) FROM usage), (SELECT count(*) FROM charges), "
                     "(SELECT count(*) FROM ledger_entries WHERE kind = 'charge')")  # fmt: skip
        return tuple((await session.execute(query)).one())


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


async def test_a_line_with_more_kinds_of_licences_than_there_are_is_not_understood(database, opened, tmp_path):
    many = ",".join(f"license/l{number}=1" for number in range(65))
    refused = await taken_in(database, tmp_path, rows(1) + rows(1, 1, AllocTRES=many), {"lin": opened.project})
    assert refused.state is ImportState.REFUSED
    async with database.begin() as session:
        (fault,) = await faults_of(session, refused.id)
    assert (fault.line, fault.en) == (2, "its figures are impossible")


async def test_a_file_with_lines_that_cannot_be_read_is_refused_whole_and_each_is_listed(database, opened, tmp_path):
    broken = rows(2) + sacct(NCPUS="many") + rows(2, 2) + sacct(NNodes="x", JobName="坏\0")
    refused = await taken_in(database, tmp_path, broken, {"lin": opened.project})
    assert refused.state is ImportState.REFUSED
    assert refused.reason_en.startswith("Lines that were not understood: 2;")
    assert "2 行无法理解" in refused.reason_zh
    assert await stored(database) == (0, 0, 0)
    async with database.begin() as session:
        found = await faults_of(session, refused.id)
        assert [one.line for one in await faults_of(session, refused.id, after=3)] == [6]
    assert [one.line for one in found] == [3, 6]
    assert all(one.en and one.zh and one.text.startswith("71") for one in found)
    accepted = await taken_in(database, tmp_path, broken, {"lin": opened.project}, accept_faults=True)
    assert (accepted.state, accepted.new, accepted.faults) == (ImportState.DONE, 4, 2)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda content: lzma.compress(content)[:-30], "line 3001: the compressed file is broken or cut"),
        (lambda content: content[:-10], "Lines that were not understood: 1;"),
    ],
)
async def test_a_file_that_was_cut_is_refused_whole(database, opened, tmp_path, spoil, why):
    content = rows(3000).encode()
    refused = await taken_in(database, tmp_path, spoil(content), {"lin": opened.project})
    assert refused.state is ImportState.REFUSED
    assert why.split(":")[-1].strip() in refused.reason_en
    assert await stored(database) == (0, 0, 0)


async def test_records_of_nobodys_refuse_the_import_or_are_left_out_by_name(database, opened, tmp_path):
    content = rows(2) + rows(3, 10, User="wang") + rows(1, 20, User="zhao")
    refused = await taken_in(database, tmp_path, content, {"lin": opened.project})
    assert refused.state is ImportState.REFUSED
    assert refused.reason_en.startswith("Records that are nobody's: 4, of wang, zhao")
    assert await stored(database) == (0, 0, 0)
    left_out = await taken_in(database, tmp_path, content, {"lin": opened.project}, leave_out=True)
    assert (left_out.state, left_out.new) == (ImportState.DONE, 2)
    day = 64 * 86400
    assert left_out.unmapped == {"wang": Unmapped(3, 3 * day), "zhao": Unmapped(1, day)}


async def test_names_beyond_the_most_are_counted_together(database, opened, tmp_path, monkeypatch):
    monkeypatch.setattr(sums, "MOST_NAMES", 2)
    content = "".join(rows(count, 10 * count, User=f"u{count}") for count in (1, 2, 3, 4))
    refused = await taken_in(database, tmp_path, content, {"lin": opened.project})
    assert {name: left.records for name, left in refused.unmapped.items()} == {"u4": 4, "u3": 3, OTHERS: 3}


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


@pytest.mark.parametrize("kept", [3, 20, 0.5, 0.99])
async def test_a_packed_log_that_was_cut_anywhere_is_refused_and_not_tried_for_ever(database, opened, tmp_path, kept):
    """The reader of sacct looks at its first line before anybody asks for one."""
    packed = lzma.compress(rows(3000).encode())
    content = packed[: int(kept * len(packed)) if kept < 1 else kept]
    refused = await taken_in(database, tmp_path, content, {"lin": opened.project}, name="log.xz")
    assert (refused.state, "broken or cut" in refused.reason_en) == (ImportState.REFUSED, True)
    assert await stored(database) == (0, 0, 0)


async def test_every_stream_of_a_packed_log_is_taken_in_and_a_damaged_one_refuses_it(database, opened, tmp_path):
    first, second = (lzma.compress(rows(500, start).encode()) for start in (0, 500))
    damaged = second[: len(second) // 2] + b"\xff" + second[len(second) // 2 + 1 :]
    owners = {"lin": opened.project}
    for wrong in (first + damaged, first + second[:-20], first + b"\xff" + second, first + b"old rows\n"):
        refused = await taken_in(database, tmp_path, wrong, owners, accept_faults=True)
        assert (refused.state, "broken or cut" in refused.reason_en) == (ImportState.REFUSED, True)
    assert await stored(database) == (0, 0, 0)
    done = await taken_in(database, tmp_path, first + bytes(8) + second + bytes(4), owners)
    assert (done.state, done.reason_en, done.new) == (ImportState.DONE, None, 1000)


@pytest.mark.parametrize(
    ("crash", "said"),
    [
        (KeyError("Submit"), "3 tries ended with an error: KeyError. The server's log"),
        (Broken("The centre is odd.", "异常。"), "error: The centre is odd. The server's log"),
    ],
)
async def test_what_crashes_at_each_try_is_refused_with_its_reason(
    database, opened, tmp_path, monkeypatch, crash, said
):
    (tmp_path / "log").write_text(rows(15))
    monkeypatch.setattr("paracloud.history.log.chunks.__defaults__", (10,))
    async with database.begin() as session:
        wanted = Wanted(LOG, "old.log", EAST, "sacct", By.USER, {"lin": opened.project})
        new = await request_import(session, wanted, person="op", now=NOW)
    real, clock = carry_out.charge, StillClock(NOW)

    async def failing(session, usages, **more):
        if (await now(database, new)).done:
            raise crash
        return await real(session, usages, **more)

    monkeypatch.setattr(carry_out, "charge", failing)
    for _ in range(3):
        with pytest.raises(type(crash)):
            await carry_out_next(database, clock, lambda _: tmp_path / "log")
        clock.at += timedelta(minutes=2)
    refused = await now(database, new)
    assert (refused.state, refused.done, said in refused.reason_en) == (ImportState.REFUSED, 10, True)
    assert "10 records are stored" in refused.reason_en
    assert "已入库 10 条" in refused.reason_zh
    assert not await carry_out_next(database, clock, lambda _: tmp_path / "log")


async def test_a_database_that_is_away_is_no_reason_to_refuse(database, opened, tmp_path, monkeypatch):
    (tmp_path / "log").write_text(rows(3))
    async with database.begin() as session:
        wanted = Wanted(LOG, "old.log", EAST, "sacct", By.USER, {"lin": opened.project})
        new = await request_import(session, wanted, person="op", now=NOW)
    clock = StillClock(NOW)

    async def away(*_args, **_more):
        raise Unreachable("The database is away.", "数据库没有应答。")

    with monkeypatch.context() as broken:
        broken.setattr(carry_out, "charge", away)
        for _ in range(5):
            with pytest.raises(Unreachable):
                await carry_out_next(database, clock, lambda _: tmp_path / "log")
            clock.at += timedelta(minutes=2)
    assert await carry_out_next(database, clock, lambda _: tmp_path / "log")
    assert (await now(database, new)).state is ImportState.DONE


class Killed(BaseException):
    """As if the process had gone."""


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_an_import_whose_worker_was_killed_goes_on_where_it_stood(database, opened, tmp_path, monkeypatch, at):
    (tmp_path / "log").write_text(rows(25))
    monkeypatch.setattr("paracloud.history.log.CHUNK", 10)
    monkeypatch.setattr("paracloud.history.log.chunks.__defaults__", (10,))
    wanted = Wanted(LOG, "old.log", EAST, "sacct", By.USER, {"lin": opened.project})
    async with database.begin() as session:
        new = await request_import(session, wanted, person="op", now=NOW)
    batches = 0
    real = carry_out.charge

    async def dying(*args, **more):
        nonlocal batches
        if batches == at:
            raise Killed
        batches += 1
        return await real(*args, **more)

    clock = StillClock(NOW)
    with monkeypatch.context() as killing:
        killing.setattr(carry_out, "charge", dying)
        with pytest.raises(Killed):
            await carry_out_next(database, clock, lambda _: tmp_path / "log")
    stopped = await now(database, new)
    assert (stopped.state, stopped.done) == (ImportState.STORING, 10 * at)
    assert not await carry_out_next(database, clock, lambda _: tmp_path / "log")  # it is still claimed
    clock.at += timedelta(minutes=2)
    assert await carry_out_next(database, clock, lambda _: tmp_path / "log")
    done = await now(database, new)
    assert (done.state, done.done, done.new, done.known) == (ImportState.DONE, 25, 25, 0)
    assert (await stored(database))[:2] == (25, 25)
    await sound(database)


async def test_a_worker_that_was_thought_dead_stores_nothing_more(database, opened, tmp_path):
    (tmp_path / "log").write_text(rows(5))
    wanted = Wanted(LOG, "old.log", EAST, "sacct", By.USER, {"lin": opened.project})
    async with database.begin() as session:
        await request_import(session, wanted, person="op", now=NOW)
        first = await store.claim(session, new_uuid(), NOW, NOW + timedelta(minutes=1))
    slow = carry_out.Carrying(database, StillClock(NOW), first, new_uuid())
    with pytest.raises(Exception, match="Another worker"):
        await slow.run(tmp_path / "log")
    assert await stored(database) == (0, 0, 0)


async def test_many_workers_take_each_import_once(database, opened, tmp_path):
    (tmp_path / "log").write_text(rows(20))
    for _ in range(4):
        async with database.begin() as session:
            wanted = Wanted(LOG, "old.log", EAST, "sacct", By.USER, {"lin": opened.project})
            await request_import(session, wanted, person="op", now=NOW)

    async def worker():
        while True:
            try:
                if not await carry_out_next(database, StillClock(NOW), lambda _: tmp_path / "log"):
                    return
            except Unreachable:
                continue

    await asyncio.gather(*(worker() for _ in range(4)))
    async with database.begin() as session:
        states = (await session.execute(text("SELECT state, new, known FROM imports"))).all()
    assert sum(row.new for row in states) == 20
    assert {row.state for row in states} == {"done"}
    await sound(database)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"centre": CentreName("nowhere")}, NotFound),
        ({"format": "csv"}, Invalid),
        ({"owners": {}}, Invalid),
        ({"owners": {"lin": ProjectId(new_uuid())}}, Invalid),
    ],
)
async def test_an_import_that_cannot_be_meant_is_refused(database, opened, wrong, kind):
    wanted = replace(Wanted(LOG, "old.log", EAST, "sacct", By.USER, {"lin": opened.project}), **wrong)
    async with database.begin() as session:
        with pytest.raises(kind):
            await request_import(session, wanted, person="op", now=NOW)
