"""`admin package, credit, dedicate, fund, budget, periods, close`, and what a project sees of them with `funds`."""

import json
from datetime import timedelta

from paracloud.identity.caller import Role

UNTIL = "2100-01-01T00:00:00Z"


def made(terminal, boss, *words: str) -> str:
    return json.loads(terminal.say(boss, "admin", *words, "--json"))["id"]


def test_ways_to_pay_are_agreed_and_shown(terminal, boss, lin):
    project = str(lin.project)
    made(terminal, boss, "package", project, "百核时", "100", "10", UNTIL)
    made(terminal, boss, "credit", project, "5", UNTIL)
    nodes = made(terminal, boss, "dedicate", project, "east", "cpu", "4", "30", "7000")
    made(terminal, boss, "end-dedicated", nodes, "--at", "2099-01-01T00:00:00Z")
    terminal.say(boss, "admin", "fund", project, "--line", "50", "--warn", "20", "--warn", "5", "--signal", "TERM")
    budget = made(terminal, boss, "budget", "100", "--project", project, "--no-hard")
    found = json.loads(terminal.say(lin, "funds", "--json"))
    assert [one["left"] for one in found["packages"]] == ["100.0000", "5.000000"]
    assert (found["dedicated"][0]["id"], found["dedicated"][0]["valid_to"][:4]) == (nodes, "2099")
    assert (found["funding"]["line"]["amount"], found["funding"]["signal"]) == ("50.000000", "TERM")
    assert [(one["id"], one["is_hard"]) for one in found["budgets"]] == [(budget, False)]
    shown = terminal.run(lin, "funds", language="zh_CN.UTF-8").stdout
    assert all(word in shown for word in ("授信额度", "资源包", "百核时", "独占节点", "预算"))


def test_a_month_is_closed_and_listed(terminal, boss):
    assert "nothing was charged" in terminal.run(boss, "admin", "close", "2020-01", "--dry-run").stdout
    assert terminal.run(boss, "admin", "close", "2020-01").returncode == 1
    assert terminal.say(boss, "admin", "close", "2020-01", "--anyway") == "closed\n"
    assert terminal.say(boss, "admin", "close", "2020-01") == "closed before\n"
    assert "2020-01" in terminal.say(boss, "admin", "periods")
    refused = terminal.run(boss, "admin", "close", "2099-01")
    assert (refused.returncode, "a month that is over" in refused.stderr) == (1, True)


def test_what_cannot_be_agreed_says_why(terminal, boss, lin):
    project = str(lin.project)
    poor = terminal.run(boss, "admin", "package", project, "x", "100", "999999", UNTIL)
    assert (poor.returncode, "top up" in poor.stderr, "请先充值" in poor.stderr) == (1, True, True)
    early = terminal.run(boss, "admin", "package", project, "x", "100", "1", "2001-01-01T00:00:00Z")
    assert (early.returncode, "expires_at" in early.stderr) == (1, True)


def test_dedicated_nodes_are_a_whole_queue_that_is_there(terminal, boss, lin):
    words = ["dedicate", str(lin.project), "east"]
    for wrong, told in (("cpuu 4", "it has: cpu, long"), ("cpu 2", "Have the centre make a queue of just these nodes")):
        refused = terminal.run(boss, "admin", *words, *wrong.split(), "30", "7000", "--unseen")
        assert (refused.returncode, told in refused.stderr) == (1, True), refused.stderr
    narrow = terminal.run(boss, "admin", "credit", str(lin.project), "5", UNTIL, "--centre", "east", "--queue", "x")
    assert (narrow.returncode, "it has: cpu, long" in narrow.stderr) == (1, True)
    made(terminal, boss, "credit", str(lin.project), "5", UNTIL, "--from", "2099-01-01T00:00:00Z")


def test_of_funding_only_the_options_given_change_and_all_of_it_is_shown(terminal, boss, lin):
    words = ("admin", "fund", str(lin.project))
    terminal.say(boss, *words, "--line", "500", "--warn", "100")
    shown = terminal.say(boss, *words, "--hold-seconds", "3600")
    before, after = [line for line in shown.splitlines() if line.split()[:1] in (["before"], ["after"])]
    assert all(word in before for word in ("500.000000 CNY", "the whole limit", "100.000000", "USR1", "600"))
    assert all(word in after for word in ("500.000000 CNY", "3600", "100.000000", "USR1", "600"))
    last = json.loads(terminal.say(boss, *words, "--no-warn", "--hold-all", "--json"))["after"]
    assert (last["line"]["amount"], last["warnings"], last["hold_seconds"]) == ("500.000000", [], None)
    assert "授信额度" in terminal.run(boss, *words, language="zh_CN.UTF-8").stdout
    both = terminal.run(boss, *words, "--warn", "1", "--no-warn")
    assert (both.returncode, "not both" in both.stderr) == (2, True)


def test_a_budget_without_levels_tells_at_none(terminal, boss, lin):
    made(terminal, boss, "budget", "100", "--project", str(lin.project), "--no-warn")
    made(terminal, boss, "budget", "90", "--project", str(lin.project))
    found = json.loads(terminal.say(lin, "funds", "--json"))["budgets"]
    assert sorted(one["warn_percent"] for one in found) == [[], [80, 100]]


def test_an_owner_sets_lists_and_ends_a_users_budget(terminal, served, boss, lin):
    head = served.do(served.house.colleague(lin, "head", Role.OWNER))
    refused = terminal.run(lin, "budget", "set", "lin", "5")
    assert (refused.returncode, "Only an owner" in refused.stderr) == (1, True)
    id_ = json.loads(terminal.say(head, "budget", "set", "lin", "5", "--warn", "50", "--json"))["id"]
    (one,) = json.loads(terminal.say(lin, "budget", "list", "--json"))["items"]
    assert (one["id"], one["login"], one["warn_percent"]) == (id_, "lin", [50])
    for shown in (terminal.say(lin, "budget", "list"), terminal.say(boss, "admin", "budgets")):
        assert all(word in shown for word in (id_, "lin", "熔体", "5.000000", "head 2026-06-01"))
    served.house.clock.forward(timedelta(seconds=1))
    assert terminal.say(head, "budget", "end", id_) == f"{id_}\n"
    assert json.loads(terminal.say(head, "budget", "list", "--json"))["items"] == []
    assert "ended by head" in terminal.say(boss, "admin", "budgets", "--all")


def test_a_budget_is_ended_by_its_id_whichever_project_of_mine_it_is_of(terminal, served, boss, lin):
    head = served.do(served.house.colleague(lin, "head", Role.OWNER))
    second = made(terminal, boss, "project", str(lin.organisation), "second")
    terminal.say(boss, "admin", "member", "head", second, "--role", "owner")
    terminal.say(boss, "admin", "member", "lin", second)
    for project in (str(lin.project), second):
        set_ = ("budget", "set", "lin", "5", "--project", project, "--from", "2031-01-01T00:00:00Z", "--json")
        id_ = json.loads(terminal.say(head, *set_))["id"]
        assert terminal.run(lin, "budget", "end", id_).returncode != 0
        assert terminal.say(head, "budget", "end", id_) == f"{id_}\n"
    gone = terminal.run(head, "budget", "end", second)
    assert (gone.returncode, "no such budget" in gone.stderr) == (4, True)


def test_the_operator_finds_the_ids_of_what_was_agreed(terminal, served, boss, lin):
    nodes = made(terminal, boss, "dedicate", str(lin.project), "east", "cpu", "4", "30", "7000")
    budget = made(terminal, boss, "budget", "100", "--project", str(lin.project), "--login", "lin")
    assert nodes in terminal.say(boss, "admin", "dedications")
    shown = terminal.say(boss, "admin", "funds", str(lin.project))
    assert all(word in shown for word in (nodes, budget, "boss 2026-06-01", "lin"))
    served.house.clock.forward(timedelta(seconds=1))
    made(terminal, boss, "end-budget", budget)
    made(terminal, boss, "end-dedicated", nodes)
    assert nodes not in terminal.say(boss, "admin", "dedications")
    assert "ended by boss" in terminal.say(boss, "admin", "dedications", "--all")


def test_a_price_is_for_one_customer_and_quality_with_tiers(terminal, boss, lin):
    (terminal.home / "tiers.json").write_text('[{"starts_at": "0", "rate": "1"}, {"starts_at": "10", "rate": "0.5"}]')
    words = ["--project", str(lin.project), "--qos", "high", "--tiers", "tiers.json", "--product-line", "ai"]
    price = made(terminal, boss, "price", "east", "cpu", "0.2", *words)
    (found,) = [
        one for one in json.loads(terminal.say(boss, "admin", "prices", "--json"))["items"] if one["id"] == price
    ]
    assert (found["qos"], found["product_line"], found["project"]) == ("high", "ai", str(lin.project))
    assert "high" in terminal.say(boss, "admin", "prices")
