"""Settlement with centres, as typed calls."""

from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel

from paracloud.client.calls import Calls
from paracloud.wire.account import Created
from paracloud.wire.settlement import (
    AnswerRequest,
    CentrePersonList,
    DisputeRequest,
    PaymentRequest,
    SettledLineList,
    SettledLineModel,
    SettlementList,
    SettlementModel,
    SettlingModel,
    StatedModel,
)


class SettlementCalls(Calls):
    """What `paracloud.client.client.Client` can ask of settlement."""

    def settlements(self, centre: str) -> SettlementList:
        return self._get(_of(centre), SettlementList)

    def settlement(self, centre: str, month: str) -> StatedModel:
        return self._get(f"{_of(centre)}/{month}", StatedModel)

    def settled_lines(self, centre: str, month: str, day: str | None = None) -> Iterator[SettledLineModel]:
        """All of them, page by page."""
        query = {} if day is None else {"day": day}
        while True:
            page = self._get(f"{_of(centre)}/{month}/lines", SettledLineList, query)
            yield from page.items
            if page.next is None:
                return
            query = {**query, "after": page.next}

    def confirm_settlement(self, centre: str, month: str) -> SettlementModel:
        return self._post(f"{_of(centre)}/{month}:confirm", SettlementModel, None, is_repeatable=True)

    def dispute(self, centre: str, month: str, body: DisputeRequest) -> Created:
        return self._post(f"{_of(centre)}/{month}:dispute", Created, body)

    def state_settlements(self, month: str) -> SettlementList:
        return self._post(f"/operator/settlements/{month}:state", SettlementList, None, is_repeatable=True)

    def settling(self, month: str | None = None) -> SettlingModel:
        return self._get("/operator/settlements", SettlingModel, {} if month is None else {"month": month})

    def answer_dispute(self, dispute: UUID, body: AnswerRequest) -> SettlementModel:
        return self._post(f"/operator/disputes/{dispute}:answer", SettlementModel, body)

    def pay_settlement(self, settlement: UUID, body: PaymentRequest) -> SettlementModel:
        return self._post(f"/operator/settlements/{settlement}:pay", SettlementModel, body, is_repeatable=True)

    def let_speak(self, body: BaseModel) -> None:
        self._send("PUT", "/operator/centre-people", json=body.model_dump(mode="json"), is_repeatable=True)

    def centre_people(self, centre: str | None = None) -> CentrePersonList:
        return self._get("/operator/centre-people", CentrePersonList, {} if centre is None else {"centre": centre})

    def silence(self, centre: str, login: str) -> None:
        self._send("DELETE", f"/operator/centre-people/{quote(centre, safe='')}/{quote(login, safe='')}")


def _of(centre: str) -> str:
    return f"/centres/{quote(centre, safe='')}/settlements"
