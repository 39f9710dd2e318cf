"""Centres and queues."""

from fastapi import APIRouter

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.billing.pick import ANYBODY, pick_price
from paracloud.billing.price import prices_at
from paracloud.billing.rule_text import write_rule
from paracloud.centres.registry import all_centres, healths, seen_queues
from paracloud.wire.grid import CentreList, CentreModel, QueueList, QueueModel

router = APIRouter(tags=["grid"])


@router.get("/centres")
async def centres(deps: TheDeps, token: Token) -> CentreList:
    async with asked(deps, token) as at:
        found, health = await all_centres(at.session), await healths(at.session)
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
                error_en=health[one.name].error_en if one.name in health else None,
                error_zh=health[one.name].error_zh if one.name in health else None,
                commands_per_minute=one.commands_per_minute,
            )
            for one in found
        ]
    )


@router.get("/queues")
async def queues(deps: TheDeps, token: Token) -> QueueList:
    """Every partition as the last probe saw it, with its price."""
    async with asked(deps, token) as at:
        found, prices = await seen_queues(at.session), await prices_at(at.session, deps.clock.now())
    items = []
    for one in found:
        info, price = one.info, pick_price(prices.get((one.centre, one.info.name), ()), ANYBODY, "")
        items.append(
            QueueModel(
                centre=one.centre,
                name=info.name,
                is_up=info.is_up,
                nodes=info.nodes,
                cores=info.cores,
                free_cores=info.free_cores,
                cores_per_node=info.cores_per_node,
                memory_per_node_bytes=info.memory_per_node_bytes,
                gpus_per_node=info.gpus_per_node,
                gpu_model=info.gpu_model,
                max_wall_seconds=None if info.max_wall is None else int(info.max_wall.total_seconds()),
                max_nodes=info.max_nodes,
                core_hour=None if price is None else f"{price.core_hour:f}",
                card_hour=None if price is None or price.card_hour is None else f"{price.card_hour:f}",
                rule=None if price is None or price.rule is None else write_rule(price.rule),
                currency=None if price is None else price.currency,
                seen_at=one.seen_at,
            )
        )
    return QueueList(items=items)
