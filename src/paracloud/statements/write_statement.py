"""A payer's statement of a month as a file."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.statements.as_csv import CsvFile
from paracloud.statements.as_focus import FocusFile
from paracloud.statements.as_pdf import write_pdf
from paracloud.statements.as_xlsx import XlsxFile
from paracloud.statements.state_month import lines_of, state_month
from paracloud.statements.statement import Line, Payer, Statement
from paracloud.statements.words import Language


class Format(StrEnum):
    """`focus` is the CSV of FOCUS 1.2."""

    PDF = "pdf"
    CSV = "csv"
    XLSX = "xlsx"
    FOCUS = "focus"


class LineFile(Protocol):
    """A file that takes the month's lines page by page."""

    def add(self, lines: Sequence[Line]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that has all its lines. `finish` completes it, which takes seconds for a large month and nothing of the
    database: a transaction that idles so long is ended by the server."""

    statement: Statement
    finish: Callable[[], None]


async def write_statement(  # what, how, and where
    session: AsyncSession,
    payer: Payer,
    period: date,
    form: Format,
    language: Language,
    path: Path,
    *,
    provider: str,
    now: datetime,
) -> Draft:
    """To `path`, in the background of this event loop: nothing else waits while a large month is written. `provider`
    is the operator's name. The file is complete once its draft is finished, after the transaction."""
    statement = await state_month(session, payer, period, now=now)
    if form is Format.PDF:
        return Draft(statement, partial(write_pdf, path, statement, language, provider))
    file = _open(form, path, statement, language, provider)
    async for page in lines_of(session, payer, period):
        await asyncio.to_thread(file.add, page)
    return Draft(statement, file.close)


def _open(form: Format, path: Path, statement: Statement, language: Language, provider: str) -> LineFile:
    if form is Format.FOCUS:
        return FocusFile(path, statement, provider)
    return CsvFile(path, statement, language) if form is Format.CSV else XlsxFile(path, statement, language)
