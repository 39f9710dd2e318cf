"""Bring accepted jobs to their centre: intent first, then one guarded call for each account, then what it answered.

Repeating any part of it is safe: the intent is committed, the files are whole or not there, and the guard at the centre
submits a tag at most once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from paracloud.dialects.weight import NOTHING, Weight, together
from paracloud.jobs.book import Book, Dispatch
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.kit.errors import Broken, Fenced, ParacloudError, Refused, Unreachable
from paracloud.kit.identifiers import CentreName, JobId, NativeId, SubmitTag, UnixAccount
from paracloud.transports.transport import Transport

BATCH = 64
"""Jobs in one round; one account's share of them goes in one remote call, or in as many as the budget asks for."""
ACCOUNTS_AT_ONCE = 4

Stage = Callable[[Transport, Dispatch], Awaitable[None]]
Equip = Callable[[CentreName, UnixAccount], Awaitable[str]]
"""Lays the collector into an account; the name of its file, or nothing where it cannot be laid."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A job with its script, or why it has none, and with what it costs."""

    item: Dispatch
    script: str | Refused
    weight: Weight


class _Answers:
    """What is known about each job of an account so far: an id, a definite no, or why there is no answer."""

    def __init__(self) -> None:
        self.definite: dict[JobId, NativeId | Refused] = {}
        self.postponed: dict[JobId, str] = {}

    def keep(self, job: JobId, answer: NativeId | ParacloudError) -> None:
        if isinstance(answer, Unreachable | Broken):
            self.postponed[job] = answer.en
        elif isinstance(answer, Refused):
            self.definite[job] = answer
        elif isinstance(answer, ParacloudError):
            raise answer
        else:
            self.definite[job] = answer


async def no_collector(_centre: CentreName, _account: UnixAccount) -> str:
    return ""


async def dispatch(book: Book, outpost: Outpost, tenure: Tenure, *, stage: Stage, equip: Equip = no_collector) -> int:
    """How many jobs were tried. One account's trouble does not stop the others; Fenced stops all."""
    jobs = await book.intend(tenure(), limit=BATCH)
    by_account: dict[UnixAccount, list[Dispatch]] = defaultdict(list)
    for job in jobs:
        by_account[job.account].append(job)
    gate = asyncio.Semaphore(ACCOUNTS_AT_ONCE)

    async def one(account: UnixAccount, batch: list[Dispatch]) -> None:
        async with gate:
            is_wanted = any(item.request.is_monitored for item in batch)
            collector = await equip(outpost.centre, account) if is_wanted else ""
            written = [_write(outpost, item, collector) for item in batch]
            for part in _parts(written, outpost.budget.most_at_once):
                answers = await _submit(outpost, tenure, account, part, stage)
                await book.submitted(tenure(), answers.definite, postponed=answers.postponed)

    # All are waited for: one that went on behind a failed round would try a job beside that job's next try.
    ends = await asyncio.gather(*(one(account, batch) for account, batch in by_account.items()), return_exceptions=True)
    troubles = [end for end in ends if end is not None]
    if troubles:
        raise next((trouble for trouble in troubles if isinstance(trouble, Fenced)), troubles[0])
    return len(jobs)


def _write(outpost: Outpost, item: Dispatch, collector: str) -> _Written:
    try:
        script = outpost.dialect.script(replace(item.request, collector=collector))
    except Refused as refusal:
        return _Written(item, refusal, NOTHING)
    return _Written(item, script, outpost.dialect.weigh(script, is_retry=not item.is_first_try))


def _parts(batch: Sequence[_Written], most: int) -> Iterator[list[_Written]]:
    """In their order, each of at most `most` scheduler commands, but of one job at least."""
    part: list[_Written] = []
    for one in batch:
        if part and together(each.weight for each in (*part, one)) > most:
            yield part
            part = []
        part.append(one)
    yield part


async def _submit(
    outpost: Outpost, tenure: Tenure, account: UnixAccount, batch: Sequence[_Written], stage: Stage
) -> _Answers:
    answers, purpose = _Answers(), f"dispatch/{batch[0].item.tag}"
    try:
        transport = await outpost.reach.to(outpost.centre, account, purpose=purpose)
        scripts = dict[SubmitTag, str]()
        for one in batch:
            if not isinstance(one.script, str):
                _keep_own(one.item, one.script, answers)
            elif await _is_staged(transport, one.item, stage, answers):
                scripts[one.item.tag] = one.script
        if scripts:
            retried = {one.item.tag for one in batch if not one.item.is_first_try}
            command = outpost.dialect.submit(scripts, retried)
            reply = await outpost.ask(account, command, tenure, purpose=purpose)
            _read([one.item for one in batch if one.item.tag in scripts], reply, answers)
    except (Unreachable, Broken, Refused) as trouble:
        # A Refused of the whole call is about the login or the command, not about a job: nothing definite is known.
        for one in batch:
            if one.item.job not in answers.definite:
                answers.postponed[one.item.job] = trouble.en
    return answers


async def _is_staged(transport: Transport, item: Dispatch, stage: Stage, answers: _Answers) -> bool:
    if not item.inputs:
        return True
    try:
        await stage(transport, item)
    except (Unreachable, Broken, Refused) as trouble:
        _keep_own(item, trouble, answers)
        return False
    return True


def _keep_own(item: Dispatch, trouble: ParacloudError, answers: _Answers) -> None:
    """Our own no is definite only at the first try: later the job may run at the centre already, and only the guard
    there knows."""
    if isinstance(trouble, Refused) and not item.is_first_try:
        answers.postponed[item.job] = trouble.en
    else:
        answers.keep(item.job, trouble)


def _read(
    handed_in: Sequence[Dispatch], reply: Mapping[SubmitTag, NativeId | Refused | Unreachable], answers: _Answers
) -> None:
    for item in handed_in:
        if item.tag in reply:
            answers.keep(item.job, reply[item.tag])
        else:
            answers.postponed[item.job] = "the centre gave no answer for this job"
