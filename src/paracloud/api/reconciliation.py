"""A day's three books side by side, for the operator."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path

from paracloud.api import shown
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.billing.reconcile import Mismatch
from paracloud.jobs.reconcile_day import reconcile_day
from paracloud.kit.identifiers import CentreName
from paracloud.kit.money import Money
from paracloud.wire.tariffs import MismatchModel, ReconciliationModel

router = APIRouter(prefix="/operator", tags=["operator"])
Name = Annotated[str, Path(max_length=40)]


@router.get("/reconciliation/{centre}/{day}")
async def reconciliation(centre: Name, day: date, deps: TheDeps, token: Token) -> ReconciliationModel:
    """Asks the centre's accounting again for what ended on that day (UTC), and names every difference to our charges
    and to the settlement, with its cause and amount."""
    async with asked(deps, token) as at:
        at.caller.require_operator()
    found = await reconcile_day(deps.database, deps.reach, CentreName(centre), day)
    return ReconciliationModel(
        centre=found.centre,
        start=found.start,
        end=found.end,
        records=found.records,
        accounted=shown.money(Money(found.accounted_micro)),
        charged=shown.money(Money(found.charged_micro)),
        settled=shown.money(Money(found.settled_micro)),
        mismatches=[_mismatch(one) for one in found.mismatches],
    )


def _mismatch(one: Mismatch) -> MismatchModel:
    return MismatchModel(
        cause=one.cause.value,
        record_id=one.record_id,
        project=one.project,
        amount=shown.money(Money(one.micro)),
        en=one.en,
        zh=one.zh,
    )
