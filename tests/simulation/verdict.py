"""What must be true at the end of every history, judged by what the centres know, apart from the code under test."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.simulation.memory_ledger import MemoryLedger
from tests.simulation.memory_store import MemoryStore
from tests.simulation.native import Row
from tests.simulation.program import World
from tests.simulation.rows import JobRow
from tests.simulation.site import Site
from tests.simulation.users import Users

from paracloud.billing.entry import DUPLICATES, held, payable, wallet
from paracloud.jobs.state import FINAL, JobState
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount

TOP_UP_MICRO = 1000 * 10**6
MICRO_PER_CORE_SECOND = 100
SHARE = (8, 10)
_TAG = re.compile(r"pc-([0-9a-f]{32})")
_ENDS = {"COMPLETED": JobState.COMPLETED, "CANCELLED": JobState.CANCELLED, "TIMEOUT": JobState.TIMEOUT}
_RAN = (JobState.COMPLETED, JobState.FAILED, JobState.TIMEOUT)
_WORST = (JobState.FAILED, JobState.TIMEOUT, JobState.CANCELLED, JobState.COMPLETED)


class Place(NamedTuple):
    """How a centre knows a job, and how many duplicates of it the platform pays for."""

    account: UnixAccount
    native_id: NativeId | None
    cores: int
    most: int


def faults_of(world: World, users: Users) -> Iterator[str]:
    """Nothing, once all has come to rest."""
    for site in world.sites:
        for row in world.store.centres[site.name].jobs.values():
            yield from _faults_of_job(row, site, world, users)
    for row in world.store.jobs():
        yield from _faults_of_runs(row, world)
    yield from _faults_of_money(world.store, world.sites)


def _faults_of_job(row: JobRow, site: Site, world: World, users: Users) -> Iterator[str]:
    controller, name = site.controller, f"pc-{row.tag}"
    ran = {at for (account, of, at) in controller.executions if (account, of) == (row.account, name)}
    rows = [one for one in site.accounting.rows if (one.user, one.name) == (row.account, name)]
    own = [one for one in rows if str(one.native_id) == row.native_id]
    needed = [world.store.job(one.job) for one in row.spec.depends_on]
    may_be_cancelled = row.id in users.wished or any(one.state is not JobState.COMPLETED for one in needed)
    if row.state not in FINAL:
        yield f"{row.id} came to no end: {row.state}"
    elif row.state is JobState.REFUSED:
        if ran or not (row.id in users.bad or row.id in world.refused_by_us):
            yield f"{row.id} is refused, but could run"
    elif row.state is JobState.LOST:
        if any(one.is_eligible for one in own) or (
            not own and (int(row.native_id or 0), name) not in controller.forgotten
        ):
            yield f"{row.id} is lost, but its centre knows of it"
    elif row.native_id is None:
        if ran or rows or not may_be_cancelled:
            yield f"{row.id} ended before it was submitted, but ran or nobody asked for it"
    elif (expected := _state(row, own)) is not row.state:
        yield f"{row.id} is {row.state}, its centre says {expected}"
    if (row.account, name) in controller.cancelled and not may_be_cancelled:
        yield f"{row.id} was cancelled at its centre, which nobody asked for"


def _faults_of_runs(row: JobRow, world: World) -> Iterator[str]:
    """Of all centres that ever had it, one has run it, and that is the one whose record ended it."""
    ran: dict[int | None, list[tuple[str, int]]] = defaultdict(list)
    for site in world.sites:
        left = [of for of in world.store.centres[site.name].left.items() if of[1].job == row.id]
        names = {(of.account, f"pc-{tag}") for tag, of in left}
        names |= {(row.account, f"pc-{row.tag}")} if site.name == row.centre else set()
        for (account, name, index), native_ids in site.controller.executions.items():
            if (account, name) in names:
                ran[index].extend((site.name, native_id) for native_id in native_ids)
    for index, runs in ran.items():
        if len(runs) > 1:
            yield f"{row.id} was executed more than once, at {runs} ({index})"
    if row.state in _RAN and not any(runs[0][0] == row.centre for runs in ran.values()):
        yield f"{row.id} is {row.state}, and nothing of it ran there"


def _state(row: JobRow, rows: Sequence[Row]) -> JobState | None:
    """None: its centre does not say that all of it ended."""
    last: dict[int, Row] = {}
    for one in sorted(rows, key=lambda one: one.submitted_at):
        if row.spec.array is None or one.index is not None:
            last[one.index or 0] = one
    for one in rows:
        if row.spec.array is not None and one.index is None:
            last = dict.fromkeys(one.covers, one) | last
    if len(last) < row.tasks:
        return None
    return min((_ENDS.get(one.state.partition(" ")[0], JobState.FAILED) for one in last.values()), key=_WORST.index)


def _faults_of_money(store: MemoryStore, sites: Sequence[Site]) -> Iterator[str]:
    expected: Counter[str] = Counter()
    for project in sorted({owner for centre in store.centres.values() for owner in centre.owners.values()}):
        expected[wallet(project)], expected[held(project)] = TOP_UP_MICRO, 0
    for site in sites:
        yield from _faults_of_duplicates(store, site)
        for row in site.accounting.rows:
            _owe(expected, store, site, row)
    ledger = store.ledger
    for code, micro in expected.items():
        if ledger.balances[code] != micro:
            yield f"{code} has {ledger.balances[code]}, the centres' accounting makes it {micro}"
    yield from _faults_of_ledger(ledger)


def _owe(expected: Counter[str], store: MemoryStore, site: Site, row: Row) -> None:
    amount = row.cores * row.elapsed_seconds * MICRO_PER_CORE_SECOND
    share = amount * SHARE[0] // SHARE[1]
    place = store.centres[site.name]
    expected[payable(site.name)] += share
    if _at_our_cost(store, site, row.name, str(row.native_id)):
        expected[DUPLICATES] -= share
    else:
        owner = next(project for account, project in place.owners.items() if account == row.user)
        expected[wallet(owner)] -= amount


def _at_our_cost(store: MemoryStore, site: Site, name: str, native_id: str) -> bool:
    return any(
        usage.is_duplicate and (usage.key.centre, usage.name, usage.native_id) == (site.name, name, native_id)
        for usage in store.usages.values()
    )


def _faults_of_duplicates(store: MemoryStore, site: Site) -> Iterator[str]:
    """The platform bears what may be a second submission, and of each job no more than it tried besides the first."""
    may_be: dict[SubmitTag, set[str]] = defaultdict(set)
    ours: dict[SubmitTag, set[str]] = defaultdict(set)
    places = _places(store, site)
    for row in site.accounting.rows:
        tagged = _TAG.fullmatch(row.name)
        place = places.get(SubmitTag(tagged[1])) if tagged else None
        if tagged is None or place is None or place.account != row.user or place.native_id == str(row.native_id):
            continue
        if row.elapsed_seconds <= 60 and row.cores <= place.cores:
            may_be[SubmitTag(tagged[1])].add(str(row.native_id))
        if _at_our_cost(store, site, row.name, str(row.native_id)):
            ours[SubmitTag(tagged[1])].add(str(row.native_id))
    for at, native_ids in may_be.items():
        if len(ours[at]) != min(len(native_ids), places[at].most) or not ours[at] <= native_ids:
            yield f"{at} may have {places[at].most} duplicates: the platform pays for {ours[at]} of {native_ids}"


def _places(store: MemoryStore, site: Site) -> dict[SubmitTag, Place]:
    """Of a job that left, its own native job is one more that ran nothing."""
    centre = store.centres[site.name]
    left = {tag: Place(of.account, None, of.cores, of.tries) for tag, of in centre.left.items()}
    here = {
        row.tag: Place(row.account, row.native_id, row.spec.cores, max(row.tries - 1, 0))
        for row in centre.jobs.values()
    }
    return left | here


def _faults_of_ledger(ledger: MemoryLedger) -> Iterator[str]:
    if ledger.sum_micro() or sum(ledger.balances.values()):
        yield "the ledger does not sum to zero"
    for reference, hold in ledger.holds.items():
        if not 0 <= hold.captured_micro <= hold.amount_micro or not hold.is_released:
            yield f"the hold of {reference} is not captured and released once"
