"""What the operator looks at: anybody's money and bills with the ids to put them right, and lists of what there is."""

import json

from tests.paracloud.cli.test_corrections import job, ran, told  # noqa: F401  # a fixture

UNTIL = "2100-01-01T00:00:00Z"


def test_the_operator_sees_anybodys_movements_bill_and_funds_with_the_ids(terminal, served, boss, lin, job):  # noqa: F811
    served.do(ran(served.house, lin.project, job))
    project, since = str(lin.project), ("--start", "2026-01-01T00:00:00Z")
    (line,) = told(terminal, boss, "bill", job, "--operator")["lines"]
    terminal.say(boss, "admin", "reverse", line["entry"], "wrong node")
    shown = terminal.say(boss, "movements", "--project", project, *since, "--operator")
    assert all(word in shown for word in (line["entry"], "wrong node", "reversal"))
    own = told(terminal, lin, "movements", *since)
    assert told(terminal, boss, "movements", "--project", project, *since, "--operator") == own
    bill = terminal.say(boss, "bill", job, "--operator")
    assert (line["usage"] in bill, line["entry"] in bill) == (True, True)
    assert told(terminal, boss, "balance", "--project", project, "--operator") == told(terminal, lin, "balance")
    assert told(terminal, boss, "funds", "--project", project, "--operator") == told(terminal, lin, "funds")
    for words in (("movements",), ("balance",), ("funds",)):
        assert terminal.run(boss, *words, "--project", project).returncode == 4
        assert terminal.run(lin, *words, "--operator").returncode == 1
        assert terminal.run(boss, *words, "--project", job, "--operator").returncode == 4
    assert terminal.run(boss, "bill", job).returncode == 4
    assert terminal.run(lin, "bill", job, "--operator").returncode == 1
    assert terminal.run(boss, "bill", project, "--operator").returncode == 4


def test_customers_contracts_and_packages_are_listed_with_their_ids(terminal, served, boss, lin):
    [wang] = served.tenants("wang")
    for who in (lin, wang):
        told(terminal, boss, "admin", "package", str(who.project), "百核时", "100", "10", UNTIL)
    assert {one["id"] for one in told(terminal, boss, "admin", "organisations")["items"]} == {
        str(who.organisation) for who in (lin, wang)
    }
    assert str(lin.organisation) in terminal.say(boss, "admin", "organisations")
    listed = {one["id"]: one["organisation"] for one in told(terminal, boss, "admin", "projects")["items"]}
    assert listed == {str(who.project): str(who.organisation) for who in (lin, wang)}
    assert "大学 wang" in terminal.say(boss, "admin", "projects")
    both = told(terminal, boss, "admin", "packages")["items"]
    assert {one["project"] for one in both} == {str(lin.project), str(wang.project)}
    (own,) = told(terminal, boss, "admin", "packages", str(lin.project))["items"]
    assert (own["project"], own["left"], own["price"]["amount"]) == (str(lin.project), "100.0000", "10.000000")
    assert own["id"] in terminal.say(boss, "admin", "packages", language="zh_CN.UTF-8")
    assert terminal.run(boss, "admin", "packages", own["id"]).returncode == 4
    for words in ("organisations", "projects", "packages", "contracts"):
        assert terminal.run(lin, "admin", words).returncode == 1


def test_a_queues_own_contract_is_listed_and_ended(terminal, boss, lin):
    (terminal.home / "tiers.json").write_text(json.dumps([{"starts_at": "0", "rate": "0.7"}]))
    lent = ("--owner", str(lin.project), "--owner-share", "3000", "--share-tiers", "tiers.json", "--minimum", "50")
    told(terminal, boss, "admin", "contract", "east", "5000", "--queue", "cpu", *lent)
    own, queues = (one for one in told(terminal, boss, "admin", "contracts")["items"] if one["centre"] == "east")
    assert (own["queue"], own["share_basis_points"], queues["queue"], queues["owner"]) == (
        None, 8000, "cpu", str(lin.project),
    )  # fmt: skip
    assert (queues["minimum"]["amount"], queues["share_tiers"]) == ("50.000000", [{"starts_at": "0", "rate": "0.7"}])
    shown = terminal.say(boss, "admin", "contracts")
    assert all(word in shown for word in ("east/cpu", own["id"], queues["id"], "0: 0.7"))
    terminal.say(boss, "admin", "end-contract", "east", "--queue", "cpu", "--at", "2027-01-01T00:00:00Z")
    ends = {one["queue"]: one["valid_to"] for one in told(terminal, boss, "admin", "contracts")["items"]
            if one["centre"] == "east"}  # fmt: skip
    assert ends == {None: None, "cpu": "2027-01-01T00:00:00Z"}
