"""A day's three books side by side, on the wire."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import Model, MoneyModel, Time
from paracloud.wire.paying import Centre, Month

State = Literal["agrees", "differs", "unanswered"]


class LookModel(Model):
    """The last look at what ended at the centre on that day (UTC): its accounting, our charges, and what is settled
    with it. `off`: the sizes of all differences together. Where the centre did not answer there is a reason, and every
    figure is 0."""

    centre: Centre
    day: date
    state: State
    looked_at: Time
    looks: int = Field(description="How many there were.")
    records: int
    untold: int = Field(
        description="Usages of ours that neither the centre nor a log tells, and it need not: they ended before it was "
        "connected, or it shows nobody's but those of the accounts that it lends. They are held against price and "
        "contract alone."
    )
    accounted: MoneyModel = Field(
        description="What the accounting comes to by price and contract, but for what a person reversed or waived."
    )
    charged: MoneyModel
    settled: MoneyModel
    differences: int
    off: MoneyModel
    reason_en: str | None
    reason_zh: str | None


class LookList(Model):
    items: list[LookModel] = Field(description="By centre and day.")


class MismatchModel(Model):
    """`amount`: how much we have too much, or, negative, too little."""

    cause: str
    record_id: str
    project: UUID
    amount: MoneyModel
    en: str
    zh: str


class ReconciliationModel(LookModel):
    mismatches: list[MismatchModel]


class CollectedModel(Model):
    """Records of one day that were read again: `new` were missed until now, `corrected` had other figures, `known` were
    as they are. `unclaimed` are of accounts that no project has; `waiting` of jobs whose native id is not known yet."""

    new: int
    corrected: int
    known: int
    unclaimed: int
    waiting: int


class OpenDayModel(Model):
    """A day that does not agree: `state` is None where nobody could look at it."""

    centre: Centre
    day: date
    state: State | None
    off: MoneyModel


class CloseRequest(Model):
    """`anyway`: also where days of the month do not agree, or nothing was charged in it and no centre was read."""

    anyway: bool = False


class ClosingModel(Model):
    """What stands against closing a month. `is_closed`: it takes no charge any more; `later_closed`: since that later
    month is closed, and it was never closed itself. First: it `is_over`, no month before it is open (`open_before`),
    nothing is `unrated`. `unreconciled` days, and a month that `is_untouched` by charges and by any centre's
    accounting, are closed with `anyway` only."""

    month: Month
    is_closed: bool
    later_closed: Month | None
    is_over: bool
    open_before: Month | None
    unrated: int
    unreconciled: list[OpenDayModel]
    is_untouched: bool


class ClosedModel(Model):
    """`is_new`: it was closed now, and not before. `later_closed`: it was never closed itself, but takes no charge any
    more, as that later month is closed. `unreconciled`: its days that do not agree; what a correction of
    them charges falls into the next month."""

    month: Month
    is_new: bool
    later_closed: Month | None
    unreconciled: list[OpenDayModel]
