"""Do at the centre what users wished: cancel, hold, release. Each is safe to repeat; already gone is success."""

from collections import defaultdict
from collections.abc import Sequence

from paracloud.jobs.book import Book, Wish
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import UnixAccount, submit_tag


async def carry_out(book: Book, outpost: Outpost, tenure: Tenure) -> int:
    """How many wishes there were. Done as the tenant's own account: the centre itself keeps tenants apart."""
    wishes = await book.wishes(tenure())
    by: dict[tuple[UnixAccount, str], list[Wish]] = defaultdict(list)
    for wish in await _listed(outpost, tenure, wishes):
        by[(wish.account, wish.kind)].append(wish)
    for (account, kind), same in by.items():
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
    return [wish for wish in wishes if (wish.native_id, wish.account, submit_tag(wish.job)) in shown]


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
