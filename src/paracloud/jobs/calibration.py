"""How often what was said of jobs held: of their waits, their run times and their costs, by centre."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_calibration, store_waits
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import CentreName


@dataclass(frozen=True, slots=True)
class Calibration:
    """`count`: jobs of which it is known. `held`: the part of them that P90 held for: it should be 0.9. `ratio`: half
    of them came to less than this times P50: it should be 1. None where nothing is known."""

    count: int
    held: float | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class CentreCalibration:
    """`overdue`: jobs that wait longer than their P90 and have not started. They are among `wait`, for the bound did
    not hold whenever they start, but for the ratio; and so are those that were moved away later than that."""

    centre: CentreName
    wait: Calibration
    run: Calibration
    cost: Calibration
    overdue: int


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model of waits: see `placement.train_waits.Scores`. Where it `is_used` it beat the plain rule."""

    trained_at: datetime
    jobs: int
    judged: int
    is_used: bool
    loss: Decimal
    plain_loss: Decimal
    held: Decimal
    plain_held: Decimal


async def calibrations(
    session: AsyncSession, *, since: datetime, now: datetime, centre: CentreName | None = None
) -> Sequence[CentreCalibration]:
    """Of what was said from `since` on."""
    rows = {row.centre: row for row in await store_calibration.counted(session, since=since, now=now, centre=centre)}
    left = await store_calibration.left_late(session, since=since, centre=centre)
    return [_calibration(at, rows.get(at), left.get(at, 0)) for at in sorted(rows.keys() | left.keys())]


async def models(session: AsyncSession, limit: int) -> Sequence[Model]:
    """The newest first."""
    return [
        Model(
            trained_at=row.trained_at,
            jobs=row.jobs,
            judged=row.judged,
            is_used=row.is_used,
            loss=row.loss,
            plain_loss=row.plain_loss,
            held=row.held,
            plain_held=row.plain_held,
        )
        for row in await store_waits.models(session, limit)
    ]


def _calibration(centre: CentreName, row: AnyRow | None, left: int) -> CentreCalibration:
    """`row` None: of no job that is there any more anything was said."""
    if row is None:
        nothing = Calibration(0, None, None)
        return CentreCalibration(centre, Calibration(left, 0.0, None), nothing, nothing, 0)
    return CentreCalibration(
        centre, _of(row, "wait", row.overdue + left), _of(row, "run"), _of(row, "cost"), row.overdue
    )


def _of(row: AnyRow, kind: str, missed: int = 0) -> Calibration:
    count, held, ratio = (getattr(row, f"{kind}_{what}") for what in ("count", "held", "ratio"))
    count += missed
    return Calibration(count, held / count if count else None, ratio)
