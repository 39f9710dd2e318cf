"""Accounting without the rows that cannot be true: one of them stops nobody else's."""

from datetime import datetime

from paracloud.dialects.records import Accounted, AccountingRecord, Unread
from paracloud.kit.errors import Broken
from paracloud.metering.usage import require_over, require_possible


def sift(told: Accounted, now: datetime | None = None) -> Accounted:
    """Rows with figures that no machine can have, or with an end to come, are among those that are not understood. An
    end that is to come by a clock that is ahead is read when it has come. Without `now` any end will do."""
    records, unread = [], [*told.unread]
    for one in told.records:
        try:
            require_possible(one)
            if now is not None:
                require_over(one, now)
            records.append(one)
        except Broken as wrong:
            unread.append(_doubted(one, wrong))
    return told if len(records) == len(told.records) else Accounted(tuple(records), tuple(unread))


def _doubted(one: AccountingRecord, wrong: Broken) -> Unread:
    """In our words: in the centre's own there may be a mark that each answer has anew, and it is to be told of once."""
    row = (
        f"{one.record_id} {one.native_state} {one.elapsed_seconds} s, {one.cores} cores, {one.nodes} nodes, "
        f"{one.gpus} GPUs, {one.memory_bytes} bytes"
    )
    return Unread(one.native_id, one.account, one.ended_at, wrong.en, wrong.zh, row)
