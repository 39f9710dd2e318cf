"""What jobs waited is learnt from beside the centres: once a day, by the first worker that comes to it."""

from datetime import timedelta

import structlog

from paracloud.jobs.learn_waits import learn_waits
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Broken, ParacloudError

log = structlog.get_logger()

EVERY = timedelta(minutes=10)


async def learn(database: Database, clock: Clock) -> None:
    """Until cancelled."""
    while True:
        try:
            is_used = await learn_waits(database, clock)
            if is_used is not None:
                log.info("waits.trained", is_used=is_used)
        except ParacloudError as trouble:
            log.warning("waits.not_trained", code=trouble.code, reason=trouble.en, evidence=_evidence(trouble))
        except Exception as crash:  # the loop's edge: a defect here must not stop the centres
            log.exception("waits.crashed", error=repr(crash))
        await clock.sleep(EVERY)


def _evidence(trouble: ParacloudError) -> str:
    return trouble.evidence.decode(errors="replace") if isinstance(trouble, Broken) else ""
