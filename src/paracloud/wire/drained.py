"""Whether a centre takes new jobs, on the wire."""

from paracloud.wire.base import Model


class DrainedModel(Model):
    centre: str
    is_drained: bool
