"""Months on the command line: as 2026-06, or refused before anything is asked."""

import re

import typer

from paracloud.cli.words import both, plain

MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])|21\d\d-(0[1-9]|1[0-2])")


def a_month(text: str) -> str:
    if MONTH.fullmatch(text):
        return text
    raise typer.BadParameter(
        plain(both(f"{text[:80]} is no month; write it as 2026-06.", f"{text[:80]} 不是月份；请写成 2026-06。"))
    )
