"""How often forecasts held, for the operator."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.centres.registry import get_centre
from paracloud.jobs.calibration import calibrations, models
from paracloud.kit.identifiers import CentreName
from paracloud.wire.forecasts import CentreCalibrationModel, ForecastsModel, WaitModelModel
from paracloud.wire.paying import Centre

router = APIRouter(prefix="/operator", tags=["operator"])
MODELS_SHOWN = 5
Days = Annotated[int, Query(ge=1, le=3660, description="What was said within so many days.")]


@router.get("/forecasts")
async def forecasts(
    deps: TheDeps, token: Token, centre: Annotated[Centre | None, Query()] = None, days: Days = 30
) -> ForecastsModel:
    """By centre: how often the P90 of a job's wait, run time and cost held, and how far its P50 was off."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        of = None if centre is None else (await get_centre(at.session, CentreName(centre))).name
        found = await calibrations(at.session, since=now - timedelta(days=days), now=now, centre=of)
        trained = await models(at.session, MODELS_SHOWN)
    return ForecastsModel(
        centres=[CentreCalibrationModel.model_validate(asdict(one)) for one in found],
        models=[WaitModelModel.model_validate(asdict(one)) for one in trained],
    )
