"""Whose is an accounting record? Decided on values, from what our own book says, never from the tag alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from paracloud.dialects.records import AccountingRecord
from paracloud.kit.identifiers import JobId, NativeId, ProjectId, SubmitTag, UnixAccount

DUPLICATE_MOST_SECONDS = 60
"""A second submission of a job finds the run marker and ends at once. What runs longer under a job's tag was started by
the tenant, who pays for it. So is what was given more cores than the job asked for, and all of it where we tried once:
a name alone proves nothing, and nobody computes at the platform's cost by choosing one."""


class Whose(StrEnum):
    JOB = "job"
    DUPLICATE = "duplicate"
    """A second submission of a job of ours, which ran nothing: the platform's cost."""
    BY_HAND = "by_hand"
    """A job that the tenant started: usage without a job of ours, billed to the account's project."""
    NOT_YET = "not_yet"
    """Carries the tag of a job whose native id is not known yet, so nobody can tell whose it is: it is to be brought
    again."""
    NOBODY = "nobody"
    """No project of ours owns the account: it bills nobody."""


@dataclass(frozen=True, slots=True)
class Known:
    """A job of ours at this centre. `tries`: how often its submission was intended; `cores`: those of one task."""

    job: JobId
    account: UnixAccount
    native_id: NativeId | None
    tries: int
    cores: int


@dataclass(frozen=True, slots=True)
class Match:
    """`project` is None for nobody; `job` is set for a job's own record and its duplicates."""

    record: AccountingRecord
    whose: Whose
    project: ProjectId | None
    job: JobId | None


def match(record: AccountingRecord, known: Mapping[SubmitTag, Known], owners: Mapping[UnixAccount, ProjectId]) -> Match:
    project = owners.get(record.account)
    if project is None:
        return Match(record, Whose.NOBODY, None, None)
    ours = known.get(record.tag) if record.tag is not None else None
    if ours is None or ours.account != record.account:
        return Match(record, Whose.BY_HAND, project, None)
    if ours.native_id is None:
        return Match(record, Whose.NOT_YET, project, None)
    if ours.native_id == record.native_id:
        return Match(record, Whose.JOB, project, ours.job)
    if _may_be_a_second_submission(record, ours):
        return Match(record, Whose.DUPLICATE, project, ours.job)
    return Match(record, Whose.BY_HAND, project, None)


def _may_be_a_second_submission(record: AccountingRecord, ours: Known) -> bool:
    return ours.tries > 1 and record.elapsed_seconds <= DUPLICATE_MOST_SECONDS and record.cores <= ours.cores
