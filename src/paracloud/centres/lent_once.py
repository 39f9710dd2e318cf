"""An account of a machine is lent once, and tried only while no project has it, whose files lie in its home."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres import store
from paracloud.centres.centre import Way
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import CentreName, UnixAccount


async def require_untaken(session: AsyncSession, way: Way, account: UnixAccount) -> None:
    """Conflict where a project has the account, whatever name the centre at that machine has."""
    for one in await store.lent_there(session, way, [account]):
        if one.is_taken:
            raise Conflict(
                f"{account} belongs to a project since it was lent as an account of {one.centre}: no trial runs where "
                "its files are. Name another one to run it (--test-account), best one that is not lent.",
                f"账号 {account}（已作为 {one.centre} 的账号出借）已分配给课题组，不能在其中试运行；"
                "请用 --test-account 指定其他账号，最好是未出借的账号。",
                field="accounts",
            )


async def require_unlent(session: AsyncSession, way: Way, centre: CentreName, accounts: Sequence[UnixAccount]) -> None:
    """Conflict where a centre of another name at that machine lends one of them: two projects would share its home, and
    what runs there would be charged twice."""
    await store.lock_lending(session)
    for one in await store.lent_there(session, way, accounts):
        if one.centre != centre:
            raise Conflict(
                f"{one.account} is lent already, as an account of {one.centre} at the same machine. An account is lent "
                f"once: leave it out here, or use {one.centre}.",
                f"账号 {one.account} 已作为同一机器上 {one.centre} 的账号出借。每个账号只能出借一次：请从此处去掉，"
                f"或直接使用 {one.centre}。",
                field="accounts",
            )
