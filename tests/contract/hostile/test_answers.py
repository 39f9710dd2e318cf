"""A hostile centre's answers: what has no end, cannot be or is nonsense exhausts nothing and changes nothing."""

import asyncio

import pytest
from tests.contract.hostile.plays import ENDLESS, FORGED_LISTINGS, PICTURES
from tests.contract.hostile.siege import MEMORY_MOST_MIB, Peak, Siege, raises_broken

from paracloud.kit.errors import Broken
from paracloud.worker.report import Reporter


@pytest.mark.parametrize("command", ["squeue", "sacct"])
async def test_an_answer_without_end_is_stopped_and_changes_nothing(siege: Siege, command: str) -> None:
    job = await siege.queued()
    before = await siege.money()
    for kind in ENDLESS if command == "squeue" else ("rows", "errors"):
        endless = ENDLESS[kind].replace("row()", "record()" if command == "sacct" else "row()")
        siege.service.plays(**{"squeue": f"row(id='41', name='pc-{job.hex}')", command: endless})
        async with asyncio.timeout(60), Peak() as peak:
            with pytest.raises(Broken, match=r"more than the limit allows|did not begin"):
                await siege.round()
        assert peak.grown_mib < MEMORY_MOST_MIB, kind
        assert await siege.money() == before, kind
        assert await siege.world.state(job) == ("queued" if command == "squeue" else "running"), kind


async def test_a_listing_that_is_not_understood_moves_no_job(siege: Siege) -> None:
    job = await siege.queued()
    for kind, forged in FORGED_LISTINGS.items():
        siege.service.plays(squeue=forged)
        with raises_broken(kind):
            await siege.round()
        assert await siege.world.state(job) == "queued", kind


async def test_a_job_is_moved_only_by_its_own_id_account_and_tag(siege: Siege) -> None:
    job = await siege.queued()
    own = f"pc-{job.hex}"
    for attack in (
        f"row(id='42', name='{own}', state='COMPLETED')",
        f"row(id='41', name='{own}', user='pc02')",
        f"row(id='41', name='pc-{'0' * 32}')",
        f"row(id='41', name='{own.upper()}')",
    ):
        siege.service.plays(squeue=attack)
        await siege.round()
        assert await siege.world.state(job) == "vanished"
    siege.service.plays(squeue=f"row(id='41', name='{own}')")
    await siege.round()
    assert await siege.world.state(job) == "running"
    siege.service.plays(squeue=f"row(id='41', name='{own}', state='COMPLETED')")
    await siege.round()
    assert await siege.world.state(job) == "ending", "only accounting ends a job"


SUBMISSIONS = {
    "a number that is none": "say('\\x1b[31m41\\n')",
    "a number that fits nowhere": "say('9' * 400 + '\\n')",
    "silence": "",
    "a megabyte": "say('4' * (1 << 20))",
    "escape codes": "sys.stderr.write('sbatch: error: \\x1b[31m\\x9b2J\\u202eno\\n'); sys.exit(1)",
    "a definite no in escape codes": (
        "sys.stderr.write('sbatch: error: \\x1b[31mowned\\x07\\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified\\n'); sys.exit(1)"
    ),
    "no UTF-8": "sys.stderr.buffer.write(b'sbatch: error: \\xff\\xfe\\n'); sys.exit(1)",
    "death": "os.kill(os.getpid(), 9)",
}


async def test_a_submission_that_is_answered_with_nonsense_gives_no_job_an_id_and_no_text_an_escape(
    siege: Siege,
) -> None:
    for kind, played in SUBMISSIONS.items():
        job = (await siege.world.submit()).job
        siege.tenant.plays(sbatch=played)
        async with asyncio.timeout(60):
            await siege.dispatch()
        wanted = "refused" if "definite" in kind else "submitting"
        assert await siege.world.state(job) == wanted, kind
        assert await siege.world.one("SELECT native_id FROM jobs WHERE id = :job", job=job) is None, kind
        assert [one for one in await siege.texts(job) if not one.isprintable()] == [], kind


async def test_a_picture_of_queues_that_cannot_be_is_not_kept(siege: Siege) -> None:
    before = await siege.world.one("SELECT count(*) FROM queues WHERE centre = 'east'")
    for kind, picture in PICTURES.items():
        siege.service.plays(scontrol=picture)
        async with asyncio.timeout(60), Peak() as peak:
            with raises_broken(kind):
                await Reporter(siege.world.database).probe(siege.outpost, siege.tenure)
        assert peak.grown_mib < MEMORY_MOST_MIB, kind
        assert await siege.world.one("SELECT count(*) FROM queues WHERE centre = 'east'") == before, kind
