"""What was used."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.billing.usage_report import Row, usage_report
from paracloud.identity.caller import Caller
from paracloud.kit.identifiers import ProjectId
from paracloud.metering.report import By, read_by
from paracloud.wire.usage import UsageReportModel, UsageRowModel

router = APIRouter(tags=["usage"])


@router.get("/usage/report")
async def report(
    deps: TheDeps,
    token: Token,
    by: Annotated[str, Query(max_length=200)] = "day",
    start: Annotated[date | None, Query(alias="from")] = None,
    end: Annotated[date | None, Query(alias="to")] = None,
) -> UsageReportModel:
    """Jobs and hours of the days (UTC) in [from, to): of the caller's projects, or of all, for the operator. `by` is
    some of day or month, centre, queue, project, user, product-line, between commas."""
    words = read_by(by)
    async with asked(deps, token) as at:
        found = await usage_report(at.session, _seen(at.caller), words, start=start, end=end)
    return UsageReportModel(by=[one.value for one in words], rows=[_row(words, one) for one in found])


def _seen(caller: Caller) -> list[ProjectId] | None:
    """None: everybody's."""
    return None if caller.operates else caller.reads()


def _row(by: tuple[By, ...], one: Row) -> UsageRowModel:
    names: dict[str, Any] = {by.value.replace("-", "_"): name for by, name in zip(by, one.names, strict=True)}
    return UsageRowModel.model_validate(names | {"project_id": one.project} | one.sums.hours())
