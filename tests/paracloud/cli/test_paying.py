"""`admin package, credit, dedicate, fund, budget, periods, close`, and what a project sees of them with `funds`."""

import json

UNTIL = "2100-01-01T00:00:00Z"


def made(terminal, boss, *words: str) -> str:
    return json.loads(terminal.say(boss, "admin", *words, "--json"))["id"]


def test_ways_to_pay_are_agreed_and_shown(terminal, boss, lin):
    project = str(lin.project)
    made(terminal, boss, "package", project, "百核时", "100", "10", UNTIL)
    made(terminal, boss, "credit", project, "5", UNTIL)
    nodes = made(terminal, boss, "dedicate", project, "east", "cpu", "2", "30", "7000")
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


def test_a_price_is_for_one_customer_and_quality_with_tiers(terminal, boss, lin):
    (terminal.home / "tiers.json").write_text('[{"starts_at": "0", "rate": "1"}, {"starts_at": "10", "rate": "0.5"}]')
    words = ["--project", str(lin.project), "--qos", "high", "--tiers", "tiers.json", "--product-line", "ai"]
    price = made(terminal, boss, "price", "east", "cpu", "0.2", *words)
    (found,) = [
        one for one in json.loads(terminal.say(boss, "admin", "prices", "--json"))["items"] if one["id"] == price
    ]
    assert (found["qos"], found["product_line"], found["project"]) == ("high", "ai", str(lin.project))
    assert "high" in terminal.say(boss, "admin", "prices")
