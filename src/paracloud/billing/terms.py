"""At which price and share each usage is charged, for a whole batch in a few queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_decisions
from paracloud.billing.charges import Before, Unrated
from paracloud.billing.contract import Contract, contracts_of
from paracloud.billing.dedication import Dedication, dedications_of
from paracloud.billing.pick import Customer, Terms, pick_contract, pick_price
from paracloud.billing.price import Version, versions
from paracloud.billing.rate import Price
from paracloud.identity.overview import Standing, standings_of
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import CentreName, PriceVersionId, UsageId
from paracloud.metering.listing import measured_at
from paracloud.metering.usage import Usage

CHOOSING = ("queue", "qos", "nodes")
SPAN = ("started_at", "ended_at")
"""What of a measurement says which terms are the usage's; the span, whether it was on dedicated nodes."""
NOTHING_DECIDED: Mapping[UsageId, PriceVersionId] = MappingProxyType({})


async def terms_of(
    session: AsyncSession,
    usages: Sequence[Usage],
    before: Mapping[UsageId, Before],
    pinned: Mapping[str, PriceVersionId],
    decided: Mapping[UsageId, PriceVersionId] = NOTHING_DECIDED,
) -> dict[UsageId, Terms | Unrated]:
    """The price that a person decided on, also on the customer's own nodes, with the contract of where it ran; else
    those of the usage's first charge,
    unless the centre has corrected what chooses them since; else the price that the job was accepted with, where it ran
    in the queue that it was accepted for; else the price of its queue when it was submitted, of the product line that
    its project had then. The share is the contract's at that time. What is on the customer's own nodes is judged by
    when it ran: the seconds while they are his are paid by the month."""
    as_charged, by_word = await _as_charged(session, usages, before)
    places = {(usage.key.centre, usage.queue) for usage in (*usages, *as_charged.values())}
    by_person = {decided[usage.id] for usage in usages if usage.id in decided}
    found = await versions(session, places, {*pinned.values(), *by_person, *(one.price for one in before.values())})
    by_id = {version.price.id: version for version in found}
    by_place: dict[tuple[CentreName, str], list[Version]] = {place: [] for place in places}
    for version in found:
        by_place.setdefault((version.centre, version.queue), []).append(version)
    contracts = await contracts_of(session, {centre for centre, _ in places})
    agreed = {one.id: one for one in contracts}
    projects = {usage.project for usage in usages}
    standings = await standings_of(session, projects)
    dedicated = await dedications_of(session, projects)

    def fresh(usage: Usage) -> Terms | Unrated:
        accepted_with = pinned.get(usage.reference) if usage.reference is not None else None
        pin = by_id.get(accepted_with) if accepted_with is not None else None
        candidates = by_place[usage.key.centre, usage.queue]
        return _fresh(usage, standings[usage.project], pin, candidates, contracts, dedicated)

    chosen: dict[UsageId, Terms | Unrated] = {}
    for usage in usages:
        if usage.id in decided:
            chosen[usage.id] = _agreed(by_id[decided[usage.id]].price, usage, contracts)
            continue
        known, was = before.get(usage.id), as_charged.get(usage.id, usage)
        if known is not None and usage.id in by_word:
            price = by_id[known.price].price
            of_then, of_now = (_agreed(price, one, contracts) for one in (was, usage))
            chosen[usage.id] = Terms(price, agreed[known.contract]) if of_then == of_now else of_now
            continue
        if known is None or (was is not usage and fresh(was) != fresh(usage)):
            chosen[usage.id] = fresh(usage)
            continue
        own = _covering(usage, dedicated) if known.dedication is not None else ()
        chosen[usage.id] = Terms(by_id[known.price].price, agreed[known.contract], own)
    return chosen


async def _as_charged(
    session: AsyncSession, usages: Sequence[Usage], before: Mapping[UsageId, Before]
) -> tuple[dict[UsageId, Usage], Collection[UsageId]]:
    """Those that the centre has corrected, with what chose their terms when they were charged last; and those of them
    of which a person chose the price."""
    again = {
        usage: known.revision
        for usage in usages
        if (known := before.get(usage.id)) is not None and not known.is_reversed and known.revision < usage.revision
    }
    if not again:
        return {}, ()
    words = await store_decisions.newest(session, [usage.id for usage in again])
    figures = await measured_at(session, [(usage.id, at) for usage, at in again.items()])
    was = {usage.id: _as_measured(usage, figures[usage.id, at]) for usage, at in again.items()}
    return was, {usage for usage, word in words.items() if not word.waives}


def _as_measured(usage: Usage, figures: Mapping[str, object]) -> Usage:
    same: dict[str, Any] = {name: figures[name] for name in CHOOSING if name in figures}
    same |= {name: _a_time(figures[name]) for name in SPAN}
    return replace(usage, **same)


def _a_time(text: object) -> datetime | None:
    return None if text is None else datetime.fromisoformat(str(text))


def _fresh(
    usage: Usage,
    standing: Standing,
    pin: Version | None,
    candidates: Collection[Version],
    contracts: Collection[Contract],
    dedicated: Collection[Dedication],
) -> Terms | Unrated:
    when, centre = usage.key.submitted_at, usage.key.centre
    is_where_accepted = pin is not None and (pin.centre, pin.queue) == (centre, usage.queue)
    if pin is not None and is_where_accepted:
        price = pin.price
    else:
        holding = [one.price for one in candidates if one.holds_at(when)]
        line = standing.lines.at(when)
        picked = pick_price(holding, Customer(usage.project, standing.organisation, line), usage.qos)
        if picked is None:
            return _unrated("price", "价格", f"{centre}/{usage.queue}", when, _of_line(line))
        price = picked
    agreed = _agreed(price, usage, contracts)
    if isinstance(agreed, Unrated) or usage.is_duplicate:
        return agreed
    own = _covering(usage, dedicated)
    return replace(agreed, dedicated=own) if own else agreed


def _covering(usage: Usage, dedicated: Collection[Dedication]) -> tuple[Dedication, ...]:
    """Those that held while it ran, or for what never ran, as it ended."""
    start, end = usage.started_at or usage.ended_at, usage.ended_at
    place = (usage.project, usage.key.centre, usage.queue)
    return tuple(
        one
        for one in dedicated
        if one.covers(*place, usage.nodes) and (one.holds_of(start, end) or one.holds_at(start) or one.holds_at(end))
    )


def _agreed(price: Price, usage: Usage, contracts: Collection[Contract]) -> Terms | Unrated:
    """That price, with the contract that held when the usage was submitted."""
    when, centre = usage.key.submitted_at, usage.key.centre
    contract = pick_contract([one for one in contracts if one.holds_at(when)], centre, usage.queue)
    return _unrated("contract", "合同", centre, when) if contract is None else Terms(price, contract)


def _unrated(what_en: str, what_zh: str, place: str, when: datetime, more: tuple[str, str] = ("", "")) -> Unrated:
    at, (en, zh) = when.isoformat(), more
    return Unrated(f"no {what_en} held for {place} at {at}{en}", f"{place} 在 {at} 没有有效的{what_zh}{zh}")


def _of_line(line: ProductLine) -> tuple[str, str]:
    """Said where a version may be there that is of another line."""
    if line is ProductLine.GENERAL:
        return ", of the general line", "（通用产品线）"
    return f", of the line {line} or the general one", f"（{line} 或通用产品线）"
