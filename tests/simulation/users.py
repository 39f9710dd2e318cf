"""Users: they submit jobs, change their minds, and start jobs by hand on the login node."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from tests.simulation.program import Program, World
from tests.simulation.site import Site
from tests.simulation.virtual_clock import START

from paracloud.jobs.spec import Dependency, InputFile, JobSpec
from paracloud.jobs.state import FINAL, JobState
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import BlobId, JobId

SCRIPT = "#!/bin/sh\ntrue\n"
BY_HAND = (
    "#!/bin/sh\n#SBATCH --job-name={name}\n#SBATCH --partition=cpu\n#SBATCH --ntasks=1\n"
    "#SBATCH --cpus-per-task=1\n#SBATCH --time=0-00:05:00\n"
)


class Users:
    """`wished` are the jobs that somebody asked to cancel, `bad` those that no centre can accept."""

    def __init__(self, world: World, programs: Sequence[Program]) -> None:
        self._world, self._programs = world, programs
        self.wished: set[JobId] = set()
        self.bad: set[JobId] = set()
        self._count = 0

    async def act(self, seconds: float) -> None:
        """A handful of jobs, spread over this time."""
        random = self._world.faults.random
        jobs = random.randint(4, 9)
        for _ in range(jobs):
            await asyncio.sleep(random.expovariate(jobs / seconds))
            site = random.choice(self._world.sites)
            for _ in range(random.choice((1, 1, 3))):
                self._submit(site)
            if random.random() < 0.15:
                self._by_hand(site)
            if random.random() < 0.3:
                self._wish()
            if random.random() < 0.5:
                self._world.loop.call_later(random.uniform(0, 5), self._reroute)

    def _submit(self, site: Site) -> None:
        world, random = self._world, self._world.faults.random
        self._count += 1
        job = JobId(UUID(int=self._count << 80 | 7 << 76 | 2 << 62 | random.getrandbits(62)))
        account = random.choice(site.accounts)
        own = [row for row in world.store.centres[site.name].jobs.values() if row.account == account and not row.move]
        earlier = [random.choice(own)] if own and random.random() < 0.2 else []
        inputs = (InputFile("in", BlobId("0" * 64), 5),) if random.random() < 0.3 else ()
        spec = JobSpec(
            name="x",
            script=SCRIPT,
            wall_limit=timedelta(seconds=random.choice((20, 60))),
            cores_per_task=random.choice((1, 4)),
            queue="nowhere" if random.random() < 0.05 else "cpu",
            array="0-2" if random.random() < 0.15 else None,
            requeue=random.random() < 0.5,
            inputs=inputs,
            depends_on=tuple(Dependency("afterok", row.id) for row in earlier),
        )
        if spec.queue == "nowhere":
            self.bad.add(job)
        world.store.accept(job, site.name, account, spec, self._now())
        world.journal.note("accepted", job, site.name)
        self._announce(site)

    def _by_hand(self, site: Site) -> None:
        """Some under the tag of a job that is another tenant's, as it were."""
        random = self._world.faults.random
        foreign = [row for row in self._world.store.jobs() if row.account != site.accounts[0]]
        forged = f"pc-{random.choice(foreign).tag}" if foreign and random.random() < 0.5 else "by-hand"
        site.controller.submit(site.accounts[0], BY_HAND.format(name=forged))

    def _wish(self) -> None:
        random, store = self._world.faults.random, self._world.store
        row = random.choice(store.jobs())
        kind = random.choice(("cancel", "cancel", "hold"))
        try:
            store.wish(row.id, kind, self._now())
        except Conflict:
            return
        self._world.journal.note("wish", kind, row.id)
        if kind == "cancel":
            self.wished.add(row.id)
        else:
            self._world.loop.call_later(random.uniform(1, 20), self._release, row.id)

    def _reroute(self) -> None:
        """Somebody finds that some jobs would do better at the other centre, and looks again a little later."""
        random, store = self._world.faults.random, self._world.store
        for row in store.jobs():
            to = next(site.name for site in self._world.sites if site.name != row.centre)
            if random.random() < 0.5 and store.propose(row, to):
                self._world.journal.note("move", row.id, row.centre, to)
        if not self._world.faults.is_calm:
            self._world.loop.call_later(random.uniform(1, 20), self._reroute)

    def _release(self, job: JobId) -> None:
        """And look again: a hold that was on its way may be carried out after the release."""
        row = self._world.store.job(job)
        if row.state in FINAL:
            return
        self._world.loop.call_later(20, self._release, job)
        if row.state is JobState.SUBMITTING or row.starts_held or row.reason.startswith("JobHeld"):
            self._world.journal.note("wish", "release", job)
            with suppress(Conflict):
                self._world.store.wish(job, "release", self._now())

    def _announce(self, site: Site) -> None:
        """A hint may be lost: it is no message."""
        for program in self._programs:
            if program.worker is not None and self._world.faults.random.random() < 0.8:
                program.worker.hint(site.name)

    def _now(self) -> datetime:
        return START + timedelta(seconds=self._world.loop.time())
