"""Who may ask what: every route of the API document against every kind of stranger."""

import pytest
from tests.paracloud.api.house import PREFIX, READ, WRITE, House, Person, Tenant, nobodys
from tests.paracloud.api.routes import (
    IN_TURN,
    NOT_AN_OWNERS,
    OPERATES,
    OWNS,
    READS,
    ROUTES,
    SPEAKS,
    WRITES,
    Things,
    ask,
    things_of,
)
from tests.paracloud.jobs.world import EAST

from paracloud.identity.caller import Role

TENANTS = [name for name, route in ROUTES.items() if route.needs not in (OPERATES, SPEAKS)]
FOREIGN = [name for name in TENANTS if ROUTES[name].foreign]
REFUSALS = {401, 403, 404}
"""What nobody hears about a thing of their own."""


@pytest.fixture
async def wangs(house: House, wang: Tenant) -> Things:
    return await things_of(house, wang)


def operations(house: House) -> dict[str, set[str]]:
    """Each route of the document, with the parts of its request that hold an id."""
    document = house.app.openapi()
    schemas = document["components"]["schemas"]
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            ids = {f"{one['in']} {one['name']}" for one in operation.get("parameters", []) if _is_id(one["schema"])}
            if body := operation.get("requestBody", {}).get("content", {}).get("application/json"):
                ids |= {f"body {name}" for name in _ids_in(body["schema"], schemas)}
            found[f"{method.upper()} {path.removeprefix(PREFIX)}"] = ids
    return found


def _ids_in(schema: dict, schemas: dict, above: str = "") -> set[str]:
    """By their path; those of what a list holds, below the list's name."""
    found = set()
    (named,) = [one["$ref"] for one in (schema, *schema.get("anyOf", [])) if "$ref" in one]
    for name, one in schemas[named.rsplit("/", 1)[1]]["properties"].items():
        if _is_id(one):
            found.add(above + name)
        elif "$ref" in one.get("items", {}):
            found |= _ids_in(one["items"], schemas, f"{above}{name}.")
    return found


def _is_id(schema: dict) -> bool:
    return any(one.get("format") == "uuid" for one in (schema, *schema.get("anyOf", [])))


async def answers(house: House, names, who, things: Things) -> dict[str, int]:
    return {name: (await ask(house, who, name, things)).status_code for name in names}


async def test_every_route_of_the_document_and_every_id_in_it_is_known_here(house: House) -> None:
    known = {name: route.foreign | NOT_AN_OWNERS.get(name, set()) for name, route in ROUTES.items()}
    assert operations(house) == known


async def test_every_answer_but_a_refusal_is_had_by_the_owner(house: House, wang, wangs: Things, boss: Person) -> None:
    head = await house.colleague(wang, "head", Role.OWNER)
    owning = [name for name in TENANTS if ROUTES[name].needs == OWNS]
    members = [name for name in TENANTS if name not in owning]
    given = await answers(house, members, wang, wangs) | await answers(house, owning, head, wangs)
    assert {name: code for name, code in given.items() if code in REFUSALS} == {}
    operating = [name for name, route in ROUTES.items() if route.needs == OPERATES and name not in IN_TURN]
    operated = await answers(house, operating, boss, wangs)
    assert {name: code for name, code in operated.items() if 400 <= code < 500} == {}


async def test_nothing_of_another_tenant_is_there(house: House, lin: Tenant, wangs: Things) -> None:
    before = await house.contents()
    assert await answers(house, FOREIGN, lin, wangs) == dict.fromkeys(FOREIGN, 404)
    assert await house.contents() == before


async def test_a_foreign_thing_and_one_that_is_not_there_look_alike(house: House, lin: Tenant, wangs: Things) -> None:
    nothing = Things(wangs.owner, nobodys(), nobodys(), nobodys(), blob="0" * 64)
    for name in [one for one in FOREIGN if "{job}" in one or "{id}" in one]:
        foreign, absent = [await ask(house, lin, name, things) for things in (wangs, nothing)]
        bodies = [one.json() | {"request_id": None} for one in (foreign, absent)]
        assert bodies[0] == bodies[1], name
        assert foreign.headers["content-type"] == "application/problem+json"


async def test_the_operators_own_scope_opens_no_tenants_things(house: House, boss: Person, wangs: Things) -> None:
    assert await answers(house, FOREIGN, boss, wangs) == dict.fromkeys(FOREIGN, 404)


@pytest.mark.parametrize("token", [None, "pc_nobodys", "junk", "pc_" + "x" * 10_000])
async def test_without_a_good_token_nothing_is_told(house: House, wangs: Things, token: str | None) -> None:
    before = await house.contents()
    assert await answers(house, ROUTES, token, wangs) == dict.fromkeys(ROUTES, 401)
    assert await house.contents() == before


async def test_a_revoked_token_opens_nothing(house: House, wang: Tenant, wangs: Things) -> None:
    token, id_ = await house.token(wang.user, READ, WRITE)
    assert (await house.ask(token, "GET", "/whoami")).status_code == 200
    assert (await house.ask(wang, "DELETE", f"/tokens/{id_}")).status_code == 204
    assert await answers(house, ROUTES, token, wangs) == dict.fromkeys(ROUTES, 401)


async def test_an_expired_token_opens_nothing(house: House, wang: Tenant, wangs: Things) -> None:
    expires = (await house.ask(wang, "GET", "/tokens")).json()["items"][0]["expires_at"]
    house.clock.at = type(house.clock.at).fromisoformat(expires)
    assert await answers(house, ROUTES, wang, wangs) == dict.fromkeys(ROUTES, 401)


async def test_a_token_that_only_reads_changes_nothing(house: House, wang: Tenant, wangs: Things) -> None:
    before = await house.contents()
    found = await answers(house, TENANTS, wang.reading, wangs)
    writing = [name for name in TENANTS if ROUTES[name].needs in (WRITES, OWNS)]
    assert {name: found[name] for name in writing} == dict.fromkeys(writing, 403)
    assert {name: code for name, code in found.items() if ROUTES[name].needs == READS and code in REFUSALS} == {}
    assert await house.contents() == before


async def test_a_viewer_changes_nothing_of_the_project(house: House, wang: Tenant, wangs: Things) -> None:
    viewer = await house.colleague(wang, "song", Role.VIEWER)
    before = await house.contents()
    names = [name for name in FOREIGN if "{id}" not in name and ROUTES[name].needs in (WRITES, OWNS)]
    assert await answers(house, names, viewer, wangs) == dict.fromkeys(names, 403)
    owning = [name for name in names if ROUTES[name].needs == OWNS]
    assert await answers(house, owning, wang, wangs) == dict.fromkeys(owning, 403)
    assert await house.contents() == before


async def test_only_the_operator_operates(house: House, lin: Tenant, boss: Person, wangs: Things) -> None:
    names = [name for name, route in ROUTES.items() if route.needs == OPERATES]
    assert all("/operator/" in name for name in names)
    modest, _ = await house.token(boss.user, READ, WRITE)
    before = await house.contents()
    for who in (lin, lin.administering, modest):
        assert await answers(house, names, who, wangs) == dict.fromkeys(names, 403)
    assert await house.contents() == before


OF_QUERIES = {
    "start": "2026-05-01T00:00:00Z",
    "end": "2026-06-01T00:00:00Z",
    "month": "2026-05",
    "project": nobodys(),
    "after": nobodys(),
    "centre": EAST,
    "queue": "cpu",
    "format": "csv",
    "language": "en",
}
"""A value of each parameter that an operator's query may have."""


async def test_no_query_opens_an_operators_route_to_another(house: House, lin: Tenant, wangs: Things) -> None:
    paths = house.app.openapi()["paths"].items()
    reading = {path: one["get"].get("parameters", []) for path, one in paths if "/operator/" in path and "get" in one}
    assert len(reading) > 5
    for path, parameters in reading.items():
        query = {one["name"]: _sample(one) for one in parameters if one["in"] == "query"}
        answer = await house.ask(lin, "GET", wangs.path(path), to_root=True, params=query)
        assert answer.status_code == 403, (path, query, answer.text)


def _sample(parameter: dict) -> str:
    kind = parameter["schema"].get("type")
    return {"integer": "1", "boolean": "true"}.get(kind) or OF_QUERIES[parameter["name"]]


async def test_lists_show_only_what_is_ones_own(house: House, lin: Tenant, wangs: Things) -> None:
    mine = await house.submit(lin)
    jobs, tokens, me = [(await house.ask(lin, "GET", path)).json() for path in ("/jobs", "/tokens", "/whoami")]
    assert [one["id"] for one in jobs["items"]] == [mine]
    assert str(wangs.owner.token_id) not in {one["id"] for one in tokens["items"]}
    assert [one["id"] for one in me["projects"]] == [str(lin.project)]
    behind = await house.ask(lin, "GET", "/jobs", params={"cursor": wangs.job})
    assert wangs.job not in behind.text


async def test_a_token_gives_no_more_than_it_has(house: House, lin: Tenant) -> None:
    wish = {"name": "more", "scopes": ["read", "admin"], "days": 1}
    assert (await house.ask(lin, "POST", "/tokens", json=wish)).status_code == 403


async def test_a_token_that_only_reads_can_end_itself(house: House, lin: Tenant) -> None:
    token, id_ = await house.token(lin.user, READ)
    assert (await house.ask(token, "DELETE", f"/tokens/{id_}")).status_code == 204
    assert (await house.ask(token, "GET", "/whoami")).status_code == 401


async def test_only_whoever_speaks_for_a_centre_and_the_operator_see_its_settlement(
    house: House, wang: Tenant, wangs: Things, boss: Person
) -> None:
    names = [name for name, route in ROUTES.items() if route.needs == SPEAKS]
    assert await answers(house, names, wang, wangs) == dict.fromkeys(names, 404)
    assert await answers(house, names, None, wangs) == dict.fromkeys(names, 401)
    listing = "GET /centres/{centre}/settlements"
    assert (await ask(house, boss, listing, wangs)).status_code == 200
    modest, _ = await house.token(boss.user, READ, WRITE)
    assert await answers(house, names, modest, wangs) == dict.fromkeys(names, 403)
    body = {"login": wang.login, "centre": "west"}
    assert (await house.ask(boss, "PUT", "/operator/centre-people", json=body)).status_code == 204
    assert (await ask(house, wang, listing, wangs)).status_code == 404
    assert (await house.ask(wang, "GET", "/centres/west/settlements")).status_code == 200
