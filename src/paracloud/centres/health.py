"""What a round's end says about a centre."""

from datetime import datetime

from paracloud.centres.centre import Health
from paracloud.kit.errors import ParacloudError


def after_round(before: Health | None, error: ParacloudError | None, *, now: datetime) -> Health:
    """A good round makes it well at once; a failed one counts, and keeps since when."""
    if error is None:
        return Health(now, 0, None, None, None)
    failures = 1 if before is None else before.failures + 1
    since = before.failing_since if before is not None and before.failing_since is not None else now
    return Health(now, failures, since, error.en[:500], error.zh[:500])
