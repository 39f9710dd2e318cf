"""What the operator puts right, as typed calls."""

from uuid import UUID

from paracloud.client.calls import Calls
from paracloud.wire.account import BookedModel
from paracloud.wire.corrections import (
    AdjustmentRequest,
    EndedModel,
    EndPackageRequest,
    RatedModel,
    RateRequest,
    ReversedModel,
    ReverseUsageRequest,
)


class CorrectionCalls(Calls):
    """What `paracloud.client.client.Client` can put right."""

    def adjust(self, body: AdjustmentRequest) -> BookedModel:
        """Once: by its number."""
        return self._post("/operator/adjustments", BookedModel, body, is_repeatable=True)

    def end_package(self, package: UUID, body: EndPackageRequest) -> EndedModel:
        return self._post(f"/operator/packages/{package}:end", EndedModel, body)

    def rate(self, usage: UUID, body: RateRequest) -> RatedModel:
        """Its repetition in the same words changes nothing."""
        return self._post(f"/operator/usages/{usage}:rate", RatedModel, body, is_repeatable=True)

    def reverse_usage(self, usage: UUID, body: ReverseUsageRequest) -> ReversedModel:
        return self._post(f"/operator/usages/{usage}:reverse", ReversedModel, body)
