"""How often forecasts held, on the wire."""

from pydantic import Field

from paracloud.wire.base import Model, Time
from paracloud.wire.paying import Centre


class CalibrationModel(Model):
    count: int = Field(description="Jobs of which it is known.")
    held: float | None = Field(description="The part of them that P90 held for; it should be 0.9.")
    ratio: float | None = Field(description="The median of what came, divided by P50; it should be 1.")


class CentreCalibrationModel(Model):
    centre: Centre
    wait: CalibrationModel
    run: CalibrationModel
    cost: CalibrationModel
    overdue: int = Field(
        description="Jobs that still wait, and longer than their P90: misses, counted with the waits that are over."
    )


class WaitModelModel(Model):
    """Judged by the newest jobs, which it had not seen. `loss`: pinball loss of P50 and P90 in log10 of seconds."""

    trained_at: Time
    jobs: int
    judged: int
    is_used: bool = Field(description="It beat the plain rule; where the newest did not, that rule predicts.")
    loss: float
    plain_loss: float
    held: float = Field(description="The part of the judging jobs that P90 held for.")
    plain_held: float


class ForecastsModel(Model):
    centres: list[CentreCalibrationModel] = Field(description="By name; those of which nothing was said are not there.")
    models: list[WaitModelModel] = Field(description="The last few models of waits, the newest first.")
