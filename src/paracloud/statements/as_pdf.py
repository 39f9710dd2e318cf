"""A statement as PDF, set by Typst: sums by place and by user, and the account. The font, for Chinese and Latin, comes
with its package and is embedded; those of the machine are not looked at, so that a bill looks the same anywhere."""

import json
from datetime import UTC
from pathlib import Path

import typst
from noto_cjk_sans_otc import FONT_PATH

from paracloud.statements.rows import hours, units
from paracloud.statements.statement import PayerKind, Statement, Sums
from paracloud.statements.words import Language, kind_word, word

FONTS = [Path(FONT_PATH).parent]
TEMPLATE = Path(__file__).with_name("statement.typ")
SAID = (
    "statement", "number", "to_pay", "usage_title", "money_title", "users_title", "none", "note",
)  # fmt: skip
SUMMED = ("jobs", "core_hours", "card_hours", "amount", "package", "credit", "wallet")
Table = dict[str, object]


def write_pdf(path: Path, statement: Statement, language: Language, provider: str) -> None:
    """In one call of the compiler, about 0.2 s."""
    inputs = {"statement": json.dumps(_content(statement, language, provider), ensure_ascii=False)}
    pdf: bytes = typst.compile(TEMPLATE, font_paths=FONTS, ignore_system_fonts=True, sys_inputs=inputs)
    path.write_bytes(pdf)


def _content(of: Statement, language: Language, provider: str) -> dict[str, object]:
    title = f"{word('statement', language)} {of.number}"
    return {
        "language": language.value,
        "title": title,
        "provider": provider,
        "number": of.number,
        "words": {one: word(one, language) for one in SAID},
        "facts": _facts(of, language),
        "status": word("final" if of.is_final else "provisional", language),
        "to_pay": _money(of.total.wallet - sum(one.micro for one in of.movements if one.is_cost)),
        "currency": of.currency,
        "usage": _usage(of, language),
        "account": _account(of, language),
        "users": _users(of, language),
    }


def _facts(of: Statement, language: Language) -> list[list[str]]:
    payer = of.payer
    facts = [("organisation", payer.organisation)]
    if payer.kind is PayerKind.PROJECT:
        facts.append(("project", payer.name))
    facts += [("month", f"{of.period:%Y-%m}"), ("issued", f"{of.issued_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")]
    return [[word(name, language), value] for name, value in facts]


def _usage(of: Statement, language: Language) -> Table:
    rows = [
        [one.project, word(one.product_line, language), f"{one.centre}/{one.queue}", *_figures(one.sums)]
        for one in of.used
    ]
    columns = ["project", "product_line", "centre", *SUMMED]
    return _table(columns, 3, rows, [word("total", language), "", "", *_figures(of.total)], language)


def _users(of: Statement, language: Language) -> Table:
    rows = [[one.project, one.user, *_figures(one.sums)] for one in of.by_user]
    columns = ["project", "user", *SUMMED]
    return _table(columns, 2, rows, [word("total", language), "", *_figures(of.total)], language)


def _account(of: Statement, language: Language) -> Table:
    rows = [["", "", word("opening", language), "", _money(of.opening)]]
    for one in of.movements:
        about = ": ".join(text for text in (one.of, one.reason) if text)
        kind = kind_word(one.kind, language)
        rows.append([f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M}", of.payer.projects[one.project], kind, about,
                     _money(one.micro)])  # fmt: skip
    rows.append(["", "", word("charged", language), "", _money(of.charged)])
    total = ["", "", word("closing", language), "", _money(of.closing)]
    return _table(["time", "project", "kind", "about", "moved"], 4, rows, total, language)


def _table(columns: list[str], texts: int, rows: list[list[str]], total: list[str], language: Language) -> Table:
    """The first columns are texts, the others numbers."""
    return {"columns": [word(one, language) for one in columns], "texts": texts, "rows": rows, "total": total}


def _figures(sums: Sums) -> list[str]:
    worked = (f"{hours(seconds):,.1f}" for seconds in (sums.core_seconds, sums.card_seconds))
    money = (sums.amount, sums.package, sums.credit, sums.wallet)
    return [f"{sums.jobs:,}", *worked, *(_money(one) for one in money)]


def _money(micro: int) -> str:
    return f"{units(micro):,.6f}" if micro % 10_000 else f"{units(micro):,.2f}"
