"""Each thing that is wrong with a price, a contract or dedicated nodes is said by its own name."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError
from tests.paracloud.billing.builders import EAST, NOW, world

from paracloud.billing.contract import Lent, add_contract
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import CentreName, OrganisationId, PriceVersionId, ProjectId, new_uuid
from paracloud.kit.money import Money

DAY = timedelta(days=1)
NOWHERE, NOBODY, NO_ONE = CentreName("nowhere"), ProjectId(new_uuid()), OrganisationId(new_uuid())


@pytest.mark.parametrize(
    ("centre", "changes", "kind", "field", "en", "zh"),
    [
        (EAST, {}, Conflict, "valid_from", "end that version first", "请先结束"),
        (NOWHERE, {}, Invalid, "centre", "no centre nowhere", "超算中心 nowhere 不存在"),
        (EAST, {"project": NOBODY}, Invalid, "project", "no such project", "课题组不存在"),
        (EAST, {"organisation": NO_ONE}, Invalid, "organisation", "no such organisation", "组织不存在"),
        (EAST, {"project": NOBODY, "organisation": NO_ONE}, Invalid, "project", "not both", "二者不可兼有"),
    ],
)
async def test_a_price_is_refused_for_what_is_wrong_with_it(database, centre, changes, kind, field, en, zh):
    await world(database)
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(1), None, "CNY", **changes)
    async with database.begin() as session:
        with pytest.raises(kind) as told:
            await add_price(session, centre, "cpu", price, person="op", now=NOW, valid_from=NOW)
    assert (told.value.field, en in told.value.en, zh in told.value.zh) == (field, True, True)


@pytest.mark.parametrize(
    ("centre", "changes", "kind", "field", "en", "zh"),
    [
        (EAST, {}, Conflict, "valid_from", "end that one first", "请先结束"),
        (NOWHERE, {}, Invalid, "centre", "no centre nowhere", "超算中心 nowhere 不存在"),
        (EAST, {"queue": "q", "lent": Lent(NOBODY, 1)}, Invalid, "owner", "no such project", "课题组不存在"),
    ],
)
async def test_a_contract_is_refused_for_what_is_wrong_with_it(database, centre, changes, kind, field, en, zh):
    await world(database)
    async with database.begin() as session:
        with pytest.raises(kind) as told:
            await add_contract(session, centre, 8000, person="op", now=NOW, valid_from=NOW, **changes)
    assert (told.value.field, en in told.value.en, zh in told.value.zh) == (field, True, True)


@pytest.mark.parametrize(
    ("changes", "kind", "field", "en"),
    [
        ({}, Conflict, "valid_from", "end that first"),
        ({"centre": NOWHERE}, Invalid, "centre", "no centre nowhere"),
        ({"project": NOBODY, "queue": "own"}, Invalid, "project", "no such project"),
    ],
)
async def test_dedicated_nodes_are_refused_for_what_is_wrong_with_them(database, changes, kind, field, en):
    opened = await world(database)
    nodes = Dedication(new_dedication_id(), opened.project, EAST, "cpu", 1, Money(0), 0, NOW, None)
    async with database.begin() as session:
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
        with pytest.raises(kind) as told:
            await dedicate(
                session, replace(nodes, id=new_dedication_id(), **changes), person="op", now=NOW, is_unseen=True
            )
    assert (told.value.field, en in told.value.en) == (field, True)


async def test_what_nobody_foresaw_is_a_defect_and_gets_no_wrong_reason(database):
    opened = await world(database)
    with pytest.raises(IntegrityError, match="pk_price_versions"):
        async with database.begin() as session:
            await add_price(session, EAST, "other", opened.price, person="op", now=NOW, valid_from=NOW)
