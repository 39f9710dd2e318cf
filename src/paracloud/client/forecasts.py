"""How often forecasts held, as a typed call."""

from paracloud.client.calls import Calls
from paracloud.wire.forecasts import ForecastsModel


class ForecastCalls(Calls):
    """What `paracloud.client.client.Client` can ask of what was said of jobs."""

    def forecasts(self, centre: str | None = None, *, days: int = 30) -> ForecastsModel:
        """Of what was said within so many days; of one centre, or of all."""
        given = {"days": days} | ({} if centre is None else {"centre": centre})
        return self._get("/operator/forecasts", ForecastsModel, given)
