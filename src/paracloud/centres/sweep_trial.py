"""Nothing of a job on trial stays at the centre: not in its queue, and not in the account's home."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from paracloud.centres.survey import Finding, advice
from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.dialect import Dialect
from paracloud.dialects.records import ENDED_PHASES
from paracloud.dialects.tags import is_tag
from paracloud.kit.clock import Clock
from paracloud.kit.errors import NotFound, ParacloudError, Unreachable
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount
from paracloud.transports.transport import Transport, execute

WORK, TRY = "paracloud", "try-"
POLL = timedelta(seconds=2)
ENDED_WITHIN = timedelta(seconds=60)
QUIET = timedelta(seconds=10)
"""A submission that was not clearly answered may reach the queue as late as this; so long it is watched."""
TRIES = 3
"""Of each removal, where the line breaks."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a trial is played: as `account`, over its own transport."""

    own: Transport
    account: UnixAccount
    dialect: Dialect
    clock: Clock


def folder_of(tag: SubmitTag) -> str:
    """The work directory of the job on trial, from the account's home."""
    return f"{WORK}/{TRY}{tag}"


async def sweep(at: Stage, tag: SubmitTag, *, is_sure: bool) -> list[Finding]:
    """Whatever jobs carry the tag are cancelled and waited for, then its folders go, and those above
    them that are empty then. `is_sure`: each submission was
    clearly answered. What cannot be removed is said, and is no reason against the centre."""
    findings = []
    try:
        left = await _end(at, [tag], is_sure=is_sure)
    except ParacloudError as error:
        findings.append(_unswept(error))
    else:
        if left:
            findings.append(_stays(at.account, left))
    findings += await _remove(at, tag)
    with suppress(ParacloudError):  # an empty folder is nobody's trouble
        await at.own.run(("rmdir", "-p", "--ignore-fail-on-non-empty", "--", WORK, GUARD_FOLDER))
    return findings


async def sweep_earlier(at: Stage) -> None:
    """What a trial left that was cut off: at one time an account has one trial."""
    tags = await _earlier(at)
    if tags:
        await _end(at, tags, is_sure=True)
        for tag in tags:
            await _remove(at, tag)


async def _earlier(at: Stage) -> list[SubmitTag]:
    try:
        entries = await at.own.list(WORK)
    except NotFound:
        return []
    words = [one.name.removeprefix(TRY) for one in entries if one.name.startswith(TRY)]
    return [SubmitTag(word) for word in words if is_tag(word)]


async def _end(at: Stage, tags: Iterable[SubmitTag], *, is_sure: bool) -> list[NativeId]:
    """Which jobs have not ended in time. The listing is asked by tag and not by number: what was submitted without our
    learning its number is in it, too."""
    wanted, clock = frozenset(tags), at.clock
    until, quiet_since = clock.now() + ENDED_WITHIN, clock.now()
    while True:
        try:
            live = await _live(at, wanted)
            if live:
                quiet_since = clock.now()
                await execute(at.own, at.dialect.cancel(live))
            elif is_sure or clock.now() - quiet_since >= QUIET:
                return []
            if clock.now() >= until:
                return live
        except ParacloudError:
            if clock.now() >= until:
                raise
        await clock.sleep(POLL)


async def _live(at: Stage, tags: frozenset[SubmitTag]) -> list[NativeId]:
    listed = await execute(at.own, at.dialect.observe([at.account]))
    return sorted({one.native_id for one in listed if one.tag in tags and one.phase not in ENDED_PHASES})


async def _remove(at: Stage, tag: SubmitTag) -> list[Finding]:
    findings = []
    # Its own folder goes last: by it the next trial knows of one whose sweep was cut off.
    for path in (f"{GUARD_FOLDER}/{tag}", folder_of(tag)):
        try:
            await _remove_surely(at, path)
        except ParacloudError as error:
            findings.append(_unswept(error))
    return findings


async def _remove_surely(at: Stage, path: str) -> None:
    for _ in range(TRIES - 1):
        try:
            return await at.own.remove(path, tree=True)
        except Unreachable:
            await at.clock.sleep(POLL)
    return await at.own.remove(path, tree=True)


def _unswept(error: ParacloudError) -> Finding:
    return advice("sweep", error.en, error.zh)


def _stays(account: UnixAccount, jobs: list[NativeId]) -> Finding:
    names = ", ".join(jobs)
    return advice(
        "sweep",
        f"Job {names} of {account} was cancelled and has not ended: look at its node, and end it by hand.",
        f"账号 {account} 的作业 {names} 已取消但尚未结束：请检查其所在节点并手工终止。",
    )
