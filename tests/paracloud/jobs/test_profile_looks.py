"""Who looks at what does not answer waits alone."""

import asyncio
from collections import Counter

from paracloud.jobs.profile_looks import AT_A_CENTRE, AT_ONCE, OF_AN_ACCOUNT, Looks
from paracloud.kit.identifiers import CentreName, UnixAccount

MANY = 2 * AT_A_CENTRE


async def settled() -> None:
    """Whoever can go on has done so."""
    for _ in range(10 * MANY):
        await asyncio.sleep(0)


async def test_one_account_and_one_centre_leave_turns_to_others_and_all_come_to_theirs():
    looks, is_answered, there, done = Looks(), asyncio.Event(), Counter[str](), Counter[str]()

    async def look(centre: str, account: str) -> None:
        async with looks.turn(CentreName(centre), UnixAccount(account)):
            there[centre + account] += 1
            await is_answered.wait()
        done[centre + account] += 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(1, AT_ONCE // AT_A_CENTRE):
            for account in "abc":
                for _ in range(MANY):
                    tasks.create_task(look(f"centre{number}", account))
                await settled()
            assert there[f"centre{number}a"] == there[f"centre{number}b"] == OF_AN_ACCOUNT
            assert there.total() == number * AT_A_CENTRE
        for account in "ab":
            for _ in range(MANY):
                tasks.create_task(look("another", account))
            await settled()
        assert there["anothera"] == there["anotherb"] == OF_AN_ACCOUNT
        assert there.total() == AT_ONCE
        is_answered.set()
    assert set(done.values()) == {MANY}
    assert not looks._some, "nobody is remembered who waits for nothing"


async def test_who_gives_up_leaves_its_turn():
    looks, east, lin = Looks(), CentreName("east"), UnixAccount("lin")

    async def look() -> None:
        async with looks.turn(east, lin):
            await asyncio.Event().wait()

    hanging = [asyncio.create_task(look()) for _ in range(MANY)]
    await settled()
    for one in hanging:
        one.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    async with asyncio.timeout(10), looks.turn(east, lin):
        pass
