"""Price versions of a centre's queue: which one holds when. An unknown queue has no price, and never means free."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.agreed import BEFORE, Agreed, holds
from paracloud.billing.rate import Price
from paracloud.billing.refused import no_centre, no_project, refused
from paracloud.billing.rule_text import read_rule, require_known_states, write_rule
from paracloud.billing.tables import PriceRow
from paracloud.billing.tiers import read_tiers, write_tiers
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Conflict, Invalid, NotFound, Refused
from paracloud.kit.identifiers import CentreName, OrganisationId, PriceVersionId, ProjectId

COLUMNS = (
    PriceRow.id, PriceRow.product_line, PriceRow.centre, PriceRow.queue, PriceRow.core_hour, PriceRow.card_hour,
    PriceRow.rule, PriceRow.qos, PriceRow.project_id, PriceRow.organisation_id, PriceRow.tiers, PriceRow.currency,
    PriceRow.valid_from, PriceRow.valid_to, PriceRow.created_at, PriceRow.created_by, PriceRow.ended_by,
)  # fmt: skip
HIGHEST = Decimal(1_000_000)
DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Version:
    """A price with the place and the time, [valid_from, valid_to), that it holds for; None: until it is ended. One that
    was withdrawn ends as it begins."""

    price: Price
    centre: CentreName
    queue: str
    valid_from: datetime
    valid_to: datetime | None
    agreed: Agreed = BEFORE

    def holds_at(self, when: datetime) -> bool:
        return holds(self.valid_from, self.valid_to, when)


async def add_price(
    session: AsyncSession,
    centre: CentreName,
    queue: str,
    price: Price,
    *,
    person: str,
    now: datetime,
    valid_from: datetime,
    valid_to: datetime | None = None,
) -> None:
    """Conflict where another version of the same product line, centre, queue, quality of service and customer holds at
    some of the same time."""
    _check("core_hour", price.core_hour)
    if price.card_hour is not None:
        _check("card_hour", price.card_hour)
    if price.rule is not None and (price.core_hour or price.card_hour):
        raise Invalid(
            "rule: a price has a rule, or a price of core-hours and card-hours; not both.",
            "rule：价格可为计费规则，或核时价与卡时价，二者不可兼有。",
            field="rule",
        )
    if price.rule is not None:
        require_known_states(price.rule)
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid(
            "valid_to: it must be later than valid_from.", "valid_to：必须晚于 valid_from。", field="valid_to"
        )
    row = PriceRow(
        id=price.id, product_line=price.product_line, centre=centre, queue=queue, core_hour=price.core_hour,
        card_hour=price.card_hour, rule=None if price.rule is None else write_rule(price.rule), qos=price.qos,
        project_id=price.project, organisation_id=price.organisation,
        tiers=None if price.tiers is None else write_tiers(price.tiers), currency=price.currency,
        valid_from=valid_from, valid_to=valid_to, created_at=now, created_by=person,
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError as error:
        raise refused(error, _reasons(centre, queue)) from error


async def end_price(session: AsyncSession, price: PriceVersionId, at: datetime, *, person: str, now: datetime) -> None:
    """The version holds until `at`, which is never in the past: what was offered is not taken back. One that has not
    begun is withdrawn by an end before its beginning, or at it, and never holds. NotFound; Invalid for a time that does
    not fit."""
    found = (await session.execute(select(*COLUMNS).where(PriceRow.id == price))).one_or_none()
    if found is None:
        raise NotFound("There is no such price version.", "价格版本不存在。", field="price")
    is_taken_back = at <= found.valid_from <= now
    if at < now or is_taken_back or (found.valid_to is not None and found.valid_to < max(at, found.valid_from)):
        raise Invalid(
            "at: a version ends now or later, after its beginning if it has begun, and not after the end that it has.",
            "at：结束时间不得早于现在；已生效的版本须晚于其生效时间；且不得晚于已定的结束时间。",
            field="at",
        )
    ended = {"valid_to": max(at, found.valid_from), "ended_by": person}
    await session.execute(update(PriceRow).where(PriceRow.id == price).values(ended))


async def prices_at(session: AsyncSession, now: datetime) -> dict[tuple[CentreName, str], list[Price]]:
    """Every price that holds now, by centre and queue, customers' own ones too: one query for a whole quote, and
    `billing.pick` chooses."""
    query = select(*COLUMNS).where(PriceRow.valid_from <= now, _open_at(now)).order_by(PriceRow.product_line)
    found: dict[tuple[CentreName, str], list[Price]] = {}
    for row in (await session.execute(query)).all():
        found.setdefault((CentreName(row.centre), row.queue), []).append(_price(row))
    return found


async def price_by_id(session: AsyncSession, price: PriceVersionId) -> Version:
    found = await versions(session, (), [price])
    if not found:
        raise NotFound("There is no such price version.", "价格版本不存在。", field="price")
    return found[0]


async def all_versions(session: AsyncSession) -> list[Version]:
    """By centre, queue, product line and beginning."""
    order = (PriceRow.centre, PriceRow.queue, PriceRow.product_line, PriceRow.valid_from)
    rows = (await session.execute(select(*COLUMNS).order_by(*order))).all()
    return [_version(row) for row in rows]


async def versions(
    session: AsyncSession, places: Collection[tuple[CentreName, str]], ids: Collection[PriceVersionId] = ()
) -> list[Version]:
    """All versions for these places (pairs of centre and queue), and those with these ids, in one query."""
    wanted = tuple_(PriceRow.centre, PriceRow.queue).in_(list(places))
    rows = (await session.execute(select(*COLUMNS).where(or_(wanted, PriceRow.id.in_(list(ids)))))).all()
    return [_version(row) for row in rows]


def _open_at(when: datetime) -> ColumnElement[bool]:
    return or_(PriceRow.valid_to.is_(None), PriceRow.valid_to > when)


def _check(field: str, value: Decimal) -> None:
    exponent = value.as_tuple().exponent
    if not value.is_finite() or not 0 <= value < HIGHEST or not isinstance(exponent, int) or exponent < -DECIMALS:
        raise Invalid(
            f"{field}: a price is 0 to {HIGHEST} with at most {DECIMALS} decimals.",
            f"{field}：价格为 0 到 {HIGHEST}，最多 {DECIMALS} 位小数。",
            field=field,
        )


def _reasons(centre: CentreName, queue: str) -> dict[str, Refused]:
    return {
        "price_versions_do_not_overlap": Conflict(
            f"{centre}/{queue} has a price for some of this time already; end that version first.",
            f"{centre}/{queue} 在此时段已有价格；请先结束该版本。",
            field="valid_from",
        ),
        "fk_price_versions_centre": no_centre(centre),
        "fk_price_versions_project_id": no_project(),
        "fk_price_versions_organisation_id": Invalid(
            "organisation: there is no such organisation.", "organisation：组织不存在。", field="organisation"
        ),
        "ck_price_versions_one_customer": Invalid(
            "project, organisation: a price is a project's own or an organisation's own, not both.",
            "project、organisation：价格可专属于一个课题组或一个组织，二者不可兼有。",
            field="project",
        ),
    }


def _version(row: Row[*tuple[Any, ...]]) -> Version:
    agreed = Agreed(row.created_at, row.created_by, row.ended_by)
    return Version(_price(row), CentreName(row.centre), row.queue, row.valid_from, row.valid_to, agreed)


def _price(row: Row[*tuple[Any, ...]]) -> Price:
    return Price(
        PriceVersionId(row.id), ProductLine(row.product_line), row.core_hour, row.card_hour, row.currency,
        rule=None if row.rule is None else read_rule(row.rule),
        qos=row.qos,
        project=None if row.project_id is None else ProjectId(row.project_id),
        organisation=None if row.organisation_id is None else OrganisationId(row.organisation_id),
        tiers=None if row.tiers is None else read_tiers(row.tiers),
    )  # fmt: skip
