"""The login node of a simulated centre: runs the very commands that the Slurm dialect writes, and answers as Slurm."""

import asyncio
import re
from collections.abc import Coroutine, Sequence

from tests.simulation.accounting import Accounting
from tests.simulation.controller import Controller
from tests.simulation.faults import Faults
from tests.simulation.guard import Guard
from tests.simulation.native import NativeJob, Row
from tests.simulation.sbatch import SILENT
from tests.simulation.virtual_clock import START

from paracloud.dialects.fence import MOVED
from paracloud.kit.command import Completed

_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")


class Login:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        faults: Faults,
        controller: Controller,
        accounting: Accounting,
        guard: Guard,
    ) -> None:
        self._loop, self._faults = loop, faults
        self._controller, self._accounting, self._guard = controller, accounting, guard
        self._guards: list[asyncio.Task[bytes]] = []

    async def run(self, account: str, argv: Sequence[str], stdin: bytes) -> Completed:
        if "paracloud-guard" in argv:
            return await self._guarded(account, argv[4], stdin)
        await asyncio.sleep(self._faults.seconds(0.01, 0.1))
        if "paracloud-fence" in argv:
            return Completed(0, self._fenced(account, argv[-1], stdin).encode(), b"")
        words = [word for word in argv if word != "env" and not re.fullmatch(r"[A-Z_]+=\S*", word)]
        if words[0] == "sacct" or "paracloud-account" in words:
            return Completed(0, self._sacct(words, stdin).encode(), b"")
        if self._controller.is_down:
            return Completed(1, b"", SILENT.encode())
        return self._slurm(account, words, stdin)

    def kill_guards(self) -> None:
        """What they started goes on."""
        for one in self._guards:
            if not one.done():
                one.cancel()
        self._guards.clear()

    def _slurm(self, account: str, words: Sequence[str], stdin: bytes) -> Completed:
        if words[0] == "squeue":
            return Completed(0, self._squeue(words).encode(), b"")
        if "paracloud-cancel" in words:
            return self._scancel(account, stdin)
        return self._scontrol(account, words)

    async def _guarded(self, account: str, nonce: str, stdin: bytes) -> Completed:
        words = [_unescaped(word) for word in stdin.split()]
        batch = [(words[at], words[at + 1]) for at in range(0, len(words), 4)]
        work: Coroutine[None, None, list[str]] = self._guard.submit(account, batch)
        task = self._loop.create_task(_said(work, nonce))
        self._guards.append(task)
        await asyncio.wait([task])
        if task.cancelled():
            return Completed(-9, b"", b"Killed")
        return Completed(0, task.result(), b"")

    def _fenced(self, account: str, answer: str, stdin: bytes) -> str:
        """In the tenant's home, whether or not Slurm answers."""
        tags = stdin.decode().split()
        owners = {tag: self._controller.take_marker(account, f"pc-{tag}") for tag in tags}
        return "".join(f"{answer} {tag} {owner or MOVED} .\n" for tag, owner in owners.items())

    def _squeue(self, words: Sequence[str]) -> str:
        users = words[words.index("-u") + 1].split(",")
        nonce = words[-1].removeprefix("%F|%K|%u|%T|%V|%S|%N|%r").removesuffix("%.40j")
        jobs = [job for job in self._controller.listed() if job.account in users]
        return "".join(f"{row}{nonce}{job.name:>40}\n" for job in jobs for row in self._listed(job))

    def _listed(self, job: NativeJob) -> list[str]:
        """The tasks of an array that have never run share one row."""
        rows = []
        reason = "JobHeldUser" if job.is_held else "Priority"
        waiting = [task for task in job.tasks if task.state == "PENDING" and task.run == 0]
        if waiting:
            index = ",".join(str(task.index) for task in waiting) if job.array else "N/A"
            rows.append(f"{job.id}|{index}|{job.account}|PENDING|{waiting[0].submitted_at}|N/A||{reason}")
        for task in job.tasks:
            if task.state != "PENDING" or task.run:
                index = "N/A" if task.index is None else str(task.index)
                times = f"{task.submitted_at}|{task.started_at or 'N/A'}"
                why = reason if task.state == "PENDING" else "None"
                rows.append(f"{job.id}|{index}|{job.account}|{task.state}|{times}|n1|{why}")
        return rows

    def _sacct(self, words: Sequence[str], stdin: bytes) -> str:
        nonce = next(word for word in words if word.startswith("--delimiter=")).partition("=")[2]
        if words[0] == "sacct":
            users = words[words.index("-u") + 1].split(",")
            start, end = (_epoch(words[words.index(option) + 1]) for option in ("-S", "-E"))
            rows = self._accounting.window(users, start, end)
        else:
            rows = self._accounting.of({int(number) for line in stdin.split() for number in line.split(b",")})
        return "".join(nonce.join(self._row(row)) + "\n" for row in rows)

    def _row(self, row: Row) -> Sequence[str]:
        is_whole = row.whole_at <= self._loop.time()
        tres = f"cpu={row.cores},mem=1G,node=1" if row.started_at else ""
        return (
            *(str(row.raw_id), row.job_id, row.user if is_whole else "root", "cpu" if is_whole else "", row.state),
            *(f"{row.exit_code}:0", str(row.submitted_at), str(row.started_at or "Unknown"), str(row.ended_at)),
            *(
                str(row.elapsed_seconds),
                str(row.cores),
                "1",
                tres,
                "n1",
                "normal",
                row.name if is_whole else "allocation",
            ),
        )

    def _scancel(self, account: str, stdin: bytes) -> Completed:
        for number in stdin.split():
            job = self._own(account, int(number))
            if job is not None:
                self._controller.cancel(job)
        return Completed(0, b"", b"")

    def _scontrol(self, account: str, words: Sequence[str]) -> Completed:
        if words[1] == "show":
            return Completed(0, b"SLURM_VERSION           = 22.05.8\n", b"")
        job = self._own(account, int(words[2]))
        if job is None:
            return Completed(1, b"", b"Invalid job id specified")
        if all(task.state != "PENDING" for task in job.tasks):
            return Completed(1, b"", b"Job is no longer pending execution")
        self._controller.hold(job, is_held=words[1] == "uhold")
        return Completed(0, b"", b"")

    def _own(self, account: str, number: int) -> NativeJob | None:
        job = self._controller.jobs.get(number)
        return job if job is not None and job.account == account else None


async def _said(work: Coroutine[None, None, list[str]], nonce: str) -> bytes:
    return "".join(f"\n{nonce} {line} .\n" for line in await work).encode()


def _unescaped(word: bytes) -> str:
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), word).decode()


def _epoch(text: str) -> int:
    return int(START.fromisoformat(f"{text}+00:00").timestamp())
