"""Every route of the API as the access tests know it: what it needs, and a request of it that its owner may make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from tests.paracloud.api.house import READ, House, Person, Tenant, job
from tests.paracloud.jobs.world import EAST, HOST_KEY

CONTENT = b"input of the owner"
NOTHING = "00000000-0000-7000-8000-000000000000"
SILENT_PORT = 1
"""Nobody listens there."""
REAL_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti"
READS, WRITES, OWNS, OPERATES, SPEAKS = "reads", "writes", "owns", "operates", "speaks"
"""OWNS: an owner of the project. The last: for the centre that the path names."""


@dataclass(frozen=True)
class Things:
    """What one tenant has, under the names that paths give it; `entry` is a top-up in the ledger."""

    owner: Tenant
    job: str
    token: str
    entry: str
    price: str = "00000000-0000-7000-8000-000000000000"
    dedication: str = "00000000-0000-7000-8000-000000000000"
    budget: str = "00000000-0000-7000-8000-000000000000"
    users_budget: str = "00000000-0000-7000-8000-000000000000"
    import_id: str = "00000000-0000-7000-8000-000000000000"
    blob: str = sha256(CONTENT).hexdigest()

    def path(self, template: str) -> str:
        return template.format(
            project=self.owner.project,
            organisation=self.owner.organisation,
            whose="projects",
            payer=self.owner.project,
            job=self.job,
            id=self.token,
            sha256=self.blob,
            login=self.owner.login,
            centre=EAST,
            price=self.price,
            day="2026-06-01",
            month="2020-01",
            dedication=self.dedication,
            import_id=self.import_id,
            usage=NOTHING,
            package=NOTHING,
            settlement_id=NOTHING,
            dispute_id=NOTHING,
            budget=self.budget,
            users_budget=self.users_budget,
        )


@dataclass(frozen=True)
class Route:
    """`foreign` names what of the request is somebody's: path, query or body parts that hold an id."""

    needs: str
    body: Callable[[Things], Mapping[str, Any]] | None = None
    foreign: frozenset[str] = frozenset()
    query: Callable[[Things], Mapping[str, Any]] | None = None
    content: bytes | None = None

    def request(self, things: Things) -> dict[str, Any]:
        return {
            key: value
            for key, value in {
                "json": self.body(things) if self.body else None,
                "params": self.query(things) if self.query else None,
                "content": self.content,
            }.items()
            if value is not None
        }


def of(needs: str, *foreign: str, **more) -> Route:
    return Route(needs, foreign=frozenset(foreign), **more)


def operates(body: Callable[[Things], Mapping[str, Any]], *named: str) -> Route:
    return Route(OPERATES, body, frozenset(named))


def _centre(_things: Things) -> dict[str, Any]:
    return {
        "name": "south",
        "title_en": "South",
        "title_zh": "南",
        "host": "127.0.0.1",
        "host_key": HOST_KEY,
        "service_account": "watcher",
        "accounts": ["south0"],
    }


def _way(_things: Things) -> dict[str, Any]:
    return {
        "name": "south",
        "host": "127.0.0.1",
        "port": SILENT_PORT,
        "host_key": REAL_KEY,
        "service_account": "watcher",
        "accounts": ["south0"],
    }


def _trial(things: Things) -> dict[str, Any]:
    return _way(things) | {"dialect": "slurm", "queue": "cpu"}


def _price(_things: Things) -> dict[str, Any]:
    return {"centre": EAST, "queue": "fast", "core_hour": "0.50", "is_unseen": True}


def _token(_things: Things) -> dict[str, Any]:
    return {"name": "second", "scopes": ["read"], "days": 1}


def _contract(_things: Things) -> dict[str, Any]:
    start, end = "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"
    return {"centre": EAST, "share_basis_points": 8000, "valid_from": start, "valid_to": end}


def _package(of: Things) -> dict[str, Any]:
    return {"project": str(of.owner.project), "name": "包", "amount": "10", "expires_at": "2100-01-01T00:00:00Z"}


def _dedication(of: Things) -> dict[str, Any]:
    where = {"project": str(of.owner.project), "centre": EAST, "queue": "long"}
    return where | {"nodes": 4, "monthly": "0", "share_basis_points": 0}


def _import(of: Things) -> dict[str, Any]:
    owners = {"lin": str(of.owner.project)}
    return {"sha256": of.blob, "name": "old.log", "centre": EAST, "format": "sacct", "owners": owners}


def _budget(of: Things) -> dict[str, Any]:
    return {"project": str(of.owner.project), "amount": "1000"}


ROUTES: dict[str, Route] = {
    "GET /whoami": of(READS),
    "GET /tokens": of(READS),
    "POST /tokens": of(WRITES, body=_token),
    "GET /projects/{project}/balance": of(READS, "path project"),
    "GET /projects/{project}/statement": of(READS, "path project"),
    "GET /centres": of(READS),
    "GET /queues": of(READS, "query project", query=lambda of: {"project": str(of.owner.project)}),
    "POST /jobs": of(WRITES, "body project", body=lambda of: job(of.owner)),
    "POST /jobs:batch": of(WRITES, "body jobs.project", body=lambda of: {"jobs": [job(of.owner), job(of.owner)]}),
    "GET /jobs": of(READS, "query project", query=lambda of: {"project": str(of.owner.project)}),
    "POST /quotes": of(READS, "body project", body=lambda of: job(of.owner)),
    "GET /jobs/{job}": of(READS, "path job"),
    "GET /jobs/{job}/files": of(READS, "path job"),
    "GET /jobs/{job}/content": of(READS, "path job", query=lambda _: {"path": "slurm.out"}),
    "GET /jobs/{job}/logs": of(READS, "path job"),
    "GET /jobs/{job}/profile": of(READS, "path job"),
    "GET /jobs/{job}/profile/files": of(READS, "path job"),
    "POST /jobs/{job}:hold": of(WRITES, "path job"),
    "POST /jobs/{job}:release": of(WRITES, "path job"),
    "POST /jobs/{job}:cancel": of(WRITES, "path job"),
    "PUT /projects/{project}/blobs/{sha256}": of(WRITES, "path project", content=CONTENT),
    "HEAD /projects/{project}/blobs/{sha256}": of(WRITES, "path project"),
    "DELETE /tokens/{id}": of(WRITES, "path id"),
    "POST /operator/organisations": operates(lambda _: {"name": "新组织", "category": "institute"}),
    "POST /operator/projects": operates(
        lambda of: {"organisation": str(of.owner.organisation), "name": "新课题"}, "body organisation"
    ),
    "PUT /operator/projects/{project}/product-line": of(
        OPERATES, "path project", body=lambda _: {"product_line": "general"}
    ),
    "POST /operator/users": operates(lambda _: {"login": "zhao"}),
    "POST /operator/users/{login}/tokens": operates(_token),
    "PUT /operator/members": operates(
        lambda of: {"login": of.owner.login, "project": str(of.owner.project), "role": "member"}, "body project"
    ),
    "POST /operator/top-ups": operates(
        lambda of: {"project": str(of.owner.project), "amount": "1.00", "key": str(uuid4())}, "body project"
    ),
    "POST /operator/prices": operates(_price, "body project", "body organisation"),
    "POST /operator/contracts": operates(_contract, "body owner"),
    "POST /operator/centres": operates(_centre),
    "POST /operator/centres:check": operates(
        lambda of: _centre(of) | {"name": "north", "accounts": ["north0"], "test_account": "north0"}
    ),
    "GET /operator/centres/{centre}": of(OPERATES),
    "PATCH /operator/centres/{centre}": operates(lambda _: {"commands_per_minute": 100, "reason": "agreed anew"}),
    "PATCH /operator/centres/{centre}/provision": operates(lambda _: {"applications": ["lammps"], "trust": 1}),
    "POST /operator/centres/{centre}:drain": Route(OPERATES),
    "POST /operator/centres/{centre}:resume": Route(OPERATES),
    "POST /operator/centres/{centre}:vacate": operates(lambda _: {"queue": "gone"}),
    "GET /operator/centres/{centre}/stranded": of(OPERATES),
    "POST /operator/centres/{centre}:give-up": operates(lambda _: {"reason": "the substation burnt down"}),
    "PUT /operator/projects/{project}/residency": of(OPERATES, "path project", body=lambda _: {"regions": ["华东"]}),
    "POST /operator/reversals": operates(
        lambda of: {"entry": of.entry, "reason": "mistyped", "anyway": True}, "body entry", "body usage"
    ),
    "POST /operator/adjustments": operates(
        lambda of: {"project": str(of.owner.project), "amount": "1.00", "reason": "x", "key": str(uuid4())},
        "body project",
    ),
    "POST /operator/packages/{package}:end": of(OPERATES, "path package", body=lambda _: {"reason": "x"}),
    "POST /operator/usages/{usage}:reverse": of(OPERATES, "path usage", body=lambda _: {"reason": "x"}),
    "POST /operator/usages/{usage}:rate": of(
        OPERATES, "path usage", "body price", body=lambda _: {"waive": True, "reason": "x"}
    ),
    "GET /operator/organisations": of(OPERATES),
    "GET /operator/projects": of(OPERATES),
    "GET /operator/packages": of(OPERATES, "query project", query=lambda of: {"project": str(of.owner.project)}),
    "GET /operator/projects/{project}/balance": of(OPERATES, "path project"),
    "GET /operator/projects/{project}/statement": of(OPERATES, "path project"),
    "GET /operator/jobs/{job}/bill": of(OPERATES, "path job"),
    "GET /operator/check": of(OPERATES),
    "GET /operator/prices": of(OPERATES),
    "GET /operator/contracts": of(OPERATES),
    "POST /operator/prices/{price}:end": of(OPERATES, "path price", body=lambda _: {}),
    "POST /operator/contracts/{centre}:end": operates(lambda _: {}),
    "GET /operator/unrated": of(OPERATES),
    "POST /operator/unrated:charge": of(OPERATES),
    "POST /operator/host-keys": operates(lambda _: {"host": "127.0.0.1", "port": SILENT_PORT}),
    "POST /operator/surveys": operates(_way),
    "POST /operator/trials": operates(_trial),
    "GET /operator/forecasts": of(OPERATES),
    "GET /operator/reconciliations": of(OPERATES),
    "GET /operator/reconciliations/{centre}/{day}": of(OPERATES),
    "POST /operator/reconciliations/{centre}/{day}": of(OPERATES),
    "POST /operator/reconciliations/{centre}/{day}:collect": of(OPERATES),
    "GET /operator/notices": of(OPERATES),
    "GET /projects/{project}/paying": of(READS, "path project"),
    "GET /projects/{project}/budgets": of(READS, "path project"),
    "POST /projects/{project}/budgets": of(
        OWNS, "path project", body=lambda of: {"login": of.owner.login, "amount": "1000"}
    ),
    "POST /projects/{project}/budgets/{users_budget}:end": of(OWNS, "path project", "path users_budget"),
    "GET /projects/{project}/notices": of(READS, "path project"),
    "POST /projects/{project}/receipts:issue": of(WRITES, "path project"),
    "GET /projects/{project}/receipts": of(READS, "path project"),
    "GET /jobs/{job}/bill": of(READS, "path job"),
    "GET /projects/{project}/statements/{month}": of(READS, "path project"),
    "GET /projects/{project}/statements/{month}/file": of(
        READS, "path project", query=lambda _: {"format": "pdf", "language": "zh"}
    ),
    "GET /organisations/{organisation}/statements/{month}": of(READS, "path organisation"),
    "GET /organisations/{organisation}/statements/{month}/file": of(
        READS, "path organisation", query=lambda _: {"format": "csv"}
    ),
    "GET /operator/{whose}/{payer}/statements/{month}": of(OPERATES, "path payer"),
    "GET /operator/{whose}/{payer}/statements/{month}/file": of(
        OPERATES, "path payer", query=lambda _: {"format": "xlsx"}
    ),
    "GET /receipt-keys": of(READS),
    "GET /centres/{centre}/settlements": of(SPEAKS),
    "GET /centres/{centre}/settlements/{month}": of(SPEAKS),
    "GET /centres/{centre}/settlements/{month}/lines": of(SPEAKS),
    "POST /centres/{centre}/settlements/{month}:confirm": of(SPEAKS),
    "POST /centres/{centre}/settlements/{month}:dispute": of(
        SPEAKS, "body usage", body=lambda _: {"usage": NOTHING, "reason": "x"}
    ),
    "GET /operator/settlements": of(OPERATES),
    "POST /operator/disputes/{dispute_id}:answer": of(OPERATES, "path dispute_id", body=lambda _: {"answer": "x"}),
    "POST /operator/settlements/{settlement_id}:pay": of(
        OPERATES, "path settlement_id", body=lambda _: {"payment": "1"}
    ),
    "PUT /operator/centre-people": operates(lambda of: {"login": of.owner.login, "centre": EAST}),
    "GET /operator/centre-people": of(OPERATES),
    "DELETE /operator/centre-people/{centre}/{login}": of(OPERATES),  # after that user was let speak
    "POST /operator/packages": operates(_package, "body project"),
    "GET /operator/dedications": of(OPERATES),
    "GET /operator/budgets": of(OPERATES),
    "POST /operator/dedications": operates(_dedication, "body project"),
    "POST /operator/dedications/{dedication}:end": of(OPERATES, "path dedication", body=lambda _: {}),
    "PATCH /operator/projects/{project}/funding": of(OPERATES, "path project", body=lambda _: {}),
    "GET /operator/projects/{project}/paying": of(OPERATES, "path project"),
    "POST /operator/budgets": operates(_budget, "body project", "body organisation"),
    "POST /operator/budgets/{budget}:end": of(OPERATES, "path budget"),
    "GET /usage/report": of(READS, query=lambda _: {"by": "day,project,user,product-line"}),
    "GET /operator/periods": of(OPERATES),
    "PUT /operator/logs/{sha256}": of(OPERATES, content=CONTENT),
    "POST /operator/imports": operates(_import),
    "GET /operator/imports": of(OPERATES),
    "GET /operator/imports/{import_id}": of(OPERATES, "path import_id"),
    "GET /operator/imports/{import_id}/faults": of(OPERATES, "path import_id"),
    "GET /operator/periods/{month}": of(OPERATES),
    "POST /operator/periods/{month}:close": of(OPERATES, body=lambda _: {"anyway": True}),
    "POST /operator/settlements/{month}:state": of(OPERATES),  # after the month was closed
}
IN_TURN = {
    "POST /operator/packages/{package}:end",
    "POST /operator/usages/{usage}:rate",
    "POST /operator/usages/{usage}:reverse",
    "POST /operator/disputes/{dispute_id}:answer",
    "POST /operator/settlements/{settlement_id}:pay",
    "GET /operator/reconciliations/{centre}/{day}",
    "POST /operator/centres/{centre}:give-up",
    "POST /operator/centres/{centre}:vacate",
    "POST /operator/host-keys",
}
"""What goes on from an earlier step, or needs a machine that answers: it has tests of its own."""
NOT_AN_OWNERS = {
    "GET /jobs": {"query cursor"},
    "GET /operator/unrated": {"query after"},
    "POST /operator/centres/{centre}:give-up": {"body after"},
}
"""Ids that are a place in a list and open nothing."""


async def things_of(house: House, owner: Tenant) -> Things:
    await house.blob(owner, CONTENT)
    _, token = await house.token(owner.user, READ)
    entry = await house.one("SELECT id::text FROM ledger_entries WHERE key = :key", key=f"top-up:first-{owner.login}")
    price = await house.one("SELECT id::text FROM price_versions WHERE (centre, queue) = ('east', 'cpu')")
    dedication, budget, users = await house.agreed(owner)
    import_id = await house.imported(owner, CONTENT)
    return Things(owner, await house.submit(owner), str(token), entry, price, dedication, budget, users, import_id)


async def ask(house: House, who: Person | str | None, name: str, things: Things):
    """This route's request about these things."""
    method, _, path = name.partition(" ")
    return await house.ask(who, method, things.path(path), **ROUTES[name].request(things))
