"""Random lives of processes: whatever comes and goes between which looks, no CPU time is counted twice, and with exit
records none is missed."""

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.paramon.table_world import JOB, OWN, Told, World

SPAWN, BURN, EXIT, REAP, LOOK = "spawn", "burn", "exit", "reap", "look"
acts = st.lists(
    st.tuples(st.sampled_from([SPAWN, BURN, BURN, EXIT, EXIT, REAP, REAP, LOOK]), st.integers(0, 99)), max_size=50
)
reapers = st.sampled_from([OWN, JOB])
LEFT_TO_ONE_OF_THE_JOB = [
    ((SPAWN, 0), (SPAWN, 0), (EXIT, 0), (SPAWN, 1), (BURN, 2), (LOOK, 0), (EXIT, 0), (EXIT, 0), (REAP, 0), (REAP, 1)),
    ((SPAWN, 0), (SPAWN, 0), (SPAWN, 0), (EXIT, 0), (SPAWN, 2), (REAP, 0), (EXIT, 0), (REAP, 0), (BURN, 2), (EXIT, 1),
     (EXIT, 0), (REAP, 1)),
]  # fmt: skip
"""Its parent has ended and is a zombie, and another one waits for it."""


class Life:
    """Processes as the kernel has them: one that ended is a zombie until its parent waits for it; its children become
    those of `reaper`: the collector, which waits for them at once when they end, or one of the job's."""

    def __init__(self, world, reaper):
        self.world, self.reaper = world, reaper
        self.parent, self.ticks, self.of_children = {JOB: OWN}, {JOB: 1}, {JOB: 0}
        self.zombies = set()
        self.truth, self.last = 1, JOB
        self.show(JOB)

    def show(self, pid):
        state = "Z" if pid in self.zombies else "R"
        self.world.is_there(pid, self.parent[pid], self.ticks[pid], self.of_children[pid], state)

    def running(self):
        return [pid for pid in self.parent if pid not in self.zombies]

    def does(self, act, number):
        running, zombies = self.running(), [pid for pid in self.parent if pid in self.zombies]
        if act == SPAWN:
            self.last += 1
            self.parent[self.last], self.ticks[self.last], self.of_children[self.last] = (
                running[number % len(running)],
                0,
                0,
            )
            self.show(self.last)
        elif act == BURN:
            pid = running[number % len(running)]
            self.ticks[pid] += number
            self.truth += number
            self.show(pid)
        elif act == EXIT and len(running) > 1:
            self.exits(running[1 + number % (len(running) - 1)])
        elif act == REAP and zombies:
            self.reaped(zombies[number % len(zombies)])
        elif act == LOOK:
            self.world.look()

    def exits(self, pid):
        self.zombies.add(pid)
        self.show(pid)
        if self.world.told:
            self.world.told.ends(pid, self.parent[pid], self.ticks[pid])
        for child in [child for child, parent in self.parent.items() if parent == pid]:
            self.parent[child] = self.reaper
            self.show(child)
            if child in self.zombies and self.reaper == OWN:
                self.reaped(child)
        if self.parent[pid] == OWN:
            self.reaped(pid)

    def reaped(self, pid):
        parent = self.parent.pop(pid)
        if parent != OWN:
            self.of_children[parent] += self.ticks[pid] + self.of_children[pid]
            self.show(parent)
        self.zombies.discard(pid)
        self.world.goes(pid)


def known_and_truth(told, script, reaper):
    with tempfile.TemporaryDirectory() as root:
        world = World(Path(root), told)
        life = Life(world, reaper)
        world.look()
        for act, number in script:
            life.does(act, number)
        for _ in range(2):
            world.look()
        return world.known(), life.truth


@given(acts, reapers)
@example(LEFT_TO_ONE_OF_THE_JOB[0], JOB)
@example(LEFT_TO_ONE_OF_THE_JOB[1], JOB)
@settings(max_examples=150, deadline=None)
def test_with_exit_records_all_of_it_is_known_and_once(script, reaper):
    known, truth = known_and_truth(Told(), script, reaper)
    assert known == truth


@given(acts, reapers)
@example(LEFT_TO_ONE_OF_THE_JOB[0], JOB)
@example(LEFT_TO_ONE_OF_THE_JOB[1], JOB)
@settings(max_examples=150, deadline=None)
def test_without_exit_records_nothing_is_counted_twice(script, reaper):
    known, truth = known_and_truth(None, script, reaper)
    assert known <= truth
