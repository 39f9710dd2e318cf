"""The guard's program as a model: what it does to its folders, in the order in which it does it, able to be killed
between any two steps. The program itself, in bash, has tests of its own on a real Slurm."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.faults import Faults
from tests.simulation.flock import Flock
from tests.simulation.sbatch import REFUSED, Clients

LOCK_SECONDS = 10.0


@dataclass(slots=True)
class Folder:
    lock: Flock
    was_tried: bool = False
    id: int | None = None
    refusal: str | None = None


class Guard:
    """Of one centre; folders of all accounts, by account and tag."""

    def __init__(self, loop: asyncio.AbstractEventLoop, faults: Faults, clients: Clients) -> None:
        self._loop, self._faults, self._clients = loop, faults, clients
        self.folders: dict[tuple[str, str], Folder] = {}

    async def submit(self, account: str, batch: Sequence[tuple[str, str]]) -> list[str]:
        """Answers for pairs of tag and script: a kind and its value."""
        again = {tag for tag, _ in batch if (account, tag) in self.folders}
        await self._pause()
        for tag, _ in batch:
            self.folders.setdefault((account, tag), Folder(Flock(self._loop)))
        answers: list[str] = []
        is_silent = False
        for tag, script in batch:
            said = _unsure("Slurm did not answer for another job of this batch")
            if not is_silent:
                said, is_silent = await self._one(account, tag, script, tag in again)
            answers.append(f"{tag} {said}")
        return answers

    async def _one(self, account: str, tag: str, script: str, again: bool) -> tuple[str, bool]:
        folder = self.folders[account, tag]
        if folder.id is not None:
            return f"id {folder.id}", False
        if not await folder.lock.take(LOCK_SECONDS):
            return _unsure("another submission of this job is under way"), False
        try:
            return await self._locked(folder, account, tag, script, again)
        finally:
            folder.lock.drop()

    async def _locked(self, folder: Folder, account: str, tag: str, script: str, again: bool) -> tuple[str, bool]:
        if folder.id is not None:
            return f"id {folder.id}", False
        if folder.refusal is not None:
            return _refused(folder.refusal), False
        again = again or folder.was_tried
        if again:
            try:
                found = await self._clients.look_up(account, f"pc-{tag}")
            except ConnectionError as error:
                return _unsure(str(error)), True
            if found is not None:
                return await self._keep(folder, found), False
        await self._pause()
        folder.was_tried = True
        await self._pause()
        return await self._hand_over(folder, account, tag, script, again)

    async def _hand_over(self, folder: Folder, account: str, tag: str, script: str, again: bool) -> tuple[str, bool]:
        child = self._loop.create_task(self._clients.sbatch(account, f"pc-{tag}", script, folder.lock))
        said = await asyncio.shield(child)
        if said.id is not None:
            return await self._keep(folder, said.id), False
        if said.error != REFUSED:
            return _unsure(said.error or "sbatch did not answer"), True
        if again:
            try:
                found = await self._clients.look_up(account, f"pc-{tag}")
            except ConnectionError as error:
                return _unsure(str(error)), True
            if found is not None:
                return await self._keep(folder, found), False
        folder.refusal = said.error
        return _refused(said.error), False

    async def _keep(self, folder: Folder, number: int) -> str:
        await self._pause()
        folder.id = number
        return f"id {number}"

    async def _pause(self) -> None:
        """A moment in which it may be killed."""
        await asyncio.sleep(self._faults.seconds(0.001, 0.02))


def _unsure(reason: str) -> str:
    return f"unsure {_encoded(reason)}"


def _refused(reason: str) -> str:
    return f"refused {_encoded(reason)}"


def _encoded(reason: str) -> str:
    return base64.b64encode(f"x{reason}".encode()).decode()
