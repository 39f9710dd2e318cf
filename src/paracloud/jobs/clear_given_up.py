"""Do at a centre that was off, and answers again, what is due to the attempts that were given up there: first take
their run markers, which needs a login alone; then cancel what its scheduler has of them. Each is safe to repeat by
anybody."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from paracloud.dialects.fence import fence
from paracloud.dialects.records import ENDED_PHASES
from paracloud.jobs.book import Book
from paracloud.jobs.given_up import GivenUp, Remains
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.jobs.watch import Listing
from paracloud.kit.command import Command
from paracloud.kit.errors import Broken, ParacloudError, Refused, Unreachable
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount

_KNOCK: Command[None] = Command(argv=("true",), parse=lambda _: None, cost=0)


@dataclass(frozen=True, slots=True)
class Reached:
    """`attempts`: whose run markers were looked at; `trouble`: why others' were not."""

    attempts: Sequence[GivenUp]
    trouble: ParacloudError | None = None


async def reach_given_up(book: Book, outpost: Outpost, tenure: Tenure) -> Reached:
    """Before its scheduler is asked anything. One account's trouble keeps neither the others' markers nor the round
    from being gone on with, but the centre from being well. Unreachable where nobody can log in."""
    left = await book.remains(tenure())
    of: dict[UnixAccount, list[SubmitTag]] = defaultdict(list)
    for one in left:
        if one.remains is Remains.UNREACHED:
            of[one.account].append(one.tag)
    if of:  # a dead line is waited for once, and not by each account
        await outpost.ask(outpost.service_account, _KNOCK, tenure, purpose="given-up/knock")
    troubles = dict[UnixAccount, ParacloudError]()
    for account, tags in of.items():
        try:
            ours = await outpost.ask(account, fence(tags), tenure, purpose=f"given-up/{tags[0]}")
            await book.marked(tenure(), ours)
            if len(ours) < len(tags):
                raise Unreachable("Some run markers cannot be read.", "部分运行标记无法读取。")
        except (Unreachable, Broken, Refused) as trouble:
            troubles[account] = trouble
    reached = [one for one in left if one.remains is not Remains.UNREACHED or one.account not in troubles]
    return Reached(reached, next(iter(troubles.values()), None))


async def cancel_given_up(book: Book, outpost: Outpost, tenure: Tenure, reached: Reached, listing: Listing) -> None:
    """`listing` is of after the markers: what it does not show, and what starts after it, runs nothing."""
    if not reached.attempts or not listing.was_asked:
        return
    there: dict[tuple[UnixAccount, SubmitTag | None], list[NativeId]] = defaultdict(list)
    for one in listing.seen:
        if one.phase not in ENDED_PHASES:
            there[one.account, one.tag].append(one.native_id)
    of: dict[UnixAccount, list[NativeId]] = defaultdict(list)
    for left in reached.attempts:
        of[left.account] += there.get((left.account, left.tag), ())
    for account, native_ids in of.items():
        if native_ids:
            command = outpost.dialect.cancel(native_ids)
            await outpost.ask(account, command, tenure, purpose=f"given-up/{native_ids[0]}")
    await book.cleared(tenure(), [one.tag for one in reached.attempts if (one.account, one.tag) not in there])
