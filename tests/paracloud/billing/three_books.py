"""What ran, what was metered and what was charged, held against each other."""

from datetime import timedelta

import pytest
from tests.paracloud.billing.builders import EAST, NOW, record, world

from paracloud.billing.mismatch import Cause
from paracloud.billing.rate import rate
from paracloud.billing.reconcile import reconcile

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
