"""Until when dedicated nodes are their customers', as it looks now: what runs on them later costs its price."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.dedication import Dedication, dedications_of
from paracloud.billing.entry import wallet
from paracloud.billing.fee import fee, fee_key, fee_months
from paracloud.billing.funding import credit_line
from paracloud.billing.period import begins, month_after, month_of
from paracloud.kit.identifiers import DedicationId, ProjectId


@dataclass(frozen=True, slots=True)
class Ends:
    """Dedications as they will have ended."""

    dedications: tuple[Dedication, ...]

    def free_until(self, of: DedicationId, nodes: int) -> datetime | None:
        """The end of these nodes, or of those of the same queue that follow them without a gap and are enough; None:
        no end is in sight."""
        first = next(one for one in self.dedications if one.id == of)
        end = first.valid_to
        while end is not None:
            place = (first.project, first.centre, first.queue, nodes)
            following = (one for one in self.dedications if one.covers(*place) and one.holds_at(end))
            after = next(following, None)
            if after is None:
                return end
            end = after.valid_to
        return None


async def ends_of(session: AsyncSession, projects: Collection[ProjectId], now: datetime) -> Ends:
    """A dedication ends when it is agreed, or before the first month up to the next one whose fee the wallet with its
    credit line could not pay if all that is due until then were asked for now."""
    until = month_after(month_of(now))
    dedications = await dedications_of(session, projects)
    each = [(one, month) for one in dedications for month in fee_months(one, until) if fee(one, month)]
    posted = await store.posted(session, [fee_key(one, month) for one, month in each])
    due = {(one.id, month) for one, month in each if fee_key(one, month) not in posted}
    left = {one: await store.balance(session, wallet(one)) + await credit_line(session, one) for one in projects}
    return Ends(tuple(after_fees(dedications, due, left, until)))


def after_fees(
    dedications: Sequence[Dedication],
    due: Collection[tuple[DedicationId, date]],
    left: Mapping[ProjectId, int],
    until: date,
) -> list[Dedication]:
    """As they are when the fees that are due up to the month `until` were taken, in the order of `post_fees`, of what
    each project has left. Who has paid for a later month keeps his nodes, as there. Pure."""
    rest, lapsed = dict(left), dict[DedicationId, datetime]()
    for month in sorted({month for _, month in due}):
        for one in dedications:
            if (one.id, month) not in due or one.id in lapsed:
                continue
            micro = fee(one, month)
            if rest[one.project] >= micro:
                rest[one.project] -= micro
            elif not any((one.id, later) not in due for later in fee_months(one, until) if later > month):
                lapsed[one.id] = max(begins(month), one.valid_from)
    return [replace(one, valid_to=lapsed.get(one.id, one.valid_to)) for one in dedications]
