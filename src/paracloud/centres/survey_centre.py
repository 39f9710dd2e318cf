"""Look at a centre before it is connected: everything that the platform will lean on, and what to do where it is not
there. Nothing is changed at the centre."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from paracloud.centres.ground import Ground, ToolsMissing, look
from paracloud.centres.survey import Finding, Survey, missing, node_types, well
from paracloud.centres.survey_rules import (
    NAMED_MOST,
    no_login,
    of_clock,
    of_homes,
    of_paths,
    of_queues,
    of_tools,
    signed,
)
from paracloud.dialects.dialect import Dialect
from paracloud.kit.clock import Clock
from paracloud.kit.errors import ParacloudError
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.transport import Reach, execute

LOGINS_AT_ONCE = 4
LOGINS_MOST = 64
"""Of a larger pool as many are looked at, evenly spread."""
PURPOSE = "operator/survey"
_Pool: TypeAlias = tuple[list[UnixAccount], list[Finding]]


@dataclass(frozen=True, slots=True)
class Lent:
    """What the centre lends."""

    service_account: UnixAccount
    accounts: Sequence[UnixAccount]


async def survey_centre(
    reach: Reach,
    centre: CentreName,
    lent: Lent,
    dialects: Mapping[str, Callable[[], Dialect]],
    *,
    trust: str,
    clock: Clock,
) -> Survey:
    """`dialects`: the schedulers to look for, by name. `trust`: the authority's public key, for who has to add it."""
    try:
        transport = await reach.to(centre, lent.service_account, purpose=PURPOSE)
        began = clock.now()
        ground = await execute(transport, look())
    except ToolsMissing as error:
        return Survey((missing("programs", error.en, error.zh),))
    except ParacloudError as error:
        return Survey((no_login(lent.service_account, error, trust),))
    middle = began + (clock.now() - began) / 2
    ahead = ground.now - middle
    findings = [
        well("login", f"{ground.account} logs in ({ground.system}).", f"{ground.account} 可登录（{ground.system}）。"),
        *of_tools(ground),
        of_clock(ahead),
        well(
            "time zone",
            f"{ground.time_zone} (UTC{signed(ground.utc_offset)}); its times are read in UTC.",
            f"{ground.time_zone}（UTC{signed(ground.utc_offset)}）；所有时间按 UTC 读取。",
        ),
    ]
    found = Survey((), time_zone=ground.time_zone, clock_ahead=ahead)
    for name, make in dialects.items():
        try:
            version = await execute(transport, make().ping())
        except ParacloudError:
            continue
        found = replace(found, dialect=name, version=version)
        findings.append(well("scheduler", f"{version} answers.", f"{version} 有应答。"))
        break
    else:
        names = ", ".join(dialects)
        findings.append(
            missing(
                "scheduler",
                f"None of {names} answers: its commands must be on the PATH of a login over SSH that runs one command "
                "(not in ~/.bash_profile, which such a login does not read; ~/.bashrc or SetEnv in sshd_config do).",
                f"{names} 均无应答：调度器命令须在 SSH 非交互登录的 PATH 中（写入 ~/.bashrc 或 sshd_config 的 SetEnv；"
                "~/.bash_profile 不会被读取）。",
            )
        )
    if found.dialect is not None:
        dialect = dialects[found.dialect]()
        found, more = await _scheduler(reach, centre, lent.service_account, dialect, found)
        findings += more
    known, of_accounts = await _accounts(reach, centre, lent, ground, trust)
    findings += of_accounts
    if found.dialect is not None and known:
        findings += await _readings(reach, centre, lent.service_account, dialects[found.dialect](), known, clock)
    return replace(found, findings=tuple(findings))


async def _scheduler(
    reach: Reach, centre: CentreName, service_account: UnixAccount, dialect: Dialect, found: Survey
) -> tuple[Survey, list[Finding]]:
    transport = await reach.to(centre, service_account, purpose=PURPOSE)
    try:
        queues, nodes = await execute(transport, dialect.queues()), await execute(transport, dialect.nodes())
    except ParacloudError as error:
        return found, [missing("queues", error.en, error.zh)]
    return replace(found, queues=tuple(queues), node_types=node_types(tuple(nodes))), of_queues(queues)


async def _readings(
    reach: Reach,
    centre: CentreName,
    service_account: UnixAccount,
    dialect: Dialect,
    accounts: Sequence[UnixAccount],
    clock: Clock,
) -> list[Finding]:
    """Of accounts that log in: of one that the centre does not know its scheduler tells nothing but that."""
    transport = await reach.to(centre, service_account, purpose=PURPOSE)
    listing = execute(transport, dialect.observe(accounts))
    records = execute(transport, dialect.account(clock.now() - timedelta(hours=1), clock.now(), accounts))
    return [
        await _read(what, reading, service_account)
        for what, reading in (("queue listing", listing), ("accounting", records))
    ]


async def _read(what: str, reading: Awaitable[Sequence[object]], service_account: UnixAccount) -> Finding:
    try:
        seen = await reading
    except ParacloudError as error:
        return missing(
            what,
            f"{error.en} {service_account} must be able to read it for the lent accounts.",
            f"{error.zh}{service_account} 必须能够读取出借账号的记录。",
        )
    return well(what, f"It can be read; records now: {len(seen)}.", f"可读取；当前 {len(seen)} 条记录。")


async def _accounts(reach: Reach, centre: CentreName, lent: Lent, service: Ground, trust: str) -> _Pool:
    """Each of the pool logs in, has a closed home of its own, room and locks. Also: which do log in."""
    chosen = lent.accounts[:: -(-len(lent.accounts) // LOGINS_MOST)] if lent.accounts else []
    turns, grounds = asyncio.Semaphore(LOGINS_AT_ONCE), dict[UnixAccount, Ground]()
    failed = dict[UnixAccount, ParacloudError]()

    async def visit(account: UnixAccount) -> None:
        async with turns:
            try:
                grounds[account] = await execute(await reach.to(centre, account, purpose=PURPOSE), look())
            except ParacloudError as error:
                failed[account] = error

    async with asyncio.TaskGroup() as group:
        for account in chosen:
            group.create_task(visit(account))
    findings = [no_login(account, error, trust) for account, error in sorted(failed.items())[:NAMED_MOST]]
    if len(failed) > NAMED_MOST:
        more = len(failed) - NAMED_MOST
        findings.append(missing("accounts", f"{more} more do not log in either.", f"另有 {more} 个账号也无法登录。"))
    if grounds:
        findings.append(
            well(
                "accounts",
                f"{len(grounds)} of {len(lent.accounts)} lent accounts log in"
                + (", those that were tried." if len(chosen) < len(lent.accounts) else "."),
                f"{len(lent.accounts)} 个出借账号中 {len(grounds)} 个可登录"
                + ("（抽查）。" if len(chosen) < len(lent.accounts) else "。"),
            )
        )
    return sorted(grounds), [*findings, *of_paths(grounds, service), *of_homes(grounds)]
