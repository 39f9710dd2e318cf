"""What our book says of the jobs that accounting records name, as their centre knows them: here, or gone elsewhere."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.dialects.records import AccountingRecord
from paracloud.jobs import store_moves
from paracloud.jobs.match import Known, Match, Whose
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import CentreName, JobId, NativeId, SubmitTag, UnixAccount, submit_tag, tagged
from paracloud.metering.listing import duplicates

_TAG = re.compile(r"[0-9a-f]{32}")


def named(records: Sequence[AccountingRecord]) -> list[JobId]:
    """The jobs that the records' names claim to be; which of them are ours, the book says."""
    return list({tagged(tag)[0] for tag in _tags(records)})


async def known(
    session: AsyncSession, centre: CentreName, records: Sequence[AccountingRecord], rows: Mapping[JobId, AnyRow]
) -> dict[SubmitTag, Known]:
    """`rows` are those of them that are at this centre now. Nothing more is asked of what was submitted once, nearly
    all jobs: it has no duplicates."""
    departed = await store_moves.departed(session, rows)
    found = {submit_tag(job, row.moves): _of_row(row, has_left=job in departed) for job, row in rows.items()}
    strange = {tagged(tag)[0] for tag in _tags(records) - found.keys()}
    for one in await store_moves.left(session, centre, strange) if strange else ():
        found[submit_tag(JobId(one.job_id), one.attempt)] = _of_left(one)
    retried = {tag for tag, ours in found.items() if ours.tries > 1 or ours.has_left}
    before = await duplicates(session, centre, {record.name for record in records if record.tag in retried})
    tags = {record.name: record.tag for record in records}
    of: dict[SubmitTag | None, set[NativeId]] = defaultdict(set)
    for name, native_id in before:
        of[tags[name]].add(native_id)
    return {tag: replace(ours, duplicates=frozenset(of[tag])) for tag, ours in found.items()}


def told_of(matches: Sequence[Match], rows: Mapping[JobId, AnyRow]) -> list[JobId]:
    """Jobs whose own native jobs have ended, and were not theirs any more."""
    return [
        job
        for one in matches
        if one.whose in (Whose.DUPLICATE, Whose.BY_HAND) and one.record.tag is not None
        for job, row in ((job, rows[job]) for job in [tagged(one.record.tag)[0]] if job in rows)
        if (submit_tag(job, row.moves), row.native_id, row.account)
        == (one.record.tag, one.record.native_id, one.record.account)
    ]


def _tags(records: Sequence[AccountingRecord]) -> set[SubmitTag]:
    return {record.tag for record in records if record.tag is not None and _TAG.fullmatch(record.tag)}


def _of_row(row: AnyRow, *, has_left: bool) -> Known:
    native_id = NativeId(row.native_id) if row.native_id else None
    return Known(JobId(row.id), UnixAccount(row.account), native_id, row.tries, row.cores, has_left=has_left)


def _of_left(row: AnyRow) -> Known:
    native_id = NativeId(row.from_native_id) if row.from_native_id else None
    account, tries = UnixAccount(row.from_account), row.from_tries
    is_given_up = row.remains is not None
    return Known(JobId(row.job_id), account, native_id, tries, row.cores, has_left=True, is_given_up=is_given_up)
