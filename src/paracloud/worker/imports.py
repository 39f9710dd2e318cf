"""Old logs that wait are taken in beside the centres, and held against what was taken in: every worker does it, each
import by one of them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog

from paracloud.history.carry_out import carry_out_next
from paracloud.history.reconcile_logs import reconcile_logs_next
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import ParacloudError
from paracloud.kit.identifiers import BlobId

log = structlog.get_logger()

LOOK = timedelta(seconds=2)
TROUBLE = timedelta(seconds=10)


async def take_in(database: Database, clock: Clock, where: Callable[[BlobId], Path]) -> None:
    """Until cancelled."""
    while True:
        try:
            if not await carry_out_next(database, clock, where) and not await reconcile_logs_next(
                database, clock, where
            ):
                await clock.sleep(LOOK)
        except ParacloudError as trouble:
            log.warning("import.failed", code=trouble.code, reason=trouble.en)
            await clock.sleep(TROUBLE)
        except Exception as crash:  # the loop's edge: a defect in one file must not stop the centres
            log.exception("import.crashed", error=repr(crash))
            await clock.sleep(TROUBLE)
