"""One small job at a centre that is not connected yet, end to end: submitted, submitted again for nothing, seen, run,
read, accounted for, and swept away."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from paracloud.centres.survey import Finding, missing, well
from paracloud.centres.sweep_trial import Stage, folder_of, sweep, sweep_earlier
from paracloud.dialects.dialect import Dialect
from paracloud.dialects.records import AccountingRecord, NativePhase, Observation, Request
from paracloud.kit.clock import Clock
from paracloud.kit.errors import NotFound, ParacloudError, Refused, Unreachable
from paracloud.kit.identifiers import CentreName, NativeId, SubmitTag, UnixAccount
from paracloud.transports.transport import Reach, Transport, execute

PURPOSE = "operator/trial"
POLL = timedelta(seconds=1)
ACCOUNTED_WITHIN = timedelta(seconds=60)
WALL_LIMIT = timedelta(minutes=2)
OUTPUT = "out.txt"
_LIMIT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Trial:
    """`account` runs it, `service_account` watches. It may wait for `patience`; then it is cancelled."""

    centre: CentreName
    account: UnixAccount
    service_account: UnixAccount
    queue: str
    patience: timedelta = timedelta(seconds=120)


async def try_job(reach: Reach, trial: Trial, dialect: Dialect, clock: Clock) -> list[Finding]:
    """What came of each step, in order; the first that fails is the last. Nothing of it stays at the centre, however
    it ends; what a trial left there that was cut off together with us goes before the next."""
    tag, word = SubmitTag(secrets.token_hex(16)), secrets.token_hex(16)
    own = await reach.to(trial.centre, trial.account, purpose=PURPOSE)
    stage = Stage(own, trial.account, dialect, clock)
    attempt = _Attempt(trial, reach, stage, tag, word)
    try:
        await sweep_earlier(stage)
        await attempt.run()
    except ParacloudError as error:
        attempt.findings.append(missing(attempt.step, error.en, error.zh))
    finally:
        attempt.findings += await sweep(stage, tag, is_sure=attempt.is_sure)
    return attempt.findings


class _Attempt:
    """`is_sure`: whether each submission was clearly answered."""

    def __init__(self, trial: Trial, reach: Reach, stage: Stage, tag: SubmitTag, word: str) -> None:
        self._trial, self._reach = trial, reach
        self._own, self._dialect, self._clock = stage.own, stage.dialect, stage.clock
        self._tag, self._word = tag, word
        self._folder = folder_of(tag)
        self._id: NativeId | None = None
        self.findings: list[Finding] = []
        self.step = "submission"
        self.is_sure = True

    async def run(self) -> None:
        began = self._clock.now()
        await self._submit()
        if self._id is None:
            return
        self.step = "run"
        record = await self._await_record(began)
        if record is None:
            return
        self.step = "output"
        await self._read()

    async def _submit(self) -> None:
        """Our own trace comes first: by it the next trial finds what this one left, should we end here."""
        await self._own.write(f"{self._folder}/trial", b"")
        request = Request(
            tag=self._tag, name="paracloud-try", script=f"#!/bin/sh\necho {self._word}\nid -un\n",
            work_directory=self._folder, queue=self._trial.queue, tasks=1, cores_per_task=1,
            wall_limit=WALL_LIMIT, output=OUTPUT,
        )  # fmt: skip
        batch = {self._tag: self._dialect.script(request)}
        first, again = await self._hand_in(batch), await self._hand_in(batch)
        if again != first:
            self.findings.append(
                missing(
                    "submission",
                    f"The same submission gave job {first} and then {again}; both were cancelled. Do file locks work "
                    "in the home?",
                    f"同一提交先后得到作业 {first} 和 {again}，均已取消：主目录的文件锁是否正常？",
                )
            )
            return
        self._id = first
        self.findings.append(
            well(
                "submission",
                f"Job {first} in {self._trial.queue}; submitting it again gave the same job.",
                f"作业 {first} 已提交到 {self._trial.queue}；重复提交得到同一作业。",
            )
        )

    async def _hand_in(self, batch: Mapping[SubmitTag, str]) -> NativeId:
        """Raises what the centre said instead."""
        was_sure, self.is_sure = self.is_sure, False
        answer = (await execute(self._own, self._dialect.submit(batch)))[self._tag]
        if isinstance(answer, Unreachable):
            raise answer
        self.is_sure = was_sure
        if isinstance(answer, Refused):
            raise answer
        return answer

    async def _await_record(self, began: datetime) -> AccountingRecord | None:
        """None, and a finding that says why, where it did not start, or accounting did not tell of it in time."""
        assert self._id is not None, "it was submitted"  # noqa: S101
        service = await self._reach.to(self._trial.centre, self._trial.service_account, purpose=PURPOSE)
        waits_until = began + self._trial.patience
        runs_until = waits_until + WALL_LIMIT + ACCOUNTED_WITHIN
        seen, gone_at = None, None
        while True:
            listed = await execute(service, self._dialect.observe([self._trial.account]))
            found = next((one for one in listed if one.native_id == self._id), None)
            seen = found or seen
            now = self._clock.now()
            if found is None or found.phase not in (NativePhase.QUEUED, NativePhase.HELD, NativePhase.RUNNING):
                gone_at = gone_at or now
                record = await self._record(service)
                if record is not None:
                    self._told(seen, record, now - gone_at)
                    return record
                if now - gone_at > ACCOUNTED_WITHIN:
                    self._unaccounted()
                    return None
            elif found.phase is not NativePhase.RUNNING and now > waits_until:
                self._waits(found)
                return None
            elif now > runs_until:
                self._endless(found)
                return None
            await self._clock.sleep(POLL)

    async def _record(self, service: Transport) -> AccountingRecord | None:
        assert self._id is not None, "it was submitted"  # noqa: S101
        found = await execute(service, self._dialect.account_of([self._id]))
        return next((one for one in found if one.native_id == self._id and one.tag == self._tag), None)

    def _told(self, seen: Observation | None, record: AccountingRecord, after: timedelta) -> None:
        if seen is None:
            en, zh = "Seen by accounting alone: it was over too soon.", "仅见于记账数据：结束过快，未出现在队列中。"
        else:
            en, zh = f"Listed as {seen.native_state}.", f"队列中显示为 {seen.native_state}。"
        self.findings.append(well("queue listing", en, zh))
        seconds = after.total_seconds()
        if record.phase is NativePhase.COMPLETED:
            self.findings.append(
                well(
                    "accounting",
                    f"Told within {seconds:.0f} s of its end: cores {record.cores}, seconds {record.elapsed_seconds}.",
                    f"结束后 {seconds:.0f} 秒内给出记账：{record.cores} 核 × {record.elapsed_seconds} 秒。",
                )
            )
            return
        self.findings.append(
            missing(
                "run",
                f"It ended as {record.native_state} with exit code {record.exit_code}: log in as "
                f"{self._trial.account} and submit a job by hand.",
                f"作业以 {record.native_state} 结束（{record.exit_code}）：请以 {self._trial.account} 手工提交检查。",
            )
        )

    def _unaccounted(self) -> None:
        self.findings.append(
            missing(
                "accounting",
                f"Job {self._id} ended, and accounting does not tell {self._trial.service_account} of it: without it "
                "nothing can be charged. Let this account read the records of the lent ones.",
                f"作业 {self._id} 已结束，但 {self._trial.service_account} 查不到其记账，无法计费；请授予读取权限。",
            )
        )

    def _waits(self, found: Observation) -> None:
        seconds = self._trial.patience.total_seconds()
        why = found.reason or found.native_state
        self.findings.append(
            missing(
                "run",
                f"It did not start within {seconds:.0f} s ({why}) and was cancelled: name a queue with room, or try "
                "again later.",
                f"{seconds:.0f} 秒内未开始运行（{why}），已取消：请指定有空闲的分区，或稍后再试。",
            )
        )

    def _endless(self, found: Observation) -> None:
        self.findings.append(
            missing(
                "run",
                f"It does not end on {found.node_list}, long past its time limit, and was cancelled: look at the node.",
                f"在 {found.node_list} 上远超时限仍未结束，已取消：请检查该节点。",
            )
        )

    async def _read(self) -> None:
        text = await self._output()
        words = text.decode(errors="replace").split()
        if words == [self._word, self._trial.account]:
            self.findings.append(
                well("output", "The node wrote it where it is read.", "计算节点写出的结果可在登录节点读取。")
            )
            return
        self.findings.append(
            missing(
                "output",
                f"The job ran, but its output under {self._folder} is not there as it was written: the home must be "
                "the same file system on login and compute nodes.",
                f"作业已运行，但 {self._folder} 中的输出与写入不符：登录节点与计算节点须共享同一主目录。",
            )
        )

    async def _output(self) -> bytes:
        """Shared file systems may show it some seconds late."""
        for _ in range(10):
            try:
                if text := await self._own.read(f"{self._folder}/{OUTPUT}", limit_bytes=_LIMIT_BYTES):
                    return text
            except NotFound:
                pass
            await self._clock.sleep(POLL)
        return b""
