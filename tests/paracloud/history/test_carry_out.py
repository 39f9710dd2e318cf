"""An import goes on where its worker was killed, and is given up where it cannot go on."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    sound,
)
from tests.paracloud.history.old_logs import LOG, now, rows, stored
from tests.paracloud.jobs.world import StillClock

from paracloud.history import carry_out, store
from paracloud.history.carry_out import carry_out_next
from paracloud.history.imported import By, ImportState
from paracloud.history.request import Wanted, request_import
from paracloud.kit.errors import Broken, Unreachable
from paracloud.kit.identifiers import new_uuid


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
