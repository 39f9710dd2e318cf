"""Centres and queues."""

from collections.abc import Collection
from typing import TypedDict
from uuid import UUID

from fastapi import APIRouter

from paracloud.api.deps import Asked, TheDeps, Token, asked
from paracloud.api.provision import shown_provision
from paracloud.api.shown_queues import shape
from paracloud.billing.pick import ANYBODY, Customer, pick_price
from paracloud.billing.price import prices_at
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import write_rule
from paracloud.centres.centre import NOTHING_SAID, SeenQueue
from paracloud.centres.registry import all_centres, healths, provisions, seen_queues
from paracloud.identity.overview import standings_of
from paracloud.kit.identifiers import ProjectId
from paracloud.wire.grid import CentreList, CentreModel, QueueList, QueueModel

router = APIRouter(tags=["grid"])


class _Cost(TypedDict):
    """What a queue's model says of its price."""

    core_hour: str | None
    card_hour: str | None
    rule: dict[str, object] | None
    currency: str | None


NO_COST = _Cost(core_hour=None, card_hour=None, rule=None, currency=None)


@router.get("/centres")
async def centres(deps: TheDeps, token: Token) -> CentreList:
    async with asked(deps, token) as at:
        found, health = await all_centres(at.session), await healths(at.session)
        said = await provisions(at.session)
    return CentreList(
        items=[
            CentreModel(
                name=one.name,
                title_en=one.title_en,
                title_zh=one.title_zh,
                region=one.region,
                dialect=one.dialect,
                is_enabled=one.is_enabled,
                is_well=health[one.name].failures == 0 if one.name in health else None,
                failing_since=health[one.name].failing_since if one.name in health else None,
                sick_since=health[one.name].sick_since if one.name in health else None,
                error_en=health[one.name].error_en if one.name in health else None,
                error_zh=health[one.name].error_zh if one.name in health else None,
                commands_per_minute=one.commands_per_minute,
                **shown_provision(said.get(one.name, NOTHING_SAID)),
            )
            for one in found
        ]
    )


@router.get("/queues")
async def queues(deps: TheDeps, token: Token, project: UUID | None = None) -> QueueList:
    """Every partition as the last probe saw it, with what it costs the project, or all projects of the caller, where
    they have one price."""
    async with asked(deps, token) as at:
        customers = await _customers(at, None if project is None else ProjectId(project))
        found, prices = await seen_queues(at.session), await prices_at(at.session, deps.clock.now())
    return QueueList(items=[_queue(one, prices.get((one.centre, one.info.name), ()), customers) for one in found])


async def _customers(at: Asked, project: ProjectId | None) -> list[Customer]:
    """Who asks; whoever is in no project is anybody. NotFound for a foreign one."""
    if project is not None:
        at.caller.require_reader(project)
    standings = await standings_of(at.session, at.caller.reads() if project is None else [project])
    return [Customer(one, of.organisation, of.lines.now) for one, of in standings.items()] or [ANYBODY]


def _queue(one: SeenQueue, prices: Collection[Price], customers: Collection[Customer]) -> QueueModel:
    costs = [_cost(pick_price(prices, customer, "")) for customer in customers]
    is_same = all(cost == costs[0] for cost in costs)
    known = costs[0] if is_same else NO_COST
    return QueueModel(**shape(one.info), **known, centre=one.centre, differs=not is_same, seen_at=one.seen_at)


def _cost(price: Price | None) -> _Cost:
    if price is None:
        return NO_COST
    return _Cost(
        core_hour=f"{price.core_hour:f}",
        card_hour=None if price.card_hour is None else f"{price.card_hour:f}",
        rule=None if price.rule is None else write_rule(price.rule),
        currency=price.currency,
    )
