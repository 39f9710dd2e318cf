"""At which price and share each usage is charged, for a whole batch in two queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.charges import Before, Unrated
from paracloud.billing.contract import Contract, contracts_of
from paracloud.billing.price import Version, versions
from paracloud.billing.rate import Price
from paracloud.kit.identifiers import CentreName, PriceVersionId, UsageId
from paracloud.metering.usage import Usage


@dataclass(frozen=True, slots=True)
class Terms:
    price: Price
    share_basis_points: int


async def terms_of(
    session: AsyncSession,
    usages: Sequence[Usage],
    before: Mapping[UsageId, Before],
    pinned: Mapping[str, PriceVersionId],
) -> dict[UsageId, Terms | Unrated]:
    """Those of the usage's first charge; else the price that the job was accepted with, where it ran in the queue that
    it was accepted for; else the price of its queue when it was submitted. The share is the contract's at that time."""
    places = {(usage.key.centre, usage.queue) for usage in usages}
    found = await versions(session, places, {*pinned.values(), *(known.price for known in before.values())})
    by_id = {version.price.id: version for version in found}
    by_place: dict[tuple[CentreName, str], list[Version]] = {place: [] for place in places}
    for version in found:
        by_place.setdefault((version.centre, version.queue), []).append(version)
    contracts = await contracts_of(session, {centre for centre, _ in places})
    chosen: dict[UsageId, Terms | Unrated] = {}
    for usage in usages:
        known = before.get(usage.id)
        if known is not None:
            chosen[usage.id] = Terms(by_id[known.price].price, known.share_basis_points)
            continue
        accepted_with = pinned.get(usage.reference) if usage.reference is not None else None
        pin = by_id.get(accepted_with) if accepted_with is not None else None
        chosen[usage.id] = _fresh(usage, pin, by_place[usage.key.centre, usage.queue], contracts)
    return chosen


def _fresh(
    usage: Usage, pin: Version | None, candidates: Collection[Version], contracts: Collection[Contract]
) -> Terms | Unrated:
    when = usage.key.submitted_at
    contract = next((one for one in contracts if one.centre == usage.key.centre and one.holds_at(when)), None)
    is_where_accepted = pin is not None and (pin.centre, pin.queue) == (usage.key.centre, usage.queue)
    holding = [pin] if pin is not None and is_where_accepted else [one for one in candidates if one.holds_at(when)]
    if not holding:
        return _unrated("price", "价格", f"{usage.key.centre}/{usage.queue}", when)
    if contract is None:
        return _unrated("contract", "合同", usage.key.centre, when)
    return Terms(min(holding, key=lambda one: one.price.product_line).price, contract.share_basis_points)


def _unrated(what_en: str, what_zh: str, place: str, when: datetime) -> Unrated:
    at = when.isoformat()
    return Unrated(f"no {what_en} held for {place} at {at}", f"{place} 在 {at} 没有有效的{what_zh}")
