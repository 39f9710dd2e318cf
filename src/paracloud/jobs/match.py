"""Whose is an accounting record? Decided on values, from what our own book says, never from the tag alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from paracloud.centres.centre import Owner
from paracloud.dialects.records import AccountingRecord
from paracloud.kit.identifiers import JobId, NativeId, ProjectId, SubmitTag, UnixAccount

DUPLICATE_MOST_SECONDS = 60
"""A second submission of a job finds the run marker and ends at once. What runs longer under a job's tag was started by
the tenant, who pays for it; so is what was given more cores than the job asked for, and what is one more than the
submissions that we tried besides the job's own. A name alone proves nothing: nobody computes at the platform's cost by
choosing one, and whoever forces us to doubt gains a minute for each doubt at the most."""


class Whose(StrEnum):
    JOB = "job"
    DUPLICATE = "duplicate"
    """A second submission of a job of ours, which ran nothing: the platform's cost."""
    GIVEN_UP = "given_up"
    """The very attempt that was given up while its centre was off: the platform's cost, whatever it ran."""
    BY_HAND = "by_hand"
    """A job that the tenant started: usage without a job of ours, billed to the account's project."""
    NOT_YET = "not_yet"
    """Carries the tag of a job whose native id is not known yet, so nobody can tell whose it is: it is to be brought
    again."""
    NOBODY = "nobody"
    """No project of ours had the account when it was submitted: it bills nobody."""


@dataclass(frozen=True, slots=True)
class Known:
    """A job of ours, as this centre knows it. `tries`: how often its submission was intended; `cores`: those of one
    task; `duplicates`: its second submissions that were settled before."""

    job: JobId
    account: UnixAccount
    native_id: NativeId | None
    tries: int
    cores: int
    duplicates: frozenset[NativeId] = frozenset()
    has_left: bool = False
    """It is another centre's now, or on its way there, and ran nothing here: whatever starts under this tag, its own
    native job included, finds the run marker taken."""
    is_given_up: bool = False
    """It is another centre's by a person's word alone, and may run here before its run marker is taken."""


@dataclass(frozen=True, slots=True)
class Match:
    """`project` is None for nobody; `job` is set for what is a job's, at whoever's cost."""

    record: AccountingRecord
    whose: Whose
    project: ProjectId | None
    job: JobId | None


def match(
    records: Sequence[AccountingRecord], known: Mapping[SubmitTag, Known], owners: Mapping[UnixAccount, Owner]
) -> list[Match]:
    """One for each record, in their order. All records that are settled together are matched together, for each job has
    a certain number of duplicates and no more: at each of the places, and under each of the tags, that it had."""
    duplicates = {tag: set(ours.duplicates) for tag, ours in known.items()}
    return [_match(record, known, owners, duplicates) for record in records]


def _match(
    record: AccountingRecord,
    known: Mapping[SubmitTag, Known],
    owners: Mapping[UnixAccount, Owner],
    duplicates: Mapping[SubmitTag, set[NativeId]],
) -> Match:
    owner = owners.get(record.account)
    if owner is None:
        return Match(record, Whose.NOBODY, None, None)
    project, tag = owner.project, record.tag
    ours = known.get(tag) if tag is not None else None
    if tag is None or ours is None or ours.account != record.account:
        has = owner.had(record.submitted_at)
        return Match(record, Whose.BY_HAND, project, None) if has else Match(record, Whose.NOBODY, None, None)
    if ours.native_id is None and not ours.has_left:
        return Match(record, Whose.NOT_YET, project, None)
    if ours.native_id == record.native_id and not ours.has_left:
        return Match(record, Whose.JOB, project, ours.job)
    whose = _not_the_jobs(record, ours, duplicates[tag])
    if whose is Whose.BY_HAND:
        return Match(record, whose, project, None)
    duplicates[tag].add(record.native_id)
    return Match(record, whose, project, ours.job)


def _not_the_jobs(record: AccountingRecord, ours: Known, duplicates: set[NativeId]) -> Whose:
    if ours.is_given_up and _is_the_attempt(record, ours, duplicates):
        return Whose.GIVEN_UP
    return Whose.DUPLICATE if _may_be_a_second_submission(record, ours, duplicates) else Whose.BY_HAND


def _may_be_a_second_submission(record: AccountingRecord, ours: Known, duplicates: set[NativeId]) -> bool:
    is_small = record.elapsed_seconds <= DUPLICATE_MOST_SECONDS and record.cores <= ours.cores
    most = ours.tries if ours.has_left else ours.tries - 1
    return is_small and len(duplicates | {record.native_id}) <= most


def _is_the_attempt(record: AccountingRecord, ours: Known, duplicates: set[NativeId]) -> bool:
    """By the id that we were told. Where the centre went before it told us one, each of our tries may be it, and no
    more: a tenant who knew that could have the time of that one job, which is less than a second charge of it."""
    if ours.native_id is not None:
        return record.native_id == ours.native_id
    return len(duplicates | {record.native_id}) <= ours.tries
