import json
from uuid import UUID

import pytest
import typer
from tests.paracloud.jobs.world import HOST_KEY

from paracloud.cli.admin import spread


def made(terminal, boss, *words: str) -> str:
    return json.loads(terminal.say(boss, "admin", *words, "--json"))["id"]


def test_a_customer_is_opened_funded_and_given_a_token(terminal, boss):
    organisation = made(terminal, boss, "organisation", "测试大学", "--category", "university")
    project = made(terminal, boss, "project", organisation, "melt")
    made(terminal, boss, "user", "zhao")
    terminal.say(boss, "admin", "member", "zhao", project)
    for _ in range(2):
        assert made(terminal, boss, "top-up", project, "12.50", "payment-1") == "payment-1"
    token = terminal.say(boss, "admin", "token", "zhao").strip()
    done = terminal.run(None, "balance", "--json", PARACLOUD_TOKEN=token)
    assert json.loads(done.stdout)["available"]["amount"] == "12.500000"
    assert terminal.say(boss, "admin", "check") == "ledger sum 0, differences 0\n"


def test_a_payment_that_was_counted_before_is_said_to_be(terminal, boss, lin):
    pay = ("admin", "top-up", str(lin.project), "50", "PAY-1")
    assert terminal.say(boss, *pay) == "PAY-1\n"
    assert terminal.say(boss, *pay) == "PAY-1: counted before\n"
    assert terminal.say(boss, *pay, language="zh_CN.UTF-8") == "PAY-1：此前已入账\n"
    assert json.loads(terminal.say(boss, *pay, "--json")) == {"id": "PAY-1", "is_new": False}


def test_a_project_is_of_a_product_line_and_is_moved_to_another(terminal, boss):
    organisation = made(terminal, boss, "organisation", "智能大学")
    project = made(terminal, boss, "project", organisation, "学习", "--product-line", "ai")
    made(terminal, boss, "user", "zhao")
    terminal.say(boss, "admin", "member", "zhao", project)
    token = terminal.say(boss, "admin", "token", "zhao").strip()

    def seen() -> str:
        done = terminal.run(None, "whoami", "--json", PARACLOUD_TOKEN=token)
        return json.loads(done.stdout)["projects"][0]["product_line"]

    assert terminal.say(boss, "admin", "product-line", project, "industry") == "industry, was ai\n"
    assert seen() == "industry"
    assert json.loads(terminal.say(boss, "admin", "product-line", project, "general", "--json"))["was"] == "industry"
    refused = terminal.run(boss, "admin", "price", "east", "q", "1", "--product-line", "quantum")
    assert (refused.returncode, "product_line" in refused.stderr) == (2, True)


def test_a_centre_is_connected_priced_and_contracted(terminal, boss):
    (terminal.home / "host.pub").write_text(f"{HOST_KEY} a comment\n")
    words = ["--host-key", "host.pub", "--service-account", "northsvc", "--account", "north[001-003]"]
    assert made(terminal, boss, "connect", "north", "login.north.example", *words) == "north"
    assert "north" in terminal.say(boss, "centres")
    words[-1] = "past[001-003]"
    assert made(terminal, boss, "connect", "past") == "past"
    assert made(terminal, boss, "connect", "past", "login.past.example", *words) == "past"
    assert terminal.run(boss, "admin", "connect", "past", "login.past.example", *words).returncode == 1
    UUID(made(terminal, boss, "price", "north", "cpu", "0.10", "--from", "2026-01-01T00:00:00Z"))
    rule = {"units": {"resource": "nodes", "weight": "12.8"}, "free": ["cores", "memory_bytes"]}
    (terminal.home / "rule.json").write_text(json.dumps(rule))
    UUID(made(terminal, boss, "price", "north", "whole", "--rule", "rule.json"))
    (terminal.home / "rule.json").write_text(json.dumps({"units": {"resource": "love"}}))
    refused = terminal.run(boss, "admin", "price", "north", "bad", "--rule", "rule.json")
    assert (refused.returncode, "rule.units.resource" in refused.stderr) == (1, True)
    assert terminal.run(boss, "admin", "price", "north", "bad", "0.1", "--rule", "rule.json").returncode == 1
    assert terminal.run(boss, "admin", "price", "north", "bad").returncode == 1
    assert made(terminal, boss, "contract", "north", "8000", "--from", "2026-01-01T00:00:00Z") == "north"


def test_a_top_up_is_taken_back_with_a_reason(terminal, boss, lin):
    line = json.loads(terminal.say(lin, "movements", "--start", "2026-01-01T00:00:00Z", "--json"))["lines"][0]
    made(terminal, boss, "reverse", line["entry"], "paid twice")
    assert json.loads(terminal.say(lin, "balance", "--json"))["available"]["amount"] == "0.000000"
    terminal.say(boss, "admin", "fund", str(lin.project), "--line", "5")
    assert "5.000000 CNY" in terminal.say(lin, "balance")
    assert "可支出" in terminal.say(lin, "balance", language="zh_CN.UTF-8")


def test_whoever_is_no_operator_is_refused(terminal, lin):
    done = terminal.run(lin, "admin", "user", "mallory")
    assert done.returncode == 1
    assert "operator" in done.stderr


def test_a_wrong_word_is_said_by_its_name(terminal, boss):
    done = terminal.run(boss, "admin", "organisation", "x", "--category", "club")
    assert done.returncode == 2
    assert "category" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_range_of_accounts_is_spread_with_its_width():
    assert spread("hpc[008-010]") == ["hpc008", "hpc009", "hpc010"]
    assert spread("hpc1") == ["hpc1"]
    for wrong in ("hpc[005-001]", "hpc[1-20000]"):
        with pytest.raises(typer.BadParameter, match="the lower number first"):
            spread(wrong)


def test_a_price_and_a_contract_are_ended_and_followed_by_others(terminal, boss, lin):
    first = made(terminal, boss, "price", "east", "new", "0.4", "--unseen")
    assert "end that version first" in terminal.run(boss, "admin", "price", "east", "new", "0.5", "--unseen").stderr
    terminal.say(boss, "admin", "end-price", first, "--at", "2026-07-01T00:00:00Z")
    second = made(terminal, boss, "price", "east", "new", "0.5", "--unseen", "--from", "2026-07-01T00:00:00Z")
    listed = {one["id"]: one for one in json.loads(terminal.say(boss, "admin", "prices", "--json"))["items"]}
    assert (listed[first]["valid_to"], listed[second]["valid_to"]) == ("2026-07-01T00:00:00Z", None)
    assert second in terminal.say(boss, "admin", "prices")
    terminal.say(boss, "admin", "end-contract", "east", "--at", "2026-07-01T00:00:00Z")
    made(terminal, boss, "contract", "east", "7000", "--from", "2026-07-01T00:00:00Z")
    assert (listed[first]["created_by"], listed[first]["ended_by"], listed[second]["ended_by"]) == (
        "boss",
        "boss",
        None,
    )
    agreed = json.loads(terminal.say(boss, "admin", "contracts", "--json"))["items"]
    of_east = [
        (one["share_basis_points"], one["created_by"], one["ended_by"]) for one in agreed if one["centre"] == "east"
    ]
    assert of_east == [(8000, "op", "boss"), (7000, "boss", None)]
    assert "7000" in terminal.say(boss, "admin", "contracts")
    assert terminal.run(boss, "admin", "end-price", first, "--at", "2026-08-01T00:00:00Z").returncode == 1
    for words in (["end-price", second], ["prices"], ["unrated"]):
        assert terminal.run(lin, "admin", *words).returncode == 1


@pytest.mark.parametrize(
    "words", [("price", "east", "nosuch", "0.1"), ("contract", "east", "7000", "--queue", "nosuch")]
)
def test_a_queue_that_the_centre_does_not_have_is_priced_by_a_word_alone(terminal, boss, words):
    refused = terminal.run(boss, "admin", *words)
    assert (refused.returncode, "east has no queue of this name; it has: cpu, long" in refused.stderr) == (1, True)
    assert "--unseen" in refused.stderr
    assert "没有该名称的分区" in terminal.run(boss, "admin", *words, language="zh_CN.UTF-8").stderr
    made(terminal, boss, *words, "--unseen")


def test_a_price_says_nothing_of_cards_until_it_is_told_to(terminal, boss):
    told = {
        made(terminal, boss, "price", "east", "plain", "0.4", "--unseen"): None,
        made(terminal, boss, "price", "east", "free", "0.4", "--unseen", "--card-hour", "0"): "0.000000000",
        made(terminal, boss, "price", "east", "gpu", "0.4", "--unseen", "--card-hour", "6"): "6.000000000",
    }
    listed = {one["id"]: one for one in json.loads(terminal.say(boss, "admin", "prices", "--json"))["items"]}
    assert {price: listed[price]["card_hour"] for price in told} == told


def test_usage_without_a_price_is_listed_and_charged_when_it_has_one(terminal, boss):
    assert json.loads(terminal.say(boss, "admin", "unrated", "--json"))["items"] == []
    assert "0 charged, 0 left" in terminal.say(boss, "admin", "unrated", "--charge")
