"""Jobs that have to wait are kept back, and start wherever there is room first. Judged by both centres' sacct and by
the ledger."""

from collections.abc import Iterator

import pytest
from demo.stage import Stage, Tenant
from tests.story.acts import assert_charged_as_accounted, ended, sacct, script, sql
from tests.story.hog import Hog

from paracloud.kit.identifiers import JobId, submit_tag

KEPT = "SELECT id FROM jobs WHERE kept AND state = 'accepted' AND id = ANY($1::uuid[])"


@pytest.fixture
def hogs(stage: Stage, hog: Hog) -> Iterator[dict[str, Hog]]:
    west = Hog(stage, "west")
    yield {"east": hog, "west": west}
    west.gone()


def test_who_has_to_wait_starts_where_room_comes_first_and_once(stage: Stage, tenant: Tenant, hogs) -> None:
    """Two go ahead, to stand first in each queue; what is kept back goes to the centre that has room, whatever it was
    placed at."""
    request = script(tenant, "echo payload; sleep 1", centre=None).model_copy(update={"objective": "soonest"})
    jobs = [tenant.client.submit(request).id for _ in range(4)]
    stage.wait(lambda: len(sql(stage, KEPT, jobs)) == 2, "two to be sent ahead")
    kept = [row["id"] for row in sql(stage, KEPT, jobs)]
    hogs["west"].leave()
    for job in kept:
        done = ended(stage, tenant, job)
        assert (done.job.state, done.job.centre) == ("completed", "west")
        assert tenant.client.log(job) == b"payload\n"
    hogs["east"].leave()
    found = [ended(stage, tenant, job) for job in jobs]
    accounted = [row for centre in ("east", "west") for row in sacct(stage, centre)]
    for job, done in zip(jobs, found, strict=True):
        names = {f"pc-{job.hex}", *(f"pc-{submit_tag(JobId(job), moves)}" for moves in range(1, 9))}
        assert [row[1] for row in accounted if row[3] in names] == ["COMPLETED"]
        assert_charged_as_accounted(stage, tenant, done)
