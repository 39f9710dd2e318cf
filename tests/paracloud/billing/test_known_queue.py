"""What is agreed for a queue is agreed for one that is there, and whoever has its nodes for a fee has all of them."""

from dataclasses import replace

import pytest
from tests.paracloud.billing.builders import EAST, NOW, World, left, world
from tests.paracloud.billing.paying import nodes
from tests.paracloud.jobs.world import queue

from paracloud.billing.cover import Package, Unit
from paracloud.billing.dedication import dedicate, dedications_of
from paracloud.billing.sell_package import sell_package
from paracloud.centres.store import keep_queues
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName, PackageId, new_uuid

HOURS = Package(
    id=PackageId(new_uuid()), project=None, name="核时", unit=Unit.CORE_SECOND, total=3600, used=0, reserved=0,  # type: ignore[arg-type]
    price_micro=1, currency="CNY", product_line=None, centre=EAST, queue="cpu", valid_from=NOW,
    expires_at=NOW.replace(year=2030),
)  # fmt: skip


async def seen(database, *queues) -> None:
    async with database.begin() as session:
        await keep_queues(session, EAST, queues, NOW)


async def agreed(database, opened: World, verb: str, *, is_unseen: bool = False, **changes) -> None:
    async with database.begin() as session:
        if verb == "dedicate":
            await dedicate(session, nodes(opened, **changes), person="op", now=NOW, is_unseen=is_unseen)
        else:
            wanted = replace(HOURS, project=opened.project, **changes)
            await sell_package(session, wanted, person="op", now=NOW, is_unseen=is_unseen)


@pytest.mark.parametrize("verb", ["dedicate", "sell"])
@pytest.mark.parametrize("is_unseen", [False, True])
async def test_a_queue_that_the_centre_does_not_have_is_refused_with_those_that_it_has(database, verb, is_unseen):
    opened = await world(database)
    await seen(database, queue("cpu", nodes=2), queue("gpu", nodes=2))
    with pytest.raises(Invalid, match="it has: cpu, gpu") as refused:
        await agreed(database, opened, verb, queue="cpuu", is_unseen=is_unseen)
    assert refused.value.field == "queue"
    await agreed(database, opened, verb, is_unseen=is_unseen)


@pytest.mark.parametrize("verb", ["dedicate", "sell"])
async def test_a_centre_whose_queues_were_never_seen_is_refused_unless_the_name_is_taken_as_it_is(database, verb):
    opened = await world(database)
    with pytest.raises(Invalid, match=r"has not seen the queues of east yet.*--unseen") as refused:
        await agreed(database, opened, verb)
    assert refused.value.field == "queue"
    with pytest.raises(Invalid) as refused:
        await agreed(database, opened, verb, centre=CentreName("nowhere"), is_unseen=True)
    assert refused.value.field == "centre"
    await agreed(database, opened, verb, is_unseen=True)


async def test_a_queue_is_dedicated_whole(database):
    opened = await world(database)
    await seen(database, queue("cpu", nodes=3))
    with pytest.raises(Invalid, match=r"cpu has 3 nodes, more than the 2.*queue of just these nodes") as refused:
        await agreed(database, opened, "dedicate")
    assert (refused.value.field, "独占全部 3 个节点" in refused.value.zh) == ("nodes", True)
    async with database.begin() as session:
        assert await dedications_of(session, None) == []
    await agreed(database, opened, "dedicate", nodes=3)
    assert await left(database, opened) == 100_000_000
