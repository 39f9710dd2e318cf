"""Do at the centre what users wished: cancel, hold, release; or what the end of their money does: signal. Each is safe
to repeat; already gone is success."""

from collections import defaultdict
from collections.abc import Sequence

from paracloud.dialects.records import NativePhase
from paracloud.jobs.book import Book, Wish
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.jobs.wish import SIGNAL
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import UnixAccount, submit_tag

SIGNALLED_AT_ONCE = 12


async def carry_out(book: Book, outpost: Outpost, tenure: Tenure) -> int:
    """How many wishes there were. Done as the tenant's own account: the centre itself keeps tenants apart."""
    wishes = await book.wishes(tenure())
    by: dict[tuple[UnixAccount, str, str], list[Wish]] = defaultdict(list)
    for wish in await _listed(outpost, tenure, wishes):
        by[(wish.account, wish.kind, wish.signal)].append(wish)
    for (account, kind, name), same in by.items():
        if kind == SIGNAL:
            await _signal(book, outpost, tenure, account, name, same)
            continue
        await _do(outpost, tenure, account, kind, same)
        await book.granted(tenure(), same)
    return len(wishes)


async def _listed(outpost: Outpost, tenure: Tenure, wishes: Sequence[Wish]) -> Sequence[Wish]:
    """Those whose jobs the centre shows at this moment under their own tag. A controller that lost its last jobs gives
    their ids again, and a wish must never meet the job that has one now; it waits until the round knows more."""
    if not wishes:
        return ()
    command = outpost.dialect.observe(sorted({wish.account for wish in wishes}))
    seen = await outpost.ask(outpost.service_account, command, tenure, purpose="wish/observe")
    shown = {(one.native_id, one.account, one.tag) for one in seen}
    runs = {(one.native_id, one.account, one.tag) for one in seen if one.phase is NativePhase.RUNNING}
    return [
        wish
        for wish in wishes
        if (wish.native_id, wish.account, submit_tag(wish.job, wish.moves)) in (runs if wish.kind == SIGNAL else shown)
    ]


async def _signal(
    book: Book, outpost: Outpost, tenure: Tenure, account: UnixAccount, name: str, wishes: Sequence[Wish]
) -> None:
    """A few at a time, each kept at once: whoever is cut off in the middle repeats no more than these few."""
    number = min(SIGNALLED_AT_ONCE, outpost.budget.most_at_once)
    for at in range(0, len(wishes), number):
        few = wishes[at : at + number]
        command = outpost.dialect.signal([wish.native_id for wish in few], name)
        done = await outpost.ask(account, command, tenure, purpose=f"wish/{few[0].native_id}")
        await book.granted(tenure(), [wish for wish in few if wish.native_id in done])


async def _do(outpost: Outpost, tenure: Tenure, account: UnixAccount, kind: str, wishes: Sequence[Wish]) -> None:
    if kind == "cancel":
        command = outpost.dialect.cancel([wish.native_id for wish in wishes])
        await outpost.ask(account, command, tenure, purpose=f"wish/{wishes[0].native_id}")
        return
    change = outpost.dialect.hold if kind == "hold" else outpost.dialect.release
    for wish in wishes:
        try:
            await outpost.ask(account, change(wish.native_id), tenure, purpose=f"wish/{wish.native_id}")
        except Refused:
            continue  # it runs or has ended meanwhile; the next listing shows it
