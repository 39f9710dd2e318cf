"""Reconciliation and the month's closing, as typed calls."""

from datetime import date
from urllib.parse import quote

from paracloud.client.calls import Calls
from paracloud.wire.notices import NoticeList
from paracloud.wire.reconciliation import (
    ClosedModel,
    CloseRequest,
    ClosingModel,
    CollectedModel,
    LookList,
    ReconciliationModel,
)


class ReconciliationCalls(Calls):
    """What `paracloud.client.client.Client` can ask of the books of days and months."""

    def reconcile(self, centre: str, day: date) -> ReconciliationModel:
        """Asks the centre now."""
        return self._post(_path(centre, day), ReconciliationModel, None, is_repeatable=True)

    def collect(self, centre: str, day: date) -> CollectedModel:
        """Reads the day's accounting again and settles it."""
        return self._post(f"{_path(centre, day)}:collect", CollectedModel, None, is_repeatable=True)

    def reconciliation(self, centre: str, day: date) -> ReconciliationModel:
        """As it was found last."""
        return self._get(_path(centre, day), ReconciliationModel)

    def reconciliations(
        self, month: str | None = None, centre: str | None = None, *, differing: bool = False
    ) -> LookList:
        query = {"month": month, "centre": centre, "differing": str(differing).lower()}
        given = {name: value for name, value in query.items() if value is not None}
        return self._get("/operator/reconciliations", LookList, given)

    def closing(self, month: str) -> ClosingModel:
        """What stands against closing a month."""
        return self._get(f"/operator/periods/{quote(month, safe='')}", ClosingModel)

    def close_period(self, month: str, *, anyway: bool = False) -> ClosedModel:
        path = f"/operator/periods/{quote(month, safe='')}:close"
        return self._post(path, ClosedModel, CloseRequest(anyway=anyway), is_repeatable=True)

    def operators_notices(self, *, after: int = 0, limit: int = 50) -> NoticeList:
        return self._get("/operator/notices", NoticeList, {"after": after, "limit": limit})


def _path(centre: str, day: date) -> str:
    return f"/operator/reconciliations/{quote(centre, safe='')}/{day}"
