"""`admin reverse, rate, unrated`: a wrong price is put right, from the first look to the last sum."""

import json
from uuid import UUID

import pytest
from tests.paracloud.api.house import House
from tests.paracloud.jobs.world import EAST, World, record

from paracloud.billing.charge import charge
from paracloud.kit.identifiers import JobId, NativeId, UnixAccount
from paracloud.metering.collect import collect


def told(terminal, who, *words: str):
    return json.loads(terminal.say(who, *words, "--json"))


async def ran(house: House, project, job: str, **changes) -> None:
    """Ten minutes on a core, and accounting told it."""
    world, id_ = World(house.database, project, None, house.clock), JobId(UUID(job))
    account = UnixAccount(await house.one("SELECT account FROM jobs WHERE id = :job", job=id_))
    lease = await world.claim()
    await world.book.intend(lease, limit=5)
    await world.book.submitted(lease, {id_: NativeId("7")}, postponed={})
    told = record(id_, "7", account=account, **changes)
    await world.book.settle(lease, [told], alive=[], read_until=None)


@pytest.fixture
def job(terminal, served, lin) -> str:
    """A job of lin's at east."""
    (terminal.home / "job.sh").write_text("#!/bin/bash\n#SBATCH --time=10\ntrue\n")
    return told(terminal, lin, "submit", "job.sh", "--centre", EAST)["id"]


def test_a_charge_at_a_wrong_price_is_taken_back_and_posted_at_the_right_one(terminal, served, boss, lin, job):
    served.do(ran(served.house, lin.project, job))
    (charged,) = told(terminal, lin, "bill", job)["lines"]
    assert charged["sums"]["amount"] == "0.060000"
    usage, entry = charged["usage"], charged["entry"]
    assert entry in {
        line["entry"] for line in told(terminal, lin, "movements", "--start", "2026-01-01T00:00:00Z")["lines"]
    }
    right = told(terminal, boss, "admin", "price", EAST, "cpu", "0.3", "--project", str(lin.project))["id"]
    terminal.say(boss, "admin", "reverse", entry, "wrong price", "--usage", usage)
    assert told(terminal, lin, "show", job)["job"]["charged"]["amount"] == "0.000000"
    rated = told(terminal, boss, "admin", "rate", usage, "--price", right, "as agreed")
    assert (rated["amount"]["amount"], rated["is_new"], rated["revision"]) == ("0.050000", True, 2)
    assert terminal.say(boss, "admin", "rate", usage, "--price", right, "as agreed") == "0.050000 CNY\n"
    bill = told(terminal, lin, "bill", job)
    assert [(one["kind"], one["sums"]["amount"], one["reason"]) for one in bill["lines"]] == [
        ("usage", "0.060000", None), ("reversal", "-0.060000", "wrong price"), ("correction", "0.050000", "as agreed")
    ]  # fmt: skip
    assert (bill["total"]["core_hours"], bill["total"]["jobs"]) == ("0.166667", 1)
    assert told(terminal, lin, "show", job)["job"]["charged"]["amount"] == "0.050000"
    assert told(terminal, lin, "balance")["available"]["amount"] == "999.950000"
    month = told(terminal, lin, "statement", "show", "2026-06")
    assert (month["total"]["amount"], month["charged"]) == ("0.050000", "-0.050000")
    terminal.say(lin, "statement", "fetch", "2026-06", "june.focus.csv")
    assert "FOCUS 1.2" in terminal.say(lin, "statement", "check", "june.focus.csv")
    assert terminal.say(boss, "admin", "check") == "ledger sum 0, differences 0\n"


def test_what_no_price_fits_is_listed_with_its_id_and_waived(terminal, served, boss, lin, job):
    served.do(ran(served.house, lin.project, job, queue="nowhere"))
    (one,) = json.loads(terminal.run(boss, "admin", "unrated", "--json").stdout)["items"]
    assert one["usage"] in terminal.run(boss, "admin", "unrated").stdout
    assert terminal.run(boss, "admin", "rate", one["usage"], "why").returncode == 2
    assert terminal.run(lin, "admin", "rate", one["usage"], "--waive", "mine").returncode == 1
    waived = terminal.say(boss, "admin", "rate", one["usage"], "--waive", "a test", language="zh_CN.UTF-8")
    assert waived == "不收费\n"
    assert terminal.run(boss, "admin", "unrated").returncode == 0
    refused = terminal.run(boss, "admin", "rate", one["usage"], "--waive", "else")
    assert (refused.returncode, "costs nothing already" in refused.stderr) == (1, True)
    price = told(terminal, boss, "admin", "price", EAST, "odd", "0.6", "--unseen")["id"]
    assert terminal.say(boss, "admin", "rate", one["usage"], "--price", price, "not that one") == "0.100000 CNY\n"
    assert told(terminal, lin, "show", job)["job"]["charged"]["amount"] == "0.100000"
    assert terminal.say(boss, "admin", "reverse-usage", one["usage"], "that one") == "-0.100000 CNY\n"
    assert told(terminal, lin, "show", job)["job"]["charged"]["amount"] == "0.000000"
    free = told(terminal, boss, "admin", "price", EAST, "free", "0", "--unseen")["id"]
    assert terminal.say(boss, "admin", "rate", one["usage"], "--price", free, "free") == "0.000000 CNY\n"
    back = told(terminal, boss, "admin", "reverse-usage", one["usage"], "not free")
    assert (back["amount"]["amount"], back["entry"]) == ("0.000000", None)
    assert terminal.say(boss, "admin", "check") == "ledger sum 0, differences 0\n"


def test_goodwill_and_a_debit_are_booked_once_by_their_number(terminal, boss, lin):
    project = str(lin.project)
    for is_new in (True, False):
        made = told(terminal, boss, "admin", "adjust", project, "2.5", "sorry", "--key", "A-1")
        assert made == {"id": "A-1", "is_new": is_new}
    terminal.say(boss, "admin", "adjust", project, "-1", "a disk")
    assert told(terminal, lin, "balance")["available"]["amount"] == "1001.500000"
    poor = terminal.run(boss, "admin", "adjust", project, "-5000", "too much")
    assert (poor.returncode, "top up or raise" in poor.stderr, "请先充值" in poor.stderr) == (1, True, True)
    assert terminal.run(boss, "admin", "adjust", project, "1", "x", "--keys", "A").returncode == 2


def test_a_package_and_a_credit_are_ended(terminal, boss, lin):
    project, until = str(lin.project), "2100-01-01T00:00:00Z"
    package = told(terminal, boss, "admin", "package", project, "包", "10", "20", until)["id"]
    credit = told(terminal, boss, "admin", "credit", project, "5", until)["id"]
    assert terminal.say(boss, "admin", "end-package", package, "too small") == "20.000000 CNY\n"
    assert told(terminal, boss, "admin", "end-package", credit, "misused")["returned"]["amount"] == "0.000000"
    assert told(terminal, lin, "balance")["available"]["amount"] == "1000.000000"
    assert {one["left"] for one in told(terminal, lin, "funds")["packages"]} == {"0.0000", "0.000000"}
    again = terminal.run(boss, "admin", "end-package", package, "again")
    assert (again.returncode, "ended before" in again.stderr) == (1, True)


def test_all_that_is_unrated_is_listed_page_after_page(terminal, served, boss, lin, monkeypatch):
    monkeypatch.setattr("paracloud.api.tariffs.PAGE", 2)
    served.do(unrated(served.house, lin, 5))
    assert len(json.loads(terminal.run(boss, "admin", "unrated", "--json").stdout)["items"]) == 5


async def unrated(house: House, lin, count: int) -> None:

    runs = [record(None, str(number), queue="nowhere") for number in range(count)]
    now = house.clock.now()
    async with house.database.begin() as session:
        owners = {UnixAccount("east0"): lin.project}
        used = await collect(session, EAST, runs, owners=owners, claims={}, now=now)
        await charge(session, used.new, pinned={}, now=now)
