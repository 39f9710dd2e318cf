"""`paracloud notices`."""

import json

from paracloud.billing.tell_wallet_levels import tell_wallet_levels


async def looked(house) -> None:
    async with house.database.begin() as session:
        await tell_wallet_levels(session, now=house.clock.now())


def test_a_level_is_shown_in_the_users_language_and_for_programs(terminal, served, boss, lin):
    terminal.say(boss, "admin", "fund", str(lin.project), "--warn", "1000")
    served.do(looked(served.house))
    assert "1000.000000 CNY is left to spend" in " ".join(terminal.say(lin, "notices").split())
    assert "剩余 1000.000000 CNY" in terminal.say(lin, "notices", language="zh_CN.UTF-8")
    (found,) = json.loads(terminal.say(lin, "notices", "--json"))["items"]
    assert found["kind"] == "wallet-level"
    assert json.loads(terminal.say(lin, "notices", "--after", str(found["id"]), "--json"))["items"] == []
