"""Ways to pay, as typed calls."""

from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel

from paracloud.client.calls import Calls
from paracloud.wire.account import BookedModel, Created, TopUpRequest
from paracloud.wire.paying import (
    BudgetList,
    DedicationList,
    FundingChangeModel,
    FundingRequest,
    PayingModel,
    PeriodList,
    UsersBudgetRequest,
)


class PayingCalls(Calls):
    """What `paracloud.client.client.Client` can ask of how projects pay."""

    def paying(self, project: UUID) -> PayingModel:
        return self._get(f"/projects/{project}/paying", PayingModel)

    def paying_of(self, project: UUID) -> PayingModel:
        """As the operator sees it."""
        return self._get(f"/operator/projects/{project}/paying", PayingModel)

    def top_up(self, body: TopUpRequest) -> BookedModel:
        return self._post("/operator/top-ups", BookedModel, body)

    def sell(self, what: str, body: BaseModel, *, key: str | None = None) -> Created:
        """packages or dedications: once, also where the connection breaks and it is sent again."""
        headers: dict[str, Any] = {"Idempotency-Key": key or str(uuid4())}
        return self._post(f"/operator/{what}", Created, body, headers=headers, is_repeatable=True)

    def fund(self, project: UUID, body: FundingRequest) -> FundingChangeModel:
        """What the body does not set stays as it is. `before` is of the last try, where the connection broke."""
        return self._patch(f"/operator/projects/{project}/funding", FundingChangeModel, body)

    def budgets(self, project: UUID) -> BudgetList:
        return self._get(f"/projects/{project}/budgets", BudgetList)

    def set_users_budget(self, project: UUID, body: UsersBudgetRequest) -> Created:
        return self._post(f"/projects/{project}/budgets", Created, body)

    def end_users_budget(self, project: UUID, budget: UUID) -> Created:
        return self._post(f"/projects/{project}/budgets/{budget}:end", Created, None)

    def all_budgets(self, *, with_past: bool = False) -> BudgetList:
        return self._get("/operator/budgets", BudgetList, {"with_past": with_past})

    def all_dedications(self, *, with_past: bool = False) -> DedicationList:
        return self._get("/operator/dedications", DedicationList, {"with_past": with_past})

    def end_budget(self, budget: UUID) -> Created:
        return self._post(f"/operator/budgets/{budget}:end", Created, None)

    def periods(self) -> PeriodList:
        return self._get("/operator/periods", PeriodList)
