"""What the operator puts right, as typed calls."""

from uuid import UUID

from paracloud.client.calls import Calls
from paracloud.wire.corrections import RatedModel, RateRequest


class CorrectionCalls(Calls):
    """What `paracloud.client.client.Client` can put right."""

    def rate(self, usage: UUID, body: RateRequest) -> RatedModel:
        """Its repetition in the same words changes nothing."""
        return self._post(f"/operator/usages/{usage}:rate", RatedModel, body, is_repeatable=True)
