"""Accounts at real centres, as a transport would have them, and what the tests ask of a scheduler apart from its
dialect."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.dialects.records import AccountingRecord, Observation, Request
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.kit.command import Command, Completed
from paralab.running import RunningCentre, RunningLab

T = TypeVar("T")
HOSTILE = 'it\'s "q" $(touch pwned) `touch pwned` | & ; < > * # \\ 中文 --uid=0'
PATIENCE_SECONDS = 60


class Login:
    """One account at a centre of one scheduler."""

    DIALECT: ClassVar[Callable[[], Dialect]]
    CENTRE: ClassVar[str]
    FALLS: ClassVar[str]
    """The centre whose controller may be ended: its commands give up soon."""
    CONTROLLER: ClassVar[str]
    VERSION: ClassVar[str]
    """How `ping` begins."""
    NOBODYS: ClassVar[str]
    """A job that never was."""
    CLIENT: ClassVar[tuple[str, ...]]
    """Submits a script, past the guard."""
    GUARD_SECONDS: ClassVar[float]
    """That a guard takes, about."""
    PLAIN: ClassVar[dict[str, Any]]
    """Of a request that says nothing else."""

    def __init__(self, centre: RunningCentre, account: str) -> None:
        self.centre, self.account, self.dialect = centre, account, self.DIALECT()

    @classmethod
    def of(cls, lab: RunningLab, centre: str = "") -> "Login":
        found = lab.centres[centre or cls.CENTRE]
        return cls(found, found.pool[0])

    def another(self, account: str) -> "Login":
        return type(self)(self.centre, account)

    def run(self, command: Command[T], *prefix: str) -> Completed:
        done = self.centre.exec([*prefix, *command.argv], account=self.account, stdin=command.stdin.decode())
        return Completed(done.returncode, done.stdout.encode(), done.stderr.encode())

    def ask(self, command: Command[T]) -> T:
        return command.parse(self.run(command))

    def submit(self, *requests: Request):
        return self.ask(self.dialect.submit({one.tag: self.dialect.script(one) for one in requests}))

    def submitted(self, request: Request) -> str:
        answer = self.submit(request)[request.tag]
        assert isinstance(answer, str), answer
        return answer

    def submitted_in_the_end(self, request: Request) -> str:
        """However often it must be asked."""

        def answered() -> str:
            answer = self.submit(request)[request.tag]
            return answer if isinstance(answer, str) else ""

        return until(answered, "the submission")

    def jobs_named(self, tag: str) -> list[str]:
        """The scheduler's own word, asked apart from the dialect."""
        raise NotImplementedError

    def read(self, path: str) -> str:
        return self.centre.exec(["cat", "--", path], account=self.account).stdout

    def output(self, job: Request) -> list[str]:
        return self.read(f"{job.work_directory}/{job.output}").splitlines()

    def ended(self, job: str, number: int = 1) -> list[AccountingRecord]:
        return until(lambda: self._records(job, number), f"{number} records of {job}")

    def _records(self, job: str, number: int) -> list[AccountingRecord]:
        found = list(self.ask(self.dialect.account_of([job])))
        return found if len(found) >= number else []

    def seen(self, native_id: str) -> list[Observation]:
        return [one for one in self.ask(self.dialect.observe([self.account])) if one.native_id == native_id]

    def answers(self) -> bool:
        return self.run(self.dialect.ping()).exit_status == 0

    def request(self, **changes) -> Request:
        tag = uuid4().hex
        fields = {
            "tag": tag,
            "name": "live",
            "script": "#!/bin/bash\necho ran in $SLURM_JOB_ID\n",
            "work_directory": f"paracloud/{tag}",
            "tasks": 1,
            "cores_per_task": 1,
            "wall_limit": timedelta(minutes=5),
            "output": "out.txt",
        }
        return Request(**(fields | self.PLAIN | changes))

    def clear(self) -> None:
        """Nothing of one test is left to the next."""
        raise NotImplementedError


class SlurmLogin(Login):
    DIALECT = SlurmDialect
    CENTRE, FALLS, CONTROLLER = "east", "west", "slurmctld"
    VERSION, NOBODYS, CLIENT = "Slurm 2", "2000000000", ("sbatch", "--parsable")
    GUARD_SECONDS = 0.09
    PLAIN = {"queue": "debug", "memory_per_core_bytes": 100 << 20}

    def jobs_named(self, tag: str) -> list[str]:
        listed = self.centre.exec(["squeue", "-h", "-t", "all", "-n", f"pc-{tag}", "-o", "%F"])
        assert listed.returncode == 0
        return listed.stdout.split()

    def clear(self) -> None:
        self.centre.exec(["scancel", "-u", self.account])
        until(lambda: not self.centre.exec(["squeue", "-h", "-u", self.account]).stdout, "an empty queue")


class GridLogin(Login):
    DIALECT = GridEngineDialect
    CENTRE, FALLS, CONTROLLER = "grid", "grid", "sge_qmaster"
    VERSION, NOBODYS, CLIENT = "Grid Engine 8.1.9", "9000000", ("qsub", "-terse")
    GUARD_SECONDS = 0.2
    PLAIN = {"queue": "cpu", "memory_per_core_bytes": 1000 << 20}

    def jobs_named(self, tag: str) -> list[str]:
        done = self.centre.exec(["qstat", "-xml", "-r", "-u", self.account])
        assert done.returncode == 0
        numbers = [line for line in done.stdout.splitlines() if "<JB_job_number>" in line or "<full_job_name>" in line]
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return [one.split(">")[1].partition("<")[0] for one, name in pairs if f">pc-{tag}<" in name]

    def clear(self) -> None:
        """qdel only asks for it: a job has its slots until its node says that it has ended."""
        self.centre.exec(["qdel", "-u", "*"])
        until(lambda: not self.centre.exec(["qstat", "-u", "*"]).stdout, "an empty queue")


SCHEDULERS: tuple[type[Login], ...] = (SlurmLogin, GridLogin)


def until(ask: Callable[[], T], what: str) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := ask()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)
    return found
