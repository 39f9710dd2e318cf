"""Does all the harm."""

import asyncio
from collections.abc import Callable, Sequence

from tests.simulation.memory_book import is_leaving
from tests.simulation.program import Program, World
from tests.simulation.site import Site


class Nemesis:
    def __init__(self, world: World, programs: Sequence[Program]) -> None:
        self._world, self._programs = world, programs
        self._random = world.faults.random
        self._is_over = False

    async def act(self, seconds: float) -> None:
        """Some of the kinds of harm in each history, each several times."""
        loop = self._world.loop
        kinds = [kind for kind in self._kinds() if self._random.random() < 0.6]
        until = loop.time() + seconds
        if self._random.random() < 0.5:
            self._slurmctld_forgets_cancel()
        while kinds and loop.time() < until:
            await asyncio.sleep(self._random.expovariate(1 / self._world.faults.events_every_seconds))
            self._random.choice(kinds)()
        await asyncio.sleep(max(0.0, until - loop.time()))

    def stop(self) -> None:
        """From now on every part works, and every program runs."""
        world = self._world
        self._is_over = world.faults.is_calm = True
        world.line.down_until = 0.0
        world.reach.cut_until.clear()
        for site in world.sites:
            site.controller.down_until = 0.0
        for program in self._programs:
            world.loop.thaw(program.process)
            if program.worker is None:
                program.start()

    def _kinds(self) -> Sequence[Callable[[], None]]:
        return (
            *(self._kill, self._kill, self._freeze, self._freeze, self._stop, self._kill_guards, self._slurmctld_down),
            *(self._slurmctld_forgets, self._lose_node, self._database_down, self._cut),
        )

    def _program(self) -> Program:
        return self._random.choice(self._programs)

    def _site(self) -> Site:
        return self._random.choice(self._world.sites)

    def _kill(self) -> None:
        program = self._program()
        if program.worker is not None:
            program.kill()
            self._world.loop.call_later(self._random.uniform(0, 5), self._start_again, program)

    def _stop(self) -> None:
        program = self._program()
        if program.worker is not None and not program.process.is_frozen:
            program.stop()
            program.worker = None
            self._world.loop.call_later(self._random.uniform(0, 5), self._start_again, program)

    def _start_again(self, program: Program) -> None:
        if program.worker is None:
            program.start()

    def _freeze(self) -> None:
        process = self._program().process
        if not process.is_frozen and not process.is_dead:
            seconds = self._random.uniform(0.5, 60)
            self._world.journal.note("worker.frozen", process.name, round(seconds, 3))
            process.is_frozen = True
            self._world.loop.call_later(seconds, self._world.loop.thaw, process)

    def _kill_guards(self) -> None:
        self._site().login.kill_guards()

    def _slurmctld_down(self) -> None:
        site = self._site()
        if self._random.random() < 0.5:
            site.controller.forget_newest()
        site.controller.down_until = self._world.loop.time() + self._random.uniform(1, 30)

    def _slurmctld_forgets(self) -> None:
        self._site().controller.forget_newest()

    def _slurmctld_forgets_cancel(self) -> None:
        """Of a job that is moved away, or was: to any other it would bring a second end. All the time, because the
        moment in which it can be is short."""
        for site in self._world.sites:
            centre = self._world.store.centres[site.name]
            for tag in [*centre.left, *(row.tag for row in centre.jobs.values() if is_leaving(row))]:
                if self._random.random() < 0.2:
                    site.controller.forget_cancel(f"pc-{tag}")
        if not self._is_over:
            self._world.loop.call_later(1, self._slurmctld_forgets_cancel)

    def _lose_node(self) -> None:
        self._site().controller.lose_node()

    def _database_down(self) -> None:
        self._world.line.down_until = self._world.loop.time() + self._random.uniform(0.5, 20)

    def _cut(self) -> None:
        self._world.reach.cut_until[self._site().name] = self._world.loop.time() + self._random.uniform(0.5, 20)
