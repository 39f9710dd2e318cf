"""A job's way through a book, step by step, as tests take it."""

from datetime import timedelta

from tests.contract.stands import Stand
from tests.paracloud.jobs.world import START

from paracloud.dialects.records import AccountingRecord
from paracloud.jobs.book import Move
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import JobId, NativeId
from paracloud.kit.lease import Lease

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


async def queued(stand: Stand, lease: Lease, native_id: str, **wanted) -> JobId:
    job = await stand.accept(**wanted)
    await stand.book.intend(lease, limit=100)
    await stand.book.submitted(lease, {job: NativeId(native_id)}, postponed={})
    return job


async def settle(stand: Stand, lease: Lease, *records: AccountingRecord, alive: tuple[str, ...] = ()):
    living = [NativeId(one) for one in alive]
    return await stand.book.settle(lease, list(records), alive=living, read_until=None)


def moved(job: JobId, to: JobState, native_state: str = "", at=START) -> Move:
    return Move(job, to, native_state, "", None, "", at)
