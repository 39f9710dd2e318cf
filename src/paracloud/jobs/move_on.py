"""Do at the old centre what the next step of each move asks for: hold, take the run marker, cancel; or release. Each is
safe to repeat by anybody, and what has happened is read off the listing, the marker and accounting, never off our own
memory of what we did."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from paracloud.dialects.fence import fence
from paracloud.dialects.records import ENDED_PHASES, NativePhase
from paracloud.jobs.book import Book, Departure
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.jobs.watch import Listing
from paracloud.kit.command import Command
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import NativeId, UnixAccount

_HELD = frozenset({NativePhase.HELD})
_WAITS = frozenset({NativePhase.HELD, NativePhase.QUEUED})
_NEVER_STARTED = _WAITS | {NativePhase.CANCELLED, NativePhase.UNKNOWN}


async def move_on(book: Book, outpost: Outpost, tenure: Tenure, listing: Listing) -> None:
    """`listing` is this round's: what is held there was seen after whoever held it."""
    by: dict[MoveStep, list[Departure]] = defaultdict(list)
    for one in await book.departures(tenure()):
        by[one.step].append(one)
    started = [one for step in (MoveStep.HOLDING, MoveStep.RELEASING) for one in by[step] if _started(one, listing)]
    if started:
        await book.stay(tenure(), [one.job for one in started])
    await _hold(book, outpost, tenure, [one for one in by[MoveStep.HOLDING] if one not in started], listing)
    await _fence(book, outpost, tenure, by[MoveStep.LEAVING])
    await _cancel(outpost, tenure, [one for one in by[MoveStep.CANCELLING] if _is_there(one, listing)])
    held = [one for one in by[MoveStep.RELEASING] if NativePhase.HELD in listing.shown.get(one.job, ())]
    await _each(outpost, tenure, held, outpost.dialect.release)


async def _hold(
    book: Book, outpost: Outpost, tenure: Tenure, departures: Sequence[Departure], listing: Listing
) -> None:
    shown = [(one, listing.shown.get(one.job, frozenset())) for one in departures]
    for one in [one for one, phases in shown if phases == _HELD]:
        await book.leave(tenure(), one.job)
    waiting = [one for one, phases in shown if NativePhase.QUEUED in phases and phases <= _WAITS]
    await _each(outpost, tenure, waiting, outpost.dialect.hold)


async def _fence(book: Book, outpost: Outpost, tenure: Tenure, departures: Sequence[Departure]) -> None:
    for account, same in _by_account(departures).items():
        command = fence([one.tag for one in same])
        ours = await outpost.ask(account, command, tenure, purpose=f"move/{same[0].tag}")
        await book.fenced(tenure(), {one.job: ours[one.tag] for one in same if one.tag in ours})


async def _cancel(outpost: Outpost, tenure: Tenure, departures: Sequence[Departure]) -> None:
    for account, same in _by_account(departures).items():
        command = outpost.dialect.cancel([one.native_id for one in same])
        await outpost.ask(account, command, tenure, purpose=f"move/{same[0].tag}")


async def _each(
    outpost: Outpost, tenure: Tenure, departures: Sequence[Departure], change: Callable[[NativeId], Command[None]]
) -> None:
    for one in departures:
        try:
            await outpost.ask(one.account, change(one.native_id), tenure, purpose=f"move/{one.tag}")
        except Refused:
            continue  # it runs or has ended meanwhile; the next listing shows it


def _started(one: Departure, listing: Listing) -> bool:
    return not listing.shown.get(one.job, frozenset()) <= _NEVER_STARTED


def _is_there(one: Departure, listing: Listing) -> bool:
    return bool(listing.shown.get(one.job, frozenset()) - ENDED_PHASES)


def _by_account(departures: Sequence[Departure]) -> dict[UnixAccount, list[Departure]]:
    found: dict[UnixAccount, list[Departure]] = defaultdict(list)
    for one in departures:
        found[one.account].append(one)
    return found
