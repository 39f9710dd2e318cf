"""Sums of usage, as a typed call."""

from datetime import date

from paracloud.client.calls import Calls
from paracloud.wire.usage import UsageReportModel


class UsageCalls(Calls):
    """What `paracloud.client.client.Client` can ask of usage."""

    def usage_report(self, by: str, start: date | None = None, end: date | None = None) -> UsageReportModel:
        """Days are [start, end), UTC."""
        query = {"by": by} | {name: day.isoformat() for name, day in (("from", start), ("to", end)) if day is not None}
        return self._get("/usage/report", UsageReportModel, query)
