"""What a job's user wrote where the collector writes is answered as damaged, and never as an error of ours."""

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from tests.paracloud.api.house import House, Tenant
from tests.paramon.made import begun
from tests.paramon.sample.test_forged import WRONG, later

from paracloud.jobs.profile import profile_folder
from paracloud.jobs.profile_looks import AT_ONCE, OF_AN_ACCOUNT
from paracloud.kit.identifiers import JobId, submit_tag
from paracloud.transports.local import LocalTransport
from paramon.sample.chunk import MOMENT_MOST_MS
from paramon.sample.frames import TICK, frame
from paramon.sample.profile import Process
from paramon.spool import Spool

AT_CENTRE = "UPDATE jobs SET native_id = '7' WHERE id = CAST(:id AS uuid) RETURNING 1"


class Near:
    def __init__(self, home: Path) -> None:
        self._home = home

    async def to(self, *_, **__) -> LocalTransport:
        return LocalTransport(self._home)


async def watched(house: House, lin: Tenant, home: Path) -> tuple[str, Spool]:
    """A job at that centre, and what its collector writes."""
    house.app.state.deps = replace(house.app.state.deps, reach=Near(home))
    job = await house.submit(lin)
    await house.one(AT_CENTRE, id=job)
    folder = home / profile_folder(submit_tag(JobId(UUID(job)), 0), None)
    spool = begun(folder, "n1-1", {"node": "n1"})
    spool.processes([Process(1, 77, 5, 1, "a.out", "./a.out", 0)])
    return job, spool


async def told(house: House, lin: Tenant, job: str, **query: str | int):
    answer = await house.ask(lin, "GET", f"/jobs/{job}/profile", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_is_forged_is_damaged_and_what_follows_is_told(house, lin, tmp_path):
    job, spool = await watched(house, lin, tmp_path)
    with Path(spool.path).open("ab") as file:
        file.write(b"".join(frame(kind, payload) for kind, payload in WRONG.values()))
    spool.chunk.tick(1000)
    spool.end_chunk()
    found = await told(house, lin, job)
    (node,) = found["nodes"]
    assert (node["header"], node["end"]) == ({"node": "n1"}, None)
    assert [one["number"] for one in node["processes"]] == [1]
    assert [one["at_ms"] for one in node["minutes"]] == [[1000]]
    assert node["lost_bytes"] == sum(len(payload) for _, payload in WRONG.values())
    assert (await told(house, lin, job, since=found["cursor"]))["nodes"][0]["minutes"] == []
    answer = await house.ask(lin, "GET", f"/jobs/{job}/profile/files")
    assert answer.status_code == 200, answer.text


async def test_an_open_minute_of_a_moment_that_cannot_be_ends_there(house, lin, tmp_path):
    job, spool = await watched(house, lin, tmp_path)
    spool.chunk.tick(1000)
    spool.end_tick()
    with Path(spool.path + ".live").open("ab") as file:
        file.write(frame(TICK, later(MOMENT_MOST_MS + 1)[1]))
    found = await told(house, lin, job)
    assert [one["at_ms"] for one in found["nodes"][0]["minutes"]] == [[1000]]
    await told(house, lin, job, since=found["cursor"])


async def test_a_file_whose_name_is_no_text_is_passed_over(house, lin, tmp_path):
    job, spool = await watched(house, lin, tmp_path)
    path = Path(spool.path)
    path.with_name("n\udcff-1.paramon").write_bytes(path.read_bytes())
    assert [one["file"] for one in (await told(house, lin, job))["nodes"]] == [path.name]
    answer = await house.ask(lin, "GET", f"/jobs/{job}/profile/files")
    assert (answer.status_code, [one["file"] for one in answer.json()["files"]]) == (200, [path.name])


async def test_a_part_of_the_files_has_its_own_and_one_that_is_none_is_refused(house, lin, tmp_path):
    job, spool = await watched(house, lin, tmp_path)
    of_parts = [await told(house, lin, job, part=number, parts=2) for number in (0, 1)]
    assert sorted([one["file"] for one in found["nodes"]] for found in of_parts) == [[], [Path(spool.path).name]]
    assert [found["parts"] for found in of_parts] == [2, 2]
    answer = await house.ask(lin, "GET", f"/jobs/{job}/profile", params={"part": 2, "parts": 2})
    assert (answer.status_code, answer.json()["field"]) == (422, "part")


class Hanging(Near):
    """Of one account nothing is answered."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.hangs, self.asked = "", 0

    async def to(self, _, account: str, **__):
        return self if account == self.hangs else await super().to()

    async def list(self, *_):
        self.asked += 1
        await asyncio.Event().wait()


@pytest.mark.parametrize("path", ["profile", "profile/files"])
async def test_who_looks_at_what_does_not_answer_keeps_nobody_else_from_looking(house, lin, tmp_path, path):
    mei = await house.tenant("mei")
    hung, _ = await watched(house, lin, tmp_path)
    job, _ = await watched(house, mei, tmp_path)
    near = Hanging(tmp_path)
    house.app.state.deps = replace(house.app.state.deps, reach=near)
    near.hangs = await house.one("SELECT account FROM jobs WHERE id = CAST(:id AS uuid)", id=hung)
    waiting = [asyncio.create_task(house.ask(lin, "GET", f"/jobs/{hung}/{path}")) for _ in range(AT_ONCE)]
    async with asyncio.timeout(20):
        while near.asked < OF_AN_ACCOUNT:
            await asyncio.sleep(0.01)
        assert (await house.ask(mei, "GET", f"/jobs/{job}/{path}")).status_code == 200
    assert near.asked == OF_AN_ACCOUNT
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
