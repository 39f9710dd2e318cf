"""Months and days on the command line: as they are shown, or refused in both languages before anything is asked."""

from datetime import date
from typing import Annotated

import typer

from paracloud.cli.words import both, plain
from paracloud.wire.base import FIRST_YEAR, LAST_YEAR


def a_month(text: str) -> str:
    try:
        _within(date.fromisoformat(f"{text}-01"), text)
    except ValueError:
        raise _refused(
            f"{text[:40]!r} is no month; write it as 2026-06.", f"{text[:40]!r} 不是月份；请写成 2026-06。"
        ) from None
    return text


def a_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _refused(
            f"{text[:40]!r} is no day; write it as 2026-06-01.", f"{text[:40]!r} 不是日期；请写成 2026-06-01。"
        ) from None


def _within(found: date, text: str) -> None:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        years = f"{FIRST_YEAR} to {LAST_YEAR}", f"{FIRST_YEAR} 到 {LAST_YEAR}"
        raise _refused(
            f"{text!r} lies outside the years {years[0]}; write it as 2026-06.",
            f"{text!r} 不在 {years[1]} 年之间；请写成 2026-06。",
        )


def _refused(en: str, zh: str) -> typer.BadParameter:
    return typer.BadParameter(plain(both(en, zh)))


Month = Annotated[str, typer.Argument(parser=a_month, metavar="MONTH", help="Such as 2026-06.")]
Day = Annotated[date, typer.Argument(parser=a_day, metavar="DAY", help="UTC, such as 2026-06-01.")]
