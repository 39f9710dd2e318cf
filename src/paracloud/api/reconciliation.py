"""A day's three books side by side, for the operator."""

from datetime import date, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query

from paracloud.api import shown
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import a_month
from paracloud.api.operator import operator
from paracloud.billing.look import Look
from paracloud.billing.mismatch import Mismatch
from paracloud.billing.period import begins, month_after, month_of
from paracloud.billing.reconciliations import keep_look, look_at, looks
from paracloud.centres.registry import get_centre, reached_centre
from paracloud.dialects.registry import dialect_named
from paracloud.history.logged import logged
from paracloud.history.reconcile_logs import reconcile_logged
from paracloud.jobs.collect_day import collect_day
from paracloud.jobs.reconcile_day import reconcile_day
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName
from paracloud.kit.money import Money
from paracloud.wire.paying import Centre, Month
from paracloud.wire.reconciliation import CollectedModel, LookList, LookModel, MismatchModel, ReconciliationModel

router = APIRouter(prefix="/operator", tags=["operator"])
OfMonth = Annotated[Month | None, Query(description="This month, where it and the centre are left out.")]
OfCentre = Annotated[Centre | None, Query()]
Differing = Annotated[bool, Query(description="Leave out days that agree.")]


@router.get("/reconciliations")
async def list_looks(
    deps: TheDeps,
    token: Token,
    month: OfMonth = None,
    centre: OfCentre = None,
    differing: Differing = False,  # noqa: FBT002  # a query has no positions
) -> LookList:
    """The last look at each day of a month, or, with a centre and no month, of all its days."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        of = None if centre is None else CentreName(centre)
        start = a_month(month) if month is not None else month_of(now) if of is None else None
        found = await looks(at.session, of, start=start, end=None if start is None else month_after(start))
    return LookList(items=[LookModel(**_fields(one)) for one in found if not (differing and one.agrees)])


@router.get("/reconciliations/{centre}/{day}")
async def last_look(centre: Centre, day: date, deps: TheDeps, token: Token) -> ReconciliationModel:
    """What the last look at that day found: every difference with its cause and amount."""
    async with asked(deps, token) as at:
        operator(at, deps)
        if day == date.max:
            raise _future()
        look, mismatches = await look_at(at.session, CentreName(centre), day)
    return _shown(look, mismatches)


@router.post("/reconciliations/{centre}/{day}:collect")
async def collect_now(centre: Centre, day: date, deps: TheDeps, token: Token) -> CollectedModel:
    """Reads the centre's accounting of that day (UTC) again, and meters, charges and ends what was missed, as the
    worker does with what is two days old at most. Again is safe."""
    async with asked(deps, token) as at:
        if day > operator(at, deps).date():
            raise _future()
        dialect = dialect_named((await reached_centre(at.session, CentreName(centre))).dialect)
    done = await collect_day(deps.database, deps.clock, deps.reach, dialect, CentreName(centre), day)
    return CollectedModel(
        new=done.charged, corrected=done.corrected, known=done.known, unclaimed=done.unclaimed, waiting=done.waiting
    )


@router.post("/reconciliations/{centre}/{day}")
async def look_now(centre: Centre, day: date, deps: TheDeps, token: Token) -> ReconciliationModel:
    """Asks the centre's accounting again for what ended on that day (UTC), holds it and the logs that were taken in
    against our charges and the settlement, and keeps what it found. Of a centre of which only history is kept the logs
    are the accounting. Of days that are over this happens by itself."""
    name = CentreName(centre)
    async with asked(deps, token) as at:
        if day > operator(at, deps).date():
            raise _future()
        of = await get_centre(at.session, name)
        known = await looks(at.session, name, start=day, end=day + timedelta(days=1))
    logs = partial(logged, deps.database, deps.logs.path)
    if of.is_reached:
        found = await reconcile_day(deps.database, deps.reach, dialect_named(of.dialect), logs, name, day)
    else:
        told = await logs(name, begins(day), begins(day + timedelta(days=1)))
        async with deps.database.begin() as session:
            found = await reconcile_logged(session, name, day, told)
    async with asked(deps, token) as at:
        await keep_look(at.session, found, known[0] if known else None, now=operator(at, deps))
        look, mismatches = await look_at(at.session, name, day)
    return _shown(look, mismatches)


def _future() -> Invalid:
    return Invalid("day: today or before (UTC).", "day：须为今天或更早的日期（UTC）。", field="day")


def _shown(look: Look, mismatches: list[Mismatch]) -> ReconciliationModel:
    return ReconciliationModel(**_fields(look), mismatches=[_mismatch(one) for one in mismatches])


def _fields(look: Look) -> dict[str, object]:
    return {
        "centre": look.centre,
        "day": look.day,
        "state": look.state.value,
        "looked_at": look.at,
        "looks": look.attempt,
        "records": look.records,
        "untold": look.untold,
        "accounted": shown.money(Money(look.accounted_micro)),
        "charged": shown.money(Money(look.charged_micro)),
        "settled": shown.money(Money(look.settled_micro)),
        "differences": look.differences,
        "off": shown.money(Money(look.off_micro)),
        "reason_en": look.reason_en,
        "reason_zh": look.reason_zh,
    }


def _mismatch(one: Mismatch) -> MismatchModel:
    return MismatchModel(
        cause=one.cause.value,
        record_id=one.record_id,
        project=one.project,
        amount=shown.money(Money(one.micro)),
        en=one.en,
        zh=one.zh,
    )
