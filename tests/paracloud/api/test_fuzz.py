"""Requests that schemathesis makes from the API document, fitting it and not: none of them is a defect of the server.

Derandomised, so that a run finds what the last one found. The cases are sent by our own client, on one event loop: the
database's connections belong to it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.paracloud.api.house import House, Person, open_house
from tests.paracloud.api.routes import Things, things_of
from tests.paracloud.jobs.world import EAST, HOST_KEY, SCRIPT

from paracloud.api.application import PREFIX
from paracloud.api.problems import MEDIA_TYPE
from paracloud.kit.database import Database

CASES = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
NUMBERS = count(1)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DONE = {
    "DELETE /tokens/{id}",
    "GET /jobs/{job}",
    "GET /projects/{project}/statement",
    "HEAD /projects/{project}/blobs/{sha256}",
    "POST /jobs",
    "POST /jobs/{job}:cancel",
    "POST /quotes",
}
"""Some routes that the cases must get to the end of; else they no longer get past the first checks."""
OPERATED = {f"POST /operator/{one}" for one in ("organisations", "prices", "projects", "top-ups")}
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def run() -> Iterator[Run]:
    """Whatever is awaited here, on one loop; hypothesis itself is not asynchronous."""
    loop = asyncio.new_event_loop()
    yield loop.run_until_complete
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def fuzzed(run: Run, database_url: str, tmp_path: Path) -> Iterator[House]:
    database = Database.connect(database_url)
    house = run(open_house(database, tmp_path / "blobs"))
    yield house
    run(house.close())
    run(database.close())


@pytest.mark.timeout(900)  # every route, many times: minutes, where the machine is slow
@pytest.mark.parametrize("as_operator", [False, True], ids=["tenant", "operator"])
def test_no_request_of_any_form_is_a_defect(fuzzed: House, run: Run, as_operator: bool) -> None:
    lin = run(fuzzed.tenant("lin"))
    who = run(fuzzed.operator()) if as_operator else lin
    things = run(things_of(fuzzed, lin))
    document = schemathesis.openapi.from_dict(fuzzed.app.openapi())
    done = set()
    for result in document.get_all_operations():
        operation = result.ok()
        has_input = {"parameters", "requestBody"} & set(operation.definition.raw)
        for mode in MODES if has_input else MODES[:1]:
            statuses = _try_all(fuzzed, run, who, things, operation.as_strategy(generation_mode=mode))
            done |= {operation.label.replace(PREFIX, "")} if min(statuses) < 300 else set()
    assert done >= (OPERATED if as_operator else DONE)


def _try_all(house: House, run: Run, who: Person, things: Things, cases: st.SearchStrategy[Case]) -> list[int]:
    statuses = []

    @CASES
    @given(cases, st.booleans())
    def one(case: Case, is_own: bool) -> None:
        if is_own:
            _make_own(case, things)
        answer = run(_send(house, who, case))
        statuses.append(answer.status_code)
        if not (answer.status_code == 503 and "/reconciliations/" in case.path):  # no centre stands behind this house
            case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400 and case.method != "HEAD":
            assert answer.headers["content-type"] == MEDIA_TYPE
            assert answer.json()["detail_zh"]

    one()
    return statuses


def _make_own(case: Case, things: Things) -> None:
    """Ids that are there and texts that are read first, so that a request gets further than to the first refusal."""
    own = {
        "project": str(things.owner.project),
        "job": things.job,
        "id": things.token,
        "sha256": things.blob,
        "login": things.owner.login,
        "organisation": str(things.owner.organisation),
        "entry": things.entry,
        "centre": EAST,
        "script": SCRIPT,
        "options": {"time": "10"},
        "amount": "1.00",
        "core_hour": "0.5",
        "rule": None,
        "host_key": HOST_KEY,
        "dialect": "slurm",
        "objective": "soonest",
        "constraints": {},  # at random hardly any can be met
        "environment": {},
        "inputs": [],
    }
    for part in (case.path_parameters, case.body, case.query):
        if isinstance(part, dict):
            part.update({name: own[name] for name in part if name in own})
    if case.path.endswith("/jobs"):
        case.headers.pop("Idempotency-Key", None)  # a drawn one is often none
        if isinstance(case.body, dict):
            case.body.pop("name", None)
    if case.path.endswith("/prices") and isinstance(case.body, dict):
        case.body.setdefault("core_hour", own["core_hour"])  # it is this or a rule; both are optional to the document
        case.body |= {"queue": f"q{next(NUMBERS)}", "is_unseen": True}  # drawn names are hardly ever printable


async def _send(house: House, who: Person, case: Case) -> httpx.Response:
    made = case.as_transport_kwargs(base_url="http://house")
    headers = {name: value for name, value in made["headers"].items() if name.lower() != "authorization"}
    body = {"json": made["json"]} if "json" in made else {"content": made["data"]} if made.get("data") else {}
    client = house._client(who.token)
    return await client.request(made["method"], made["url"], params=made.get("params"), headers=_latin(headers), **body)


def _latin(headers: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """As they go over the wire."""
    return [
        (str(name).encode("latin-1", "replace"), str(value).encode("latin-1", "replace"))
        for name, value in headers.items()
    ]
