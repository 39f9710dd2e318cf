"""What the worker does first at a centre that was off: it takes markers before the scheduler is asked, each account's
by itself, and cancels what the listing shows."""

from dataclasses import dataclass, field

import pytest

from paracloud.dialects.records import NativePhase, Observation
from paracloud.jobs.clear_given_up import Reached, cancel_given_up, reach_given_up
from paracloud.jobs.given_up import GivenUp, Remains
from paracloud.jobs.watch import Listing
from paracloud.kit.errors import ParacloudError, Unreachable
from paracloud.kit.identifiers import CentreName, JobId, NativeId, UnixAccount, new_uuid, submit_tag

LINE_CUT = Unreachable("The line is cut.", "线路中断。")
WATCHER, A, B = UnixAccount("watcher"), UnixAccount("east0"), UnixAccount("east1")


class Book:
    """Keeps in memory what remains."""

    def __init__(self, *left: GivenUp) -> None:
        self.left = {one.tag: one for one in left}

    async def remains(self, _lease):
        return [one for one in self.left.values() if one.remains is not Remains.OVER]

    async def marked(self, _lease, ours):
        for tag, is_ours in ours.items():
            self._put(tag, Remains.FENCED if is_ours else Remains.STARTED)

    async def cleared(self, _lease, tags):
        for tag in tags:
            self._put(tag, Remains.OVER)

    def _put(self, tag, remains: Remains) -> None:
        one = self.left[tag]
        self.left[tag] = GivenUp(one.job, one.tag, one.account, remains)

    @property
    def steps(self) -> list[Remains]:
        return [one.remains for one in self.left.values()]


class Dialect:
    def cancel(self, ids):
        return "cancel", list(ids)


@dataclass
class Outpost:
    """A centre by what its accounts answer: nothing, the owners of the markers, or trouble."""

    answers: dict[UnixAccount, ParacloudError] = field(default_factory=dict)
    started: frozenset[str] = frozenset()
    heard: list[tuple[str, object]] = field(default_factory=list)
    centre, service_account, dialect = CentreName("east"), WATCHER, Dialect()

    async def ask(self, account, command, _tenure, *, purpose):
        what = command if isinstance(command, tuple) else command.stdin.decode().split() or command.argv
        self.heard.append((account, what))
        if (trouble := self.answers.get(account)) is not None:
            raise trouble
        if isinstance(command, tuple) or not command.stdin:
            return None
        return {tag: tag not in self.started for tag in what}


def attempt(account: UnixAccount = A, remains: Remains = Remains.UNREACHED) -> GivenUp:
    job = JobId(new_uuid())
    return GivenUp(job, submit_tag(job), account, remains)


def shown(one: GivenUp, native_id: str, phase: NativePhase = NativePhase.QUEUED) -> Observation:
    return Observation(NativeId(native_id), None, one.tag, one.account, phase, phase.value, "", None, None, "")


def listing(*seen: Observation, was_asked: bool = True) -> Listing:
    return Listing(seen=seen, was_asked=was_asked)


async def test_the_markers_of_each_account_are_taken_by_one_call_once_somebody_can_log_in() -> None:
    first, second, other = attempt(), attempt(), attempt(B)
    book, outpost = Book(first, second, other), Outpost(started=frozenset({second.tag}))
    reached = await reach_given_up(book, outpost, lambda: None)
    assert outpost.heard == [(WATCHER, ("true",)), (A, [first.tag, second.tag]), (B, [other.tag])]
    assert book.steps == [Remains.FENCED, Remains.STARTED, Remains.FENCED]
    assert ([one.tag for one in reached.attempts], reached.trouble) == ([first.tag, second.tag, other.tag], None)
    outpost.heard.clear()
    await reach_given_up(book, outpost, lambda: None)
    assert outpost.heard == [], "nothing is asked twice"


async def test_where_nobody_can_log_in_no_account_is_tried() -> None:
    book, outpost = Book(attempt(), attempt(B)), Outpost({WATCHER: LINE_CUT})
    with pytest.raises(Unreachable):
        await reach_given_up(book, outpost, lambda: None)
    assert outpost.heard == [(WATCHER, ("true",))]


async def test_an_account_that_is_closed_keeps_no_other_from_being_reached_and_is_told() -> None:
    closed, other = attempt(), attempt(B)
    book, outpost = Book(closed, other), Outpost({A: LINE_CUT})
    reached = await reach_given_up(book, outpost, lambda: None)
    assert book.steps == [Remains.UNREACHED, Remains.FENCED]
    assert (reached.attempts, reached.trouble) == ([other], LINE_CUT)


async def test_what_the_listing_shows_is_cancelled_by_its_own_id_and_what_it_does_not_show_is_over() -> None:
    waits, runs, absent, ended = [attempt(remains=Remains.FENCED) for _ in range(4)]
    stranger, foreign = attempt(), shown(attempt(B), "90")
    book, outpost = Book(waits, runs, absent, ended), Outpost()
    seen = (
        shown(waits, "7"), shown(waits, "8"), shown(runs, "9", NativePhase.RUNNING), foreign, shown(stranger, "91"),
        shown(ended, "10", NativePhase.CANCELLED),
    )  # fmt: skip
    await cancel_given_up(book, outpost, lambda: None, Reached([waits, runs, absent, ended]), listing(*seen))
    assert outpost.heard == [(A, ("cancel", ["7", "8", "9"]))]
    assert book.steps == [Remains.FENCED, Remains.FENCED, Remains.OVER, Remains.OVER]


async def test_of_a_scheduler_that_was_not_asked_nothing_is_concluded() -> None:
    left = attempt(remains=Remains.FENCED)
    book, outpost = Book(left), Outpost()
    await cancel_given_up(book, outpost, lambda: None, Reached([left]), listing(was_asked=False))
    assert (book.steps, outpost.heard) == ([Remains.FENCED], [])
