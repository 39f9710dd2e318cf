"""A statement as PDF, set by Typst: sums by place and by user, and the account. The font, for Chinese and Latin, comes
with its package and is embedded; those of the machine are not looked at, so that a bill looks the same anywhere."""

import json
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import typst

from paracloud.statements.font import FOLDER, written
from paracloud.statements.sheet import Cell, Sheet, figures, money
from paracloud.statements.statement import Movement, PayerKind, Statement, Sums, UnitPrices, Used
from paracloud.statements.words import Language, kind_word, word

TEMPLATE = Path(__file__).with_name("statement.typ")
SAID = (
    "statement", "number", "to_pay", "usage_title", "money_title", "users_title", "none", "note",
)  # fmt: skip
UPRIGHT_MM = 174.0
"""What stands between the margins of a sheet of A4."""


def write_pdf(path: Path, statement: Statement, language: Language, provider: str) -> None:
    """In one call of the compiler, about 0.2 s."""
    inputs = {"statement": json.dumps(_content(statement, language, provider), ensure_ascii=False)}
    pdf: bytes = typst.compile(TEMPLATE, font_paths=[FOLDER], ignore_system_fonts=True, sys_inputs=inputs)
    path.write_bytes(pdf)


def _content(of: Statement, language: Language, provider: str) -> dict[str, object]:
    sheets = {"usage": _usage(of, language), "account": _account(of, language), "users": _users(of, language)}
    return {
        "language": language.value,
        "title": f"{word('statement', language)} {of.number}",
        "provider": written(provider),
        "payer": written(of.payer.name),
        "number": of.number,
        "words": {one: word(one, language) for one in SAID},
        "facts": _facts(of, language),
        "status": word("final" if of.is_final else "provisional", language),
        "to_pay": money([of.total.wallet - sum(one.micro for one in of.movements if one.is_cost)])[0],
        "currency": of.currency,
        "is_wide": any(sheet.width_mm > UPRIGHT_MM for sheet in sheets.values()),
        **{name: sheet.content() for name, sheet in sheets.items()},
    }


def _facts(of: Statement, language: Language) -> list[list[str]]:
    payer = of.payer
    facts = [("organisation", payer.organisation)]
    if payer.kind is PayerKind.PROJECT:
        facts.append(("project", payer.name))
    facts += [("month", f"{of.period:%Y-%m}"), ("issued", f"{of.issued_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")]
    return [[word(name, language), written(value)] for name, value in facts]


def _usage(of: Statement, language: Language) -> Sheet:
    names: list[Cell] = [
        _lines(_project(of, one.project), f"{one.centre}/{one.queue}", _kind_of_use(one, of.currency, language))
        for one in of.used
    ]
    first = "places" if of.payer.kind is PayerKind.PROJECT else "all_places"
    return _summed(first, names, [one.sums for one in of.used], of.total, language)


def _kind_of_use(one: Used, currency: str, language: Language) -> str:
    line = word(one.product_line, language)
    return " · ".join((line, *_unit_prices(one.prices, one.sums, currency, language)))


def _unit_prices(prices: UnitPrices, sums: Sums, currency: str, language: Language) -> list[str]:
    """Of what was used; free cores beside cards that have a price are not worth a word."""
    told = []
    for name, seconds, span in (
        ("core-hour", sums.core_seconds, prices.core_hour),
        ("card-hour", sums.card_seconds, prices.card_hour),
    ):
        if span is not None and seconds and any(span):
            amounts = "–".join(dict.fromkeys(map(_price, span)))
            told.append(f"{amounts} {currency}/{word(name, language)}")
    return [*told, word("by_rule", language)] if prices.has_rule else told


def _users(of: Statement, language: Language) -> Sheet:
    names: list[Cell] = [_lines(one.user, _project(of, one.project)) for one in of.by_user]
    return _summed("user", names, [one.sums for one in of.by_user], of.total, language)


def _summed(first: str, names: Sequence[Cell], rows: Sequence[Sums], total: Sums, language: Language) -> Sheet:
    columns = figures([*rows, total])
    *each, last = zip(*columns.values(), strict=True)
    return Sheet(
        [word(one, language) for one in (first, *columns)],
        0,
        [[name, *([cell] for cell in row)] for name, row in zip(names, each, strict=True)],
        [[word("total", language)], *([cell] for cell in last)],
    )


def _account(of: Statement, language: Language) -> Sheet:
    movements = of.movements
    *amounts, closing = money([of.opening, *(one.micro for one in movements), of.charged, of.closing])
    texts: list[tuple[Cell, Cell]] = [([""], [word("opening", language)])]
    texts += [([f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M}"], _moved(of, one, language)) for one in movements]
    texts.append(([""], [word("charged", language)]))
    rows = [[time, what, [amount]] for (time, what), amount in zip(texts, amounts, strict=True)]
    total: list[Cell] = [[""], [word("closing", language)], [closing]]
    return Sheet([word(one, language) for one in ("time", "about", "moved")], 1, rows, total)


def _moved(of: Statement, one: Movement, language: Language) -> Cell:
    about = ": ".join(text for text in (one.of, one.reason) if text)
    under = " · ".join(text for text in (_project(of, of.payer.projects[one.project]), about) if text)
    return _lines(kind_word(one.kind, language), under)


def _project(of: Statement, name: str) -> str:
    """Where there is one project only, it stands above everything."""
    return "" if of.payer.kind is PayerKind.PROJECT else name


def _lines(*texts: str) -> Cell:
    return [written(text) for text in texts if text]


def _price(price: Decimal) -> str:
    """With two decimals, or as many as it has."""
    text = f"{price.normalize():f}"
    return text if len(text.partition(".")[2]) > 2 else f"{price:.2f}"
