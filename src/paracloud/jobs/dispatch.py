"""Bring accepted jobs to their centre: intent first, then one guarded call for each account, then what it answered.

Repeating any part of it is safe: the intent is committed, the files are whole or not there, and the guard at the centre
submits a tag at most once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from paracloud.jobs.book import Book, Dispatch
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.kit.errors import Broken, Fenced, ParacloudError, Refused, Unreachable
from paracloud.kit.identifiers import JobId, NativeId, SubmitTag, UnixAccount
from paracloud.transports.transport import Transport

BATCH = 64
"""Jobs in one round; one account's share of them goes in one remote call, or in as many as the budget asks for."""
LOOKED_UP = 2
"""Scheduler commands for a job that was tried before: the guard looks it up in the queue and in accounting."""
ACCOUNTS_AT_ONCE = 4

Stage = Callable[[Transport, Dispatch], Awaitable[None]]


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


async def dispatch(book: Book, outpost: Outpost, tenure: Tenure, *, stage: Stage) -> int:
    """How many jobs were tried. One account's trouble does not stop the others; Fenced stops all."""
    jobs = await book.intend(tenure(), limit=BATCH)
    by_account: dict[UnixAccount, list[Dispatch]] = defaultdict(list)
    for job in jobs:
        by_account[job.account].append(job)
    gate = asyncio.Semaphore(ACCOUNTS_AT_ONCE)

    async def one(account: UnixAccount, batch: list[Dispatch]) -> None:
        async with gate:
            for part in _parts(batch, outpost.budget.most_at_once):
                answers = await _submit(outpost, tenure, account, part, stage)
                await book.submitted(tenure(), answers.definite, postponed=answers.postponed)

    # All are waited for: one that went on behind a failed round would try a job beside that job's next try.
    ends = await asyncio.gather(*(one(account, batch) for account, batch in by_account.items()), return_exceptions=True)
    troubles = [end for end in ends if end is not None]
    if troubles:
        raise next((trouble for trouble in troubles if isinstance(trouble, Fenced)), troubles[0])
    return len(jobs)


def _parts(batch: Sequence[Dispatch], most: int) -> Iterator[list[Dispatch]]:
    """In their order, each of at most `most` scheduler commands, but of one job at least."""
    part: list[Dispatch] = []
    cost = 0
    for item in batch:
        if part and cost + _cost(item) > most:
            yield part
            part, cost = [], 0
        part.append(item)
        cost += _cost(item)
    yield part


def _cost(item: Dispatch) -> int:
    return 1 if item.is_first_try else 1 + LOOKED_UP


async def _submit(
    outpost: Outpost, tenure: Tenure, account: UnixAccount, batch: Sequence[Dispatch], stage: Stage
) -> _Answers:
    answers = _Answers()
    try:
        transport = await outpost.reach.to(outpost.centre, account, purpose=f"dispatch/{batch[0].tag}")
        ready = [item for item in batch if await _is_staged(transport, item, stage, answers)]
        scripts = {item.tag: script for item in ready if (script := _script(outpost, item, answers)) is not None}
        if scripts:
            more = sum(_cost(item) - 1 for item in ready if item.tag in scripts)
            command, purpose = outpost.dialect.submit(scripts), f"dispatch/{batch[0].tag}"
            reply = await outpost.ask(account, command, tenure, purpose=purpose, more=more)
            _read(ready, reply, scripts, answers)
    except (Unreachable, Broken, Refused) as trouble:
        # A Refused of the whole call is about the login or the command, not about a job: nothing definite is known.
        for item in batch:
            if item.job not in answers.definite:
                answers.postponed[item.job] = trouble.en
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


def _script(outpost: Outpost, item: Dispatch, answers: _Answers) -> str | None:
    try:
        return outpost.dialect.script(item.request)
    except Refused as refusal:
        _keep_own(item, refusal, answers)
        return None


def _keep_own(item: Dispatch, trouble: ParacloudError, answers: _Answers) -> None:
    """Our own no is definite only at the first try: later the job may run at the centre already, and only the guard
    there knows."""
    if isinstance(trouble, Refused) and not item.is_first_try:
        answers.postponed[item.job] = trouble.en
    else:
        answers.keep(item.job, trouble)


def _read(
    ready: Sequence[Dispatch],
    reply: Mapping[SubmitTag, NativeId | Refused | Unreachable],
    scripts: Mapping[SubmitTag, str],
    answers: _Answers,
) -> None:
    for item in ready:
        if item.tag in reply:
            answers.keep(item.job, reply[item.tag])
        elif item.tag in scripts:
            answers.postponed[item.job] = "the centre gave no answer for this job"
