"""A queue that is gone for good, and what became of those who waited for it, on the wire."""

from paracloud.wire.base import Model, Text


class VacateRequest(Model):
    queue: Text


class VacatedModel(Model):
    """How many jobs went to other centres at once, are on their way there, ended at once, and are being cancelled at
    the centre. `has_more`: others may still wait; ask again."""

    moved: int
    leaving: int
    ended: int
    cancelling: int
    has_more: bool
