"""What is refused is said in both languages, with what to write instead."""

import re

import pytest
from tests.paracloud.jobs.world import START

MONTH = f"{START:%Y-%m}"


def said(done) -> str:
    """Whatever lines the frame around it makes."""
    assert done.returncode != 0
    return " ".join(re.sub("[│╭╮╰╯─]", " ", done.stderr).split())


@pytest.mark.parametrize(
    "words",
    [
        ("statement", "show", "2026/09"),
        ("statement", "fetch", "2026-9", "x.pdf"),
        ("centre", "settlement", "east", "September"),
        ("centre", "lines", "east", "2026-13"),
        ("centre", "confirm", "east", "../../x"),
        ("admin", "settle", "2026"),
        ("admin", "close", "2026-00"),
        ("admin", "reconciliations", "--month", "2026-1"),
    ],
)
def test_a_month_that_is_none_is_said_before_anything_is_asked(terminal, lin, words):
    told = said(terminal.run(lin, *words, PARACLOUD_URL="http://127.0.0.1:1"))
    assert "is no month; write it as 2026-06." in told
    assert "不是月份；请写成 2026-06。" in told


@pytest.mark.parametrize(
    "words",
    [
        ("centre", "lines", "east", MONTH, "--day", "1"),
        ("admin", "reconcile", "east", "2026/06/01"),
        ("admin", "reconciliation", "east", "2026-02-30"),
        ("usage", "report", "--from", "yesterday"),
        ("usage", "report", "--to", "2026-6-1"),
    ],
)
def test_a_day_that_is_none_is_said_before_anything_is_asked(terminal, lin, words):
    told = said(terminal.run(lin, *words, PARACLOUD_URL="http://127.0.0.1:1"))
    assert "is no day; write it as 2026-06-01." in told
    assert "不是日期；请写成 2026-06-01。" in told


BINARY, DEEP = bytes(range(128, 256)), b"[" * 100_000


@pytest.mark.parametrize(
    ("words", "content", "en", "zh"),
    [
        (("statement", "check", "x"), BINARY, "x is no UTF-8 text", "x 不是 UTF-8 文本"),
        (("statement", "check", "x"), b"a" * 200_000, "x is no CSV", "x 不是有效的 CSV"),
        (("receipt", "verify", "x", "--key", "x"), BINARY, "x is no UTF-8 text", "x 不是 UTF-8 文本"),
        (("admin", "price", "east", "cpu", "--rule", "x"), BINARY, "x is no UTF-8 text", "x 不是 UTF-8 文本"),
        (("admin", "price", "east", "cpu", "--rule", "x"), DEEP, "x is nested too deeply", "x：JSON 嵌套过深"),
        (("admin", "price", "east", "cpu", "1", "--tiers", "x"), DEEP, "x is nested too deeply", "x：JSON 嵌套过深"),
        (("admin", "price", "east", "cpu", "--rule", "x"), b"9" * 9999, "x is no JSON", "x 不是有效的 JSON"),
        (("admin", "connect", "new", "127.0.0.1", "--host-key", "x"), BINARY, "x is no UTF-8", "x 不是 UTF-8"),
        (("submit", "x"), BINARY, "x is no UTF-8 text", "x 不是 UTF-8 文本"),
        (("usage", "import", "x", "--dry-run", "--format", "sacct", "--centre", "east", "--map", "x"), BINARY,
         "x is no UTF-8 text", "x 不是 UTF-8 文本"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_is_read_is_refused_by_its_name(terminal, boss, words, content, en, zh):
    (terminal.home / "x").write_bytes(content)
    told = said(terminal.run(boss, *words))
    assert "Traceback" not in told
    assert en in told
    assert zh in told


@pytest.mark.parametrize(
    ("content", "zh"),
    [(None, "无法读取 x：文件或目录不存在。"), (b'{"a":\n  b}', "x 不是有效的 JSON：第 2 行第 3 列。")],
)
def test_why_a_file_is_not_read_is_all_chinese_where_chinese_is_read(terminal, boss, content, zh):
    if content is not None:
        (terminal.home / "x").write_bytes(content)
    words = ("admin", "price", "east", "cpu", "--rule", "x")
    assert zh in said(terminal.run(boss, *words, language="zh_CN.UTF-8"))


def test_an_amount_below_zero_that_is_read_as_an_option_says_how_it_is_written(terminal, boss, lin):
    words = ("admin", "top-up", str(lin.project))
    told = said(terminal.run(boss, *words, "-0.5", "pay-9"))
    assert "-- -0.5" in told
    assert "负数须写在 -- 之后" in told
    assert "-- -0.5" not in said(terminal.run(boss, *words, "--nosuch", "1", "pay-9"))
    checked = said(terminal.run(boss, *words, "--", "-0.5", "pay-9"))
    assert checked.startswith("amount: ")


def test_too_large_an_amount_is_too_large_and_still_an_amount(terminal, boss, lin):
    for amount in ("1000000000.01", "9" * 13, "9" * 14, "9" * 24, f"{'9' * 15}.50"):
        told = said(terminal.run(boss, "admin", "top-up", str(lin.project), amount, "pay-9"))
        assert told.startswith("amount: at most 1000000000.000000."), amount
    assert "not an amount" in said(terminal.run(boss, "admin", "top-up", str(lin.project), "much", "pay-9"))


def test_whoever_is_in_no_project_is_told_whom_to_ask(terminal, boss):
    told = said(terminal.run(boss, "balance"))
    assert "You are in no project yet" in told
    assert "您尚未加入任何课题组" in told


def test_a_wrong_id_is_said_with_how_one_looks(terminal, boss):
    told = said(terminal.run(boss, "admin", "reverse", "12", "why"))
    assert "12 is no id; an id has 36 characters" in told
    assert "whoami" not in told
