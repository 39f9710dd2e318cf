"""Monthly statements, as JSON and as files to keep, to print and to reckon with; a job's bill."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from paracloud.api.deps import Asked, Bearer, Deps, TheDeps, Token, asked
from paracloud.api.exactly import a_month
from paracloud.api.operator import operator
from paracloud.api.shown_statements import bill_model, month_model
from paracloud.jobs.show import show
from paracloud.kit.identifiers import JobId
from paracloud.statements.payers import any_payer, payer_of
from paracloud.statements.state_month import bill_of, one_view, state_month
from paracloud.statements.statement import Payer, PayerKind
from paracloud.statements.words import Language
from paracloud.statements.write_statement import Format, write_statement
from paracloud.wire.paying import Month
from paracloud.wire.statements import BillModel, MonthModel

router = APIRouter(tags=["statements"])
CSV = "text/csv"
TYPES = {
    Format.PDF: "application/pdf",
    Format.CSV: CSV,
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.FOCUS: CSV,
}
SUFFIX = {Format.FOCUS: "focus.csv"}
BINARY = {"schema": {"type": "string", "format": "binary"}}
FILE: dict[int | str, dict[str, Any]] = {200: {"content": dict.fromkeys(TYPES.values(), BINARY)}}
Find = Callable[[Asked, Deps], Awaitable[Payer]]
TheFormat = Annotated[Format, Query(alias="format", description="focus is the CSV of FOCUS 1.2.")]


class Whose(StrEnum):
    """As paths name them."""

    PROJECTS = "projects"
    ORGANISATIONS = "organisations"


KINDS = {Whose.PROJECTS: PayerKind.PROJECT, Whose.ORGANISATIONS: PayerKind.ORGANISATION}


@router.get("/jobs/{job}/bill")
async def bill(job: UUID, deps: TheDeps, token: Token) -> BillModel:
    """Every charge of a job: what was used, at which price, and how it was paid. Empty while nothing was charged."""
    async with asked(deps, token) as at:
        summary = (await show(at.session, at.caller, JobId(job))).summary
        lines = await bill_of(at.session, summary.project, str(job))
    return bill_model(job, summary.charged.currency, lines)


@router.get("/projects/{project}/statements/{month}")
async def of_project(project: UUID, month: Month, deps: TheDeps, token: Token) -> MonthModel:
    """As far as the month has come; final where it is closed."""
    return await _shown(deps, token, _own(PayerKind.PROJECT, project), month)


@router.get("/projects/{project}/statements/{month}/file", response_class=FileResponse, responses=FILE)
async def file_of_project(
    project: UUID, month: Month, deps: TheDeps, token: Token, form: TheFormat, language: Language = Language.EN
) -> FileResponse:
    """PDF has the sums; CSV, XLSX and FOCUS have each charge too."""
    return await _file(deps, token, _own(PayerKind.PROJECT, project), month, (form, language))


@router.get("/organisations/{organisation}/statements/{month}")
async def of_organisation(organisation: UUID, month: Month, deps: TheDeps, token: Token) -> MonthModel:
    """All its projects together, for who is in each of them."""
    return await _shown(deps, token, _own(PayerKind.ORGANISATION, organisation), month)


@router.get("/organisations/{organisation}/statements/{month}/file", response_class=FileResponse, responses=FILE)
async def file_of_organisation(
    organisation: UUID, month: Month, deps: TheDeps, token: Token, form: TheFormat, language: Language = Language.EN
) -> FileResponse:
    return await _file(deps, token, _own(PayerKind.ORGANISATION, organisation), month, (form, language))


@router.get("/operator/{whose}/{payer}/statements/{month}")
async def of_anybody(whose: Whose, payer: UUID, month: Month, deps: TheDeps, token: Token) -> MonthModel:
    """Of any project or organisation."""
    return await _shown(deps, token, _any(KINDS[whose], payer), month)


@router.get("/operator/{whose}/{payer}/statements/{month}/file", response_class=FileResponse, responses=FILE)
async def file_of_anybody(  # a path's and a query's own
    whose: Whose,
    payer: UUID,
    month: Month,
    deps: TheDeps,
    token: Token,
    form: TheFormat,
    language: Language = Language.EN,
) -> FileResponse:
    return await _file(deps, token, _any(KINDS[whose], payer), month, (form, language))


def _own(kind: PayerKind, id_: UUID) -> Find:
    async def find(at: Asked, _: Deps) -> Payer:
        return await payer_of(at.session, at.caller, kind, id_)

    return find


def _any(kind: PayerKind, id_: UUID) -> Find:
    async def find(at: Asked, deps: Deps) -> Payer:
        operator(at, deps)
        return await any_payer(at.session, kind, id_)

    return find


async def _shown(deps: Deps, token: Bearer, find: Find, month: str) -> MonthModel:
    async with asked(deps, token) as at:
        return month_model(await state_month(at.session, await find(at, deps), a_month(month), now=deps.clock.now()))


async def _file(deps: Deps, token: Bearer, find: Find, month: str, what: tuple[Format, Language]) -> FileResponse:
    """Written whole before its first byte is sent: a slow reader holds no transaction, and no half of a bill comes."""
    form, language = what
    async with asked(deps, token) as at:
        payer = await find(at, deps)
    suffix = SUFFIX.get(form, form.value)
    path = Path(mkdtemp(prefix="statement-")) / f"statement.{suffix}"
    try:
        number = await _write(deps, payer, a_month(month), form, language, path)
    except BaseException:
        _remove(path)
        raise
    name = f"statement-{number}.{suffix}"
    return FileResponse(path, media_type=TYPES[form], filename=name, background=BackgroundTask(_remove, path))


async def _write(deps: Deps, payer: Payer, period: date, form: Format, language: Language, path: Path) -> str:
    now = deps.clock.now()
    async with deps.database.begin() as session:
        await one_view(session)
        draft = await write_statement(
            session, payer, period, form, language, path, provider=deps.operator_name, now=now
        )
    await asyncio.to_thread(draft.finish)
    return draft.statement.number


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.rmdir()
