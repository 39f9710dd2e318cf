"""The operator changes what a centre was connected with: its address and host key, its budget, patience, region."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres import store, store_changes
from paracloud.centres.centre import Centre, Way
from paracloud.centres.connect_centre import check_host_key, check_terms
from paracloud.centres.lent_once import require_unlent
from paracloud.centres.registry import reached_centre
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName

log = structlog.get_logger()


class Changes(TypedDict, total=False):
    """Of a Centre, what becomes another; the rest stays."""

    host: str
    port: int
    host_key: str
    commands_per_minute: int
    patience: timedelta
    overrun: timedelta
    region: str


async def change_terms(
    session: AsyncSession, name: CentreName, changes: Changes, *, person: str, reason: str, now: datetime
) -> Centre:
    """What it is now; who tends it begins anew with that. It is the same centre, by another door at the most: its
    scheduler and its accounts are not changed. Another address comes with the host key that was vouched for there.
    NotFound; Conflict where only its history is kept, or where another centre at that machine lends one of its
    accounts; Invalid names the field at fault."""
    await store_changes.lock(session, name)
    before = await reached_centre(session, name)
    after = replace(before, **changes)
    check_terms(after)
    check_host_key(after.host_key)
    _require_reason(reason)
    if (before.host, before.port) != (after.host, after.port) and "host_key" not in changes:
        raise Invalid(
            "host_key: another address comes with the host key that is to be pinned there.",
            "host_key：更改地址时须同时给出要固定的主机密钥。",
            field="host_key",
        )
    if after == before:
        return after
    if (way := _way(after)) != _way(before):
        await require_unlent(session, way, name, await store.lent_accounts(session, name))
    await store_changes.change(session, before, after, person=person, reason=reason, now=now)
    log.info("centre.changed", centre=name, person=person, reason=reason, at=now.isoformat(), fields=sorted(changes))
    return after


def _way(to: Centre) -> Way:
    return Way.to(to.host, to.port, to.host_key)


def _require_reason(text: str) -> None:
    if not text.strip():
        raise Invalid(
            "reason: say why, for whoever reads it later.", "reason：请说明原因，供日后查阅。", field="reason"
        )
