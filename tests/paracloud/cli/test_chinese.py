"""Whoever reads Chinese reads Chinese: every heading of a table, and what stands there by one of a few words."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.paracloud.cli.test_statements import MONTH, month

from paracloud import billing, centres, cli, dialects, settlement
from paracloud.billing.check import RULES
from paracloud.billing.mismatch import Cause
from paracloud.billing.notice import NoticeKind
from paracloud.billing.rule import CHINESE, in_chinese
from paracloud.billing.rule_text import FAMILIES, PLAIN
from paracloud.cli import kinds
from paracloud.cli.words import ZH, word
from paracloud.dialects.pbs.history import _KINDS
from paracloud.history.imported import ImportState
from paracloud.identity.caller import Role
from paracloud.jobs.state import JobState
from paracloud.metering.report import By, Sums
from paracloud.settlement.settled import SettlementState
from paracloud.statements.words import WORDS
from paracloud.wire.paying import BudgetModel, PackageModel
from paracloud.wire.reconciliation import ReconciliationModel
from paracloud.wire.statements import BillLineModel, SumsModel

__all__ = ["month"]
HAN = re.compile("[一-鿿]")


def modules(*rooms) -> Iterator[ast.AST]:
    for room in rooms:
        for file in sorted(Path(room.__path__[0]).rglob("*.py")):
            yield ast.parse(file.read_text())


def texts(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def headings(tree: ast.AST) -> Iterator[str]:
    """Of every table: written where it is shown, or into a name that is given to it."""
    lists: dict[str, list[ast.AST]] = {}
    for one in ast.walk(tree):
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.List):
            for target in one.targets:
                if isinstance(target, ast.Name):
                    lists.setdefault(target.id, []).append(one.value)
    for one in ast.walk(tree):
        if not isinstance(one, ast.Call) or ast.unparse(one.func) not in ("show.table", "table"):
            continue
        for part in ast.walk(one.args[0]):
            if isinstance(part, ast.Name) and part.id in lists:
                yield from (text for each in lists[part.id] for text in texts(each))
            else:
                yield from texts(part)


def entry_kinds() -> Iterator[str]:
    """What entries are posted as."""
    for tree in modules(billing, settlement):
        for one in ast.walk(tree):
            if isinstance(one, ast.Call) and ast.unparse(one.func) == "Entry" and len(one.args) > 1:
                yield from texts(one.args[1])


def left_out() -> Iterator[str]:
    for tree in modules(dialects):
        for one in ast.walk(tree):
            if isinstance(one, ast.Call) and ast.unparse(one.func) == "LeftOut":
                yield from texts(one.args[1])
            if isinstance(one, ast.FunctionDef) and one.name == "_left_out":
                yield from (
                    back.value.value
                    for back in ast.walk(one)
                    if isinstance(back, ast.Return) and isinstance(back.value, ast.Constant) and back.value.value
                )


def findings() -> Iterator[str]:
    """What is looked at of a centre before it is connected."""
    for tree in modules(centres):
        for one in ast.walk(tree):
            if isinstance(one, ast.Call) and ast.unparse(one.func) in ("well", "advice", "missing"):
                yield from texts(ast.Module([ast.Expr(one.args[0])], []))


def literal(model, field: str) -> Iterable[str]:
    return model.model_fields[field].annotation.__args__


def test_every_heading_of_a_table_has_its_chinese():
    found = {name for tree in modules(cli) for name in headings(tree)}
    assert {"settlement", "adjusted", "product line", "off", "customer"} <= found
    found |= {*SumsModel.model_fields, *By, "project_id", *Sums().hours()}
    assert sorted(name for name in found if not HAN.search(ZH.get(name, ""))) == []


def test_one_heading_stands_for_one_thing(monkeypatch):
    """Of a price there is its version, and what an hour costs."""
    monkeypatch.setenv("PARACLOUD_LANGUAGE", "zh_CN")
    assert (word("price"), word("core-hour"), word("card-hour"), word("qos")) == (
        "价格版本", "核时价", "卡时价", "服务质量",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("among", "wanted"),
    [
        (kinds.ENTRIES, [*entry_kinds()]),
        (kinds.CHARGES, literal(BillLineModel, "kind")),
        (kinds.PRODUCT_LINES, ["general", "industry", "ai", "unrated"]),
        (kinds.NOTICES, NoticeKind),
        (kinds.PACKAGES, literal(PackageModel, "kind")),
        (kinds.BUDGETS, literal(BudgetModel, "of")),
        (kinds.ROLES, Role),
        (kinds.JOBS, JobState),
        (kinds.SETTLEMENTS, SettlementState),
        (kinds.IMPORTS, ImportState),
        (kinds.DAYS, literal(ReconciliationModel, "state")),
        (kinds.CAUSES, Cause),
        (kinds.FINDINGS, [*findings(), "queue listing", "run", "output", "submission"]),
        (kinds.LINES, ["execution", *_KINDS.values(), *left_out()]),
        (kinds.RULES, RULES),
    ],
)
def test_every_word_of_a_few_has_its_chinese(among, wanted):
    wanted = set(wanted)
    assert len(wanted) > 1
    assert sorted(one for one in wanted if not HAN.search(among.get(one, ""))) == []


def test_what_the_screen_says_of_money_is_chinese_but_for_names(terminal, lin, boss, month):  # the fixture
    terminal.say(boss, "admin", "top-up", str(lin.project), "1000", "pay-1")
    terminal.say(lin, "submit", "--command", "true")
    commands = {
        ("statement", "show", MONTH): lin,
        ("movements",): lin,
        ("funds",): lin,
        ("ps",): lin,
        ("whoami",): lin,
        ("admin", "prices"): boss,
        ("admin", "check"): boss,
        ("usage", "report"): lin,
    }
    for words, who in commands.items():
        names = set(re.findall("[a-z_]{3,}", " ".join(values(json.loads(terminal.say(who, *words, "--json"))))))
        names -= {*kinds.ENTRIES, "top", *kinds.PRODUCT_LINES, *kinds.JOBS, *kinds.ROLES}
        shown = terminal.say(who, *words, language="zh_CN.UTF-8")
        assert HAN.search(shown), words
        assert set(re.findall("[a-z_]{3,}", shown)) <= names, words


def values(tree) -> Iterator[str]:
    if isinstance(tree, dict | list):
        for one in tree.values() if isinstance(tree, dict) else tree:
            yield from values(one)
    else:
        yield str(tree)


def test_every_entry_of_an_account_has_its_word_on_a_statement():
    """Those of the wallet; a hold changes nothing there."""
    own = {"top-up", "reversal", "package", "dedicated", "lent"}
    assert own <= set(entry_kinds())
    assert own <= {key.removeprefix("kind.") for key in WORDS}


def test_a_resource_that_a_rule_leaves_out_is_named_in_chinese():
    assert sorted(one for one in PLAIN if one not in CHINESE) == []
    assert sorted(one for one in FAMILIES if one.rstrip(".") not in CHINESE) == []
    assert (in_chinese("gpus"), in_chinese("licence.abaqus"), in_chinese("odd")) == ("GPU 卡", "许可证 abaqus", "odd")
