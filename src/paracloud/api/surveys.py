"""Before a centre is connected: the host key that it shows, what is found there, and a job on trial. Nothing of it is
kept."""

import asyncio
from datetime import timedelta
from functools import partial

from fastapi import APIRouter, Response

from paracloud.api.deps import Deps, TheDeps, Token, asked
from paracloud.api.operator import described_centre, operator
from paracloud.api.shown_queues import shape
from paracloud.centres.centre import Way
from paracloud.centres.connect_centre import check_address, check_plan, check_way
from paracloud.centres.lent_once import require_untaken
from paracloud.centres.survey import Finding, Survey, is_fit
from paracloud.centres.survey_centre import Lent, survey_centre
from paracloud.centres.try_job import Trial, try_job
from paracloud.dialects.registry import dialect_named
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.scout import fingerprint
from paracloud.transports.ssh import Address
from paracloud.wire.surveys import (
    FindingModel,
    HostKeyModel,
    HostKeyRequest,
    NodeTypeModel,
    PlanRequest,
    SurveyedQueueModel,
    SurveyModel,
    SurveyRequest,
    TrialModel,
    TrialRequest,
)

router = APIRouter(prefix="/operator", tags=["operator"])
UNKNOWN_KEY = "(paracloud-server authority-key)"
"""Where the authority runs on another machine."""


@router.post("/centres:check", status_code=204)
async def plan(body: PlanRequest, deps: TheDeps, token: Token) -> Response:
    """Whether a centre could be connected so, as far as that can be said before its machine is asked anything."""
    accounts = [UnixAccount(one) for one in body.accounts]
    async with asked(deps, token) as at:
        operator(at, deps)
        centre, tester = described_centre(body), UnixAccount(body.test_account)
        await check_plan(at.session, centre, accounts, tester, is_look=body.is_look)
    return Response(status_code=204)


@router.post("/host-keys")
async def host_key(body: HostKeyRequest, deps: TheDeps, token: Token) -> HostKeyModel:
    """The key that a machine shows now. Nobody has vouched for it: show its fingerprint to somebody who knows."""
    await _require_operator(deps, token)
    check_address(body.host, body.port)
    shown = await deps.scout.host_key(body.host, body.port)
    return HostKeyModel(host_key=shown, fingerprint=fingerprint(shown))


@router.post("/surveys")
async def survey(body: SurveyRequest, deps: TheDeps, token: Token) -> SurveyModel:
    """Look at a centre: logins, tools, clock, scheduler, queues, accounting, homes; what is missing, and what to do."""
    await _require_operator(deps, token)
    address, lent = _way(body)
    dialects = {name: partial(dialect_named, name) for name in deps.dialects}
    trust = await asyncio.to_thread(_authority_key, deps)
    async with deps.scout.reach(address) as reach:
        found = await survey_centre(reach, CentreName(body.name), lent, dialects, trust=trust, clock=deps.clock)
    return _surveyed(found)


@router.post("/trials")
async def trial(body: TrialRequest, deps: TheDeps, token: Token) -> TrialModel:
    """Run one small job there, end to end, under the first of the accounts; nothing of it stays."""
    async with asked(deps, token) as at:
        operator(at, deps)
        address, lent = _way(body)
        await require_untaken(at.session, Way.to(body.host, body.port, body.host_key), lent.accounts[0])
    if body.dialect not in deps.dialects:
        known = ", ".join(deps.dialects)
        raise Invalid(f"dialect: one of {known}.", f"dialect：可选 {known}。", field="dialect")
    asked_for = Trial(
        CentreName(body.name),
        lent.accounts[0],
        lent.service_account,
        body.queue,
        timedelta(seconds=body.patience_seconds),
    )
    async with deps.scout.reach(address) as reach:
        findings = await try_job(reach, asked_for, dialect_named(body.dialect), deps.clock)
    return TrialModel(is_fit=is_fit(findings), findings=[_finding(one) for one in findings])


async def _require_operator(deps: Deps, token: Token) -> None:
    """In a transaction of its own: none stays open while a centre is asked."""
    async with asked(deps, token) as at:
        operator(at, deps)


def _way(body: SurveyRequest) -> tuple[Address, Lent]:
    accounts = [UnixAccount(one) for one in body.accounts]
    service = UnixAccount(body.service_account)
    check_way(body.host, body.port, body.host_key, service, accounts)
    fingerprint(body.host_key)
    return Address(body.host, body.port, body.host_key), Lent(service, accounts)


def _authority_key(deps: Deps) -> str:
    try:
        return deps.authority_key_file.read_text().strip()
    except OSError:
        return UNKNOWN_KEY


def _surveyed(found: Survey) -> SurveyModel:
    return SurveyModel(
        is_fit=found.is_fit,
        findings=[_finding(one) for one in found.findings],
        dialect=found.dialect,
        version=found.version,
        time_zone=found.time_zone,
        clock_ahead_seconds=None if found.clock_ahead is None else round(found.clock_ahead.total_seconds(), 3),
        queues=[SurveyedQueueModel(**shape(one), is_default=one.is_default) for one in found.queues],
        node_types=[
            NodeTypeModel(
                nodes=one.nodes,
                cores=one.cores,
                memory_bytes=one.memory_bytes,
                gpus=one.gpus,
                gpu_model=one.gpu_model,
                queues=list(one.queues),
            )
            for one in found.node_types
        ],
    )


def _finding(one: Finding) -> FindingModel:
    return FindingModel(what=one.what, level=one.level.value, en=one.en, zh=one.zh)
